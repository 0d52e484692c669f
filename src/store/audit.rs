//! The chain over the audit log: which events are linked, up to where, and what was let go.
//!
//! Events are inserted unchained, so that no writer waits for another; a job links them in the
//! order in which it finds them. An event that is committed late has a later place, not a gap.

use russet_protocol::ambient::Timestamp;
use russet_protocol::audit::{Link, StoredEvent};
use russet_protocol::secret::SecretHash;
use sea_orm::{ConnectionTrait as _, FromQueryResult as _};

use crate::act::WriteTx;
use crate::column::to_hash;
use crate::fault::StoreFault;
use crate::reader::Reader;
use crate::schema::lock;

/// PostgreSQL advisory lock held while links are made ("russet c").
const CHAIN_LOCK: i64 = 0x7275_7373_6574_2063;

/// A place in the chain that is vouched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The newest link.
    Head,
    /// The last link whose event was let go.
    Checkpoint,
}

impl Mark {
    /// Its name, which its seal covers too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Checkpoint => "checkpoint",
        }
    }
}

/// A mark as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredMark {
    /// The place.
    pub link: Link,
    /// When it was set.
    pub at: Timestamp,
    /// [`Link::seal`].
    pub seal: SecretHash,
}

/// An event with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedEvent {
    /// The event as stored.
    pub event: StoredEvent,
    /// Its link.
    pub link: Link,
    /// The area under which lists find it, which follows from its kind.
    pub area: String,
}

#[derive(sea_orm::FromQueryResult)]
struct Row {
    id: i64,
    at: i64,
    kind: String,
    actor: String,
    target: Option<String>,
    request_id: Option<String>,
    detail: Option<String>,
    area: String,
    seq: Option<i64>,
    chain_hash: Option<Vec<u8>>,
}

#[derive(sea_orm::FromQueryResult)]
struct MarkRow {
    seq: i64,
    hash: Vec<u8>,
    at: i64,
    tag: Vec<u8>,
}

impl Row {
    fn into_event(self) -> StoredEvent {
        StoredEvent {
            id: self.id,
            at: self.at,
            kind: self.kind,
            actor: self.actor,
            target: self.target,
            request_id: self.request_id,
            detail: self.detail,
        }
    }
}

const COLUMNS: &str = "id, at, kind, actor, target, request_id, detail, area, seq, chain_hash";
const FIND_MARK: &str = "SELECT seq, hash, at, tag FROM audit_marks WHERE name = $1";
const SET_MARK: &str = "INSERT INTO audit_marks (name, seq, hash, at, tag) \
                        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) \
                        DO UPDATE SET seq = $2, hash = $3, at = $4, tag = $5";
const CHAIN: &str = "UPDATE events SET seq = $2, chain_hash = $3 WHERE id = $1 AND seq IS NULL";
const COUNT_UNCHAINED: &str = "SELECT count(*) AS number FROM events WHERE seq IS NULL";
const FIRST_KEPT: &str =
    "SELECT seq FROM events WHERE seq IS NOT NULL AND at >= $1 ORDER BY seq LIMIT 1";
const LET_GO: &str = "DELETE FROM events WHERE seq <= $1";

impl Reader {
    /// How many events wait for their link.
    pub async fn count_unchained_events(&self) -> Result<u64, StoreFault> {
        let stmt = self.connection.statement(COUNT_UNCHAINED, []);
        let row = self.connection.query_one_raw(stmt).await?;
        let number: i64 = row.map(|row| row.try_get("", "number")).transpose()?.unwrap_or(0);
        Ok(u64::try_from(number).unwrap_or(0))
    }

    /// A mark, if it was ever set.
    pub async fn find_audit_mark(&self, mark: Mark) -> Result<Option<StoredMark>, StoreFault> {
        let stmt = self.connection.statement(FIND_MARK, [mark.as_str().into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else { return Ok(None) };
        let row = MarkRow::from_query_result(&row, "")?;
        Ok(Some(StoredMark {
            link: Link { seq: row.seq, hash: to_hash(&row.hash, "audit_marks.hash")? },
            at: Timestamp::from_millis(row.at),
            seal: to_hash(&row.tag, "audit_marks.tag")?,
        }))
    }

    /// Linked events after a place, in the order of the chain.
    pub async fn list_chain(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ChainedEvent>, StoreFault> {
        let sql = format!("SELECT {COLUMNS} FROM events WHERE seq > $1 ORDER BY seq LIMIT $2");
        let values = [after.into(), i64::from(limit).into()];
        let rows = self.connection.query_all_raw(self.connection.statement(&sql, values)).await?;
        rows.iter()
            .map(|row| {
                let row = Row::from_query_result(row, "")?;
                // A tag of another length is as wrong as one of other bytes.
                let hash = row.chain_hash.as_deref().and_then(SecretHash::from_bytes);
                let link = Link {
                    seq: row.seq.unwrap_or_default(),
                    hash: hash.unwrap_or(SecretHash::ZERO),
                };
                let area = row.area.clone();
                Ok(ChainedEvent { event: row.into_event(), link, area })
            })
            .collect()
    }

    /// The place and the tag of one event, if it is linked.
    pub async fn find_link(&self, id: i64) -> Result<Option<Link>, StoreFault> {
        let sql = format!("SELECT {COLUMNS} FROM events WHERE id = $1 AND seq IS NOT NULL");
        let stmt = self.connection.statement(&sql, [id.into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else { return Ok(None) };
        let row = Row::from_query_result(&row, "")?;
        let hash = row.chain_hash.as_deref().and_then(SecretHash::from_bytes);
        Ok(row.seq.zip(hash).map(|(seq, hash)| Link { seq, hash }))
    }

    /// The place of the first linked event at or after a moment.
    pub async fn first_link_since(&self, at: Timestamp) -> Result<Option<i64>, StoreFault> {
        let stmt = self.connection.statement(FIRST_KEPT, [at.millis().into()]);
        let row = self.connection.query_one_raw(stmt).await?;
        Ok(row.map(|row| row.try_get("", "seq")).transpose()?)
    }
}

impl WriteTx {
    /// Keeps other replicas from linking until this act ends. Read the head after this.
    pub async fn lock_chain(&self) -> Result<(), StoreFault> {
        lock(self, CHAIN_LOCK).await
    }

    /// Events that wait for their link, in the order of their numbers.
    pub async fn list_unchained(&self, limit: u32) -> Result<Vec<StoredEvent>, StoreFault> {
        let sql = format!("SELECT {COLUMNS} FROM events WHERE seq IS NULL ORDER BY id LIMIT $1");
        let stmt = self.connection.statement(&sql, [i64::from(limit).into()]);
        let rows = self.connection.query_all_raw(stmt).await?;
        rows.iter().map(|row| Ok(Row::from_query_result(row, "")?.into_event())).collect()
    }

    /// Links an event; `false` if it has a link already.
    pub async fn chain_event(&self, id: i64, link: &Link) -> Result<bool, StoreFault> {
        let values = [id.into(), link.seq.into(), link.hash.as_bytes().to_vec().into()];
        let done = self.connection.execute_raw(self.connection.statement(CHAIN, values)).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Sets a mark.
    pub async fn set_audit_mark(&self, mark: Mark, set: &StoredMark) -> Result<(), StoreFault> {
        let values = [
            mark.as_str().into(),
            set.link.seq.into(),
            set.link.hash.as_bytes().to_vec().into(),
            set.at.millis().into(),
            set.seal.as_bytes().to_vec().into(),
        ];
        self.connection.execute_raw(self.connection.statement(SET_MARK, values)).await?;
        Ok(())
    }

    /// Removes the linked events up to a place. Returns how many.
    pub async fn let_events_go(&self, seq: i64) -> Result<u64, StoreFault> {
        let stmt = self.connection.statement(LET_GO, [seq.into()]);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected())
    }
}
