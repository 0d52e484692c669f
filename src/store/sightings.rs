//! Where somebody signed in and was last seen, and the name they chose: what only their own page
//! needs, apart from the rows that every sign-in reads.

use std::collections::HashMap;
use std::time::Duration;

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::{SessionId, UserId};
use sea_orm::ConnectionTrait as _;

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// Nobody is seen more often than this, so that a busy session is not written again and again.
const GRAIN: Duration = Duration::from_secs(5 * 60);

/// A browser as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// What it called itself.
    pub user_agent: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Reader {
    /// How the browsers of a person's sessions were last seen.
    pub async fn list_sightings(
        &self,
        user_id: &UserId,
    ) -> Result<HashMap<SessionId, Sighting>, StoreFault> {
        let sql = "SELECT seen.* FROM session_sightings AS seen \
                   JOIN sessions ON sessions.id = seen.session_id WHERE sessions.user_id = $1";
        let stmt = self.connection.statement(sql, [user_id.as_str().into()]);
        let mut found = HashMap::new();
        for row in self.connection.query_all_raw(stmt).await? {
            let id: String = row.try_get("", "session_id")?;
            let sighting = Sighting {
                user_agent: row.try_get("", "user_agent")?,
                at: Timestamp::from_millis(row.try_get("", "seen_at")?),
            };
            found.insert(SessionId::new(id), sighting);
        }
        Ok(found)
    }

    /// Whether a person chose their name themselves, so that no upstream may replace it.
    pub async fn has_chosen_name(&self, user_id: &UserId) -> Result<bool, StoreFault> {
        let sql = "SELECT 1 AS found FROM chosen_names WHERE user_id = $1";
        let stmt = self.connection.statement(sql, [user_id.as_str().into()]);
        Ok(self.connection.query_one_raw(stmt).await?.is_some())
    }
}

impl WriteTx {
    /// Notes that a session's browser is there. Says nothing new within a few minutes.
    pub async fn note_sighting(
        &self,
        session_id: &SessionId,
        user_agent: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let sql = "INSERT INTO session_sightings (session_id, user_agent, seen_at) \
                   VALUES ($1, $2, $3) ON CONFLICT (session_id) DO UPDATE SET \
                   user_agent = coalesce($2, session_sightings.user_agent), seen_at = $3 \
                   WHERE session_sightings.seen_at <= $4";
        let values = [
            session_id.as_str().into(),
            user_agent.into(),
            now.millis().into(),
            now.minus(GRAIN).millis().into(),
        ];
        self.connection.execute_raw(self.connection.statement(sql, values)).await?;
        Ok(())
    }

    /// Remembers that a person chose their name.
    pub async fn note_chosen_name(
        &self,
        user_id: &UserId,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let sql = "INSERT INTO chosen_names (user_id, chosen_at) VALUES ($1, $2) \
                   ON CONFLICT (user_id) DO UPDATE SET chosen_at = $2";
        let values = [user_id.as_str().into(), now.millis().into()];
        self.connection.execute_raw(self.connection.statement(sql, values)).await?;
        Ok(())
    }
}
