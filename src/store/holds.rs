//! Holding a person or a session until the act ends.
//!
//! On PostgreSQL acts run side by side: what one has read alive, another may end before the first
//! has built upon it. So whoever gives something to a person, and whoever ends what they have,
//! holds their row first. The one that comes second waits, and sees what the first has done. On
//! SQLite acts run one after the other, and there is nothing to hold.
//!
//! The person is held before anything of theirs (sessions, identities, grants), so that no two acts
//! wait for each other.

use russet_protocol::id::{SessionId, UserId};
use russet_protocol::session::Session;
use russet_protocol::user::User;
use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult};

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::{sessions, users};

impl WriteTx {
    /// The person as they are now; nobody ends, changes or gives them anything until this act has
    /// ended.
    pub async fn hold_user(&self, id: &UserId) -> Result<Option<User>, StoreFault> {
        let row = self.hold("SELECT * FROM users WHERE id = $1", id.as_str()).await?;
        row.as_ref().map(users::read).transpose()
    }

    /// The session as it is now, even if it has ended or expired; nobody ends it until this act
    /// has ended.
    pub async fn hold_session(&self, id: &SessionId) -> Result<Option<Session>, StoreFault> {
        let row = self.hold("SELECT * FROM sessions WHERE id = $1", id.as_str()).await?;
        row.as_ref().map(sessions::read).transpose()
    }

    /// Keeps everybody else who is new from coming with this address until this act has ended:
    /// there is no row yet that could be held.
    pub async fn hold_address(&self, address: &str) -> Result<(), StoreFault> {
        if self.connection.get_database_backend() == DbBackend::Postgres {
            let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))::text AS held";
            let stmt = self.connection.statement(sql, [format!("address:{address}").into()]);
            self.connection.query_one_raw(stmt).await?;
        }
        Ok(())
    }

    async fn hold(&self, sql: &str, id: &str) -> Result<Option<QueryResult>, StoreFault> {
        let sql = if self.connection.get_database_backend() == DbBackend::Postgres {
            // Rows that refer to it may still be inserted by whoever does not hold it.
            format!("{sql} FOR NO KEY UPDATE")
        } else {
            sql.to_owned()
        };
        let stmt = self.connection.statement(&sql, [id.into()]);
        Ok(self.connection.query_one_raw(stmt).await?)
    }
}
