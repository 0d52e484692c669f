//! The pages of `/admin/keys`.

use askama::Template;

use super::Shell;

/// A key.
pub struct KeyRow {
    /// `kid`.
    pub kid: String,
    /// Where it stands in its life.
    pub state: &'static str,
    /// The colour of that.
    pub chip: &'static str,
    /// What it means, with its dates.
    pub means: String,
    /// Whether it is in the JWKS.
    pub published: bool,
}

/// The keys of an algorithm, newest first.
pub struct KeyGroup {
    /// `alg`.
    pub alg: &'static str,
    /// Whether none is waiting already.
    pub may_rotate: bool,
    /// The keys.
    pub keys: Vec<KeyRow>,
}

/// Somebody who fetched the JWKS.
pub struct Fetcher {
    /// Whether they have not come since the newest key was published.
    pub behind: bool,
    /// `User-Agent`.
    pub agent: String,
    /// How often.
    pub times: u64,
    /// When last.
    pub last: String,
}

/// Every key.
#[derive(Template)]
#[template(path = "admin/keys/show.html")]
pub struct KeysPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether the role may rotate.
    pub is_owner: bool,
    /// Where the JWKS is.
    pub jwks_url: String,
    /// By algorithm.
    pub groups: Vec<KeyGroup>,
    /// Who fetched it since this process started.
    pub fetchers: Vec<Fetcher>,
}

/// Asks before a key is taken out of service.
#[derive(Template)]
#[template(path = "admin/keys/retire.html")]
pub struct RetirePage {
    /// What surrounds it.
    pub shell: Shell,
    /// `alg`.
    pub alg: &'static str,
    /// The APIs whose tokens are signed with that algorithm.
    pub apis: Vec<String>,
    /// Grants that are alive.
    pub grants: u64,
    /// `kid`.
    pub kid: String,
    /// Whether something else was typed.
    pub wrong: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::shell;
    use crate::web::page::hostile::{check, text};

    #[test]
    fn the_pages_of_keys_show_agents_as_text() {
        let page = KeysPage {
            shell: shell(),
            is_owner: true,
            jwks_url: text(),
            groups: vec![KeyGroup {
                alg: "RS256",
                may_rotate: true,
                keys: vec![KeyRow {
                    kid: text(),
                    state: "Active",
                    chip: "good",
                    means: text(),
                    published: true,
                }],
            }],
            fetchers: vec![Fetcher { agent: text(), times: 1, last: text(), behind: true }],
        };
        check(&page.render().unwrap());
        let ask = RetirePage {
            shell: shell(),
            alg: "RS256",
            apis: vec![text()],
            grants: 1,
            kid: text(),
            wrong: true,
        };
        check(&ask.render().unwrap());
    }
}
