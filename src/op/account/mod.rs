//! What a signed-in person sees of their own, and what they may do about it.
//!
//! Every act begins with a form that was made for this very session. How they sign in is changed in
//! `linking.rs`.

mod acts;
mod second_factor;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(in crate::op) use second_factor::forget_factors;
pub(in crate::op) use second_factor::note_added;
pub use second_factor::{Enrolled, EnrolmentPage, EnrolmentProblem};

use super::admin::Person;
use super::interaction::Browser;
use super::sign_in_pages::display_name;
use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::ClientId;
use crate::protocol::secret::constant_time_eq;
use crate::protocol::session::Session;
use crate::protocol::user::{Identity, User};
use crate::store::events::EventQuery;
use crate::store::factors::HeldFactors;

/// Events that an export holds, newest first.
const EXPORTED_EVENTS: u32 = 1000;

/// A person's own page.
pub struct Account {
    /// The person.
    pub user: User,
    /// What to call them; empty when nothing is known.
    pub display_name: String,
    /// What they sign in with.
    pub identities: Vec<Identity>,
    /// Where they are signed in, this browser first.
    pub sessions: Vec<SeenSession>,
    /// What has access to their account.
    pub apps: Vec<AppAccess>,
    /// What they have besides a password kept here, if they have one.
    pub factors: Option<HeldFactors>,
    /// The session they look at it from.
    pub session: Session,
    /// Proves that a form was made for this session.
    pub csrf: String,
}

/// A session and how its browser was last seen.
pub struct SeenSession {
    /// The session.
    pub session: Session,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// When it was last there.
    pub seen_at: Timestamp,
}

/// An app that has access.
pub struct AppAccess {
    /// The client.
    pub client_id: ClientId,
    /// Its name.
    pub client_name: String,
    /// What it may do.
    pub scope: Vec<String>,
    /// Since when.
    pub since: Timestamp,
}

impl Provider {
    /// The account behind a browser, if somebody is signed in.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn account(&self, browser: &Browser) -> Result<Option<Account>, Failure> {
        let now = self.clock.now();
        let Some((session, user)) = self.signed_in(browser, now).await? else { return Ok(None) };
        Ok(Some(Account {
            display_name: display_name(&user),
            csrf: self.logout_csrf(&session),
            identities: self.store.list_identities(&user.id).await?,
            sessions: self.seen_sessions(&session, now).await?,
            apps: self.apps_of(&user, now).await?,
            factors: self.factors_of(&user.id).await?,
            session,
            user,
        }))
    }

    async fn seen_sessions(
        &self,
        current: &Session,
        now: Timestamp,
    ) -> Result<Vec<SeenSession>, Failure> {
        let mut seen = self.store.list_sightings(&current.user_id).await?;
        let mut sessions = self.store.list_sessions(&current.user_id).await?;
        sessions.retain(|session| session.ended_at.is_none() && session.expires_at > now);
        sessions.sort_by_key(|session| session.id != current.id);
        let with_sighting = |session: Session| {
            let sighting = seen.remove(&session.id);
            let seen_at = sighting.as_ref().map_or(session.auth_time, |sighting| sighting.at);
            let user_agent = sighting.and_then(|sighting| sighting.user_agent);
            SeenSession { session, user_agent, seen_at }
        };
        Ok(sessions.into_iter().map(with_sighting).collect())
    }

    /// Clients that hold something of a person, or that the person agreed to.
    async fn apps_of(&self, user: &User, now: Timestamp) -> Result<Vec<AppAccess>, Failure> {
        let mut apps: BTreeMap<ClientId, (Vec<String>, Timestamp)> = BTreeMap::new();
        let mut add = |client_id: ClientId, scope: Vec<String>, at: Timestamp| {
            let (known, since) = apps.entry(client_id).or_insert((Vec::new(), at));
            *since = at.min(*since);
            for value in scope {
                if !known.contains(&value) {
                    known.push(value);
                }
            }
        };
        for grant in self.store.list_living_grants(&user.id, now).await? {
            add(grant.client_id, grant.terms.scope, grant.created_at);
        }
        for consent in self.store.list_consents(&user.id).await? {
            add(consent.client_id, consent.scope, consent.granted_at);
        }
        let mut found = Vec::with_capacity(apps.len());
        for (client_id, (scope, since)) in apps {
            let client = self.store.find_client(&client_id).await?;
            let client_name =
                client.map_or_else(|| client_id.to_string(), |client| client.client_name);
            found.push(AppAccess { client_id, client_name, scope, since });
        }
        Ok(found)
    }

    /// Whoever sent a form of their own page.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours.
    pub(super) async fn own_form(
        &self,
        browser: &Browser,
        csrf: &str,
        now: Timestamp,
    ) -> Result<(Session, User), Failure> {
        let (session, user) = self
            .signed_in(browser, now)
            .await?
            .ok_or_else(|| Refusal::access_denied("nobody is signed in here"))?;
        if !constant_time_eq(csrf.as_bytes(), self.logout_csrf(&session).as_bytes()) {
            return Err(Refusal::access_denied("the form is not ours or too old").into());
        }
        Ok((session, user))
    }

    /// Everything that is kept about the person who is signed in here; no token (GDPR article 15).
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours; `login_required` without a
    /// fresh proof.
    pub async fn export_account(&self, browser: &Browser, csrf: &str) -> Result<Value, Failure> {
        let now = self.clock.now();
        let (_, user) = self.own_fresh_form(browser, csrf, now).await?;
        let event = Event::new(now, "user.exported", format!("user:{}", user.id))
            .target(user.id.to_string())
            .request_id(browser.request_id());
        self.store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.record(&event).await?) }))
            .await?;
        let apps = self.apps_of(&user, now).await?;
        let seen = self.store.list_sightings(&user.id).await?;
        let mut events = Vec::new();
        for (actor, target) in
            [(Some(format!("user:{}", user.id)), None), (None, Some(user.id.to_string()))]
        {
            let limit = EXPORTED_EVENTS;
            let query = EventQuery { actor, target, limit, ..EventQuery::default() };
            events.extend(self.store.list_events(&query).await?);
        }
        events.sort_by_key(|recorded| std::cmp::Reverse(recorded.id));
        events.dedup_by_key(|recorded| recorded.id);
        let identities = self.store.list_identities(&user.id).await?;
        let sessions = self.store.list_sessions(&user.id).await?;
        let mut all = Person { user, identities, sessions }.to_json();
        if let Some(members) = all.as_object_mut() {
            let apps = apps.iter().map(|app| {
                json!({
                    "client_id": app.client_id,
                    "client_name": app.client_name,
                    "scope": app.scope,
                    "since": app.since.secs(),
                })
            });
            members.insert("apps".to_owned(), apps.collect());
            let browsers = seen.iter().map(|(sid, sighting)| {
                json!({
                    "sid": sid,
                    "user_agent": sighting.user_agent,
                    "last_seen": sighting.at.secs(),
                })
            });
            members.insert("browsers".to_owned(), browsers.collect());
            let events = events.iter().map(|recorded| {
                json!({
                    "at": recorded.event.at.secs(),
                    "kind": recorded.event.kind,
                    "actor": recorded.event.actor,
                    "target": recorded.event.target,
                    "detail": recorded.event.detail,
                })
            });
            members.insert("events".to_owned(), events.collect());
        }
        Ok(all)
    }
}
