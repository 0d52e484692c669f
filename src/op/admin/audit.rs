//! The audit log: linking it, proving it, reading it, letting its oldest part go (decision 0026).

use std::time::Duration;

use serde_json::json;

use super::{Actor, AdminError, Administration};
use crate::protocol::admin::Role;
use crate::protocol::ambient::Timestamp;
use crate::protocol::audit::Link;
use crate::protocol::event::{Event, area};
use crate::protocol::secret::Vault;
use crate::store::audit::{Mark, StoredMark};
use crate::store::events::{EventQuery, Events, RecordedEvent};
use crate::store::{StoreFault, WriteTx};

/// Events linked in one act.
const BATCH: u32 = 500;
/// Faults listed before the search is given up.
const FAULTS: usize = 20;

/// What a walk along the chain found.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Links that were looked at.
    pub checked: u64,
    /// The place of the last event that was let go; 0 if all are there.
    pub from: i64,
    /// The newest link, to be noted elsewhere: as long as it is found again, nothing before it was
    /// changed, not even by somebody who holds the master key.
    pub head: Option<Link>,
    /// Events of the last moments that are not linked yet.
    pub unchained: u64,
    /// What is wrong; empty if nothing is.
    pub faults: Vec<ChainFault>,
}

/// What is wrong with the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// An event, or its link, is not what was recorded.
    #[error("event {id} (link {seq}) was changed")]
    Changed {
        /// The link.
        seq: i64,
        /// The event's number.
        id: i64,
    },
    /// Events are missing.
    #[error("links {from} to {to} are missing: their events were removed")]
    Missing {
        /// The first missing link.
        from: i64,
        /// The last missing link.
        to: i64,
    },
    /// A mark was forged.
    #[error("the mark {0:?} is not Russet's: it was forged or moved")]
    Mark(Mark),
    /// The link that was noted elsewhere is another one here.
    #[error("link {0} is not the one that was noted")]
    Noted(i64),
}

impl Administration {
    /// Links what has been recorded since. Cheap when there is nothing; safe on every replica.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn chain_events(&self) -> Result<u64, AdminError> {
        let mut chained = 0;
        while self.store.count_unchained_events().await? > 0 {
            let (vault, now) = (std::sync::Arc::clone(&self.vault), self.clock.now());
            let batch = self
                .store
                .write(move |tx| {
                    Box::pin(async move { Ok::<_, AdminError>(chain(tx, &vault, now).await?) })
                })
                .await?;
            chained += batch;
            if batch == 0 {
                break;
            }
        }
        Ok(chained)
    }

    /// Walks along the chain. `noted` is a link that was written down elsewhere.
    ///
    /// # Errors
    /// The store's fault; a broken chain is an answer, not an error.
    pub async fn verify_audit(
        &self,
        noted: Option<(i64, String)>,
    ) -> Result<Verification, AdminError> {
        // The head is read first: links made meanwhile are beyond it.
        let head = self.store.find_audit_mark(Mark::Head).await?;
        let checkpoint = self.store.find_audit_mark(Mark::Checkpoint).await?;
        let mut found = Verification {
            head: head.map(|mark| mark.link),
            unchained: self.store.count_unchained_events().await?,
            ..Verification::default()
        };
        for (mark, set) in [(Mark::Checkpoint, checkpoint), (Mark::Head, head)] {
            if set.is_some_and(|set| set.link.seal(&self.vault, mark.as_str()) != set.seal) {
                found.faults.push(ChainFault::Mark(mark));
            }
        }
        let mut before = checkpoint.map_or(Link::genesis(), |mark| mark.link);
        found.from = before.seq;
        let is_noted = |link: &Link| {
            noted
                .as_ref()
                .is_none_or(|(seq, hash)| *seq != link.seq || *hash == link.hash.to_text())
        };
        if !is_noted(&before) {
            found.faults.push(ChainFault::Noted(before.seq));
        }
        loop {
            let part = self.store.list_chain(before.seq, 1000).await?;
            if part.is_empty() || found.faults.len() >= FAULTS {
                break;
            }
            for chained in part {
                let missing = before.seq.saturating_add(1);
                if chained.link.seq != missing {
                    let to = chained.link.seq.saturating_sub(1);
                    found.faults.push(ChainFault::Missing { from: missing, to });
                } else if before.next(&self.vault, &chained.event) != chained.link
                    || chained.area != area(&chained.event.kind)
                {
                    let id = chained.event.id;
                    found.faults.push(ChainFault::Changed { seq: chained.link.seq, id });
                }
                if !is_noted(&chained.link) {
                    found.faults.push(ChainFault::Noted(chained.link.seq));
                }
                // The chain goes on from what is stored, so that one change is one fault.
                before = chained.link;
                found.checked += 1;
            }
        }
        if let Some(head) = found.head {
            if before.seq < head.seq {
                let from = before.seq.saturating_add(1);
                found.faults.push(ChainFault::Missing { from, to: head.seq });
            }
        } else if before.seq > 0 {
            found.faults.push(ChainFault::Mark(Mark::Head));
        }
        if noted.is_some_and(|(seq, _)| seq > before.seq) {
            found.faults.push(ChainFault::Noted(before.seq));
        }
        Ok(found)
    }

    /// Lets go of events older than `keep`, and seals the place up to which that was done, so that
    /// the rest can still be proven. Only what is linked and was told to every receiver goes.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn prune_audit(&self, keep: Duration) -> Result<u64, AdminError> {
        let now = self.clock.now();
        let oldest = now.minus(keep);
        let Some(head) = self.store.find_audit_mark(Mark::Head).await? else { return Ok(0) };
        let last = match self.store.first_link_since(oldest).await? {
            Some(first) => first.saturating_sub(1),
            None => head.link.seq,
        };
        // What a receiver has not taken yet is kept for it.
        let last = self.told_to_all().await?.map_or(last, |told| last.min(told));
        let done = self.store.find_audit_mark(Mark::Checkpoint).await?;
        let mut from = done.map_or(0, |mark| mark.link.seq);
        let mut removed = 0;
        while from < last {
            let to = last.min(from.saturating_add(i64::from(BATCH)));
            let Some(end) = self.store.list_chain(to.saturating_sub(1), 1).await?.pop() else {
                break;
            };
            let link = end.link;
            let seal = link.seal(&self.vault, Mark::Checkpoint.as_str());
            removed += self
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        tx.lock_chain().await?;
                        let stands = tx.find_audit_mark(Mark::Checkpoint).await?;
                        if stands.is_some_and(|mark| mark.link.seq >= link.seq) {
                            return Ok::<_, AdminError>(0);
                        }
                        let mark = StoredMark { link, at: now, seal };
                        tx.set_audit_mark(Mark::Checkpoint, &mark).await?;
                        Ok(tx.let_events_go(link.seq).await?)
                    })
                })
                .await?;
            from = link.seq;
        }
        if removed > 0 {
            let event = Event::new(now, "audit.pruned", "system")
                .detail(json!({ "removed": removed, "before": oldest.secs(), "link": last }));
            self.note(event).await?;
        }
        Ok(removed)
    }

    /// Lets go of what is older than the retention that is set, if one is.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn prune_by_retention(&self) -> Result<u64, AdminError> {
        let (settings, _) = self.settings().await?;
        match u64::from(settings.audit_retention_days) {
            0 => Ok(0),
            days => self.prune_audit(Duration::from_secs(days * 24 * 3600)).await,
        }
    }

    /// Events, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_events(&self, query: &EventQuery) -> Result<Vec<RecordedEvent>, AdminError> {
        Ok(self.store.list_events(query).await?)
    }

    /// Events that are about `what`, as their actor, target or request, among those of `query`.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn search_events(
        &self,
        what: &str,
        query: &EventQuery,
    ) -> Result<Vec<RecordedEvent>, AdminError> {
        let mut found = Vec::new();
        for query in narrowed(what, query) {
            found.extend(self.store.list_events(&query).await?);
        }
        newest_first(&mut found);
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// A page of the log, of all that has to do with `what` if that is given, found in bounded time.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn page_of_events(
        &self,
        what: Option<&str>,
        query: &EventQuery,
    ) -> Result<Events, AdminError> {
        let queries = what.map_or_else(|| vec![query.clone()], |what| narrowed(what, query));
        let mut page = Events::default();
        for query in queries {
            let part = self.store.page_of_events(&query).await?;
            page.found.extend(part.found);
            page.left_off = page.left_off.max(part.left_off);
        }
        newest_first(&mut page.found);
        // Further back another part of the search may have more.
        if let Some(left_off) = page.left_off {
            page.found.retain(|recorded| recorded.id >= left_off);
        }
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        match query.after {
            None => page.found.truncate(limit),
            // What is nearest to the number stays; the rest comes after it.
            Some(_) => drop(page.found.drain(..page.found.len().saturating_sub(limit))),
        }
        Ok(page)
    }

    /// One event, with its link if it has one.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not there.
    pub async fn find_event(&self, id: i64) -> Result<(RecordedEvent, Option<Link>), AdminError> {
        let event = self.store.find_event(id).await?.ok_or(AdminError::NotFound)?;
        Ok((event, self.store.find_link(id).await?))
    }

    /// Notes that somebody took the log away with them.
    ///
    /// # Errors
    /// The store's fault, or a role that may not.
    pub async fn note_export(&self, actor: &Actor, format: &str) -> Result<(), AdminError> {
        actor.must_be(Role::Viewer)?;
        let event = actor.event(self.clock.now(), "audit.exported", "audit");
        self.note(event.detail(json!({ "format": format }))).await
    }

    /// Records an event that is an act by itself.
    pub(super) async fn note(&self, event: Event) -> Result<(), AdminError> {
        self.store
            .write(move |tx| Box::pin(async move { Ok::<_, AdminError>(tx.record(&event).await?) }))
            .await
    }
}

/// Walks along one index each; one condition over three columns would use none.
fn narrowed(what: &str, query: &EventQuery) -> Vec<EventQuery> {
    let what = what.to_owned();
    let mut queries = vec![
        EventQuery { actor: Some(what.clone()), ..query.clone() },
        EventQuery { target: Some(what.clone()), ..query.clone() },
        EventQuery { request_id: Some(what.clone()), ..query.clone() },
    ];
    if !what.contains(':') {
        for kind in ["admin", "client", "user"] {
            queries.push(EventQuery { actor: Some(format!("{kind}:{what}")), ..query.clone() });
        }
    }
    queries
}

fn newest_first(events: &mut Vec<RecordedEvent>) {
    events.sort_by_key(|recorded| std::cmp::Reverse(recorded.id));
    events.dedup_by_key(|recorded| recorded.id);
}

async fn chain(tx: &WriteTx, vault: &Vault, now: Timestamp) -> Result<u64, StoreFault> {
    tx.lock_chain().await?;
    let head = tx.find_audit_mark(Mark::Head).await?;
    let mut link = head.map_or(Link::genesis(), |mark| mark.link);
    let mut chained = 0;
    for event in tx.list_unchained(BATCH).await? {
        let next = link.next(vault, &event);
        if tx.chain_event(event.id, &next).await? {
            link = next;
            chained += 1;
        }
    }
    if chained > 0 {
        let mark = StoredMark { link, at: now, seal: link.seal(vault, Mark::Head.as_str()) };
        tx.set_audit_mark(Mark::Head, &mark).await?;
    }
    Ok(chained)
}
