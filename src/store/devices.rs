//! Devices that wait for their person — RFC 8628.

use russet_protocol::ambient::Timestamp;
use russet_protocol::device_code::{DeviceGrant, SLOW_DOWN};
use russet_protocol::id::ClientId;
use russet_protocol::scope::Access;
use russet_protocol::secret::SecretHash;
use sea_orm::{ConnectionTrait as _, FromQueryResult, Value};

use crate::act::WriteTx;
use crate::column::{from_json, to_hash, to_json, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

/// A device authorization request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceAuthorization {
    /// Hash of the `device_code`.
    pub device_code_hash: SecretHash,
    /// Hash of the `user_code`.
    pub user_code_hash: SecretHash,
    /// Which client's.
    pub client_id: ClientId,
    /// What it asks for.
    pub access: Access,
    /// When it asked.
    pub created_at: Timestamp,
    /// Until when the person may answer and the device may ask.
    pub expires_at: Timestamp,
    /// Milliseconds to wait between two questions.
    pub poll_interval: i64,
    /// Whether the last question came too soon.
    pub hurried: bool,
    /// When the person answered.
    pub decided_at: Option<Timestamp>,
    /// What they gave; `None` after an answer means no.
    pub given: Option<DeviceGrant>,
    /// When the answer was fetched.
    pub spent_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    device_code_hash: Vec<u8>,
    user_code_hash: Vec<u8>,
    client_id: String,
    access: String,
    created_at: i64,
    expires_at: i64,
    poll_interval: i64,
    hurried: i64,
    decided_at: Option<i64>,
    given: Option<String>,
    spent_at: Option<i64>,
}

impl Row {
    fn into_domain(self) -> Result<DeviceAuthorization, StoreFault> {
        let given = self.given.as_deref();
        Ok(DeviceAuthorization {
            device_code_hash: to_hash(&self.device_code_hash, "device_authorizations")?,
            user_code_hash: to_hash(&self.user_code_hash, "device_authorizations")?,
            client_id: ClientId::new(self.client_id),
            access: from_json(&self.access, "device_authorizations.access")?,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
            poll_interval: self.poll_interval,
            hurried: self.hurried != 0,
            decided_at: to_time(self.decided_at),
            given: given
                .map(|given| from_json(given, "device_authorizations.given"))
                .transpose()?,
            spent_at: to_time(self.spent_at),
        })
    }
}

const INSERT: &str = "INSERT INTO device_authorizations (device_code_hash, user_code_hash, \
                      client_id, access, created_at, expires_at, poll_interval, next_poll_at, \
                      hurried) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)";
const BY_DEVICE_CODE: &str = "SELECT * FROM device_authorizations WHERE device_code_hash = $1";
const BY_USER_CODE: &str = "SELECT * FROM device_authorizations WHERE user_code_hash = $1 \
                            AND decided_at IS NULL AND expires_at > $2";
/// The pace is kept by the statement itself: of two questions that come at once one is too soon.
const POLL: &str = "UPDATE device_authorizations SET \
     hurried = CASE WHEN next_poll_at > $3 THEN 1 ELSE 0 END, \
     poll_interval = CASE WHEN next_poll_at > $3 THEN poll_interval + $4 ELSE poll_interval END, \
     next_poll_at = $3 + CASE WHEN next_poll_at > $3 THEN poll_interval + $4 \
                              ELSE poll_interval END \
     WHERE device_code_hash = $1 AND client_id = $2 AND spent_at IS NULL AND expires_at > $3 \
     RETURNING *";
const DECIDE: &str = "UPDATE device_authorizations SET decided_at = $2, given = $3 \
                      WHERE device_code_hash = $1 AND decided_at IS NULL AND expires_at > $2";
const SPEND: &str = "UPDATE device_authorizations SET spent_at = $2 WHERE device_code_hash = $1 \
                     AND decided_at IS NOT NULL AND spent_at IS NULL AND expires_at > $2";

impl Reader {
    /// The request with this `device_code`, in whatever state.
    pub async fn find_device(
        &self,
        device_code_hash: &SecretHash,
    ) -> Result<Option<DeviceAuthorization>, StoreFault> {
        let values = [bytes(device_code_hash)];
        let stmt = self.connection.statement(BY_DEVICE_CODE, values);
        let row = self.connection.query_one_raw(stmt).await?;
        row.map(|row| Row::from_query_result(&row, "")?.into_domain()).transpose()
    }

    /// The request that waits under this `user_code`.
    pub async fn find_waiting_device(
        &self,
        user_code_hash: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<DeviceAuthorization>, StoreFault> {
        let values = [bytes(user_code_hash), now.millis().into()];
        let stmt = self.connection.statement(BY_USER_CODE, values);
        let row = self.connection.query_one_raw(stmt).await?;
        row.map(|row| Row::from_query_result(&row, "")?.into_domain()).transpose()
    }
}

impl WriteTx {
    /// Stores a new request; its first question may come after one interval.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] when the `user_code` is taken.
    pub async fn insert_device(&self, device: &DeviceAuthorization) -> Result<(), StoreFault> {
        // The pace is between two questions: the first may come at once (RFC 8628 §3.5).
        let first = device.created_at.millis();
        let values: [Value; 8] = [
            bytes(&device.device_code_hash),
            bytes(&device.user_code_hash),
            device.client_id.as_str().into(),
            to_json(&device.access)?.into(),
            device.created_at.millis().into(),
            device.expires_at.millis().into(),
            device.poll_interval.into(),
            first.into(),
        ];
        self.connection.execute_raw(self.connection.statement(INSERT, values)).await?;
        Ok(())
    }

    /// Takes note of a question of this client's device, in time or too soon. `None` when there is
    /// nothing to ask about any more.
    pub async fn poll_device(
        &self,
        device_code_hash: &SecretHash,
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<Option<DeviceAuthorization>, StoreFault> {
        let slower = i64::try_from(SLOW_DOWN.as_millis()).unwrap_or(i64::MAX);
        let values = [
            bytes(device_code_hash),
            client_id.as_str().into(),
            now.millis().into(),
            slower.into(),
        ];
        let row = self.connection.query_one_raw(self.connection.statement(POLL, values)).await?;
        row.map(|row| Row::from_query_result(&row, "")?.into_domain()).transpose()
    }

    /// Stores the person's answer: what they give, or `None` for no. `false` when it was answered
    /// before or has expired.
    pub async fn decide_device(
        &self,
        device_code_hash: &SecretHash,
        given: Option<&DeviceGrant>,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let given = given.map(to_json).transpose()?;
        let values = [bytes(device_code_hash), now.millis().into(), given.into()];
        let stmt = self.connection.statement(DECIDE, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Uses the answer up: `true` once.
    pub async fn spend_device(
        &self,
        device_code_hash: &SecretHash,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let values = [bytes(device_code_hash), now.millis().into()];
        let stmt = self.connection.statement(SPEND, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }
}

fn bytes(hash: &SecretHash) -> Value {
    hash.as_bytes().to_vec().into()
}
