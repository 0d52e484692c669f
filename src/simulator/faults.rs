//! Faults a test orders in advance: Apple's endpoints failing, and ID tokens that must be refused.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::keys::Manner;
use super::state::State;

const HOUR: i64 = 3600;

/// An endpoint that can fail, as the control API and the journal name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Endpoint {
    Authorize,
    Token,
    Revoke,
    Keys,
    Usermigrationinfo,
    Native,
    Discovery,
}

impl Endpoint {
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/auth/authorize" => Some(Self::Authorize),
            "/auth/token" => Some(Self::Token),
            "/auth/revoke" => Some(Self::Revoke),
            "/auth/keys" => Some(Self::Keys),
            "/.well-known/openid-configuration" => Some(Self::Discovery),
            "/auth/usermigrationinfo" => Some(Self::Usermigrationinfo),
            _ => None,
        }
    }

    fn gives_id_tokens(self) -> bool {
        matches!(self, Self::Authorize | Self::Token | Self::Native)
    }
}

/// One way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    #[serde(rename = "status_403_html")]
    Status403Html,
    #[serde(rename = "status_429")]
    Status429,
    #[serde(rename = "status_500")]
    Status500,
    #[serde(rename = "status_503")]
    Status503,
    /// The real answer, cut in half.
    TruncatedJson,
    /// The real answer, called `text/html`.
    WrongContentType,
    /// Waits for `/_sim/release`, then answers as ever.
    Hang,
    /// 400 `invalid_request`, which is also what Apple says when the person revoked the app.
    InvalidRequest,
    /// 400 `invalid_client`, as when the developer's key was withdrawn.
    InvalidClient,
    EmptyKeys,
    /// The JWKS without the key that signs.
    MissingKey,
    /// Discovery as on 10 June 2025: issuer and endpoints at `account.apple.com`.
    IssuerMoved,
    /// Of the JWKS: keys under other names. Of a token: a `kid` that no key has.
    UnknownKid,
    WrongAud,
    WrongIss,
    WrongNonce,
    MissingNonce,
    WrongCHash,
    AlgNone,
    AlgHs256,
    StrangerKey,
    Expired,
    FutureIat,
    StaleIat,
    MissingSub,
    MissingEmail,
}

impl Fault {
    /// Whether it spoils the answer as a whole, whatever the endpoint.
    pub(super) fn is_of_transport(self) -> bool {
        matches!(
            self,
            Self::Status403Html
                | Self::Status429
                | Self::Status500
                | Self::Status503
                | Self::TruncatedJson
                | Self::WrongContentType
                | Self::Hang
                | Self::InvalidRequest
                | Self::InvalidClient
        )
    }

    /// Whether this endpoint can fail this way at all.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest are faults of ID tokens")]
    pub(super) fn fits(self, endpoint: Endpoint) -> bool {
        match self {
            Self::EmptyKeys | Self::MissingKey => endpoint == Endpoint::Keys,
            Self::IssuerMoved => endpoint == Endpoint::Discovery,
            Self::UnknownKid => endpoint == Endpoint::Keys || endpoint.gives_id_tokens(),
            _ if self.is_of_transport() => endpoint != Endpoint::Native,
            _ => endpoint.gives_id_tokens(),
        }
    }

    /// Spoils the claims of a token issued at `now` (seconds).
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other faults leave the claims alone")]
    pub(super) fn spoil(self, claims: &mut Value, now: i64) {
        let Some(members) = claims.as_object_mut() else { return };
        let mut put = |name: &str, value: Value| {
            members.insert(name.to_owned(), value);
        };
        match self {
            Self::WrongAud => put("aud", json!("com.example.someone-else")),
            Self::WrongIss => put("iss", json!("https://account.apple.example")),
            Self::WrongNonce => put("nonce", json!("another-nonce")),
            Self::WrongCHash => put("c_hash", json!(super::token::half_hash("another-code"))),
            Self::Expired => {
                put("iat", json!(now - 2 * HOUR));
                put("exp", json!(now - HOUR));
            }
            Self::FutureIat => put("iat", json!(now + HOUR)),
            Self::StaleIat => put("iat", json!(now - 12 * HOUR)),
            Self::MissingNonce => drop(members.remove("nonce")),
            Self::MissingSub => drop(members.remove("sub")),
            Self::MissingEmail => drop(members.remove("email")),
            _ => {}
        }
    }

    /// How a token with this fault is signed.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other faults leave the signature alone"
    )]
    pub(super) fn manner(self) -> Manner {
        match self {
            Self::AlgNone => Manner::Unsigned,
            Self::AlgHs256 => Manner::PublicKeyAsSecret,
            Self::StrangerKey => Manner::StrangerKey,
            Self::UnknownKid => Manner::UnknownKid,
            _ => Manner::Apple,
        }
    }
}

/// A fault that waits for its endpoint to be called.
pub(super) struct Ordered {
    pub(super) endpoint: Endpoint,
    pub(super) fault: Fault,
    pub(super) times: u32,
    /// So many requests pass before it.
    pub(super) after: u32,
}

impl State {
    /// Uses up the oldest fault ordered for an endpoint among those `wanted`.
    pub(super) fn take_fault(
        &mut self,
        endpoint: Endpoint,
        wanted: impl Fn(Fault) -> bool,
    ) -> Option<Fault> {
        let ordered =
            self.faults.iter_mut().find(|one| one.endpoint == endpoint && wanted(one.fault))?;
        if ordered.after > 0 {
            ordered.after = ordered.after.saturating_sub(1);
            return None;
        }
        ordered.times = ordered.times.saturating_sub(1);
        let fault = ordered.fault;
        self.faults.retain(|one| one.times > 0);
        Some(fault)
    }

    /// Signs the claims of an ID token as `endpoint` gives it, spoiled if a fault was ordered.
    pub(super) fn sign_for(
        &mut self,
        endpoint: Endpoint,
        mut claims: Value,
        now: i64,
    ) -> Option<String> {
        let fault = self.take_fault(endpoint, |fault| !fault.is_of_transport());
        if let Some(fault) = fault {
            fault.spoil(&mut claims, now);
        }
        self.sign(&claims, fault)
    }

    /// Signs claims in the manner of a fault, or as Apple does.
    pub(super) fn sign(&self, claims: &Value, fault: Option<Fault>) -> Option<String> {
        let manner = fault.map_or(Manner::Apple, Fault::manner);
        self.keys.sign(claims, manner, self.stranger.as_ref()).ok()
    }
}
