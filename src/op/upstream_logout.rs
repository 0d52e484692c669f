//! An upstream ends a session of its own, and with it what came through it — OIDC Back-Channel
//! Logout §2.5 to §2.8, from the relying party's side.

use super::ending::{self, Ending, Reason};
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, SessionId, UserId};
use crate::store::single_use::SingleUse;
use crate::store::{StoreFault, WriteTx};
use crate::upstream::{SignedOut, UpstreamError};

impl Provider {
    /// Receives a logout token.
    ///
    /// # Errors
    /// `invalid_request` for a token that is not good or was used before (§2.8).
    pub async fn upstream_logout(
        &self,
        connection: &ConnectionId,
        logout_token: &str,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let connector = self
            .connector(connection)
            .ok_or_else(|| Refusal::invalid_request("this connection does not exist"))?;
        let signed_out = connector.signed_out(logout_token, now).await.map_err(refused)?;
        let connection = connection.clone();
        let taken: Result<(), Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let key = format!("logout:{connection}:{}", signed_out.jti);
                    if !tx.claim(SingleUse::Jti, &key, signed_out.expires_at, now).await? {
                        return Ok::<_, Failure>(Err(Refusal::invalid_request(
                            "the logout token was used before",
                        )));
                    }
                    let ended = end(tx, &connection, &signed_out, now).await?;
                    let event = Event::new(now, "upstream_logout.received", "system")
                        .target(connection.to_string())
                        .detail(serde_json::json!({
                            "sessions": ended.sessions,
                            "grants": ended.grants,
                        }));
                    tx.record(&event).await?;
                    Ok(Ok(()))
                })
            })
            .await?;
        Ok(taken?)
    }
}

/// With a `sid` that session; with a `sub` alone everything of that person through this
/// connection. A session whose `sid` was never told may be the one that is meant, so it ends too.
async fn end(
    tx: &WriteTx,
    connection: &ConnectionId,
    signed_out: &SignedOut,
    now: Timestamp,
) -> Result<ending::Ended, StoreFault> {
    let person = match &signed_out.subject {
        None => None,
        Some(subject) => match tx.find_identity(&signed_out.authority, subject).await? {
            Some(identity) => {
                tx.hold_user(&identity.user_id).await?;
                Some(identity.user_id)
            }
            // Somebody who was never here: nothing is theirs, whatever `sid` says.
            None => return Ok(ending::Ended::default()),
        },
    };
    let Some(sid) = &signed_out.sid else {
        let Some(person) = person else { return Ok(ending::Ended::default()) };
        let ending = Ending::Connections(person, vec![connection.clone()]);
        return ending::end(tx, &ending, Reason::UpstreamRevoked, now).await;
    };
    let mut sessions = Vec::new();
    for id in tx.find_sessions_by_upstream_sid(connection, sid).await? {
        let session = tx.find_session(&id).await?;
        let is_theirs = |user: &UserId| person.as_ref().is_none_or(|person| person == user);
        if session.is_some_and(|session| is_theirs(&session.user_id)) {
            sessions.push(id);
        }
    }
    if let Some(person) = &person {
        sessions.extend(without_sid(tx, connection, person).await?);
    }
    let mut ended = ending::Ended::default();
    for session in sessions {
        let one = ending::end(tx, &Ending::Session(session), Reason::UpstreamRevoked, now).await?;
        ended.sessions = ended.sessions.saturating_add(one.sessions);
        ended.grants = ended.grants.saturating_add(one.grants);
    }
    Ok(ended)
}

async fn without_sid(
    tx: &WriteTx,
    connection: &ConnectionId,
    person: &UserId,
) -> Result<Vec<SessionId>, StoreFault> {
    let mut found = Vec::new();
    for session in tx.list_sessions(person).await? {
        let through = session.ended_at.is_none() && session.connection_id == *connection;
        if through && tx.find_upstream_sid(&session.id).await?.is_none() {
            found.push(session.id);
        }
    }
    Ok(found)
}

fn refused(error: UpstreamError) -> Failure {
    match error {
        UpstreamError::Rejected { reason, detail } => {
            Refusal::invalid_request(format!("the logout token was not accepted: {reason}"))
                .detail(detail)
                .into()
        }
        UpstreamError::Cancelled
        | UpstreamError::Unavailable(_)
        | UpstreamError::Misconfigured(_) => error.into(),
    }
}
