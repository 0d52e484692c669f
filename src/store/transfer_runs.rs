//! The run of a move between Apple teams that goes on by itself: one row, so one run at a time.

use russet_protocol::ambient::Timestamp;
use sea_orm::{ConnectionTrait as _, FromQueryResult};

use crate::act::WriteTx;
use crate::column::to_time;
use crate::fault::StoreFault;
use crate::reader::Reader;

/// A run, from its beginning to its end and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRun {
    /// What it does, as its caller writes it.
    pub run: String,
    /// Who began it.
    pub requested_by: String,
    /// The `X-Request-Id` they began it under.
    pub request_id: Option<String>,
    /// How often it has come to a halt.
    pub attempts: i32,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When it goes on, after a halt.
    pub due_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it halts, or ended before its time.
    pub trouble: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    run: String,
    requested_by: String,
    request_id: Option<String>,
    attempts: i32,
    begun_at: i64,
    due_at: i64,
    ended_at: Option<i64>,
    trouble: Option<String>,
}

impl Row {
    fn into_domain(self) -> TransferRun {
        TransferRun {
            run: self.run,
            requested_by: self.requested_by,
            request_id: self.request_id,
            attempts: self.attempts,
            begun_at: Timestamp::from_millis(self.begun_at),
            due_at: Timestamp::from_millis(self.due_at),
            ended_at: to_time(self.ended_at),
            trouble: self.trouble,
        }
    }
}

const FIND: &str = "SELECT * FROM transfer_runs WHERE name = 'apple'";
const BEGIN: &str = "INSERT INTO transfer_runs \
     (name, run, requested_by, request_id, attempts, begun_at, due_at) \
     VALUES ('apple', $1, $2, $3, 0, $4, $4) ON CONFLICT (name) DO UPDATE SET run = $1, \
     requested_by = $2, request_id = $3, attempts = 0, begun_at = $4, due_at = $4, \
     ended_at = NULL, trouble = NULL WHERE transfer_runs.ended_at IS NOT NULL";
const HALT: &str = "UPDATE transfer_runs SET attempts = attempts + 1, due_at = $2, trouble = $3 \
                    WHERE name = 'apple' AND begun_at = $1 AND ended_at IS NULL";
const END: &str = "UPDATE transfer_runs SET ended_at = $2, trouble = $3 \
                   WHERE name = 'apple' AND begun_at = $1 AND ended_at IS NULL";

impl Reader {
    /// The run that is under way, or the last one.
    pub async fn find_transfer_run(&self) -> Result<Option<TransferRun>, StoreFault> {
        let found = self.connection.query_one_raw(self.connection.statement(FIND, [])).await?;
        found.map(|row| Ok(Row::from_query_result(&row, "")?.into_domain())).transpose()
    }
}

impl WriteTx {
    /// Begins a run; `false` while another one is under way. One statement: of two that begin, one
    /// does.
    pub async fn begin_transfer_run(&self, run: &TransferRun) -> Result<bool, StoreFault> {
        let values = [
            run.run.as_str().into(),
            run.requested_by.as_str().into(),
            run.request_id.clone().into(),
            run.begun_at.millis().into(),
        ];
        let stmt = self.connection.statement(BEGIN, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Has the run that began then go on later; `false` when it has ended.
    pub async fn halt_transfer_run(
        &self,
        begun_at: Timestamp,
        due_at: Timestamp,
        trouble: &str,
    ) -> Result<bool, StoreFault> {
        let values = [begun_at.millis().into(), due_at.millis().into(), trouble.into()];
        let stmt = self.connection.statement(HALT, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }

    /// Ends the run that began then; `false` when it has ended already.
    pub async fn end_transfer_run(
        &self,
        begun_at: Timestamp,
        trouble: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let values = [begun_at.millis().into(), now.millis().into(), trouble.into()];
        let stmt = self.connection.statement(END, values);
        Ok(self.connection.execute_raw(stmt).await?.rows_affected() > 0)
    }
}
