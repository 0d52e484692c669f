//! How the jobs stand, one row each.

use russet_protocol::ambient::Timestamp;
use russet_protocol::job::{JobCondition, JobState};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ConnectionTrait as _, EntityTrait as _, ExprTrait as _, IntoActiveModel as _, QueryOrder as _,
};

use crate::act::WriteTx;
use crate::column::{from_word, to_millis, to_time};
use crate::fault::StoreFault;
use crate::reader::Reader;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "job_states")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) name: String,
        pub(super) state: String,
        pub(super) state_since: i64,
        pub(super) last_run_at: Option<i64>,
        pub(super) last_ok_at: Option<i64>,
        pub(super) resume_at: Option<i64>,
        pub(super) failures: i32,
        pub(super) detail: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl row::Model {
    fn from_domain(job: &JobState) -> Self {
        Self {
            name: job.name.clone(),
            state: job.condition.as_str().to_owned(),
            state_since: job.since.millis(),
            last_run_at: to_millis(job.last_run_at),
            last_ok_at: to_millis(job.last_ok_at),
            resume_at: to_millis(job.resume_at),
            failures: job.failures,
            detail: job.detail.clone(),
        }
    }

    fn into_domain(self) -> Result<JobState, StoreFault> {
        Ok(JobState {
            name: self.name,
            condition: from_word(self.state, "job_states.state")?,
            since: Timestamp::from_millis(self.state_since),
            last_run_at: to_time(self.last_run_at),
            last_ok_at: to_time(self.last_ok_at),
            resume_at: to_time(self.resume_at),
            failures: self.failures,
            detail: self.detail,
        })
    }
}

impl Reader {
    /// How this job stands, if it has ever said so.
    pub async fn find_job_state(&self, name: &str) -> Result<Option<JobState>, StoreFault> {
        let found = row::Entity::find_by_id(name).one(&self.connection).await?;
        found.map(row::Model::into_domain).transpose()
    }

    /// How every job stands, by name.
    pub async fn list_job_states(&self) -> Result<Vec<JobState>, StoreFault> {
        let found =
            row::Entity::find().order_by_asc(row::Column::Name).all(&self.connection).await?;
        found.into_iter().map(row::Model::into_domain).collect()
    }
}

impl WriteTx {
    /// Writes down how a job stands, in place of what was known; nothing while an operator holds
    /// it, so that a round that was under way does not let it go on.
    pub async fn put_job_state(&self, job: &JobState) -> Result<(), StoreFault> {
        use row::Column;
        let row = row::Model::from_domain(job).into_active_model();
        let replace = OnConflict::column(Column::Name)
            .update_columns([
                Column::State,
                Column::StateSince,
                Column::LastRunAt,
                Column::LastOkAt,
                Column::ResumeAt,
                Column::Failures,
                Column::Detail,
            ])
            .action_and_where(
                Expr::col((row::Entity, Column::State)).ne(JobCondition::Held.as_str()),
            )
            .to_owned();
        row::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// Holds a job for the operator; `false` when it is unknown.
    pub async fn hold_job(&self, name: &str, now: Timestamp) -> Result<bool, StoreFault> {
        let sql = "UPDATE job_states SET state = 'held', state_since = $2, resume_at = NULL, \
                   detail = NULL WHERE name = $1";
        self.turn_job(sql, name, now).await
    }

    /// Lets a job go on that was held; one that is held up by something else tries again at once,
    /// and stays what it is until that went well. `false` when it is unknown.
    pub async fn resume_job(&self, name: &str, now: Timestamp) -> Result<bool, StoreFault> {
        let sql = "UPDATE job_states SET resume_at = NULL, failures = 0, \
                   state_since = CASE WHEN state = 'held' THEN $2 ELSE state_since END, \
                   state = CASE WHEN state = 'held' THEN 'running' ELSE state END WHERE name = $1";
        self.turn_job(sql, name, now).await
    }

    async fn turn_job(&self, sql: &str, name: &str, now: Timestamp) -> Result<bool, StoreFault> {
        let stmt = self.connection.statement(sql, [name.into(), now.millis().into()]);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }
}
