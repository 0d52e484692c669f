//! Point reads of the hot path, many in one query.
//!
//! Introspection asks for one grant and one `jti` at a time, thousands of times a second. A task
//! takes all questions that wait, asks the database once, and answers them all. A question joins
//! only a query that has not started, so the answer is never older than the question.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use russet_protocol::grant::Grant;
use sea_orm::DatabaseConnection;
use tokio::sync::{mpsc, oneshot};

use crate::connection::Connection;
use crate::fault::StoreFault;
use crate::{grants, single_use};

/// Most questions in one query.
const BATCH: usize = 128;

type Ask<V> =
    fn(Arc<Connection>, Vec<String>) -> BoxFuture<'static, Result<HashMap<String, V>, StoreFault>>;
type Question<V> = (String, oneshot::Sender<Result<Option<V>, StoreFault>>);

/// The lookups that are batched.
pub(crate) struct Lookups {
    pub(crate) grants: Lookup<Grant>,
    pub(crate) revoked_jtis: Lookup<()>,
}

impl Lookups {
    pub(crate) fn on(pool: &DatabaseConnection) -> Self {
        let connection = Arc::new(Connection::Pool(pool.clone()));
        Self {
            grants: Lookup::spawn(Arc::clone(&connection), |connection, ids| {
                Box::pin(async move { grants::find_many(&connection, ids).await })
            }),
            revoked_jtis: Lookup::spawn(connection, |connection, jtis| {
                Box::pin(async move { single_use::find_revoked(&connection, jtis).await })
            }),
        }
    }
}

/// One kind of question, and the task that answers it.
pub(crate) struct Lookup<V>(mpsc::Sender<Question<V>>);

impl<V: Clone + Send + 'static> Lookup<V> {
    fn spawn(connection: Arc<Connection>, ask: Ask<V>) -> Self {
        let (questions, mut waiting) = mpsc::channel::<Question<V>>(8 * BATCH);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while waiting.recv_many(&mut batch, BATCH).await > 0 {
                answer(&connection, ask, &mut batch).await;
            }
        });
        Self(questions)
    }

    pub(crate) async fn find(&self, key: &str) -> Result<Option<V>, StoreFault> {
        let (reply, answer) = oneshot::channel();
        self.0.send((key.to_owned(), reply)).await.map_err(|_| StoreFault::Interrupted)?;
        answer.await.map_err(|_| StoreFault::Interrupted)?
    }
}

async fn answer<V: Clone>(connection: &Arc<Connection>, ask: Ask<V>, batch: &mut Vec<Question<V>>) {
    let mut keys: Vec<String> = batch.iter().map(|(key, _)| key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    // A power of two, so that few statements are ever prepared.
    if let Some(last) = keys.last().cloned() {
        keys.resize(keys.len().next_power_of_two(), last);
    }
    let found = ask(Arc::clone(connection), keys).await;
    for (key, reply) in batch.drain(..) {
        // Nobody may be waiting any more.
        let _ = reply.send(match &found {
            Ok(found) => Ok(found.get(&key).cloned()),
            Err(fault) => Err(fault.clone()),
        });
    }
}
