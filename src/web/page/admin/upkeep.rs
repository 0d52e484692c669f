//! The pages of what goes on by itself: Apple's daily check and moves, deliveries, deletions.

use askama::Template;

use super::{Choice, Pages, Shell};

/// The daily check of one team.
pub struct CheckRow {
    /// Its name among the jobs.
    pub job: String,
    /// The team.
    pub team: String,
    /// How it stands.
    pub word: &'static str,
    /// The colour of that.
    pub chip: &'static str,
    /// Since when.
    pub since: String,
    /// When it last looked for work.
    pub last_run: Option<String>,
    /// When Apple last answered well.
    pub last_good: Option<String>,
    /// When it tries again.
    pub again: Option<String>,
    /// Why it is held up.
    pub cause: Option<String>,
    /// Whether an operator holds it.
    pub held: bool,
    /// Whether nothing holds it up.
    pub goes: bool,
}

/// People who have come so far.
pub struct StateCount {
    /// How far.
    pub word: &'static str,
    /// How many.
    pub people: u64,
    /// Who they are.
    pub url: String,
}

/// A move from one team to another.
pub struct MoveRow {
    /// The old team.
    pub from: String,
    /// The new team.
    pub to: String,
    /// People in all.
    pub total: u64,
    /// Of them arrived.
    pub there: u64,
    /// Of them refused by Apple.
    pub refused: u64,
    /// All of them, by how far they have come.
    pub states: Vec<StateCount>,
}

/// Apple over time.
#[derive(Template)]
#[template(path = "admin/upkeep/apple.html")]
pub struct ApplePage {
    /// What surrounds it.
    pub shell: Shell,
    /// What came of the form before.
    pub told: Option<String>,
    /// The daily checks.
    pub checks: Vec<CheckRow>,
    /// The moves.
    pub moves: Vec<MoveRow>,
    /// Whether a run is under way.
    pub running: bool,
    /// The run that goes on by itself, or the last one.
    pub run: Option<RunRow>,
    /// The connections to Apple.
    pub connections: Vec<Choice>,
}

/// A run that was begun at the console.
pub struct RunRow {
    /// Who began it.
    pub by: String,
    /// When.
    pub begun: String,
    /// When it ended.
    pub ended: Option<String>,
    /// When it goes on, if it waits.
    pub again: Option<String>,
    /// Why it waits, or ended before its time.
    pub trouble: Option<String>,
}

/// One person's move.
pub struct MovedRow {
    /// Who it is.
    pub person_url: String,
    /// Their `sub` in the old team.
    pub subject: String,
    /// Their `sub` in the new team.
    pub new_subject: Option<String>,
    /// From where to where.
    pub teams: String,
    /// How far it has come.
    pub word: &'static str,
    /// Why it went no further.
    pub reason: Option<String>,
    /// When.
    pub at: String,
}

/// The report, person by person.
#[derive(Template)]
#[template(path = "admin/upkeep/moved.html")]
pub struct MovedPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What the list is narrowed to.
    pub narrowed: Option<&'static str>,
    /// The people.
    pub rows: Vec<MovedRow>,
    /// The next page.
    pub next_url: Option<String>,
}

/// Something that a client is or was owed.
pub struct DeliveryRow {
    /// Its number.
    pub id: i64,
    /// The client's name.
    pub client: String,
    /// The client.
    pub client_id: String,
    /// What is told.
    pub what: String,
    /// How it stands.
    pub word: &'static str,
    /// The colour of that.
    pub chip: &'static str,
    /// Attempts begun.
    pub attempts: i32,
    /// Why the last one failed.
    pub trouble: Option<String>,
    /// Since when it is owed.
    pub since: String,
    /// When it is tried next.
    pub next: Option<String>,
    /// Whether it was given up and can be tried again.
    pub failed: bool,
}

/// The outbox.
#[derive(Template)]
#[template(path = "admin/upkeep/deliveries.html")]
pub struct DeliveriesPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The client it is narrowed to, or nothing.
    pub client_id: String,
    /// The states it can be narrowed to.
    pub states: Vec<Choice>,
    /// What is on this page.
    pub rows: Vec<DeliveryRow>,
    /// Whether it is not the first.
    pub paged: bool,
    /// The first page.
    pub first_url: String,
    /// The next page.
    pub next_url: Option<String>,
}

/// A deletion.
pub struct DeletionRow {
    /// Names it.
    pub id: String,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub requested_at: String,
    /// What it does.
    pub words: &'static str,
    /// Whether nothing is left to do.
    pub done: bool,
    /// Attempts at the present step.
    pub attempts: i32,
    /// When it goes on.
    pub next: Option<String>,
    /// When everything was done.
    pub completed_at: Option<String>,
}

/// Deletions.
#[derive(Template)]
#[template(path = "admin/upkeep/deletions.html")]
pub struct DeletionsPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether only those under way are shown.
    pub under_way: bool,
    /// One page of the deletions.
    pub rows: Vec<DeletionRow>,
    /// The others.
    pub pages: Pages,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{pages, shell};
    use crate::web::page::hostile::{check, check_shape, text};

    fn choice() -> Choice {
        Choice { value: text(), label: text(), hint: text(), chosen: true }
    }

    #[test]
    fn the_page_of_apple_shows_causes_as_text() {
        for held in [true, false] {
            let row = CheckRow {
                job: text(),
                team: text(),
                word: "stopped",
                chip: "bad",
                since: text(),
                last_run: Some(text()),
                last_good: Some(text()),
                again: Some(text()),
                cause: Some(text()),
                held,
                goes: false,
            };
            let count = StateCount { word: "refused by Apple", people: 1, url: text() };
            let moved = MoveRow {
                from: text(),
                to: text(),
                total: 2,
                there: 1,
                refused: 1,
                states: vec![count],
            };
            let page = ApplePage {
                shell: shell(),
                told: Some(text()),
                checks: vec![row],
                moves: vec![moved],
                running: held,
                run: Some(RunRow {
                    by: text(),
                    begun: text(),
                    ended: held.then(text),
                    again: Some(text()),
                    trouble: Some(text()),
                }),
                connections: vec![choice()],
            };
            check(&page.render().unwrap());
        }
        let none = ApplePage {
            shell: shell(),
            told: None,
            checks: Vec::new(),
            moves: Vec::new(),
            running: false,
            run: None,
            connections: Vec::new(),
        };
        check_shape(&none.render().unwrap());
    }

    #[test]
    fn the_report_shows_reasons_as_text() {
        let row = MovedRow {
            person_url: text(),
            subject: text(),
            new_subject: Some(text()),
            teams: text(),
            word: "refused by Apple",
            reason: Some(text()),
            at: text(),
        };
        let page = MovedPage {
            shell: shell(),
            narrowed: Some("refused by Apple"),
            rows: vec![row],
            next_url: Some(text()),
        };
        check(&page.render().unwrap());
    }

    #[test]
    fn the_outbox_and_the_deletions_show_what_they_hold_as_text() {
        let row = DeliveryRow {
            id: 1,
            client: text(),
            client_id: text(),
            what: text(),
            word: "given up",
            chip: "bad",
            attempts: 3,
            trouble: Some(text()),
            since: text(),
            next: Some(text()),
            failed: true,
        };
        let page = DeliveriesPage {
            shell: shell(),
            client_id: text(),
            states: vec![choice()],
            rows: vec![row],
            paged: true,
            first_url: text(),
            next_url: Some(text()),
        };
        check(&page.render().unwrap());
        let row = DeletionRow {
            id: text(),
            requested_by: text(),
            requested_at: text(),
            words: "done",
            done: false,
            attempts: 2,
            next: Some(text()),
            completed_at: Some(text()),
        };
        let page =
            DeletionsPage { shell: shell(), under_way: true, rows: vec![row], pages: pages() };
        check(&page.render().unwrap());
    }
}
