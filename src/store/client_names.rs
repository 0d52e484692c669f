//! What clients are called, many in one question.

use std::collections::HashMap;

use russet_protocol::id::ClientId;
use sea_orm::{ConnectionTrait as _, Value};

use crate::connection::Connection;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// Both databases take so many values at once.
const MOST: usize = 1000;

impl Reader {
    /// What these clients are called, as far as they are there.
    pub async fn client_names(
        &self,
        ids: &[&ClientId],
    ) -> Result<HashMap<ClientId, String>, StoreFault> {
        let mut names = HashMap::new();
        for part in ids.chunks(MOST) {
            let places = Connection::places(part.len());
            let sql =
                format!("SELECT client_id, client_name FROM clients WHERE client_id IN ({places})");
            let values = part.iter().map(|id| Value::from(id.as_str()));
            for row in
                self.connection.query_all_raw(self.connection.statement(&sql, values)).await?
            {
                let id: String = row.try_get("", "client_id")?;
                names.insert(ClientId::new(id), row.try_get("", "client_name")?);
            }
        }
        Ok(names)
    }
}
