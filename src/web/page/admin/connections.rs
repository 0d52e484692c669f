//! The pages of `/admin/connections`.

use askama::Template;

use super::members::MemberField;
use super::safety::Conflict;
use super::{Pages, Problems, Shell};

/// A connection.
pub struct ConnectionRow {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether people may sign in through it.
    pub enabled: bool,
    /// Whether the last sign-in through it failed.
    pub failing: bool,
    /// When somebody last signed in.
    pub last_success: Option<String>,
    /// When somebody last failed to.
    pub last_failure: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// More about it.
    pub failure_url: Option<String>,
}

/// The list.
#[derive(Template)]
#[template(path = "admin/connections/list.html")]
pub struct ListPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was searched for.
    pub q: String,
    /// Whether only those are listed that are switched on, or off.
    pub state: String,
    /// One page of them.
    pub rows: Vec<ConnectionRow>,
    /// The others.
    pub pages: Pages,
}

/// What the doctor found.
pub struct FindingRow {
    /// Fine, unknown or wrong.
    pub word: &'static str,
    /// The colour of that.
    pub chip: &'static str,
    /// What was looked at.
    pub subject: String,
    /// What was found.
    pub message: String,
}

/// What must be pasted at the provider.
pub struct Paste {
    /// The return URL.
    pub return_url: String,
    /// The domain of that.
    pub domain: String,
    /// Where Apple's notifications go.
    pub notifications: String,
    /// The domain association file.
    pub domain_file: String,
    /// Where an OpenID Provider announces that somebody signed out.
    pub backchannel_logout: Option<String>,
}

/// What do people sign in with?
#[derive(Template)]
#[template(path = "admin/connections/kinds.html")]
pub struct KindsPage {
    /// What surrounds it.
    pub shell: Shell,
}

/// A connection as a form holds it.
#[derive(Template)]
#[template(path = "admin/connections/form.html")]
pub struct FormPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What is being done.
    pub heading: String,
    /// Where the form goes.
    pub action: String,
    /// Where to go instead.
    pub back: String,
    /// Whether it is Apple's.
    pub is_apple: bool,
    /// What must be pasted at the provider.
    pub paste: Paste,
    /// What the doctor found of what is saved, if it was asked.
    pub findings: Option<Vec<FindingRow>>,
    /// Its id, which can be chosen for a new one.
    pub id: String,
    /// Its name for people.
    pub display_name: String,
    /// What its kind needs.
    pub fields: Vec<MemberField>,
    /// The version that was read; `None` for a new one.
    pub version: Option<String>,
    /// Whether it has a `client_secret`.
    pub has_secret: bool,
    /// What was wrong.
    pub problems: Problems,
    /// What somebody else saved meanwhile.
    pub conflict: Option<Conflict>,
    /// What a change touches.
    pub touches: Vec<String>,
}

/// One connection.
#[derive(Template)]
#[template(path = "admin/connections/show.html")]
pub struct ShowPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The connection.
    pub row: ConnectionRow,
    /// Apple: what it announced last, if it ever did.
    pub last_heard: Option<Option<String>>,
    /// Whether the doctor was asked.
    pub checked: bool,
    /// What it found.
    pub findings: Vec<FindingRow>,
    /// Whether it is Apple's.
    pub is_apple: bool,
    /// Whether an address joins people who come through it to an account.
    pub joins_by_address: bool,
    /// What must be pasted at the provider.
    pub paste: Paste,
    /// Whether the configuration file describes it.
    pub file_managed: bool,
    /// What is set, as label and value.
    pub settings: Vec<(&'static str, String)>,
    /// Apple: the Key IDs of the key in use and of the one that follows.
    pub keys: Option<(String, Option<String>)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{choices, conflict, pages, problems, shell};
    use crate::web::page::admin::members::FieldShape;
    use crate::web::page::hostile::{check, check_shape, text};

    fn row() -> ConnectionRow {
        ConnectionRow {
            id: text(),
            name: text(),
            enabled: false,
            failing: true,
            last_success: Some(text()),
            last_failure: Some(text()),
            why: Some(text()),
            failure_url: Some(text()),
        }
    }

    #[test]
    fn the_pages_of_connections_show_findings_as_text() {
        let mut list = ListPage {
            shell: shell(),
            q: text(),
            state: "disabled".to_owned(),
            rows: vec![row()],
            pages: pages(),
        };
        check(&list.render().unwrap());
        list.rows.clear();
        check(&list.render().unwrap());
        (list.q, list.state) = (String::new(), String::new());
        check_shape(&list.render().unwrap());
        for is_apple in [true, false] {
            let page = ShowPage {
                shell: shell(),
                row: row(),
                last_heard: is_apple.then(|| Some(text())),
                checked: true,
                findings: vec![FindingRow {
                    word: "wrong",
                    chip: "bad",
                    subject: text(),
                    message: text(),
                }],
                is_apple,
                joins_by_address: is_apple,
                paste: paste(),
                file_managed: !is_apple,
                settings: vec![("Team ID", text())],
                keys: is_apple.then(|| (text(), Some(text()))),
            };
            check(&page.render().unwrap());
        }
    }

    fn paste() -> Paste {
        Paste {
            return_url: text(),
            domain: text(),
            notifications: text(),
            domain_file: text(),
            backchannel_logout: Some(text()),
        }
    }

    #[test]
    fn a_form_shows_what_was_typed_as_text() {
        check_shape(&KindsPage { shell: shell() }.render().unwrap());
        let field = |name, shape| MemberField {
            name,
            label: "l",
            hint: "h",
            shape,
            seldom: name == "pkce",
            value: text(),
            chosen: true,
            choices: choices(),
            rules: None,
        };
        for (is_apple, version) in [(true, None), (false, Some(text()))] {
            let page = FormPage {
                shell: shell(),
                heading: text(),
                action: text(),
                back: text(),
                is_apple,
                paste: paste(),
                findings: Some(vec![FindingRow {
                    word: "wrong",
                    chip: "bad",
                    subject: text(),
                    message: text(),
                }]),
                id: text(),
                display_name: text(),
                fields: vec![
                    field("team_id", FieldShape::Text),
                    field("bundle_ids", FieldShape::Lines),
                    field("pkce", FieldShape::Tick),
                ],
                version,
                has_secret: true,
                problems: problems(&["id", "team_id", "private_key"]),
                conflict: Some(conflict()),
                touches: vec![text()],
            };
            check(&page.render().unwrap());
        }
    }
}
