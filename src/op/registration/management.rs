//! Clients that read, change and remove their own registration — RFC 7592.

use serde_json::{Map, Value};

use super::super::ending::{self, Ending, Reason};
use super::super::token::authorization_code::client_actor;
use super::super::{Failure, Provider};
use super::{Registration, keeps_secret, tell_secret};
use crate::protocol::client::{Client, ClientSecret};
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::ClientId;
use crate::protocol::registration;
use crate::protocol::secret::SecretHash;

impl Provider {
    /// What is registered (RFC 7592 §2.1).
    ///
    /// # Errors
    /// `invalid_token` for anything but the client's own registration access token.
    pub async fn registration(
        &self,
        id: &ClientId,
        token: Option<&str>,
    ) -> Result<Registration, Failure> {
        let (client, token) = self.managed(id, token).await?;
        Ok(self.described(&client, token))
    }

    /// Replaces what is registered (RFC 7592 §2.2). A client that now needs a secret and has none
    /// gets one.
    ///
    /// # Errors
    /// As [`Provider::register`], and `invalid_request` for members the client may not send.
    pub async fn update_registration(
        &self,
        id: &ClientId,
        token: Option<&str>,
        metadata: Map<String, Value>,
    ) -> Result<Registration, Failure> {
        let now = self.clock.now();
        let (mut client, token) = self.managed(id, token).await?;
        if metadata.get("client_id").and_then(Value::as_str) != Some(id.as_str()) {
            return Err(Refusal::invalid_request("client_id must be repeated").into());
        }
        for member in
            ["registration_access_token", "registration_client_uri", "client_secret_expires_at"]
        {
            if metadata.contains_key(member) {
                return Err(Refusal::invalid_request(format!("{member} must not be sent")).into());
            }
        }
        let secrets = self.store.find_client_secrets(id).await?;
        let live = |secret: &ClientSecret| secret.expires_at.is_none_or(|at| now < at);
        if let Some(secret) = metadata.get("client_secret") {
            let hash = self.vault.hash(secret.as_str().unwrap_or_default());
            if !secrets.iter().any(|known| live(known) && known.hash == hash) {
                return Err(Refusal::invalid_request("client_secret is not the client's").into());
            }
        }
        if registration::kind(&metadata)? != client.kind {
            let text = "the client would become one of another kind; register anew";
            return Err(Refusal::invalid_client_metadata(text).into());
        }
        registration::apply(&mut client, &metadata)?;
        self.admit(&mut client, &metadata).await?;
        client.updated_at = now;
        let has_secret = secrets.iter().any(live);
        let secret = (keeps_secret(&client) && !has_secret).then(|| self.draw_client_secret(now));
        let (client_secret, stored) = secret.unzip();
        let event = Event::new(now, "client.updated", client_actor(id)).target(id.to_string());
        let client = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.update_client(&client).await? {
                        let text = "the client was changed meanwhile; read it again";
                        return Err(Failure::from(Refusal::invalid_request(text)));
                    }
                    if let Some(stored) = &stored {
                        tx.insert_client_secret(&client.client_id, stored).await?;
                    }
                    if !keeps_secret(&client) {
                        tx.expire_client_secrets(&client.client_id, "", now).await?;
                    }
                    tx.record(&event).await?;
                    Ok(client)
                })
            })
            .await?;
        self.forget_client(id).await;
        let mut answer = self.described(&client, token);
        tell_secret(&mut answer, client_secret.as_ref());
        Ok(answer)
    }

    /// Removes a client and all that was given to it (RFC 7592 §2.3).
    ///
    /// # Errors
    /// `invalid_token` for anything but the client's own registration access token.
    pub async fn delete_registration(
        &self,
        id: &ClientId,
        token: Option<&str>,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        self.managed(id, token).await?;
        let event = Event::new(now, "client.deleted", client_actor(id)).target(id.to_string());
        let gone = id.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let ending = Ending::Client(gone.clone());
                    ending::end(tx, &ending, Reason::ClientRevoked, now).await?;
                    tx.delete_client(&gone).await?;
                    Ok::<_, Failure>(tx.record(&event).await?)
                })
            })
            .await?;
        self.forget_client(id).await;
        Ok(())
    }

    /// The client that this token manages.
    async fn managed<'t>(
        &self,
        id: &ClientId,
        token: Option<&'t str>,
    ) -> Result<(Client, &'t str), Failure> {
        let bad = || Refusal::invalid_token("the registration access token is not this client's");
        let token = token.ok_or_else(bad)?;
        let hash: SecretHash = self.vault.hash(token);
        if self.store.find_registration(id).await?.is_none_or(|known| known != hash) {
            return Err(bad().into());
        }
        let client = self.store.find_client(id).await?;
        let client = client.filter(|client| client.disabled_at.is_none()).ok_or_else(bad)?;
        Ok((client, token))
    }
}
