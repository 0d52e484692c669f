//! Second factors and recovery codes of admins and people. What counts once is one conditional
//! statement.

use std::collections::HashSet;

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::Holder;
use russet_protocol::secret::SecretHash;
use sea_orm::{ConnectionTrait as _, Value};

use crate::act::WriteTx;
use crate::column::to_time;
use crate::connection::Connection;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// A shared secret for one-time codes (RFC 6238), sealed; bound to `second_factors:{holder}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTotp {
    /// The secret.
    pub sealed: Vec<u8>,
    /// Since when.
    pub added_at: Timestamp,
}

/// What somebody has besides a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldFactors {
    /// Since when there are one-time codes, if there are.
    pub totp_added_at: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
    /// Passkeys.
    pub passkeys: u64,
}

impl HeldFactors {
    /// Whether a password alone is not enough. Recovery codes stand in for a factor, and are none.
    pub const fn any(&self) -> bool {
        self.totp_added_at.is_some() || self.passkeys > 0
    }
}

const FIND: &str = "SELECT sealed_totp, added_at FROM second_factors \
                    WHERE holder = $1 AND sealed_totp IS NOT NULL";
const HELD: &str = "SELECT \
     (SELECT added_at FROM second_factors WHERE holder = $1 AND sealed_totp IS NOT NULL) AS totp, \
     (SELECT COUNT(*) FROM recovery_codes WHERE holder = $1) AS codes, \
     (SELECT COUNT(*) FROM passkeys WHERE holder = $1) AS passkeys";
const PUT: &str = "INSERT INTO second_factors (holder, sealed_totp, totp_last_step, added_at) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (holder) DO UPDATE SET \
                   sealed_totp = excluded.sealed_totp, totp_last_step = excluded.totp_last_step, \
                   added_at = excluded.added_at";
// The secret is named too: a code of one that was replaced meanwhile does not count. Neither does
// one whose secret was only sealed anew, which a second try mends.
const USE_STEP: &str = "UPDATE second_factors SET totp_last_step = $3 \
                        WHERE holder = $1 AND sealed_totp = $2 \
                        AND (totp_last_step IS NULL OR totp_last_step < $3)";
const SPEND_CODE: &str = "DELETE FROM recovery_codes WHERE holder = $1 AND hash = $2";
const TRY: &str = "INSERT INTO factor_tries (holder, tries, since) VALUES ($1, 1, $2) \
                   ON CONFLICT (holder) DO UPDATE SET \
                   tries = CASE WHEN factor_tries.since <= $3 THEN 1 \
                           ELSE factor_tries.tries + 1 END, \
                   since = CASE WHEN factor_tries.since <= $3 THEN $2 \
                           ELSE factor_tries.since END \
                   WHERE factor_tries.since <= $3 OR factor_tries.tries < $4 \
                   RETURNING tries";

impl Reader {
    /// The secret for one-time codes, if there is one.
    pub async fn find_totp(&self, holder: &Holder) -> Result<Option<SealedTotp>, StoreFault> {
        let stmt = self.connection.statement(FIND, [holder.as_str().into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else { return Ok(None) };
        Ok(Some(SealedTotp {
            sealed: row.try_get("", "sealed_totp")?,
            added_at: Timestamp::from_millis(row.try_get("", "added_at")?),
        }))
    }

    /// Which of these have a factor besides a password (see [`HeldFactors::any`]).
    pub async fn list_with_factors(
        &self,
        holders: &[Holder],
    ) -> Result<HashSet<Holder>, StoreFault> {
        let mut found = HashSet::new();
        for part in holders.chunks(1000) {
            let places = Connection::places(part.len());
            let sql = format!(
                "SELECT holder FROM second_factors WHERE sealed_totp IS NOT NULL \
                 AND holder IN ({places}) UNION \
                 SELECT holder FROM passkeys WHERE holder IN ({places})"
            );
            let values = part.iter().map(|holder| Value::from(holder.as_str()));
            let stmt = self.connection.statement(&sql, values);
            for row in self.connection.query_all_raw(stmt).await? {
                found.insert(Holder::new(row.try_get("", "holder")?));
            }
        }
        Ok(found)
    }

    /// What there is besides a password.
    pub async fn held_factors(&self, holder: &Holder) -> Result<HeldFactors, StoreFault> {
        let stmt = self.connection.statement(HELD, [holder.as_str().into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else {
            return Ok(HeldFactors::default());
        };
        let count = |name| {
            let count: i64 = row.try_get("", name)?;
            Ok::<_, StoreFault>(u64::try_from(count).unwrap_or_default())
        };
        Ok(HeldFactors {
            totp_added_at: to_time(row.try_get("", "totp")?),
            recovery_codes: count("codes")?,
            passkeys: count("passkeys")?,
        })
    }
}

impl WriteTx {
    /// Counts a try at somebody's second factor before it is looked at, so that many at once are
    /// no way around; `false` when there were `most` since `window_start`.
    pub async fn take_factor_try(
        &self,
        holder: &Holder,
        now: Timestamp,
        window_start: Timestamp,
        most: u32,
    ) -> Result<bool, StoreFault> {
        let values = [
            holder.as_str().into(),
            now.millis().into(),
            window_start.millis().into(),
            i64::from(most).into(),
        ];
        let stmt = self.connection.statement(TRY, values);
        Ok(self.connection.query_one_raw(stmt).await?.is_some())
    }

    /// A try was right: those before it do not count any more.
    pub async fn forget_factor_tries(&self, holder: &Holder) -> Result<(), StoreFault> {
        self.run("DELETE FROM factor_tries WHERE holder = $1", holder).await?;
        Ok(())
    }

    /// Takes the code of a time step, once; `false` when that step or a later one was taken, or
    /// the secret is another by now.
    pub async fn use_totp_step(
        &self,
        holder: &Holder,
        sealed: &[u8],
        step: i64,
    ) -> Result<bool, StoreFault> {
        let values = [holder.as_str().into(), sealed.to_vec().into(), step.into()];
        let stmt = self.connection.statement(USE_STEP, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Sets the secret for one-time codes; `step` is that of the code which proved it.
    pub async fn put_totp(
        &self,
        holder: &Holder,
        sealed: &[u8],
        step: i64,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let values =
            [holder.as_str().into(), sealed.to_vec().into(), step.into(), now.millis().into()];
        self.connection.execute_raw(self.connection.statement(PUT, values)).await?;
        Ok(())
    }

    /// Removes one-time codes; `false` when there were none.
    pub async fn remove_totp(&self, holder: &Holder) -> Result<bool, StoreFault> {
        Ok(self.run("DELETE FROM second_factors WHERE holder = $1", holder).await? > 0)
    }

    /// Puts these recovery codes in the place of all others.
    pub async fn put_recovery_codes(
        &self,
        holder: &Holder,
        hashes: &[SecretHash],
    ) -> Result<(), StoreFault> {
        self.run("DELETE FROM recovery_codes WHERE holder = $1", holder).await?;
        for hash in hashes {
            let values = [holder.as_str().into(), hash.as_bytes().to_vec().into()];
            let sql = "INSERT INTO recovery_codes (holder, hash) VALUES ($1, $2)";
            self.connection.execute_raw(self.connection.statement(sql, values)).await?;
        }
        Ok(())
    }

    /// Takes a recovery code, once; `false` when it is none or was used.
    pub async fn spend_recovery_code(
        &self,
        holder: &Holder,
        hash: &SecretHash,
    ) -> Result<bool, StoreFault> {
        let values = [holder.as_str().into(), hash.as_bytes().to_vec().into()];
        let stmt = self.connection.statement(SPEND_CODE, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Removes every factor and recovery code. Returns how many rows went.
    pub async fn remove_factors(&self, holder: &Holder) -> Result<u64, StoreFault> {
        let mut removed = 0_u64;
        for sql in [
            "DELETE FROM second_factors WHERE holder = $1",
            "DELETE FROM recovery_codes WHERE holder = $1",
            "DELETE FROM passkeys WHERE holder = $1",
            "DELETE FROM factor_tries WHERE holder = $1",
        ] {
            removed = removed.saturating_add(self.run(sql, holder).await?);
        }
        Ok(removed)
    }

    async fn run(&self, sql: &str, holder: &Holder) -> Result<u64, StoreFault> {
        let stmt = self.connection.statement(sql, [holder.as_str().into()]);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected())
    }
}
