//! Who is told the audit log as it grows.

use serde_json::json;
use url::Url;

use super::{Actor, AdminError, Administration};
use crate::op::audit_stream::{AuditReceiver, Progress, RECEIVERS};
use crate::protocol::admin::Role;
use crate::protocol::id::GrantId;
use crate::store::audit::Mark;

/// Most receivers, and most views.
pub(super) const MOST: usize = 20;
const LONGEST_NAME: usize = 60;
const LONGEST_URL: usize = 2048;

/// A name that people choose, and that only one of them has.
pub(super) fn checked_name(name: &str, taken: bool) -> Result<(), AdminError> {
    if name.trim().is_empty()
        || name.contains(char::is_control)
        || name.chars().count() > LONGEST_NAME
    {
        let message = format!("must have 1 to {LONGEST_NAME} characters, none of them control");
        return Err(AdminError::invalid("name", message));
    }
    if taken {
        return Err(AdminError::invalid("name", "is taken already; choose another"));
    }
    Ok(())
}

impl Administration {
    /// The receivers, each with how far it has got.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn audit_receivers(&self) -> Result<Vec<(AuditReceiver, Progress)>, AdminError> {
        let found = self.store.find_setting::<Vec<AuditReceiver>>(RECEIVERS).await?;
        let mut receivers = Vec::new();
        for receiver in found.map(|(receivers, _)| receivers).unwrap_or_default() {
            let progress = self.store.find_setting::<Progress>(&receiver.progress()).await?;
            receivers.push((receiver, progress.unwrap_or_default().0));
        }
        Ok(receivers)
    }

    /// Up to where every receiver has the log; `None` without receivers.
    pub(super) async fn told_to_all(&self) -> Result<Option<i64>, AdminError> {
        Ok(self.audit_receivers().await?.iter().map(|(_, progress)| progress.seq).min())
    }

    /// Names a receiver. It is told what happens from now on.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a bad name or address.
    pub async fn add_audit_receiver(
        &self,
        actor: &Actor,
        name: &str,
        url: &str,
        area: &str,
    ) -> Result<AuditReceiver, AdminError> {
        actor.must_be(Role::Owner)?;
        let address = Url::parse(url).ok();
        let good = address.is_some_and(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.as_str().len() <= LONGEST_URL
                && url.username().is_empty()
                && url.password().is_none()
                && url.fragment().is_none()
        });
        if !good {
            let message = "must be an https address without user or fragment";
            return Err(AdminError::invalid("url", message));
        }
        if !area.is_empty() && !area.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            return Err(AdminError::invalid(
                "area",
                "must be the first part of a kind, or nothing",
            ));
        }
        let now = self.clock.now();
        let receiver = AuditReceiver {
            id: GrantId::random(self.entropy.as_ref()).into(),
            name: name.to_owned(),
            url: url.to_owned(),
            area: area.to_owned(),
        };
        let event = actor.event(now, "audit.receiver_added", name);
        let event = event.detail(json!({ "url": url, "area": area }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let (mut all, version) =
                        tx.find_setting::<Vec<AuditReceiver>>(RECEIVERS).await?.unwrap_or_default();
                    checked_name(&receiver.name, all.iter().any(|one| one.name == receiver.name))?;
                    if all.len() >= MOST {
                        return Err(AdminError::invalid("name", "would be one too many"));
                    }
                    let head = tx.find_audit_mark(Mark::Head).await?;
                    let seq = head.map_or(0, |mark| mark.link.seq);
                    let progress = Progress { seq, told: seq, ..Progress::default() };
                    tx.put_setting(&receiver.progress(), &progress, 0, now).await?;
                    all.push(receiver.clone());
                    if !tx.put_setting(RECEIVERS, &all, version, now).await? {
                        return Err(AdminError::Conflict);
                    }
                    tx.record(&event).await?;
                    Ok(receiver)
                })
            })
            .await
    }

    /// Tells a receiver nothing any more.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] without it.
    pub async fn remove_audit_receiver(&self, actor: &Actor, id: &str) -> Result<(), AdminError> {
        actor.must_be(Role::Owner)?;
        let now = self.clock.now();
        let event = actor.event(now, "audit.receiver_removed", id);
        let id = id.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let (all, version) =
                        tx.find_setting::<Vec<AuditReceiver>>(RECEIVERS).await?.unwrap_or_default();
                    let (gone, left): (Vec<_>, Vec<_>) =
                        all.into_iter().partition(|receiver| receiver.id == id);
                    let gone = gone.into_iter().next().ok_or(AdminError::NotFound)?;
                    if !tx.put_setting(RECEIVERS, &left, version, now).await? {
                        return Err(AdminError::Conflict);
                    }
                    tx.forget_setting(&gone.progress()).await?;
                    Ok(tx.record(&event.target(gone.name)).await?)
                })
            })
            .await
    }
}
