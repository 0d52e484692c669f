//! The first page of the console, and the page of a search across all rooms.

use askama::Template;

use super::Shell;

/// Something that needs attention.
pub struct AttentionRow {
    /// How urgent, as a colour and a word.
    pub chip: &'static str,
    /// That word.
    pub word: &'static str,
    /// What is wrong.
    pub title: String,
    /// What mends it.
    pub detail: String,
    /// Where.
    pub url: Option<String>,
}

/// A step of setting up, done or not as the state of things says.
pub struct SetupStep {
    /// What to do.
    pub words: &'static str,
    /// Where, or why.
    pub hint: &'static str,
    /// Where to do it, if that is in the console.
    pub url: Option<String>,
    /// Whether it is done.
    pub done: bool,
}

/// A day of the chart, in the chart's own units.
pub struct DayBar {
    /// The day.
    pub day: String,
    /// Where it stands.
    pub x: u32,
    /// How many signed in.
    pub succeeded: u64,
    /// Top and height of their bar.
    pub good: (u32, u32),
    /// How many failed.
    pub failed: u64,
    /// Top and height of theirs.
    pub bad: (u32, u32),
}

/// One of several that share the sign-ins: a client, a connection or a cause.
pub struct Share {
    /// Its name.
    pub name: String,
    /// Only its sign-ins.
    pub url: Option<String>,
    /// How many signed in.
    pub succeeded: u64,
    /// How many failed.
    pub failed: u64,
    /// The lengths of both bars.
    pub widths: (u32, u32),
}

/// A chart of shares.
pub struct Shares {
    /// Its element.
    pub id: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// What its first column holds.
    pub column: &'static str,
    /// Whether it is about failures alone.
    pub failures: bool,
    /// The greatest first.
    pub rows: Vec<Share>,
}

/// `/admin`.
#[derive(Template)]
#[template(path = "admin/overview.html")]
pub struct OverviewPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The issuer identifier.
    pub issuer: String,
    /// Where the discovery document is.
    pub discovery: String,
    /// What needs attention.
    pub attention: Vec<AttentionRow>,
    /// How many clients there are.
    pub clients: String,
    /// How many APIs there are.
    pub apis: String,
    /// Steps of setting up that are not done.
    pub steps: Vec<SetupStep>,
    /// What the sign-ins are narrowed to, and where they are not.
    pub narrowed: Option<(String, String)>,
    /// How many signed in in these days, and how many failed.
    pub total: (u64, u64),
    /// Day by day.
    pub days: Vec<DayBar>,
    /// By client, connection and cause.
    pub shares: Vec<Shares>,
}

/// Something that was found.
pub struct Hit {
    /// Its name.
    pub title: String,
    /// More about it.
    pub detail: String,
    /// Where it is.
    pub url: String,
}

/// What was found in one room.
pub struct Hits {
    /// The room.
    pub room: &'static str,
    /// What.
    pub hits: Vec<Hit>,
    /// Where all of it is, if there is more.
    pub more: Option<String>,
}

/// `/admin/search`.
#[derive(Template)]
#[template(path = "admin/search.html")]
pub struct SearchPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was searched for.
    pub q: String,
    /// Room by room; only those where something was found.
    pub found: Vec<Hits>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::shell;
    use crate::web::page::hostile::{check, check_shape, text};

    #[test]
    fn the_first_page_shows_names_as_text() {
        let page = OverviewPage {
            shell: shell(),
            issuer: text(),
            discovery: text(),
            attention: vec![AttentionRow {
                chip: "bad",
                word: "now",
                title: text(),
                detail: text(),
                url: Some(text()),
            }],
            clients: text(),
            apis: text(),
            steps: vec![SetupStep { words: "w", hint: "h", url: Some(text()), done: false }],
            narrowed: Some((text(), text())),
            total: (3, 1),
            days: vec![DayBar {
                day: text(),
                x: 0,
                succeeded: 3,
                good: (10, 90),
                failed: 1,
                bad: (0, 10),
            }],
            shares: vec![Shares {
                id: "s",
                title: "t",
                column: "c",
                failures: false,
                rows: vec![Share {
                    name: text(),
                    url: Some(text()),
                    succeeded: 3,
                    failed: 1,
                    widths: (90, 10),
                }],
            }],
        };
        check(&page.render().unwrap());
    }

    #[test]
    fn what_is_found_is_shown_as_text() {
        let hit = Hit { title: text(), detail: text(), url: text() };
        let found = vec![Hits { room: "People", hits: vec![hit], more: Some(text()) }];
        check(&SearchPage { shell: shell(), q: text(), found }.render().unwrap());
        let nothing = SearchPage { shell: shell(), q: String::new(), found: Vec::new() };
        check_shape(&nothing.render().unwrap());
    }
}
