//! Settings that are changed while the broker runs: one JSON value for each name.

use russet_protocol::ambient::Timestamp;
use sea_orm::ConnectionTrait as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::act::WriteTx;
use crate::column::{from_json, to_json};
use crate::fault::StoreFault;
use crate::reader::Reader;

const FIND: &str = "SELECT value, version FROM settings WHERE name = $1";
const INSERT: &str = "INSERT INTO settings (name, value, version, updated_at) \
                      VALUES ($1, $2, 1, $3) ON CONFLICT (name) DO NOTHING";
const FORGET: &str = "DELETE FROM settings WHERE name = $1";
const UPDATE: &str = "UPDATE settings SET value = $2, version = version + 1, updated_at = $3 \
                      WHERE name = $1 AND version = $4";

impl Reader {
    /// A setting with its version, if it was ever set.
    pub async fn find_setting<S: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<(S, i32)>, StoreFault> {
        let stmt = self.connection.statement(FIND, [name.into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else { return Ok(None) };
        let value: String = row.try_get("", "value")?;
        Ok(Some((from_json(&value, "settings.value")?, row.try_get("", "version")?)))
    }
}

impl WriteTx {
    /// Sets a setting that stands at `version` (0: that was never set); `false` when somebody else
    /// was faster.
    pub async fn put_setting<S: Serialize + Sync>(
        &self,
        name: &str,
        value: &S,
        version: i32,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let value = to_json(value)?;
        let stmt = if version == 0 {
            self.connection.statement(INSERT, [name.into(), value.into(), now.millis().into()])
        } else {
            let values = [name.into(), value.into(), now.millis().into(), version.into()];
            self.connection.statement(UPDATE, values)
        };
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Forgets a setting.
    pub async fn forget_setting(&self, name: &str) -> Result<(), StoreFault> {
        let stmt = self.connection.statement(FORGET, [name.into()]);
        self.connection.execute_raw(stmt).await?;
        Ok(())
    }
}
