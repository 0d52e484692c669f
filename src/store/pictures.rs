//! Pictures of installations and clients, each under a name made of its content.
//!
//! Nothing counts who names a picture: it is looked for when pictures are swept. Whoever keeps or
//! names one makes it young again, so that a sweep that did not see the name lets it be.

use std::collections::HashSet;
use std::time::Duration;

use russet_protocol::ambient::Timestamp;
use sea_orm::ConnectionTrait as _;

use crate::Store;
use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// How long a picture stays that nothing names: somebody may be filling in a form.
const UNNAMED_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
const OLD: &str = "SELECT id FROM pictures WHERE created_at <= $1 ORDER BY created_at LIMIT 10000";
/// Documents that may name a picture.
const NAMING: &str = "SELECT settings AS document FROM clients WHERE settings LIKE '%\"logo\":%' \
                      UNION ALL SELECT value AS document FROM settings \
                      WHERE value LIKE '%\"logo\":%'";
const FORGET: &str = "DELETE FROM pictures WHERE id = $1 AND created_at <= $2";

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The hash of its content.
    pub id: String,
    /// Its media type.
    pub content_type: String,
    /// The file.
    pub content: Vec<u8>,
}

impl Reader {
    /// The picture with this name.
    pub async fn find_picture(&self, id: &str) -> Result<Option<Picture>, StoreFault> {
        let sql = "SELECT content_type, content FROM pictures WHERE id = $1";
        let stmt = self.connection.statement(sql, [id.into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else { return Ok(None) };
        Ok(Some(Picture {
            id: id.to_owned(),
            content_type: row.try_get("", "content_type")?,
            content: row.try_get("", "content")?,
        }))
    }
}

impl WriteTx {
    /// Makes a picture that is about to be named young again; `false` when it is not there.
    pub async fn renew_picture(&self, id: &str, now: Timestamp) -> Result<bool, StoreFault> {
        let sql = "UPDATE pictures SET created_at = $2 WHERE id = $1";
        let stmt = self.connection.statement(sql, [id.into(), now.millis().into()]);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Keeps a picture; one that is there already becomes young again.
    pub async fn put_picture(&self, picture: &Picture, now: Timestamp) -> Result<(), StoreFault> {
        let sql = "INSERT INTO pictures (id, content_type, content, created_at) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET created_at = $4";
        let values = [
            picture.id.as_str().into(),
            picture.content_type.as_str().into(),
            picture.content.clone().into(),
            now.millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(sql, values)).await?;
        Ok(())
    }
}

impl Store {
    /// Forgets pictures that nothing has named for a week, in acts of at most `batch`. Returns how
    /// many went. Replicas may sweep at once.
    pub async fn sweep_pictures(&self, now: Timestamp, batch: usize) -> Result<u64, StoreFault> {
        let by = now.minus(UNNAMED_KEPT).millis();
        let old =
            self.connection.query_all_raw(self.connection.statement(OLD, [by.into()])).await?;
        if old.is_empty() {
            return Ok(0);
        }
        let naming = self.connection.query_all_raw(self.connection.statement(NAMING, [])).await?;
        let mut named = HashSet::new();
        for row in naming {
            let document: String = row.try_get("", "document")?;
            // Whatever is written after the member's name in the whole document.
            named.extend(
                document
                    .split("\"logo\":\"")
                    .skip(1)
                    .filter_map(|rest| rest.split_once('"').map(|(id, _)| id.to_owned())),
            );
        }
        let mut unnamed: Vec<String> = Vec::new();
        for row in old {
            let id: String = row.try_get("", "id")?;
            if !named.contains(&id) {
                unnamed.push(id);
            }
        }
        let mut swept = 0_u64;
        for batch in unnamed.chunks(batch.max(1)) {
            let batch = batch.to_vec();
            let gone = self.write(move |tx| {
                Box::pin(async move {
                    let mut gone = 0_u64;
                    for id in batch {
                        let stmt = tx.connection.statement(FORGET, [id.into(), by.into()]);
                        let done = tx.connection.execute_raw(stmt).await?;
                        gone = gone.saturating_add(done.rows_affected());
                    }
                    Ok::<_, StoreFault>(gone)
                })
            });
            swept = swept.saturating_add(gone.await?);
        }
        Ok(swept)
    }
}
