//! The audit log.

use russet_protocol::ambient::Timestamp;
use russet_protocol::event::Event;
use sea_orm::sea_query::LikeExpr;
use sea_orm::{
    ActiveValue, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use crate::act::WriteTx;
use crate::column::{from_json, like_literal, to_json};
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
        pub(super) actor: String,
        pub(super) target: Option<String>,
        pub(super) request_id: Option<String>,
        pub(super) detail: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Which events to list. The default is the newest of all, and none of them: set `limit`.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Only kinds that start so, such as `login.`.
    pub kind: Option<String>,
    /// Only what happened to this.
    pub target: Option<String>,
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
        if let Some(kind) = &query.kind {
            let pattern = LikeExpr::new(format!("{}%", like_literal(kind))).escape('\\');
            select = select.filter(row::Column::Kind.like(pattern));
        }
        if let Some(target) = &query.target {
            select = select.filter(row::Column::Target.eq(target.as_str()));
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
}

impl WriteTx {
    /// Writes an event down; it stands if the act does.
    pub async fn record(&self, event: &Event) -> Result<(), StoreFault> {
        let row = row::ActiveModel {
            id: ActiveValue::NotSet,
            at: ActiveValue::Set(event.at.millis()),
            kind: ActiveValue::Set(event.kind.clone()),
            actor: ActiveValue::Set(event.actor.clone()),
            target: ActiveValue::Set(event.target.clone()),
            request_id: ActiveValue::Set(event.request_id.clone()),
            detail: ActiveValue::Set(event.detail.as_ref().map(to_json).transpose()?),
        };
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }
}
