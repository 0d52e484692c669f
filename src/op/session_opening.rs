//! A browser gets its session: a new one, or the one it has renewed under a new cookie.

use std::time::Duration;

use super::ending::{self, Ending, Reason};
use super::interaction::Browser;
use super::people::{self, Arrival};
use super::{Failure, Fault, Provider, trace};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, InteractionId, SessionId, UserId};
use crate::protocol::secret::{SecretHash, SecretString};
use crate::protocol::session::Session;
use crate::protocol::sign_in::{SignInStep, Step};
use crate::protocol::user::User;
use crate::store::sessions::Reauthentication;
use crate::store::{StoreFault, WriteTx};
use crate::upstream::{Trip, UpstreamIdentity};

#[derive(Clone)]
pub(super) struct NewSession {
    pub(super) id: SessionId,
    pub(super) cookie_hash: SecretHash,
    pub(super) replaces: Option<SecretHash>,
    pub(super) auth_time: Timestamp,
    pub(super) amr: Vec<String>,
    pub(super) connection_id: ConnectionId,
    pub(super) upstream_sid: Option<String>,
    pub(super) expires_at: Timestamp,
    /// The sign-in's id.
    pub(super) request_id: Option<String>,
    /// What the browser calls itself.
    pub(super) user_agent: Option<String>,
    /// How the browser came back from an upstream.
    pub(super) returned: Option<SignInStep>,
}

impl NewSession {
    /// By these methods (RFC 8176).
    pub(super) fn by(mut self, amr: Vec<String>) -> Self {
        self.amr = amr;
        self
    }

    /// For the request that waits under this id.
    pub(super) fn of_sign_in(mut self, id: &InteractionId) -> Self {
        self.request_id = Some(id.to_string());
        self
    }

    /// By what an upstream said of whoever came back.
    pub(super) fn proven_by(
        mut self,
        trip: &Trip,
        identity: &UpstreamIdentity,
        now: Timestamp,
    ) -> Self {
        self.auth_time = auth_time(trip, identity, now);
        self.amr.clone_from(&identity.amr);
        self.upstream_sid = identity.sid.clone().filter(|sid| (1..=255).contains(&sid.len()));
        self
    }
}

/// When the person proved who they are: what the upstream says if it asked them anew, else now.
/// Never in the future, and never a moment that the upstream merely remembers after we demanded a
/// fresh proof.
pub(super) fn auth_time(trip: &Trip, identity: &UpstreamIdentity, now: Timestamp) -> Timestamp {
    match identity.auth_time {
        Some(told) if trip.reauthenticate && identity_is_oidc(identity) => proven_by(told, now),
        Some(_) | None => now,
    }
}

/// An upstream tells whole seconds: the proof was somewhere in that second, and a request that
/// began within it has been answered.
fn proven_by(told: Timestamp, now: Timestamp) -> Timestamp {
    told.plus(Duration::from_millis(999)).min(now)
}

/// Apple shows its own page for every web sign-in but dates `auth_time` by the account session;
/// an OpenID Provider that honours `prompt=login` dates it truly.
fn identity_is_oidc(identity: &UpstreamIdentity) -> bool {
    !identity.authority.starts_with("apple:")
}

impl Provider {
    /// A session about to begin in this browser, and its cookie.
    pub(super) fn new_session(
        &self,
        connection_id: ConnectionId,
        browser: &Browser,
        now: Timestamp,
    ) -> (SecretString, NewSession) {
        let cookie = SecretString::random(self.entropy.as_ref());
        let session = NewSession {
            id: SessionId::random(self.entropy.as_ref()),
            cookie_hash: self.vault.hash(cookie.expose()),
            replaces: browser.session_hash(&self.vault),
            auth_time: now,
            amr: Vec::new(),
            connection_id,
            upstream_sid: None,
            expires_at: now.plus(self.policy.session_ttl),
            request_id: browser.request_id(),
            user_agent: browser.user_agent(),
            returned: None,
        };
        (cookie, session)
    }

    /// Settles who arrived and opens their session; tried again when two come at once. `only`
    /// names the one whom nobody else may come back for.
    pub(super) async fn let_in(
        &self,
        arrival: Arrival,
        session: NewSession,
        only: Option<&UserId>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        match self.let_in_once(arrival.clone(), session.clone(), only.cloned(), now).await {
            Err(Failure::Fault(Fault::Store(StoreFault::Conflict(_)))) => {
                self.let_in_once(arrival, session, only.cloned(), now).await
            }
            settled => settled,
        }
    }

    async fn let_in_once(
        &self,
        arrival: Arrival,
        session: NewSession,
        only: Option<UserId>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let prepared = self.prepare(arrival, now).await?;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let user = people::settle(tx, &prepared, now).await?;
                    if only.is_some_and(|only| only != user.id) {
                        let refusal = "somebody else came back; nothing was changed";
                        return Err(Refusal::access_denied(refusal).into());
                    }
                    open_session(tx, &session, &user, now).await
                })
            })
            .await
    }
}

/// Opens a session under a new cookie (M2). The same person's session goes on under its `sid`;
/// anybody else's in this browser ends.
pub(super) async fn open_session(
    tx: &WriteTx,
    new: &NewSession,
    user: &User,
    now: Timestamp,
) -> Result<(), Failure> {
    let before = match &new.replaces {
        Some(hash) => tx.find_session_by_cookie(hash).await?,
        None => None,
    };
    let id = match before {
        Some(session)
            if session.user_id == user.id
                && session.ended_at.is_none()
                && session.expires_at > now =>
        {
            tx.reauthenticate_session(&Reauthentication {
                session_id: session.id.clone(),
                cookie_hash: new.cookie_hash,
                user_id: user.id.clone(),
                auth_time: new.auth_time,
                amr: new.amr.clone(),
                connection_id: new.connection_id.clone(),
                expires_at: new.expires_at,
            })
            .await?;
            session.id
        }
        other => {
            if let Some(session) = other {
                let ending = Ending::Session(session.id);
                ending::end(tx, &ending, Reason::Replaced, now).await?;
            }
            let session = Session {
                id: new.id.clone(),
                cookie_hash: new.cookie_hash,
                user_id: user.id.clone(),
                auth_time: new.auth_time,
                amr: new.amr.clone(),
                connection_id: new.connection_id.clone(),
                created_at: now,
                expires_at: new.expires_at,
                ended_at: None,
            };
            tx.insert_session(&session).await?;
            session.id
        }
    };
    tx.note_sighting(&id, new.user_agent.as_deref(), now).await?;
    match &new.upstream_sid {
        Some(sid) => tx.put_upstream_sid(&id, &new.connection_id, sid).await?,
        None => tx.delete_upstream_sid(&id).await?,
    }
    let event = Event::new(now, "login.succeeded", format!("user:{}", user.id))
        .target(new.connection_id.to_string())
        .request_id(new.request_id.clone())
        .detail(serde_json::json!({ "sid": id.as_str() }));
    tx.record(&event).await?;
    if let Some(returned) = &new.returned {
        tx.note_sign_in_step(returned).await?;
    }
    let here = serde_json::json!({
        "connection": new.connection_id,
        "user": user.id,
        "sid": id,
    });
    trace::note(tx, new.request_id.as_deref(), Step::SignedIn, here, now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_of_the_same_second_is_fresh_and_one_of_the_second_before_is_not() {
        let started = Timestamp::from_millis(10_400);
        let now = Timestamp::from_millis(11_200);
        assert!(proven_by(Timestamp::from_secs(10), now) >= started);
        assert!(proven_by(Timestamp::from_secs(9), now) < started);
        assert_eq!(proven_by(Timestamp::from_secs(11), now), now);
        assert_eq!(proven_by(Timestamp::from_secs(99), now), now, "never in the future");
    }
}
