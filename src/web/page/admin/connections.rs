//! The pages of `/admin/connections`.

use askama::Template;

use super::Shell;

/// A connection.
pub struct ConnectionRow {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
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
    /// Every connection.
    pub rows: Vec<ConnectionRow>,
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

/// One connection.
#[derive(Template)]
#[template(path = "admin/connections/show.html")]
pub struct ShowPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The connection.
    pub row: ConnectionRow,
    /// Whether the doctor was asked.
    pub checked: bool,
    /// What it found.
    pub findings: Vec<FindingRow>,
    /// Whether it is Apple's.
    pub is_apple: bool,
    /// The return URL.
    pub return_url: String,
    /// The domain of that.
    pub domain: String,
    /// Where Apple's notifications go.
    pub notifications: String,
    /// The domain association file.
    pub domain_file: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::shell;
    use crate::web::page::hostile::{check, check_shape, text};

    fn row() -> ConnectionRow {
        ConnectionRow {
            id: text(),
            name: text(),
            failing: true,
            last_success: Some(text()),
            last_failure: Some(text()),
            why: Some(text()),
            failure_url: Some(text()),
        }
    }

    #[test]
    fn the_pages_of_connections_show_findings_as_text() {
        check(&ListPage { shell: shell(), rows: vec![row()] }.render().unwrap());
        check_shape(&ListPage { shell: shell(), rows: Vec::new() }.render().unwrap());
        for is_apple in [true, false] {
            let page = ShowPage {
                shell: shell(),
                row: row(),
                checked: true,
                findings: vec![FindingRow {
                    word: "wrong",
                    chip: "bad",
                    subject: text(),
                    message: text(),
                }],
                is_apple,
                return_url: text(),
                domain: text(),
                notifications: text(),
                domain_file: text(),
            };
            check(&page.render().unwrap());
        }
    }
}
