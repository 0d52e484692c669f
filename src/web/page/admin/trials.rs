//! The pages of a trial and of a preview: what is asked for, and what tokens hold.

use askama::Template;

use super::{Choice, Shell};
use crate::op::trial::How;

/// What shall be asked for?
#[derive(Template)]
#[template(path = "admin/clients/try.html")]
pub struct TryPage {
    /// What surrounds it.
    pub shell: Shell,
    /// `client_id`.
    pub client_id: String,
    /// `client_name`.
    pub client_name: String,
    /// How it is tried.
    pub how: How,
    /// Whether the client is switched off.
    pub disabled: bool,
    /// Whether there is no connection at all.
    pub no_way_in: bool,
    /// Whether its tokens in life are bound to a key, which a trial has none of.
    pub bound: bool,
    /// Scope values.
    pub scope: Vec<Choice>,
    /// APIs.
    pub resources: Vec<Choice>,
    /// Where the answer comes.
    pub redirect_uri: String,
}

/// A device waits for its person.
#[derive(Template)]
#[template(path = "admin/clients/try_device.html")]
pub struct DevicePage {
    /// What surrounds it.
    pub shell: Shell,
    /// `client_id`.
    pub client_id: String,
    /// `client_name`.
    pub client_name: String,
    /// Names the trial.
    pub trial: String,
    /// What the device shows.
    pub user_code: String,
    /// Where it is entered.
    pub verification_uri: String,
    /// The same with the code.
    pub verification_uri_complete: String,
    /// The latter as a picture for a telephone.
    pub qr: Option<String>,
    /// Whether the person has answered.
    pub answered: bool,
    /// What the device was told when it asked.
    pub told: Option<String>,
}

/// One check and its result.
pub struct CheckRow {
    /// What.
    pub subject: &'static str,
    /// Where it is demanded.
    pub rule: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What was found.
    pub found: String,
}

/// A part of a token, or an answer.
pub struct Part {
    /// Its element on the page.
    pub id: &'static str,
    /// What it is.
    pub title: &'static str,
    /// JSON.
    pub json: String,
}

/// What came of a trial.
#[derive(Template)]
#[template(path = "admin/clients/tried.html")]
pub struct TriedPage {
    /// What surrounds it.
    pub shell: Shell,
    /// `client_id`.
    pub client_id: String,
    /// `client_name`.
    pub client_name: String,
    /// How many checks failed.
    pub failed: usize,
    /// Every check.
    pub checks: Vec<CheckRow>,
    /// The tokens and what userinfo answered.
    pub parts: Vec<Part>,
    /// Whether there was a refresh token.
    pub refresh_token: bool,
}

/// Somebody to choose.
pub struct PersonRow {
    /// Their page of the preview.
    pub url: String,
    /// Name or address.
    pub name: String,
    /// Another word about them.
    pub detail: String,
}

/// What a chosen person's tokens would hold.
#[derive(Template)]
#[template(path = "admin/clients/preview.html")]
pub struct PreviewPage {
    /// What surrounds it.
    pub shell: Shell,
    /// `client_id`.
    pub client_id: String,
    /// `client_name`.
    pub client_name: String,
    /// What was searched for.
    pub q: String,
    /// Who was found.
    pub people: Vec<PersonRow>,
    /// The id and name of whoever is chosen.
    pub person: Option<(String, String)>,
    /// Scope values.
    pub scope: Vec<Choice>,
    /// APIs.
    pub resources: Vec<Choice>,
    /// The claims.
    pub parts: Vec<Part>,
    /// Why there are none.
    pub refused: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{choices, shell};
    use crate::web::page::hostile::{check, text};

    fn part() -> Part {
        Part { id: "p", title: "ID token", json: text() }
    }

    #[test]
    fn what_is_tried_is_shown_as_text() {
        for how in [How::SignIn, How::Service, How::Device, How::Elsewhere] {
            let page = TryPage {
                shell: shell(),
                client_id: text(),
                client_name: text(),
                how,
                disabled: true,
                no_way_in: true,
                bound: true,
                scope: choices(),
                resources: choices(),
                redirect_uri: text(),
            };
            check(&page.render().unwrap());
        }
        for told in [None, Some(text())] {
            let page = DevicePage {
                shell: shell(),
                client_id: text(),
                client_name: text(),
                trial: text(),
                user_code: text(),
                verification_uri: text(),
                verification_uri_complete: text(),
                qr: Some(text()),
                answered: told.is_none(),
                told,
            };
            check(&page.render().unwrap());
        }
        let row = CheckRow { subject: "iss", rule: "r", holds: false, found: text() };
        let page = TriedPage {
            shell: shell(),
            client_id: text(),
            client_name: text(),
            failed: 1,
            checks: vec![row],
            parts: vec![part()],
            refresh_token: true,
        };
        check(&page.render().unwrap());
    }

    #[test]
    fn what_tokens_would_hold_is_shown_as_text() {
        for chosen in [None, Some((text(), text()))] {
            let page = PreviewPage {
                shell: shell(),
                client_id: text(),
                client_name: text(),
                q: text(),
                people: vec![PersonRow { url: text(), name: text(), detail: text() }],
                person: chosen,
                scope: choices(),
                resources: choices(),
                parts: vec![part()],
                refused: Some(text()),
            };
            check(&page.render().unwrap());
        }
    }
}
