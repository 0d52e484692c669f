//! What keeps changes safe: asking first with the consequence counted, and showing what another
//! admin changed meanwhile.

use askama::Template;

use super::Shell;
use super::audit::Change;

/// Asks before something is done, with its consequence counted.
#[derive(Template)]
#[template(path = "admin/ask.html")]
pub struct AskPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The question.
    pub heading: String,
    /// What happens.
    pub consequences: Vec<String>,
    /// What must be typed.
    pub name: Option<String>,
    /// Whether something else was typed.
    pub wrong: bool,
    /// What the button says.
    pub button: &'static str,
    /// Where the form goes.
    pub action: String,
    /// Where to go instead.
    pub back: String,
    /// What the act is about.
    pub carried: Vec<(&'static str, String)>,
}

/// What somebody else saved while this form was being filled in.
pub struct Conflict {
    /// Who it was, and when, if the log says so.
    pub who: Option<(String, String)>,
    /// The event in the log.
    pub event_url: Option<String>,
    /// Each member that stands otherwise than it was typed: what stands, and what was typed.
    pub rows: Vec<Change>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::shell;
    use crate::web::page::hostile::{check, text};

    #[test]
    fn a_question_shows_names_as_text() {
        for name in [None, Some(text())] {
            let page = AskPage {
                shell: shell(),
                heading: text(),
                consequences: vec![text()],
                name,
                wrong: true,
                button: "Delete",
                action: text(),
                back: text(),
                carried: vec![("session", text())],
            };
            check(&page.render().unwrap());
        }
    }
}
