//! Who is this? — the linking policy, apple.md §3–§5, §12.
//!
//! The key is `(authority, subject)` and nothing else: an address never makes two people one
//! (apple.md §12, items 1–5), unless the operator has switched the strict rule on
//! (`address_linking.rs`). What was learned never erases what is known.

mod learning;

use serde::{Deserialize, Serialize};

use self::learning::{Learned, learn};
use super::address_linking::ByAddress;
use super::{Failure, Provider, apple_transfer, giving_back, linking, signals};
use crate::protocol::address_linking::{Newcomer, proven_address};
use crate::protocol::ambient::{Entropy, Timestamp, random};
use crate::protocol::apple_transfer::AppleTransfer;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, UserId};
use crate::protocol::upstream_grant::{LeftGrant, UpstreamGrant};
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
        let joined = match joins {
            Some(person) if whose.is_none() => Some(Joined::ByProof(person)),
            None if whose.is_none() => {
                let connection = &connection_id;
                let newcomer = Newcomer { connection, authority: &authority, profile: &profile };
                self.account_of_address(newcomer).await?.map(Joined::ByAddress)
            }
            Some(_) | None => None,
        };
        let newcomer =
            Newcomer { connection: &connection_id, authority: &authority, profile: &profile };
        let alone_with = match (&whose, &joined) {
            (None, None) => self.joining_address(newcomer),
            (Some(_), _) | (None, Some(_)) => None,
        };
        let seen = match &alone_with {
            Some(address) => self.store.find_people_by_address(address).await?.len(),
            None => 0,
        };
        let alone_with = alone_with.map(|address| (address, seen));
        let joins = joined.as_ref().map(|joined| joined.account().clone());
        let user_id = whose.or(joins).unwrap_or_else(|| UserId::random(self.entropy.as_ref()));
        let mut resting = None;
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
                if is_apple(&authority) {
                    let entropy = self.entropy.as_ref();
                    resting = Some(giving_back::resting(&grant, token, &self.vault, entropy, now)?);
                }
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
                email_proven: proven_address(&profile).is_some(),
                created_at: now,
                last_login_at: now,
                email_undeliverable_since: None,
                ended_at: None,
            },
            profile,
            upstream_grant,
            resting,
            moved,
            joined,
            alone_with,
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
    /// Its token once more, to be given back one day although others followed it.
    resting: Option<LeftGrant>,
    moved: Option<AppleTransfer>,
    /// Whether an identity that nobody has becomes one of somebody who is here.
    joined: Option<Joined>,
    /// An address by which somebody new could have joined others, and how many had it.
    alone_with: Option<(String, usize)>,
}

/// How somebody comes by a further identity.
#[derive(Clone)]
pub(super) enum Joined {
    /// Both sides were proven (`linking.rs`).
    ByProof(UserId),
    /// By an address that both sides have verified, as the operator wants it.
    ByAddress(ByAddress),
}

impl Joined {
    const fn account(&self) -> &UserId {
        match self {
            Self::ByProof(account) => account,
            Self::ByAddress(found) => &found.account,
        }
    }
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
    let Prepared { identity, upstream_grant, resting, moved, joined, .. } = prepared;
    let (authority, subject) = (&identity.authority, &identity.subject);
    let held = tx.hold_user(&identity.user_id).await?;
    if let Some(moved) = moved
        && tx.find_identity(authority, subject).await?.is_none()
    {
        apple_transfer::attach(tx, moved, identity, now).await?;
    }
    let user = match (tx.find_identity(authority, subject).await?, joined) {
        (Some(known), _) => come_back(tx, prepared, &known, held, now).await?,
        (None, Some(joined)) => join(tx, prepared, joined, held, now).await?,
        (None, None) => begin(tx, prepared, now).await?,
    };
    tx.keep_left_grants(authority, subject).await?;
    if let Some(grant) = upstream_grant {
        tx.put_upstream_grant(grant).await?;
    }
    if let Some(token) = resting {
        tx.rest_left_grant(token).await?;
    }
    tx.delete_pending_profile(authority, subject).await?;
    Ok(user)
}

/// What was prepared was sealed for another row than the one that is there now: it is looked at
/// once more.
fn raced(what: &str) -> Failure {
    super::Fault::Store(StoreFault::Conflict(what.to_owned())).into()
}

/// Somebody whose identity is known.
async fn come_back(
    tx: &WriteTx,
    prepared: &Prepared,
    known: &Identity,
    held: Option<User>,
    now: Timestamp,
) -> Result<User, Failure> {
    let Prepared { identity, profile, .. } = prepared;
    let (authority, subject) = (&identity.authority, &identity.subject);
    if known.user_id != identity.user_id {
        // Made by somebody else since `prepare`.
        return Err(raced("identity"));
    }
    let user = welcome(tx, held).await?;
    let email = identity.email.as_deref().map(|email| (email, identity.email_proven));
    tx.touch_identity(authority, subject, &identity.connection_id, email, now).await?;
    // The address of another identity of theirs stays.
    let address = user.email.is_none() || user.email == known.email;
    // Whoever chose their name keeps it.
    let names = !is_apple(authority) && !tx.has_chosen_name(&user.id).await?;
    keep_learned(tx, user, profile, Learned { names, address }, now).await
}

/// An identity that nobody has becomes a further one of somebody who is here.
async fn join(
    tx: &WriteTx,
    prepared: &Prepared,
    joined: &Joined,
    held: Option<User>,
    now: Timestamp,
) -> Result<User, Failure> {
    let Prepared { identity, profile, .. } = prepared;
    if let Joined::ByAddress(found) = joined {
        let (connection, authority) = (&identity.connection_id, &identity.authority);
        let newcomer = Newcomer { connection, authority, profile };
        if !found.stands(tx, newcomer, held.as_ref()).await? {
            return Err(raced("address"));
        }
    }
    let user = welcome(tx, held).await?;
    tx.insert_identity(identity).await?;
    let address = user.email.is_none();
    let user = keep_learned(tx, user, profile, Learned { names: false, address }, now).await?;
    linking::note_linked(tx, identity, joined, now).await?;
    Ok(user)
}

/// Somebody new.
async fn begin(tx: &WriteTx, prepared: &Prepared, now: Timestamp) -> Result<User, Failure> {
    let Prepared { sub, identity, profile, alone_with, .. } = prepared;
    if let Some((address, seen)) = alone_with {
        tx.hold_address(address).await?;
        if tx.find_people_by_address(address).await?.len() != *seen {
            // Somebody came with it since `prepare`: perhaps it is the same person.
            return Err(raced("address"));
        }
    }
    let mut user = User::new(identity.user_id.clone(), sub.clone(), now);
    learn(&mut user, profile, Learned { names: true, address: true });
    tx.insert_user(&user).await?;
    tx.insert_identity(identity).await?;
    let event =
        Event::new(now, "user.created", format!("user:{}", user.id)).target(user.id.to_string());
    tx.record(&event).await?;
    Ok(user)
}

/// Takes over what is new in `profile`, and has the clients told.
async fn keep_learned(
    tx: &WriteTx,
    mut user: User,
    profile: &Profile,
    what: Learned,
    now: Timestamp,
) -> Result<User, Failure> {
    let before = user.clone();
    if learn(&mut user, profile, what) {
        user.updated_at = now;
        tx.update_user(&user).await?;
        signals::profile_changed(tx, &before, &user, now).await?;
    }
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
