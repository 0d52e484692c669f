//! Leases: one replica does a piece of work at a time, and another takes over when it dies.

use russet_protocol::ambient::Timestamp;
use sea_orm::ConnectionTrait as _;

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

const TAKE: &str = "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, $3) \
                    ON CONFLICT (name) DO UPDATE SET holder = $2, expires_at = $3 \
                    WHERE leases.holder = $2 OR leases.expires_at <= $4";
const RELEASE: &str = "DELETE FROM leases WHERE name = $1 AND holder = $2";

impl Reader {
    /// Whether somebody holds the lease `name` now.
    pub async fn is_leased(&self, name: &str, now: Timestamp) -> Result<bool, StoreFault> {
        let sql = "SELECT holder FROM leases WHERE name = $1 AND expires_at > $2";
        let stmt = self.connection.statement(sql, [name.into(), now.millis().into()]);
        Ok(self.connection.query_one_raw(stmt).await?.is_some())
    }

    /// Whether a lease whose name begins so was left behind: its holder has died.
    pub async fn is_lease_left(&self, beginning: &str, now: Timestamp) -> Result<bool, StoreFault> {
        let sql = "SELECT name FROM leases WHERE name LIKE $1 AND expires_at <= $2 LIMIT 1";
        let values = [format!("{beginning}%").into(), now.millis().into()];
        let stmt = self.connection.statement(sql, values);
        Ok(self.connection.query_one_raw(stmt).await?.is_some())
    }
}

impl WriteTx {
    /// Takes or renews the lease `name` for `holder` until `expires_at`; `false` while somebody
    /// else holds it. One statement: of two takers one wins.
    pub async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let values = [name.into(), holder.into(), expires_at.millis().into(), now.millis().into()];
        let stmt = self.connection.statement(TAKE, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Gives a lease back before its time; nothing happens if it is somebody else's by now.
    pub async fn release_lease(&self, name: &str, holder: &str) -> Result<(), StoreFault> {
        let stmt = self.connection.statement(RELEASE, [name.into(), holder.into()]);
        self.connection.execute_raw(stmt).await?;
        Ok(())
    }
}
