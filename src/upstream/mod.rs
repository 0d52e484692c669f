//! Russet as a relying party: connectors to upstream identity providers.
//!
//! A [`Connector`] speaks to one configured upstream. It stores nothing, takes the time as an
//! argument and its random values in [`Trip`], and returns plain values; what they mean for people
//! and sessions is decided in `op/`.

mod address;
pub mod apple;
mod authorities;
pub mod build;
mod dns;
pub mod github;
mod guard;
pub mod health;
pub mod http;
pub mod key_sets;
pub mod oidc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::protocol::ambient::Timestamp;
use crate::protocol::connection::ConnectionKind;
use crate::protocol::id::ConnectionId;
use crate::protocol::notification::Notification;
use crate::protocol::secret::SecretString;
use crate::protocol::user::Profile;
use health::Health;

/// One journey of a browser to an upstream and back. Parked (sealed) while the browser is away.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trip {
    /// `state`: 256 random bits, single use, bound to the browser.
    pub state: String,
    /// `nonce`: always sent.
    pub nonce: String,
    /// PKCE verifier, for upstreams that take a challenge.
    pub code_verifier: String,
    /// The broker's callback for this connection.
    pub redirect_uri: String,
    /// `login_hint` of the downstream request, for upstreams that take one.
    pub login_hint: Option<String>,
    /// Whether the person must prove who they are anew (`prompt=login`, `max_age`).
    pub reauthenticate: bool,
}

/// What the upstream sent back through the browser. Every field is untrusted.
#[derive(Clone, Default, Deserialize)]
pub struct Callback {
    /// `code`.
    pub code: Option<String>,
    /// `id_token`, when the response type asked for one.
    pub id_token: Option<String>,
    /// `state`.
    pub state: Option<String>,
    /// Apple's `user`: JSON with the name, on the first sign-in only (apple.md §4).
    pub user: Option<String>,
    /// `error`.
    pub error: Option<String>,
    /// `iss` of the authorization response (RFC 9207), where the upstream sends it.
    pub iss: Option<String>,
}

/// Who signed in, as far as the upstream vouches for it.
#[derive(Clone, Debug)]
pub struct UpstreamIdentity {
    /// Who vouches: `apple:TEAMID`, or the issuer URL.
    pub authority: String,
    /// The upstream's `sub`.
    pub subject: String,
    /// What was learned about the person. Email only from the verified ID token.
    pub profile: Profile,
    /// When the person authenticated upstream, where the ID token tells.
    pub auth_time: Option<Timestamp>,
    /// How (`amr`), where its word is taken.
    pub amr: Vec<String>,
    /// The upstream refresh token, if one was given.
    pub grant: Option<ObtainedGrant>,
    /// The upstream's own name for the session (`sid`), where it tells one.
    pub sid: Option<String>,
    /// Apple's `transfer_sub`: who this is to the team that an app came from (apple.md §9).
    pub transfer_sub: Option<String>,
}

/// Who is signed out upstream, as a logout token says (OIDC Back-Channel Logout §2.4).
#[derive(Clone, Debug)]
pub struct SignedOut {
    /// Who vouches.
    pub authority: String,
    /// `sub`; at least one of this and `sid` is there.
    pub subject: Option<String>,
    /// `sid`.
    pub sid: Option<String>,
    /// `jti`, to be taken once.
    pub jti: String,
    /// How long that must be remembered.
    pub expires_at: Timestamp,
}

/// An upstream refresh token and the `client_id` that it belongs to.
#[derive(Clone, Debug)]
pub struct ObtainedGrant {
    /// Services ID, bundle ID, or the OIDC client id.
    pub client_id: String,
    /// The refresh token.
    pub refresh_token: SecretString,
}

/// Why a journey failed. [`std::fmt::Display`] is for the log; it never holds a token.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The person pressed *Cancel*.
    #[error("the person cancelled at the upstream")]
    Cancelled,
    /// What came back is not good: forged, stale, meant for somebody else, or refused.
    /// `reason` is a stable snake_case word for logs, traces and tests, such as `nonce_mismatch`,
    /// `aud_mismatch`, `signature_invalid`, `id_token_expired`, `code_refused`.
    #[error("refused ({reason}): {detail}")]
    Rejected {
        /// The stable word.
        reason: &'static str,
        /// One sentence for the log.
        detail: String,
    },
    /// The upstream is unwell: time-out, 5xx, 403 HTML, not JSON. Try again later.
    #[error("the upstream is unavailable: {0}")]
    Unavailable(String),
    /// The operator must act: wrong key, Key ID, team or client id.
    #[error("the connection is misconfigured: {0}")]
    Misconfigured(String),
}

/// One configured upstream.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Its name in URLs and rows, such as `apple`.
    fn id(&self) -> &ConnectionId;

    /// Its name for people, such as `Apple`.
    fn display_name(&self) -> &str;

    /// What it speaks; decides how its button looks.
    fn kind(&self) -> ConnectionKind;

    /// Whether an address that it proves may join somebody unknown to an account: the operator's
    /// switch.
    fn link_by_verified_email(&self) -> bool {
        false
    }

    /// How the last contacts with it went.
    fn health(&self) -> &Health {
        static NEVER_ASKED: Health = Health::new();
        &NEVER_ASKED
    }

    /// What a page's CSP must allow in `form-action` so that a form may lead to this upstream.
    fn form_action_source(&self) -> String;

    /// Where to send the browser.
    async fn depart(&self, trip: &Trip, now: Timestamp) -> Result<Url, UpstreamError>;

    /// Verifies what the browser itself brought, before any code is redeemed, so that a name told
    /// once is kept even if the redemption fails. `None` when the front channel proves nothing.
    async fn greet(
        &self,
        trip: &Trip,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<Option<UpstreamIdentity>, UpstreamError>;

    /// Redeems the code and verifies everything. Called at most once for a journey.
    async fn arrive(
        &self,
        trip: &Trip,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<UpstreamIdentity, UpstreamError>;

    /// Sign-in by tokens that an app obtained from the upstream itself, if it is possible.
    fn native(&self) -> Option<&dyn NativeSignIn> {
        None
    }

    /// Who vouches for the identities that come through here: `apple:TEAMID`, or the issuer URL.
    /// Several connections may share one.
    fn authority(&self) -> String;

    /// What can be done with the grants that sign-ins left behind, if anything can.
    fn lifecycle(&self) -> Option<&dyn Lifecycle> {
        None
    }

    /// What the upstream announces by itself, if it announces anything.
    fn announcements(&self) -> Option<&dyn Announcements> {
        None
    }

    /// Moving people between Apple teams, where that is possible.
    fn team_transfer(&self) -> Option<&dyn TeamTransfer> {
        None
    }

    /// Verifies a logout token that the upstream sent by itself.
    async fn signed_out(
        &self,
        _logout_token: &str,
        _now: Timestamp,
    ) -> Result<SignedOut, UpstreamError> {
        Err(UpstreamError::Rejected {
            reason: "logout_not_supported",
            detail: "this connection takes no logout tokens".to_owned(),
        })
    }

    /// What can be told of our callback at the upstream, if anything can.
    async fn check_return_url(&self, _return_url: &str) -> Option<Finding> {
        None
    }

    /// What is wrong with this connection, as far as can be told without a sign-in.
    async fn check(&self, now: Timestamp) -> Vec<Finding>;
}

/// The life of a grant after its sign-in: asking whether it still stands, and giving it back
/// (apple.md §6, §7).
#[async_trait]
pub trait Lifecycle: Send + Sync {
    /// The upstream `client_id`s whose grants this connection can present. A grant belongs to the
    /// one that obtained it and to no other.
    fn client_ids(&self) -> Vec<String>;

    /// Asks how a grant stands. Every answer is a [`Standing`]: what the upstream says of one
    /// person must not be taken for trouble with the connection, nor the other way round.
    async fn check_grant(
        &self,
        client_id: &str,
        refresh_token: &SecretString,
        now: Timestamp,
    ) -> Standing;

    /// Gives a grant back. Safe to repeat. Success proves nothing, for Apple says yes to junk as
    /// well: whoever must be sure asks [`Lifecycle::check_grant`] afterwards and expects
    /// [`Standing::Dead`].
    ///
    /// # Errors
    /// [`UpstreamError::Unavailable`] when it must be tried again, [`UpstreamError::Misconfigured`]
    /// when the operator must act, [`UpstreamError::Rejected`] when the upstream refuses this token.
    async fn revoke(
        &self,
        client_id: &str,
        refresh_token: &SecretString,
        now: Timestamp,
    ) -> Result<(), UpstreamError>;
}

/// How a grant stands: one variant for each row of the outcome table (apple.md §6).
#[derive(Debug)]
pub enum Standing {
    /// It stands, and this is whose it is if the answer says so. The caller compares the subject.
    Good(Option<Box<UpstreamIdentity>>),
    /// `invalid_grant`: it is dead.
    Dead,
    /// `invalid_request`: a malformed request, or Apple's other word for a revoked grant.
    Ambiguous,
    /// `invalid_client` and its kin: the operator must act. Says nothing of the person.
    Misconfigured(String),
    /// No answer, or none that can be believed. Says nothing of the person.
    Unwell(String),
}

/// Moving people between two Apple teams (apple.md §9).
#[async_trait]
pub trait TeamTransfer: Send + Sync {
    /// The team of this connection.
    fn team_id(&self) -> &str;

    /// An access token that opens the migration endpoint.
    async fn migration_token(&self, now: Timestamp) -> Result<SecretString, UpstreamError>;

    /// What the team `target` will know a person of this team by.
    async fn transfer_sub(
        &self,
        token: &SecretString,
        subject: &str,
        target: &str,
        now: Timestamp,
    ) -> Result<String, UpstreamError>;

    /// Who a person of another team is in this one.
    async fn exchange(
        &self,
        token: &SecretString,
        transfer_sub: &str,
        now: Timestamp,
    ) -> Result<Transferred, UpstreamError>;
}

/// A person in their new team.
#[derive(Clone, Debug)]
pub struct Transferred {
    /// `sub` in the new team.
    pub subject: String,
    /// The new relay address; told only of people who hide theirs.
    pub email: Option<String>,
    /// Whether it is one.
    pub is_private_email: bool,
}

/// Native sign-in: the app posts identity token and authorization code (apple.md §5).
#[async_trait]
pub trait NativeSignIn: Send + Sync {
    /// Verifies the identity token, with `authorization_code` checked against `c_hash` but not
    /// redeemed. The answer's `grant` is `None`.
    async fn verify(
        &self,
        credential: &NativeCredential<'_>,
        now: Timestamp,
    ) -> Result<VerifiedNative, UpstreamError>;

    /// Redeems the authorization code with the audience that obtained it and checks that it
    /// belongs to the same person.
    async fn redeem(
        &self,
        verified: &VerifiedNative,
        authorization_code: &str,
        now: Timestamp,
    ) -> Result<Option<ObtainedGrant>, UpstreamError>;
}

/// Server-to-server notifications (apple.md §8).
#[async_trait]
pub trait Announcements: Send + Sync {
    /// Verifies what was posted at `arrived`, by the keys that are known `now`.
    ///
    /// # Errors
    /// [`UpstreamError::Rejected`] when it is not good; [`UpstreamError::Unavailable`] when that
    /// cannot be told yet.
    async fn read(
        &self,
        body: &[u8],
        arrived: Timestamp,
        now: Timestamp,
    ) -> Result<Notification, UpstreamError>;
}

/// What an app posts.
pub struct NativeCredential<'a> {
    /// Apple's identity token.
    pub identity_token: &'a str,
    /// Apple's authorization code.
    pub authorization_code: Option<&'a str>,
    /// The raw nonce.
    pub nonce: &'a str,
    /// The `user` JSON.
    pub user: Option<&'a str>,
    /// The bundle IDs this client may bring tokens for; empty refuses all.
    pub allowed_audiences: &'a [String],
}

/// A native identity token that passed every check.
#[derive(Clone, Debug)]
pub struct VerifiedNative {
    /// Who signed in; `grant` is `None`.
    pub identity: UpstreamIdentity,
    /// The bundle ID the token was made for.
    pub audience: String,
    /// The token's own `nonce` claim: the raw nonce or its hash.
    pub nonce: String,
    /// When the token expires: how long its use must be remembered.
    pub expires_at: Timestamp,
}

/// One line of the connection doctor.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Whether all is well, not known, or wrong.
    pub verdict: Verdict,
    /// What was looked at, such as `private key`.
    pub subject: String,
    /// What was found, and the remedy if something is wrong.
    pub message: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Cannot be told from here, or not reachable now.
    Unknown,
    /// Wrong; the message says where to mend it.
    Wrong,
}

#[cfg(test)]
mod tests;
