//! The audit log.

use russet_protocol::ambient::Timestamp;
use russet_protocol::event::Event;
use sea_orm::{
    ActiveValue, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
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
    /// At most so many.
    pub limit: u32,
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
        if let Some(before) = query.before {
            select = select.filter(row::Column::Id.lt(before));
        }
        let found = select
            .order_by_desc(row::Column::Id)
            .limit(u64::from(query.limit))
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
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
        let area = event.kind.split_once('.').map_or(event.kind.as_str(), |(area, _)| area);
        let row = row::ActiveModel {
            id: ActiveValue::NotSet,
            at: ActiveValue::Set(event.at.millis()),
            kind: ActiveValue::Set(event.kind.clone()),
            area: ActiveValue::Set(area.to_owned()),
            actor: ActiveValue::Set(event.actor.clone()),
            target: ActiveValue::Set(event.target.clone()),
            request_id: ActiveValue::Set(event.request_id.clone()),
            detail: ActiveValue::Set(event.detail.as_ref().map(to_json).transpose()?),
        };
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }
}
