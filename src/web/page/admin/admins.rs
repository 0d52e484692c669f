//! The pages of `/admin/admins`.

use askama::Template;

use super::{Choice, Problems, Shell};

/// An account.
pub struct AdminRow {
    /// Its page.
    pub url: String,
    /// What is typed to sign in.
    pub username: String,
    /// What it may do.
    pub role: &'static str,
    /// Whether it is the reader's.
    pub own: bool,
    /// Whether it may not sign in.
    pub disabled: bool,
    /// How many sessions it has.
    pub sessions: usize,
    /// When it was made.
    pub created_at: String,
}

/// A console session.
pub struct SessionRow {
    /// Names it.
    pub id: String,
    /// Whose.
    pub username: String,
    /// What the browser calls itself.
    pub agent: String,
    /// Since when.
    pub since: String,
    /// Until when, unless it is used.
    pub until: String,
}

/// Every account.
#[derive(Template)]
#[template(path = "admin/admins/list.html")]
pub struct ListPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether the role may change accounts.
    pub is_owner: bool,
    /// The accounts.
    pub rows: Vec<AdminRow>,
    /// The sessions.
    pub sessions: Vec<SessionRow>,
    /// What was typed for a new one.
    pub username: String,
    /// The roles there are.
    pub roles: Vec<Choice>,
    /// What was wrong.
    pub problems: Problems,
}

/// One account.
#[derive(Template)]
#[template(path = "admin/admins/edit.html")]
pub struct EditPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether the role may change accounts.
    pub is_owner: bool,
    /// Whose.
    pub username: String,
    /// Whether it may not sign in.
    pub disabled: bool,
    /// The roles there are.
    pub roles: Vec<Choice>,
    /// An editor's clients, one on each line.
    pub clients: String,
    /// The version that was read.
    pub version: String,
    /// What somebody else made of it meanwhile.
    pub stands: Option<String>,
    /// What it has besides its password.
    pub factors: String,
    /// Whether that is anything.
    pub protected: bool,
    /// What was wrong.
    pub problems: Problems,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{choices, problems, shell};
    use crate::web::page::hostile::{check, text};

    #[test]
    fn the_pages_of_accounts_show_names_as_text() {
        let mut list = ListPage {
            shell: shell(),
            is_owner: true,
            rows: vec![AdminRow {
                url: text(),
                username: text(),
                role: "owner",
                own: true,
                disabled: true,
                sessions: 1,
                created_at: text(),
            }],
            sessions: vec![SessionRow {
                id: text(),
                username: text(),
                agent: text(),
                since: text(),
                until: text(),
            }],
            username: text(),
            roles: choices(),
            problems: problems(&["username", "password"]),
        };
        check(&list.render().unwrap());
        list.is_owner = false;
        let html = list.render().unwrap();
        assert!(!html.contains("admin-create") && !html.contains("/sessions/end"));
        let edit = EditPage {
            shell: shell(),
            is_owner: true,
            username: text(),
            disabled: true,
            roles: choices(),
            clients: text(),
            version: text(),
            stands: Some(text()),
            factors: text(),
            protected: true,
            problems: problems(&["role", "clients"]),
        };
        check(&edit.render().unwrap());
    }
}
