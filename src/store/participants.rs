//! Who must be told: the clients that a browser session signed in to, and those that know a person.
//!
//! Grants do not answer this: one without a refresh family is swept minutes after the app signed
//! somebody in, and the app's own session goes on for hours.

use russet_protocol::grant::Grant;
use russet_protocol::id::{ClientId, ConnectionId, SessionId, UserId};
use sea_orm::{ConnectionTrait as _, FromQueryResult, Value};

use crate::act::WriteTx;
use crate::connection::Connection;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// A client that somebody was signed in to from a session.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
struct ParticipantRow {
    session_id: String,
    client_id: String,
    sub: String,
}

/// A client that somebody was signed in to from a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The session.
    pub session_id: SessionId,
    /// The client.
    pub client_id: ClientId,
    /// The person, as this client knows them.
    pub sub: String,
}

/// A client that knows a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The client.
    pub client_id: ClientId,
    /// The person, as this client knows them.
    pub sub: String,
}

#[derive(FromQueryResult)]
struct LinkRow {
    client_id: String,
    sub: String,
}

const LINK: &str = "INSERT INTO client_links (user_id, client_id, sub, linked_at) \
                    VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, client_id) DO UPDATE SET sub = $3";
const TAKE_PART: &str = "INSERT INTO session_clients (session_id, client_id, sub) \
                         SELECT id, $2, $3 FROM sessions WHERE id = $1 \
                         ON CONFLICT (session_id, client_id) DO UPDATE SET sub = $3";
const PARTICIPANTS: &str = "SELECT c.session_id, c.client_id, c.sub FROM session_clients c \
                            JOIN sessions s ON s.id = c.session_id WHERE s.ended_at IS NULL AND";
const LINKS: &str = "SELECT client_id, sub FROM client_links WHERE user_id = $1 ORDER BY client_id";
const SESSIONLESS: &str = "SELECT DISTINCT l.client_id, l.sub FROM client_links l \
                           JOIN grants g ON g.user_id = l.user_id AND g.client_id = l.client_id \
                           WHERE l.user_id = $1 AND NOT EXISTS (SELECT 1 FROM sessions s \
                           WHERE s.id = g.session_id AND s.ended_at IS NULL) \
                           AND g.revoked_at IS NULL AND g.connection_id IN";

impl Reader {
    /// The clients signed in to from this session, as long as it has not ended.
    pub async fn participants_of_session(
        &self,
        id: &SessionId,
    ) -> Result<Vec<Participant>, StoreFault> {
        self.participants("s.id = $1 ORDER BY c.client_id", vec![id.as_str().into()]).await
    }

    /// The clients signed in to from any of this person's sessions that have not ended.
    pub async fn participants_of_user(&self, id: &UserId) -> Result<Vec<Participant>, StoreFault> {
        let which = "s.user_id = $1 ORDER BY s.id, c.client_id";
        self.participants(which, vec![id.as_str().into()]).await
    }

    /// The same, of the sessions that began through one of these connections.
    pub async fn participants_of_connections(
        &self,
        id: &UserId,
        connections: &[ConnectionId],
    ) -> Result<Vec<Participant>, StoreFault> {
        let (places, mut values) = places_after(1, connections);
        values.insert(0, id.as_str().into());
        let which =
            format!("s.user_id = $1 AND s.connection_id IN ({places}) ORDER BY s.id, c.client_id");
        self.participants(&which, values).await
    }

    /// Every client that knows this person.
    pub async fn links_of_user(&self, id: &UserId) -> Result<Vec<Link>, StoreFault> {
        self.links(LINKS, vec![id.as_str().into()]).await
    }

    /// The clients that this person signed in to through one of these connections and whose grant
    /// still stands, without a browser session or after its end.
    pub async fn sessionless_links(
        &self,
        id: &UserId,
        connections: &[ConnectionId],
    ) -> Result<Vec<Link>, StoreFault> {
        let (places, mut values) = places_after(1, connections);
        values.insert(0, id.as_str().into());
        self.links(&format!("{SESSIONLESS} ({places})"), values).await
    }

    async fn participants(
        &self,
        which: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Participant>, StoreFault> {
        let stmt = self.connection.statement(&format!("{PARTICIPANTS} {which}"), values);
        let mut found = Vec::new();
        for row in self.connection.query_all_raw(stmt).await? {
            let row = ParticipantRow::from_query_result(&row, "")?;
            found.push(Participant {
                session_id: SessionId::new(row.session_id),
                client_id: ClientId::new(row.client_id),
                sub: row.sub,
            });
        }
        Ok(found)
    }

    async fn links(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Link>, StoreFault> {
        let stmt = self.connection.statement(sql, values);
        let mut found = Vec::new();
        for row in self.connection.query_all_raw(stmt).await? {
            let row = LinkRow::from_query_result(&row, "")?;
            found.push(Link { client_id: ClientId::new(row.client_id), sub: row.sub });
        }
        Ok(found)
    }
}

/// `$n, …` for values that come after `before` others.
fn places_after(before: usize, connections: &[ConnectionId]) -> (String, Vec<Value>) {
    let places: Vec<String> =
        (1..=connections.len()).map(|place| format!("${}", place + before)).collect();
    // No connection is no row.
    let places = if places.is_empty() { "NULL".to_owned() } else { places.join(", ") };
    (places, connections.iter().map(|id| id.as_str().into()).collect())
}

impl WriteTx {
    /// Remembers whom a grant was given to: called with every new grant.
    pub(crate) async fn remember_client(&self, grant: &Grant) -> Result<(), StoreFault> {
        let client_id = grant.client_id.as_str();
        let sub = grant.terms.sub.as_str();
        let link = [
            grant.user_id.as_str().into(),
            client_id.into(),
            sub.into(),
            grant.created_at.millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(LINK, link)).await?;
        if let Some(session_id) = &grant.session_id {
            let part = [session_id.as_str().into(), client_id.into(), sub.into()];
            self.connection.execute_raw(self.connection.statement(TAKE_PART, part)).await?;
        }
        Ok(())
    }
}

/// Sealed bearer tokens of receivers of security events.
const PUT_BEARER: &str = "INSERT INTO event_receivers (client_id, sealed_bearer) VALUES ($1, $2) \
                          ON CONFLICT (client_id) DO UPDATE SET sealed_bearer = $2";
const FIND_BEARER: &str = "SELECT sealed_bearer FROM event_receivers WHERE client_id = $1";
const DELETE_BEARER: &str = "DELETE FROM event_receivers WHERE client_id = $1";

impl Reader {
    /// The sealed bearer token that this client's receiver wants to see.
    pub async fn find_event_bearer(&self, id: &ClientId) -> Result<Option<Vec<u8>>, StoreFault> {
        let connection: &Connection = &self.connection;
        let stmt = connection.statement(FIND_BEARER, [id.as_str().into()]);
        let row = connection.query_one_raw(stmt).await?;
        Ok(row.map(|row| row.try_get("", "sealed_bearer")).transpose()?)
    }
}

impl WriteTx {
    /// Keeps the sealed bearer token of a client's receiver, in place of an earlier one; `None`
    /// takes it away.
    pub async fn put_event_bearer(
        &self,
        id: &ClientId,
        sealed: Option<&[u8]>,
    ) -> Result<(), StoreFault> {
        let stmt = match sealed {
            Some(sealed) => {
                self.connection.statement(PUT_BEARER, [id.as_str().into(), sealed.to_vec().into()])
            }
            None => self.connection.statement(DELETE_BEARER, [id.as_str().into()]),
        };
        self.connection.execute_raw(stmt).await?;
        Ok(())
    }
}
