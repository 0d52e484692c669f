//! Who is this? — the linking policy, apple.md §3–§5, §12.
//!
//! The key is `(authority, subject)` and nothing else: an address never makes two people one
//! (apple.md §12, items 1–5). What was learned never erases what is known.

use serde::{Deserialize, Serialize};

use super::{Failure, Provider, apple_transfer, linking, signals};
use crate::protocol::ambient::{Entropy, Timestamp, random};
use crate::protocol::apple_transfer::AppleTransfer;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, UserId};
use crate::protocol::standard_claims::StandardClaims;
use crate::protocol::upstream_grant::UpstreamGrant;
use crate::protocol::user::{Identity, Profile, User};
use crate::store::{StoreFault, WriteTx};
use crate::upstream::UpstreamIdentity;

/// Somebody who proved at an upstream who they are.
#[derive(Clone)]
pub(super) struct Arrival {
    pub(super) connection_id: ConnectionId,
    pub(super) identity: UpstreamIdentity,
    /// Whose further identity it is, by proof of both (`linking.rs`).
    pub(super) joins: Option<UserId>,
}

/// A name told once, kept until its account exists (apple.md §4).
#[derive(Serialize, Deserialize)]
struct PendingName {
    name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
}

fn pending_bound_to(authority: &str, subject: &str) -> String {
    format!("pending_profiles:{authority}:{subject}")
}

impl Provider {
    /// Keeps a name before the code is redeemed, so that a failed redemption, a crash or a closed
    /// tab loses nothing.
    pub(super) async fn keep_profile(
        &self,
        identity: &UpstreamIdentity,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Profile { name, given_name, family_name, .. } = identity.profile.clone();
        if name.is_none() && given_name.is_none() && family_name.is_none() {
            return Ok(());
        }
        let pending = serde_json::to_vec(&PendingName { name, given_name, family_name })?;
        let (authority, subject) = (identity.authority.clone(), identity.subject.clone());
        let sealed = self.vault.seal(&pending_bound_to(&authority, &subject), &pending)?;
        let expires_at = now.plus(self.policy.pending_profile_ttl);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.put_pending_profile(&authority, &subject, &sealed, expires_at).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await
    }

    /// Finds the person behind an identity, or makes one, in its own transaction.
    pub(super) async fn recognise(
        &self,
        arrival: Arrival,
        now: Timestamp,
    ) -> Result<User, Failure> {
        let prepared = self.prepare(arrival.clone(), now).await?;
        let first = self
            .store
            .write(move |tx| Box::pin(async move { settle(tx, &prepared, now).await }))
            .await;
        match first {
            // Two first sign-ins at once: the other made the person, so what was sealed for a new
            // one is prepared again for the one there is.
            Err(Failure::Fault(super::Fault::Store(StoreFault::Conflict(_)))) => {
                let again = self.prepare(arrival, now).await?;
                self.store
                    .write(move |tx| Box::pin(async move { settle(tx, &again, now).await }))
                    .await
            }
            settled => settled,
        }
    }

    /// Everything about an arrival that needs no transaction: what is pending is opened, what must
    /// be stored is sealed.
    pub(super) async fn prepare(
        &self,
        arrival: Arrival,
        now: Timestamp,
    ) -> Result<Prepared, Failure> {
        let Arrival { connection_id, identity, joins } = arrival;
        let UpstreamIdentity { authority, subject, mut profile, grant, transfer_sub, .. } =
            identity;
        let pending = self.store.find_pending_profile(&authority, &subject, now).await?;
        if let Some(sealed) = pending {
            let opened = self.vault.open(&pending_bound_to(&authority, &subject), &sealed)?;
            let pending: PendingName = serde_json::from_slice(opened.expose())?;
            profile.name = profile.name.or(pending.name);
            profile.given_name = profile.given_name.or(pending.given_name);
            profile.family_name = profile.family_name.or(pending.family_name);
        }
        // The row a sealed token is bound to names its person, so known people are looked up and
        // new ones named ahead.
        let known = self.store.find_identity(&authority, &subject).await?;
        // Somebody unknown may be somebody known by another name (apple.md §9).
        let moved = match &known {
            Some(_) => None,
            None => self.transfer_of(&authority, transfer_sub.as_deref()).await?,
        };
        let whose = known
            .map(|identity| identity.user_id)
            .or_else(|| moved.as_ref().map(|moved| moved.user_id.clone()));
        if joins.is_some() && whose.is_some() && whose != joins {
            return Err(somebody_elses().into());
        }
        let joined = joins.is_some() && whose.is_none();
        let user_id = whose.or(joins).unwrap_or_else(|| UserId::random(self.entropy.as_ref()));
        let upstream_grant = match grant {
            None => None,
            Some(obtained) => {
                let mut grant = UpstreamGrant::obtained(
                    user_id.clone(),
                    authority.clone(),
                    obtained.client_id,
                    subject.clone(),
                    now,
                );
                let token = obtained.refresh_token.expose().as_bytes();
                grant.sealed_refresh_token = self.vault.seal(&grant.bound_to(), token)?;
                Some(grant)
            }
        };
        if self.store.find_deletion_of(&user_id).await?.is_some() {
            return Err(self.turn_away(upstream_grant).await?.into());
        }
        Ok(Prepared {
            sub: new_sub(self.entropy.as_ref()),
            identity: Identity {
                authority,
                subject,
                user_id,
                connection_id,
                email: profile.email.clone(),
                created_at: now,
                last_login_at: now,
                email_undeliverable_since: None,
                ended_at: None,
            },
            profile,
            upstream_grant,
            moved,
            joined,
        })
    }
}

/// Nobody's identity is taken from them, however well it is proven.
fn somebody_elses() -> Refusal {
    Refusal::access_denied("this identity belongs to another account")
}

impl Provider {
    /// Refuses somebody who is being deleted. What the upstream has just given once more is kept,
    /// so that the deletion gives it back as well.
    async fn turn_away(&self, given: Option<UpstreamGrant>) -> Result<Refusal, Failure> {
        if let Some(grant) = given {
            self.store
                .write(move |tx| {
                    Box::pin(async move {
                        // The person may be gone by now.
                        if tx.find_user(&grant.user_id).await?.is_some() {
                            tx.put_upstream_grant(&grant).await?;
                        }
                        Ok::<_, Failure>(())
                    })
                })
                .await?;
        }
        Ok(Refusal::access_denied("this account is being deleted"))
    }
}

/// An arrival ready to be written.
#[derive(Clone)]
pub(super) struct Prepared {
    sub: String,
    identity: Identity,
    profile: Profile,
    upstream_grant: Option<UpstreamGrant>,
    moved: Option<AppleTransfer>,
    /// Whether an identity that nobody has becomes one of somebody who is here.
    joined: bool,
}

pub(super) fn new_sub(entropy: &dyn Entropy) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random::<16>(entropy))
}

/// Writes an arrival: the person, the identity, the upstream's refresh token, in one transaction.
pub(super) async fn settle(
    tx: &WriteTx,
    prepared: &Prepared,
    now: Timestamp,
) -> Result<User, Failure> {
    let Prepared { sub, identity, profile, upstream_grant, moved, joined } = prepared;
    let (authority, subject) = (&identity.authority, &identity.subject);
    let held = tx.hold_user(&identity.user_id).await?;
    if let Some(moved) = moved
        && tx.find_identity(authority, subject).await?.is_none()
    {
        apple_transfer::attach(tx, moved, identity, now).await?;
    }
    let user = match tx.find_identity(authority, subject).await? {
        Some(known) => {
            if known.user_id != identity.user_id {
                // Made by somebody else since `prepare`: what was sealed belongs to another row.
                let race = StoreFault::Conflict("identity".to_owned());
                return Err(super::Fault::Store(race).into());
            }
            let mut user = welcome(tx, held).await?;
            let email = identity.email.as_deref();
            tx.touch_identity(authority, subject, &identity.connection_id, email, now).await?;
            let before = user.clone();
            // The address of another identity of theirs stays.
            let address = user.email.is_none() || user.email == known.email;
            // Whoever chose their name keeps it.
            let names = !is_apple(authority) && !tx.has_chosen_name(&user.id).await?;
            if learn(&mut user, profile, Learned { names, address }) {
                user.updated_at = now;
                tx.update_user(&user).await?;
                signals::profile_changed(tx, &before, &user, now).await?;
            }
            user
        }
        None if *joined => {
            let mut user = welcome(tx, held).await?;
            tx.insert_identity(identity).await?;
            let before = user.clone();
            let address = user.email.is_none();
            if learn(&mut user, profile, Learned { names: false, address }) {
                user.updated_at = now;
                tx.update_user(&user).await?;
                signals::profile_changed(tx, &before, &user, now).await?;
            }
            linking::note_linked(tx, identity, now).await?;
            user
        }
        None => {
            let mut user = User {
                id: identity.user_id.clone(),
                sub: sub.clone(),
                name: None,
                given_name: None,
                family_name: None,
                email: None,
                email_verified: false,
                is_private_email: false,
                claims: StandardClaims::default(),
                disabled_at: None,
                created_at: now,
                updated_at: now,
            };
            learn(&mut user, profile, Learned { names: true, address: true });
            tx.insert_user(&user).await?;
            tx.insert_identity(identity).await?;
            let event = Event::new(now, "user.created", format!("user:{}", user.id))
                .target(user.id.to_string());
            tx.record(&event).await?;
            user
        }
    };
    if let Some(grant) = upstream_grant {
        tx.put_upstream_grant(grant).await?;
    }
    tx.delete_pending_profile(authority, subject).await?;
    Ok(user)
}

/// The person, if they may be here.
async fn welcome(tx: &WriteTx, held: Option<User>) -> Result<User, Failure> {
    let user = held.ok_or_else(|| {
        Refusal::access_denied("this account no longer exists")
            .detail("an identity without its person")
    })?;
    if tx.find_deletion_of(&user.id).await?.is_some() {
        return Err(Refusal::access_denied("this account is being deleted").into());
    }
    if user.disabled_at.is_some() {
        return Err(Refusal::access_denied("this account is disabled").into());
    }
    Ok(user)
}

fn is_apple(authority: &str) -> bool {
    authority.starts_with("apple:")
}

/// What is taken over from an upstream although something is known.
#[derive(Clone, Copy)]
struct Learned {
    names: bool,
    address: bool,
}

/// Takes over what an upstream told. Returns whether anything changed. Apple's name is untrusted
/// and told once, so it fills a gap and replaces nothing; a signed name replaces.
fn learn(user: &mut User, profile: &Profile, learned: Learned) -> bool {
    let before = user.clone();
    let unnamed = user.name.is_none() && user.given_name.is_none() && user.family_name.is_none();
    if learned.names || unnamed {
        for (known, told) in [
            (&mut user.name, &profile.name),
            (&mut user.given_name, &profile.given_name),
            (&mut user.family_name, &profile.family_name),
        ] {
            if let Some(told) = told.as_ref().filter(|told| !told.is_empty()) {
                *known = Some(told.clone());
            }
        }
    }
    let told = profile.email.as_ref().filter(|email| learned.address && !email.is_empty());
    if let Some(email) = told {
        user.email = Some(email.clone());
        user.email_verified = profile.email_verified;
        user.is_private_email = profile.is_private_email;
    }
    *user != before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> User {
        User {
            id: UserId::new("u"),
            sub: "s".into(),
            name: Some("Ada".into()),
            given_name: None,
            family_name: None,
            email: Some("ada@example.com".into()),
            email_verified: true,
            is_private_email: false,
            claims: StandardClaims::default(),
            disabled_at: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    #[test]
    fn what_is_not_told_erases_nothing() {
        let mut ada = user();
        let silent = Profile { name: Some(String::new()), ..Profile::default() };
        assert!(!learn(&mut ada, &silent, Learned { names: true, address: true }));
        assert_eq!(ada, user());
    }

    #[test]
    fn apples_name_fills_a_gap_and_replaces_nothing() {
        let told = Profile { name: Some("Eve".into()), ..Profile::default() };
        let mut ada = user();
        let by_apple = Learned { names: false, address: true };
        learn(&mut ada, &told, by_apple);
        assert_eq!(ada.name.as_deref(), Some("Ada"));
        ada.name = None;
        learn(&mut ada, &told, by_apple);
        assert_eq!(ada.name.as_deref(), Some("Eve"));
    }

    #[test]
    fn the_address_of_another_identity_stays() {
        let told = Profile { email: Some("eve@example.com".into()), ..Profile::default() };
        let mut ada = user();
        assert!(!learn(&mut ada, &told, Learned { names: true, address: false }));
        assert_eq!(ada.email.as_deref(), Some("ada@example.com"));
    }
}
