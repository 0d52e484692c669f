//! Ending what is signed in: the one place where sessions end and grants are revoked.
//!
//! Whoever ends something calls this inside its own act, so that what follows from an ending is
//! decided here once and stands or falls with the act.

use crate::protocol::ambient::Timestamp;
use crate::protocol::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};
use crate::store::{StoreFault, WriteTx};

/// What ends.
#[derive(Clone, Debug)]
pub enum Ending {
    /// One browser session, and what was granted in it.
    Session(SessionId),
    /// One grant, and every token born of it.
    Grant(GrantId),
    /// All of a person's sessions and grants.
    User(UserId),
    /// What a person signed in to through these connections.
    Connections(UserId, Vec<ConnectionId>),
    /// What a client was given.
    Client(ClientId),
}

/// Why it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The person signed out.
    SignedOut,
    /// An operator ended it.
    Administrative,
    /// The person was disabled.
    Disabled,
    /// The person is being deleted.
    Deleted,
    /// The upstream no longer vouches for the person.
    UpstreamRevoked,
    /// A code or refresh token was used twice.
    Reuse,
    /// The client gave it back (RFC 7009).
    ClientRevoked,
    /// Somebody else signed in with the same browser.
    Replaced,
}

/// How much ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Browser sessions.
    pub sessions: u64,
    /// Grants.
    pub grants: u64,
}

/// Ends it, inside the caller's act.
///
/// # Errors
/// The store's fault.
pub async fn end(
    tx: &WriteTx,
    ending: &Ending,
    _reason: Reason,
    now: Timestamp,
) -> Result<Ended, StoreFault> {
    Ok(match ending {
        Ending::Session(id) => Ended {
            sessions: u64::from(tx.end_session(id, now).await?),
            grants: tx.revoke_grants_of_session(id, now).await?,
        },
        Ending::Grant(id) => {
            Ended { sessions: 0, grants: u64::from(tx.revoke_grant(id, now).await?) }
        }
        Ending::User(id) => Ended {
            sessions: tx.end_sessions_of_user(id, now).await?,
            grants: tx.revoke_grants_of_user(id, now).await?,
        },
        Ending::Connections(id, connections) => Ended {
            sessions: tx.end_sessions_of_connections(id, connections, now).await?,
            grants: tx.revoke_grants_of_connections(id, connections, now).await?,
        },
        Ending::Client(id) => {
            Ended { sessions: 0, grants: tx.revoke_grants_of_client(id, now).await? }
        }
    })
}
