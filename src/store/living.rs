//! What is alive: browser sessions and grants, for those who look after them. Nothing here writes.

use russet_protocol::ambient::Timestamp;
use russet_protocol::grant::Grant;
use russet_protocol::id::{ClientId, ConnectionId, GrantId, SessionId, UserId};
use russet_protocol::session::{Consent, Session};
use sea_orm::{ConnectionTrait as _, Value};

use crate::clients::Page;
use crate::column::{from_json, to_json};
use crate::fault::StoreFault;
use crate::paging::page;
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
    /// Those given to clients that may ask tokens for an API, by its identifier.
    Api(String),
    /// Those of people who came through a connection.
    Connection(ConnectionId),
    /// All there are.
    Everybody,
}

/// Which browser sessions are listed.
#[derive(Clone, Debug, Default)]
pub struct SessionsQuery {
    /// Only what follows this cursor.
    pub after: Option<String>,
    /// Whether those that began first come first.
    pub oldest_first: bool,
    /// How many there may be.
    pub limit: u32,
}

/// How much is alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Living {
    /// Browser sessions.
    pub sessions: u64,
    /// Grants: apps that hold tokens of somebody.
    pub grants: u64,
    /// Whose they are.
    pub people: u64,
}

/// Grants of clients that may ask tokens for an API.
const OF_API: &str =
    "client_id IN (SELECT client_id FROM clients WHERE resources LIKE $2 ESCAPE '!')";

/// Beyond this many nothing is counted.
const COUNTED: i64 = 100_000;
/// The same where everybody's is counted, for a page that shows much else.
pub const COUNTED_OF_ALL: u64 = 10_000;

impl Reader {
    /// Browser sessions that are alive, in the order in which they began.
    pub async fn list_living_sessions(
        &self,
        query: &SessionsQuery,
        now: Timestamp,
    ) -> Result<Page<Session>, StoreFault> {
        let SessionsQuery { after, oldest_first, limit } = query;
        let (way, beyond) = if *oldest_first { ("ASC", ">") } else { ("DESC", "<") };
        let after: Option<(i64, String)> =
            after.as_deref().and_then(|after| from_json(after, "a page").ok());
        let mut sql =
            "SELECT * FROM sessions WHERE ended_at IS NULL AND expires_at > $2".to_owned();
        let mut values: Vec<Value> =
            vec![i64::from(*limit).saturating_add(1).into(), now.millis().into()];
        if let Some((created_at, id)) = after {
            sql.push_str(&format!(" AND (created_at, id) {beyond} ($3, $4)"));
            values.extend([created_at.into(), id.into()]);
        }
        sql.push_str(&format!(" ORDER BY created_at {way}, id {way} LIMIT $1"));
        let rows = self.connection.query_all_raw(self.connection.statement(&sql, values)).await?;
        let found = rows.iter().map(sessions::read).collect::<Result<Vec<_>, _>>()?;
        page(found, *limit, |session| to_json(&(session.created_at.millis(), session.id.as_str())))
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
        // What a client or an API has to do with sessions, its grants say.
        let through_grants = "id IN (SELECT session_id FROM grants WHERE client_id = $2 \
                              AND revoked_at IS NULL)";
        let through_clients =
            format!("id IN (SELECT session_id FROM grants WHERE {OF_API} AND revoked_at IS NULL)");
        let (sessions, grants, id): (Option<&str>, &str, Option<String>) = match of {
            Of::User(id) => (Some("user_id = $2"), "user_id = $2", Some(id.to_string())),
            Of::Session(id) => (Some("id = $2"), "session_id = $2", Some(id.to_string())),
            Of::Grant(id) => (None, "id = $2", Some(id.to_string())),
            Of::Client(id) => (Some(through_grants), "client_id = $2", Some(id.to_string())),
            Of::Api(identifier) => {
                (Some(through_clients.as_str()), OF_API, Some(holding(identifier)?))
            }
            Of::Connection(id) => {
                (Some("connection_id = $2"), "connection_id = $2", Some(id.to_string()))
            }
            Of::Everybody => (Some("1 = 1"), "1 = 1", None),
        };
        let most = match of {
            Of::Everybody => i64::try_from(COUNTED_OF_ALL).unwrap_or(COUNTED),
            Of::User(_)
            | Of::Session(_)
            | Of::Grant(_)
            | Of::Client(_)
            | Of::Api(_)
            | Of::Connection(_) => COUNTED,
        };
        let values = || -> Vec<Value> {
            let now: Value = now.millis().into();
            std::iter::once(now).chain(id.clone().map(Value::from)).collect()
        };
        let alive = |table: &str, which: &str, over: &str| {
            format!(
                "SELECT user_id FROM {table} WHERE {which} AND {over} IS NULL \
                 AND expires_at > $1 LIMIT {most}"
            )
        };
        let sessions = sessions.map(|which| alive("sessions", which, "ended_at"));
        let grants = alive("grants", grants, "revoked_at");
        let either =
            sessions.iter().chain([&grants]).map(|one| format!("SELECT * FROM ({one}) AS one"));
        let people = either.collect::<Vec<_>>().join(" UNION ");
        Ok(Living {
            sessions: match &sessions {
                Some(sessions) => self.count(sessions, values()).await?,
                None => 0,
            },
            grants: self.count(&grants, values()).await?,
            people: self.count(&people, values()).await?,
        })
    }

    /// How many clients may ask tokens for an API.
    pub async fn count_clients_of_api(&self, identifier: &str) -> Result<u64, StoreFault> {
        let rows = "SELECT client_id FROM clients WHERE resources LIKE $1 ESCAPE '!'";
        self.count(rows, vec![holding(identifier)?.into()]).await
    }

    async fn count(&self, rows: &str, values: Vec<Value>) -> Result<u64, StoreFault> {
        let sql = format!("SELECT count(*) AS number FROM ({rows}) AS alive");
        let row = self.connection.query_one_raw(self.connection.statement(&sql, values)).await?;
        let number: i64 = row.map(|row| row.try_get("", "number")).transpose()?.unwrap_or(0);
        Ok(u64::try_from(number).unwrap_or(0))
    }
}

/// A pattern that fits JSON lists in which this text stands.
fn holding(text: &str) -> Result<String, StoreFault> {
    let quoted = to_json(&text)?;
    let exact = quoted.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    Ok(format!("%{exact}%"))
}
