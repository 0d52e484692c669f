//! Console accounts that sign in through Russet's own upstreams. An account is bound to an identity,
//! which is a connection, whoever vouches there, and a `sub`; an address binds nobody.
//!
//! The upstream's word stands in for the password alone: second factors are asked for as ever, and
//! roles are Russet's. Only connections that an owner has allowed count.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::{Actor, AdminError, Administration, ConsoleSession, Proof, STEP_UP, SignIn, SignedIn};
use crate::op::console_journeys::FromUpstream;
use crate::protocol::admin::{Admin, AdminIdentity, Role};
use crate::protocol::ambient::Timestamp;
use crate::protocol::event::Event;
use crate::protocol::id::{AdminId, ConnectionId, Holder};
use crate::protocol::secret::SecretString;

/// What came of proving oneself by an upstream's word.
pub enum Vouched {
    /// There is no second factor: that was all.
    Proven(Proof),
    /// The second factor is still to come, with this word.
    First(String),
}

impl Administration {
    /// Whether console accounts may come through this connection now.
    ///
    /// # Errors
    /// The store's fault, or the vault's.
    pub async fn is_console_connection(&self, id: &ConnectionId) -> Result<bool, AdminError> {
        let allowed = self.settings().await?.0.console_connections;
        if !allowed.iter().any(|one| one == id.as_str()) {
            return Ok(false);
        }
        match self.find_connection(id.as_str()).await {
            Ok(found) => Ok(found.connection.enabled),
            Err(AdminError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whoever may change a connection that opens the console could come in as anybody: only an
    /// owner may.
    pub(super) async fn must_guard(&self, actor: &Actor, id: &str) -> Result<(), AdminError> {
        let opens = self.settings().await?.0.console_connections.iter().any(|one| one == id);
        actor.must_be(if opens { Role::Owner } else { Role::Admin })
    }

    /// Whether an identity is still bound as it was, and its connection allowed.
    pub(super) async fn is_bound(&self, identity: &AdminIdentity) -> Result<bool, AdminError> {
        let AdminIdentity { connection_id, authority, subject, admin_id, .. } = identity;
        if !self.is_console_connection(connection_id).await? {
            return Ok(false);
        }
        let found = self.store.find_admin_identity(connection_id, authority, subject).await?;
        Ok(found.is_some_and(|found| found.admin_id == *admin_id))
    }

    /// The identities that an account is bound to.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn identities_of(&self, id: &AdminId) -> Result<Vec<AdminIdentity>, AdminError> {
        Ok(self.store.list_admin_identities(id).await?)
    }

    /// Whose account this identity is bound to, if its connection is allowed and the account
    /// enabled.
    async fn owner_of(
        &self,
        arrived: &FromUpstream,
    ) -> Result<Option<(Admin, AdminIdentity)>, AdminError> {
        let FromUpstream { connection_id, identity, .. } = arrived;
        if !self.is_console_connection(connection_id).await? {
            return Ok(None);
        }
        let (authority, subject) = (&identity.authority, &identity.subject);
        let found = self.store.find_admin_identity(connection_id, authority, subject).await?;
        let Some(found) = found else { return Ok(None) };
        let admin = self.store.find_admin(&found.admin_id).await?;
        let admin = admin.filter(|admin| admin.disabled_at.is_none());
        Ok(admin.map(|admin| (admin, found)))
    }

    /// Opens a session for whoever's account the identity is bound to, or the way to one.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn sign_in_by_identity(
        &self,
        arrived: &FromUpstream,
        request_id: Option<String>,
        user_agent: Option<String>,
    ) -> Result<SignIn, AdminError> {
        let Some((admin, identity)) = self.owner_of(arrived).await? else {
            self.note_unknown(&arrived.connection_id, request_id).await?;
            return Ok(SignIn::Refused);
        };
        let now = self.clock.now();
        let holder = Holder::admin(&admin.id);
        if self.factors.held(&holder).await?.any() {
            let waiting = self.await_second_step(&admin, Some(identity), user_agent, now).await?;
            return Ok(SignIn::SecondStep(waiting));
        }
        let (cookie, mut session) = self.new_console_session(&admin, user_agent, false, now);
        session.connection_id = Some(identity.connection_id.clone());
        let expires_at = session.expires_at;
        let methods = [identity.connection_id.as_str()];
        let event = Self::signed_in_event(&admin, &methods, request_id, now);
        let opened = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    // What was read may have changed meanwhile.
                    let stands = tx.find_admin(&session.admin_id).await?;
                    let stands = stands.is_some_and(|admin| admin.disabled_at.is_none());
                    let held = tx.held_factors(&holder).await?;
                    if !stands || held.any() || !tx.use_admin_identity(&identity, now).await? {
                        return Ok(false);
                    }
                    tx.insert_admin_session(&session).await?;
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(true)
                })
            })
            .await?;
        Ok(if opened {
            SignIn::Open(Box::new(ConsoleSession { admin, cookie, expires_at }))
        } else {
            SignIn::Refused
        })
    }

    /// An identity came that opens nothing. Its address is not recorded: it need not be anybody's
    /// here.
    async fn note_unknown(
        &self,
        connection: &ConnectionId,
        request_id: Option<String>,
    ) -> Result<(), AdminError> {
        let event = Event::new(self.clock.now(), "admin.sign_in_failed", "admin:unknown")
            .target(connection.as_str())
            .request_id(request_id)
            .detail(json!({ "connection": connection, "reason": "not_bound" }));
        self.note(event).await
    }

    /// Binds the identity that came back to one's own account.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] when the connection is not allowed, or the identity bound already.
    pub async fn bind_own_identity(
        &self,
        actor: &Actor,
        signed_in: &SignedIn,
        arrived: &FromUpstream,
    ) -> Result<(), AdminError> {
        let admin = &signed_in.admin;
        let identity = self.to_bind(&admin.id, arrived).await?;
        let event = self.bound_event(actor, &admin.username, &identity, "account");
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_admin_identity(&identity).await?;
                    Ok::<_, AdminError>(tx.record(&event).await?)
                })
            })
            .await
            .map_err(bound_already)
    }

    pub(super) async fn to_bind(
        &self,
        id: &AdminId,
        arrived: &FromUpstream,
    ) -> Result<AdminIdentity, AdminError> {
        let FromUpstream { connection_id, identity, .. } = arrived;
        if !self.is_console_connection(connection_id).await? {
            return Err(AdminError::invalid("connection", "is not one for the console any more"));
        }
        Ok(AdminIdentity {
            connection_id: connection_id.clone(),
            authority: identity.authority.clone(),
            subject: identity.subject.clone(),
            admin_id: id.clone(),
            email: identity.profile.email.clone(),
            created_at: self.clock.now(),
            last_used_at: None,
        })
    }

    pub(super) fn bound_event(
        &self,
        actor: &Actor,
        username: &str,
        identity: &AdminIdentity,
        by: &str,
    ) -> Event {
        let detail = json!({
            "connection": identity.connection_id,
            "authority": identity.authority,
            "subject": identity.subject,
            "by": by,
        });
        actor.event(self.clock.now(), "admin.identity_bound", username).detail(detail)
    }

    /// Unbinds an account's identities at a connection: one's own, or as an owner anybody's. The
    /// sessions that were opened through it end.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when none is bound.
    pub async fn unbind_identity(
        &self,
        actor: &Actor,
        signed_in: Option<&SignedIn>,
        username: &str,
        connection: &ConnectionId,
    ) -> Result<(), AdminError> {
        if signed_in.is_none_or(|own| own.admin.username != username) {
            actor.must_be(Role::Owner)?;
        }
        let event = actor.event(self.clock.now(), "admin.identity_unbound", username);
        let (actor, username) = (actor.clone(), username.to_owned());
        let connection = connection.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let admin = tx.find_admin_by_username(&username).await?;
                    let admin = admin.ok_or(AdminError::NotFound)?;
                    actor.must_cover(admin.role)?;
                    if tx.delete_admin_identities(&admin.id, &connection).await? == 0 {
                        return Err(AdminError::NotFound);
                    }
                    let through = (Some(&admin.id), &connection);
                    let ended = tx.delete_admin_sessions_through(through.0, through.1).await?;
                    let detail = json!({ "connection": connection, "sessions_ended": ended });
                    Ok(tx.record(&event.detail(detail)).await?)
                })
            })
            .await
    }

    /// Proves by an upstream's word who sits there. Where there is a second factor, the word is
    /// sealed for the form that asks for it.
    ///
    /// # Errors
    /// The store's fault, or the vault's.
    pub async fn prove_by_identity(
        &self,
        signed_in: &SignedIn,
        arrived: &FromUpstream,
        request_id: Option<String>,
    ) -> Result<Vouched, AdminError> {
        let SignedIn { admin, session } = signed_in;
        let now = self.clock.now();
        let actor = Actor::console(admin, request_id);
        let own = self.owner_of(arrived).await?;
        let own = own.filter(|(owner, _)| owner.id == admin.id);
        if own.is_none() || arrived.auth_time.plus(STEP_UP) <= now {
            self.note(actor.event(now, "admin.step_up_failed", &admin.username)).await?;
            return Ok(Vouched::Proven(Proof::Wrong));
        }
        if self.factors.held(&Holder::admin(&admin.id)).await?.any() {
            let plain = now.millis().to_be_bytes();
            let sealed = self.vault.seal(&word_of(signed_in), &plain)?;
            return Ok(Vouched::First(URL_SAFE_NO_PAD.encode(sealed)));
        }
        let done = actor.event(now, "admin.stepped_up", &admin.username);
        let cookie = SecretString::random(self.entropy.as_ref());
        let (old, renewed) = (session.cookie_hash, self.vault.hash(cookie.expose()));
        let taken = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.renew_admin_session(&old, &renewed, false, now).await? {
                        return Ok(false);
                    }
                    tx.record(&done).await?;
                    Ok::<_, AdminError>(true)
                })
            })
            .await?;
        Ok(Vouched::Proven(if taken { Proof::Fresh(cookie) } else { Proof::Wrong }))
    }

    /// Whether a form brought an upstream's word for this session, given in the last minutes.
    pub(super) fn is_vouched_for(&self, signed_in: &SignedIn, word: &str, now: Timestamp) -> bool {
        let sealed = URL_SAFE_NO_PAD.decode(word).ok();
        let plain = sealed.and_then(|sealed| self.vault.open(&word_of(signed_in), &sealed).ok());
        let at = plain.and_then(|plain| <[u8; 8]>::try_from(plain.expose().as_slice()).ok());
        let at = at.map(|bytes| Timestamp::from_millis(i64::from_be_bytes(bytes)));
        at.is_some_and(|at| at <= now && now < at.plus(STEP_UP))
    }
}

/// What seals an upstream's word: one session of one account, as long as its cookie is the same.
fn word_of(signed_in: &SignedIn) -> String {
    let SignedIn { admin, session } = signed_in;
    format!("vouched:{}:{}", admin.id, session.cookie_hash.to_text())
}

pub(super) fn bound_already(error: AdminError) -> AdminError {
    error.taken_because("connection", "vouched for somebody who is bound to an account already")
}
