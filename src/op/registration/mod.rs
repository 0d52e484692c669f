//! Clients that register and manage themselves — RFC 7591, RFC 7592, OIDC Dynamic Registration.
//!
//! Off unless the operator opens it. What may be registered is decided by the same rules as at the
//! console (`admin/rules.rs`), and narrowed by the operator's policy; what a client may never say
//! of itself is not even read (`protocol/registration.rs`). People are always asked for consent.

mod management;
mod policy;
mod software_statement;

use serde_json::{Map, Value, json};

pub use self::policy::{RegistrationMode, RegistrationPolicy};
use super::admin::metadata::client_metadata;
use super::{Failure, Provider};
use crate::protocol::ambient::{Timestamp, random};
use crate::protocol::client::{Client, ClientSecret};
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::ClientId;
use crate::protocol::metadata::path;
use crate::protocol::registration::{self, COMMON, SETTINGS};
use crate::protocol::secret::SecretString;
use crate::store::WriteTx;

/// What became of a registration: the document to answer with.
pub type Registration = Map<String, Value>;

impl Provider {
    /// Who may register clients.
    pub fn registration_mode(&self) -> RegistrationMode {
        self.registration.mode
    }

    /// Registers a client (RFC 7591 §3).
    ///
    /// # Errors
    /// `invalid_token` without a good initial access token where one is needed;
    /// `invalid_redirect_uri`, `invalid_client_metadata`, `invalid_software_statement`.
    pub async fn register(
        &self,
        token: Option<&str>,
        mut metadata: Map<String, Value>,
    ) -> Result<Registration, Failure> {
        let now = self.clock.now();
        let hash = match (self.registration.mode, token) {
            (RegistrationMode::Off, _) => {
                return Err(Refusal::invalid_token("registration is not open").into());
            }
            (RegistrationMode::Token, None) => {
                return Err(Refusal::invalid_token("an initial access token is required").into());
            }
            (RegistrationMode::Open, None) => None,
            (RegistrationMode::Token | RegistrationMode::Open, Some(token)) => {
                Some(self.vault.hash(token))
            }
        };
        let statement = self.believe_statement(&mut metadata, now)?;
        let kind = registration::kind(&metadata)?;
        let id = ClientId::random(self.entropy.as_ref());
        let mut client = Client::of_kind(id, kind, now);
        registration::apply(&mut client, &metadata)?;
        self.admit(&mut client, &metadata).await?;

        let secret = keeps_secret(&client).then(|| self.draw_client_secret(now));
        let (client_secret, stored) = secret.unzip();
        let access_token = SecretString::random(self.entropy.as_ref());
        let resources = self.registration.resources.clone();
        let managed_by = self.vault.hash(access_token.expose());
        let event =
            Event::new(now, "client.registered", "system").target(client.client_id.to_string());
        let client = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let used = match &hash {
                        None => None,
                        // A registration that fails below gives the use back.
                        Some(hash) => {
                            Some(tx.use_registration_token(hash, now).await?.ok_or_else(|| {
                                Refusal::invalid_token(
                                    "the initial access token is unknown, used up or expired",
                                )
                            })?)
                        }
                    };
                    give_resources(tx, &resources, &mut client).await?;
                    tx.insert_client(&client, stored.as_ref()).await?;
                    tx.insert_registration(&client.client_id, &managed_by, used.as_deref(), now)
                        .await?;
                    let detail = json!({
                        "client_name": client.client_name,
                        "kind": kind.as_str(),
                        "registration_token": used,
                    });
                    tx.record(&event.detail(detail)).await?;
                    Ok::<_, Failure>(client)
                })
            })
            .await?;
        let mut answer = self.described(&client, access_token.expose());
        tell_secret(&mut answer, client_secret.as_ref());
        if let Some(statement) = statement {
            answer.insert("software_statement".to_owned(), json!(statement));
        }
        Ok(answer)
    }

    fn described(&self, client: &Client, token: &str) -> Registration {
        let mut answer = Map::new();
        if let Value::Object(all) = client_metadata(client) {
            let told = |name: &str| COMMON.contains(&name) || SETTINGS.contains(&name);
            answer.extend(all.into_iter().filter(|(name, value)| told(name) && !value.is_null()));
        }
        let uri = format!("{}{}/{}", self.issuer, path::REGISTRATION, client.client_id);
        answer.insert("registration_client_uri".to_owned(), json!(uri));
        answer.insert("registration_access_token".to_owned(), json!(token));
        answer
    }

    fn draw_client_secret(&self, now: Timestamp) -> (SecretString, ClientSecret) {
        use base64::Engine as _;
        let secret = SecretString::random(self.entropy.as_ref());
        let id = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(random::<9>(self.entropy.as_ref()));
        let hash = self.vault.hash(secret.expose());
        (secret, ClientSecret::new(id, hash, now))
    }
}

/// The APIs of a client that registers itself: those of the policy that are still registered, and
/// those that are open to all such clients.
pub(super) async fn give_resources(
    tx: &WriteTx,
    policy: &[String],
    client: &mut Client,
) -> Result<(), Failure> {
    let apis = tx.list_apis().await?.into_iter();
    let open =
        apis.filter(|api| api.settings.self_registered_clients || policy.contains(&api.identifier));
    client.resources = open.map(|api| api.identifier).take(100).collect();
    Ok(())
}

fn keeps_secret(client: &Client) -> bool {
    client.token_endpoint_auth_method.uses_secret()
}

fn tell_secret(answer: &mut Registration, secret: Option<&SecretString>) {
    if let Some(secret) = secret {
        answer.insert("client_secret".to_owned(), json!(secret.expose()));
        answer.insert("client_secret_expires_at".to_owned(), json!(0));
    }
}
