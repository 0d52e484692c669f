//! People as an operator sees them: finding them, what is alive of theirs, signing them out.

use std::sync::Arc;

use serde_json::json;

use super::{Actor, AdminError, Administration, EventQuery, RecordedEvent};
use crate::op::account::forget_factors;
use crate::op::ending::{self, Ended, Ending, Reason};
use crate::op::linking;
use crate::protocol::admin::Role;
use crate::protocol::grant::Grant;
use crate::protocol::id::{GrantId, Holder, SessionId, UserId};
use crate::protocol::session::{Consent, Session};
use crate::protocol::upstream_grant::UpstreamGrant;
use crate::protocol::user::User;
use crate::store::clients::Page;
use crate::store::factors::HeldFactors;
use crate::store::living::{Living, Of, SessionsQuery};
use crate::store::people::PeopleQuery;

/// What is alive of a person.
#[derive(Clone, Debug, Default)]
pub struct Signed {
    /// Browsers in which they are signed in.
    pub sessions: Vec<Session>,
    /// What apps hold of them.
    pub grants: Vec<Grant>,
    /// What they agreed to.
    pub consents: Vec<Consent>,
}

impl Administration {
    /// People, a page at a time. A search also finds an upstream's subject, compared exactly.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_people(&self, query: &PeopleQuery) -> Result<Page<User>, AdminError> {
        let mut page = self.store.list_people(query).await?;
        if let (Some(search), None) = (&query.search, &query.after) {
            for user in self.store.find_people_by_subject(search.trim()).await? {
                if page.items.iter().all(|found| found.id != user.id) {
                    page.items.insert(0, user);
                }
            }
        }
        Ok(page)
    }

    /// What is alive of a person.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn signed(&self, id: &UserId) -> Result<Signed, AdminError> {
        let now = self.clock.now();
        let mut sessions = self.store.list_sessions(id).await?;
        sessions.retain(|session| session.ended_at.is_none() && session.expires_at > now);
        Ok(Signed {
            sessions,
            grants: self.store.list_living_grants(id, now).await?,
            consents: self.store.list_consents(id).await?,
        })
    }

    /// What upstreams gave for a person, and how it stands.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn upstream_states(&self, id: &UserId) -> Result<Vec<UpstreamGrant>, AdminError> {
        Ok(self.store.find_upstream_grants(id).await?)
    }

    /// What a person did and what happened to them, newest first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn timeline(
        &self,
        id: &UserId,
        limit: u32,
    ) -> Result<Vec<RecordedEvent>, AdminError> {
        let query = EventQuery { limit, ..EventQuery::default() };
        self.search_events(id.as_str(), &query).await
    }

    /// People who are called so; whose `sub` or id it is comes first.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn search_people(&self, q: &str, limit: u32) -> Result<Vec<User>, AdminError> {
        let wanted = PeopleQuery { search: Some(q.to_owned()), limit, ..PeopleQuery::default() };
        let mut people = self.list_people(&wanted).await?.items;
        match self.find_person(q).await {
            Ok(person) if people.iter().all(|other| other.id != person.user.id) => {
                people.insert(0, person.user);
            }
            Ok(_) | Err(AdminError::NotFound) => {}
            Err(error) => return Err(error),
        }
        Ok(people)
    }

    /// Browser sessions that are alive, with whose they are.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_sessions(
        &self,
        query: &SessionsQuery,
    ) -> Result<Page<(Session, User)>, AdminError> {
        let page = self.store.list_living_sessions(query, self.clock.now()).await?;
        let ids: Vec<_> = page.items.iter().map(|session| &session.user_id).collect();
        let users = self.store.find_users(&ids).await?;
        let whose = |session: Session| {
            let user = users.iter().find(|user| user.id == session.user_id)?.clone();
            Some((session, user))
        };
        let items = page.items.into_iter().filter_map(whose).collect();
        Ok(Page { items, next: page.next })
    }

    /// Browser sessions that are alive of everybody who is called so, or the one whose `sid` this
    /// is; and whether there are more. Who is called so too is found by more of their name.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn search_sessions(
        &self,
        search: &str,
        query: &SessionsQuery,
    ) -> Result<(Vec<(Session, User)>, bool), AdminError> {
        let now = self.clock.now();
        let alive = |session: &Session| session.ended_at.is_none() && session.expires_at > now;
        let mut found = Vec::new();
        let named = self.store.find_session(&SessionId::new(search)).await?;
        if let Some(session) = named.filter(alive)
            && let Some(user) = self.store.find_user(&session.user_id).await?
        {
            found.push((session, user));
        }
        let mut people = self.search_people(search, query.limit.saturating_add(1)).await?;
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let more = people.len() > limit;
        people.truncate(limit);
        for user in people {
            let sessions = self.store.list_sessions(&user.id).await?;
            found.extend(sessions.into_iter().filter(alive).map(|one| (one, user.clone())));
        }
        found.sort_by(|(a, _), (b, _)| {
            let newest = b.created_at.cmp(&a.created_at).then_with(|| b.id.cmp(&a.id));
            if query.oldest_first { newest.reverse() } else { newest }
        });
        let more = more || found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }

    /// The session with this id, ended or not.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn find_session(&self, id: &SessionId) -> Result<Option<Session>, AdminError> {
        Ok(self.store.find_session(id).await?)
    }

    /// How much of it is alive.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn count_living(&self, of: &Of) -> Result<Living, AdminError> {
        Ok(self.store.count_living(of, self.clock.now()).await?)
    }

    /// Ends one browser session with what was granted in it.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not alive.
    pub async fn end_session(&self, actor: &Actor, id: &SessionId) -> Result<Ended, AdminError> {
        self.end(actor, Ending::Session(id.clone()), "session.ended", id.as_str()).await
    }

    /// Revokes one grant: an app must ask the person anew.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not alive.
    pub async fn revoke_grant(&self, actor: &Actor, id: &GrantId) -> Result<Ended, AdminError> {
        self.end(actor, Ending::Grant(id.clone()), "grant.revoked", id.as_str()).await
    }

    /// Signs a person out everywhere.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn sign_out_person(&self, actor: &Actor, id: &UserId) -> Result<Ended, AdminError> {
        let ended = self.end(actor, Ending::User(id.clone()), "user.signed_out", id.as_str()).await;
        match ended {
            // Nothing was alive: they are signed out.
            Err(AdminError::NotFound) => Ok(Ended::default()),
            ended => ended,
        }
    }

    async fn end(
        &self,
        actor: &Actor,
        ending: Ending,
        kind: &'static str,
        target: &str,
    ) -> Result<Ended, AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let event = actor.event(now, kind, target);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let ended = ending::end(tx, &ending, Reason::Administrative, now).await?;
                    if ended == Ended::default() {
                        return Err(AdminError::NotFound);
                    }
                    let counts = json!({ "sessions": ended.sessions, "grants": ended.grants });
                    tx.record(&event.detail(counts)).await?;
                    Ok(ended)
                })
            })
            .await
    }

    /// What a person has besides a password kept here.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn factors_of_person(&self, id: &UserId) -> Result<HeldFactors, AdminError> {
        Ok(self.factors.held(&Holder::person(id)).await?)
    }

    /// Removes every second factor of a person: for somebody who has lost them all. What is left
    /// is the password.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is none.
    pub async fn reset_person_factors(&self, actor: &Actor, id: &UserId) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let event = actor.event(now, "user.factors_reset", id.as_str());
        let id = id.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.hold_user(&id).await?;
                    match forget_factors(tx, &id, event, now).await? {
                        true => Ok(()),
                        false => Err(AdminError::NotFound),
                    }
                })
            })
            .await
    }

    /// Takes an identity from a person, and ends what they signed in to through its connection. What
    /// its upstream granted is owed back.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not theirs.
    pub async fn unlink_identity(
        &self,
        actor: &Actor,
        id: &UserId,
        authority: &str,
        subject: &str,
    ) -> Result<Ended, AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let event = actor.event(now, "user.unlinked", id.as_str());
        let (id, authority, subject) = (id.clone(), authority.to_owned(), subject.to_owned());
        let (vault, entropy) = (Arc::clone(&self.vault), Arc::clone(&self.entropy));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.hold_user(&id).await?;
                    let identity = tx.find_identity(&authority, &subject).await?;
                    let gone = identity.filter(|identity| identity.user_id == id);
                    let gone = gone.ok_or(AdminError::NotFound)?;
                    let sealing = (vault.as_ref(), entropy.as_ref());
                    let reason = Reason::Administrative;
                    let ended =
                        linking::take_away::<AdminError>(tx, &gone, sealing, reason, now).await?;
                    let detail = json!({
                        "authority": authority,
                        "sessions": ended.sessions,
                        "grants": ended.grants,
                    });
                    tx.record(&event.detail(detail)).await?;
                    Ok(ended)
                })
            })
            .await
    }
}
