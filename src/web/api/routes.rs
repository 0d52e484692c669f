//! Everything there is in the admin API.

use super::branding::MAX_UPLOAD;
use super::query::{AFTER, Kind, LIMIT, PAGE, PLACE, Parameter, Q};
use super::route::Route;
use super::schemas::{
    admins, api_keys, apis, audit, clients, connections, jobs, keys, overview, quickstarts,
    settings, sign_ins, transfers, trials, trust, users,
};
use crate::protocol::api_key::ApiScope as S;

const SEARCH: &[Parameter] = &[Q, PLACE, LIMIT];
/// By username.
const ACCOUNTS: &[Parameter] = &[Q, AFTER, LIMIT];
const SESSIONS: &[Parameter] = &[Q, ("sort", Kind::OneOf(&["newest", "oldest"])), PLACE, LIMIT];
const PEOPLE: &[Parameter] = &[
    Q,
    ("state", Kind::OneOf(&["any", "disabled"])),
    ("sort", Kind::OneOf(&["newest", "oldest"])),
    PLACE,
    LIMIT,
];
const CLIENTS: &[Parameter] = &[
    Q,
    ("kind", CLIENT_KIND),
    ("state", Kind::OneOf(&["active", "disabled", "unused"])),
    ("sort", Kind::OneOf(&["name", "newest"])),
    PLACE,
    LIMIT,
];
const CLIENT_KIND: Kind = Kind::OneOf(&["web", "spa", "native", "machine", "device", "mcp"]);
const CONNECTIONS: &[Parameter] =
    &[Q, ("state", Kind::OneOf(&["enabled", "disabled"])), AFTER, LIMIT];
const REDIRECT_URIS: &[Parameter] = &[("kind", CLIENT_KIND), ("uris", Kind::Text)];
const COUNTS: &[Parameter] = &[
    ("by", Kind::OneOf(&["day", "client", "connection"])),
    ("days", Kind::Days),
    ("client_id", Kind::Text),
    ("connection", Kind::Text),
];
const EFFECTS: &[Parameter] = &[
    ("client_id", Kind::Text),
    ("api", Kind::Text),
    ("connection", Kind::Text),
    ("user", Kind::Text),
    ("kid", Kind::Text),
    ("audit_retention_days", Kind::Days),
];
const PREVIEW: &[Parameter] =
    &[("user", Kind::Text), ("scope", Kind::Text), ("resource", Kind::Text)];
const EVENTS: &[Parameter] = &[
    Q,
    ("view", Kind::Text),
    ("area", Kind::Text),
    ("kind", Kind::Text),
    ("actor", Kind::Text),
    ("target", Kind::Text),
    ("request_id", Kind::Text),
    ("from", Kind::Seconds),
    ("until", Kind::Seconds),
    ("after", Kind::Cursor),
    LIMIT,
];
const EXPORT: &[Parameter] = &[
    ("format", Kind::OneOf(&["jsonl", "csv"])),
    Q,
    ("view", Kind::Text),
    ("area", Kind::Text),
    ("kind", Kind::Text),
    ("actor", Kind::Text),
    ("target", Kind::Text),
    ("request_id", Kind::Text),
    ("from", Kind::Seconds),
    ("until", Kind::Seconds),
];
const DELETIONS: &[Parameter] = &[("state", Kind::OneOf(&["any", "under_way"])), AFTER, LIMIT];
const DELIVERIES: &[Parameter] = &[
    ("client_id", Kind::Text),
    ("state", Kind::OneOf(&["owed", "delivered", "failed"])),
    ("after", Kind::Cursor),
    LIMIT,
];
const TRANSFERS: &[Parameter] =
    &[("to_team", Kind::Text), ("state", Kind::OneOf(transfers::STATES)), AFTER, LIMIT];

/// Everything there is.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    Route::get("/attention", S::ReadOverview, "What needs attention, what is urgent first", overview::ATTENTION),
    Route::get("/sign-in-counts", S::ReadOverview, "How many signed in or failed to, and why: by day, client or connection", overview::COUNTS).asking(COUNTS),
    Route::get("/search", S::ReadOverview, "What is called so, in every room that the key reads", overview::FOUND).asking(&[Q]),
    Route::get("/effects", S::ReadSessions, "What a change of something would touch, counted; of one thing, or of all there is", overview::EFFECTS).asking(EFFECTS),

    Route::get("/clients", S::ReadClients, "List clients", clients::PAGE).asking(CLIENTS),
    Route::make("/clients", S::WriteClients, "Register a client", clients::NEW, clients::ONE)
        .besides(S::CriticalClients, "a client that is disabled from the beginning"),
    Route::get("/clients/{client_id}", S::ReadClients, "One client", clients::ONE),
    Route::patch("/clients/{client_id}", S::WriteClients, "Change a client", clients::CHANGE, clients::ONE)
        .besides(S::CriticalClients, "disabled: true"),
    Route::delete("/clients/{client_id}", S::CriticalClients, "Delete a client"),
    Route::get("/clients/{client_id}/secrets", S::ReadClients, "List a client's secrets, which are not told", clients::SECRETS).asking(PAGE),
    Route::make("/clients/{client_id}/secrets", S::CriticalClients, "Give a client a new secret: instead of the others, or with a name beside them", clients::NEW_SECRET, clients::ONE).or_bare(),
    Route::delete("/clients/{client_id}/secrets/{secret}", S::CriticalClients, "Revoke a secret"),
    Route::get("/clients/{client_id}/observed", S::ReadClients, "What was observed of a client: its last token, how it proved itself, whether it uses PKCE", clients::OBSERVED),
    Route::get("/redirect-uris", S::ReadClients, "What is wrong with redirect URIs for a kind of client, and what deserves a second look", clients::CHECKED).asking(REDIRECT_URIS),
    Route::get("/clients/{client_id}/preview", S::ReadUsers, "What a person's tokens for this client would hold", clients::PREVIEW).asking(PREVIEW),

    Route::get("/clients/{client_id}/quickstarts", S::ReadClients, "Programs to start from, filled in for a client, and what they read from their environment", quickstarts::OF_CLIENT),
    Route::make("/clients/{client_id}/trials", S::WriteClients, "Try a client by a real round trip: at once if it acts for itself; else with a link to open, or a code to enter", trials::NEW, trials::ONE).or_bare()
        .besides(S::ReadUsers, "a client that people sign in to"),
    Route::get("/clients/{client_id}/trials/{id}", S::ReadUsers, "How a trial of this key stands: the tokens in their parts, userinfo, and each check with its result", trials::ONE),
    Route::look("/clients/{client_id}/branding/preview", S::WriteClients, "The sign-in page as it would look for a client after such a change, and the contrast of its colours", settings::PREVIEWED).sent(settings::CLIENT_BRANDING),

    Route::get("/apis", S::ReadApis, "List APIs", apis::PAGE).asking(SEARCH),
    Route::make("/apis", S::WriteApis, "Register an API", apis::NEW, apis::ONE),
    Route::get("/apis/{identifier}", S::ReadApis, "One API", apis::ONE),
    Route::patch("/apis/{identifier}", S::WriteApis, "Change an API", apis::CHANGE, apis::ONE),
    Route::delete("/apis/{identifier}", S::CriticalApis, "Delete an API"),
    Route::get("/quickstarts", S::ReadApis, "Programs that check the access tokens of an API, filled in for it", quickstarts::OF_API).asking(&[("api", Kind::Text)]),

    Route::get("/users", S::ReadUsers, "List people", users::PAGE).asking(PEOPLE),
    Route::get("/users/{id}", S::ReadUsers, "One person, by sub or id", users::ONE),
    Route::patch("/users/{id}", S::WriteUsers, "Disable or enable a person", users::CHANGE, users::ONE)
        .besides(S::CriticalUsers, "disabled: true"),
    Route::delete("/users/{id}", S::CriticalUsers, "Begin the deletion of a person").telling(202, users::DELETION),
    Route::act("/users/{id}/sign-out", S::WriteUsers, "Sign a person out everywhere", Some(users::ENDED)),
    Route::look("/users/{id}/export", S::WriteUsers, "All that is stored about a person", users::ONE),
    Route::get("/users/{id}/factors", S::ReadUsers, "What a person has besides a password", users::FACTORS),
    Route::delete("/users/{id}/factors", S::CriticalUsers, "Remove a person's second factors"),
    Route::get("/users/{id}/identities", S::ReadUsers, "List what a person signs in with, and how it stands upstream", users::IDENTITIES).asking(PAGE),
    Route::delete("/users/{id}/identities/{identity}", S::CriticalUsers, "Take an identity from a person").telling(200, users::ENDED),
    Route::get("/users/{id}/sessions", S::ReadUsers, "List where a person is signed in", users::SESSIONS).asking(PAGE),
    Route::get("/users/{id}/grants", S::ReadUsers, "List what apps hold of a person", users::GRANTS).asking(PAGE),
    Route::get("/deletions", S::ReadUsers, "List deletions, newest first", users::DELETIONS).asking(DELETIONS),
    Route::get("/deletions/{id}", S::ReadUsers, "How a deletion stands", users::DELETION),
    Route::act("/deletions/{id}/retry", S::WriteUsers, "Have a deletion that waits go on at once", None),
    Route::get("/sessions", S::ReadSessions, "List browser sessions", users::SESSIONS).asking(SESSIONS),
    Route::delete("/sessions/{sid}", S::WriteSessions, "End a browser session").telling(200, users::ENDED),
    Route::delete("/grants/{id}", S::WriteSessions, "Revoke a grant").telling(200, users::ENDED),

    Route::get("/connections", S::ReadConnections, "List connections", connections::PAGE).asking(CONNECTIONS),
    Route::get("/connection-status", S::ReadConnections, "How the connections stand: usable, last success, last failure and why, last announcement", connections::STATUSES).asking(PAGE),
    Route::make("/connections", S::CriticalConnections, "Make a connection", connections::NEW, connections::ONE),
    Route::get("/connections/{id}", S::ReadConnections, "One connection", connections::ONE),
    Route::patch("/connections/{id}", S::WriteConnections, "Change a connection", connections::CHANGE, connections::ONE)
        .besides(S::CriticalConnections, "any member but enabled"),
    Route::delete("/connections/{id}", S::CriticalConnections, "Delete a connection"),
    Route::get("/connections/{id}/status", S::ReadConnections, "How a connection stands", connections::STATUS),
    Route::look("/connections/{id}/check", S::ReadConnections, "Run the doctor", connections::FINDINGS),
    Route::patch("/connections/{id}/next-key", S::CriticalConnections, "Say which Apple key is to follow", connections::NEXT_KEY, connections::ONE).put(),
    Route::delete("/connections/{id}/next-key", S::CriticalConnections, "Forget the key that was to follow").telling(200, connections::ONE),
    Route::act("/connections/{id}/next-key/promote", S::CriticalConnections, "Make the next key the active one", Some(connections::ONE)),

    Route::get("/trusted-issuers", S::ReadTrust, "List issuers that are trusted for workloads", trust::ISSUERS).asking(SEARCH),
    Route::make("/trusted-issuers", S::CriticalTrust, "Trust an issuer", trust::NEW_ISSUER, trust::ISSUER),
    Route::get("/trusted-issuers/{id}", S::ReadTrust, "One of them", trust::ISSUER),
    Route::delete("/trusted-issuers/{id}", S::WriteTrust, "Trust an issuer no more"),
    Route::get("/registration-tokens", S::ReadTrust, "List initial access tokens, which are not told", trust::TOKENS).asking(SEARCH),
    Route::make("/registration-tokens", S::CriticalTrust, "Make an initial access token (RFC 7591)", trust::NEW_TOKEN, trust::TOKEN),
    Route::get("/registration-tokens/{id}", S::ReadTrust, "One of them", trust::TOKEN),
    Route::delete("/registration-tokens/{id}", S::WriteTrust, "Remove an initial access token"),

    Route::get("/jobs", S::ReadJobs, "How the jobs stand that run by themselves", jobs::PAGE).asking(PAGE),
    Route::act("/jobs/{name}/hold", S::WriteJobs, "Put a daily check on hold", None),
    Route::act("/jobs/{name}/resume", S::WriteJobs, "Let a daily check go on", None),
    Route::get("/deliveries", S::ReadJobs, "List what clients are told, newest first", jobs::DELIVERIES).asking(DELIVERIES),
    Route::act("/deliveries/{id}/retry", S::WriteJobs, "Try again what was given up", None),
    Route::get("/apple-transfers", S::ReadJobs, "How far the moves between Apple teams have come", transfers::STANDING),
    Route::make("/apple-transfers", S::WriteJobs, "Run a move between Apple teams, or try it out", transfers::RUN, transfers::BEGUN).telling(202, transfers::BEGUN),
    Route::act("/apple-transfers/retry", S::WriteJobs, "Have those asked for again whom Apple refused", Some(transfers::RETRIED)).sent(transfers::RETRY),
    Route::get("/apple-transfers/people", S::ReadJobs, "The moves, person by person", transfers::PEOPLE).asking(TRANSFERS),

    Route::get("/keys", S::ReadKeys, "List signing keys", keys::PAGE).asking(PAGE),
    Route::make("/keys", S::CriticalKeys, "Make the next signing key", keys::NEW, keys::ONE),
    Route::get("/key-set-fetchers", S::ReadKeys, "List who fetched the key set, by user agent, and who came last before the newest key", keys::FETCHERS).asking(PAGE),
    Route::get("/keys/{kid}", S::ReadKeys, "One signing key", keys::ONE),
    Route::delete("/keys/{kid}", S::CriticalKeys, "Take a signing key out of service at once: what it signed fails from now on"),

    Route::get("/settings", S::ReadSettings, "The settings", settings::SETTINGS),
    Route::patch("/settings", S::CriticalSettings, "Change the settings", settings::SETTINGS_CHANGE, settings::SETTINGS),
    Route::get("/branding", S::ReadSettings, "How the installation looks", settings::BRANDING),
    Route::patch("/branding", S::WriteSettings, "Change how the installation looks", settings::BRANDING_CHANGE, settings::BRANDING),
    Route::look("/branding/preview", S::WriteSettings, "The sign-in page as it would look after such a change, and the contrast of its colours", settings::PREVIEWED).sent(settings::BRANDING_CHANGE),
    Route::make("/pictures", S::WriteSettings, "Keep a picture, to be named as a logo", settings::NEW_PICTURE, settings::PICTURE).up_to(MAX_UPLOAD),

    Route::get("/admins", S::ReadAdmins, "List console accounts", admins::PAGE).asking(ACCOUNTS),
    Route::make("/admins", S::CriticalAdmins, "Make a console account, of a role whose scopes the key holds", admins::NEW, admins::ONE),
    Route::get("/admins/{username}", S::ReadAdmins, "One console account", admins::ONE),
    Route::patch("/admins/{username}", S::CriticalAdmins, "Change a console account: role, clients, password, whether it is disabled", admins::CHANGE, admins::ONE),
    Route::make("/admins/{username}/invitations", S::CriticalAdmins, "Invite somebody to bind their sign-in to an account", admins::NOTHING, admins::INVITATION).or_bare(),
    Route::delete("/admins/{username}/factors", S::CriticalAdmins, "Remove the second factors of an account"),
    Route::delete("/admins/{username}/identities/{connection}", S::CriticalAdmins, "Take a way to sign in from an account"),
    Route::get("/admin-sessions", S::ReadAdmins, "List sessions of the console, newest first", admins::SESSIONS).asking(PAGE),
    Route::delete("/admin-sessions/{id}", S::WriteAdmins, "End a session of the console"),

    Route::get("/api-keys", S::ReadApiKeys, "List keys of this API, newest first", api_keys::PAGE).asking(SEARCH),
    Route::make("/api-keys", S::CriticalApiKeys, "Make a key: with scopes that the key holds that makes it, and for no longer", api_keys::NEW, api_keys::ONE),
    Route::get("/api-keys/{id}", S::ReadApiKeys, "One key", api_keys::ONE),
    Route::delete("/api-keys/{id}", S::CriticalApiKeys, "Revoke a key, and those that were made by it"),

    Route::get("/events", S::ReadEvents, "Read the audit log, newest first", audit::EVENTS).asking(EVENTS),
    Route::get("/events/export", S::ReadEvents, "The audit log as a file, narrowed as the list is", audit::EXPORT).asking(EXPORT).in_a_file(&["application/x-ndjson", "text/csv"]),
    Route::get("/events/{id}", S::ReadEvents, "One event, with its place in the chain, and what it means if something went wrong", audit::EVENT),
    Route::look("/events/verify", S::ReadEvents, "Walk along the chain of the audit log", audit::VERIFIED),
    Route::get("/audit-receivers", S::ReadEvents, "List who is told the audit log, and how far", audit::RECEIVERS).asking(PAGE),
    Route::make("/audit-receivers", S::CriticalEvents, "Tell somebody the audit log from now on", audit::NEW_RECEIVER, audit::RECEIVER),
    Route::delete("/audit-receivers/{id}", S::CriticalEvents, "Tell a receiver nothing any more"),
    Route::get("/audit-views", S::ReadEvents, "List the kept views of the audit log", audit::VIEWS).asking(PAGE),
    Route::make("/audit-views", S::WriteEvents, "Keep a view of the audit log", audit::NEW_VIEW, audit::VIEW),
    Route::delete("/audit-views/{name}", S::WriteEvents, "Forget a view"),
    Route::get("/sign-ins", S::ReadEvents, "List sign-ins by their last step, newest first", sign_ins::STEPS).asking(&[("after", Kind::Cursor), LIMIT]),
    Route::get("/sign-ins/{id}", S::ReadEvents, "One sign-in, step by step", sign_ins::ONE),
];
