//! Secrets of clients that end before long, with nothing to follow them.

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::ClientId;
use sea_orm::ConnectionTrait as _;

use crate::fault::StoreFault;
use crate::reader::Reader;

/// A client whose last secret ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingSecret {
    /// The client.
    pub client_id: ClientId,
    /// Its name.
    pub client_name: String,
    /// When it can prove itself no more.
    pub expires_at: Timestamp,
}

const ENDING: &str = "SELECT s.client_id AS client_id, c.client_name AS client_name, \
                      MAX(s.expires_at) AS ends FROM client_secrets s \
                      JOIN clients c ON c.client_id = s.client_id \
                      WHERE s.expires_at > $1 AND s.expires_at <= $2 AND c.disabled_at IS NULL \
                      AND NOT EXISTS (SELECT 1 FROM client_secrets o \
                      WHERE o.client_id = s.client_id \
                      AND (o.expires_at IS NULL OR o.expires_at > $2)) \
                      GROUP BY s.client_id, c.client_name ORDER BY ends LIMIT 20";

impl Reader {
    /// Clients in use whose last secret ended after `from`, or will by `until`.
    pub async fn list_ending_secrets(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<EndingSecret>, StoreFault> {
        let values = [from.millis().into(), until.millis().into()];
        let mut found = Vec::new();
        let stmt = self.connection.statement(ENDING, values);
        for row in self.connection.query_all_raw(stmt).await? {
            let id: String = row.try_get("", "client_id")?;
            found.push(EndingSecret {
                client_id: ClientId::new(id),
                client_name: row.try_get("", "client_name")?,
                expires_at: Timestamp::from_millis(row.try_get("", "ends")?),
            });
        }
        Ok(found)
    }
}
