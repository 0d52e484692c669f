//! The pages of `/admin/people` and `/admin/sessions`.

use askama::Template;

use super::Shell;
use super::audit::EventRow;

/// A line of the list.
pub struct PersonRow {
    /// Their page.
    pub url: String,
    /// What they are called.
    pub name: String,
    /// `email`; may be empty.
    pub email: String,
    /// Whether the address is a relay.
    pub relay: bool,
    /// `sub`.
    pub sub: String,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// When they came first.
    pub created_at: String,
}

/// The list.
#[derive(Template)]
#[template(path = "admin/people/list.html")]
pub struct ListPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was searched for.
    pub q: String,
    /// Whether only disabled people are listed.
    pub disabled: bool,
    /// Whether the first to come are at the top.
    pub oldest_first: bool,
    /// One page of people.
    pub rows: Vec<PersonRow>,
    /// Whether this is not the first page.
    pub paged: bool,
    /// The first page.
    pub first_url: String,
    /// The page after.
    pub next_url: Option<String>,
}

/// What somebody signs in with.
pub struct IdentityRow {
    /// The connection's name.
    pub connection: String,
    /// Who vouches.
    pub authority: String,
    /// The upstream's `sub`.
    pub subject: String,
    /// The address there; may be empty.
    pub email: String,
    /// When it was linked.
    pub since: String,
    /// When it was last used.
    pub last: String,
    /// How what the upstream gave stands, if anything is kept.
    pub state: Option<&'static str>,
    /// When the upstream was last asked.
    pub checked: Option<String>,
    /// Whether the upstream said that it is over.
    pub ended: bool,
    /// Since when mail to the address bounces.
    pub bounces: Option<String>,
}

/// A step of a deletion that was done.
pub struct StepRow {
    /// What.
    pub step: String,
    /// How it went.
    pub outcome: String,
    /// When.
    pub at: String,
}

/// How far a deletion has come.
#[derive(Template)]
#[template(path = "admin/people/deletion.html")]
pub struct DeletionPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The deletion.
    pub id: String,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub requested_at: String,
    /// How often a step was tried and failed.
    pub attempts: i32,
    /// Until when the upstream is asked.
    pub give_up_at: String,
    /// When it was done.
    pub completed_at: Option<String>,
    /// What was done.
    pub steps: Vec<StepRow>,
}

/// What an app holds of a person.
pub struct GrantRow {
    /// The grant.
    pub id: String,
    /// The client's name.
    pub client: String,
    /// The client's page.
    pub client_url: String,
    /// What was granted.
    pub scope: String,
    /// Since when.
    pub since: String,
    /// How often the refresh token was used.
    pub refreshes: i32,
    /// Until when, unless it is used again.
    pub until: String,
}

/// A browser in which somebody is signed in.
pub struct SessionRow {
    /// `sid`.
    pub id: String,
    /// Through which connection.
    pub connection: String,
    /// Since when.
    pub since: String,
    /// Until when.
    pub until: String,
    /// What was granted in it.
    pub grants: Vec<GrantRow>,
}

/// One person.
#[derive(Template)]
#[template(path = "admin/people/show.html")]
pub struct ShowPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The id inside Russet.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// `sub`.
    pub sub: String,
    /// `email`.
    pub email: Option<String>,
    /// `email_verified`.
    pub email_verified: bool,
    /// Whether the address is a relay.
    pub relay: bool,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// When they came first.
    pub created_at: String,
    /// When the profile last changed.
    pub updated_at: String,
    /// What they sign in with.
    pub identities: Vec<IdentityRow>,
    /// Since when codes from an app are asked for beside their password.
    pub totp_since: Option<String>,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
    /// Where they are signed in.
    pub sessions: Vec<SessionRow>,
    /// What apps hold outside of a browser session that is alive.
    pub others: Vec<GrantRow>,
    /// The timeline.
    pub events: Vec<EventRow>,
    /// All of it.
    pub more_url: String,
}

/// A line of the list of sessions.
pub struct LivingRow {
    /// Whose.
    pub person: String,
    /// Their page.
    pub person_url: String,
    /// `sid`.
    pub id: String,
    /// Through which connection.
    pub connection: String,
    /// Since when.
    pub since: String,
    /// When they last proved who they are.
    pub auth_time: String,
    /// Until when.
    pub until: String,
    /// Where it is ended.
    pub end_url: String,
}

/// Every browser session.
#[derive(Template)]
#[template(path = "admin/sessions/list.html")]
pub struct SessionsPage {
    /// What surrounds it.
    pub shell: Shell,
    /// How many there are, and how many grants.
    pub counted: String,
    /// Whose are looked for, as it was typed.
    pub q: String,
    /// Whether those that began first come first.
    pub oldest_first: bool,
    /// Whether somebody's were left out, since more fit than are shown.
    pub more: bool,
    /// One page of them.
    pub rows: Vec<LivingRow>,
    /// Where the first page is, unless this is it.
    pub first_url: Option<String>,
    /// The page after.
    pub next_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::shell;
    use crate::web::page::hostile::{check, text};

    fn grant() -> GrantRow {
        GrantRow {
            id: text(),
            client: text(),
            client_url: text(),
            scope: text(),
            since: text(),
            refreshes: 1,
            until: text(),
        }
    }

    #[test]
    fn the_pages_of_people_show_names_as_text() {
        let row = PersonRow {
            url: text(),
            name: text(),
            email: text(),
            relay: true,
            sub: text(),
            disabled: true,
            created_at: text(),
        };
        let mut list = ListPage {
            shell: shell(),
            q: text(),
            disabled: true,
            oldest_first: true,
            rows: vec![row],
            paged: true,
            first_url: text(),
            next_url: Some(text()),
        };
        check(&list.render().unwrap());
        list.rows.clear();
        check(&list.render().unwrap());
        let mut page = ShowPage {
            shell: shell(),
            id: text(),
            name: text(),
            sub: text(),
            email: Some(text()),
            email_verified: true,
            relay: true,
            disabled: true,
            created_at: text(),
            updated_at: text(),
            identities: vec![IdentityRow {
                connection: text(),
                authority: text(),
                subject: text(),
                email: text(),
                since: text(),
                last: text(),
                state: Some("valid"),
                checked: Some(text()),
                ended: true,
                bounces: Some(text()),
            }],
            totp_since: Some(text()),
            recovery_codes: 9,
            sessions: vec![SessionRow {
                id: text(),
                connection: text(),
                since: text(),
                until: text(),
                grants: vec![grant()],
            }],
            others: vec![grant()],
            events: Vec::new(),
            more_url: text(),
        };
        check(&page.render().unwrap());
        assert!(page.render().unwrap().contains("/delete\""));
        page.shell.may_change = false;
        let html = page.render().unwrap();
        for act in ["/delete\"", "/sign-out", "/disable\"", "/unlink", "/export\"", "/enable\""] {
            assert!(!html.contains(act), "a viewer is offered {act}");
        }
        let deletion = DeletionPage {
            shell: shell(),
            id: text(),
            requested_by: text(),
            requested_at: text(),
            attempts: 1,
            give_up_at: text(),
            completed_at: None,
            steps: vec![StepRow { step: text(), outcome: text(), at: text() }],
        };
        check(&deletion.render().unwrap());
        let sessions = SessionsPage {
            shell: shell(),
            counted: text(),
            q: text(),
            oldest_first: true,
            more: true,
            rows: vec![LivingRow {
                person: text(),
                person_url: text(),
                id: text(),
                connection: text(),
                since: text(),
                auth_time: text(),
                until: text(),
                end_url: text(),
            }],
            first_url: Some(text()),
            next_url: Some(text()),
        };
        check(&sessions.render().unwrap());
    }
}
