//! Announcements whose key is not known yet — apple.md §8, §1.4.
//!
//! Anybody may name a key that does not exist, so a key set is fetched for an unknown one only every
//! half a minute, and the upstream may be away as well. A true announcement must not be lost by
//! either, for nothing says that it is sent again: it is kept, sealed, and verified as soon as that
//! can be done. Its sender hears 503 meanwhile, never that it was accepted.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Fault, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::id::ConnectionId;
use crate::protocol::secret::{SealError, Vault};
use crate::store::StoreFault;
use crate::store::unverified_notifications::Unverified;
use crate::upstream::{Connector, UpstreamError};

/// By then the keys may be fetched again.
const FIRST_LOOK: Duration = Duration::from_secs(30);
/// Each further look comes twice as late as the one before, but none later than this.
const LONGEST_WAIT: Duration = Duration::from_secs(900);
const DOUBLINGS: u32 = 5;
/// Until then an upstream that is away is waited for.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// The clock of the replica that received it may have been ahead of the one that looks.
const SKEW: Duration = Duration::from_secs(5);
const BATCH: u32 = 100;
/// Letters that tell one source from another.
const SOURCE: usize = 16;

/// Something posted at `now` from somewhere that cannot be verified yet.
pub(super) fn unverified(
    connection: &ConnectionId,
    (from, body): (&str, &[u8]),
    vault: &Vault,
    now: Timestamp,
) -> Result<Unverified, SealError> {
    let source: String = vault.hash(from).to_text().chars().take(SOURCE).collect();
    let posted = URL_SAFE_NO_PAD.encode(digest(&SHA256, body));
    let mut kept = Unverified {
        id: format!("{source}.{posted}"),
        connection_id: connection.clone(),
        sealed_body: Vec::new(),
        received_at: now,
        due_at: now.plus(FIRST_LOOK),
        attempts: 0,
    };
    kept.sealed_body = vault.seal(&kept.bound_to(), body)?;
    Ok(kept)
}

impl Provider {
    /// Looks once more at what could not be verified when it came: what is good goes to the inbox,
    /// what is not is forgotten.
    ///
    /// # Errors
    /// The store's fault; what was not settled stays due.
    pub async fn verify_late_notifications(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        for late in self.store.due_unverified_notifications(now, BATCH).await? {
            self.verify_late(late, now).await?;
        }
        Ok(())
    }

    async fn verify_late(&self, late: Unverified, now: Timestamp) -> Result<(), Fault> {
        let read = match self.connector(&late.connection_id) {
            None => Err(UpstreamError::Unavailable("its connection is not there".to_owned())),
            Some(connector) => self.read_late(connector.as_ref(), &late, now).await,
        };
        let connection = late.connection_id.clone();
        match read {
            Ok(announced) => {
                let stored = self.store.write(move |tx| {
                    Box::pin(async move {
                        tx.delete_unverified_notification(&late).await?;
                        tx.insert_notification(&announced, &late.connection_id, now).await
                    })
                });
                let stored: Result<bool, StoreFault> = stored.await;
                stored?;
                self.inbox.notify_one();
                tracing::info!(%connection, "a notification was verified late");
                Ok(())
            }
            Err(UpstreamError::Unavailable(_) | UpstreamError::Misconfigured(_))
                if now < late.received_at.plus(PATIENCE) =>
            {
                let doublings = u32::try_from(late.attempts).unwrap_or(0).min(DOUBLINGS);
                let wait = FIRST_LOOK.saturating_mul(1 << doublings).min(LONGEST_WAIT);
                let put_off = self.store.write(move |tx| {
                    Box::pin(async move {
                        tx.put_off_unverified_notification(&late, now.plus(wait)).await
                    })
                });
                Ok(put_off.await?)
            }
            Err(error) => {
                tracing::warn!(%connection, %error, "a notification that waited is not good");
                let deleted = self.store.write(move |tx| {
                    Box::pin(async move { tx.delete_unverified_notification(&late).await })
                });
                Ok(deleted.await?)
            }
        }
    }

    async fn read_late(
        &self,
        connector: &dyn Connector,
        late: &Unverified,
        now: Timestamp,
    ) -> Result<crate::protocol::notification::Notification, UpstreamError> {
        let unusable = || UpstreamError::Rejected {
            reason: "notification_unreadable",
            detail: "what was kept does not open, or nothing is announced here".to_owned(),
        };
        let body = self.vault.open(&late.bound_to(), &late.sealed_body).map_err(|_| unusable())?;
        let announcements = connector.announcements().ok_or_else(unusable)?;
        announcements.read(body.expose(), late.received_at.plus(SKEW), now).await
    }
}
