//! The outbox: what is owed to clients, written in the act that caused it.
//!
//! A row is claimed by moving `due_at` past the time an attempt takes, in one conditional
//! statement: of two replicas one gets it, and if that one dies the row is due again by itself. An
//! outcome counts only from the attempt that is the latest.

use russet_protocol::ambient::Timestamp;
use russet_protocol::delivery::{Delivery, DeliveryState, Message};
use russet_protocol::id::ClientId;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ActiveValue, ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, ExprTrait as _,
    FromQueryResult as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use crate::act::WriteTx;
use crate::column::{from_json, from_word, to_json, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i64,
        pub(super) client_id: String,
        pub(super) kind: String,
        pub(super) payload: String,
        pub(super) cause: Option<String>,
        pub(super) state: String,
        pub(super) attempts: i32,
        pub(super) created_at: i64,
        pub(super) due_at: i64,
        pub(super) give_up_at: i64,
        pub(super) settled_at: Option<i64>,
        pub(super) last_error: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The payload of a delivery whose message is forgotten.
const FORGOTTEN: &str = "{}";

impl row::Model {
    fn into_domain(self) -> Result<Delivery, StoreFault> {
        let message = match self.payload.as_str() {
            FORGOTTEN => None,
            payload => Some(from_json(payload, "outbox.payload")?),
        };
        Ok(Delivery {
            id: self.id,
            client_id: ClientId::new(self.client_id),
            kind: self.kind,
            message,
            cause: self.cause,
            state: from_word(self.state, "outbox.state")?,
            attempts: self.attempts,
            created_at: Timestamp::from_millis(self.created_at),
            due_at: Timestamp::from_millis(self.due_at),
            give_up_at: Timestamp::from_millis(self.give_up_at),
            settled_at: to_time(self.settled_at),
            last_error: self.last_error,
        })
    }
}

/// Which deliveries to list, newest first. The default is all of them, and none: set `limit`.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    /// Only those to this client.
    pub client_id: Option<ClientId>,
    /// Only those that stand so.
    pub state: Option<DeliveryState>,
    /// Only those that belong to this.
    pub cause: Option<String>,
    /// Only those before this number: the last one of the page before.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The client took it; what it was is forgotten.
    Delivered,
    /// To be tried again.
    Again {
        /// When.
        due_at: Timestamp,
        /// What went wrong.
        error: String,
    },
    /// Given up.
    Failed {
        /// Why.
        error: String,
    },
}

const CLAIM: &str = "UPDATE outbox SET due_at = $1, attempts = attempts + 1 \
                     WHERE id IN (SELECT id FROM outbox WHERE state = 'owed' AND due_at <= $2 \
                     ORDER BY due_at, id LIMIT $3) AND state = 'owed' AND due_at <= $2 \
                     RETURNING *";

impl Reader {
    /// Whether anything is due: cheaper than to claim in vain.
    pub async fn is_delivery_due(&self, now: Timestamp) -> Result<bool, StoreFault> {
        let due = row::Entity::find()
            .select_only()
            .column(row::Column::Id)
            .filter(row::Column::State.eq(DeliveryState::Owed.as_str()))
            .filter(row::Column::DueAt.lte(now.millis()))
            .limit(1)
            .into_tuple::<i64>()
            .one(&self.connection)
            .await?;
        Ok(due.is_some())
    }

    /// Deliveries, newest first.
    pub async fn list_deliveries(
        &self,
        query: &DeliveryQuery,
    ) -> Result<Vec<Delivery>, StoreFault> {
        let mut select = row::Entity::find();
        if let Some(client_id) = &query.client_id {
            select = select.filter(row::Column::ClientId.eq(client_id.as_str()));
        }
        if let Some(state) = query.state {
            select = select.filter(row::Column::State.eq(state.as_str()));
        }
        if let Some(cause) = &query.cause {
            select = select.filter(row::Column::Cause.eq(cause.as_str()));
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

    /// The delivery with this number.
    pub async fn find_delivery(&self, id: i64) -> Result<Option<Delivery>, StoreFault> {
        let found = row::Entity::find_by_id(id).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// How many deliveries that belong to `cause` stand so.
    pub async fn count_deliveries(
        &self,
        cause: &str,
        state: DeliveryState,
    ) -> Result<u64, StoreFault> {
        let of_cause = row::Column::Cause.eq(cause).and(row::Column::State.eq(state.as_str()));
        Ok(row::Entity::find().filter(of_cause).count(&self.connection).await?)
    }
}

impl WriteTx {
    /// Owes a client a message, due at once; it stands if the act does.
    pub async fn owe(
        &self,
        client_id: &ClientId,
        message: &Message,
        cause: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let row = row::ActiveModel {
            id: ActiveValue::NotSet,
            client_id: ActiveValue::Set(client_id.to_string()),
            kind: ActiveValue::Set(message.kind().to_owned()),
            payload: ActiveValue::Set(to_json(message)?),
            cause: ActiveValue::Set(cause.map(ToOwned::to_owned)),
            state: ActiveValue::Set(DeliveryState::Owed.as_str().to_owned()),
            attempts: ActiveValue::Set(0),
            created_at: ActiveValue::Set(now.millis()),
            due_at: ActiveValue::Set(now.millis()),
            give_up_at: ActiveValue::Set(now.plus(message.patience()).millis()),
            settled_at: ActiveValue::Set(None),
            last_error: ActiveValue::Set(None),
        };
        row::Entity::insert(row).exec_without_returning(&self.connection).await?;
        Ok(())
    }

    /// Takes at most `limit` of what is due, until `lease_until`; nobody else gets them before.
    pub async fn claim_deliveries(
        &self,
        limit: u32,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Delivery>, StoreFault> {
        let values = [lease_until.millis().into(), now.millis().into(), i64::from(limit).into()];
        let stmt = self.connection.statement(CLAIM, values);
        let mut claimed = Vec::new();
        for row in self.connection.query_all_raw(stmt).await? {
            claimed.push(row::Model::from_query_result(&row, "")?.into_domain()?);
        }
        Ok(claimed)
    }

    /// Notes how the attempt ended that `claimed` began; `false` if it is no longer the latest.
    pub async fn settle_delivery(
        &self,
        claimed: &Delivery,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let settled = |state: DeliveryState, error: Option<&String>| {
            row::Entity::update_many()
                .col_expr(row::Column::State, Expr::value(state.as_str()))
                .col_expr(row::Column::SettledAt, Expr::value(now.millis()))
                .col_expr(row::Column::LastError, Expr::value(error.cloned()))
        };
        let update = match attempt {
            Attempt::Delivered => settled(DeliveryState::Delivered, None)
                .col_expr(row::Column::Payload, Expr::value(FORGOTTEN)),
            Attempt::Failed { error } => settled(DeliveryState::Failed, Some(error)),
            Attempt::Again { due_at, error } => row::Entity::update_many()
                .col_expr(row::Column::DueAt, Expr::value(due_at.millis()))
                .col_expr(row::Column::LastError, Expr::value(error.as_str())),
        };
        let done = update.filter(self::latest(claimed)).exec(&self.connection).await?;
        Ok(done.rows_affected > 0)
    }

    /// Owes a given-up delivery anew, as long as its message is there; `false` if it is not.
    pub async fn owe_again(
        &self,
        id: i64,
        give_up_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::State, Expr::value(DeliveryState::Owed.as_str()))
            .col_expr(row::Column::SettledAt, Expr::value(None::<i64>))
            .col_expr(row::Column::DueAt, Expr::value(now.millis()))
            .col_expr(row::Column::GiveUpAt, Expr::value(give_up_at.millis()))
            .filter(row::Column::Id.eq(id))
            .filter(row::Column::State.eq(DeliveryState::Failed.as_str()))
            .filter(row::Column::Payload.ne(FORGOTTEN))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }
}

fn latest(claimed: &Delivery) -> SimpleExpr {
    row::Column::Id
        .eq(claimed.id)
        .and(row::Column::State.eq(DeliveryState::Owed.as_str()))
        .and(row::Column::Attempts.eq(claimed.attempts))
}
