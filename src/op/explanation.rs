//! Why things went wrong, in words for whoever looks after an installation, and what mends them.

use serde::Serialize;
use serde_json::Value;

use crate::protocol::event::Event;
use crate::protocol::sign_in::{SignInStep, Step};
use crate::protocol::sign_in_cause::Cause;

/// A cause and what mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What went wrong.
    pub cause: String,
    /// What mends it.
    pub remedy: String,
}

/// What somebody who looks into a failure wants to read.
pub fn explain(event: &Event) -> Option<Explanation> {
    let text = |member: &str| {
        event.detail.as_ref().and_then(|detail| detail.get(member)).and_then(Value::as_str)
    };
    let of = |cause: &str, remedy: &str| {
        Some(Explanation { cause: cause.to_owned(), remedy: remedy.to_owned() })
    };
    match event.kind.as_str() {
        "login.failed" => Some(login(text("error"), text("description"), text("detail"))),
        "admin.sign_in_failed" if event.actor == "admin:unknown" => of(
            "No console account has the username that was typed.",
            "The username is not recorded, because people type passwords there. russet admin list \
             shows the accounts.",
        ),
        "admin.sign_in_failed" => of(
            "The account exists; the password or the code was wrong, or the account is disabled.",
            "An owner can look at Admins; russet admin reset-password gives it another password.",
        ),
        "refresh_token.reused" => of(
            "A refresh token that had been replaced was presented again. Either the app lost the \
             answer that held the new one, or somebody has a copy.",
            "The grant was revoked, so the person signs in again. If it happens often to one app, \
             look whether it stores the new token before it uses it.",
        ),
        "authorization_code.reused" => of(
            "An authorization code was presented a second time.",
            "What was issued for it was revoked (RFC 6749 §4.1.2). Look whether the app sends its \
             callback twice.",
        ),
        _ => None,
    }
}

fn login(error: Option<&str>, description: Option<&str>, detail: Option<&str>) -> Explanation {
    let cause = Cause::of(error, description.unwrap_or_default(), detail.unwrap_or_default());
    let (cause, remedy) = in_words(cause);
    Explanation { cause: cause.to_owned(), remedy: remedy.to_owned() }
}

/// A cause and what mends it.
pub const fn in_words(cause: Cause) -> (&'static str, &'static str) {
    match cause {
        Cause::Cancelled => {
            ("The person pressed Cancel at the identity provider.", "Nothing is wrong.")
        }
        Cause::Credentials => (
            "The identity provider does not accept the credentials of this connection.",
            "Run the check on the page of the connection: team, key and Services ID must belong \
             together, and the key must not have been revoked.",
        ),
        Cause::Code => (
            "The identity provider does not accept the code: it was used before, is too old, or \
             was issued for another client or return URL.",
            "If it happens every time, compare the return URL at the provider with the one on \
             the page of the connection.",
        ),
        Cause::Audience => (
            "The identity token is for another app.",
            "Add the app's bundle ID to the connection and to the client, if it is one of yours.",
        ),
        Cause::Nonce => (
            "The identity token does not carry the nonce of this sign-in.",
            "Look whether the app sends the raw nonce to Russet and its SHA-256 to Apple.",
        ),
        Cause::Issuer => (
            "The token names another issuer than this connection expects.",
            "Compare the issuer on the page of the connection with the provider's documentation.",
        ),
        Cause::Signature => (
            "The token's signature cannot be verified with the provider's published keys.",
            "If it lasts, the provider may have changed its keys and they cannot be fetched: run \
             the check on the page of the connection.",
        ),
        Cause::Clock => (
            "The token is too old, or a clock is wrong.",
            "Compare the clock of this machine with a time server.",
        ),
        Cause::Disabled => {
            ("The account is disabled.", "Enable the person, if that was not meant.")
        }
        Cause::Unreachable => (
            "The identity provider did not answer in time.",
            "It usually passes. If not, run the check on the page of the connection, and see \
             whether this machine reaches the provider.",
        ),
        Cause::Ours => (
            "Russet failed, or its connection to the provider is set up wrongly.",
            "The log has the cause under the request id below.",
        ),
        Cause::Request => (
            "The app asked with a client_id or a redirect_uri that is not registered here.",
            "Compare both in the app with the client's page, letter by letter.",
        ),
        Cause::Elsewhere => (
            "The answer came to another browser than the one that began, or its cookies were gone.",
            "The person begins again in one browser, with cookies. If it happens to many, look \
             whether the app opens the sign-in in a view of its own and the provider answers in \
             the system's browser.",
        ),
        Cause::Over => (
            "The sign-in was finished before, was left open for too long, or did not begin here.",
            "The person begins again at the app; a page that is sent twice leads nowhere.",
        ),
        Cause::Other => (
            "The identity provider's answer was not accepted.",
            "The detail below says which check failed.",
        ),
        Cause::Password => (
            "The username or the password was wrong.",
            "Nothing is wrong with the connection. russet user reset-password gives somebody \
             another password.",
        ),
    }
}

/// Why a step of a sign-in went wrong, and what mends it.
pub fn explain_step(step: &SignInStep) -> Option<Explanation> {
    match step.step {
        Step::Failed | Step::Refused | Step::NotRedeemed | Step::Lost => {}
        Step::Requested
        | Step::Departed
        | Step::Returned
        | Step::SignedIn
        | Step::Consented
        | Step::CodeIssued
        | Step::Redeemed => return None,
    }
    let detail = step.detail.clone().unwrap_or_default();
    if step.step == Step::NotRedeemed {
        let cause = "The app came for its tokens and was refused.";
        let remedy = "The app must redeem the code once, soon, with the redirect_uri and the \
                      code_verifier of this very request.";
        return Some(Explanation { cause: cause.to_owned(), remedy: remedy.to_owned() });
    }
    let event = Event::new(step.at, "login.failed", "system").detail(detail);
    explain(&event)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::ambient::Timestamp;

    #[test]
    fn every_failed_sign_in_is_explained() {
        let cause = |detail: Value| {
            let event = Event::new(Timestamp::default(), "login.failed", "system").detail(detail);
            explain(&event).unwrap().cause
        };
        assert!(cause(json!({ "description": "the sign-in was cancelled" })).contains("Cancel"));
        assert!(
            cause(json!({ "detail": "token endpoint: invalid_client" })).contains("credentials")
        );
        assert!(
            cause(json!({ "error": "server_error", "detail": "Apple refuses the client secret" }))
                .contains("credentials")
        );
        assert!(cause(json!({ "detail": "the nonce differs" })).contains("nonce"));
        assert!(cause(json!({ "error": "temporarily_unavailable" })).contains("in time"));
        assert!(cause(json!(null)).contains("not accepted"));
    }
}
