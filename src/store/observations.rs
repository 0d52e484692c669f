//! What replicas observed, written in batches: of clients, of their secrets, and of whoever
//! fetches the key set.

use std::collections::HashMap;

use russet_protocol::ambient::Timestamp;
use russet_protocol::client::{GrantType, TokenEndpointAuthMethod};
use russet_protocol::id::ClientId;
use russet_protocol::observation::Observation;
use sea_orm::{ConnectionTrait as _, FromQueryResult, Value};

use crate::act::WriteTx;
use crate::column::{from_word, to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

/// User agents that are remembered; whoever comes later is not, until others are forgotten.
const AGENTS: i64 = 200;
/// After so long nobody is remembered.
const FORGOTTEN_AFTER: std::time::Duration = std::time::Duration::from_secs(90 * 24 * 3600);

/// Somebody who fetched the key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetcher {
    /// The user agent.
    pub agent: String,
    /// How often.
    pub times: u64,
    /// When last.
    pub last_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    token_at: Option<i64>,
    grant_type: Option<String>,
    authenticated_at: Option<i64>,
    auth_method: Option<String>,
    pkce_at: Option<i64>,
    no_pkce_at: Option<i64>,
}

impl Row {
    fn into_domain(self) -> Result<Observation, StoreFault> {
        let grant_type = self.grant_type.as_deref().and_then(GrantType::parse);
        let method: Option<TokenEndpointAuthMethod> = self
            .auth_method
            .map(|word| from_word(word, "client_observations.auth_method"))
            .transpose()?;
        Ok(Observation {
            token: to_time(self.token_at).zip(grant_type),
            authenticated: to_time(self.authenticated_at).zip(method),
            pkce_at: to_time(self.pkce_at),
            no_pkce_at: to_time(self.no_pkce_at),
        })
    }
}

#[derive(FromQueryResult)]
struct FetcherRow {
    agent: String,
    times: i64,
    last_at: i64,
}

const FIND: &str = "SELECT token_at, grant_type, authenticated_at, auth_method, pkce_at, \
                    no_pkce_at FROM client_observations WHERE client_id = $1";
// A client that is gone meanwhile is passed over.
const PUT: &str = "INSERT INTO client_observations (client_id, token_at, grant_type, \
                   authenticated_at, auth_method, pkce_at, no_pkce_at) \
                   SELECT client_id, $2, $3, $4, $5, $6, $7 FROM clients WHERE client_id = $1 \
                   ON CONFLICT (client_id) DO UPDATE SET token_at = excluded.token_at, \
                   grant_type = excluded.grant_type, \
                   authenticated_at = excluded.authenticated_at, \
                   auth_method = excluded.auth_method, pkce_at = excluded.pkce_at, \
                   no_pkce_at = excluded.no_pkce_at";
const USED: &str = "UPDATE client_secrets SET last_used_at = $3 WHERE client_id = $1 AND id = $2 \
                    AND (last_used_at IS NULL OR last_used_at < $3)";
const FETCHERS: &str =
    "SELECT agent, times, last_at FROM key_set_fetchers ORDER BY last_at DESC, agent LIMIT 200";
const FETCHED: &str = "UPDATE key_set_fetchers SET times = times + $2, \
                       last_at = CASE WHEN last_at > $3 THEN last_at ELSE $3 END WHERE agent = $1";
const NEW_FETCHER: &str = "INSERT INTO key_set_fetchers (agent, times, last_at) SELECT $1, $2, $3 \
                           WHERE (SELECT count(*) FROM key_set_fetchers) < $4 \
                           ON CONFLICT (agent) DO NOTHING";
const FORGET: &str = "DELETE FROM key_set_fetchers WHERE last_at < $1";

impl Reader {
    /// What was observed of a client; nothing yet if it was never seen.
    pub async fn find_observation(&self, id: &ClientId) -> Result<Observation, StoreFault> {
        let stmt = self.connection.statement(FIND, [id.as_str().into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else {
            return Ok(Observation::default());
        };
        Row::from_query_result(&row, "")?.into_domain()
    }

    /// When these clients last obtained a token, as far as they were seen to.
    pub async fn last_tokens(
        &self,
        ids: &[&ClientId],
    ) -> Result<HashMap<ClientId, Timestamp>, StoreFault> {
        let mut seen = HashMap::new();
        // Both databases take so many values at once.
        for part in ids.chunks(1000) {
            let places: Vec<_> = (1..=part.len()).map(|number| format!("${number}")).collect();
            let sql = format!(
                "SELECT client_id, token_at FROM client_observations \
                 WHERE token_at IS NOT NULL AND client_id IN ({})",
                places.join(", ")
            );
            let values = part.iter().map(|id| id.as_str().into()).collect::<Vec<Value>>();
            for row in
                self.connection.query_all_raw(self.connection.statement(&sql, values)).await?
            {
                let (id, at): (String, i64) =
                    (row.try_get("", "client_id")?, row.try_get("", "token_at")?);
                seen.insert(ClientId::new(id), Timestamp::from_millis(at));
            }
        }
        Ok(seen)
    }

    /// Who fetched the key set, who came last first.
    pub async fn list_key_set_fetchers(&self) -> Result<Vec<Fetcher>, StoreFault> {
        let stmt = self.connection.statement(FETCHERS, Vec::<Value>::new());
        let mut found = Vec::new();
        for row in self.connection.query_all_raw(stmt).await? {
            let row = FetcherRow::from_query_result(&row, "")?;
            found.push(Fetcher {
                agent: row.agent,
                times: u64::try_from(row.times).unwrap_or_default(),
                last_at: Timestamp::from_millis(row.last_at),
            });
        }
        Ok(found)
    }
}

impl WriteTx {
    /// Adds to what is known of these clients.
    pub async fn observe_clients(
        &self,
        seen: &HashMap<ClientId, Observation>,
    ) -> Result<(), StoreFault> {
        for (id, new) in seen {
            let mut all = self.find_observation(id).await?;
            all.merge(new);
            let word = |word: Option<&'static str>| word.map(ToOwned::to_owned);
            let values: [Value; 7] = [
                id.as_str().into(),
                to_millis(all.token.map(|(at, _)| at)).into(),
                word(all.token.map(|(_, grant)| grant.as_str())).into(),
                to_millis(all.authenticated.map(|(at, _)| at)).into(),
                word(all.authenticated.map(|(_, method)| method.as_str())).into(),
                to_millis(all.pkce_at).into(),
                to_millis(all.no_pkce_at).into(),
            ];
            self.connection.execute_raw(self.connection.statement(PUT, values)).await?;
        }
        Ok(())
    }

    /// Notes when secrets were last used.
    pub async fn secrets_used(
        &self,
        used: &HashMap<(ClientId, String), Timestamp>,
    ) -> Result<(), StoreFault> {
        for ((client_id, id), at) in used {
            let values = [client_id.as_str().into(), id.as_str().into(), at.millis().into()];
            self.connection.execute_raw(self.connection.statement(USED, values)).await?;
        }
        Ok(())
    }

    /// Adds fetches of the key set, and forgets those of long ago.
    pub async fn key_set_fetched(
        &self,
        fetchers: &[Fetcher],
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let long_ago = now.minus(FORGOTTEN_AFTER).millis();
        let forget = self.connection.statement(FORGET, [long_ago.into()]);
        self.connection.execute_raw(forget).await?;
        for fetcher in fetchers {
            let times = i64::try_from(fetcher.times).unwrap_or(i64::MAX);
            let agent = fetcher.agent.as_str();
            let values: [Value; 3] = [agent.into(), times.into(), fetcher.last_at.millis().into()];
            let known = self.connection.statement(FETCHED, values.clone());
            if self.connection.execute_raw(known).await?.rows_affected() == 0 {
                let values = values.into_iter().chain([AGENTS.into()]);
                let new = self.connection.statement(NEW_FETCHER, values);
                self.connection.execute_raw(new).await?;
            }
        }
        Ok(())
    }
}
