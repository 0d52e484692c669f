//! Deleting a person: one operation, whoever starts it — apple.md §7, RISC `account-purged`.
//!
//! [`begin`] runs in the act of whoever asks and takes effect at once: nobody signs in any more,
//! sessions and tokens end, the profile is gone, the clients are owed their logout tokens. What
//! needs the outside is left to [`steps`], which resumes after every crash. A receipt without
//! personal data remains.

mod steps;

use super::ending::{self, Ending, Reason};
use super::interaction::Browser;
use super::{Failure, Provider, giving_back};
use crate::protocol::ambient::Timestamp;
use crate::protocol::deletion::{Deletion, DeletionState, Receipt};
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{DeletionId, UserId};
use crate::protocol::metadata::path;
use crate::protocol::presented::Presented;
use crate::protocol::scope::ACCOUNT_DELETE;
use crate::store::{StoreFault, WriteTx};

/// What a person types to confirm.
pub const CONFIRMATION: &str = "delete";

/// Whether this is the word, as people type it.
pub fn is_confirmation(typed: &str) -> bool {
    typed.trim().eq_ignore_ascii_case(CONFIRMATION)
}

/// Begins the deletion of a person, inside the caller's act. When one is under way already, that
/// one is the answer and nothing is done twice. `None` when there is no such person.
///
/// # Errors
/// The store's fault.
pub async fn begin(
    tx: &WriteTx,
    id: DeletionId,
    user_id: &UserId,
    requested_by: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Option<Deletion>, StoreFault> {
    let Some(mut user) = tx.hold_user(user_id).await? else { return Ok(None) };
    let deletion = Deletion {
        id,
        user_id: Some(user_id.clone()),
        requested_by: requested_by.to_owned(),
        state: DeletionState::Revoking,
        attempts: 0,
        requested_at: now,
        due_at: now,
        // Then the person is erased all the same, and the receipt says what could not be given back.
        give_up_at: now.plus(giving_back::PATIENCE),
        completed_at: None,
    };
    if !tx.insert_deletion(&deletion).await? {
        return tx.find_deletion_of(user_id).await;
    }
    let cause = Some(deletion.id.as_str());
    let ending = Ending::User(user_id.clone());
    let ended = ending::end_because(tx, &ending, Reason::Deleted, cause, now).await?;
    // What nobody may see any more need not wait for an upstream. The identity stays, so that a
    // return meanwhile is recognised and refused.
    user.name = None;
    user.given_name = None;
    user.family_name = None;
    user.email = None;
    user.email_verified = false;
    user.is_private_email = false;
    user.disabled_at = user.disabled_at.or(Some(now));
    user.updated_at = now;
    tx.update_user(&user).await?;
    tx.forget_identity_addresses(user_id).await?;
    let outcome = format!("sessions: {}, grants: {}", ended.sessions, ended.grants);
    tx.add_deletion_step(&deletion.id, "sessions_and_tokens_ended", &outcome, now).await?;
    let event = Event::new(now, "user.deletion_begun", requested_by)
        .target(user_id.to_string())
        .because(reason)
        .detail(serde_json::json!({ "deletion": deletion.id }));
    tx.record(&event).await?;
    Ok(Some(deletion))
}

impl Provider {
    /// The signed-in person deletes their own account, having typed [`CONFIRMATION`].
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours; `login_required` without a
    /// fresh proof; `invalid_request` without the confirmation.
    pub async fn delete_own_account(
        &self,
        browser: &Browser,
        csrf: &str,
        typed: &str,
    ) -> Result<Deletion, Failure> {
        let now = self.clock.now();
        let (_, user) = self.own_fresh_form(browser, csrf, now).await?;
        if !is_confirmation(typed) {
            return Err(Refusal::invalid_request("the confirmation was not typed").into());
        }
        self.begin_deletion(user.id, "user".to_owned(), now).await
    }

    /// A client deletes the account of the person who gave it [`ACCOUNT_DELETE`].
    ///
    /// # Errors
    /// `invalid_token` or `insufficient_scope` (RFC 6750 §3.1).
    pub async fn delete_account_by_token(
        &self,
        presented: &Presented<'_>,
    ) -> Result<Deletion, Failure> {
        let now = self.clock.now();
        let token = self.presented_token(presented, path::ACCOUNT_ME, now).await?;
        let grant = token
            .grant
            .ok_or_else(|| Refusal::invalid_token("the access token belongs to nobody"))?;
        let client = self.store.find_client(&grant.client_id).await?;
        // A token for an API is seen by that API; only the operator's own may be trusted with it.
        let ours = client.is_some_and(|client| client.first_party)
            || token.claims.aud.iter().any(|audience| audience == self.issuer);
        if !token.claims.has_scope(ACCOUNT_DELETE) || !ours {
            return Err(Refusal::insufficient_scope(format!(
                "the access token is not one for the issuer with scope {ACCOUNT_DELETE}"
            ))
            .into());
        }
        let requested_by = format!("client:{}", grant.client_id);
        self.begin_deletion(grant.user_id, requested_by, now).await
    }

    /// Begins a deletion in an act of its own.
    async fn begin_deletion(
        &self,
        user_id: UserId,
        requested_by: String,
        now: Timestamp,
    ) -> Result<Deletion, Failure> {
        let id = DeletionId::random(self.entropy.as_ref());
        let begun = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    Ok::<_, Failure>(begin(tx, id, &user_id, &requested_by, None, now).await?)
                })
            })
            .await?;
        self.doorbell.ring();
        begun.ok_or_else(|| Refusal::access_denied("this account no longer exists").into())
    }

    /// How a deletion stands. Its id is known to whoever asked for it, and proves that.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn deletion_receipt(&self, id: &DeletionId) -> Result<Option<Receipt>, Failure> {
        Ok(self.store.find_receipt(id).await?)
    }
}
