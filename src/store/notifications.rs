//! The inbox of what upstreams announce, and what it says of identities.
//!
//! An announcement is written down once, however often it comes, and taken once, in the act that
//! does what follows from it: killed in between, nothing of that act stands and it is taken again.

use std::time::Duration;

use russet_protocol::ambient::Timestamp;
use russet_protocol::id::{ConnectionId, UserId};
use russet_protocol::notification::{Notification, NotificationKind};
use sea_orm::{ConnectionTrait as _, FromQueryResult, QueryResult};

use crate::act::WriteTx;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// How long a worked-off announcement is remembered: longer than its like is accepted.
const REMEMBERED: Duration = Duration::from_secs(72 * 3600);

const INSERT: &str = "INSERT INTO upstream_notifications \
    (authority, jti, connection_id, kind, subject, event_time, received_at, attempts, not_before) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $7) ON CONFLICT (authority, jti) DO NOTHING \
    RETURNING jti";
const HEARD: &str = "INSERT INTO connections_heard (connection_id, heard_at, kind) \
    VALUES ($1, $2, $3) ON CONFLICT (connection_id) DO UPDATE SET heard_at = $2, kind = $3 \
    WHERE connections_heard.heard_at <= $2";
const DUE: &str = "SELECT authority, jti, attempts FROM upstream_notifications \
    WHERE done_at IS NULL AND not_before <= $1 ORDER BY event_time, jti LIMIT $2";
const TAKE: &str = "UPDATE upstream_notifications SET done_at = $3, forget_at = $4 \
    WHERE authority = $1 AND jti = $2 AND done_at IS NULL \
    RETURNING connection_id, kind, subject, event_time";
const CONCLUDE: &str =
    "UPDATE upstream_notifications SET outcome = $3 WHERE authority = $1 AND jti = $2";
const POSTPONE: &str = "UPDATE upstream_notifications \
    SET attempts = attempts + 1, not_before = $3 \
    WHERE authority = $1 AND jti = $2 AND done_at IS NULL";
const LAST: &str =
    "SELECT connection_id, heard_at, kind FROM connections_heard ORDER BY connection_id";
const WAITING: &str = "SELECT COUNT(*) AS waiting FROM upstream_notifications \
    WHERE done_at IS NULL";
const END_IDENTITY: &str = "UPDATE identities SET ended_at = $3 \
    WHERE authority = $1 AND subject = $2 AND last_login_at <= $3 RETURNING user_id";
const FORWARDING: &str = "UPDATE identities SET forwarding_told_at = $3, \
    email_undeliverable_since = \
        CASE WHEN $4 THEN NULL ELSE COALESCE(email_undeliverable_since, $3) END \
    WHERE authority = $1 AND subject = $2 \
        AND (forwarding_told_at IS NULL OR forwarding_told_at < $3) RETURNING user_id";

/// An announcement that waits.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Due {
    /// Who announced it.
    pub authority: String,
    /// Its name there.
    pub jti: String,
    /// How often working it off has failed.
    pub attempts: i32,
}

/// An announcement and the connection it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What was announced.
    pub notification: Notification,
    /// To which connection.
    pub connection_id: ConnectionId,
}

/// When a connection was last announced something, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The connection.
    pub connection_id: ConnectionId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: NotificationKind,
}

impl Reader {
    /// Announcements that wait to be worked off, those that happened first before others.
    pub async fn due_notifications(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Due>, StoreFault> {
        let values = [now.millis().into(), i64::from(limit).into()];
        let rows = self.connection.query_all_raw(self.connection.statement(DUE, values)).await?;
        Ok(rows.iter().map(|row| Due::from_query_result(row, "")).collect::<Result<_, _>>()?)
    }

    /// How many announcements are not worked off yet.
    pub async fn waiting_notifications(&self) -> Result<u64, StoreFault> {
        let row = self.connection.query_one_raw(self.connection.statement(WAITING, [])).await?;
        let waiting: i64 = row.map(|row| row.try_get("", "waiting")).transpose()?.unwrap_or(0);
        Ok(u64::try_from(waiting).unwrap_or(0))
    }

    /// When each connection was last announced something; one that never was is not among them.
    pub async fn last_notifications(&self) -> Result<Vec<Heard>, StoreFault> {
        let rows = self.connection.query_all_raw(self.connection.statement(LAST, [])).await?;
        let heard = |row: &QueryResult| -> Result<Heard, StoreFault> {
            Ok(Heard {
                connection_id: ConnectionId::new(row.try_get::<String>("", "connection_id")?),
                at: Timestamp::from_millis(row.try_get("", "heard_at")?),
                kind: NotificationKind::parse(&row.try_get::<String>("", "kind")?),
            })
        };
        rows.iter().map(heard).collect()
    }
}

impl WriteTx {
    /// Writes an announcement down: `true` the first time, `false` for every repetition.
    pub async fn insert_notification(
        &self,
        notification: &Notification,
        connection_id: &ConnectionId,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let values = [
            notification.authority.as_str().into(),
            notification.jti.as_str().into(),
            connection_id.as_str().into(),
            notification.kind.as_str().into(),
            notification.subject.clone().into(),
            notification.event_time.millis().into(),
            now.millis().into(),
        ];
        let stmt = self.connection.statement(INSERT, values);
        let is_new = self.connection.query_one_raw(stmt).await?.is_some();
        let values =
            [connection_id.as_str().into(), now.millis().into(), notification.kind.as_str().into()];
        self.connection.execute_raw(self.connection.statement(HEARD, values)).await?;
        Ok(is_new)
    }

    /// Takes an announcement, for this act to do what follows from it; `None` when another act did.
    pub async fn take_notification(
        &self,
        due: &Due,
        now: Timestamp,
    ) -> Result<Option<Taken>, StoreFault> {
        let values = [
            due.authority.as_str().into(),
            due.jti.as_str().into(),
            now.millis().into(),
            now.plus(REMEMBERED).millis().into(),
        ];
        let stmt = self.connection.statement(TAKE, values);
        let Some(row) = self.connection.query_one_raw(stmt).await? else { return Ok(None) };
        Ok(Some(Taken {
            notification: Notification {
                authority: due.authority.clone(),
                jti: due.jti.clone(),
                kind: NotificationKind::parse(&row.try_get::<String>("", "kind")?),
                subject: row.try_get("", "subject")?,
                event_time: Timestamp::from_millis(row.try_get("", "event_time")?),
            },
            connection_id: ConnectionId::new(row.try_get::<String>("", "connection_id")?),
        }))
    }

    /// Notes what became of an announcement.
    pub async fn conclude_notification(
        &self,
        due: &Due,
        outcome: &'static str,
    ) -> Result<(), StoreFault> {
        let values = [due.authority.as_str().into(), due.jti.as_str().into(), outcome.into()];
        self.connection.execute_raw(self.connection.statement(CONCLUDE, values)).await?;
        Ok(())
    }

    /// Puts an announcement off after a failure.
    pub async fn postpone_notification(
        &self,
        due: &Due,
        not_before: Timestamp,
    ) -> Result<(), StoreFault> {
        let values =
            [due.authority.as_str().into(), due.jti.as_str().into(), not_before.millis().into()];
        self.connection.execute_raw(self.connection.statement(POSTPONE, values)).await?;
        Ok(())
    }

    /// Notes that the upstream no longer vouches for an identity since `event_time`, and says whose
    /// it is; `None` when there is none, or when somebody signed in with it after that moment. The
    /// next sign-in takes the note away.
    pub async fn end_identity(
        &self,
        authority: &str,
        subject: &str,
        event_time: Timestamp,
    ) -> Result<Option<UserId>, StoreFault> {
        let values = [authority.into(), subject.into(), event_time.millis().into()];
        let stmt = self.connection.statement(END_IDENTITY, values);
        let row = self.connection.query_one_raw(stmt).await?;
        let user_id: Option<String> = row.map(|row| row.try_get("", "user_id")).transpose()?;
        Ok(user_id.map(UserId::new))
    }

    /// Notes whether mail to an identity's address arrives, as of `event_time`, and says whose it
    /// is; `None` when there is none, or when something later is known.
    pub async fn set_forwarding(
        &self,
        authority: &str,
        subject: &str,
        arrives: bool,
        event_time: Timestamp,
    ) -> Result<Option<UserId>, StoreFault> {
        let values = [authority.into(), subject.into(), event_time.millis().into(), arrives.into()];
        let stmt = self.connection.statement(FORWARDING, values);
        let row = self.connection.query_one_raw(stmt).await?;
        let user_id: Option<String> = row.map(|row| row.try_get("", "user_id")).transpose()?;
        Ok(user_id.map(UserId::new))
    }
}
