//! How pages look: the installation's branding as it was last read, and a client's own over it.

use std::sync::{Arc, PoisonError, RwLock};

use super::admin::branding::NAME;
use super::interaction::{Browser, Interaction};
use super::{Fault, Provider};
use crate::protocol::branding::Branding;
use crate::protocol::client::Client;
use crate::protocol::id::{ClientId, InteractionId};
use crate::store::pictures::Picture;
use crate::store::single_use::SingleUse;

/// The installation's branding; replaced as a whole when it was changed.
#[derive(Default)]
pub(super) struct Looks(RwLock<Arc<Branding>>);

/// How a client looks, and where more is said about it.
#[derive(Clone, Debug, Default)]
pub struct ClientLook {
    /// `client_id`.
    pub client_id: String,
    /// Its colours and its picture.
    pub branding: Branding,
    /// `logo_uri`, unless it has a picture here.
    pub logo_uri: Option<String>,
    /// `client_uri`.
    pub client_uri: Option<String>,
    /// `policy_uri`.
    pub policy_uri: Option<String>,
    /// `tos_uri`.
    pub tos_uri: Option<String>,
}

impl ClientLook {
    /// How this client looks.
    pub fn of(client: &Client) -> Self {
        let settings = &client.settings;
        let branding = settings.branding.clone().unwrap_or_default();
        Self {
            client_id: client.client_id.to_string(),
            logo_uri: settings.logo_uri.clone().filter(|_| branding.logo.is_none()),
            branding,
            client_uri: settings.client_uri.clone(),
            policy_uri: settings.policy_uri.clone(),
            tos_uri: settings.tos_uri.clone(),
        }
    }
}

impl Provider {
    /// How the installation looks.
    pub fn branding(&self) -> Arc<Branding> {
        // A panic elsewhere leaves it whole: it is only ever replaced.
        Arc::clone(&self.looks.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes up what was changed here or on another replica.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn reload_branding(&self) -> Result<(), Fault> {
        let found: Option<(Branding, i32)> = self.store.find_setting(NAME).await?;
        let branding = Arc::new(found.unwrap_or_default().0);
        *self.looks.0.write().unwrap_or_else(PoisonError::into_inner) = branding;
        Ok(())
    }

    /// How the client looks that this browser's interaction is about, also when it was answered;
    /// nothing for what is not there or of another browser.
    pub async fn look_at_interaction(
        &self,
        id: &InteractionId,
        browser: &Browser,
    ) -> Option<ClientLook> {
        let parked = self.store.find_parked(SingleUse::Interaction, id.as_str()).await.ok()??;
        let interaction: Interaction = serde_json::from_slice(&parked.payload).ok()?;
        let own = browser.binding_hash() == Some(&interaction.browser);
        if own { self.look_of(&interaction.client_id).await } else { None }
    }

    /// How a client looks that may be used.
    pub async fn look_of(&self, id: &ClientId) -> Option<ClientLook> {
        let registered = self.client(id).await.ok()??;
        let client = &registered.client;
        client.disabled_at.is_none().then(|| ClientLook::of(client))
    }

    /// A picture of the installation or of a client.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn picture(&self, id: &str) -> Result<Option<Picture>, Fault> {
        Ok(self.store.find_picture(id).await?)
    }
}
