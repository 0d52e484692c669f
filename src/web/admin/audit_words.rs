//! Events in plain words: what happened.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_is_still_readable() {
        assert_eq!(title("apple.consent_revoked"), "apple consent revoked");
    }
}
