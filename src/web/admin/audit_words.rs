//! Events in plain words: what happened, and why a sign-in failed.

use serde_json::Value;

use crate::protocol::event::Event;
use crate::protocol::sign_in_cause::Cause;

/// The areas that the log can be narrowed to: the first half of a kind, and its name.
pub(super) const AREAS: [(&str, &str); 14] = [
    ("login", "Sign-ins"),
    ("session", "Sessions"),
    ("user", "People"),
    ("consent", "Consent"),
    ("grant", "Grants"),
    ("refresh_token", "Refresh tokens"),
    ("client", "Clients"),
    ("api", "APIs"),
    ("connection", "Connections"),
    ("apple", "Apple"),
    ("signing_key", "Signing keys"),
    ("admin", "Console accounts"),
    ("settings", "Settings"),
    ("audit", "Audit log"),
];

/// What happened, for the list.
pub(super) fn title(kind: &str) -> String {
    let known = match kind {
        "login.succeeded" => "Signed in",
        "login.failed" => "Sign-in failed",
        "login.second_factor_failed" => "Second factor wrong",
        "session.ended" => "Signed out",
        "user.created" => "First sign-in",
        "user.updated" => "Person changed",
        "user.disabled" => "Person disabled",
        "user.enabled" => "Person enabled",
        "user.deleted" => "Person deleted",
        "user.exported" => "Person exported",
        "user.signed_out" => "Signed out by an admin",
        "user.linked" => "Identity added",
        "user.unlinked" => "Identity unlinked",
        "user.deletion_begun" => "Deletion begun",
        "user.totp_added" => "Second factor set up",
        "user.totp_removed" => "Second factor removed",
        "user.recovery_codes_renewed" => "New recovery codes",
        "user.factors_reset" => "Second factor removed by an admin",
        "user.proof_failed" => "Fresh proof failed",
        "deletion.hastened" => "Deletion hastened",
        "delivery.owed_again" => "Delivery tried again",
        "job.held" => "Job put on hold",
        "job.resumed" => "Job let go on",
        "apple.grant_revoked" => "Apple's consent is gone",
        "apple.check_stopped" => "Daily check stopped",
        "apple.check_paused" => "Daily check waits for Apple",
        "apple.check_resumed" => "Daily check goes on",
        "apple_transfer.collected" => "Transfer identifiers collected",
        "apple_transfer.imported" => "Transfer identifiers imported",
        "apple_transfer.exchanged" => "Transfer identifiers exchanged",
        "apple_transfer.attached" => "Moved by signing in",
        "apple_transfer.retried" => "Refused people asked for again",
        "apple_transfer.failed" => "Move went no further",
        "upstream_consent.revoked" => "Stopped using the app, says Apple",
        "upstream_account.deleted" => "Apple account deleted",
        "email_forwarding.disabled" => "Relay mail switched off",
        "email_forwarding.enabled" => "Relay mail switched on",
        "upstream_logout.received" => "Signed out upstream",
        "consent.given" => "Consent given",
        "grant.revoked" => "Grant revoked",
        "refresh_token.reused" => "Refresh token used twice",
        "authorization_code.reused" => "Authorization code used twice",
        "client.created" => "Client registered",
        "client.updated" => "Client changed",
        "client.deleted" => "Client deleted",
        "client.secret_rotated" => "Client secret rotated",
        "api.created" => "API registered",
        "api.updated" => "API changed",
        "api.deleted" => "API deleted",
        "signing_key.introduced" => "Signing key introduced",
        "signing_key.retired" => "Signing key taken out of service",
        "admin.created" => "Console account made",
        "admin.updated" => "Console account changed",
        "admin.deleted" => "Console account deleted",
        "admin.password_reset" => "Console password reset",
        "admin.identity_bound" => "Upstream identity bound to an account",
        "admin.identity_unbound" => "Upstream identity unbound from an account",
        "admin.invited" => "Invited to bind an identity",
        "admin.passkey_added" => "Passkey added",
        "admin.passkey_removed" => "Passkey removed",
        "admin.passkey_cloned" => "Passkey refused: two of it are about",
        "admin.signed_in" => "Signed in to the console",
        "admin.sign_in_failed" => "Console sign-in failed",
        "admin.signed_out" => "Console session ended",
        "settings.updated" => "Settings changed",
        "audit.exported" => "Audit log exported",
        "audit.receiver_added" => "Receiver of the audit log added",
        "audit.receiver_removed" => "Receiver of the audit log removed",
        "audit.view_kept" => "View of the audit log kept",
        "audit.view_forgotten" => "View of the audit log forgotten",
        "audit.pruned" => "Old events let go",
        _ => return kind.replace(['.', '_'], " "),
    };
    known.to_owned()
}

/// Whether the event is something to look at: shown by colour, and in words.
pub(super) fn is_alarming(kind: &str) -> bool {
    ["_failed", ".failed", ".reused", ".check_stopped"].iter().any(|end| kind.ends_with(end))
}

/// A cause and what mends it.
pub(super) struct Explanation {
    pub(super) cause: String,
    pub(super) remedy: String,
}

/// What somebody who looks into a failure wants to read.
pub(super) fn explain(event: &Event) -> Option<Explanation> {
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
pub(super) const fn in_words(cause: Cause) -> (&'static str, &'static str) {
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

    #[test]
    fn an_unknown_kind_is_still_readable() {
        assert_eq!(title("apple.consent_revoked"), "apple consent revoked");
    }
}
