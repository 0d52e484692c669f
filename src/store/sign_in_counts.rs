//! Sign-ins, counted by day, client, connection and outcome. Who signed in is in the audit log.

use std::collections::HashMap;
use std::time::Duration;

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::{ClientId, ConnectionId};
use russet_protocol::sign_in_cause::Cause;
use sea_orm::{ConnectionTrait as _, Value};

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// Seconds of a day.
const DAY: i64 = 24 * 3600;
/// What is older is forgotten.
const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);
/// The outcome of a sign-in that succeeded.
const OK: &str = "ok";

/// One kind of sign-in on one day.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignIns {
    /// Days since the Unix epoch, in UTC.
    pub day: i64,
    /// At which client.
    pub client_id: ClientId,
    /// Through which connection.
    pub connection_id: ConnectionId,
    /// Why it failed; `None` when it did not.
    pub cause: Option<Cause>,
}

impl SignIns {
    /// The day of a moment.
    pub fn day_of(at: Timestamp) -> i64 {
        at.secs().div_euclid(DAY)
    }
}

/// Which sign-ins to count.
#[derive(Clone, Debug, Default)]
pub struct SignInQuery {
    /// From this day on.
    pub from_day: i64,
    /// Only at this client.
    pub client_id: Option<ClientId>,
    /// Only through this connection.
    pub connection_id: Option<ConnectionId>,
}

/// How many there were, of one thing that they have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The day, client or connection.
    pub of: String,
    /// Why they failed; `None` for those that did not.
    pub cause: Option<Cause>,
    /// How many.
    pub number: u64,
}

/// What sign-ins are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupedBy {
    /// The day, as its number.
    Day,
    /// The client.
    Client,
    /// The connection.
    Connection,
}

const ADD: &str = "INSERT INTO sign_in_counts (day, client_id, connection_id, outcome, number) \
                   VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (day, client_id, connection_id, outcome) \
                   DO UPDATE SET number = sign_in_counts.number + excluded.number";

impl Reader {
    /// How many sign-ins there were; of clients and connections the busiest hundred.
    pub async fn count_sign_ins(
        &self,
        by: GroupedBy,
        query: &SignInQuery,
    ) -> Result<Vec<Counted>, StoreFault> {
        let column = match by {
            GroupedBy::Day => "CAST(day AS TEXT)",
            GroupedBy::Client => "client_id",
            GroupedBy::Connection => "connection_id",
        };
        let mut values: Vec<Value> = vec![query.from_day.into()];
        let mut narrowed = String::new();
        for (column, wanted) in [
            ("client_id", query.client_id.as_ref().map(ClientId::as_str)),
            ("connection_id", query.connection_id.as_ref().map(ConnectionId::as_str)),
        ] {
            if let Some(wanted) = wanted {
                values.push(wanted.into());
                narrowed.push_str(&format!(" AND {column} = ${}", values.len()));
            }
        }
        let sql = format!(
            "SELECT {column} AS common, outcome, CAST(SUM(number) AS BIGINT) AS total \
             FROM sign_in_counts WHERE day >= $1{narrowed} GROUP BY {column}, outcome \
             ORDER BY total DESC, common, outcome LIMIT 1000"
        );
        let mut found = Vec::new();
        let stmt = self.connection.statement(&sql, values);
        for row in self.connection.query_all_raw(stmt).await? {
            let outcome: String = row.try_get("", "outcome")?;
            let total: i64 = row.try_get("", "total")?;
            found.push(Counted {
                of: row.try_get("", "common")?,
                cause: (outcome != OK).then(|| Cause::parse(&outcome).unwrap_or(Cause::Other)),
                number: u64::try_from(total).unwrap_or_default(),
            });
        }
        Ok(found)
    }
}

impl WriteTx {
    /// Adds to what was counted, and forgets what is old.
    pub async fn add_sign_ins(
        &self,
        counted: &HashMap<SignIns, u64>,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let old = SignIns::day_of(now.minus(KEPT));
        let forget =
            self.connection.statement("DELETE FROM sign_in_counts WHERE day < $1", [old.into()]);
        self.connection.execute_raw(forget).await?;
        for (kind, number) in counted {
            let values: [Value; 5] = [
                kind.day.into(),
                kind.client_id.as_str().into(),
                kind.connection_id.as_str().into(),
                kind.cause.map_or(OK, Cause::as_str).into(),
                i64::try_from(*number).unwrap_or(i64::MAX).into(),
            ];
            self.connection.execute_raw(self.connection.statement(ADD, values)).await?;
        }
        Ok(())
    }
}
