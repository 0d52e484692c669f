//! How connections stand: whether they can be used, and how the last sign-ins through them ended.

use super::{AdminError, Administration, RecordedEvent};
use crate::op::explanation::explain;
use crate::protocol::connection::Connection;
use crate::protocol::id::ConnectionId;

/// How a connection stands.
#[derive(Clone, Debug)]
pub struct ConnectionStatus {
    /// Which.
    pub id: ConnectionId,
    /// The last sign-in through it that succeeded.
    pub success: Option<RecordedEvent>,
    /// The last that failed.
    pub failure: Option<RecordedEvent>,
}

impl ConnectionStatus {
    /// Whether the last sign-in failed.
    pub fn is_failing(&self) -> bool {
        match (&self.success, &self.failure) {
            (Some(success), Some(failure)) => failure.id > success.id,
            (None, Some(_)) => true,
            (Some(_) | None, None) => false,
        }
    }

    /// Why the last that failed did.
    pub fn why(&self) -> Option<String> {
        self.failure.as_ref().and_then(|recorded| explain(&recorded.event)).map(|it| it.cause)
    }
}

impl Administration {
    /// How each of these stands, in their order.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn connection_statuses(
        &self,
        connections: impl Iterator<Item = &Connection>,
    ) -> Result<Vec<ConnectionStatus>, AdminError> {
        let ids: Vec<ConnectionId> = connections.map(|one| one.id.clone()).collect();
        let wanted = ids.iter().flat_map(|id| {
            ["login.succeeded", "login.failed"].map(|kind| (kind, id.as_str().to_owned()))
        });
        let mut found = self.store.latest_events(&wanted.collect::<Vec<_>>()).await?;
        let mut take = |kind: &str, id: &ConnectionId| {
            let of = |recorded: &RecordedEvent| {
                recorded.event.kind == kind && recorded.event.target.as_deref() == Some(id.as_str())
            };
            found.iter().position(of).map(|place| found.swap_remove(place))
        };
        let status = |id: ConnectionId| ConnectionStatus {
            success: take("login.succeeded", &id),
            failure: take("login.failed", &id),
            id,
        };
        Ok(ids.into_iter().map(status).collect())
    }
}
