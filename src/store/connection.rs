//! The one connection type that every query runs on: the pool, or the transaction of an act.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, Statement, Value,
};

/// Where a query runs.
pub(crate) enum Connection {
    Pool(DatabaseConnection),
    Act(Arc<Scope>),
}

impl Connection {
    /// A statement written once for both engines, with `$1` placeholders.
    pub(crate) fn statement<I>(&self, sql: &str, values: I) -> Statement
    where
        I: IntoIterator<Item = Value>,
    {
        Statement::from_sql_and_values(self.get_database_backend(), sql, values)
    }

    /// `$1, $2, …` for a list of `count` values.
    pub(crate) fn places(count: usize) -> String {
        let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
        places.join(", ")
    }
}

/// What stands between an act and its neighbours in the same transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fence {
    /// The act has the transaction to itself.
    Alone,
    /// Neighbours share the transaction; none has written yet.
    First,
    /// Neighbours share the transaction, and one before has set the savepoint.
    Next,
}

impl Fence {
    /// What must run before the act's first write.
    const fn sql(self) -> Option<&'static str> {
        match self {
            Self::Alone => None,
            Self::First => Some("SAVEPOINT act;"),
            Self::Next => Some("RELEASE act;SAVEPOINT act;"),
        }
    }
}

/// An act's view of its transaction.
///
/// PostgreSQL gives up a transaction at the first failed statement, SQLite does not. Here both do:
/// after a fault nothing more runs, and the act is undone whatever it answers.
pub(crate) struct Scope {
    tx: Arc<DatabaseTransaction>,
    fence: Fence,
    wrote: AtomicBool,
    fault: OnceLock<DbErr>,
}

impl Scope {
    pub(crate) fn new(tx: Arc<DatabaseTransaction>, fence: Fence) -> Self {
        Self { tx, fence, wrote: AtomicBool::new(false), fault: OnceLock::new() }
    }

    pub(crate) fn wrote(&self) -> bool {
        self.wrote.load(Ordering::Relaxed)
    }

    pub(crate) fn fault(&self) -> Option<DbErr> {
        self.fault.get().cloned()
    }

    pub(crate) fn transaction(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// Whether the fence must be set before `sql` runs.
    fn fence_before(&self, sql: &str) -> Option<&'static str> {
        if sql.starts_with("SELECT") || self.wrote.swap(true, Ordering::Relaxed) {
            return None;
        }
        self.fence.sql()
    }

    fn check(&self) -> Result<(), DbErr> {
        self.fault().map_or(Ok(()), Err)
    }

    fn note<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        result.inspect_err(|error| {
            // Only the first fault counts; later ones follow from it.
            let _ = self.fault.set(error.clone());
        })
    }

    /// Sets the fence in the same round trip as the act's first writing query.
    fn fenced(&self, mut stmt: Statement) -> Statement {
        if let Some(fence) = self.fence_before(&stmt.sql) {
            stmt.sql.insert_str(0, fence);
        }
        stmt
    }

    /// Sets the fence in a round trip of its own, for statements that are asked how many rows they
    /// changed: SQLite would count the previous act's rows with a shared one.
    async fn set_fence(&self, sql: &str) -> Result<(), DbErr> {
        if let Some(fence) = self.fence_before(sql) {
            self.tx.execute_unprepared(fence).await?;
        }
        Ok(())
    }

    async fn execute(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        self.set_fence(&stmt.sql).await?;
        self.tx.execute_raw(stmt).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.set_fence(sql).await?;
        self.tx.execute_unprepared(sql).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Connection {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Self::Pool(pool) => pool.get_database_backend(),
            Self::Act(scope) => scope.tx.get_database_backend(),
        }
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Pool(pool) => pool.execute_raw(stmt).await,
            Self::Act(scope) => {
                scope.check()?;
                scope.note(scope.execute(stmt).await)
            }
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Pool(pool) => pool.execute_unprepared(sql).await,
            Self::Act(scope) => {
                scope.check()?;
                scope.note(scope.execute_unprepared(sql).await)
            }
        }
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Pool(pool) => pool.query_one_raw(stmt).await,
            Self::Act(scope) => {
                scope.check()?;
                scope.note(scope.tx.query_one_raw(scope.fenced(stmt)).await)
            }
        }
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Self::Pool(pool) => pool.query_all_raw(stmt).await,
            Self::Act(scope) => {
                scope.check()?;
                scope.note(scope.tx.query_all_raw(scope.fenced(stmt)).await)
            }
        }
    }
}
