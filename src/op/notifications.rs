//! What upstreams announce — apple.md §8: written down at once, worked off afterwards.
//!
//! The door is answered when the announcement is in the inbox. What follows from it happens in one
//! act together with the note that it is done, so it happens once, on whichever replica and however
//! often the process dies.

use std::sync::Arc;
use std::time::Duration;

use super::ending::{self, Ending, Reason};
use super::{Fault, Provider, deletion, signals, unverified_notifications};
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, DeletionId, UserId};
use crate::protocol::notification::{
    Notification, NotificationKind, NotificationPolicy, OnAccountDeleted, OnConsentRevoked,
};
use crate::protocol::secret::Vault;
use crate::protocol::security_event::SecurityEvent;
use crate::store::notifications::{Due, Heard, Taken};
use crate::store::{Store, StoreFault, WriteTx};
use crate::upstream::{Connector, UpstreamError};

/// Apple waits two seconds for an answer.
const PATIENCE: Duration = Duration::from_millis(1800);
/// What takes longer to verify is kept first.
const READING: Duration = Duration::from_millis(1000);
/// So many are read from the inbox at once.
const BATCH: u32 = 100;
/// A first failure waits so long, each next one twice as long, and none longer than an hour.
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_DOUBLING: u32 = 8;

/// Why an announcement is not in the inbox.
#[derive(Debug, thiserror::Error)]
pub enum NotReceived {
    /// No such connection, or one that announces nothing.
    #[error("there is no such inbox")]
    NoInbox,
    /// It is not what it should be. The sender learns no more than that.
    #[error("it is not a valid notification")]
    Invalid,
    /// It could not be verified or written down now.
    #[error("the inbox cannot be written")]
    Unavailable,
}

/// What became of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Applied,
    /// Nobody here has this subject.
    UnknownPerson,
    /// The person signed in again since, or something later is known.
    Outdated,
    UnknownKind,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::UnknownPerson => "unknown_person",
            Self::Outdated => "outdated",
            Self::UnknownKind => "unknown_kind",
        }
    }
}

impl Provider {
    /// Verifies what was posted from somewhere to a connection's inbox and writes it down.
    ///
    /// # Errors
    /// [`NotReceived`]; then it is not in the inbox, or may still get there: after the sender's
    /// patience has ended, or when the key that it names is known.
    pub async fn receive_notification(
        &self,
        connection: &ConnectionId,
        from: String,
        body: Vec<u8>,
    ) -> Result<(), NotReceived> {
        let connector = self
            .connector(connection)
            .filter(|connector| connector.announcements().is_some())
            .ok_or(NotReceived::NoInbox)?;
        let (store, inbox) = (self.store.clone(), Arc::clone(&self.inbox));
        let (connection, now) = (connection.clone(), self.clock.now());
        let vault = Arc::clone(&self.vault);
        // A task of its own: what has been begun is finished although nobody waits any more.
        let receiving = tokio::spawn(async move {
            let keep = || keep_unverified(&store, &vault, &connection, (&from, &body), now);
            let mut reading = std::pin::pin!(read(connector.as_ref(), &body, now));
            let read = match tokio::time::timeout(READING, &mut reading).await {
                Ok(read) => read,
                Err(_) => {
                    // The sender will not wait for it; nor must it be lost with this process.
                    keep().await;
                    reading.await
                }
            };
            let announced = match read {
                Err(NotReceived::Unavailable) => {
                    keep().await;
                    return Err(NotReceived::Unavailable);
                }
                read => read?,
            };
            let stored = store
                .write(move |tx| {
                    Box::pin(
                        async move { tx.insert_notification(&announced, &connection, now).await },
                    )
                })
                .await;
            match stored {
                Ok(true) => inbox.notify_one(),
                Ok(false) => tracing::debug!("a notification came again"),
                Err(fault) => {
                    let fault: StoreFault = fault;
                    tracing::error!(%fault, "a notification could not be written down");
                    return Err(NotReceived::Unavailable);
                }
            }
            Ok(())
        });
        match tokio::time::timeout(PATIENCE, receiving).await {
            Ok(Ok(received)) => received,
            Ok(Err(_)) | Err(_) => Err(NotReceived::Unavailable),
        }
    }

    /// Waits until something new is in the inbox of this replica.
    pub async fn notified(&self) {
        self.inbox.notified().await;
    }

    /// Works off what is due. Returns how many announcements this call has done.
    ///
    /// # Errors
    /// The store's fault; what was not done stays due.
    pub async fn work_off_notifications(&self) -> Result<u64, Fault> {
        let mut done = 0;
        loop {
            let now = self.clock.now();
            let due = self.store.due_notifications(now, BATCH).await?;
            if due.is_empty() {
                return Ok(done);
            }
            for one in due {
                match self.work_off(one.clone(), now).await {
                    Ok(true) => done += 1,
                    Ok(false) => {}
                    Err(fault) => {
                        tracing::error!(jti = one.jti, %fault, "a notification was not worked off");
                        self.postpone(one, now).await?;
                    }
                }
            }
        }
    }

    /// When each connection was last announced something.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn last_notifications(&self) -> Result<Vec<Heard>, Fault> {
        Ok(self.store.last_notifications().await?)
    }

    async fn work_off(&self, due: Due, now: Timestamp) -> Result<bool, Fault> {
        let connections = self.connections_of(&due.authority);
        let policy = self.policy.notifications;
        let deletion_id = DeletionId::random(self.entropy.as_ref());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let Some(taken) = tx.take_notification(&due, now).await? else {
                        return Ok(false);
                    };
                    let outcome = apply(tx, &taken, connections, policy, deletion_id, now).await?;
                    tx.conclude_notification(&due, outcome.as_str()).await?;
                    tracing::info!(
                        connection = %taken.connection_id,
                        kind = taken.notification.kind.as_str(),
                        outcome = outcome.as_str(),
                        "a notification was worked off"
                    );
                    Ok(true)
                })
            })
            .await
    }

    async fn postpone(&self, due: Due, now: Timestamp) -> Result<(), Fault> {
        let doublings = u32::try_from(due.attempts).unwrap_or(0).min(LONGEST_DOUBLING);
        let not_before = now.plus(FIRST_WAIT.saturating_mul(1 << doublings));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    Ok::<_, Fault>(tx.postpone_notification(&due, not_before).await?)
                })
            })
            .await
    }
}

/// Keeps what may be good, for nothing says that it comes again.
async fn keep_unverified(
    store: &Store,
    vault: &Vault,
    connection: &ConnectionId,
    posted: (&str, &[u8]),
    now: Timestamp,
) {
    let kept = async {
        let kept = unverified_notifications::unverified(connection, posted, vault, now)?;
        let stored = store.write(move |tx| {
            Box::pin(async move { tx.insert_unverified_notification(&kept).await })
        });
        Ok::<bool, Fault>(stored.await?)
    };
    match kept.await {
        Ok(true) => tracing::info!(%connection, "a notification waits to be verified"),
        Ok(false) => tracing::warn!(%connection, "too many notifications wait to be verified"),
        Err(fault) => tracing::error!(%fault, "a notification could not be kept"),
    }
}

async fn read(
    connector: &dyn Connector,
    body: &[u8],
    now: Timestamp,
) -> Result<Notification, NotReceived> {
    let announcements = connector.announcements().ok_or(NotReceived::NoInbox)?;
    announcements.read(body, now, now).await.map_err(|error| {
        // Never the body: whoever holds a valid one may post it elsewhere.
        tracing::warn!(connection = %connector.id(), %error, "a notification was not accepted");
        match error {
            UpstreamError::Rejected { .. } | UpstreamError::Cancelled => NotReceived::Invalid,
            UpstreamError::Unavailable(_) | UpstreamError::Misconfigured(_) => {
                NotReceived::Unavailable
            }
        }
    })
}

/// Does what follows from an announcement, in the act that took it.
async fn apply(
    tx: &WriteTx,
    taken: &Taken,
    mut connections: Vec<ConnectionId>,
    policy: NotificationPolicy,
    deletion_id: DeletionId,
    now: Timestamp,
) -> Result<Outcome, Fault> {
    let Taken { notification, connection_id } = taken;
    if !connections.contains(connection_id) {
        connections.push(connection_id.clone());
    }
    let Notification { authority, kind, event_time, .. } = notification;
    let subject = notification.subject.as_deref().unwrap_or_default();
    let arrives = match kind {
        NotificationKind::Unknown(_) => return Ok(Outcome::UnknownKind),
        NotificationKind::EmailDisabled => Some(false),
        NotificationKind::EmailEnabled => Some(true),
        NotificationKind::ConsentRevoked | NotificationKind::AccountDeleted => None,
    };
    if let Some(known) = tx.find_identity(authority, subject).await? {
        tx.hold_user(&known.user_id).await?;
    }
    let found = match arrives {
        Some(arrives) => tx.set_forwarding(authority, subject, arrives, *event_time).await?,
        None => tx.end_identity(authority, subject, *event_time).await?,
    };
    let Some(user_id) = found else {
        let known = tx.find_identity(authority, subject).await?;
        return Ok(known.map_or(Outcome::UnknownPerson, |_| Outcome::Outdated));
    };
    if let Some(arrives) = arrives {
        signals::forwarding_changed(tx, &user_id, arrives, now).await?;
    }
    if arrives.is_none() {
        let ending = Ending::Connections(user_id.clone(), connections);
        ending::end(tx, &ending, Reason::UpstreamRevoked, now).await?;
        tx.revoke_upstream_grants(&user_id, authority, now).await?;
    }
    let event = Event::new(now, audit_kind(kind), format!("upstream:{connection_id}"))
        .target(user_id.as_str())
        .detail(serde_json::json!({ "event_time": event_time.secs() }));
    tx.record(&event).await?;
    let further = further(kind, policy);
    if further != Further::Nothing && !has_another_identity(tx, &user_id).await? {
        let actor = format!("upstream:{connection_id}");
        match further {
            Further::Nothing => {}
            Further::Disable => disable(tx, &user_id, &actor, now).await?,
            Further::Delete => {
                deletion::begin(tx, deletion_id, &user_id, &actor, None, now).await?;
            }
        }
    }
    Ok(Outcome::Applied)
}

/// What happens to the account itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Further {
    Nothing,
    Disable,
    Delete,
}

fn further(kind: &NotificationKind, policy: NotificationPolicy) -> Further {
    match kind {
        NotificationKind::ConsentRevoked => match policy.consent_revoked {
            OnConsentRevoked::SignOut => Further::Nothing,
            OnConsentRevoked::Disable => Further::Disable,
        },
        NotificationKind::AccountDeleted => match policy.account_deleted {
            OnAccountDeleted::Keep => Further::Nothing,
            OnAccountDeleted::Disable => Further::Disable,
            OnAccountDeleted::Delete => Further::Delete,
        },
        NotificationKind::EmailDisabled
        | NotificationKind::EmailEnabled
        | NotificationKind::Unknown(_) => Further::Nothing,
    }
}

/// Whether there is another way in than the identities that have ended.
async fn has_another_identity(tx: &WriteTx, user_id: &UserId) -> Result<bool, Fault> {
    let identities = tx.list_identities(user_id).await?;
    Ok(identities.iter().any(|identity| identity.ended_at.is_none()))
}

async fn disable(tx: &WriteTx, user_id: &UserId, actor: &str, now: Timestamp) -> Result<(), Fault> {
    let Some(mut user) = tx.hold_user(user_id).await?.filter(|user| user.disabled_at.is_none())
    else {
        return Ok(());
    };
    user.disabled_at = Some(now);
    user.updated_at = now;
    tx.update_user(&user).await?;
    ending::end(tx, &Ending::User(user_id.clone()), Reason::Disabled, now).await?;
    signals::emit(tx, user_id, &SecurityEvent::AccountDisabled, now).await?;
    let event = Event::new(now, "user.disabled", actor).target(user_id.as_str());
    Ok(tx.record(&event).await?)
}

fn audit_kind(kind: &NotificationKind) -> &'static str {
    match kind {
        NotificationKind::EmailDisabled => "email_forwarding.disabled",
        NotificationKind::EmailEnabled => "email_forwarding.enabled",
        NotificationKind::ConsentRevoked => "upstream_consent.revoked",
        NotificationKind::AccountDeleted => "upstream_account.deleted",
        NotificationKind::Unknown(_) => "notification.ignored",
    }
}
