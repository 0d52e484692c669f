//! What was posted to an inbox and cannot be verified yet. Anybody can post, so few are kept and
//! none for long.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::ConnectionId;
use sea_orm::{ConnectionTrait as _, FromQueryResult as _};

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// So many are kept for one connection.
pub const MOST: i64 = 1024;
/// So many of them from one source: whoever fills its share keeps nobody else out.
pub const SHARE: i64 = 128;

/// Something that waits to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// Its name: its source, a point, and a hash of what was posted, so that a repetition is the
    /// same.
    pub id: String,
    /// Where it was posted.
    pub connection_id: ConnectionId,
    /// What was posted, sealed; bound to [`Unverified::bound_to`].
    pub sealed_body: Vec<u8>,
    /// When.
    pub received_at: Timestamp,
    /// When it is looked at next.
    pub due_at: Timestamp,
    /// How often it was looked at.
    pub attempts: i32,
}

impl Unverified {
    /// Who posted it, told apart from others and no more.
    pub fn source(&self) -> &str {
        self.id.split_once('.').map_or("", |(source, _)| source)
    }

    /// What the sealed body is bound to: its row.
    pub fn bound_to(&self) -> String {
        format!("unverified_notifications:{}", self.id)
    }
}

#[derive(sea_orm::FromQueryResult)]
struct Row {
    id: String,
    connection_id: String,
    sealed_body: Vec<u8>,
    received_at: i64,
    due_at: i64,
    attempts: i32,
}

impl Row {
    fn into_domain(self) -> Unverified {
        Unverified {
            id: self.id,
            connection_id: ConnectionId::new(self.connection_id),
            sealed_body: self.sealed_body,
            received_at: Timestamp::from_millis(self.received_at),
            due_at: Timestamp::from_millis(self.due_at),
            attempts: self.attempts,
        }
    }
}

const KEPT: &str = "SELECT COUNT(*) AS kept, \
    COUNT(CASE WHEN SUBSTR(id, 1, LENGTH($2)) = $2 THEN 1 END) AS own \
    FROM unverified_notifications WHERE connection_id = $1";
const INSERT: &str = "INSERT INTO unverified_notifications \
    (id, connection_id, sealed_body, received_at, due_at, attempts) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";
const DUE: &str = "SELECT id, connection_id, sealed_body, received_at, due_at, attempts \
    FROM unverified_notifications WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2";
const PUT_OFF: &str = "UPDATE unverified_notifications SET due_at = $3, attempts = attempts + 1 \
    WHERE id = $1 AND attempts = $2";
const DELETE: &str = "DELETE FROM unverified_notifications WHERE id = $1";

impl Reader {
    /// What is to be looked at now, the longest due first.
    pub async fn due_unverified_notifications(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Unverified>, StoreFault> {
        let values = [now.millis().into(), i64::from(limit).into()];
        let rows = self.connection.query_all_raw(self.connection.statement(DUE, values)).await?;
        rows.iter().map(|row| Ok(Row::from_query_result(row, "")?.into_domain())).collect()
    }
}

impl WriteTx {
    /// Keeps something until it can be verified; `false` when this connection, or the source, has
    /// too many already.
    pub async fn insert_unverified_notification(
        &self,
        unverified: &Unverified,
    ) -> Result<bool, StoreFault> {
        let connection = unverified.connection_id.as_str();
        let source = format!("{}.", unverified.source());
        let stmt = self.connection.statement(KEPT, [connection.into(), source.into()]);
        if let Some(row) = self.connection.query_one_raw(stmt).await? {
            let kept: i64 = row.try_get("", "kept")?;
            let own: i64 = row.try_get("", "own")?;
            if kept >= MOST || own >= SHARE {
                return Ok(false);
            }
        }
        let values = [
            unverified.id.as_str().into(),
            connection.into(),
            unverified.sealed_body.clone().into(),
            unverified.received_at.millis().into(),
            unverified.due_at.millis().into(),
            unverified.attempts.into(),
        ];
        self.connection.execute_raw(self.connection.statement(INSERT, values)).await?;
        Ok(true)
    }

    /// Looks at it again later, unless somebody else has put it off by now.
    pub async fn put_off_unverified_notification(
        &self,
        unverified: &Unverified,
        due_at: Timestamp,
    ) -> Result<(), StoreFault> {
        let values =
            [unverified.id.as_str().into(), unverified.attempts.into(), due_at.millis().into()];
        self.connection.execute_raw(self.connection.statement(PUT_OFF, values)).await?;
        Ok(())
    }

    /// Keeps it no longer.
    pub async fn delete_unverified_notification(
        &self,
        unverified: &Unverified,
    ) -> Result<(), StoreFault> {
        let stmt = self.connection.statement(DELETE, [unverified.id.as_str().into()]);
        self.connection.execute_raw(stmt).await?;
        Ok(())
    }
}
