//! RP-initiated logout — OIDC RP-Initiated Logout 1.0 §2, §3.

use super::ending::{self, Ending, Reason};
use super::interaction::Browser;
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::authorization_response::with_query;
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::ClientId;
use crate::protocol::params::Params;
use crate::protocol::secret::constant_time_eq;
use crate::protocol::session::Session;

/// What the browser gets.
pub enum LoggedOut {
    /// Signed out; back to the client.
    Redirect(String),
    /// Signed out; a page says so.
    Page,
    /// Nothing proves that the person wants it: ask. The token comes back with the answer.
    Confirm {
        /// Proves that the form was ours.
        csrf: String,
        /// Where a form on the page may lead in the end.
        redirect_uri: Option<String>,
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
        let session =
            self.signed_in(browser, now).await?.map(|(session, user)| (session, user.sub));
        let Some((session, sub)) = session else {
            return Ok(target.map_or(LoggedOut::Page, LoggedOut::Redirect));
        };
        let hinted = hint.is_some_and(|hint| {
            hint.sid.as_deref().map_or(hint.sub == sub, |sid| sid == session.id.as_str())
        });
        let csrf = self.logout_csrf(&session);
        let answered = confirmed
            && params
                .one("csrf")?
                .is_some_and(|given| constant_time_eq(given.as_bytes(), csrf.as_bytes()));
        if !hinted && !answered {
            return Ok(LoggedOut::Confirm { csrf, redirect_uri: target });
        }
        self.close_session(session, now).await?;
        Ok(target.map_or(LoggedOut::Page, LoggedOut::Redirect))
    }

    /// Ends a session with everything that was granted in it.
    pub(super) async fn close_session(
        &self,
        session: Session,
        now: Timestamp,
    ) -> Result<(), Failure> {
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let ending = Ending::Session(session.id.clone());
                    let grants = ending::end(tx, &ending, Reason::SignedOut, now).await?.grants;
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

    /// Ends every session and grant of the person who is signed in here.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours.
    pub async fn sign_out_everywhere(&self, browser: &Browser, csrf: &str) -> Result<(), Failure> {
        let now = self.clock.now();
        let (session, user) = self
            .signed_in(browser, now)
            .await?
            .ok_or_else(|| Refusal::access_denied("nobody is signed in here"))?;
        if !constant_time_eq(csrf.as_bytes(), self.logout_csrf(&session).as_bytes()) {
            return Err(Refusal::access_denied("the form is not ours or too old").into());
        }
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let ending = Ending::User(user.id.clone());
                    let ended = ending::end(tx, &ending, Reason::SignedOut, now).await?;
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
        Ok(())
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
