//! What administrators do: the acts behind console and command line. Each is one transaction that
//! also writes its line of the audit log; who may do what is decided here and nowhere else.

mod admins;
pub mod api_keys;
mod apis;
pub mod attention;
pub mod audit;
mod audit_receivers;
mod audit_views;
pub mod branding;
mod certificate_rules;
mod client_secrets;
mod clients;
pub mod colleagues;
pub mod concern;
mod connection_keys;
mod connection_status;
pub mod connections;
mod console;
pub mod declaration;
pub mod described;
pub mod effects;
pub mod event_filter;
pub mod from_json;
pub mod import;
mod invitations;
mod listed_connection;
mod local_accounts;
pub mod metadata;
mod notice_rules;
mod own_account;
mod own_factors;
mod own_passkeys;
pub mod passwords;
mod people;
mod receivers;
pub mod redirect_uri_rules;
mod registration_tokens;
pub mod reveal;
pub mod rules;
mod second_step;
pub mod security_rules;
pub mod settings;
mod sign_ins;
#[cfg(test)]
mod tests;
mod trusted_issuers;
mod upkeep;
pub mod upstream_identities;
mod users;

use std::sync::Arc;

pub use admins::NewAdmin;
pub use apis::{ApiChange, NewApi};
pub use audit_views::AuditView;
pub use client_secrets::{MAX_SECRET_OVERLAP, MOST_SECRETS, SECRET_OVERLAP};
pub use clients::{ClientChange, NewClient, RegisteredClient};
pub use connection_keys::KeyTurn;
pub use connection_status::ConnectionStatus;
pub use connections::{ConnectionChange, NewConnection};
pub use console::{CONSOLE_IDLE, CONSOLE_LIFE, ConsoleSession, SignIn, SignedIn};
pub use listed_connection::ListedConnection;
pub use local_accounts::NewLocalUser;
pub use own_factors::NewCodes;
pub use people::Signed;
pub use second_step::{FirstFactor, Proof, STEP_UP, SecondStep};
pub use trusted_issuers::NewTrustedIssuer;
pub use users::{Person, identity_id};

pub use crate::store::clients::{ListQuery, Page};
pub use crate::store::events::{EventQuery, RecordedEvent};
pub use crate::store::factors::HeldFactors;

use super::factors::Factors;
use super::passkeys::RelyingParty;
use crate::protocol::admin::{Admin, Role};
use crate::protocol::ambient::{Clock, Entropy, Timestamp};
use crate::protocol::api_key::{ApiKey, ApiScope};
use crate::protocol::event::Event;
use crate::protocol::id::ClientId;
use crate::protocol::profile::Profile;
use crate::protocol::secret::{SealError, Vault};
use crate::store::{Store, StoreFault};
use crate::upstream::http::Outbound;
use passwords::{PasswordFault, PasswordHasher};

/// Everything administrators may do. Cheap to clone.
#[derive(Clone)]
pub struct Administration {
    store: Store,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    passwords: Arc<PasswordHasher>,
    factors: Factors,
    relying_party: Option<RelyingParty>,
    file_connections: Arc<[ListedConnection]>,
    minimum_profile: Profile,
    outbound: Option<Outbound>,
}

impl Administration {
    /// Puts the acts together.
    pub fn new(
        store: Store,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        passwords: Arc<PasswordHasher>,
    ) -> Self {
        let (file_connections, minimum_profile) = (Arc::new([]), Profile::default());
        let factors = Factors::new(store.clone(), Arc::clone(&vault), Arc::clone(&entropy));
        Self {
            store,
            vault,
            clock,
            entropy,
            passwords,
            factors,
            relying_party: None,
            file_connections,
            minimum_profile,
            outbound: None,
        }
    }

    /// Says which connections the configuration file describes: shown here, changed there.
    #[must_use]
    pub fn with_file_connections(self, connections: Vec<ListedConnection>) -> Self {
        Self { file_connections: connections.into(), ..self }
    }

    /// The same, with a way out, to look at what clients name.
    #[must_use]
    pub fn with_outbound(mut self, outbound: Outbound) -> Self {
        self.outbound = Some(outbound);
        self
    }

    /// The same, where no client may be laxer than `minimum_profile`.
    #[must_use]
    pub fn under(mut self, minimum_profile: Profile) -> Self {
        self.minimum_profile = minimum_profile;
        self
    }
}

/// Characters kept of a reason.
pub const LONGEST_REASON: usize = 300;

/// Who acts, as far as the audit log and the rules care.
#[derive(Clone, Debug)]
pub struct Actor {
    /// As the audit log shows it: `admin:{username}` or `cli`.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The clients that an editor may change.
    pub clients: Vec<ClientId>,
    /// The `X-Request-Id` they act under.
    pub request_id: Option<String>,
    /// Why, in their own words; it stands in the audit log.
    pub reason: Option<String>,
    /// The key of the admin API that they act by.
    pub key: Option<ApiKey>,
}

impl Actor {
    /// Whoever can run the binary with its configuration may do everything.
    pub fn cli() -> Self {
        Self::named("cli", Role::Owner)
    }

    /// Somebody else who acts under no request.
    pub fn named(name: &str, role: Role) -> Self {
        Self {
            name: name.to_owned(),
            role,
            clients: Vec::new(),
            request_id: None,
            reason: None,
            key: None,
        }
    }

    /// A script that may do this by its key: as the least role that may, or as the greatest if the
    /// key holds all of its scopes.
    pub fn api_key(key: &ApiKey, scope: ApiScope, request_id: Option<String>) -> Self {
        let role = if key.covers(Role::Owner) { Role::Owner } else { scope.role() };
        let actor = Self::named(&key_actor(&key.id), role);
        Self { request_id, key: Some(key.clone()), ..actor }
    }

    /// Somebody at the console.
    pub fn console(admin: &Admin, request_id: Option<String>) -> Self {
        Self {
            name: format!("admin:{}", admin.username),
            role: admin.role,
            clients: admin.clients.clone(),
            request_id,
            reason: None,
            key: None,
        }
    }

    /// The same, for a reason. Blanks alone are none.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        let words: String = reason.trim().chars().take(LONGEST_REASON).collect();
        self.reason = Some(words).filter(|words| !words.is_empty());
        self
    }

    /// # Errors
    /// [`AdminError::Forbidden`] for a lesser role.
    pub fn must_be(&self, needed: Role) -> Result<(), AdminError> {
        if self.role >= needed { Ok(()) } else { Err(AdminError::Forbidden { needed }) }
    }

    /// # Errors
    /// [`AdminError::Forbidden`] for a lesser role, unless it is an editor's own client.
    pub fn must_edit(&self, client: &ClientId) -> Result<(), AdminError> {
        if self.role == Role::Editor && self.clients.contains(client) {
            return Ok(());
        }
        self.must_be(Role::Admin)
    }

    /// Whoever acts by a key has a role to give, to take or to get around only if the key holds all
    /// of its scopes: what it hands out is never more than it has.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`] for a key that reaches less far.
    pub fn must_cover(&self, role: Role) -> Result<(), AdminError> {
        match &self.key {
            Some(key) if !key.covers(role) => Err(AdminError::Forbidden { needed: role }),
            Some(_) | None => Ok(()),
        }
    }

    /// What they did, for the audit log.
    pub(in crate::op) fn event(&self, at: Timestamp, kind: &str, target: &str) -> Event {
        let event = Event::new(at, kind, self.name.clone())
            .target(target)
            .request_id(self.request_id.clone());
        event.because(self.reason.as_deref())
    }
}

/// How the audit log names a key of the admin API.
fn key_actor(id: &str) -> String {
    format!("api_key:{id}")
}

/// What is wrong with one field of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The member's name, such as `redirect_uris`.
    pub field: &'static str,
    /// One sentence for the person who filled it in.
    pub message: String,
}

impl FieldProblem {
    /// A problem with this field.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// Why an act of an administrator did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The actor's role does not reach.
    #[error("this needs the role {}", needed.as_str())]
    Forbidden {
        /// The least role that may.
        needed: Role,
    },
    /// There is no such thing.
    #[error("there is no such client, API, connection, account or person")]
    NotFound,
    /// Somebody else changed it since it was read.
    #[error("it was changed by somebody else meanwhile; look at it again")]
    Conflict,
    /// The input breaks rules; every broken one is listed.
    #[error("{}", listed(.0))]
    Invalid(Vec<FieldProblem>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// A password could not be hashed or compared.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl AdminError {
    fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem::new(field, message)])
    }

    /// A key that is taken is the fault of the field that holds it.
    fn taken(self, field: &'static str) -> Self {
        self.taken_because(field, "is taken already; choose another")
    }

    fn taken_because(self, field: &'static str, message: &str) -> Self {
        match self {
            Self::Store(StoreFault::Conflict(_)) => Self::invalid(field, message),
            other @ (Self::Forbidden { .. }
            | Self::NotFound
            | Self::Conflict
            | Self::Invalid(_)
            | Self::Store(_)
            | Self::Password(_)
            | Self::Seal(_)) => other,
        }
    }
}

fn listed(problems: &[FieldProblem]) -> String {
    let lines: Vec<_> =
        problems.iter().map(|problem| format!("{}: {}", problem.field, problem.message)).collect();
    lines.join("\n")
}

fn checked(problems: Vec<FieldProblem>) -> Result<(), AdminError> {
    if problems.is_empty() { Ok(()) } else { Err(AdminError::Invalid(problems)) }
}

/// Refuses an edit of something that is no longer as the editor saw it.
fn unchanged(seen: Option<i32>, stands: i32) -> Result<(), AdminError> {
    if seen.is_none_or(|seen| seen == stands) { Ok(()) } else { Err(AdminError::Conflict) }
}
