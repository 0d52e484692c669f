//! The connection doctor: everything that can be told about a connection without a sign-in.

use chrono::DateTime;

use super::{Fault, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::id::ConnectionId;
use crate::store::notifications::Heard;
use crate::upstream::{Connector, Finding, Verdict};

impl Provider {
    /// Examines a connection; `None` when there is none with this name.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn examine(&self, connection: &ConnectionId) -> Result<Option<Vec<Finding>>, Fault> {
        let Some(connector) = self.connector(connection) else { return Ok(None) };
        let heard = self.store.last_notifications().await?;
        let now = self.clock.now();
        Ok(Some(examine(connector.as_ref(), &self.issuer, Some(&heard), now).await))
    }
}

/// Examines a connection of the issuer; `heard` is what the store knows of announcements, if it can
/// be asked.
pub async fn examine(
    connector: &dyn Connector,
    issuer: &str,
    heard: Option<&[Heard]>,
    now: Timestamp,
) -> Vec<Finding> {
    let connection = connector.id();
    let mut findings = connector.check(now).await;
    let return_url = format!("{issuer}/upstream/{connection}/callback");
    findings.extend(connector.check_return_url(&return_url).await);
    if connector.announcements().is_some() {
        let url = format!("{issuer}/upstream/{connection}/notifications");
        findings.push(last_heard(connection, &url, heard));
    }
    findings
}

fn last_heard(connection: &ConnectionId, url: &str, heard: Option<&[Heard]>) -> Finding {
    let subject = "notifications".to_owned();
    let Some(heard) = heard else {
        let message = "the database cannot say when the last one came".to_owned();
        return Finding { verdict: Verdict::Unknown, subject, message };
    };
    match heard.iter().find(|heard| heard.connection_id == *connection) {
        Some(last) => Finding {
            verdict: Verdict::Fine,
            subject,
            message: format!("the last one, {}, came {}", last.kind.as_str(), shown(last.at)),
        },
        None => Finding {
            verdict: Verdict::Unknown,
            subject,
            message: format!(
                "none has come yet; enter {url} under Certificates, Identifiers & Profiles > \
                 Identifiers > the primary App ID > Sign in with Apple > Edit > Server-to-Server \
                 Notification Endpoint"
            ),
        },
    }
}

fn shown(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.millis())
        .map_or_else(|| "long ago".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}
