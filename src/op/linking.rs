//! More than one way in: a person adds an identity, or takes one away — apple.md §12, items 3–5.
//!
//! Both sides are proven when they are joined: the person by their session or by an access token
//! of theirs, the identity by its upstream. Nothing is joined by an address, an identity that
//! somebody has stays theirs, and the last way in cannot be taken away.

use std::sync::Arc;
use std::time::Duration;

use super::ending::{self, Ended, Ending, Reason};
use super::interaction::Browser;
use super::login::{Errand, Journey};
use super::people::Arrival;
use super::{Failure, Fault, Provider, signals};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, SessionId, UserId};
use crate::protocol::local_account::AUTHORITY;
use crate::protocol::security_event::{ChangeType, SecurityEvent};
use crate::protocol::upstream_grant::UpstreamGrant;
use crate::protocol::user::Identity;
use crate::store::{StoreFault, WriteTx};
use crate::upstream::{Callback, Connector, Trip};

/// Giving a grant back is not worth more of the person's time.
const PATIENCE: Duration = Duration::from_secs(2);

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
        Ok(Some(Linking { ways, more, csrf: self.logout_csrf(&session) }))
    }

    /// Sends the browser of somebody who is signed in to an upstream, to add an identity there.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours.
    pub async fn depart_to_link(
        &self,
        connection: &ConnectionId,
        browser: &Browser,
        csrf: &str,
    ) -> Result<String, Failure> {
        let (session, _) = self.own_form(browser, csrf, self.clock.now()).await?;
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
        let now = self.clock.now();
        let here = self.signed_in(browser, now).await?;
        let (_, user) = here.filter(|(here, _)| here.id == *session).ok_or_else(|| {
            Refusal::access_denied("whoever asked for this is not signed in here any more")
        })?;
        let identity = self.meet(connection, trip, callback, now).await?;
        let arrival = Arrival { connection_id: connection.clone(), identity, joins: Some(user.id) };
        self.recognise(arrival, self.clock.now()).await?;
        Ok(())
    }

    /// Takes an identity away from whoever is signed in here, and ends what they signed in to
    /// with it. What its upstream granted is given back, if it answers.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in, the form is not ours, or the identity is not
    /// theirs; `invalid_request` for the last way in.
    pub async fn unlink(
        &self,
        browser: &Browser,
        csrf: &str,
        (authority, subject): (&str, &str),
    ) -> Result<Ended, Failure> {
        let (_, user) = self.own_form(browser, csrf, self.clock.now()).await?;
        let now = self.clock.now();
        let authorities = self.ways();
        let (authority, subject) = (authority.to_owned(), subject.to_owned());
        let taken: Result<(Ended, Vec<UpstreamGrant>), Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    take_away(tx, &user.id, (&authority, &subject), &authorities, now).await
                })
            })
            .await?;
        let (ended, grants) = taken?;
        for grant in grants {
            if tokio::time::timeout(PATIENCE, self.give_back_at_leisure(&grant)).await.is_err() {
                tracing::warn!(client_id = grant.client_id, "an unlinked grant was not given back");
            }
        }
        Ok(ended)
    }

    /// Who can vouch for somebody at this moment.
    fn ways(&self) -> Vec<String> {
        let mut ways: Vec<String> = self.connectors().iter().map(|one| one.authority()).collect();
        ways.extend(self.offers_local_accounts().then(|| AUTHORITY.to_owned()));
        ways
    }

    async fn give_back_at_leisure(&self, grant: &UpstreamGrant) {
        let Some(connector) = self.connector_holding(&grant.authority, &grant.client_id) else {
            return;
        };
        let (Some(life), Ok(token)) = (connector.lifecycle(), self.open_upstream_grant(grant))
        else {
            return;
        };
        if let Err(error) = life.revoke(&grant.client_id, &token, self.clock.now()).await {
            tracing::warn!(%error, client_id = grant.client_id, "an unlinked grant was not given back");
        }
    }
}

fn is_usable(identity: &Identity, authorities: &[String]) -> bool {
    identity.ended_at.is_none() && authorities.contains(&identity.authority)
}

async fn take_away(
    tx: &WriteTx,
    user_id: &UserId,
    (authority, subject): (&str, &str),
    authorities: &[String],
    now: Timestamp,
) -> Result<Result<(Ended, Vec<UpstreamGrant>), Refusal>, Fault> {
    // Of two that take away the last two, the second sees what the first has left.
    tx.hold_user(user_id).await?;
    let (gone, left): (Vec<_>, Vec<_>) = tx
        .list_identities(user_id)
        .await?
        .into_iter()
        .partition(|one| one.authority == authority && one.subject == subject);
    let Some(gone) = gone.into_iter().next() else {
        return Ok(Err(Refusal::access_denied("this identity is not one of yours")));
    };
    if !left.iter().any(|one| is_usable(one, authorities)) {
        let refusal = "this is the last way to sign in to your account; add another one first";
        return Ok(Err(Refusal::invalid_request(refusal)));
    }
    tx.delete_identity(user_id, authority, subject).await?;
    let mut grants = tx.find_upstream_grants(user_id).await?;
    grants.retain(|grant| grant.authority == authority && grant.subject == subject);
    for grant in &grants {
        tx.delete_upstream_grant(user_id, authority, &grant.client_id).await?;
    }
    let connection = gone.connection_id;
    note_change(tx, user_id, &connection, ChangeType::Delete, now).await?;
    let event = Event::new(now, "user.unlinked", format!("user:{user_id}"))
        .target(user_id.to_string())
        .detail(serde_json::json!({ "authority": authority }));
    tx.record(&event).await?;
    let ending = Ending::Connections(user_id.clone(), vec![connection]);
    let ended = ending::end(tx, &ending, Reason::SignedOut, now).await?;
    Ok(Ok((ended, grants)))
}

/// Writes down that an identity was added, and tells the clients that ask to hear it.
pub(super) async fn note_linked(
    tx: &WriteTx,
    identity: &Identity,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let user_id = &identity.user_id;
    note_change(tx, user_id, &identity.connection_id, ChangeType::Create, now).await?;
    let event = Event::new(now, "user.linked", format!("user:{user_id}"))
        .target(user_id.to_string())
        .detail(serde_json::json!({
            "authority": identity.authority,
            "connection": identity.connection_id,
        }));
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
