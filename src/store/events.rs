//! The audit log.

use russet_protocol::ambient::Timestamp;
use russet_protocol::event::{Event, area};
use sea_orm::{
    ActiveValue, ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, FromQueryResult as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
};

use crate::act::WriteTx;
use crate::column::{from_json, to_json};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "events")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i64,
        pub(super) at: i64,
        pub(super) kind: String,
        pub(super) area: String,
        pub(super) actor: String,
        pub(super) target: Option<String>,
        pub(super) request_id: Option<String>,
        pub(super) detail: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Events that were recorded a little earlier may have a little higher number.
const DISORDER: i64 = 1000;
/// Events looked through for one page of what must be two things at once.
const WINDOW: i64 = 10_000;
/// Events asked for by one statement, each along its index.
const LATEST: usize = 100;

/// Which events to list. The default is the newest of all, and none of them: set `limit`.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Only this kind; with a point at its end, such as `login.`, every kind of that area.
    pub kind: Option<String>,
    /// Only what this one did.
    pub actor: Option<String>,
    /// Only what happened to this.
    pub target: Option<String>,
    /// Only what happened under this request.
    pub request_id: Option<String>,
    /// Only from this moment on.
    pub from: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
    /// Only those before this number: the last one of the page before.
    pub before: Option<i64>,
    /// Only those after this number, from it on; then `before` says nothing.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// A page of events, and how far the log was looked through for it.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// What was found, newest first.
    pub found: Vec<RecordedEvent>,
    /// Where the search was left off before the page was full: the `before` to go on with.
    pub left_off: Option<i64>,
}

/// An event with its number in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Grows with time; of two transactions at once, either may have the lower.
    pub id: i64,
    /// What happened.
    pub event: Event,
}

impl row::Model {
    fn into_domain(self) -> Result<RecordedEvent, StoreFault> {
        let detail = self.detail.map(|text| from_json(&text, "events.detail")).transpose()?;
        Ok(RecordedEvent {
            id: self.id,
            event: Event {
                at: Timestamp::from_millis(self.at),
                kind: self.kind,
                actor: self.actor,
                target: self.target,
                request_id: self.request_id,
                detail,
            },
        })
    }
}

impl Reader {
    /// How many events are older than this; a hundred thousand at most.
    pub async fn count_events_before(&self, at: Timestamp) -> Result<u64, StoreFault> {
        let sql = "SELECT count(*) AS number FROM \
                   (SELECT 1 FROM events WHERE at < $1 LIMIT 100000) AS older";
        let stmt = self.connection.statement(sql, [at.millis().into()]);
        let row = self.connection.query_one_raw(stmt).await?;
        let number: i64 = row.map(|row| row.try_get("", "number")).transpose()?.unwrap_or(0);
        Ok(u64::try_from(number).unwrap_or(0))
    }

    /// Events, newest first.
    pub async fn list_events(&self, query: &EventQuery) -> Result<Vec<RecordedEvent>, StoreFault> {
        let mut select = row::Entity::find();
        select = match query.kind.as_deref().map(|kind| (kind, kind.strip_suffix('.'))) {
            None => select,
            Some((_, Some(area))) => select.filter(row::Column::Area.eq(area)),
            Some((kind, None)) => select.filter(row::Column::Kind.eq(kind)),
        };
        for (column, wanted) in [
            (row::Column::Actor, &query.actor),
            (row::Column::Target, &query.target),
            (row::Column::RequestId, &query.request_id),
        ] {
            if let Some(wanted) = wanted {
                select = select.filter(column.eq(wanted.as_str()));
            }
        }
        // Numbers grow with time, so a moment becomes a number and the order stays that of the
        // primary key; the moment itself then decides.
        if let Some(from) = query.from {
            let Some(first) = self.first_event_since(from).await? else { return Ok(Vec::new()) };
            let first = first.saturating_sub(DISORDER);
            select = select
                .filter(row::Column::Id.gte(first))
                .filter(row::Column::At.gte(from.millis()));
        }
        if let Some(until) = query.until {
            if let Some(first) = self.first_event_since(until).await? {
                select = select.filter(row::Column::Id.lt(first.saturating_add(DISORDER)));
            }
            select = select.filter(row::Column::At.lt(until.millis()));
        }
        if let Some(before) = query.before.filter(|_| query.after.is_none()) {
            select = select.filter(row::Column::Id.lt(before));
        }
        let limit = u64::from(query.limit);
        let mut found = match query.after {
            None => {
                select.order_by_desc(row::Column::Id).limit(limit).all(&self.connection).await?
            }
            Some(after) => {
                let select = select.filter(row::Column::Id.gt(after));
                select.order_by_asc(row::Column::Id).limit(limit).all(&self.connection).await?
            }
        };
        if query.after.is_some() {
            found.reverse();
        }
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// The newest event of each of these kinds and targets, in one go.
    pub async fn latest_events(
        &self,
        wanted: &[(&str, String)],
    ) -> Result<Vec<RecordedEvent>, StoreFault> {
        let mut found = Vec::new();
        // SQLite joins at most five hundred.
        for part in wanted.chunks(LATEST) {
            let mut values: Vec<Value> = Vec::new();
            let mut each = Vec::new();
            for (number, (kind, target)) in part.iter().enumerate() {
                values.extend([Value::from(*kind), Value::from(target.as_str())]);
                each.push(format!(
                    "SELECT * FROM (SELECT * FROM events WHERE kind = ${} AND target = ${} \
                     ORDER BY id DESC LIMIT 1) AS e{number}",
                    values.len().saturating_sub(1),
                    values.len(),
                ));
            }
            let stmt = self.connection.statement(&each.join(" UNION ALL "), values);
            for row in self.connection.query_all_raw(stmt).await? {
                found.push(row::Model::from_query_result(&row, "")?.into_domain()?);
            }
        }
        Ok(found)
    }

    /// Events, newest first, in a time that does not grow with the log. What must be two things at
    /// once has no index of its own: of each condition's newest events the sparsest condition's are
    /// looked through, and the search is left off where they end.
    pub async fn page_of_events(&self, query: &EventQuery) -> Result<Events, StoreFault> {
        let (column, kind) = match query.kind.as_deref() {
            Some(kind) => kind.strip_suffix('.').map_or(("kind", kind), |area| ("area", area)),
            None => ("kind", ""),
        };
        let wanted = [
            (column, query.kind.as_ref().map(|_| kind)),
            ("actor", query.actor.as_deref()),
            ("target", query.target.as_deref()),
            ("request_id", query.request_id.as_deref()),
        ];
        let wanted: Vec<(&str, &str)> =
            wanted.into_iter().filter_map(|(column, value)| Some((column, value?))).collect();
        if wanted.len() < 2 {
            return Ok(Events { found: self.list_events(query).await?, left_off: None });
        }
        if let Some(after) = query.after {
            return self.events_after(after, &wanted, query).await;
        }
        let mut before = query.before.unwrap_or(i64::MAX);
        if let Some(until) = query.until
            && let Some(first) = self.first_event_since(until).await?
        {
            before = before.min(first.saturating_add(DISORDER));
        }
        let mut sparsest: Option<(i64, &str)> = None;
        for (column, value) in &wanted {
            let reach = self.reach(column, value, before).await?;
            if sparsest.is_none_or(|(known, _)| reach < known) {
                sparsest = Some((reach, column));
            }
        }
        let (reach, first) = sparsest.unwrap_or((i64::MIN, "kind"));
        let mut values: Vec<Value> = vec![
            before.into(),
            i64::from(query.limit).into(),
            query.from.map_or(i64::MIN, Timestamp::millis).into(),
            query.until.map_or(i64::MAX, Timestamp::millis).into(),
        ];
        let (mut inner, mut others) = (String::new(), String::new());
        for (column, value) in &wanted {
            values.push((*value).into());
            let condition = format!(" AND {column} = ${}", values.len());
            if column == &first { &mut inner } else { &mut others }.push_str(&condition);
        }
        let sql = format!(
            "SELECT * FROM (SELECT * FROM events WHERE id < $1{inner} ORDER BY id DESC \
             LIMIT {WINDOW}) AS near WHERE at >= $3 AND at < $4{others} ORDER BY id DESC LIMIT $2"
        );
        let rows = self.connection.query_all_raw(self.connection.statement(&sql, values)).await?;
        let found: Vec<RecordedEvent> = rows
            .iter()
            .map(|row| row::Model::from_query_result(row, "")?.into_domain())
            .collect::<Result<_, StoreFault>>()?;
        let full = found.len() >= usize::try_from(query.limit).unwrap_or(usize::MAX);
        // What lies further back than the wanted moment is not worth going on for.
        let over = match query.from {
            Some(from) => self
                .first_event_since(from)
                .await?
                .is_none_or(|first| reach < first.saturating_sub(DISORDER)),
            None => false,
        };
        let left_off = (!full && !over && reach != i64::MIN).then_some(reach);
        Ok(Events { found, left_off })
    }

    /// The first events after a number that are all of these things: what is next along the index
    /// of one of them is looked through.
    async fn events_after(
        &self,
        after: i64,
        wanted: &[(&str, &str)],
        query: &EventQuery,
    ) -> Result<Events, StoreFault> {
        let mut values: Vec<Value> = vec![
            after.into(),
            i64::from(query.limit).into(),
            query.from.map_or(i64::MIN, Timestamp::millis).into(),
            query.until.map_or(i64::MAX, Timestamp::millis).into(),
        ];
        let mut conditions = Vec::new();
        for (column, value) in wanted {
            values.push((*value).into());
            conditions.push(format!(" AND {column} = ${}", values.len()));
        }
        let (first, others) = conditions
            .split_first()
            .map_or(("", [].as_slice()), |(first, others)| (first.as_str(), others));
        let sql = format!(
            "SELECT * FROM (SELECT * FROM events WHERE id > $1{first} ORDER BY id LIMIT {WINDOW}) \
             AS near WHERE at >= $3 AND at < $4{} ORDER BY id LIMIT $2",
            others.concat(),
        );
        let rows = self.connection.query_all_raw(self.connection.statement(&sql, values)).await?;
        let read = |row| row::Model::from_query_result(row, "")?.into_domain();
        let found = rows.iter().rev().map(read).collect::<Result<_, StoreFault>>()?;
        Ok(Events { found, left_off: None })
    }

    /// The oldest of the newest events with this value; the smallest number of all when there are
    /// no more of them.
    async fn reach(&self, column: &str, value: &str, before: i64) -> Result<i64, StoreFault> {
        let sql = format!(
            "SELECT min(id) AS oldest, count(*) AS number FROM (SELECT id FROM events \
             WHERE {column} = $1 AND id < $2 ORDER BY id DESC LIMIT {WINDOW}) AS near"
        );
        let stmt = self.connection.statement(&sql, [value.into(), before.into()]);
        let Some(row) = self.connection.query_one_raw(stmt).await? else { return Ok(i64::MIN) };
        let number: i64 = row.try_get("", "number")?;
        let oldest: Option<i64> = row.try_get("", "oldest")?;
        Ok(oldest.filter(|_| number >= WINDOW).unwrap_or(i64::MIN))
    }

    /// One event by its number.
    pub async fn find_event(&self, id: i64) -> Result<Option<RecordedEvent>, StoreFault> {
        let found = row::Entity::find_by_id(id).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    async fn first_event_since(&self, at: Timestamp) -> Result<Option<i64>, StoreFault> {
        let found: Option<i64> = row::Entity::find()
            .select_only()
            .column(row::Column::Id)
            .filter(row::Column::At.gte(at.millis()))
            .order_by_asc(row::Column::At)
            .limit(1)
            .into_tuple()
            .one(&self.connection)
            .await?;
        Ok(found)
    }
}

impl WriteTx {
    /// Writes an event down; it stands if the act does.
    pub async fn record(&self, event: &Event) -> Result<(), StoreFault> {
        let row = row::ActiveModel {
            id: ActiveValue::NotSet,
            at: ActiveValue::Set(event.at.millis()),
            kind: ActiveValue::Set(event.kind.clone()),
            area: ActiveValue::Set(area(&event.kind).to_owned()),
            actor: ActiveValue::Set(event.actor.clone()),
            target: ActiveValue::Set(event.target.clone()),
            request_id: ActiveValue::Set(event.request_id.clone()),
            detail: ActiveValue::Set(event.detail.as_ref().map(to_json).transpose()?),
        };
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }
}
