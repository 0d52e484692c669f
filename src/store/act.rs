//! Acts: everything that writes runs as one, wholly or not at all.
//!
//! On SQLite one task owns the one writing connection. It takes all acts that wait, runs them one
//! after the other in one transaction, commits once, and only then answers: one `fsync` serves
//! them all. On PostgreSQL each act has a transaction and a connection of its own. In both an act
//! runs in a task of its own, so it is finished even if the caller has gone away.

use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};
use tokio::sync::{mpsc, oneshot};

use crate::connection::{Connection, Fence, Scope};
use crate::fault::StoreFault;
use crate::reader::Reader;

/// Most acts that share one commit.
const GROUP: usize = 64;
/// Acts that may wait before callers wait for a place in the queue.
const QUEUE: usize = 1024;

/// What an act's closure returns.
pub type ActFuture<'t, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 't>>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An act's hand on the database: all that a [`Reader`] can ask, and the writes.
///
/// After a [`StoreFault`] the act is undone whatever it returns, so it may as well end there.
pub struct WriteTx {
    reader: Reader,
    pub(crate) scope: Arc<Scope>,
}

impl WriteTx {
    fn new(scope: Arc<Scope>) -> Self {
        Self { reader: Reader::within(Connection::Act(Arc::clone(&scope))), scope }
    }
}

impl Deref for WriteTx {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

/// An act that waits in the queue, whatever its types.
pub(crate) trait Waiting: Send {
    fn run(self: Box<Self>, tx: WriteTx) -> BoxFuture<Settled>;
    fn refuse(self: Box<Self>, fault: StoreFault);
}

/// An act that has run and waits for the commit.
pub(crate) struct Settled {
    keep: bool,
    answer: Box<dyn FnOnce(Result<(), StoreFault>) + Send>,
}

struct WaitingAct<F, T, E> {
    act: F,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Waiting for WaitingAct<F, T, E>
where
    T: Send + 'static,
    E: From<StoreFault> + Send + 'static,
    F: for<'t> FnOnce(&'t WriteTx) -> ActFuture<'t, T, E> + Send + 'static,
{
    fn run(self: Box<Self>, tx: WriteTx) -> BoxFuture<Settled> {
        Box::pin(async move {
            let Self { act, reply } = *self;
            let result = act(&tx).await;
            let result = match tx.scope.fault() {
                Some(fault) => result.and_then(|_| Err(StoreFault::from(fault).into())),
                None => result,
            };
            Settled {
                keep: result.is_ok(),
                answer: Box::new(move |committed| {
                    // Nobody may be waiting any more; the act stands all the same.
                    let _ = reply.send(result.and_then(|value| {
                        committed.map_err(E::from)?;
                        Ok(value)
                    }));
                }),
            }
        })
    }

    fn refuse(self: Box<Self>, fault: StoreFault) {
        let _ = self.reply.send(Err(fault.into()));
    }
}

/// How acts reach the database.
pub(crate) enum Writer {
    Grouped(mpsc::Sender<Box<dyn Waiting>>),
    Each(DatabaseConnection),
}

impl Writer {
    /// A task that owns `db`, a pool of one SQLite connection. It ends with the last [`Writer`].
    pub(crate) fn grouped(db: DatabaseConnection) -> Self {
        let (queue, mut waiting) = mpsc::channel::<Box<dyn Waiting>>(QUEUE);
        tokio::spawn(async move {
            let mut group = Vec::with_capacity(GROUP);
            while waiting.recv_many(&mut group, GROUP).await > 0 {
                run_group(&db, &mut group).await;
            }
        });
        Self::Grouped(queue)
    }

    pub(crate) async fn write<T, E, F>(&self, act: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreFault> + Send + 'static,
        F: for<'t> FnOnce(&'t WriteTx) -> ActFuture<'t, T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let waiting = Box::new(WaitingAct { act, reply });
        match self {
            Self::Grouped(queue) => {
                queue.send(waiting).await.map_err(|_| StoreFault::Interrupted)?;
            }
            Self::Each(db) => {
                let db = db.clone();
                tokio::spawn(async move {
                    run_group(&db, &mut vec![waiting as Box<dyn Waiting>]).await;
                });
            }
        }
        // The sender is dropped unused only if the act panicked.
        answer.await.unwrap_or_else(|_| Err(StoreFault::Interrupted.into()))
    }
}

/// Runs acts in one transaction, and answers them once it is durable.
async fn run_group(db: &DatabaseConnection, group: &mut Vec<Box<dyn Waiting>>) {
    let options = TransactionOptions {
        // Deferred transactions fail with SQLITE_BUSY when a read turns into a write.
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = match db.begin_with_options(options).await {
        Ok(tx) => Arc::new(tx),
        Err(error) => {
            let fault = StoreFault::from(error);
            group.drain(..).for_each(|act| act.refuse(fault.clone()));
            return;
        }
    };
    let mut settled = Vec::with_capacity(group.len());
    let outcome = run_acts(&tx, group, &mut settled).await;
    let outcome = match outcome {
        Ok(true) => commit(tx).await,
        Ok(false) => rollback(tx).await,
        Err(fault) => rollback(tx).await.and(Err(fault)),
    };
    for act in settled {
        (act.answer)(outcome.clone());
    }
}

/// Runs each act, undoing those that fail. Returns whether there is anything to commit; an error
/// means that the whole transaction is lost.
async fn run_acts(
    tx: &Arc<DatabaseTransaction>,
    group: &mut Vec<Box<dyn Waiting>>,
    settled: &mut Vec<Settled>,
) -> Result<bool, StoreFault> {
    let alone = group.len() == 1;
    let mut fence = if alone { Fence::Alone } else { Fence::First };
    let mut to_commit = false;
    let mut acts = group.drain(..);
    while let Some(act) = acts.next() {
        let scope = Arc::new(Scope::new(Arc::clone(tx), fence));
        let run = AssertUnwindSafe(act.run(WriteTx::new(Arc::clone(&scope))));
        // A panic drops the reply channel, which the caller sees as an interruption.
        let outcome = run.catch_unwind().await.ok();
        let keep = outcome.as_ref().is_some_and(|settled| settled.keep);
        settled.extend(outcome);
        if !scope.wrote() {
            continue;
        }
        if !alone {
            fence = Fence::Next;
        }
        if keep {
            to_commit = true;
        } else if !alone {
            // Should this fail, SQLite has given up the whole transaction.
            if let Err(error) = tx.execute_unprepared("ROLLBACK TO act").await {
                let fault = StoreFault::from(error);
                acts.for_each(|act| act.refuse(fault.clone()));
                return Err(fault);
            }
        }
    }
    Ok(to_commit)
}

async fn commit(tx: Arc<DatabaseTransaction>) -> Result<(), StoreFault> {
    // Every act has ended, so nobody else holds the transaction.
    let tx = Arc::try_unwrap(tx).map_err(|_| StoreFault::Interrupted)?;
    Ok(tx.commit().await?)
}

async fn rollback(tx: Arc<DatabaseTransaction>) -> Result<(), StoreFault> {
    let tx = Arc::try_unwrap(tx).map_err(|_| StoreFault::Interrupted)?;
    Ok(tx.rollback().await?)
}
