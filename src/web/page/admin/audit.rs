//! The pages of `/admin/audit`.

use askama::Template;

use super::{Choice, Problems, Shell};

/// An event as a line of a list.
pub struct EventRow {
    /// Its own page.
    pub url: String,
    /// What happened, in words.
    pub title: String,
    /// Its kind.
    pub kind: String,
    /// Whether somebody should look at it.
    pub alarming: bool,
    /// Who did it.
    pub actor: String,
    /// To what; may be empty.
    pub target: String,
    /// When.
    pub at: String,
}

/// A view that somebody keeps for all.
pub struct KeptView {
    /// What it is called.
    pub name: String,
    /// The list, narrowed so.
    pub url: String,
    /// Whether it is what is shown.
    pub current: bool,
}

/// A receiver of the stream.
pub struct ReceiverRow {
    /// Names it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it listens.
    pub url: String,
    /// What it is told; empty for everything.
    pub area: String,
    /// The last link it took.
    pub seq: String,
    /// When it last took something.
    pub taken_at: Option<String>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When the next one is due.
    pub due_at: String,
}

/// The receivers of the stream.
#[derive(Template)]
#[template(path = "admin/audit/stream.html")]
pub struct StreamPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether the role may change them.
    pub is_owner: bool,
    /// Who signs.
    pub issuer: String,
    /// The receivers.
    pub receivers: Vec<ReceiverRow>,
    /// What was typed as the name of a new one.
    pub name: String,
    /// And as its address.
    pub url: String,
    /// What it shall be told.
    pub areas: Vec<Choice>,
    /// What was wrong.
    pub problems: Problems,
}

/// The list.
#[derive(Template)]
#[template(path = "admin/audit/list.html")]
pub struct ListPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was searched for.
    pub q: String,
    /// The views that are kept.
    pub views: Vec<KeptView>,
    /// The filter as an address has it.
    pub filter: String,
    /// The areas there are.
    pub areas: Vec<Choice>,
    /// A kind, exactly.
    pub kind: String,
    /// An actor.
    pub actor: String,
    /// A target.
    pub target: String,
    /// A request.
    pub request_id: String,
    /// The first day.
    pub from: String,
    /// The last day.
    pub until: String,
    /// Whether anything narrows the list.
    pub narrowed: bool,
    /// Whether the further filters are unfolded.
    pub open: bool,
    /// One page of events.
    pub rows: Vec<EventRow>,
    /// Whether this is not the first page.
    pub paged: bool,
    /// Whether it shows what came after an event.
    pub newer: bool,
    /// What came after this page.
    pub newer_url: Option<String>,
    /// Where what is new is asked for, unless this is a page further back.
    pub follow_url: Option<String>,
    /// The first page.
    pub first_url: String,
    /// Whether there may be more further back than was looked at.
    pub further: bool,
    /// The page after.
    pub next_url: Option<String>,
    /// The same as JSON Lines.
    pub jsonl_url: String,
    /// The same as CSV.
    pub csv_url: String,
}

/// What was changed of one member.
pub struct Change {
    /// Its name.
    pub member: String,
    /// What it was.
    pub before: String,
    /// What it is.
    pub after: String,
}

/// One event.
#[derive(Template)]
#[template(path = "admin/audit/show.html")]
pub struct EventPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What happened, in words.
    pub title: String,
    /// Its kind.
    pub kind: String,
    /// When.
    pub at: String,
    /// Why, as they said it.
    pub reason: Option<String>,
    /// Who.
    pub actor: String,
    /// The page about them.
    pub actor_url: Option<String>,
    /// To what.
    pub target: Option<String>,
    /// The page about it.
    pub target_url: Option<String>,
    /// Under which request.
    pub request_id: Option<String>,
    /// Why it failed, if it did.
    pub cause: Option<String>,
    /// What mends it.
    pub remedy: Option<String>,
    /// What was changed.
    pub changes: Vec<Change>,
    /// Everything else, as JSON.
    pub detail: Option<String>,
    /// Its link in the chain.
    pub link: Option<String>,
    /// What else happened under the same request.
    pub related: Vec<EventRow>,
}

/// What a walk along the chain found.
#[derive(Template)]
#[template(path = "admin/audit/verify.html")]
pub struct VerifyPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Links looked at.
    pub checked: u64,
    /// The last link that was let go; 0 if none was.
    pub from: i64,
    /// Events that wait for their link.
    pub unchained: u64,
    /// The newest link.
    pub head: Option<String>,
    /// What is wrong.
    pub faults: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{choices, shell};
    use crate::web::page::hostile::{check, text};

    fn row() -> EventRow {
        EventRow {
            url: text(),
            title: text(),
            kind: text(),
            alarming: true,
            actor: text(),
            target: text(),
            at: text(),
        }
    }

    fn list(rows: Vec<EventRow>, narrowed: bool) -> ListPage {
        ListPage {
            shell: shell(),
            q: text(),
            views: vec![KeptView { name: text(), url: text(), current: true }],
            filter: text(),
            areas: choices(),
            kind: text(),
            actor: text(),
            target: text(),
            request_id: text(),
            from: text(),
            until: text(),
            narrowed,
            open: true,
            rows,
            paged: narrowed,
            newer: false,
            newer_url: Some(text()),
            follow_url: Some(text()),
            first_url: text(),
            further: false,
            next_url: Some(text()),
            jsonl_url: text(),
            csv_url: text(),
        }
    }

    #[test]
    fn the_pages_of_the_log_show_what_was_recorded_as_text() {
        check(&list(vec![row()], true).render().unwrap());
        check(&list(Vec::new(), true).render().unwrap());
        assert!(list(Vec::new(), false).render().unwrap().contains("Nothing has happened yet"));
        let event = EventPage {
            shell: shell(),
            title: text(),
            kind: text(),
            at: text(),
            reason: Some(text()),
            actor: text(),
            actor_url: Some(text()),
            target: Some(text()),
            target_url: Some(text()),
            request_id: Some(text()),
            cause: Some(text()),
            remedy: Some(text()),
            changes: vec![Change { member: text(), before: text(), after: text() }],
            detail: Some(text()),
            link: Some(text()),
            related: vec![row()],
        };
        check(&event.render().unwrap());
        let verified = VerifyPage {
            shell: shell(),
            checked: 1,
            from: 1,
            unchained: 1,
            head: Some(text()),
            faults: vec![text()],
        };
        check(&verified.render().unwrap());
        let stream = StreamPage {
            shell: shell(),
            is_owner: true,
            issuer: text(),
            receivers: vec![ReceiverRow {
                id: text(),
                name: text(),
                url: text(),
                area: text(),
                seq: text(),
                taken_at: None,
                error: Some(text()),
                due_at: text(),
            }],
            name: text(),
            url: text(),
            areas: Vec::new(),
            problems: Problems::default(),
        };
        check(&stream.render().unwrap());
    }
}
