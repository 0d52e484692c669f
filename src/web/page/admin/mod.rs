//! The pages of `/admin`.

pub mod admins;
pub mod apis;
pub mod audit;
pub mod branding;
pub mod claim_rules;
pub mod clients;
pub mod connections;
pub mod keys;
pub mod members;
pub mod overview;
pub mod people;
pub mod profile;
pub mod safety;
pub mod settings;
pub mod sign_ins;
pub mod trials;
pub mod trust;
pub mod upkeep;

use askama::Template;

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

/// What is wrong with one field.
#[derive(Clone)]
pub struct Problem {
    /// The field's name.
    pub field: String,
    /// One sentence.
    pub message: String,
}

impl Problem {
    /// The id to jump to.
    pub fn anchor(&self) -> &str {
        match self.field.as_str() {
            "client_id" => "main",
            field => field,
        }
    }

    /// The field as its form labels it.
    pub fn label(&self) -> &str {
        match self.field.as_str() {
            "client_name" | "name" => "Name",
            "redirect_uris" => "Redirect URIs",
            "post_logout_redirect_uris" => "Post-logout redirect URIs",
            "apple_bundle_ids" => "Bundle IDs",
            "resources" => "APIs",
            "default_resource" => "Default API",
            "scope" | "scopes" => "Scopes",
            "grant_types" => "Grant types",
            "token_endpoint_auth_method" => "Client authentication",
            "require_pkce" => "Require PKCE",
            "refresh_token_idle_ttl" => "Refresh token idle limit",
            "refresh_token_absolute_ttl" => "Refresh token absolute limit",
            "identifier" => "Identifier",
            "access_token_ttl" => "Access token lifetime",
            "confirm" => "Name to confirm",
            "username" => "Username",
            "password" => "Password",
            "new_password" => "New password",
            "totp" => "Code",
            "passkey_name" => "Passkey",
            "recovery_codes" => "Recovery codes",
            "url" => "Address",
            "role" => "Role",
            "clients" => "Clients of an editor",
            "audit_retention_days" => "Keep the audit log for",
            "key_name" => "Name",
            "key_scope" => "Scopes",
            "key_days" | "token_days" => "Good for",
            "token_name" => "Name",
            "token_uses" => "Registrations",
            "issuer" => "Issuer",
            "audience" => "Audience",
            "workload_client" => "Client",
            "workload_scope" => "Scope",
            "workload_resources" => "APIs",
            "conditions" => "Conditions",
            "max_lifetime" => "Longest life",
            field => field,
        }
    }
}

/// Everything that is wrong with a form.
#[derive(Clone, Default)]
pub struct Problems {
    /// In the order of the rules.
    pub list: Vec<Problem>,
    /// What stands above the list.
    pub headline: &'static str,
}

impl Problems {
    /// These problems.
    pub fn new(list: Vec<Problem>) -> Self {
        Self { list, headline: "Not saved yet" }
    }

    /// Adds one.
    pub fn push(&mut self, field: &str, message: &str) {
        self.headline = "Not saved yet";
        self.list.push(Problem { field: field.to_owned(), message: message.to_owned() });
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        !self.list.is_empty()
    }

    /// Whether this field has one.
    pub fn has(&self, field: &str) -> bool {
        self.list.iter().any(|problem| problem.field == field)
    }

    /// What is wrong with this field.
    pub fn of(&self, field: &str) -> Vec<&str> {
        self.list
            .iter()
            .filter(|problem| problem.field == field)
            .map(|problem| problem.message.as_str())
            .collect()
    }
}

/// The ways from one page of a list.
#[derive(Clone, Default)]
pub struct Pages {
    /// To the first page, unless this is it.
    pub first_url: Option<String>,
    /// To the page after.
    pub next_url: Option<String>,
}

impl Pages {
    /// Whether there are any.
    pub const fn any(&self) -> bool {
        self.first_url.is_some() || self.next_url.is_some()
    }
}

/// One of several things to choose.
#[derive(Clone)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub label: String,
    /// More about it; may be empty.
    pub hint: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

impl Choice {
    /// One without a hint, chosen if it is what `chosen` says.
    pub fn of(value: &str, label: &str, chosen: &str) -> Self {
        Self {
            value: value.to_owned(),
            label: label.to_owned(),
            hint: String::new(),
            chosen: value == chosen,
        }
    }
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
    use crate::web::page::quickstart::Snippet;

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
