//! A fresh proof before what decides who gets in, or takes everything along — OWASP ASVS 5.0
//! §7.5.1, §7.5.3. Whoever is signed in signs in once more, at an upstream of theirs or with the
//! password kept here; their session goes on under another cookie.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::interaction::Browser;
use super::local_accounts::{Opened, SecondFactor};
use super::login::{Errand, Journey};
use super::people::Arrival;
use super::{Failure, Fault, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, Holder, SessionId, UserId};
use crate::protocol::local_account::{AUTHORITY, LocalAccount};
use crate::protocol::secret::SecretString;
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::upstream::{Callback, Connector, Trip};

/// How long a proof is fresh.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// The page somebody proves themselves for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProvenFor {
    /// Their own page.
    #[default]
    Account,
    /// The page with the ways to sign in.
    Identities,
    /// The page with the second step.
    SecondFactor,
    /// The page that asks whether the account shall go.
    Delete,
}

impl ProvenFor {
    const ALL: [Self; 4] = [Self::Account, Self::Identities, Self::SecondFactor, Self::Delete];

    /// The end of its address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Identities => "identities",
            Self::SecondFactor => "second",
            Self::Delete => "delete",
        }
    }

    /// The page with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|page| page.as_str() == name)
    }
}

/// How somebody can prove who they are.
pub struct WaysToProve {
    /// Upstreams that know them.
    pub connections: Vec<Arc<dyn Connector>>,
    /// Their username, if they have a password here.
    pub username: Option<String>,
    /// Whether a code is asked for beside it.
    pub second_factor: bool,
    /// Proves that a form was made for this session.
    pub csrf: String,
}

/// What came of a password.
pub enum LocalProof {
    /// The session goes on under this cookie.
    Fresh(SecretString),
    /// The password or the code was wrong.
    Wrong,
    /// Too many codes were wrong.
    TooMany,
}

/// Somebody came back from an upstream and is who they are.
pub struct Proven {
    /// The session goes on under this cookie.
    pub session_cookie: SecretString,
    /// How long it lives.
    pub session_ttl: Duration,
    /// Where they wanted to go.
    pub page: ProvenFor,
}

impl Provider {
    /// Whether somebody proved a moment ago who they are.
    pub fn is_fresh(&self, session: &Session) -> bool {
        self.clock.now() < session.auth_time.plus(FRESH)
    }

    /// Whoever sent a form of their own page, having proved a moment ago who they are.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in or the form is not ours; `login_required` when the
    /// proof is too old.
    pub(super) async fn own_fresh_form(
        &self,
        browser: &Browser,
        csrf: &str,
        now: Timestamp,
    ) -> Result<(Session, User), Failure> {
        let own = self.own_form(browser, csrf, now).await?;
        if self.is_fresh(&own.0) {
            return Ok(own);
        }
        Err(Refusal::login_required("this wants a proof that is a few minutes old at most").into())
    }

    /// How long a session lives.
    pub const fn session_ttl(&self) -> Duration {
        self.policy.session_ttl
    }

    /// How whoever is signed in here can prove it.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn ways_to_prove(&self, browser: &Browser) -> Result<Option<WaysToProve>, Failure> {
        let Some((session, user)) = self.signed_in(browser, self.clock.now()).await? else {
            return Ok(None);
        };
        let mut connections: Vec<Arc<dyn Connector>> = Vec::new();
        for identity in self.store.list_identities(&user.id).await? {
            let known = connections.iter().any(|one| *one.id() == identity.connection_id);
            let connector = self.connector(&identity.connection_id);
            connections.extend(connector.filter(|_| identity.ended_at.is_none() && !known));
        }
        let username = self.local_username(&user.id).await?;
        let held = self.factors.held(&Holder::person(&user.id)).await?;
        Ok(Some(WaysToProve {
            connections,
            second_factor: username.is_some() && held.any(),
            username,
            csrf: self.logout_csrf(&session),
        }))
    }

    /// The name somebody signs in with here, if they have a password.
    pub(super) async fn local_username(&self, id: &UserId) -> Result<Option<String>, Failure> {
        if !self.offers_local_accounts() {
            return Ok(None);
        }
        let identities = self.store.list_identities(id).await?;
        let local = identities.into_iter().find(|identity| identity.authority == AUTHORITY);
        Ok(local.map(|identity| identity.subject))
    }

    /// Sends the browser to an upstream that knows whoever is signed in here.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in, the form is not ours, or the connection is none
    /// of theirs.
    pub async fn depart_to_prove(
        &self,
        connection: &ConnectionId,
        browser: &Browser,
        csrf: &str,
        page: ProvenFor,
    ) -> Result<String, Failure> {
        let (session, user) = self.own_form(browser, csrf, self.clock.now()).await?;
        let identities = self.store.list_identities(&user.id).await?;
        if !identities.iter().any(|identity| identity.connection_id == *connection) {
            return Err(Refusal::access_denied("you do not sign in there").into());
        }
        let binding = browser.binding_hash().cloned().ok_or_else(|| {
            Refusal::invalid_request("cookies are disabled, or were removed meanwhile")
        })?;
        let journey = Journey {
            errand: Errand::Prove(session.id, page),
            browser: binding,
            login_hint: None,
            reauthenticate: true,
        };
        self.send_off(journey, connection).await
    }

    /// The browser is back with the proof. Whoever else came back gets nothing.
    pub(super) async fn take_proof(
        &self,
        session: &SessionId,
        connection: &ConnectionId,
        trip: &Trip,
        callback: &Callback,
        browser: &Browser,
    ) -> Result<SecretString, Failure> {
        let user = self.still_here(session, browser).await?;
        let identity = self.meet(connection, trip, callback, self.clock.now()).await?;
        let now = self.clock.now();
        let (cookie, session) = self.new_session(connection.clone(), browser, now);
        let session = session.proven_by(trip, &identity, now);
        let arrival = Arrival { connection_id: connection.clone(), identity, joins: None };
        self.let_in(arrival, session, Some(&user.id), now).await?;
        Ok(cookie)
    }

    /// Whoever sent the browser away in this session, if they are here still.
    pub(super) async fn still_here(
        &self,
        session: &SessionId,
        browser: &Browser,
    ) -> Result<User, Failure> {
        let here = self.signed_in(browser, self.clock.now()).await?;
        let here = here.filter(|(here, _)| here.id == *session).ok_or_else(|| {
            Refusal::access_denied("whoever asked for this is not signed in here any more")
        })?;
        Ok(here.1)
    }

    /// Password, and code where there is a second step. Throttling guesses at the password is the
    /// caller's.
    ///
    /// # Errors
    /// `access_denied` when nobody is signed in, the form is not ours, or they have no password.
    pub async fn prove_locally(
        &self,
        browser: &Browser,
        csrf: &str,
        password: SecretString,
        typed: &str,
    ) -> Result<LocalProof, Failure> {
        let (_, user) = self.own_form(browser, csrf, self.clock.now()).await?;
        let none = || Refusal::access_denied("this account has no password");
        let passwords = self.local_passwords.as_ref().ok_or_else(none)?;
        let username = self.local_username(&user.id).await?.ok_or_else(none)?;
        let account = self.store.find_local_account(&username).await?.ok_or_else(none)?;
        let holder = Holder::person(&user.id);
        let held = self.factors.held(&holder).await?.any();
        if held && !self.factors.take_try(&holder, self.clock.now()).await? {
            return Ok(LocalProof::TooMany);
        }
        let stored = Some(account.password_hash.clone());
        if !passwords.verify(stored, password).await.map_err(Fault::from)? {
            return self.not_proven(&user.id, browser).await;
        }
        let now = self.clock.now();
        let second = if held {
            match self.factors.candidate::<Failure>(&holder, typed, now).await? {
                None => return self.not_proven(&user.id, browser).await,
                Some(code) => SecondFactor::Code(code),
            }
        } else {
            SecondFactor::None
        };
        self.proven_locally(account, second, browser, now).await
    }

    async fn proven_locally(
        &self,
        account: LocalAccount,
        second: SecondFactor,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<LocalProof, Failure> {
        let (cookie, session) = self.new_session(ConnectionId::new(AUTHORITY), browser, now);
        let session = session.by(second.amr());
        let user_id = account.user_id.clone();
        match self.open_local_session(account, session, second, now).await? {
            Opened::Here => Ok(LocalProof::Fresh(cookie)),
            Opened::NotTheirs | Opened::WrongCode => self.not_proven(&user_id, browser).await,
        }
    }

    async fn not_proven(&self, id: &UserId, browser: &Browser) -> Result<LocalProof, Failure> {
        let now = self.clock.now();
        let event = Event::new(now, "user.proof_failed", format!("user:{id}"))
            .target(id.to_string())
            .request_id(browser.request_id());
        self.store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.record(&event).await?) }))
            .await?;
        Ok(LocalProof::Wrong)
    }
}
