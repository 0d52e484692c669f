//! What administrators do with people's accounts.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Actor, AdminError, Administration};
use crate::op::ending::{self, Ending, Reason};
use crate::op::{deletion, signals};
use crate::protocol::admin::Role;
use crate::protocol::ambient::Timestamp;
use crate::protocol::deletion::{Deletion, Receipt};
use crate::protocol::id::{DeletionId, UserId};
use crate::protocol::security_event::SecurityEvent;
use crate::protocol::session::Session;
use crate::protocol::user::{Identity, User};
use crate::store::{Reader, StoreFault};

/// A person with all that hangs on them.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub user: User,
    /// What they sign in with.
    pub identities: Vec<Identity>,
    /// Where they are or were signed in.
    pub sessions: Vec<Session>,
}

impl Administration {
    /// A person, by the `sub` that clients see or by the id inside Russet.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is nobody.
    pub async fn find_person(&self, sub_or_id: &str) -> Result<Person, AdminError> {
        let user = find_user(&self.store, sub_or_id).await?.ok_or(AdminError::NotFound)?;
        let identities = self.store.list_identities(&user.id).await?;
        let sessions = self.store.list_sessions(&user.id).await?;
        Ok(Person { user, identities, sessions })
    }

    /// Switches a person off or on. Off: sessions end and grants are revoked at once.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is nobody, [`AdminError::Conflict`] when they were
    /// changed since they were `seen`.
    pub async fn set_user_disabled(
        &self,
        actor: &Actor,
        sub_or_id: &str,
        disabled: bool,
        seen: Option<Timestamp>,
    ) -> Result<User, AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let (actor, sub_or_id) = (actor.clone(), sub_or_id.to_owned());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let found = find_user(tx, &sub_or_id).await?.ok_or(AdminError::NotFound)?;
                    let held = tx.hold_user(&found.id).await?;
                    let mut user = held.ok_or(AdminError::NotFound)?;
                    if seen.is_some_and(|seen| seen != user.updated_at) {
                        return Err(AdminError::Conflict);
                    }
                    if tx.find_deletion_of(&user.id).await?.is_some() {
                        return Err(AdminError::invalid("sub", "this person is being deleted"));
                    }
                    if disabled == user.disabled_at.is_some() {
                        return Ok(user);
                    }
                    user.disabled_at = disabled.then_some(now);
                    // What is seen is told by it: no two changes bear the same.
                    user.updated_at = now.max(user.updated_at.plus(Duration::from_millis(1)));
                    if !tx.update_user(&user).await? {
                        return Err(AdminError::NotFound);
                    }
                    if disabled {
                        let ending = Ending::User(user.id.clone());
                        ending::end(tx, &ending, Reason::Disabled, now).await?;
                    }
                    let told = if disabled {
                        SecurityEvent::AccountDisabled
                    } else {
                        SecurityEvent::AccountEnabled
                    };
                    signals::emit(tx, &user.id, &told, now).await?;
                    let kind = if disabled { "user.disabled" } else { "user.enabled" };
                    tx.record(&actor.event(now, kind, user.id.as_str())).await?;
                    Ok(user)
                })
            })
            .await
    }

    /// Begins the deletion of a person (`op/deletion`), or names the one under way. Their `sub` is
    /// not used again.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is nobody.
    pub async fn delete_user(
        &self,
        actor: &Actor,
        sub_or_id: &str,
    ) -> Result<Deletion, AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let (actor, sub_or_id) = (actor.clone(), sub_or_id.to_owned());
        let id = DeletionId::random(self.entropy.as_ref());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let user = find_user(tx, &sub_or_id).await?.ok_or(AdminError::NotFound)?;
                    let (name, reason) = (&actor.name, actor.reason.as_deref());
                    let begun = deletion::begin(tx, id, &user.id, name, reason, now).await?;
                    begun.ok_or(AdminError::NotFound)
                })
            })
            .await
    }

    /// How a deletion stands.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is none.
    pub async fn deletion(&self, id: &DeletionId) -> Result<Receipt, AdminError> {
        self.store.find_receipt(id).await?.ok_or(AdminError::NotFound)
    }

    /// All that is stored about a person, for them to have (GDPR article 15). Holds no token.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is nobody.
    pub async fn export_user(&self, actor: &Actor, sub_or_id: &str) -> Result<Value, AdminError> {
        actor.must_be(Role::Admin)?;
        let person = self.find_person(sub_or_id).await?;
        let event = actor.event(self.clock.now(), "user.exported", person.user.id.as_str());
        self.store
            .write(move |tx| Box::pin(async move { Ok::<_, AdminError>(tx.record(&event).await?) }))
            .await?;
        Ok(person.to_json())
    }
}

impl Person {
    /// Since when mail to the person's address bounces, as the upstream that gave it announced.
    pub fn email_undeliverable_since(&self) -> Option<Timestamp> {
        let email = self.user.email.as_ref()?;
        let gave = |identity: &&Identity| identity.email.as_ref() == Some(email);
        self.identities.iter().filter(gave).find_map(|one| one.email_undeliverable_since)
    }

    /// The person as JSON: members named as OIDC Core §5.1 names claims, times in seconds.
    pub fn to_json(&self) -> Value {
        let Self { user, identities, sessions } = self;
        json!({
            "sub": user.sub,
            "id": user.id,
            "name": user.name,
            "given_name": user.given_name,
            "family_name": user.family_name,
            "email": user.email,
            "email_verified": user.email_verified,
            "is_private_email": user.is_private_email,
            "email_undeliverable_since": self.email_undeliverable_since().map(|at| at.secs()),
            "claims": user.claims,
            "disabled_at": user.disabled_at.map(|at| at.secs()),
            "created_at": user.created_at.secs(),
            "updated_at": user.updated_at.secs(),
            "identities": identities.iter().map(|identity| json!({
                "id": identity_id(identity),
                "authority": identity.authority,
                "subject": identity.subject,
                "connection": identity.connection_id,
                "email": identity.email,
                "created_at": identity.created_at.secs(),
                "last_login_at": (identity.last_login_at.secs() > 0)
                    .then(|| identity.last_login_at.secs()),
                "email_undeliverable_since": identity.email_undeliverable_since.map(|at| at.secs()),
                "ended_at": identity.ended_at.map(|at| at.secs()),
            })).collect::<Vec<_>>(),
            "sessions": sessions.iter().map(|session| json!({
                "sid": session.id,
                "auth_time": session.auth_time.secs(),
                "amr": session.amr,
                "connection": session.connection_id,
                "created_at": session.created_at.secs(),
                "expires_at": session.expires_at.secs(),
                "ended_at": session.ended_at.map(|at| at.secs()),
            })).collect::<Vec<_>>(),
        })
    }
}

/// What an identity is called in an address: authority and subject are of any length and any
/// characters.
pub fn identity_id(identity: &Identity) -> String {
    super::branding::name_of(format!("{}\n{}", identity.authority, identity.subject).as_bytes())
}

async fn find_user(reader: &Reader, sub_or_id: &str) -> Result<Option<User>, StoreFault> {
    if let Some(user) = reader.find_user_by_sub(sub_or_id).await? {
        return Ok(Some(user));
    }
    match reader.find_user(&UserId::new(sub_or_id)).await? {
        Some(user) => Ok(Some(user)),
        None => reader.find_user_by_client_sub(sub_or_id).await,
    }
}
