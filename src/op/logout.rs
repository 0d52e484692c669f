//! RP-initiated logout — OIDC RP-Initiated Logout 1.0 §2, §3.

use super::branding::ClientLook;
use super::ending::{self, Ending, Reason};
use super::interaction::{Browser, Interaction};
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::authorization_response::with_query;
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ClientId, SessionId};
use crate::protocol::params::Params;
use crate::protocol::secret::{SecretHash, SecretString, constant_time_eq};
use crate::protocol::session::Session;
use crate::protocol::session_state::session_state;

/// What the browser gets.
pub enum LoggedOut {
    /// Signed out.
    Done {
        /// Back to the client; without it, a page says so.
        target: Option<String>,
        /// Pages of the apps that sign this browser out, to be loaded in frames
        /// (OIDC Front-Channel Logout 1.0 §3).
        frames: Vec<String>,
        /// How the client looks, if it is proven that it asks.
        look: Option<Box<ClientLook>>,
    },
    /// Nothing proves that the person wants it: ask. The token comes back with the answer.
    Confirm {
        /// Proves that the form was ours.
        csrf: String,
        /// Where a form on the page may lead in the end.
        redirect_uri: Option<String>,
        /// Who asks, if it is known.
        client_name: Option<String>,
        /// How they look.
        look: Option<Box<ClientLook>>,
    },
}

impl Provider {
    /// Receives a logout request. A valid `id_token_hint` of the signed-in person is proof enough;
    /// anything less is asked about. Nothing unverified is ever redirected to.
    ///
    /// # Errors
    /// `invalid_request`, as a page: a forged hint, or a `post_logout_redirect_uri` that is not
    /// registered or comes without a client.
    pub async fn end_session(
        &self,
        params: &Params,
        browser: &Browser,
        confirmed: bool,
    ) -> Result<LoggedOut, Failure> {
        let now = self.clock.now();
        let hint = match params.one("id_token_hint")? {
            None => None,
            Some(hint) => Some(
                self.read_id_token(hint)
                    .await?
                    .ok_or_else(|| Refusal::invalid_request("id_token_hint is not valid"))?,
            ),
        };
        let named = params.one("client_id")?;
        if let (Some(hint), Some(named)) = (&hint, named)
            && hint.aud != named
        {
            return Err(Refusal::invalid_request("client_id does not match id_token_hint").into());
        }
        let client = match hint.as_ref().map(|hint| hint.aud.as_str()).or(named) {
            None => None,
            Some(id) => self.store.find_client(&ClientId::new(id)).await?,
        };
        let target = return_address(params, client.as_ref())?;
        let look = client.as_ref().map(|client| Box::new(ClientLook::of(client)));
        // Anybody can name a client; a token of its own shows that the person comes from there.
        let proven = hint.is_some();
        let Some((session, user)) = self.signed_in(browser, now).await? else {
            let look = look.filter(|_| proven);
            return Ok(LoggedOut::Done { target, frames: Vec::new(), look });
        };
        let hinted = hint.is_some_and(|hint| {
            hint.sid.as_deref().map_or_else(
                || self.is_about(&hint, client.as_ref(), &user),
                |sid| sid == session.id.as_str(),
            )
        });
        let csrf = self.logout_csrf(&session);
        let answered = confirmed
            && params
                .one("csrf")?
                .is_some_and(|given| constant_time_eq(given.as_bytes(), csrf.as_bytes()));
        if !hinted && !answered {
            let client_name = client.map(|client| client.client_name);
            return Ok(LoggedOut::Confirm { csrf, redirect_uri: target, client_name, look });
        }
        let frames = self.logout_frames(&session).await?;
        self.close_session(session, Reason::SignedOut, now).await?;
        Ok(LoggedOut::Done { target, frames, look: look.filter(|_| proven || answered) })
    }

    /// Ends a session with what was granted in it.
    pub(super) async fn close_session(
        &self,
        session: Session,
        reason: Reason,
        now: Timestamp,
    ) -> Result<(), Failure> {
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let ending = Ending::Session(session.id.clone());
                    let grants = ending::end(tx, &ending, reason, now).await?.grants;
                    let event =
                        Event::new(now, "session.ended", format!("user:{}", session.user_id))
                            .target(session.id.to_string())
                            .detail(serde_json::json!({ "grants": grants }));
                    tx.record(&event).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        // The clients hear of it while the browser is on its way.
        self.doorbell.ring();
        Ok(())
    }

    /// The front-channel logout pages of the apps that this browser signed in to, each with `iss`
    /// and `sid`.
    async fn logout_frames(&self, session: &Session) -> Result<Vec<String>, Failure> {
        let mut frames = Vec::new();
        for participant in self.store.participants_of_session(&session.id).await? {
            let client = self.store.find_client(&participant.client_id).await?;
            let client = client.filter(|client| client.disabled_at.is_none());
            let Some(uri) = client.and_then(|client| client.settings.frontchannel_logout_uri)
            else {
                continue;
            };
            let named = [("iss", self.issuer.clone()), ("sid", session.id.to_string())];
            frames.push(with_query(&uri, &named));
        }
        Ok(frames)
    }

    /// What the check session iframe reads in a browser with this session cookie.
    pub fn browser_state(&self, session_cookie: &SecretString) -> String {
        self.browser_state_of(&self.vault.hash(session_cookie.expose()))
    }

    fn browser_state_of(&self, cookie_hash: &SecretHash) -> String {
        self.vault.hash(&format!("browser_state:{}", cookie_hash.to_text())).to_text()
    }

    /// `session_state` for an OpenID request (OIDC Session Management §3.1).
    pub(super) fn session_state(
        &self,
        interaction: &Interaction,
        session: &Session,
    ) -> Option<String> {
        let request = &interaction.request;
        if !request.scope.iter().any(|value| value == "openid") {
            return None;
        }
        session_state(
            interaction.client_id.as_str(),
            &request.return_to.redirect_uri,
            &self.browser_state_of(&session.cookie_hash),
            SessionId::random(self.entropy.as_ref()).as_str(),
        )
    }

    /// Ends every session and grant of the person who is signed in here. Returns the pages that
    /// sign this browser out of its apps.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours.
    pub async fn sign_out_everywhere(
        &self,
        browser: &Browser,
        csrf: &str,
    ) -> Result<Vec<String>, Failure> {
        let now = self.clock.now();
        let (session, user) = self.own_form(browser, csrf, now).await?;
        let frames = self.logout_frames(&session).await?;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let ending = Ending::User(user.id.clone());
                    let ended = ending::end(tx, &ending, Reason::Withdrawn, now).await?;
                    let event = Event::new(now, "user.signed_out", format!("user:{}", user.id))
                        .target(user.id.to_string())
                        .detail(serde_json::json!({
                            "sessions": ended.sessions,
                            "grants": ended.grants,
                        }));
                    tx.record(&event).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        self.doorbell.ring();
        Ok(frames)
    }

    /// Proves that a form was made for this very session.
    pub fn logout_csrf(&self, session: &Session) -> String {
        self.vault.hash(&format!("csrf:{}", session.cookie_hash.to_text())).to_text()
    }
}

/// The registered `post_logout_redirect_uri` with `state` (§3).
fn return_address(params: &Params, client: Option<&Client>) -> Result<Option<String>, Refusal> {
    let Some(uri) = params.one("post_logout_redirect_uri")? else { return Ok(None) };
    let client = client.ok_or_else(|| {
        Refusal::invalid_request("post_logout_redirect_uri needs id_token_hint or client_id")
    })?;
    if !client.post_logout_redirect_uris.iter().any(|registered| registered == uri) {
        return Err(Refusal::invalid_request("post_logout_redirect_uri is not registered"));
    }
    Ok(Some(match params.one("state")? {
        None => uri.to_owned(),
        Some(state) => with_query(uri, &[("state", state.to_owned())]),
    }))
}
