//! What the pages of a sign-in show.

use super::Provider;
use super::branding::ClientLook;
use super::interaction::{Interaction, Situation};
use crate::protocol::connection::ConnectionKind;
use crate::protocol::id::{ConnectionId, InteractionId};
use crate::protocol::user::User;

/// What the sign-in page shows.
pub struct ChoosePage {
    /// The interaction.
    pub interaction: InteractionId,
    /// For which client.
    pub client_name: String,
    /// The connections offered.
    pub connections: Vec<Offer>,
    /// Who is signed in already, when a fresh proof is wanted.
    pub signed_in_as: Option<String>,
    /// Whether a username and password will do.
    pub local_accounts: bool,
    /// Who the client thinks it is.
    pub login_hint: Option<String>,
    /// Where a form on the page may lead in the end: the client's redirect URI.
    pub redirect_uri: String,
    /// The languages the client wishes for.
    pub ui_locales: Option<String>,
    /// How the client looks.
    pub look: Box<ClientLook>,
}

/// A connection as the sign-in page offers it.
pub struct Offer {
    /// Its name in URLs.
    pub id: ConnectionId,
    /// Its name for people.
    pub display_name: String,
    /// What it speaks.
    pub kind: ConnectionKind,
    /// Whether it is taken to be away just now.
    pub away: bool,
}

/// What the consent page shows.
pub struct ConsentPage {
    /// The interaction.
    pub interaction: InteractionId,
    /// The client that asks.
    pub client_name: String,
    /// Who is asked.
    pub signed_in_as: String,
    /// Requested scope values with what they mean, if an API says so.
    pub scopes: Vec<(String, String)>,
    /// Where a form on the page may lead in the end.
    pub redirect_uri: String,
    /// The languages the client wishes for.
    pub ui_locales: Option<String>,
    /// How the client looks.
    pub look: Box<ClientLook>,
}

impl Provider {
    pub(super) fn choose_page(
        &self,
        id: &InteractionId,
        interaction: &Interaction,
        situation: &Situation,
    ) -> ChoosePage {
        let now = self.clock.now();
        let connectors = self.offered_connectors(&situation.client, interaction);
        let mut offers: Vec<Offer> = connectors
            .iter()
            .map(|connector| Offer {
                id: connector.id().clone(),
                display_name: connector.display_name().to_owned(),
                kind: connector.kind(),
                away: self.is_away(connector.as_ref(), now),
            })
            .collect();
        // Those that answer first; among their like they stay in the operator's order.
        offers.sort_by_key(|offer| offer.away);
        ChoosePage {
            interaction: id.clone(),
            client_name: situation.client.client_name.clone(),
            connections: offers,
            signed_in_as: situation.person.as_ref().map(|(_, user)| display_name(user)),
            local_accounts: self.offers_local_accounts_for(&situation.client, interaction),
            login_hint: interaction.request.login_hint.clone(),
            redirect_uri: interaction.request.return_to.redirect_uri.clone(),
            ui_locales: interaction.request.return_to.ui_locales.clone(),
            look: Box::new(ClientLook::of(&situation.client)),
        }
    }
}

pub(super) fn consent_page(
    id: &InteractionId,
    interaction: &Interaction,
    situation: &Situation,
    user: &User,
) -> ConsentPage {
    ConsentPage {
        interaction: id.clone(),
        client_name: situation.client.client_name.clone(),
        signed_in_as: display_name(user),
        scopes: situation.described_scopes(),
        redirect_uri: interaction.request.return_to.redirect_uri.clone(),
        ui_locales: interaction.request.return_to.ui_locales.clone(),
        look: Box::new(ClientLook::of(&situation.client)),
    }
}

/// What a page calls a person: name, else address, else nothing.
pub(super) fn display_name(user: &User) -> String {
    user.name.clone().or_else(|| user.email.clone()).unwrap_or_default()
}
