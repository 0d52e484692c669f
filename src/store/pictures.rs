//! Pictures of installations and clients, each under a name made of its content.

use russet_protocol::ambient::Timestamp;
use sea_orm::ConnectionTrait as _;

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

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
    /// Keeps a picture; one that is there already stays.
    pub async fn put_picture(&self, picture: &Picture, now: Timestamp) -> Result<(), StoreFault> {
        let sql = "INSERT INTO pictures (id, content_type, content, created_at) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING";
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
