//! The pages of `/admin/admins`.

use askama::Template;

use super::profile::IdentityRow;
use super::safety::Conflict;
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
    /// The browser and its system.
    pub agent: String,
    /// The connection that it was opened through, if it was no password.
    pub through: Option<String>,
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
    /// What was searched for.
    pub q: String,
    /// Whether this is not the first page.
    pub paged: bool,
    /// The next page.
    pub next_url: Option<String>,
    /// The accounts.
    pub rows: Vec<AdminRow>,
    /// The newest sessions.
    pub sessions: Vec<SessionRow>,
    /// How many more there are.
    pub further_sessions: usize,
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
    /// What somebody else saved meanwhile.
    pub conflict: Option<Conflict>,
    /// What it has besides its password.
    pub factors: String,
    /// Whether that is anything.
    pub protected: bool,
    /// The identities by which it signs in.
    pub identities: Vec<IdentityRow>,
    /// Whether there is a connection that could be bound.
    pub may_invite: bool,
    /// What was wrong.
    pub problems: Problems,
}

/// An invitation, shown once.
#[derive(Template)]
#[template(path = "admin/admins/invited.html")]
pub struct InvitedPage {
    /// What surrounds it.
    pub shell: Shell,
    /// For whom.
    pub heading: String,
    /// The link.
    pub link: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{choices, conflict, problems, shell};
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
            q: text(),
            paged: true,
            next_url: Some(text()),
            further_sessions: 1,
            sessions: vec![SessionRow {
                id: text(),
                username: text(),
                agent: text(),
                through: Some(text()),
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
            conflict: Some(conflict()),
            factors: text(),
            protected: true,
            identities: vec![IdentityRow {
                connection: text(),
                name: text(),
                email: Some(text()),
                since: text(),
                last_used_at: None,
                allowed: false,
            }],
            may_invite: true,
            problems: problems(&["role", "clients"]),
        };
        check(&edit.render().unwrap());
        let invited = InvitedPage { shell: shell(), heading: text(), link: text() };
        check(&invited.render().unwrap());
    }
}
