//! The pages of `/admin/sign-ins`.

use askama::Template;

use super::{Pages, Shell};

/// A sign-in in the list.
pub struct SignInRow {
    /// Where it is replayed.
    pub url: String,
    /// Its id.
    pub id: String,
    /// Its last step.
    pub last: &'static str,
    /// The colour of that.
    pub chip: &'static str,
    /// When.
    pub at: String,
}

/// The latest sign-ins.
#[derive(Template)]
#[template(path = "admin/sign_ins/list.html")]
pub struct ListPage {
    /// What surrounds it.
    pub shell: Shell,
    /// One page of the sign-ins.
    pub rows: Vec<SignInRow>,
    /// The others.
    pub pages: Pages,
}

/// A step.
pub struct StepRow {
    /// What happened.
    pub words: &'static str,
    /// The colour of that.
    pub chip: &'static str,
    /// How long after the first.
    pub after: String,
    /// More about it.
    pub facts: Vec<(String, String)>,
}

/// One sign-in, replayed.
#[derive(Template)]
#[template(path = "admin/sign_ins/replay.html")]
pub struct ReplayPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Its id.
    pub id: String,
    /// When it began.
    pub begun: String,
    /// Why it went no further.
    pub cause: Option<String>,
    /// What mends that.
    pub remedy: Option<String>,
    /// What the audit log has about it.
    pub events_url: String,
    /// Its steps.
    pub rows: Vec<StepRow>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{pages, shell};
    use crate::web::page::hostile::{check, check_shape, text};

    #[test]
    fn the_pages_of_sign_ins_show_what_was_sent_as_text() {
        let row = SignInRow {
            url: text(),
            id: text(),
            last: "The browser came back",
            chip: "",
            at: text(),
        };
        check(&ListPage { shell: shell(), rows: vec![row], pages: pages() }.render().unwrap());
        let none = ListPage { shell: shell(), rows: Vec::new(), pages: Pages::default() };
        check_shape(&none.render().unwrap());
        let step = StepRow {
            words: "The browser came back",
            chip: "bad",
            after: text(),
            facts: vec![(text(), text())],
        };
        let page = ReplayPage {
            shell: shell(),
            id: text(),
            begun: text(),
            cause: Some(text()),
            remedy: Some(text()),
            events_url: text(),
            rows: vec![step],
        };
        check(&page.render().unwrap());
    }
}
