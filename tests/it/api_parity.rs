//! The console and the admin API side by side: for every page and form of the console the route of
//! the API that does the same, or why there is none.

use std::collections::BTreeSet;

use russet::protocol::admin::Role;
use russet::protocol::api_key::ApiScope;
use russet::web::admin::rights::{DANGEROUS, DANGEROUS_ACTS, NOWHERE, Need, READ, WRITE};
use russet::web::api::{ROUTES, Route};

/// What the API has for something of the console.
enum Same {
    /// These routes; the first does the same thing.
    As(&'static [&'static str]),
    /// Nothing, and why.
    Not(&'static str),
}

use Same::{As, Not};

const OWN: &str = "is about the account that is signed in, and a key has none";
/// Counts what the act that is asked about would touch.
const EFFECTS: &[&str] = &["GET /effects"];
/// Tells how a trial stands, and asks for a device's tokens when there are some.
const TRIAL: &[&str] = &["GET /clients/{client_id}/trials/{id}"];
const ASKS: &str = "asks before a form is sent; a script has made up its mind";
const FORM: &str = "is an empty form";
const NOTHING: &str = "is no page, and says so";
const REVEAL: &str = "shows once what was made; here the answer does";

/// Pages.
const PAGES: &[(&str, Same)] = &[
    ("/admin", As(&["GET /attention", "GET /sign-in-counts"])),
    ("/admin/", As(&["GET /attention", "GET /sign-in-counts"])),
    ("/admin/redirect-uris", As(&["GET /redirect-uris"])),
    ("/admin/search", As(&["GET /search"])),
    ("/admin/clients", As(&["GET /clients"])),
    ("/admin/clients/new", Not(FORM)),
    ("/admin/clients/new/{kind}", Not(FORM)),
    (
        "/admin/clients/{client_id}",
        As(&[
            "GET /clients/{client_id}",
            "GET /clients/{client_id}/secrets",
            "GET /clients/{client_id}/observed",
        ]),
    ),
    ("/admin/clients/{client_id}/try", Not(FORM)),
    ("/admin/clients/{client_id}/try/device", As(TRIAL)),
    ("/admin/clients/{client_id}/preview", As(&["GET /clients/{client_id}/preview"])),
    ("/admin/try", As(TRIAL)),
    ("/admin/clients/{client_id}/quickstart", As(&["GET /clients/{client_id}/quickstarts"])),
    ("/admin/clients/{client_id}/edit", Not(FORM)),
    ("/admin/clients/{client_id}/branding", As(&["GET /clients/{client_id}"])),
    ("/admin/clients/{client_id}/disable", As(EFFECTS)),
    ("/admin/clients/{client_id}/delete", As(EFFECTS)),
    ("/admin/clients/{client_id}/secret/{handle}", Not(REVEAL)),
    ("/admin/apis", As(&["GET /apis"])),
    ("/admin/apis/new", Not(FORM)),
    ("/admin/apis/edit", As(&["GET /apis/{identifier}", "GET /quickstarts"])),
    ("/admin/apis/delete", As(EFFECTS)),
    ("/admin/audit", As(&["GET /events", "GET /audit-views"])),
    ("/admin/audit/export", As(&["GET /events/export"])),
    ("/admin/audit/stream", As(&["GET /audit-receivers"])),
    ("/admin/audit/stream/remove", Not(ASKS)),
    ("/admin/audit/{id}", As(&["GET /events/{id}"])),
    ("/admin/people", As(&["GET /users"])),
    (
        "/admin/people/{id}",
        As(&[
            "GET /users/{id}",
            "GET /users/{id}/identities",
            "GET /users/{id}/sessions",
            "GET /users/{id}/grants",
            "GET /users/{id}/factors",
            "GET /events",
        ]),
    ),
    ("/admin/people/{id}/{act}", As(EFFECTS)),
    ("/admin/deletions", As(&["GET /deletions"])),
    ("/admin/deletions/{id}", As(&["GET /deletions/{id}"])),
    ("/admin/deliveries", As(&["GET /deliveries"])),
    ("/admin/sign-ins", As(&["GET /sign-ins"])),
    ("/admin/sign-ins/replay", As(&["GET /sign-ins/{id}"])),
    ("/admin/apple", As(&["GET /jobs", "GET /apple-transfers"])),
    ("/admin/apple/people", As(&["GET /apple-transfers/people"])),
    ("/admin/sessions", As(&["GET /sessions", "GET /effects"])),
    ("/admin/keys", As(&["GET /keys", "GET /keys/{kid}", "GET /key-set-fetchers"])),
    ("/admin/keys/retire/{kid}", As(EFFECTS)),
    ("/admin/admins", As(&["GET /admins", "GET /admin-sessions"])),
    ("/admin/admins/{username}", As(&["GET /admins/{username}"])),
    ("/admin/admins/invitations/{handle}", Not(REVEAL)),
    ("/admin/settings", As(&["GET /settings", "GET /api-keys", "GET /api-keys/{id}"])),
    ("/admin/settings/branding", As(&["GET /branding"])),
    ("/admin/settings/keys/revoke", Not(ASKS)),
    ("/admin/settings/keys/{handle}", Not(REVEAL)),
    ("/admin/connections", As(&["GET /connections", "GET /connection-status"])),
    ("/admin/connections/new", Not(FORM)),
    ("/admin/connections/new/{kind}", Not(FORM)),
    ("/admin/connections/{id}", As(&["GET /connections/{id}", "GET /connections/{id}/status"])),
    ("/admin/prove", Not(OWN)),
    ("/admin/profile", Not(OWN)),
    ("/admin/profile/totp", Not(OWN)),
    ("/admin/profile/totp/qr", Not(OWN)),
    ("/admin/profile/passkeys/new", Not(OWN)),
    ("/admin/profile/recovery/{handle}", Not(OWN)),
    ("/admin/connections/{id}/edit", Not(FORM)),
    ("/admin/connections/{id}/disable", As(EFFECTS)),
    ("/admin/connections/{id}/delete", As(EFFECTS)),
    (
        "/admin/trust",
        As(&[
            "GET /trusted-issuers",
            "GET /registration-tokens",
            "GET /trusted-issuers/{id}",
            "GET /registration-tokens/{id}",
        ]),
    ),
    ("/admin/trust/tokens/delete", Not(ASKS)),
    ("/admin/trust/issuers/delete", Not(ASKS)),
    ("/admin/trust/tokens/{handle}", Not(REVEAL)),
    (NOWHERE, Not(NOTHING)),
];

/// Forms. Where an address ends in an act, each act has a line.
const FORMS: &[(&str, Same)] = &[
    ("/admin/logout", Not(OWN)),
    ("/admin/clients/{client_id}/try/device", As(TRIAL)),
    ("/admin/clients/new/{kind}", As(&["POST /clients"])),
    ("/admin/clients/{client_id}/edit", As(&["PATCH /clients/{client_id}"])),
    ("/admin/clients/{client_id}/try", As(&["POST /clients/{client_id}/trials"])),
    ("/admin/clients/{client_id}/branding", As(&["PATCH /clients/{client_id}"])),
    ("/admin/clients/{client_id}/branding/logo", As(&["POST /pictures"])),
    (
        "/admin/clients/{client_id}/branding/preview",
        As(&["POST /clients/{client_id}/branding/preview"]),
    ),
    ("/admin/clients/{client_id}/disable", As(&["PATCH /clients/{client_id}"])),
    ("/admin/clients/{client_id}/enable", As(&["PATCH /clients/{client_id}"])),
    ("/admin/clients/{client_id}/secret", As(&["POST /clients/{client_id}/secrets"])),
    ("/admin/clients/{client_id}/secrets", As(&["POST /clients/{client_id}/secrets"])),
    (
        "/admin/clients/{client_id}/secrets/{secret}/revoke",
        As(&["DELETE /clients/{client_id}/secrets/{secret}"]),
    ),
    ("/admin/clients/{client_id}/delete", As(&["DELETE /clients/{client_id}"])),
    ("/admin/apis/new", As(&["POST /apis"])),
    ("/admin/apis/edit", As(&["PATCH /apis/{identifier}"])),
    ("/admin/apis/delete", As(&["DELETE /apis/{identifier}"])),
    ("/admin/audit/verify", As(&["POST /events/verify"])),
    ("/admin/audit/stream", As(&["POST /audit-receivers"])),
    ("/admin/audit/stream/remove", As(&["DELETE /audit-receivers/{id}"])),
    ("/admin/audit/views", As(&["POST /audit-views"])),
    ("/admin/audit/views/forget", As(&["DELETE /audit-views/{name}"])),
    (
        "/admin/people/{id}/sign-out",
        As(&["POST /users/{id}/sign-out", "DELETE /sessions/{sid}", "DELETE /grants/{id}"]),
    ),
    ("/admin/people/{id}/disable", As(&["PATCH /users/{id}"])),
    ("/admin/people/{id}/enable", As(&["PATCH /users/{id}"])),
    ("/admin/people/{id}/unlink", As(&["DELETE /users/{id}/identities/{identity}"])),
    ("/admin/people/{id}/reset-factors", As(&["DELETE /users/{id}/factors"])),
    ("/admin/people/{id}/delete", As(&["DELETE /users/{id}"])),
    ("/admin/people/{id}/export", As(&["POST /users/{id}/export"])),
    ("/admin/deletions/{id}/retry", As(&["POST /deletions/{id}/retry"])),
    ("/admin/deliveries/retry", As(&["POST /deliveries/{id}/retry"])),
    ("/admin/apple/checks/hold", As(&["POST /jobs/{name}/hold"])),
    ("/admin/apple/checks/resume", As(&["POST /jobs/{name}/resume"])),
    ("/admin/apple/transfers/collect", As(&["POST /apple-transfers"])),
    ("/admin/apple/transfers/exchange", As(&["POST /apple-transfers"])),
    ("/admin/apple/transfers/retry", As(&["POST /apple-transfers/retry"])),
    ("/admin/keys/rotate/{alg}", As(&["POST /keys"])),
    ("/admin/keys/retire/{kid}", As(&["DELETE /keys/{kid}"])),
    ("/admin/admins", As(&["POST /admins"])),
    ("/admin/admins/sessions/end", As(&["DELETE /admin-sessions/{id}"])),
    ("/admin/admins/{username}", As(&["PATCH /admins/{username}"])),
    ("/admin/settings", As(&["PATCH /settings"])),
    ("/admin/settings/branding", As(&["PATCH /branding"])),
    ("/admin/settings/branding/logo", As(&["POST /pictures"])),
    ("/admin/settings/branding/preview", As(&["POST /branding/preview"])),
    ("/admin/settings/keys", As(&["POST /api-keys"])),
    ("/admin/settings/keys/revoke", As(&["DELETE /api-keys/{id}"])),
    ("/admin/connections/{id}/check", As(&["POST /connections/{id}/check"])),
    ("/admin/admins/{username}/reset-factors", As(&["DELETE /admins/{username}/factors"])),
    ("/admin/prove", Not(OWN)),
    ("/admin/profile/password", Not(OWN)),
    ("/admin/profile/totp", Not(OWN)),
    ("/admin/profile/totp/remove", Not(OWN)),
    ("/admin/profile/passkeys", Not(OWN)),
    ("/admin/profile/passkeys/challenge", Not(OWN)),
    ("/admin/profile/passkeys/remove", Not(OWN)),
    ("/admin/profile/identities", Not(OWN)),
    ("/admin/profile/identities/remove", Not(OWN)),
    ("/admin/prove/upstream", Not(OWN)),
    ("/admin/admins/{username}/invite", As(&["POST /admins/{username}/invitations"])),
    ("/admin/admins/{username}/unbind", As(&["DELETE /admins/{username}/identities/{connection}"])),
    ("/admin/profile/recovery", Not(OWN)),
    ("/admin/profile/sessions/end", Not(OWN)),
    ("/admin/connections/new/{kind}", As(&["POST /connections"])),
    ("/admin/connections/{id}/edit", As(&["PATCH /connections/{id}"])),
    (
        "/admin/connections/{id}/key",
        As(&[
            "PUT /connections/{id}/next-key",
            "POST /connections/{id}/next-key/promote",
            "DELETE /connections/{id}/next-key",
        ]),
    ),
    ("/admin/connections/{id}/disable", As(&["PATCH /connections/{id}"])),
    ("/admin/connections/{id}/enable", As(&["PATCH /connections/{id}"])),
    ("/admin/connections/{id}/delete", As(&["DELETE /connections/{id}"])),
    ("/admin/trust/tokens", As(&["POST /registration-tokens"])),
    ("/admin/trust/tokens/delete", As(&["DELETE /registration-tokens/{id}"])),
    ("/admin/trust/issuers", As(&["POST /trusted-issuers"])),
    ("/admin/trust/issuers/delete", As(&["DELETE /trusted-issuers/{id}"])),
    (NOWHERE, Not(NOTHING)),
];

fn route(name: &str) -> &'static Route {
    let (method, path) = name.split_once(' ').expect("method and path");
    let found = ROUTES.iter().find(|route| route.method == method && route.path == path);
    found.unwrap_or_else(|| panic!("{name} is not a route"))
}

/// The line of the console's table that an act belongs to, and the act where the address names it.
fn of_console(path: &str) -> (Need, Option<&str>) {
    let (parent, act) = path.rsplit_once('/').expect("a path");
    let with_act = format!("{parent}/{{act}}");
    let find = |wanted: &str| WRITE.iter().find(|(known, _)| *known == wanted);
    match (find(path), find(&with_act)) {
        (Some((_, need)), _) => (*need, None),
        (None, Some((_, need))) => (*need, Some(act)),
        (None, None) => panic!("{path} is no form of the console"),
    }
}

#[test]
fn each_page_of_the_console_is_here_once_and_so_is_each_form() {
    let told: Vec<_> = PAGES.iter().map(|(path, _)| *path).collect();
    let known: Vec<_> = READ.iter().map(|(path, _)| *path).collect();
    let set = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(told.len(), set(&told).len(), "twice");
    assert_eq!(set(&told), set(&known));

    let told: Vec<_> = FORMS.iter().map(|(path, _)| *path).collect();
    assert_eq!(told.len(), set(&told).len(), "twice");
    for path in &told {
        of_console(path);
    }
    for (path, _) in WRITE {
        let here = match path.strip_suffix("{act}") {
            Some(acts) => told.iter().any(|told| told.starts_with(acts)),
            None => told.contains(path),
        };
        assert!(here, "{path}: which route of the API does the same, or why is there none?");
    }
    for (act, _) in DANGEROUS_ACTS {
        assert!(told.contains(&format!("/admin/people/{{id}}/{act}").as_str()), "{act}");
    }
}

#[test]
fn each_route_that_is_named_is_there_and_each_that_is_there_is_named() {
    let named: BTreeSet<_> = PAGES
        .iter()
        .chain(FORMS)
        .flat_map(|(path, same)| match same {
            As(routes) => routes.to_vec(),
            Not(why) => {
                assert!(!why.is_empty(), "{path}");
                Vec::new()
            }
        })
        .collect();
    for name in &named {
        route(name);
    }
    for line in ROUTES {
        let name = format!("{} {}", line.method, line.path);
        assert!(named.contains(name.as_str()), "{name}: what of the console does the same?");
    }
}

#[test]
fn what_wants_a_fresh_proof_there_wants_a_critical_scope_here() {
    for (path, same) in FORMS {
        let (_, act) = of_console(path);
        let dangerous = DANGEROUS.iter().any(|(known, _)| known == path)
            || (path.starts_with("/admin/people/")
                && act.is_some_and(|act| DANGEROUS_ACTS.iter().any(|(known, _)| *known == act)));
        let As(routes) = same else { continue };
        for name in *routes {
            let line = route(name);
            let besides = line.besides.is_some_and(|(scope, _)| scope.is_critical());
            if dangerous {
                assert!(line.scope.is_critical() || besides, "{path}: {name}");
            } else {
                assert!(!line.scope.is_critical(), "{path}: {name}");
            }
        }
    }
}

#[test]
fn a_scope_asks_for_the_role_that_the_console_asks_for() {
    for (path, same) in FORMS {
        let (need, _) = of_console(path);
        let As(routes) = same else { continue };
        for name in *routes {
            let line = route(name);
            let role = line.besides.map_or(line.scope.role(), |(scope, _)| scope.role());
            let Need::Role(needed) = need else { continue };
            // Pictures are kept by one route for the installation and for clients.
            assert_eq!(role, needed, "{path}: {name}");
        }
    }
    for (path, same) in PAGES {
        let As(routes) = same else { continue };
        for name in *routes {
            assert_eq!(route(name).scope.role(), Role::Viewer, "{path}: {name}");
        }
    }
}

#[test]
fn each_scope_opens_something() {
    for scope in ApiScope::ALL {
        let opens = ROUTES.iter().any(|line| {
            line.scope == *scope || line.besides.is_some_and(|(other, _)| other == *scope)
        });
        assert!(opens, "{}", scope.as_str());
    }
}

#[test]
fn the_chapter_names_each_scope_with_what_it_gives_and_its_role() {
    let chapter = include_str!("../../docs/admin-api.md");
    for scope in ApiScope::ALL {
        let line =
            format!("| `{}` | {} | {} |", scope.as_str(), scope.words(), scope.role().as_str());
        assert!(chapter.contains(&line), "{line}");
    }
}
