//! Reading: straight on the pool, or inside an act.

use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DatabaseConnection};

use crate::connection::Connection;
use crate::fault::StoreFault;
use crate::lookup::Lookups;

/// Everything that can be asked. [`crate::Store`] and [`crate::WriteTx`] both lend one; what a
/// query sees is the last commit, or in an act also what the act itself has written.
pub struct Reader {
    pub(crate) connection: Connection,
    pub(crate) lookups: Option<Arc<Lookups>>,
}

impl Reader {
    pub(crate) fn on(pool: DatabaseConnection) -> Self {
        let lookups = Some(Arc::new(Lookups::on(&pool)));
        Self { connection: Connection::Pool(pool), lookups }
    }

    pub(crate) const fn within(connection: Connection) -> Self {
        Self { connection, lookups: None }
    }

    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> Result<(), StoreFault> {
        self.connection.execute_unprepared("SELECT 1").await?;
        Ok(())
    }
}
