//! Deletions under way and their receipts.
//!
//! A row is claimed like a delivery: `due_at` moves past the time the next step takes, in one
//! conditional statement. A step's effect and its line of the receipt are written in one act that
//! touches the row only as it was claimed, so a step that another replica finished is not done
//! again.

use russet_protocol::ambient::Timestamp;
use russet_protocol::deletion::{Deletion, DeletionState, DeletionStep, Receipt};
use russet_protocol::id::{DeletionId, UserId};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, ExprTrait as _, FromQueryResult as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
};

use crate::act::WriteTx;
use crate::column::{from_word, to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

/// The states of a deletion that is not done.
const UNDER_WAY: [DeletionState; 3] =
    [DeletionState::Revoking, DeletionState::Erasing, DeletionState::Telling];

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deletions")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: String,
        pub(super) user_id: Option<String>,
        pub(super) requested_by: String,
        pub(super) state: String,
        pub(super) attempts: i32,
        pub(super) requested_at: i64,
        pub(super) due_at: i64,
        pub(super) give_up_at: i64,
        pub(super) completed_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod step_row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "deletion_steps")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) deletion_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) number: i32,
        pub(super) step: String,
        pub(super) outcome: String,
        pub(super) at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(deletion: &Deletion) -> Self {
        Self {
            id: deletion.id.to_string(),
            user_id: deletion.user_id.as_ref().map(ToString::to_string),
            requested_by: deletion.requested_by.clone(),
            state: deletion.state.as_str().to_owned(),
            attempts: deletion.attempts,
            requested_at: deletion.requested_at.millis(),
            due_at: deletion.due_at.millis(),
            give_up_at: deletion.give_up_at.millis(),
            completed_at: to_millis(deletion.completed_at),
        }
    }

    fn into_domain(self) -> Result<Deletion, StoreFault> {
        Ok(Deletion {
            id: DeletionId::new(self.id),
            user_id: self.user_id.map(UserId::new),
            requested_by: self.requested_by,
            state: from_word(self.state, "deletions.state")?,
            attempts: self.attempts,
            requested_at: Timestamp::from_millis(self.requested_at),
            due_at: Timestamp::from_millis(self.due_at),
            give_up_at: Timestamp::from_millis(self.give_up_at),
            completed_at: to_time(self.completed_at),
        })
    }
}

const CLAIM: &str = "UPDATE deletions SET due_at = $2, attempts = attempts + 1 WHERE id = $1 \
                     AND state <> 'completed' AND due_at <= $3 RETURNING *";
const ADD_STEP: &str = "INSERT INTO deletion_steps (deletion_id, number, step, outcome, at) \
                        SELECT id, (SELECT COUNT(*) FROM deletion_steps WHERE deletion_id = $1) \
                        + 1, $2, $3, $4 FROM deletions WHERE id = $1";

impl Reader {
    /// The deletion of this person that is under way.
    pub async fn find_deletion_of(&self, id: &UserId) -> Result<Option<Deletion>, StoreFault> {
        let found = row::Entity::find()
            .filter(row::Column::UserId.eq(id.as_str()))
            .one(&self.connection)
            .await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// A deletion with its receipt.
    pub async fn find_receipt(&self, id: &DeletionId) -> Result<Option<Receipt>, StoreFault> {
        let Some(found) = row::Entity::find_by_id(id.as_str()).one(&self.connection).await? else {
            return Ok(None);
        };
        let steps = step_row::Entity::find()
            .filter(step_row::Column::DeletionId.eq(id.as_str()))
            .order_by_asc(step_row::Column::Number)
            .all(&self.connection)
            .await?;
        let step = |row: step_row::Model| DeletionStep {
            number: row.number,
            step: row.step,
            outcome: row.outcome,
            at: Timestamp::from_millis(row.at),
        };
        Ok(Some(Receipt {
            deletion: found.into_domain()?,
            steps: steps.into_iter().map(step).collect(),
        }))
    }

    /// Deletions, newest first: at most `limit`, only those under way if asked so; those before
    /// the one whose moment and id these are.
    pub async fn list_deletions(
        &self,
        under_way: bool,
        before: Option<&(i64, String)>,
        limit: u32,
    ) -> Result<Vec<Deletion>, StoreFault> {
        let mut select = row::Entity::find();
        if under_way {
            // By name, so that an index finds the few among all that are done.
            let words = UNDER_WAY.map(DeletionState::as_str);
            select = select.filter(row::Column::State.is_in(words));
        }
        if let Some((at, id)) = before {
            let same = row::Column::RequestedAt.eq(*at).and(row::Column::Id.gt(id.as_str()));
            select = select.filter(row::Column::RequestedAt.lt(*at).or(same));
        }
        let found = select
            .order_by_desc(row::Column::RequestedAt)
            .order_by_asc(row::Column::Id)
            .limit(u64::from(limit))
            .all(&self.connection)
            .await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }

    /// The deletions that can go on now, the longest due first.
    pub async fn due_deletions(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DeletionId>, StoreFault> {
        let ids: Vec<String> = row::Entity::find()
            .select_only()
            .column(row::Column::Id)
            .filter(row::Column::State.ne(DeletionState::Completed.as_str()))
            .filter(row::Column::DueAt.lte(now.millis()))
            .order_by_asc(row::Column::DueAt)
            .limit(u64::from(limit))
            .into_tuple()
            .all(&self.connection)
            .await?;
        Ok(ids.into_iter().map(DeletionId::new).collect())
    }
}

impl WriteTx {
    /// Stores a new deletion; `false` when one of this person is under way.
    pub async fn insert_deletion(&self, deletion: &Deletion) -> Result<bool, StoreFault> {
        let row = row::Model::from_domain(deletion).into_active_model();
        let once = OnConflict::column(row::Column::UserId).do_nothing().to_owned();
        let done = row::Entity::insert(row)
            .on_conflict(once)
            .exec_without_returning(&self.connection)
            .await?;
        Ok(done > 0)
    }

    /// Takes a deletion until `lease_until`; `None` when it is not due or somebody else has it.
    pub async fn claim_deletion(
        &self,
        id: &DeletionId,
        lease_until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Deletion>, StoreFault> {
        let values: [Value; 3] =
            [id.as_str().into(), lease_until.millis().into(), now.millis().into()];
        let stmt = self.connection.statement(CLAIM, values);
        match self.connection.query_one_raw(stmt).await? {
            Some(row) => row::Model::from_query_result(&row, "")?.into_domain().map(Some),
            None => Ok(None),
        }
    }

    /// Writes `next` over the row as it was claimed; `false`, and nothing changed, if somebody else
    /// has claimed it since.
    pub async fn advance_deletion(
        &self,
        claimed: &Deletion,
        next: &Deletion,
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(
                row::Column::UserId,
                Expr::value(next.user_id.as_ref().map(ToString::to_string)),
            )
            .col_expr(row::Column::State, Expr::value(next.state.as_str()))
            .col_expr(row::Column::Attempts, Expr::value(next.attempts))
            .col_expr(row::Column::DueAt, Expr::value(next.due_at.millis()))
            .col_expr(row::Column::CompletedAt, Expr::value(to_millis(next.completed_at)))
            .filter(row::Column::Id.eq(claimed.id.as_str()))
            .filter(row::Column::State.eq(claimed.state.as_str()))
            .filter(row::Column::Attempts.eq(claimed.attempts))
            .filter(row::Column::DueAt.eq(claimed.due_at.millis()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Lets a deletion that waits for its clients look again at once.
    pub async fn hasten_deletion(&self, id: &str, now: Timestamp) -> Result<(), StoreFault> {
        row::Entity::update_many()
            .col_expr(row::Column::DueAt, Expr::value(now.millis()))
            .filter(row::Column::Id.eq(id))
            .filter(row::Column::State.eq(DeletionState::Telling.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(())
    }

    /// Has a deletion that is not done go on at once; `false` when there is none.
    pub async fn retry_deletion(
        &self,
        id: &DeletionId,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let done = row::Entity::update_many()
            .col_expr(row::Column::DueAt, Expr::value(now.millis()))
            .filter(row::Column::Id.eq(id.as_str()))
            .filter(row::Column::State.ne(DeletionState::Completed.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(done.rows_affected > 0)
    }

    /// Adds a line to the receipt.
    pub async fn add_deletion_step(
        &self,
        id: &DeletionId,
        step: &str,
        outcome: &str,
        at: Timestamp,
    ) -> Result<(), StoreFault> {
        let values: [Value; 4] =
            [id.as_str().into(), step.into(), outcome.into(), at.millis().into()];
        self.connection.execute_raw(self.connection.statement(ADD_STEP, values)).await?;
        Ok(())
    }
}
