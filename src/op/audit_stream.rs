//! The audit log as it grows, told to receivers that an owner names. The log is its own outbox: a
//! receiver has a place in the chain, and what stands after it is owed. So nothing is lost, nothing
//! is told out of order, and what nobody saw arrive is told again.
//!
//! Each post is a JWT of ours (RFC 7519), so a receiver checks it with the keys it finds by
//! discovery and shares no secret; the links let it check that nothing was left out between.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::{Fault, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::delivery::pause;
use crate::protocol::jose::{Algorithm, Typ};
use crate::store::audit::ChainedEvent;
use crate::upstream::http::Posting;

/// The setting that lists receivers.
pub const RECEIVERS: &str = "audit_receivers";
/// Events in one post.
const BATCH: u32 = 100;
/// Posts to one receiver before the others have their turn again.
const PARTS: usize = 50;
/// Longer than a post can take; after it what was under way is due again.
const LEASE: Duration = Duration::from_secs(60);

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReceiver {
    /// Names it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it listens.
    pub url: String,
    /// Only events of this area, such as `admin`; empty for all.
    #[serde(default)]
    pub area: String,
}

/// How far a receiver has got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The last link that it took, or that was none of its.
    pub seq: i64,
    /// The last link that stood in a post it took: the next post says so.
    #[serde(default)]
    pub told: i64,
    /// Attempts since then that failed.
    pub attempts: i32,
    /// When the next one is due.
    pub due_at: Timestamp,
    /// When it last took something.
    pub taken_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

impl AuditReceiver {
    /// The setting that holds how far it has got.
    pub fn progress(&self) -> String {
        format!("audit_receiver:{}", self.id)
    }

    fn wants(&self, kind: &str) -> bool {
        self.area.is_empty() || kind.split_once('.').is_some_and(|(area, _)| area == self.area)
    }
}

impl Provider {
    /// Tells every receiver what it is owed. Several replicas may do so at once: a part is one's.
    /// Returns how many posts were taken.
    ///
    /// # Errors
    /// The store's fault; a receiver's trouble is noted with its progress.
    pub async fn stream_audit(&self) -> Result<usize, Fault> {
        let found = self.store.find_setting::<Vec<AuditReceiver>>(RECEIVERS).await?;
        let receivers = found.map(|(receivers, _)| receivers).unwrap_or_default();
        // Side by side, so that one that hangs keeps no other waiting.
        let taken = try_join_all(receivers.iter().map(|receiver| self.tell_all(receiver))).await?;
        Ok(taken.into_iter().sum())
    }

    async fn tell_all(&self, receiver: &AuditReceiver) -> Result<usize, Fault> {
        for part in 0..PARTS {
            if !self.tell_next(receiver).await? {
                return Ok(part);
            }
        }
        Ok(PARTS)
    }

    /// Tells the next part; `false` when there is none, another replica has it, or it failed.
    async fn tell_next(&self, receiver: &AuditReceiver) -> Result<bool, Fault> {
        let now = self.clock.now();
        let name = receiver.progress();
        let Some((before, version)) = self.store.find_setting::<Progress>(&name).await? else {
            // It was removed meanwhile.
            return Ok(false);
        };
        if before.due_at > now {
            return Ok(false);
        }
        let events = self.store.list_chain(before.seq, BATCH).await?;
        let Some(last) = events.last().map(|chained| chained.link.seq) else { return Ok(false) };
        let wanted: Vec<&ChainedEvent> =
            events.iter().filter(|chained| receiver.wants(&chained.event.kind)).collect();
        let Some(told) = wanted.last().map(|chained| chained.link.seq) else {
            let passed = Progress { seq: last, ..before };
            return self.note_progress(&name, passed, version).await;
        };
        let leased = Progress { due_at: now.plus(LEASE), ..before.clone() };
        if !self.note_progress(&name, leased, version).await? {
            return Ok(false);
        }
        let outcome = self.tell(receiver, &wanted, before.told, now).await?;
        let after = match &outcome {
            Ok(()) => Progress {
                seq: last,
                told,
                attempts: 0,
                due_at: now,
                taken_at: Some(now),
                last_error: None,
            },
            Err(error) => {
                let attempts = before.attempts.saturating_add(1);
                tracing::info!(receiver = receiver.name, attempts, error, "audit stream");
                Progress {
                    attempts,
                    due_at: now.plus(pause(attempts, self.entropy.as_ref())),
                    last_error: Some(error.clone()),
                    ..before
                }
            }
        };
        let noted = self.note_progress(&name, after, version.saturating_add(1)).await?;
        Ok(noted && outcome.is_ok())
    }

    async fn note_progress(
        &self,
        name: &str,
        progress: Progress,
        version: i32,
    ) -> Result<bool, Fault> {
        let (name, now) = (name.to_owned(), self.clock.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    Ok::<_, Fault>(tx.put_setting(&name, &progress, version, now).await?)
                })
            })
            .await
    }

    async fn tell(
        &self,
        receiver: &AuditReceiver,
        events: &[&ChainedEvent],
        after: i64,
        now: Timestamp,
    ) -> Result<Result<(), String>, Fault> {
        let Ok(url) = Url::parse(&receiver.url) else {
            return Ok(Err("the address is not a URL".to_owned()));
        };
        let seq = events.last().map_or(0, |chained| chained.link.seq);
        let claims = json!({
            "iss": self.issuer,
            "aud": receiver.url,
            "iat": now.secs(),
            "jti": self.vault.hash(&format!("audit:{}:{seq}", receiver.id)).to_text(),
            "after": after,
            "events": events.iter().map(|chained| told(chained)).collect::<Vec<_>>(),
        });
        let token = self.keys.signer(Algorithm::Es256).await?.sign(Typ::AuditEvents, &claims)?;
        let posting = Posting {
            content_type: "application/jwt",
            accept: "application/json",
            bearer: None,
            body: token,
        };
        Ok(match self.outbound.tell(&url, posting).await {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(format!("the receiver answered {}", answer.status)),
            Err(error) => Err(error.to_string()),
        })
    }
}

fn told(chained: &ChainedEvent) -> Value {
    let event = &chained.event;
    let detail = event.detail.as_deref().and_then(|text| serde_json::from_str(text).ok());
    json!({
        "seq": chained.link.seq,
        "link": chained.link.hash.to_text(),
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "actor": event.actor,
        "target": event.target,
        "request_id": event.request_id,
        "detail": detail.unwrap_or(Value::Null),
    })
}
