//! Everything that may be used once: codes, parked requests, nonces, foreign tokens already seen.
//!
//! Single use is one conditional statement that must touch one row, so it is right under READ
//! COMMITTED and needs neither locks nor retries.

use std::collections::HashMap;

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::UserId;
use sea_orm::{ConnectionTrait as _, FromQueryResult as _, Value};

use crate::act::WriteTx;
use crate::connection::Connection;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// What is used once; the first half of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SingleUse {
    /// An authorization code (RFC 6749 §4.1.2); key: its hash.
    AuthorizationCode,
    /// An authorization request on its way through login and consent.
    Interaction,
    /// A browser's trip to an upstream; key: hash of `state`.
    Departure,
    /// A nonce handed out for native sign-in.
    NativeChallenge,
    /// An upstream identity token already exchanged.
    IdentityToken,
    /// A `jti` seen from outside.
    Jti,
    /// A pushed authorization request; key: hash of its reference.
    PushedRequest,
    /// The one answer that such a request may have.
    AnsweredRequest,
    /// A logout that waits for the person's yes.
    Logout,
    /// A secret that waits to be shown once in the console.
    Reveal,
    /// A client that is being tried out; key: of one console session, or one key of the admin API.
    Trial,
    /// A console sign-in that waits for its second factor.
    SecondFactor,
    /// A challenge that a passkey shall sign (WebAuthn §13.4.3).
    PasskeyChallenge,
    /// An invitation to bind a console account to an upstream identity.
    Invitation,
    /// The answer to a request of the admin API that carried an idempotency key.
    Idempotency,
}

impl SingleUse {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "code",
            Self::Interaction => "interaction",
            Self::Departure => "departure",
            Self::NativeChallenge => "native_challenge",
            Self::IdentityToken => "identity_token",
            Self::Jti => "jti",
            Self::PushedRequest => "pushed_request",
            Self::AnsweredRequest => "answered_request",
            Self::Logout => "logout",
            Self::Reveal => "reveal",
            Self::Trial => "trial",
            Self::SecondFactor => "second_factor",
            Self::PasskeyChallenge => "passkey_challenge",
            Self::Invitation => "invitation",
            Self::Idempotency => "idempotency",
        }
    }
}

/// What was parked, used or not, expired or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// What was stored with it.
    pub payload: Vec<u8>,
    /// Until when it may be spent. The row stays at least as long.
    pub expires_at: Timestamp,
    /// When it was spent.
    pub spent_at: Option<Timestamp>,
}

#[derive(sea_orm::FromQueryResult)]
struct ParkedRow {
    payload: Vec<u8>,
    expires_at: i64,
    spent_at: Option<i64>,
}

// The same text for both engines: sqlx reads `$1` on SQLite too.
const FIND: &str =
    "SELECT payload, expires_at, spent_at FROM single_use WHERE kind = $1 AND key = $2";
const PARK: &str = "INSERT INTO single_use (kind, key, payload, created_at, expires_at) \
                    VALUES ($1, $2, $3, $4, $5)";
const SPEND: &str = "UPDATE single_use SET spent_at = $3 WHERE kind = $1 AND key = $2 \
                     AND spent_at IS NULL AND expires_at > $3 RETURNING payload";
const REPLACE: &str = "UPDATE single_use SET payload = $3 WHERE kind = $1 AND key = $2 \
                       AND spent_at IS NULL AND expires_at > $4";
const UNPARK: &str = "DELETE FROM single_use WHERE kind = $1 AND key = $2";
const CLAIM: &str = "INSERT INTO single_use \
                     (kind, key, payload, created_at, expires_at, spent_at) \
                     VALUES ($1, $2, $3, $4, $5, $4) ON CONFLICT (kind, key) DO NOTHING \
                     RETURNING kind";
const REVOKE_JTI: &str = "INSERT INTO revoked_jtis (jti, revoked_at, expires_at) \
                          VALUES ($1, $2, $3) ON CONFLICT (jti) DO NOTHING";

impl Reader {
    /// What was parked under this key, if the row is still there.
    pub async fn find_parked(
        &self,
        kind: SingleUse,
        key: &str,
    ) -> Result<Option<Parked>, StoreFault> {
        let stmt = self.connection.statement(FIND, [kind.as_str().into(), key.into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else {
            return Ok(None);
        };
        let row = ParkedRow::from_query_result(&row, "")?;
        Ok(Some(Parked {
            payload: row.payload,
            expires_at: Timestamp::from_millis(row.expires_at),
            spent_at: row.spent_at.map(Timestamp::from_millis),
        }))
    }

    /// Whether the token with this `jti` was revoked by itself, without its grant.
    pub async fn is_jti_revoked(&self, jti: &str) -> Result<bool, StoreFault> {
        match &self.lookups {
            Some(lookups) => Ok(lookups.revoked_jtis.find(jti).await?.is_some()),
            None => {
                Ok(find_revoked(&self.connection, vec![jti.to_owned()]).await?.contains_key(jti))
            }
        }
    }
}

impl WriteTx {
    /// Stores a thing to be spent once, until `expires_at`.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when the key is taken.
    pub async fn park(
        &self,
        kind: SingleUse,
        key: &str,
        payload: &[u8],
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let values = [
            kind.as_str().into(),
            key.into(),
            payload.to_vec().into(),
            now.millis().into(),
            expires_at.millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(PARK, values)).await?;
        Ok(())
    }

    /// Uses it up: its payload the first time, `None` ever after, and when it has expired.
    pub async fn spend(
        &self,
        kind: SingleUse,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreFault> {
        let values = [kind.as_str().into(), key.into(), now.millis().into()];
        let stmt = self.connection.statement(SPEND, values);
        let row = self.connection.query_one_raw(stmt).await?;
        Ok(row.map(|row| row.try_get("", "payload")).transpose()?)
    }

    /// Takes it back, spent or not, so that its key is free again.
    pub async fn unpark(&self, kind: SingleUse, key: &str) -> Result<(), StoreFault> {
        let values = [kind.as_str().into(), key.into()];
        self.connection.execute_raw(self.connection.statement(UNPARK, values)).await?;
        Ok(())
    }

    /// Takes it back if it has expired.
    pub async fn unpark_expired(
        &self,
        kind: SingleUse,
        key: &str,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let sql = format!("{UNPARK} AND expires_at <= $3");
        let values = [kind.as_str().into(), key.into(), now.millis().into()];
        self.connection.execute_raw(self.connection.statement(&sql, values)).await?;
        Ok(())
    }

    /// Changes the payload of a thing that is neither spent nor expired; `false` if it is.
    pub async fn repark(
        &self,
        kind: SingleUse,
        key: &str,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let values =
            [kind.as_str().into(), key.into(), payload.to_vec().into(), now.millis().into()];
        let stmt = self.connection.statement(REPLACE, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Says whom something parked is about: it goes with them.
    pub async fn park_about(
        &self,
        kind: SingleUse,
        key: &str,
        user: &UserId,
    ) -> Result<(), StoreFault> {
        let sql = "UPDATE single_use SET user_id = $3 WHERE kind = $1 AND key = $2";
        let values = [kind.as_str().into(), key.into(), user.as_str().into()];
        self.connection.execute_raw(self.connection.statement(sql, values)).await?;
        Ok(())
    }

    /// Takes back everything that is parked about somebody.
    pub async fn unpark_about(&self, user: &UserId) -> Result<u64, StoreFault> {
        let sql = "DELETE FROM single_use WHERE user_id = $1";
        let stmt = self.connection.statement(sql, [user.as_str().into()]);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected())
    }

    /// Takes note of a value first seen from outside: `true` for the first, `false` for every
    /// repetition. It must be remembered, by `expires_at`, as long as it would be accepted.
    pub async fn claim(
        &self,
        kind: SingleUse,
        key: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let values = [
            kind.as_str().into(),
            key.into(),
            Vec::<u8>::new().into(),
            now.millis().into(),
            expires_at.millis().into(),
        ];
        let stmt = self.connection.statement(CLAIM, values);
        Ok(self.connection.query_one_raw(stmt).await?.is_some())
    }

    /// Revokes one token by its `jti`; `expires_at` is the token's `exp`.
    pub async fn revoke_jti(
        &self,
        jti: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let values = [jti.into(), now.millis().into(), expires_at.millis().into()];
        self.connection.execute_raw(self.connection.statement(REVOKE_JTI, values)).await?;
        Ok(())
    }
}

pub(crate) async fn find_revoked(
    connection: &Connection,
    jtis: Vec<String>,
) -> Result<HashMap<String, ()>, StoreFault> {
    let sql =
        format!("SELECT jti FROM revoked_jtis WHERE jti IN ({})", Connection::places(jtis.len()));
    let stmt = connection.statement(&sql, jtis.into_iter().map(Value::from));
    let mut found = HashMap::new();
    for row in connection.query_all_raw(stmt).await? {
        found.insert(row.try_get("", "jti")?, ());
    }
    Ok(found)
}
