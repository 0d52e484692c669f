//! One question of the daily check, and what follows from its answer — the table of apple.md §6.

use super::Outcome;
use crate::op::ending::{self, Ending, Reason};
use crate::op::{Fault, Provider, signals};
use crate::protocol::address_linking::proven_address;
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::ConnectionId;
use crate::protocol::secret::SecretString;
use crate::protocol::upstream_grant::{
    AMBIGUOUS_DAYS, CHECK_INTERVAL, GrantState, UpstreamGrant, back_off,
};
use crate::protocol::user::Profile;
use crate::store::WriteTx;
use crate::store::upstream_grants::DueGrant;
use crate::upstream::Standing;

impl Provider {
    /// Asks about one grant and writes the answer down.
    pub(super) async fn check_one(&self, due: DueGrant) -> Result<Outcome, Fault> {
        let now = self.clock.now();
        let DueGrant { grant, last_login_at } = due;
        if last_login_at.plus(CHECK_INTERVAL) > now {
            // The sign-in was proof enough.
            let next_check_at = Some(grant.next_check_after_sign_in(last_login_at));
            self.note(UpstreamGrant { next_check_at, ..grant }).await?;
            return Ok(Outcome::Postponed);
        }
        let Some(connector) = self.connector_holding(&grant.authority, &grant.client_id) else {
            // Its connection, or its app, is not configured now; it may be again.
            let next_check_at = Some(grant.next_check(now));
            self.note(UpstreamGrant { next_check_at, ..grant }).await?;
            return Ok(Outcome::Postponed);
        };
        let Some(lifecycle) = connector.lifecycle() else { return Ok(Outcome::Overtaken) };
        let Ok(token) = self.open_upstream_grant(&grant) else {
            tracing::error!(
                user = %grant.user_id, client_id = grant.client_id,
                "an upstream grant does not open: is a master key missing?"
            );
            return self.silent(grant, now, "the grant does not open".to_owned()).await;
        };
        let standing = lifecycle.check_grant(&grant.client_id, &token, now).await;
        let now = self.clock.now();
        match standing {
            Standing::Good(None) => self.good(grant, None, now).await,
            Standing::Good(Some(identity)) if identity.subject == grant.subject => {
                self.good(grant, Some(identity.profile), now).await
            }
            Standing::Good(Some(_)) => {
                tracing::error!(user = %grant.user_id, "Apple names somebody else for this grant");
                self.silent(grant, now, "a grant of somebody else".to_owned()).await
            }
            Standing::Dead => self.dead(grant, last_login_at, now).await,
            Standing::Ambiguous => self.ambiguous(grant, last_login_at, now).await,
            Standing::Unwell(cause) => self.silent(grant, now, cause).await,
            Standing::Misconfigured(cause) => Ok(Outcome::Misconfigured(cause)),
        }
    }

    /// The refresh token of an upstream grant.
    ///
    /// # Errors
    /// When it was sealed under a master key that is not configured.
    pub fn open_upstream_grant(&self, grant: &UpstreamGrant) -> Result<SecretString, Fault> {
        let opened = self.vault.open(&grant.bound_to(), &grant.sealed_refresh_token)?;
        let text = String::from_utf8(opened.expose().clone())
            .map_err(|_| crate::protocol::secret::SealError::DoesNotOpen)?;
        Ok(SecretString::new(text))
    }

    async fn note(&self, grant: UpstreamGrant) -> Result<bool, Fault> {
        let noted = self
            .store
            .write(move |tx| Box::pin(async move { tx.note_upstream_grant(&grant).await }));
        Ok(noted.await?)
    }

    async fn good(
        &self,
        grant: UpstreamGrant,
        profile: Option<Profile>,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let good = UpstreamGrant {
            last_checked_at: Some(now),
            last_ok_at: Some(now),
            ambiguous_days: 0,
            failures: 0,
            next_check_at: Some(grant.next_check(now)),
            ..stands(grant, GrantState::Valid, now)
        };
        let noted = self.store.write(move |tx| {
            Box::pin(async move {
                tx.hold_user(&good.user_id).await?;
                if !tx.note_upstream_grant(&good).await? {
                    return Ok::<_, Fault>(Outcome::Overtaken);
                }
                if let Some(profile) = profile {
                    learn_address(tx, &good, &profile, now).await?;
                }
                Ok(Outcome::Good)
            })
        });
        noted.await
    }

    /// No answer, or none to be believed: nobody loses anything by it.
    async fn silent(
        &self,
        grant: UpstreamGrant,
        now: Timestamp,
        cause: String,
    ) -> Result<Outcome, Fault> {
        let failures = grant.failures.saturating_add(1);
        let next_check_at = Some(now.plus(back_off(failures, self.entropy.as_ref())));
        let silent = UpstreamGrant {
            failures,
            next_check_at,
            ..stands(grant, GrantState::Unreachable, now)
        };
        tracing::debug!(user = %silent.user_id, failures, %cause, "no answer about a grant");
        let noted = self.note(silent).await?;
        Ok(if noted { Outcome::Unwell(cause) } else { Outcome::Overtaken })
    }

    async fn ambiguous(
        &self,
        grant: UpstreamGrant,
        last_login_at: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let days = grant.ambiguous_days.saturating_add(1);
        if let Some(before) = grant.last_checked_at
            && days >= AMBIGUOUS_DAYS
            && self.store.others_stand_since(&grant.authority, &grant.user_id, before).await?
        {
            return self.dead(grant, last_login_at, now).await;
        }
        let ambiguous = UpstreamGrant {
            last_checked_at: Some(now),
            ambiguous_days: days,
            failures: 0,
            next_check_at: Some(grant.next_check(now)),
            ..grant
        };
        let noted = self.note(ambiguous).await?;
        Ok(if noted { Outcome::Ambiguous } else { Outcome::Overtaken })
    }

    /// The upstream has taken the grant back: what came through it ends.
    async fn dead(
        &self,
        grant: UpstreamGrant,
        last_login_at: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, Fault> {
        let connections = self.connections_of(&grant.authority);
        let dead = UpstreamGrant {
            last_checked_at: Some(now),
            next_check_at: None,
            failures: 0,
            ..stands(grant, GrantState::Revoked, now)
        };
        let noted = self.store.write(move |tx| {
            Box::pin(async move {
                tx.hold_user(&dead.user_id).await?;
                if !tx.note_upstream_grant(&dead).await? {
                    return Ok::<_, Fault>(Outcome::Overtaken);
                }
                let ended = end_with(tx, &dead, connections, last_login_at, now).await?;
                let event = Event::new(now, "apple.grant_revoked", "system")
                    .target(dead.user_id.to_string())
                    .detail(serde_json::json!({
                        "authority": dead.authority,
                        "client_id": dead.client_id,
                        "sessions": ended.sessions,
                        "grants": ended.grants,
                    }));
                tx.record(&event).await?;
                Ok(Outcome::Dead)
            })
        });
        noted.await
    }
}

/// The grant in this state; since now, unless it was in it before.
fn stands(grant: UpstreamGrant, state: GrantState, now: Timestamp) -> UpstreamGrant {
    let state_since = if grant.state == state { grant.state_since } else { now };
    UpstreamGrant { state, state_since, ..grant }
}

/// Ends what the person signed in to through the authority's connections, unless they have proven
/// since that they stand well: by a newer grant, which is asked about in its turn, or by signing in
/// while the question was under way.
async fn end_with(
    tx: &WriteTx,
    dead: &UpstreamGrant,
    mut connections: Vec<ConnectionId>,
    last_login_at: Timestamp,
    now: Timestamp,
) -> Result<ending::Ended, Fault> {
    let others = tx.find_upstream_grants(&dead.user_id).await?;
    let newer = others.iter().any(|other| {
        other.authority == dead.authority
            && other.subject == dead.subject
            && other.state != GrantState::Revoked
            && other.issued_at > dead.issued_at
    });
    let identity = tx.find_identity(&dead.authority, &dead.subject).await?;
    let came_back = identity.as_ref().is_some_and(|known| known.last_login_at > last_login_at);
    if newer || came_back {
        return Ok(ending::Ended::default());
    }
    // A connection that is not configured any more may still have sessions.
    connections.extend(identity.map(|known| known.connection_id));
    let ending = Ending::Connections(dead.user_id.clone(), connections);
    Ok(ending::end(tx, &ending, Reason::UpstreamRevoked, now).await?)
}

/// Takes over the address that Apple tells now, where the one that is known came from Apple too.
async fn learn_address(
    tx: &WriteTx,
    grant: &UpstreamGrant,
    profile: &Profile,
    now: Timestamp,
) -> Result<(), Fault> {
    let Some(email) = &profile.email else { return Ok(()) };
    let Some(identity) = tx.find_identity(&grant.authority, &grant.subject).await? else {
        return Ok(());
    };
    let Some(mut user) = tx.find_user(&grant.user_id).await? else { return Ok(()) };
    let proven = proven_address(profile).is_some();
    if identity.email.as_ref() != Some(email) || identity.email_proven != proven {
        tx.note_identity_email(&grant.authority, &grant.subject, (email, proven)).await?;
    }
    let before = user.clone();
    if user.email.is_none() || user.email == identity.email {
        user.email = Some(email.clone());
        user.email_verified = profile.email_verified;
        user.is_private_email = profile.is_private_email;
    }
    if user != before {
        user.updated_at = now;
        tx.update_user(&user).await?;
        signals::profile_changed(tx, &before, &user, now).await?;
        let event = Event::new(now, "user.email_changed", "system")
            .target(user.id.to_string())
            .detail(serde_json::json!({ "is_private_email": user.is_private_email }));
        tx.record(&event).await?;
    }
    Ok(())
}
