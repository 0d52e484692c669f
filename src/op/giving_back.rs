//! Giving upstream grants back: revoked with the `client_id` that obtained them, and verified —
//! apple.md §7.
//!
//! A deletion does it for a whole person (`deletion/`). Whoever takes a single identity away owes
//! its grants, in the act that takes it: they are tried until the upstream confirms, for two
//! weeks. With the newest token go the earlier ones of the same person and client, for Apple gives a
//! new one at each sign-in and does not say that the others die (apple.md §6); until then they rest.
//! Between the upstream's answer and the act that writes it down a crash is possible: then
//! the grant is looked at again before anything is sent.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;

use super::{Fault, Provider};
use crate::protocol::ambient::{Entropy, Timestamp};
use crate::protocol::delivery::pause;
use crate::protocol::event::Event;
use crate::protocol::id::{GrantId, UserId};
use crate::protocol::secret::{SealError, SecretString, Vault};
use crate::protocol::upstream_grant::{GrantState, LeftGrant, UpstreamGrant};
use crate::store::{StoreFault, WriteTx};
use crate::upstream::{Lifecycle, Standing, UpstreamError};

/// How long an upstream that does not answer is asked again.
pub(super) const PATIENCE: Duration = Duration::from_secs(14 * 24 * 3600);
/// Longer than giving one back can take; after it the grant is due again.
const LEASE: Duration = Duration::from_secs(120);
const AT_A_TIME: u32 = 64;
/// How many are under way at once.
const AT_ONCE: usize = 4;

/// What became of one upstream grant.
pub(super) enum GivenBack {
    /// It is dead, or cannot be helped; the word says which.
    Settled(&'static str),
    /// To be tried again.
    NotYet(String),
}

/// Owes an upstream grant that a person has no longer, and forgets it as theirs.
///
/// # Errors
/// The store's fault; a vault that does not open the token.
pub(super) async fn leave<E: From<StoreFault> + From<SealError>>(
    tx: &WriteTx,
    grant: &UpstreamGrant,
    vault: &Vault,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<(), E> {
    tx.delete_upstream_grant(&grant.user_id, &grant.authority, &grant.client_id).await?;
    tx.forget_resting(grant).await?;
    tx.owe_resting(&grant.authority, &grant.subject, now).await?;
    if grant.state == GrantState::Revoked {
        return Ok(());
    }
    let token = vault.open(&grant.bound_to(), &grant.sealed_refresh_token)?;
    let left = LeftGrant { due_at: now, ..resting(grant, token.expose(), vault, entropy, now)? };
    Ok(tx.insert_left_grant(&left).await?)
}

/// A token beside the grant that it was given with, not owed.
///
/// # Errors
/// A vault that does not seal.
pub(super) fn resting(
    grant: &UpstreamGrant,
    token: &[u8],
    vault: &Vault,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<LeftGrant, SealError> {
    let mut left = LeftGrant {
        id: GrantId::random(entropy).to_string(),
        authority: grant.authority.clone(),
        subject: grant.subject.clone(),
        client_id: grant.client_id.clone(),
        sealed_refresh_token: Vec::new(),
        attempts: 0,
        left_at: now,
        due_at: LeftGrant::NOT_OWED,
    };
    left.sealed_refresh_token = vault.seal(&left.bound_to(), token)?;
    Ok(left)
}

impl Provider {
    /// Tries every grant that is owed and due. Several replicas may do so at once: each grant is
    /// one's at a time.
    ///
    /// # Errors
    /// The store's fault; an upstream's trouble is waited out.
    pub async fn give_left_grants_back(&self) -> Result<(), Fault> {
        let due = self.store.due_left_grants(self.clock.now(), AT_A_TIME).await?;
        let mut under_way = futures_util::stream::iter(due)
            .map(|id| async move { self.give_left_grant_back(id).await })
            .buffer_unordered(AT_ONCE);
        while let Some(outcome) = under_way.next().await {
            outcome?;
        }
        Ok(())
    }

    /// Gives back the earlier tokens of a person whose grants are given back already. Returns how
    /// many are still owed.
    ///
    /// # Errors
    /// The store's fault.
    pub(super) async fn give_earlier_back(&self, user_id: &UserId) -> Result<usize, Fault> {
        let now = self.clock.now();
        let mut owed = 0;
        for identity in self.store.list_identities(user_id).await? {
            let (authority, subject) = (identity.authority.clone(), identity.subject.clone());
            let woken = self.store.write(move |tx| {
                Box::pin(async move { tx.owe_resting(&authority, &subject, now).await })
            });
            woken.await?;
            let (authority, subject) = (&identity.authority, &identity.subject);
            for id in self.store.owed_left_grants(authority, subject).await? {
                self.give_left_grant_back(id).await?;
            }
            owed += self.store.owed_left_grants(authority, subject).await?.len();
        }
        Ok(owed)
    }

    async fn give_left_grant_back(&self, id: String) -> Result<(), Fault> {
        let now = self.clock.now();
        let claimed = self.store.write(move |tx| {
            Box::pin(async move { tx.claim_left_grant(&id, now.plus(LEASE), now).await })
        });
        let Some(left) = claimed.await? else { return Ok(()) };
        let opened = self.vault.open(&left.bound_to(), &left.sealed_refresh_token)?;
        let token = SecretString::new(String::from_utf8_lossy(opened.expose()).into_owned());
        let whose = (left.authority.as_str(), left.client_id.as_str());
        let outcome = match self.give_back(whose, &token, left.attempts).await {
            GivenBack::Settled(outcome) => outcome,
            GivenBack::NotYet(why) if now < left.left_at.plus(PATIENCE) => {
                let due_at = now.plus(pause(left.attempts, self.entropy.as_ref()));
                tracing::info!(client_id = left.client_id, why, "an upstream grant is still owed");
                let put_off = self.store.write(move |tx| {
                    Box::pin(async move { tx.put_off_left_grant(&left, due_at).await })
                });
                return Ok(put_off.await.map(|_| ())?);
            }
            GivenBack::NotYet(_) => "given up: not confirmed",
        };
        let detail = json!({
            "authority": left.authority,
            "client_id": left.client_id,
            "outcome": outcome,
            "attempts": left.attempts,
        });
        let event = Event::new(now, "upstream_grant.given_back", "system").detail(detail);
        let settled = self.store.write(move |tx| {
            Box::pin(async move {
                if tx.delete_left_grant(&left).await? {
                    tx.record(&event).await?;
                }
                Ok::<_, Fault>(())
            })
        });
        settled.await
    }

    /// Gives one grant back. `attempts` counts this one: from the second on it is looked at first,
    /// for the answer to the one before may be lost.
    pub(super) async fn give_back(
        &self,
        (authority, client_id): (&str, &str),
        token: &SecretString,
        attempts: i32,
    ) -> GivenBack {
        let Some(connector) = self.connector_holding(authority, client_id) else {
            return GivenBack::NotYet(format!("no connection presents grants of {client_id}"));
        };
        let Some(life) = connector.lifecycle() else {
            return GivenBack::Settled("cannot be revoked at this upstream");
        };
        let now = self.clock.now();
        if attempts > 1 && matches!(life.check_grant(client_id, token, now).await, Standing::Dead) {
            return GivenBack::Settled("revoked and verified");
        }
        revoke_and_verify(life, client_id, token, attempts > 2, now).await
    }
}

/// Revokes, then asks: success alone proves nothing (apple.md §7).
async fn revoke_and_verify(
    life: &dyn Lifecycle,
    client_id: &str,
    token: &SecretString,
    insistent: bool,
    now: Timestamp,
) -> GivenBack {
    match life.revoke(client_id, token, now).await {
        // A token that the upstream refuses may be dead already; the question after it decides.
        Ok(()) | Err(UpstreamError::Rejected { .. } | UpstreamError::Cancelled) => {}
        Err(error @ (UpstreamError::Unavailable(_) | UpstreamError::Misconfigured(_))) => {
            return GivenBack::NotYet(error.to_string());
        }
    }
    match life.check_grant(client_id, token, now).await {
        Standing::Dead => GivenBack::Settled("revoked and verified"),
        Standing::Good(_) => GivenBack::NotYet("the upstream still honours the grant".to_owned()),
        // Apple's other word for a revoked grant; to be believed when it is said again.
        Standing::Ambiguous if insistent => GivenBack::Settled("revoked; answered invalid_request"),
        Standing::Ambiguous => GivenBack::NotYet("the upstream's answer is not clear".to_owned()),
        Standing::Misconfigured(cause) | Standing::Unwell(cause) => GivenBack::NotYet(cause),
    }
}
