//! Views of the audit log that people keep for all.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::audit_receivers::{MOST, checked_name};
use super::{Actor, AdminError, Administration};
use crate::protocol::admin::Role;

const VIEWS: &str = "audit_views";
/// Longer than any filter of the list.
const LONGEST_QUERY: usize = 2000;

/// A view of the log that somebody keeps for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    /// What it is called.
    pub name: String,
    /// The filter, as the list's address has it.
    pub query: String,
}

impl Administration {
    /// The views that are kept, in the order they were made.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn audit_views(&self) -> Result<Vec<AuditView>, AdminError> {
        let found = self.store.find_setting::<Vec<AuditView>>(VIEWS).await?;
        Ok(found.map(|(views, _)| views).unwrap_or_default())
    }

    /// Keeps a view, for everybody who may see the log.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a bad name, or something that is no filter.
    pub async fn keep_audit_view(
        &self,
        actor: &Actor,
        name: &str,
        query: &str,
    ) -> Result<(), AdminError> {
        if !query.starts_with('?')
            || query.len() > LONGEST_QUERY
            || query.contains(char::is_control)
        {
            let message = "must be a filter of the list, such as \"?area=client\"";
            return Err(AdminError::invalid("query", message));
        }
        let view = AuditView { name: name.trim().to_owned(), query: query.to_owned() };
        let detail = json!({ "query": query });
        self.change_views(actor, "audit.view_kept", name.trim(), detail, |all| {
            checked_name(&view.name, all.iter().any(|one| one.name == view.name))?;
            if all.len() >= MOST {
                return Err(AdminError::invalid("name", "would be one too many"));
            }
            all.push(view);
            Ok(())
        })
        .await
    }

    /// Forgets a view.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] without it.
    pub async fn forget_audit_view(&self, actor: &Actor, name: &str) -> Result<(), AdminError> {
        let gone = name.to_owned();
        self.change_views(actor, "audit.view_forgotten", name, json!({}), move |all| {
            let before = all.len();
            all.retain(|view| view.name != gone);
            if all.len() == before { Err(AdminError::NotFound) } else { Ok(()) }
        })
        .await
    }

    async fn change_views(
        &self,
        actor: &Actor,
        kind: &str,
        name: &str,
        detail: Value,
        change: impl FnOnce(&mut Vec<AuditView>) -> Result<(), AdminError> + Send + 'static,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let event = actor.event(now, kind, name).detail(detail);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let (mut all, version) =
                        tx.find_setting::<Vec<AuditView>>(VIEWS).await?.unwrap_or_default();
                    change(&mut all)?;
                    if !tx.put_setting(VIEWS, &all, version, now).await? {
                        return Err(AdminError::Conflict);
                    }
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }
}
