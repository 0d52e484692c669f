//! More than one way in: a person adds an identity, or takes one away — apple.md §12, items 3–5.
//!
//! Both sides are proven when they are joined: the person by their session or by an access token
//! of theirs, the identity by its upstream. Nothing here is joined by an address (but see
//! `address_linking.rs`), an identity that somebody has stays theirs, and the last way in cannot be
//! taken away.

use std::sync::Arc;

use super::account::forget_factors;
use super::ending::{self, Ended, Ending, Reason};
use super::interaction::Browser;
use super::login::{Errand, Journey};
use super::people::{Arrival, Joined};
use super::{Failure, Fault, Provider, giving_back, signals};
use crate::protocol::ambient::{Entropy, Timestamp};
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, SessionId, UserId};
use crate::protocol::local_account::AUTHORITY;
use crate::protocol::secret::{SealError, Vault};
use crate::protocol::security_event::{ChangeType, SecurityEvent};
use crate::protocol::user::Identity;
use crate::store::{StoreFault, WriteTx};
use crate::upstream::{Callback, Connector, Trip};

/// An identity of a person, as a way in.
pub struct WayIn {
    /// The identity.
    pub identity: Identity,
    /// Whether somebody can sign in with it now.
    pub usable: bool,
    /// Whether another one is left when it goes.
    pub removable: bool,
}

/// How a person signs in, and could.
pub struct Linking {
    /// The identities they have.
    pub ways: Vec<WayIn>,
    /// Connections through which they could add one.
    pub more: Vec<Arc<dyn Connector>>,
    /// Whether they proved a moment ago who they are.
    pub fresh: bool,
    /// Proves that a form was made for this session.
    pub csrf: String,
}

impl Provider {
    /// How whoever is signed in here signs in, and could.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn linking(&self, browser: &Browser) -> Result<Option<Linking>, Failure> {
        let Some((session, user)) = self.signed_in(browser, self.clock.now()).await? else {
            return Ok(None);
        };
        let identities = self.store.list_identities(&user.id).await?;
        let authorities = self.ways();
        let removable =
            |of: &Identity| identities.iter().any(|one| one != of && is_usable(one, &authorities));
        let ways = identities
            .iter()
            .map(|identity| WayIn {
                usable: is_usable(identity, &authorities),
                removable: removable(identity),
                identity: identity.clone(),
            })
            .collect();
        let has = |authority: &str| identities.iter().any(|one| one.authority == authority);
        let more = self.connectors().iter().filter(|one| !has(&one.authority())).cloned().collect();
        let fresh = self.is_fresh(&session);
        Ok(Some(Linking { ways, more, fresh, csrf: self.logout_csrf(&session) }))
    }

    /// Sends the browser of somebody who is signed in to an upstream, to add an identity there.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours; `login_required` without
    /// a fresh proof.
    pub async fn depart_to_link(
        &self,
        connection: &ConnectionId,
        browser: &Browser,
        csrf: &str,
    ) -> Result<String, Failure> {
        let (session, _) = self.own_fresh_form(browser, csrf, self.clock.now()).await?;
        let binding = browser.binding_hash().cloned().ok_or_else(|| {
            Refusal::invalid_request("cookies are disabled, or were removed meanwhile")
        })?;
        let journey = Journey {
            errand: Errand::Link(session.id),
            browser: binding,
            login_hint: None,
            // Whoever sits here now shows that the identity is theirs.
            reauthenticate: true,
        };
        self.send_off(journey, connection).await
    }

    /// The browser is back with the identity that it went to add.
    pub(super) async fn link_what_came(
        &self,
        session: &SessionId,
        connection: &ConnectionId,
        trip: &Trip,
        callback: &Callback,
        browser: &Browser,
    ) -> Result<(), Failure> {
        let user = self.still_here(session, browser).await?;
        let identity = self.meet(connection, trip, callback, self.clock.now()).await?;
        let arrival = Arrival { connection_id: connection.clone(), identity, joins: Some(user.id) };
        self.recognise(arrival, self.clock.now()).await?;
        Ok(())
    }

    /// Takes an identity away from whoever is signed in here, and ends what they signed in to
    /// with it. What its upstream granted is owed back, until the upstream confirms.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in, the form is not ours, or the identity is not
    /// theirs; `invalid_request` for the last way in; `login_required` without a fresh proof.
    pub async fn unlink(
        &self,
        browser: &Browser,
        csrf: &str,
        (authority, subject): (&str, &str),
    ) -> Result<Ended, Failure> {
        let (_, user) = self.own_fresh_form(browser, csrf, self.clock.now()).await?;
        let now = self.clock.now();
        let authorities = self.ways();
        let (authority, subject) = (authority.to_owned(), subject.to_owned());
        let (vault, entropy) = (Arc::clone(&self.vault), Arc::clone(&self.entropy));
        let taken: Result<Ended, Refusal> =
            self.store
                .write(move |tx| {
                    Box::pin(async move {
                        // Of two that take away the last two, the second sees what the first has left.
                        tx.hold_user(&user.id).await?;
                        let (gone, left): (Vec<_>, Vec<_>) =
                            tx.list_identities(&user.id).await?.into_iter().partition(|one| {
                                one.authority == authority && one.subject == subject
                            });
                        let Some(gone) = gone.into_iter().next() else {
                            let refusal = "this identity is not one of yours";
                            return Ok::<_, Fault>(Err(Refusal::access_denied(refusal)));
                        };
                        if !left.iter().any(|one| is_usable(one, &authorities)) {
                            let refusal = "this is the last way to sign in to your account; add \
                                       another one first";
                            return Ok(Err(Refusal::invalid_request(refusal)));
                        }
                        let sealing = (vault.as_ref(), entropy.as_ref());
                        let reason = Reason::Withdrawn;
                        let ended = take_away::<Fault>(tx, &gone, sealing, reason, now).await?;
                        let event = Event::new(now, "user.unlinked", format!("user:{}", user.id))
                            .target(user.id.to_string())
                            .detail(serde_json::json!({ "authority": authority }));
                        tx.record(&event).await?;
                        Ok(Ok(ended))
                    })
                })
                .await?;
        Ok(taken?)
    }

    /// Who can vouch for somebody at this moment.
    fn ways(&self) -> Vec<String> {
        let mut ways: Vec<String> = self.connectors().iter().map(|one| one.authority()).collect();
        ways.extend(self.offers_local_accounts().then(|| AUTHORITY.to_owned()));
        ways
    }
}

fn is_usable(identity: &Identity, authorities: &[String]) -> bool {
    identity.ended_at.is_none() && authorities.contains(&identity.authority)
}

/// Takes an identity from its person, who is held: what its upstream granted is owed back, and what
/// they signed in to through its connection ends.
///
/// # Errors
/// The store's fault; a vault that does not open a grant.
pub(super) async fn take_away<E: From<StoreFault> + From<SealError>>(
    tx: &WriteTx,
    gone: &Identity,
    (vault, entropy): (&Vault, &dyn Entropy),
    reason: Reason,
    now: Timestamp,
) -> Result<Ended, E> {
    let Identity { user_id, authority, subject, connection_id, .. } = gone;
    tx.delete_identity(user_id, authority, subject).await?;
    for grant in tx.find_upstream_grants(user_id).await? {
        if grant.authority == *authority && grant.subject == *subject {
            giving_back::leave::<E>(tx, &grant, vault, entropy, now).await?;
        }
    }
    if authority == AUTHORITY {
        // A second step stands beside the password, and goes with it.
        let event = Event::new(now, "user.totp_removed", "system");
        forget_factors(tx, user_id, event, now).await?;
    }
    note_change(tx, user_id, connection_id, ChangeType::Delete, now).await?;
    let ending = Ending::Connections(user_id.clone(), vec![connection_id.clone()]);
    Ok(ending::end(tx, &ending, reason, now).await?)
}

/// Writes down that an identity was added, and tells the clients that ask to hear it.
pub(super) async fn note_linked(
    tx: &WriteTx,
    identity: &Identity,
    joined: &Joined,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let user_id = &identity.user_id;
    note_change(tx, user_id, &identity.connection_id, ChangeType::Create, now).await?;
    let (actor, by) = match joined {
        Joined::ByProof(_) => (format!("user:{user_id}"), "proof"),
        Joined::ByAddress(_) => ("system".to_owned(), "verified_email"),
    };
    let event = Event::new(now, "user.linked", actor).target(user_id.to_string()).detail(
        serde_json::json!({
            "authority": identity.authority,
            "connection": identity.connection_id,
            "by": by,
        }),
    );
    tx.record(&event).await
}

async fn note_change(
    tx: &WriteTx,
    user_id: &UserId,
    connection: &ConnectionId,
    change_type: ChangeType,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let credential_type = format!("x-{connection}");
    let changed = SecurityEvent::CredentialChange { credential_type, change_type };
    signals::emit(tx, user_id, &changed, now).await
}
