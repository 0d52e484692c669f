//! Ending what is signed in: the one place where sessions end and grants are revoked.
//!
//! Whoever ends something calls this inside its own act, so that what follows from an ending is
//! decided here once and stands or falls with the act: the clients that took part are owed a
//! logout token (OIDC Back-Channel Logout 1.0) and, where they asked for it, a CAEP
//! `session-revoked` event.

use super::signals::{self, Receivers};
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::delivery::Message;
use crate::protocol::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};
use crate::protocol::security_event::{ChangeType, Initiator, SecurityEvent};
use crate::store::grants::Reach;
use crate::store::{StoreFault, WriteTx};

/// What ends.
#[derive(Clone, Debug)]
pub enum Ending {
    /// One browser session, and what was granted in it, as far as the reason reaches.
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
    /// The person signed out in this browser.
    SignedOut,
    /// The person took back what they had given: an app's access, a way in, a browser that is not
    /// at hand, or everything.
    Withdrawn,
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

impl Reason {
    /// Who caused it, in the words of CAEP.
    const fn initiator(self) -> Initiator {
        match self {
            Self::SignedOut | Self::Withdrawn => Initiator::User,
            Self::Administrative | Self::Disabled => Initiator::Admin,
            Self::UpstreamRevoked | Self::Reuse => Initiator::Policy,
            Self::Deleted | Self::ClientRevoked | Self::Replaced => Initiator::System,
        }
    }

    /// What of a session's grants ends with the session. `offline_access` is asked for so that an
    /// app goes on when nobody is there, so a mere sign-out leaves it (OIDC Back-Channel Logout 1.0
    /// §2.7); whoever takes something back takes all of it.
    const fn reach(self) -> Reach {
        match self {
            Self::SignedOut | Self::Replaced => Reach::WhileSignedIn,
            Self::Withdrawn
            | Self::Administrative
            | Self::Disabled
            | Self::Deleted
            | Self::UpstreamRevoked
            | Self::Reuse
            | Self::ClientRevoked => Reach::All,
        }
    }
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
    reason: Reason,
    now: Timestamp,
) -> Result<Ended, StoreFault> {
    end_because(tx, ending, reason, None, now).await
}

/// The same, as part of something whose deliveries are counted.
pub(super) async fn end_because(
    tx: &WriteTx,
    ending: &Ending,
    reason: Reason,
    cause: Option<&str>,
    now: Timestamp,
) -> Result<Ended, StoreFault> {
    // What is being given at this moment is waited for, and ends as well.
    match ending {
        Ending::Session(id) => drop(tx.hold_session(id).await?),
        Ending::User(id) | Ending::Connections(id, _) => drop(tx.hold_user(id).await?),
        Ending::Grant(_) | Ending::Client(_) => {}
    }
    // Afterwards nobody knows any more who took part.
    let concerned = concerned(tx, ending).await?;
    let ended = match ending {
        Ending::Session(id) => Ended {
            sessions: u64::from(tx.end_session(id, now).await?),
            grants: tx.revoke_grants_of_session(id, reason.reach(), now).await?,
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
    };
    if let (Ending::Connections(id, connections), Reason::UpstreamRevoked) = (ending, reason)
        && let Some(connection) = connections.first()
    {
        let lost = SecurityEvent::CredentialChange {
            credential_type: format!("x-{connection}"),
            change_type: ChangeType::Revoke,
        };
        signals::emit(tx, id, &lost, now).await?;
    }
    let mut receivers = Receivers::default();
    for Concerned { client_id, sub, sid } in concerned {
        let Some(client) = receivers.find(tx, &client_id).await? else { continue };
        let whole = matches!(ending, Ending::User(_));
        // Where everything of a person ends, one word without `sid` says so, unless the client
        // understands none.
        let spared = whole && sid.is_some() && !client.settings.backchannel_logout_session_required;
        if let Some(message) = logout_message(client, &sub, sid.as_ref())
            && !spared
        {
            tx.owe(&client_id, &message, cause, now).await?;
        }
        if whole && sid.is_some() {
            continue;
        }
        let sid = sid.map(String::from);
        let event = SecurityEvent::SessionRevoked { sid, initiator: reason.initiator() };
        signals::emit_to(tx, client, &sub, &event, cause, now).await?;
    }
    Ok(ended)
}

/// A client that must hear of it.
struct Concerned {
    client_id: ClientId,
    sub: String,
    /// The session at stake; without one, all that the person has at the client.
    sid: Option<SessionId>,
}

async fn concerned(tx: &WriteTx, ending: &Ending) -> Result<Vec<Concerned>, StoreFault> {
    let (participants, links) = match ending {
        Ending::Session(id) => (tx.participants_of_session(id).await?, Vec::new()),
        // A client that only ever knew sessions of ours by now forgotten may still have its own.
        Ending::User(id) => (tx.participants_of_user(id).await?, tx.links_of_user(id).await?),
        Ending::Connections(id, connections) => (
            tx.participants_of_connections(id, connections).await?,
            tx.sessionless_links(id, connections).await?,
        ),
        // The person stays signed in; tokens of one client end.
        Ending::Grant(_) | Ending::Client(_) => return Ok(Vec::new()),
    };
    let mut concerned: Vec<Concerned> = participants
        .into_iter()
        .map(|p| Concerned { client_id: p.client_id, sub: p.sub, sid: Some(p.session_id) })
        .collect();
    concerned.extend(links.into_iter().map(|l| Concerned {
        client_id: l.client_id,
        sub: l.sub,
        sid: None,
    }));
    Ok(concerned)
}

/// What to tell this client, if it can be told and the message is of use to it.
fn logout_message(client: &Client, sub: &str, sid: Option<&SessionId>) -> Option<Message> {
    client.settings.backchannel_logout_uri.as_ref()?;
    if sid.is_none() && client.settings.backchannel_logout_session_required {
        return None;
    }
    Some(Message::LogoutToken { sub: sub.to_owned(), sid: sid.map(ToString::to_string) })
}
