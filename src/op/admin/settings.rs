//! What is set while the broker runs, for all of its replicas.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::metadata::difference;
use super::{Actor, AdminError, Administration, FieldProblem, checked, unchanged};
use crate::protocol::admin::Role;
use crate::protocol::id::ConnectionId;

/// The setting's name.
pub(in crate::op) const NAME: &str = "console";

/// The settings of the console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// For how many days events are kept; 0 keeps them for ever.
    pub audit_retention_days: u32,
    /// Whether every console account must have a second factor.
    pub require_second_factor: bool,
    /// The connections through which console accounts may sign in.
    pub console_connections: Vec<String>,
    /// Whether everybody who signs in with a password kept here must have one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_local_second_factor: bool,
}

/// Longest retention that can be set: a hundred years.
const LONGEST_RETENTION: u32 = 36_500;

impl Administration {
    /// The settings and their version.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn settings(&self) -> Result<(Settings, i32), AdminError> {
        Ok(self.store.find_setting(NAME).await?.unwrap_or_default())
    }

    /// Changes the settings that stand at `version`.
    ///
    /// # Errors
    /// [`AdminError::Conflict`] when somebody else changed them meanwhile.
    pub async fn change_settings(
        &self,
        actor: &Actor,
        settings: Settings,
        version: i32,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Owner)?;
        let mut problems = Vec::new();
        if settings.audit_retention_days > LONGEST_RETENTION {
            problems
                .push(FieldProblem::new("audit_retention_days", "must be a hundred years at most"));
        }
        for id in &settings.console_connections {
            match self.find_connection(id).await {
                Ok(_) => {}
                Err(AdminError::NotFound) => {
                    let message = format!("{id} is not a connection");
                    problems.push(FieldProblem::new("console_connections", message));
                }
                Err(error) => return Err(error),
            }
        }
        checked(problems)?;
        let now = self.clock.now();
        let event = actor.event(now, "settings.updated", NAME);
        let actor = actor.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let (before, stands): (Settings, i32) =
                        tx.find_setting(NAME).await?.unwrap_or_default();
                    unchanged(Some(version), stands)?;
                    if before == settings {
                        return Ok(());
                    }
                    // Whoever says what opens the console could come in as anybody.
                    if before.console_connections != settings.console_connections {
                        actor.must_cover(Role::Owner)?;
                    }
                    if !tx.put_setting(NAME, &settings, version, now).await? {
                        return Err(AdminError::Conflict);
                    }
                    for id in &before.console_connections {
                        if !settings.console_connections.contains(id) {
                            let id = ConnectionId::new(id.as_str());
                            tx.delete_admin_sessions_through(None, &id).await?;
                        }
                    }
                    let changed = difference(&json!(before), &json!(settings));
                    Ok(tx.record(&event.detail(json!({ "changed": changed }))).await?)
                })
            })
            .await
    }
}
