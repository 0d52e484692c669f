//! Who may do what: one line for each route of the console. A route that is not here is nobody's.

use actix_web::http::Method;

use crate::protocol::admin::{Admin, Role};

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To be signed in.
    SignedIn,
    /// This role or a greater one.
    Role(Role),
    /// The same, or to be an editor of the client that the address names.
    OfClient(Role),
    /// The same, or to be an editor of any client: the answer holds only theirs.
    OfAnyClient(Role),
}

impl Need {
    /// Whether this account fulfils it; `client_id` is the one in the address.
    pub fn allows(self, admin: &Admin, client_id: Option<&str>) -> bool {
        let edits = |id: &str| admin.clients.iter().any(|client| client.as_str() == id);
        match self {
            Self::SignedIn => true,
            Self::Role(role) => admin.role >= role,
            Self::OfClient(role) => {
                admin.role >= role || (admin.role == Role::Editor && client_id.is_some_and(edits))
            }
            Self::OfAnyClient(role) => admin.role >= role || admin.role == Role::Editor,
        }
    }

    /// The role that a refusal names.
    pub const fn role(self) -> Role {
        match self {
            Self::SignedIn => Role::Editor,
            Self::Role(role) | Self::OfClient(role) | Self::OfAnyClient(role) => role,
        }
    }
}

const SEE: Need = Need::Role(Role::Viewer);
const CHANGE: Need = Need::Role(Role::Admin);
const OWN: Need = Need::Role(Role::Owner);

/// Every address that is none of the others.
pub const NOWHERE: &str = "/admin/{nowhere:.*}";

/// `GET` routes, and what they need.
pub const READ: &[(&str, Need)] = &[
    ("/admin", Need::SignedIn),
    ("/admin/", Need::SignedIn),
    ("/admin/redirect-uris", Need::OfAnyClient(Role::Admin)),
    ("/admin/search", Need::OfAnyClient(Role::Viewer)),
    ("/admin/clients", Need::OfAnyClient(Role::Viewer)),
    ("/admin/clients/new", CHANGE),
    ("/admin/clients/new/{kind}", CHANGE),
    ("/admin/clients/{client_id}", Need::OfClient(Role::Viewer)),
    ("/admin/clients/{client_id}/try", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/try/device", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/preview", SEE),
    ("/admin/try", Need::OfAnyClient(Role::Admin)),
    ("/admin/clients/{client_id}/quickstart", Need::OfClient(Role::Viewer)),
    ("/admin/clients/{client_id}/edit", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/branding", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/disable", CHANGE),
    ("/admin/clients/{client_id}/delete", CHANGE),
    ("/admin/clients/{client_id}/secret/{handle}", Need::OfClient(Role::Admin)),
    ("/admin/apis", SEE),
    ("/admin/apis/new", CHANGE),
    ("/admin/apis/edit", SEE),
    ("/admin/apis/delete", CHANGE),
    ("/admin/audit", SEE),
    ("/admin/audit/export", SEE),
    ("/admin/audit/stream", SEE),
    ("/admin/audit/stream/remove", OWN),
    ("/admin/audit/{id}", SEE),
    ("/admin/people", SEE),
    ("/admin/people/{id}", SEE),
    ("/admin/people/{id}/{act}", CHANGE),
    ("/admin/deletions", SEE),
    ("/admin/deletions/{id}", SEE),
    ("/admin/deliveries", SEE),
    ("/admin/sign-ins", SEE),
    ("/admin/sign-ins/replay", SEE),
    ("/admin/apple", SEE),
    ("/admin/apple/people", SEE),
    ("/admin/sessions", SEE),
    ("/admin/keys", SEE),
    ("/admin/keys/retire/{kid}", OWN),
    ("/admin/admins", SEE),
    ("/admin/admins/{username}", SEE),
    ("/admin/admins/invitations/{handle}", OWN),
    ("/admin/settings", SEE),
    ("/admin/settings/branding", SEE),
    ("/admin/settings/keys/revoke", OWN),
    ("/admin/settings/keys/{handle}", OWN),
    ("/admin/connections", SEE),
    ("/admin/connections/new", CHANGE),
    ("/admin/connections/new/{kind}", CHANGE),
    ("/admin/connections/{id}", SEE),
    ("/admin/prove", Need::SignedIn),
    ("/admin/profile", Need::SignedIn),
    ("/admin/profile/totp", Need::SignedIn),
    ("/admin/profile/totp/qr", Need::SignedIn),
    ("/admin/profile/passkeys/new", Need::SignedIn),
    ("/admin/profile/recovery/{handle}", Need::SignedIn),
    ("/admin/connections/{id}/edit", CHANGE),
    ("/admin/connections/{id}/disable", CHANGE),
    ("/admin/connections/{id}/delete", CHANGE),
    ("/admin/trust", SEE),
    ("/admin/trust/tokens/delete", CHANGE),
    ("/admin/trust/issuers/delete", CHANGE),
    ("/admin/trust/tokens/{handle}", CHANGE),
    (NOWHERE, Need::SignedIn),
];

/// `POST` routes, and what they need.
pub const WRITE: &[(&str, Need)] = &[
    ("/admin/logout", Need::SignedIn),
    ("/admin/clients/new/{kind}", CHANGE),
    ("/admin/clients/{client_id}/edit", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/try", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/try/device", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/branding", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/branding/logo", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/branding/preview", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/disable", CHANGE),
    ("/admin/clients/{client_id}/enable", CHANGE),
    ("/admin/clients/{client_id}/secret", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/secrets", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/secrets/{secret}/revoke", Need::OfClient(Role::Admin)),
    ("/admin/clients/{client_id}/delete", CHANGE),
    ("/admin/apis/new", CHANGE),
    ("/admin/apis/edit", CHANGE),
    ("/admin/apis/delete", CHANGE),
    ("/admin/audit/verify", SEE),
    ("/admin/audit/stream", OWN),
    ("/admin/audit/stream/remove", OWN),
    ("/admin/audit/views", CHANGE),
    ("/admin/audit/views/forget", CHANGE),
    ("/admin/people/{id}/{act}", CHANGE),
    ("/admin/deletions/{id}/retry", CHANGE),
    ("/admin/deliveries/retry", CHANGE),
    ("/admin/apple/checks/{act}", CHANGE),
    ("/admin/apple/transfers/{act}", CHANGE),
    ("/admin/keys/rotate/{alg}", OWN),
    ("/admin/keys/retire/{kid}", OWN),
    ("/admin/admins", OWN),
    ("/admin/admins/sessions/end", OWN),
    ("/admin/admins/{username}", OWN),
    ("/admin/settings", OWN),
    ("/admin/settings/branding", OWN),
    ("/admin/settings/branding/logo", OWN),
    ("/admin/settings/branding/preview", OWN),
    ("/admin/settings/keys", OWN),
    ("/admin/settings/keys/revoke", OWN),
    ("/admin/connections/{id}/check", SEE),
    ("/admin/admins/{username}/reset-factors", OWN),
    ("/admin/prove", Need::SignedIn),
    ("/admin/profile/password", Need::SignedIn),
    ("/admin/profile/totp", Need::SignedIn),
    ("/admin/profile/totp/remove", Need::SignedIn),
    ("/admin/profile/passkeys", Need::SignedIn),
    ("/admin/profile/passkeys/challenge", Need::SignedIn),
    ("/admin/profile/passkeys/remove", Need::SignedIn),
    ("/admin/profile/identities", Need::SignedIn),
    ("/admin/profile/identities/remove", Need::SignedIn),
    ("/admin/prove/upstream", Need::SignedIn),
    ("/admin/admins/{username}/invite", OWN),
    ("/admin/admins/{username}/unbind", OWN),
    ("/admin/profile/recovery", Need::SignedIn),
    ("/admin/profile/sessions/end", Need::SignedIn),
    ("/admin/connections/new/{kind}", CHANGE),
    ("/admin/connections/{id}/edit", CHANGE),
    ("/admin/connections/{id}/key", CHANGE),
    ("/admin/connections/{id}/disable", CHANGE),
    ("/admin/connections/{id}/enable", CHANGE),
    ("/admin/connections/{id}/delete", CHANGE),
    ("/admin/trust/tokens", CHANGE),
    ("/admin/trust/tokens/delete", CHANGE),
    ("/admin/trust/issuers", CHANGE),
    ("/admin/trust/issuers/delete", CHANGE),
    (NOWHERE, Need::SignedIn),
];

/// Forms of acts that are hard to undo: they want a proof of the last minutes, however long the
/// session has been open. One's own password is not here, for it is asked for there. Each with what
/// the page that asks for the proof calls it.
pub const DANGEROUS: &[(&str, &str)] = &[
    ("/admin/clients/{client_id}/secret", "make a new secret for a client"),
    ("/admin/clients/{client_id}/secrets", "make another secret for a client"),
    ("/admin/clients/{client_id}/secrets/{secret}/revoke", "revoke a secret of a client"),
    ("/admin/clients/{client_id}/disable", "disable a client"),
    ("/admin/clients/{client_id}/delete", "delete a client"),
    ("/admin/apis/delete", "delete an API"),
    ("/admin/connections/new/{kind}", "connect a provider"),
    ("/admin/connections/{id}/edit", "change a connection"),
    ("/admin/connections/{id}/key", "change the key of a connection"),
    ("/admin/connections/{id}/delete", "delete a connection"),
    ("/admin/keys/rotate/{alg}", "make the next signing key"),
    ("/admin/keys/retire/{kid}", "take a signing key out of service at once"),
    ("/admin/admins", "make a console account"),
    ("/admin/admins/{username}", "change or disable a console account"),
    ("/admin/admins/{username}/reset-factors", "remove the second factors of an account"),
    ("/admin/admins/{username}/invite", "invite somebody to bind their sign-in to an account"),
    ("/admin/admins/{username}/unbind", "take a way to sign in from an account"),
    ("/admin/audit/stream", "tell somebody the audit log"),
    ("/admin/audit/stream/remove", "tell a receiver the audit log no more"),
    ("/admin/settings", "change the settings"),
    ("/admin/settings/keys", "make a key of the admin API"),
    ("/admin/settings/keys/revoke", "revoke a key of the admin API"),
    ("/admin/trust/tokens", "make a token for registrations"),
    ("/admin/trust/issuers", "trust an issuer"),
    ("/admin/profile/totp", "set up codes from an app"),
    ("/admin/profile/totp/remove", "remove codes from an app"),
    ("/admin/profile/passkeys", "add a passkey"),
    ("/admin/profile/passkeys/challenge", "add a passkey"),
    ("/admin/profile/passkeys/remove", "remove a passkey"),
    ("/admin/profile/recovery", "make new recovery codes"),
    ("/admin/profile/identities", "bind a sign-in to your account"),
    ("/admin/profile/identities/remove", "take a way to sign in from your account"),
];
/// Pages that lead to such an act and nowhere else, so that nobody fills in a form in vain.
const DANGEROUS_PAGES: &[&str] = &[
    "/admin/clients/{client_id}/delete",
    "/admin/connections/new/{kind}",
    "/admin/connections/{id}/edit",
    "/admin/connections/{id}/delete",
    "/admin/apis/delete",
    "/admin/keys/retire/{kid}",
    "/admin/profile/totp",
    "/admin/profile/passkeys/new",
];
/// Of the acts on a person, those that cut them off or cannot be taken back.
pub const DANGEROUS_ACTS: &[(&str, &str)] = &[
    ("delete", "delete a person"),
    ("unlink", "take an identity from a person"),
    ("reset-factors", "remove a person's second factor"),
    ("disable", "disable a person"),
];
/// Where such an act is.
const PERSON_ACT: &str = "/admin/people/{id}/{act}";

/// What can be done without a second factor where one is required: adding it, and leaving.
pub const ENROLMENT: &[&str] = &[
    "/admin/logout",
    "/admin/prove",
    "/admin/prove/upstream",
    "/admin/profile",
    "/admin/profile/totp",
    "/admin/profile/totp/qr",
    "/admin/profile/passkeys",
    "/admin/profile/passkeys/new",
    "/admin/profile/passkeys/challenge",
    "/admin/profile/recovery/{handle}",
];

/// Whether a route wants a fresh proof; `act` is the one in the address.
pub(super) fn is_dangerous(method: &Method, pattern: &str, act: Option<&str>) -> bool {
    let listed = if *method == Method::POST {
        DANGEROUS.iter().any(|(path, _)| *path == pattern)
    } else {
        DANGEROUS_PAGES.contains(&pattern)
    };
    listed || act.is_some_and(|act| DANGEROUS_ACTS.iter().any(|(name, _)| *name == act))
}

/// What the page or form at this address does, in words that go on after "to".
pub(super) fn deed(address: &str, base: &str) -> Option<&'static str> {
    let path = address.strip_prefix(base).unwrap_or(address);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if fits(PERSON_ACT, path) {
        let act = path.rsplit('/').next();
        return DANGEROUS_ACTS.iter().find(|(name, _)| Some(*name) == act).map(|(_, words)| *words);
    }
    let page = path.strip_suffix("/new").unwrap_or(path);
    DANGEROUS.iter().find(|(pattern, _)| fits(pattern, page)).map(|(_, words)| *words)
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}

/// What a route needs; `None` for one that nobody has thought about, which is refused.
pub(super) fn need(method: &Method, pattern: &str) -> Option<Need> {
    let table = if *method == Method::POST { WRITE } else { READ };
    table.iter().find(|(path, _)| *path == pattern).map(|(_, need)| *need)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ambient::Timestamp;
    use crate::protocol::id::{AdminId, ClientId};

    fn account(role: Role) -> Admin {
        Admin::new(AdminId::new("a"), "a".to_owned(), String::new(), role, Timestamp::default())
    }

    #[test]
    fn an_editor_reaches_their_own_clients_and_nothing_else() {
        let mut editor = account(Role::Editor);
        editor.clients = vec![ClientId::new("mine")];
        for (path, need) in READ.iter().chain(WRITE) {
            let theirs = matches!(need, Need::SignedIn | Need::OfClient(_) | Need::OfAnyClient(_));
            assert_eq!(need.allows(&editor, Some("mine")), theirs, "{path}");
            let everybodys = matches!(need, Need::SignedIn | Need::OfAnyClient(_));
            assert_eq!(need.allows(&editor, Some("other")), everybodys, "{path}");
            assert_eq!(need.allows(&editor, None), everybodys, "{path}");
        }
    }

    #[test]
    fn a_viewer_changes_nothing_and_an_owner_everything() {
        for (path, need) in WRITE {
            let harmless =
                ["/admin/logout", "/admin/audit/verify", "/admin/connections/{id}/check", NOWHERE];
            let own = path.starts_with("/admin/profile") || path.starts_with("/admin/prove");
            let allowed = own || harmless.contains(path);
            assert_eq!(need.allows(&account(Role::Viewer), None), allowed, "{path}");
            assert!(need.allows(&account(Role::Owner), None), "{path}");
        }
    }

    #[test]
    fn what_is_dangerous_and_what_enrolment_needs_are_routes() {
        let known = |path: &&str| READ.iter().chain(WRITE).any(|(known, _)| known == path);
        let dangerous = DANGEROUS.iter().map(|(path, _)| path);
        assert!(dangerous.chain(DANGEROUS_PAGES).chain(ENROLMENT).all(known));
        let (get, post) = (&Method::GET, &Method::POST);
        assert!(is_dangerous(get, "/admin/people/{id}/{act}", Some("delete")));
        assert!(is_dangerous(post, "/admin/people/{id}/{act}", Some("disable")));
        assert!(!is_dangerous(post, "/admin/people/{id}/{act}", Some("enable")));
        assert!(is_dangerous(post, "/admin/settings", None));
        assert!(!is_dangerous(get, "/admin/settings", None), "looking is no danger");
    }

    #[test]
    fn whoever_is_asked_for_a_proof_reads_what_for() {
        for (address, words) in [
            ("/admin/keys/retire/abc", Some("take a signing key out of service at once")),
            ("/admin/people/u1/disable", Some("disable a person")),
            ("/admin/people/u1/enable", None),
            ("/admin/profile/passkeys/new?passkey_name=a", Some("add a passkey")),
            ("/admin/admins/alice", Some("change or disable a console account")),
            ("/admin/clients", None),
            ("/elsewhere", None),
        ] {
            assert_eq!(deed(address, ""), words, "{address}");
            assert_eq!(deed(&format!("/tenant{address}"), "/tenant"), words, "{address}");
        }
        for page in DANGEROUS_PAGES {
            assert!(deed(page, "").is_some(), "{page}");
        }
    }

    #[test]
    fn what_nobody_thought_about_is_nobodys() {
        assert_eq!(need(&Method::GET, "/admin/secret-room"), None);
        assert_eq!(need(&Method::POST, "/admin/clients"), None);
    }
}
