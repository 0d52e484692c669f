//! The pages of `/admin/settings`.

use askama::Template;

use super::safety::Conflict;
use super::{Choice, Pages, Problems, Shell};

/// A key of the admin API.
pub struct KeyRow {
    /// Names it.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: String,
    /// Who made it.
    pub created_by: String,
    /// When it ends.
    pub expires_at: String,
    /// When it was last used.
    pub last_used_at: Option<String>,
    /// Whether it is good.
    pub alive: bool,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// The settings.
#[derive(Template)]
#[template(path = "admin/settings/show.html")]
pub struct SettingsPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether the role may change them.
    pub is_owner: bool,
    /// The issuer identifier.
    pub issuer: String,
    /// For how many days events are kept.
    pub audit_retention_days: String,
    /// Whether every account must have a second factor.
    pub require_second_factor: bool,
    /// The connections, and whether they open the console.
    pub console_connections: Vec<Choice>,
    /// Whether everybody with a password kept here must have one.
    pub require_local_second_factor: bool,
    /// Whether there are such people.
    pub local_accounts: bool,
    /// The version that was read.
    pub version: String,
    /// What somebody else saved meanwhile.
    pub conflict: Option<Conflict>,
    /// What a change touches.
    pub touches: Vec<String>,
    /// The retention that was warned of, so that saving again goes through.
    pub confirm_days: Option<u32>,
    /// What was searched for among the keys.
    pub q: String,
    /// One page of the keys of the admin API.
    pub keys: Vec<KeyRow>,
    /// The others.
    pub key_pages: Pages,
    /// What was typed for a new one.
    pub key_name: String,
    /// The scopes there are.
    pub key_scope: Vec<Choice>,
    /// Its life in days, as typed.
    pub key_days: String,
    /// What was wrong.
    pub problems: Problems,
}

/// A new key: the only page that ever shows it.
#[derive(Template)]
#[template(path = "admin/settings/key.html")]
pub struct KeyMadePage {
    /// What surrounds it.
    pub shell: Shell,
    /// What happened.
    pub heading: String,
    /// The key.
    pub secret: String,
    /// Where the API is.
    pub api: String,
    /// Where to go on.
    pub back: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{choices, conflict, pages, problems, shell};
    use crate::web::page::hostile::{check, text};

    #[test]
    fn the_pages_of_settings_show_names_as_text() {
        let page = SettingsPage {
            shell: shell(),
            is_owner: true,
            issuer: text(),
            audit_retention_days: text(),
            require_second_factor: true,
            console_connections: choices(),
            require_local_second_factor: true,
            local_accounts: true,
            version: text(),
            conflict: Some(conflict()),
            touches: vec![text()],
            confirm_days: Some(7),
            q: text(),
            key_pages: pages(),
            keys: vec![KeyRow {
                id: text(),
                name: text(),
                scope: text(),
                created_by: text(),
                expires_at: text(),
                last_used_at: Some(text()),
                alive: true,
                revoked: false,
            }],
            key_name: text(),
            key_scope: choices(),
            key_days: text(),
            problems: problems(&["key_name", "audit_retention_days"]),
        };
        check(&page.render().unwrap());
        let made = KeyMadePage {
            shell: shell(),
            heading: text(),
            secret: text(),
            api: text(),
            back: text(),
        };
        check(&made.render().unwrap());
    }
}
