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

/// What goes, and how long after its time: one statement each, with the moment as `$1` and the
/// number of rows as `$2`. Each condition is on one indexed column.
const SWEEPS: &[(&str, Duration)] = &[
    (
        "DELETE FROM outbox WHERE id IN \
         (SELECT id FROM outbox WHERE settled_at <= $1 LIMIT $2)",
        SETTLED_DELIVERIES_KEPT,
    ),
    (
        "DELETE FROM sign_in_steps WHERE id IN \
         (SELECT id FROM sign_in_steps WHERE at <= $1 LIMIT $2)",
        SIGN_IN_STEPS_KEPT,
    ),
    (
        "DELETE FROM single_use WHERE (kind, key) IN \
         (SELECT kind, key FROM single_use WHERE expires_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
    (
        "DELETE FROM revoked_jtis WHERE jti IN \
         (SELECT jti FROM revoked_jtis WHERE expires_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
    (
        "DELETE FROM opaque_tokens WHERE hash IN \
         (SELECT hash FROM opaque_tokens WHERE expires_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
    (
        "DELETE FROM grants WHERE id IN \
         (SELECT id FROM grants WHERE expires_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
    (
        "DELETE FROM grants WHERE id IN \
         (SELECT id FROM grants WHERE revoked_at <= $1 LIMIT $2)",
        REVOKED_GRANTS_KEPT,
    ),
    (
        "DELETE FROM device_authorizations WHERE device_code_hash IN \
         (SELECT device_code_hash FROM device_authorizations WHERE expires_at <= $1 LIMIT $2)",
        REVOKED_GRANTS_KEPT,
    ),
    (
        "DELETE FROM registration_tokens WHERE id IN \
         (SELECT id FROM registration_tokens WHERE expires_at <= $1 LIMIT $2)",
        REVOKED_GRANTS_KEPT,
    ),
    (
        "DELETE FROM sessions WHERE id IN \
         (SELECT id FROM sessions WHERE expires_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
    (
        "DELETE FROM sessions WHERE id IN \
         (SELECT id FROM sessions WHERE ended_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
    (
        "DELETE FROM admin_sessions WHERE cookie_hash IN \
         (SELECT cookie_hash FROM admin_sessions WHERE expires_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
    (
        "DELETE FROM admin_sessions WHERE cookie_hash IN \
         (SELECT cookie_hash FROM admin_sessions WHERE idle_expires_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
    (
        "DELETE FROM upstream_notifications WHERE (authority, jti) IN \
         (SELECT authority, jti FROM upstream_notifications WHERE forget_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
    (
        "DELETE FROM pending_profiles WHERE (authority, subject) IN \
         (SELECT authority, subject FROM pending_profiles WHERE expires_at <= $1 LIMIT $2)",
        NOT_KEPT,
    ),
];

impl Store {
    /// Removes what has expired or ended by `now`, in acts of at most `batch` rows, so that other
    /// acts get their turn between. Returns how many rows went. Replicas may sweep at once.
    pub async fn sweep(&self, now: Timestamp, batch: u32) -> Result<u64, StoreFault> {
        let batch = batch.max(1);
        let mut swept = 0_u64;
        for &(sql, kept) in SWEEPS {
            let by = now.minus(kept);
            loop {
                let removed = self.sweep_once(sql, by, batch).await?;
                swept = swept.saturating_add(removed);
                if removed < u64::from(batch) {
                    break;
                }
            }
        }
        Ok(swept)
    }

    async fn sweep_once(
        &self,
        sql: &'static str,
        by: Timestamp,
        batch: u32,
    ) -> Result<u64, StoreFault> {
        self.write(move |tx| {
            Box::pin(async move {
                let values = [by.millis().into(), i64::from(batch).into()];
                let stmt = tx.connection.statement(sql, values);
                Ok(tx.connection.execute_raw(stmt).await?.rows_affected())
            })
        })
        .await
    }
}
