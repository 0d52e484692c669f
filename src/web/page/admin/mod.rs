//! The pages of `/admin`.

pub mod admins;
pub mod apis;
pub mod audit;
pub mod branding;
pub mod claim_rules;
pub mod clients;
pub mod connections;
pub mod keys;
mod lists;
pub mod members;
pub mod overview;
pub mod people;
mod problems;
pub mod profile;
pub mod safety;
pub mod settings;
pub mod sign_ins;
pub mod trials;
pub mod trust;
pub mod upkeep;

use askama::Template;

pub use lists::{Choice, Pages};
pub use problems::{Problem, Problems};

/// What surrounds every page of the console.
#[derive(Clone)]
pub struct Shell {
    /// The issuer's path.
    pub base: String,
    /// Who is signed in.
    pub username: String,
    /// Their role.
    pub role: String,
    /// The entry of the navigation this page belongs to.
    pub section: &'static str,
    /// Hidden in every form.
    pub csrf: String,
    /// What has just been done.
    pub flash: Option<&'static str>,
    /// What stands in the box that searches all rooms.
    pub find: String,
    /// Whether the role may change what the page shows.
    pub may_change: bool,
    /// Whether the role sees its own clients alone.
    pub is_editor: bool,
}

/// A connection that leads to an upstream and back to the console.
pub struct ConnectionButton {
    /// Its name in addresses.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether its upstream is away just now.
    pub away: bool,
}

/// `/admin/login`.
#[derive(Template)]
#[template(path = "admin/login.html")]
pub struct LoginPage {
    /// The issuer's path.
    pub base: String,
    /// What was typed.
    pub username: String,
    /// Why it did not work.
    pub problem: Option<String>,
    /// The connections that open the console.
    pub connections: Vec<ConnectionButton>,
    /// Proves that the form was ours.
    pub csrf: String,
    /// The page that was asked for, or empty.
    pub next: String,
    /// The form that was sent there, or empty.
    pub kept: String,
    /// Whether passkeys can be had here.
    pub passkeys: bool,
    /// Whether there is no account yet.
    pub nobody: bool,
}

/// A field of a form that was kept.
pub struct KeptField {
    /// Its name.
    pub name: String,
    /// What was typed.
    pub value: String,
}

/// A form that was sent while the session ended.
#[derive(Template)]
#[template(path = "admin/kept.html")]
pub struct KeptPage {
    /// The issuer's path.
    pub base: String,
    /// Who is signed in now.
    pub username: String,
    /// Where the form goes.
    pub action: String,
    /// Proves that the form is ours.
    pub csrf: String,
    /// What was typed.
    pub fields: Vec<KeptField>,
    /// Whether a secret or a file is missing among it.
    pub missed: bool,
}

/// Something that is not there, not allowed or failed.
#[derive(Template)]
#[template(path = "admin/problem.html")]
pub struct ProblemPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A few words.
    pub heading: String,
    /// A sentence.
    pub message: String,
    /// Where to go on.
    pub back: String,
    /// The request's name in the log.
    pub request_id: Option<String>,
}

/// Asks before something is deleted for good.
#[derive(Template)]
#[template(path = "admin/delete.html")]
pub struct DeletePage {
    /// What surrounds it.
    pub shell: Shell,
    /// What must be typed.
    pub name: String,
    /// What happens.
    pub consequence: &'static str,
    /// What that touches.
    pub touches: Vec<String>,
    /// Where the form goes.
    pub action: String,
    /// Where to go instead.
    pub back: String,
    /// What was wrong.
    pub problems: Problems,
}

#[cfg(test)]
pub(crate) mod hostile {
    //! Parts of pages that hold the hostile text.

    use super::audit::Change;
    use super::claim_rules::{ConditionRow, RuleRow, RulesField, RulesPreview};
    use super::safety::Conflict;
    use super::{Choice, Problem, Problems, Shell};
    use crate::web::page::hostile::text;
    use crate::web::quickstart::Snippet;

    pub(crate) fn snippet() -> Snippet {
        Snippet { id: "go", language: "Go", library: "go-oidc", code: text() }
    }

    pub(crate) fn shell() -> Shell {
        Shell {
            base: String::new(),
            username: text(),
            role: text(),
            section: "clients",
            csrf: text(),
            flash: None,
            find: text(),
            may_change: true,
            is_editor: false,
        }
    }

    pub(crate) fn conflict() -> Conflict {
        Conflict {
            who: Some((text(), text())),
            event_url: Some(text()),
            rows: vec![Change { member: text(), before: text(), after: text() }],
        }
    }

    pub(crate) fn problems(fields: &[&str]) -> Problems {
        let problem = |field: &&str| Problem { field: (*field).to_owned(), message: text() };
        Problems::new(fields.iter().map(problem).collect())
    }

    pub(crate) fn rules_field() -> RulesField {
        RulesField {
            rows: vec![RuleRow {
                claim: text(),
                sources: choices(),
                text: text(),
                conditions: vec![ConditionRow { attributes: choices(), is: text() }],
                scope: text(),
                to: choices(),
            }],
            json: text(),
            typed: text(),
            of_api: false,
            person: text(),
            preview: Some(RulesPreview {
                person: Some(text()),
                places: vec![("ID token", text())],
                problems: vec![text()],
            }),
        }
    }

    pub(crate) fn pages() -> super::Pages {
        super::Pages { first_url: Some(text()), next_url: Some(text()) }
    }

    pub(crate) fn choices() -> Vec<Choice> {
        vec![Choice { value: text(), label: text(), hint: text(), chosen: true }]
    }
}

#[cfg(test)]
mod tests {
    use super::hostile::{problems, shell};
    use super::*;
    use crate::web::page::hostile::{check, text};

    #[test]
    fn the_login_page_keeps_the_name_and_shows_it_as_text() {
        let page = LoginPage {
            base: String::new(),
            username: text(),
            problem: Some(text()),
            csrf: text(),
            connections: vec![ConnectionButton { id: text(), name: text(), away: true }],
            next: text(),
            kept: text(),
            passkeys: true,
            nobody: true,
        };
        let html = page.render().unwrap();
        check(&html);
        let kept = KeptPage {
            base: String::new(),
            username: text(),
            action: text(),
            csrf: text(),
            fields: vec![KeptField { name: text(), value: text() }],
            missed: true,
        };
        check(&kept.render().unwrap());
        assert!(html.contains("name=\"username\"") && html.contains("name=\"password\""));
    }

    #[test]
    fn the_frame_of_the_console_shows_names_as_text() {
        let problem = ProblemPage {
            shell: shell(),
            heading: text(),
            message: text(),
            back: text(),
            request_id: Some(text()),
        };
        check(&problem.render().unwrap());
        let delete = DeletePage {
            shell: shell(),
            name: text(),
            consequence: "It ends.",
            touches: vec![text()],
            action: text(),
            back: text(),
            problems: problems(&["confirm"]),
        };
        check(&delete.render().unwrap());
    }
}
