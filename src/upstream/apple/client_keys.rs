//! The keys a client secret may be signed with: the active one, and the one that is to follow.
//!
//! A key is withdrawn at Apple in one moment and for every replica. So whoever meets
//! `invalid_client` tries the other key before it counts as a refusal, and stays with the key that
//! Apple took (apple.md §2).

use std::sync::atomic::{AtomicBool, Ordering};

use super::client_secret::ClientSecrets;
use super::token_endpoint::error_code;
use super::{AppleConfigError, AppleConnector, AppleSettings};
use crate::protocol::ambient::Timestamp;
use crate::protocol::secret::SecretString;
use crate::upstream::UpstreamError;
use crate::upstream::http::Answer;

/// Where grants are given back.
pub(super) const REVOKE: &str = "/auth/revoke";

/// The keys of one team.
pub(super) struct ClientKeys {
    active: ClientSecrets,
    next: Option<ClientSecrets>,
    /// Whether Apple last took the next key and not the active one.
    next_signs: AtomicBool,
}

impl ClientKeys {
    pub(super) fn new(settings: &AppleSettings, issuer: &str) -> Result<Self, AppleConfigError> {
        let team_id = &settings.team_id;
        let active = ClientSecrets::new(team_id, &settings.key_id, &settings.private_key, issuer)?;
        let next = match &settings.next_key {
            Some(next) => Some(
                ClientSecrets::new(team_id, &next.key_id, &next.private_key, issuer)
                    .map_err(|_| AppleConfigError::BadNextKey)?,
            ),
            None => None,
        };
        Ok(Self { active, next, next_signs: AtomicBool::new(false) })
    }

    /// The active key, and the one that is to follow.
    pub(super) fn each(&self) -> (&ClientSecrets, Option<&ClientSecrets>) {
        (&self.active, self.next.as_ref())
    }

    /// The keys with their names, in the order they are to be tried.
    fn in_turn(&self) -> Vec<(bool, &ClientSecrets)> {
        let mut keys = vec![(false, &self.active)];
        keys.extend(self.next.as_ref().map(|next| (true, next)));
        if self.next_signs.load(Ordering::Relaxed) {
            keys.reverse();
        }
        keys
    }

    fn took(&self, next: bool, key_id: &str) {
        if self.next_signs.swap(next, Ordering::Relaxed) != next {
            tracing::warn!(key_id, "Apple takes this key and not the other one");
        }
    }
}

/// A request that proves the client.
pub(super) struct Ask<'a> {
    /// Below the issuer, such as `/auth/token`.
    pub(super) path: &'static str,
    /// Whose client secret it carries.
    pub(super) client_id: &'a str,
    /// The form, without `client_id` and `client_secret`.
    pub(super) form: &'a [(&'a str, &'a str)],
    /// `Authorization: Bearer`, where the endpoint wants it besides.
    pub(super) bearer: Option<&'a SecretString>,
}

impl AppleConnector {
    /// Posts a form with a client secret. `invalid_client` is no answer to the form, so nothing
    /// was used up and the next key may try; whatever else comes back is the answer.
    pub(super) async fn ask(&self, ask: &Ask<'_>, now: Timestamp) -> Result<Answer, UpstreamError> {
        let mut refusal = None;
        for (next, secrets) in self.keys.in_turn() {
            let answer = self.ask_with(secrets, ask, now).await?;
            if !is_invalid_client(&answer) {
                self.keys.took(next, secrets.key_id());
                return Ok(answer);
            }
            refusal.get_or_insert(answer);
        }
        refusal.ok_or_else(|| UpstreamError::Misconfigured("there is no key".to_owned()))
    }

    async fn ask_with(
        &self,
        secrets: &ClientSecrets,
        ask: &Ask<'_>,
        now: Timestamp,
    ) -> Result<Answer, UpstreamError> {
        let secret = secrets.secret(ask.client_id, now)?;
        let mut form =
            vec![("client_id", ask.client_id), ("client_secret", secret.expose().as_str())];
        form.extend_from_slice(ask.form);
        let url = self.endpoint(ask.path);
        let answer = self.outbound.post_form_with(&url, &form, ask.bearer).await;
        let contact = match &answer {
            Ok(answer) if is_of_apple(ask.path, answer) => Ok(()),
            Ok(answer) => Err(UpstreamError::Unavailable(format!("status {}", answer.status))),
            Err(error) => Err(error.clone().into()),
        };
        self.health.note(&contact, now);
        Ok(answer?)
    }
}

/// Whether Apple answered, and not something in its place: a success is JSON, or of revocation
/// nothing at all (apple.md §1.3), and a refusal has a code.
fn is_of_apple(path: &str, answer: &Answer) -> bool {
    match answer.status {
        200 if path == REVOKE && answer.body.is_empty() => true,
        200 => serde_json::from_slice::<serde_json::Map<_, _>>(&answer.body).is_ok(),
        400 | 401 => error_code(&answer.body).is_some(),
        _ => false,
    }
}

fn is_invalid_client(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 401)
        && error_code(&answer.body).as_deref() == Some("invalid_client")
}
