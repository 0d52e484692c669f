//! The pages of `/admin/apis`.

use askama::Template;

use super::claim_rules::RulesField;
use super::safety::Conflict;
use super::{Choice, Problems, Shell};
use crate::web::quickstart::Snippet;

/// A line of the list.
pub struct ApiRow {
    /// The identifier.
    pub identifier: String,
    /// The name.
    pub name: String,
    /// Scope values.
    pub scopes: Vec<String>,
    /// Seconds.
    pub access_token_ttl: u32,
    /// The algorithm.
    pub signing_alg: &'static str,
}

/// The list.
#[derive(Template)]
#[template(path = "admin/apis/list.html")]
pub struct ListPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was searched for.
    pub q: String,
    /// Whether who was registered last comes first.
    pub newest_first: bool,
    /// One page of APIs.
    pub rows: Vec<ApiRow>,
    /// Whether this is not the first page.
    pub paged: bool,
    /// The first page.
    pub first_url: String,
    /// The page after.
    pub next_url: Option<String>,
}

/// An API as a form holds it.
#[derive(Clone, Default)]
pub struct ApiForm {
    /// The identifier.
    pub identifier: String,
    /// The name.
    pub name: String,
    /// One scope on each line: value, blank, description.
    pub scopes: String,
    /// Seconds, as typed.
    pub access_token_ttl: String,
    /// The algorithms there are.
    pub signing_alg: Vec<Choice>,
    /// JWT or opaque.
    pub access_token_format: Vec<Choice>,
    /// Whether clients that register themselves may ask tokens for it.
    pub self_registered_clients: bool,
    /// The clients as which it introspects, one on each line.
    pub introspection_clients: String,
    /// Rules of further claims.
    pub claims: RulesField,
    /// The version that was read; `None` for a new one.
    pub version: Option<String>,
}

/// A new API, or one as it stands.
#[derive(Template)]
#[template(path = "admin/apis/edit.html")]
pub struct EditPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What is being done.
    pub heading: String,
    /// Where the form goes.
    pub action: String,
    /// What was typed.
    pub form: ApiForm,
    /// What was wrong with it.
    pub problems: Problems,
    /// What somebody else saved meanwhile.
    pub conflict: Option<Conflict>,
    /// What a change touches.
    pub touches: Vec<String>,
    /// Where it is deleted.
    pub delete_url: Option<String>,
    /// Programs that check its tokens; none for a new one.
    pub programs: Vec<Snippet>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{
        choices, conflict, problems, rules_field, shell, snippet,
    };
    use crate::web::page::hostile::{check, text};

    #[test]
    fn the_pages_of_apis_show_names_as_text() {
        let list = ListPage {
            shell: shell(),
            q: text(),
            newest_first: true,
            paged: true,
            first_url: text(),
            next_url: Some(text()),
            rows: vec![ApiRow {
                identifier: text(),
                name: text(),
                scopes: vec![text()],
                access_token_ttl: 600,
                signing_alg: "RS256",
            }],
        };
        check(&list.render().unwrap());
        for version in [None, Some(text())] {
            let page = EditPage {
                shell: shell(),
                heading: text(),
                action: text(),
                form: ApiForm {
                    identifier: text(),
                    name: text(),
                    scopes: text(),
                    access_token_ttl: text(),
                    signing_alg: choices(),
                    access_token_format: choices(),
                    self_registered_clients: true,
                    introspection_clients: text(),
                    claims: rules_field(),
                    version,
                },
                problems: problems(&["identifier", "scopes"]),
                conflict: Some(conflict()),
                touches: vec![text()],
                delete_url: Some(text()),
                programs: vec![snippet()],
            };
            check(&page.render().unwrap());
        }
    }
}
