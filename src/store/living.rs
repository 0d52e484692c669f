//! What is alive: browser sessions and grants, for those who look after them. Nothing here writes.

use russet_protocol::ambient::Timestamp;
use russet_protocol::grant::Grant;
use russet_protocol::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};
use russet_protocol::session::{Consent, Session};
use sea_orm::{ConnectionTrait as _, Value};

use crate::clients::Page;
use crate::column::{from_json, to_json};
use crate::fault::StoreFault;
use crate::people::page;
use crate::reader::Reader;
use crate::{grants, sessions};

/// Whose sessions and grants are counted.
#[derive(Clone, Debug)]
pub enum Of {
    /// Those of a person.
    User(UserId),
    /// Those of one browser session.
    Session(SessionId),
    /// One grant.
    Grant(GrantId),
    /// Those given to a client.
    Client(ClientId),
    /// Those of people who came through a connection.
    Connection(ConnectionId),
    /// All there are.
    Everybody,
}

/// How much is alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Living {
    /// Browser sessions.
    pub sessions: u64,
    /// Grants: apps that hold tokens of somebody.
    pub grants: u64,
}

/// Beyond this many nothing is counted.
const COUNTED: i64 = 100_000;
/// The same where everybody's is counted, for a page that shows much else.
pub const COUNTED_OF_ALL: u64 = 10_000;

impl Reader {
    /// Browser sessions that are alive, newest first.
    pub async fn list_living_sessions(
        &self,
        after: Option<&str>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Page<Session>, StoreFault> {
        let after: Option<(i64, String)> = after.and_then(|after| from_json(after, "a page").ok());
        let mut sql =
            "SELECT * FROM sessions WHERE ended_at IS NULL AND expires_at > $2".to_owned();
        let mut values: Vec<Value> =
            vec![i64::from(limit).saturating_add(1).into(), now.millis().into()];
        if let Some((created_at, id)) = after {
            sql.push_str(" AND (created_at, id) < ($3, $4)");
            values.extend([created_at.into(), id.into()]);
        }
        sql.push_str(" ORDER BY created_at DESC, id DESC LIMIT $1");
        let rows = self.connection.query_all_raw(self.connection.statement(&sql, values)).await?;
        let found = rows.iter().map(sessions::read).collect::<Result<Vec<_>, _>>()?;
        page(found, limit, |session| to_json(&(session.created_at.millis(), session.id.as_str())))
    }

    /// What one client holds of a person, and is alive; at most a thousand grants.
    pub async fn list_grants_of(
        &self,
        user_id: &UserId,
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<Vec<Grant>, StoreFault> {
        let sql = "SELECT * FROM grants WHERE user_id = $1 AND client_id = $2 \
                   AND revoked_at IS NULL AND expires_at > $3 LIMIT 1000";
        let values = [user_id.as_str().into(), client_id.as_str().into(), now.millis().into()];
        let rows = self.connection.query_all_raw(self.connection.statement(sql, values)).await?;
        rows.iter().map(grants::read).collect()
    }

    /// A person's grants that are alive, newest first; at most a hundred.
    pub async fn list_living_grants(
        &self,
        user_id: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Grant>, StoreFault> {
        let sql = "SELECT * FROM grants WHERE user_id = $1 AND revoked_at IS NULL \
                   AND expires_at > $2 ORDER BY created_at DESC LIMIT 100";
        let values = [user_id.as_str().into(), now.millis().into()];
        let rows = self.connection.query_all_raw(self.connection.statement(sql, values)).await?;
        rows.iter().map(grants::read).collect()
    }

    /// What a person has agreed to, newest first.
    pub async fn list_consents(&self, user_id: &UserId) -> Result<Vec<Consent>, StoreFault> {
        let sql = "SELECT client_id, scope, granted_at FROM consents WHERE user_id = $1 \
                   ORDER BY granted_at DESC LIMIT 100";
        let stmt = self.connection.statement(sql, [user_id.as_str().into()]);
        let mut found = Vec::new();
        for row in self.connection.query_all_raw(stmt).await? {
            let (client, scope): (String, String) =
                (row.try_get("", "client_id")?, row.try_get("", "scope")?);
            found.push(Consent {
                user_id: user_id.clone(),
                client_id: ClientId::new(client),
                scope: from_json(&scope, "consents.scope")?,
                granted_at: Timestamp::from_millis(row.try_get("", "granted_at")?),
            });
        }
        Ok(found)
    }

    /// How much of it is alive, so that it can be told before it is ended.
    pub async fn count_living(&self, of: &Of, now: Timestamp) -> Result<Living, StoreFault> {
        let (sessions, grants, id): (Option<&str>, &str, Option<&str>) = match of {
            Of::User(id) => (Some("user_id = $2"), "user_id = $2", Some(id.as_str())),
            Of::Session(id) => (Some("id = $2"), "session_id = $2", Some(id.as_str())),
            Of::Grant(id) => (None, "id = $2", Some(id.as_str())),
            Of::Client(id) => (None, "client_id = $2", Some(id.as_str())),
            Of::Connection(id) => {
                (Some("connection_id = $2"), "connection_id = $2", Some(id.as_str()))
            }
            Of::Everybody => (Some("1 = 1"), "1 = 1", None),
        };
        let most = match of {
            Of::Everybody => i64::try_from(COUNTED_OF_ALL).unwrap_or(COUNTED),
            Of::User(_) | Of::Session(_) | Of::Grant(_) | Of::Client(_) | Of::Connection(_) => {
                COUNTED
            }
        };
        let values = || -> Vec<Value> {
            let now: Value = now.millis().into();
            std::iter::once(now).chain(id.map(Value::from)).collect()
        };
        let sessions = match sessions {
            None => 0,
            Some(which) => {
                let alive = format!("sessions WHERE {which} AND ended_at IS NULL");
                self.count(&alive, values(), most).await?
            }
        };
        let alive = format!("grants WHERE {grants} AND revoked_at IS NULL");
        Ok(Living { sessions, grants: self.count(&alive, values(), most).await? })
    }

    async fn count(&self, alive: &str, values: Vec<Value>, most: i64) -> Result<u64, StoreFault> {
        let sql = format!(
            "SELECT count(*) AS number FROM \
             (SELECT 1 FROM {alive} AND expires_at > $1 LIMIT {most}) AS alive"
        );
        let row = self.connection.query_one_raw(self.connection.statement(&sql, values)).await?;
        let number: i64 = row.map(|row| row.try_get("", "number")).transpose()?.unwrap_or(0);
        Ok(u64::try_from(number).unwrap_or(0))
    }
}
