//! How a sign-in came out, in one word: for counting, and for whoever looks into a failure.

use serde::{Deserialize, Serialize};

/// Why a sign-in failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The person did not go on.
    Cancelled,
    /// The upstream does not take our credentials.
    Credentials,
    /// The upstream does not take the code.
    Code,
    /// The token is for somebody else.
    Audience,
    /// The token is of another sign-in.
    Nonce,
    /// The token is by somebody else.
    Issuer,
    /// The signature is no good.
    Signature,
    /// Too old, or a clock is wrong.
    Clock,
    /// The account is disabled.
    Disabled,
    /// The upstream did not answer.
    Unreachable,
    /// We failed.
    Ours,
    /// Username or password were wrong.
    Password,
    /// The client asked for what cannot be answered.
    Request,
    /// The answer came to a browser that did not begin.
    Elsewhere,
    /// It was finished, forgotten or never begun.
    Over,
    /// Something else.
    Other,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 16] = [
        Self::Cancelled,
        Self::Credentials,
        Self::Code,
        Self::Audience,
        Self::Nonce,
        Self::Issuer,
        Self::Signature,
        Self::Clock,
        Self::Disabled,
        Self::Unreachable,
        Self::Ours,
        Self::Password,
        Self::Request,
        Self::Elsewhere,
        Self::Over,
        Self::Other,
    ];

    /// The cause of a refusal, told by its code and its words.
    pub fn of(error: Option<&str>, description: &str, detail: &str) -> Self {
        let all = format!("{description} {detail}").to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| all.contains(word));
        // What we say ourselves, before what is made of an upstream's words.
        if has(&["another browser", "cookies are"]) {
            Self::Elsewhere
        } else if has(&["already finished", "carries no state"]) {
            Self::Over
        } else if has(&["client_id is", "redirect_uri is"]) {
            Self::Request
        } else if has(&["cancel"]) {
            Self::Cancelled
        } else if has(&["invalid_client", "refuses the client"]) {
            Self::Credentials
        } else if has(&["invalid_grant", "code_refused"]) {
            Self::Code
        } else if has(&["audience", "aud_", "aud "]) {
            Self::Audience
        } else if has(&["nonce"]) {
            Self::Nonce
        } else if has(&["issuer"]) {
            Self::Issuer
        } else if has(&["signature", "kid", "jwks"]) {
            Self::Signature
        } else if has(&["expired", "stale", "clock", "iat_", "exp "]) {
            Self::Clock
        } else if has(&["disabled"]) {
            Self::Disabled
        } else if error == Some("temporarily_unavailable") {
            Self::Unreachable
        } else if error == Some("server_error") {
            Self::Ours
        } else {
            Self::Other
        }
    }

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Credentials => "credentials",
            Self::Code => "code",
            Self::Audience => "audience",
            Self::Nonce => "nonce",
            Self::Issuer => "issuer",
            Self::Signature => "signature",
            Self::Clock => "clock",
            Self::Disabled => "disabled",
            Self::Unreachable => "unreachable",
            Self::Ours => "ours",
            Self::Password => "password",
            Self::Request => "request",
            Self::Elsewhere => "elsewhere",
            Self::Over => "over",
            Self::Other => "other",
        }
    }

    /// The cause with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_by_its_words_and_each_has_its_own() {
        assert_eq!(Cause::of(None, "the sign-in was cancelled", ""), Cause::Cancelled);
        assert_eq!(Cause::of(None, "", "token endpoint: invalid_client"), Cause::Credentials);
        assert_eq!(Cause::of(Some("server_error"), "", ""), Cause::Ours);
        assert_eq!(Cause::of(Some("access_denied"), "no", "no"), Cause::Other);
        assert_eq!(Cause::of(None, "", "iat_in_future: 1 > 0"), Cause::Clock);
        assert_eq!(Cause::of(None, "who initiated it is unknown", ""), Cause::Other);
        for cause in Cause::ALL {
            assert_eq!(Cause::parse(cause.as_str()), Some(cause));
        }
        assert_eq!(Cause::parse("ok"), None);
    }
}
