//! Keys of the admin API.

use russet_protocol::ambient::Timestamp;
use russet_protocol::api_key::ApiKey;
use russet_protocol::secret::SecretHash;
use sea_orm::{ConnectionTrait as _, FromQueryResult as _, QueryResult};

use crate::act::WriteTx;
use crate::clients::{ListQuery, Page};
use crate::column::{from_json, to_hash, to_json, to_time};
use crate::fault::StoreFault;
use crate::paging::newest;
use crate::reader::Reader;

#[derive(sea_orm::FromQueryResult)]
struct Row {
    id: String,
    name: String,
    hash: Vec<u8>,
    scope: String,
    created_by: String,
    created_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

fn read(row: &QueryResult) -> Result<ApiKey, StoreFault> {
    let row = Row::from_query_result(row, "")?;
    Ok(ApiKey {
        hash: to_hash(&row.hash, "api_keys.hash")?,
        scope: from_json(&row.scope, "api_keys.scope")?,
        id: row.id,
        name: row.name,
        created_by: row.created_by,
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        last_used_at: to_time(row.last_used_at),
        revoked_at: to_time(row.revoked_at),
    })
}

impl Reader {
    /// Every key, newest first.
    pub async fn list_api_keys(&self) -> Result<Vec<ApiKey>, StoreFault> {
        let sql = "SELECT * FROM api_keys ORDER BY created_at DESC, id";
        let rows = self.connection.query_all_raw(self.connection.statement(sql, [])).await?;
        rows.iter().map(read).collect()
    }

    /// Keys by pages, newest first, also those that are revoked or have ended.
    pub async fn page_of_api_keys(&self, query: &ListQuery) -> Result<Page<ApiKey>, StoreFault> {
        newest(&self.connection, "api_keys", query).await?.read(|row| read(&row))
    }

    /// Keys that are not revoked and end after the one moment and not after the other, the first to
    /// end first.
    pub async fn list_ending_api_keys(
        &self,
        (after, until): (Timestamp, Timestamp),
        limit: u32,
    ) -> Result<Vec<ApiKey>, StoreFault> {
        let sql = "SELECT * FROM api_keys WHERE revoked_at IS NULL \
                   AND expires_at > $1 AND expires_at <= $2 ORDER BY expires_at, id LIMIT $3";
        let values = [after.millis().into(), until.millis().into(), i64::from(limit).into()];
        let rows = self.connection.query_all_raw(self.connection.statement(sql, values)).await?;
        rows.iter().map(read).collect()
    }

    /// The key with this id.
    pub async fn find_api_key_by_id(&self, id: &str) -> Result<Option<ApiKey>, StoreFault> {
        let stmt = self.connection.statement("SELECT * FROM api_keys WHERE id = $1", [id.into()]);
        self.connection.query_one_raw(stmt).await?.as_ref().map(read).transpose()
    }

    /// The key with this hash, also when it is revoked or has ended.
    pub async fn find_api_key(&self, hash: &SecretHash) -> Result<Option<ApiKey>, StoreFault> {
        let sql = "SELECT * FROM api_keys WHERE hash = $1";
        let stmt = self.connection.statement(sql, [hash.as_bytes().to_vec().into()]);
        self.connection.query_one_raw(stmt).await?.as_ref().map(read).transpose()
    }
}

impl WriteTx {
    /// Stores a new key.
    pub async fn insert_api_key(&self, key: &ApiKey) -> Result<(), StoreFault> {
        let sql = "INSERT INTO api_keys (id, name, hash, scope, created_by, created_at, \
                   expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = [
            key.id.as_str().into(),
            key.name.as_str().into(),
            key.hash.as_bytes().to_vec().into(),
            to_json(&key.scope)?.into(),
            key.created_by.as_str().into(),
            key.created_at.millis().into(),
            key.expires_at.millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(sql, values)).await?;
        Ok(())
    }

    /// Notes that a key was used.
    pub async fn touch_api_key(&self, id: &str, now: Timestamp) -> Result<(), StoreFault> {
        let sql = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1";
        let stmt = self.connection.statement(sql, [id.into(), now.millis().into()]);
        self.connection.execute_raw(stmt).await?;
        Ok(())
    }

    /// Revokes a key; `false` if it was revoked or is not there.
    pub async fn revoke_api_key(&self, id: &str, now: Timestamp) -> Result<bool, StoreFault> {
        let sql = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        let stmt = self.connection.statement(sql, [id.into(), now.millis().into()]);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }
}
