//! Sweeping out what has expired, a little at a time.

use std::time::Duration;

use russet_protocol::ambient::Timestamp;
use sea_orm::ConnectionTrait as _;

use crate::Store;
use crate::fault::StoreFault;

/// A revoked grant is kept so long, that a stolen token of it is still recognised; and a device code,
/// that a late device is told what happened.
const REVOKED_GRANTS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// How long it can be seen what became of a delivery.
const SETTLED_DELIVERIES_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long it can be asked how a sign-in went.
const SIGN_IN_STEPS_KEPT: Duration = Duration::from_secs(14 * 24 * 3600);
const NOT_KEPT: Duration = Duration::ZERO;

/// What goes: the table, its key, the one indexed column that tells the time, and how long a row is
/// kept after it.
const SWEEPS: &[(&str, &str, &str, Duration)] = &[
    ("outbox", "id", "settled_at", SETTLED_DELIVERIES_KEPT),
    ("sign_in_steps", "id", "at", SIGN_IN_STEPS_KEPT),
    ("single_use", "kind, key", "expires_at", NOT_KEPT),
    ("revoked_jtis", "jti", "expires_at", NOT_KEPT),
    ("opaque_tokens", "hash", "expires_at", NOT_KEPT),
    ("grants", "id", "expires_at", NOT_KEPT),
    ("grants", "id", "revoked_at", REVOKED_GRANTS_KEPT),
    ("device_authorizations", "device_code_hash", "expires_at", REVOKED_GRANTS_KEPT),
    ("registration_tokens", "id", "expires_at", REVOKED_GRANTS_KEPT),
    ("sessions", "id", "expires_at", NOT_KEPT),
    ("sessions", "id", "ended_at", NOT_KEPT),
    ("admin_sessions", "cookie_hash", "expires_at", NOT_KEPT),
    ("admin_sessions", "cookie_hash", "idle_expires_at", NOT_KEPT),
    ("upstream_notifications", "authority, jti", "forget_at", NOT_KEPT),
    ("pending_profiles", "authority, subject", "expires_at", NOT_KEPT),
];

impl Store {
    /// Removes what has expired or ended by `now`, in acts of at most `batch` rows, so that other
    /// acts get their turn between. Returns how many rows went. Replicas may sweep at once.
    pub async fn sweep(&self, now: Timestamp, batch: u32) -> Result<u64, StoreFault> {
        let batch = batch.max(1);
        let mut swept = 0_u64;
        for (table, key, column, kept) in SWEEPS {
            let sql = format!(
                "DELETE FROM {table} WHERE ({key}) IN \
                 (SELECT {key} FROM {table} WHERE {column} <= $1 LIMIT $2)"
            );
            let by = now.minus(*kept);
            loop {
                let removed = self.sweep_once(sql.clone(), by, batch).await?;
                swept = swept.saturating_add(removed);
                if removed < u64::from(batch) {
                    break;
                }
            }
        }
        Ok(swept)
    }

    async fn sweep_once(&self, sql: String, by: Timestamp, batch: u32) -> Result<u64, StoreFault> {
        self.write(move |tx| {
            Box::pin(async move {
                let values = [by.millis().into(), i64::from(batch).into()];
                let stmt = tx.connection.statement(&sql, values);
                Ok(tx.connection.execute_raw(stmt).await?.rows_affected())
            })
        })
        .await
    }
}
