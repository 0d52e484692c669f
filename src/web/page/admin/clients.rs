//! The pages of `/admin/clients`.

use askama::Template;

use super::members::MemberGroup;
use super::safety::Conflict;
use super::{Choice, Problems, Shell};
use crate::web::quickstart::Snippet;

/// A line of the list.
pub struct ClientRow {
    /// `client_id`.
    pub client_id: String,
    /// `client_name`.
    pub client_name: String,
    /// The kind, in words.
    pub kind: &'static str,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether it may do without PKCE.
    pub pkce_off: bool,
    /// The day it was registered.
    pub created_at: String,
    /// When it last obtained a token, if it was seen to.
    pub token_at: Option<String>,
}

/// The list.
#[derive(Template)]
#[template(path = "admin/clients/list.html")]
pub struct ListPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was searched for.
    pub q: String,
    /// The kinds there are.
    pub kinds: Vec<Choice>,
    /// `active`, `disabled` or neither.
    pub state: String,
    /// Whether who was registered last comes first.
    pub newest_first: bool,
    /// Whether a kind or a state is chosen.
    pub narrowed: bool,
    /// One page of clients.
    pub rows: Vec<ClientRow>,
    /// Whether this is not the first page.
    pub paged: bool,
    /// The first page.
    pub first_url: String,
    /// The page after.
    pub next_url: Option<String>,
}

/// What are you building?
#[derive(Template)]
#[template(path = "admin/clients/kinds.html")]
pub struct KindsPage {
    /// What surrounds it.
    pub shell: Shell,
}

/// A client as a form holds it. Lists stand one value on each line.
#[derive(Clone, Default)]
pub struct ClientForm {
    /// `client_id`; for a new client drawn beforehand, so that a form sent twice registers once.
    pub client_id: String,
    /// `client_name`.
    pub client_name: String,
    /// `redirect_uris`.
    pub redirect_uris: String,
    /// `post_logout_redirect_uris`.
    pub post_logout_redirect_uris: String,
    /// Bundle IDs.
    pub apple_bundle_ids: String,
    /// Whether native sign-ins begin at the challenge endpoint.
    pub require_native_challenge: bool,
    /// The APIs there are.
    pub resources: Vec<Choice>,
    /// The same, and none.
    pub default_resource: Vec<Choice>,
    /// Whether consent is skipped.
    pub first_party: bool,
    /// `scope`.
    pub scope: Vec<Choice>,
    /// `grant_types`.
    pub grant_types: Vec<Choice>,
    /// `token_endpoint_auth_method`.
    pub token_endpoint_auth_method: Vec<Choice>,
    /// `id_token_signed_response_alg`.
    pub id_token_signed_response_alg: Vec<Choice>,
    /// Whether PKCE is required.
    pub require_pkce: bool,
    /// Seconds, as typed.
    pub refresh_token_idle_ttl: String,
    /// Seconds, as typed.
    pub refresh_token_absolute_ttl: String,
    /// The version that was read.
    pub version: String,
}

/// The short form of a new client.
#[derive(Template)]
#[template(path = "admin/clients/new.html")]
pub struct NewPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The kind, as in the path.
    pub kind: &'static str,
    /// The kind, in words.
    pub kind_name: &'static str,
    /// What may be a redirect URI of this kind.
    pub redirect_hint: &'static str,
    /// What was typed.
    pub form: ClientForm,
    /// What was wrong with it.
    pub problems: Problems,
}

/// Every setting of a client.
#[derive(Template)]
#[template(path = "admin/clients/edit.html")]
pub struct EditPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The client's name as it stands.
    pub title_name: String,
    /// The kind, as in the path.
    pub kind: &'static str,
    /// What may be a redirect URI of this kind.
    pub redirect_hint: &'static str,
    /// What was typed.
    pub form: ClientForm,
    /// What was wrong with it.
    pub problems: Problems,
    /// What somebody else saved meanwhile.
    pub conflict: Option<Conflict>,
    /// What a change touches.
    pub touches: Vec<String>,
    /// What few clients set, by the question that it answers.
    pub groups: Vec<MemberGroup>,
}

/// What goes into the app; after registration and rotation with the secret, on no other page.
#[derive(Template)]
#[template(path = "admin/clients/registered.html")]
pub struct RegisteredPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What happened.
    pub heading: String,
    /// `client_id`.
    pub client_id: String,
    /// `client_name`.
    pub client_name: String,
    /// Whether this very client may be changed, and tried.
    pub may_edit: bool,
    /// `client_secret`, if there is one to show.
    pub client_secret: Option<String>,
    /// Whether it keeps no secret.
    pub public: bool,
    /// The issuer identifier.
    pub issuer: String,
    /// Where the discovery document is.
    pub discovery: String,
    /// Everything as lines of `NAME=value`.
    pub env: String,
    /// Programs to start from.
    pub programs: Vec<Snippet>,
    /// Whether nobody can sign in, since there is no connection.
    pub no_way_in: bool,
    /// Whether more programs would be there with a redirect URI.
    pub needs_redirect: bool,
}

/// A setting, for reading.
pub struct Fact {
    /// Its label.
    pub label: &'static str,
    /// Its values.
    pub values: Vec<String>,
    /// Whether they are code.
    pub code: bool,
}

/// A secret, of which only name and dates can be shown.
pub struct SecretRow {
    /// Names it, proves nothing.
    pub id: String,
    /// Its name for people.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it was last used.
    pub last_used_at: Option<String>,
    /// Whether it ends before long.
    pub soon: bool,
    /// Whether no other is good.
    pub last: bool,
    /// When it ends, if it does.
    pub expires_at: Option<String>,
    /// Whether it has ended.
    pub expired: bool,
}

/// One client.
#[derive(Template)]
#[template(path = "admin/clients/show.html")]
pub struct ShowPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether this very client may be changed.
    pub may_edit: bool,
    /// `client_id`.
    pub client_id: String,
    /// `client_name`.
    pub client_name: String,
    /// The kind, in words.
    pub kind_name: &'static str,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether it may do without PKCE.
    pub pkce_off: bool,
    /// Whether it keeps no secret.
    pub public: bool,
    /// The issuer identifier.
    pub issuer: String,
    /// Where the discovery document is.
    pub discovery: String,
    /// Its settings.
    pub facts: Vec<Fact>,
    /// What it was seen to do.
    pub observed: Vec<Fact>,
    /// Its secrets, newest first.
    pub secrets: Vec<SecretRow>,
    /// Names the newest secret, so that a form sent twice rotates once.
    pub newest_secret: String,
}

#[cfg(test)]
mod tests;
