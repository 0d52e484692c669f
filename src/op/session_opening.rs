//! A browser gets its session: a new one, or the one it has renewed under a new cookie.

use super::ending::{self, Ending, Reason};
use super::{Failure, trace};
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, SessionId};
use crate::protocol::secret::SecretHash;
use crate::protocol::session::Session;
use crate::protocol::sign_in::{SignInStep, Step};
use crate::protocol::user::User;
use crate::store::WriteTx;
use crate::store::sessions::Reauthentication;

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
