//! Change with safety: what a change touches is counted before it is saved, and what somebody else
//! saved meanwhile stands beside what was typed.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse};
use serde_json::Value;

use super::audit::changes_of;
use super::{Console, moment};
use crate::op::admin::effects::Effects;
use crate::op::admin::metadata::difference;
use crate::web::html;
use crate::web::page::admin::safety::{AskPage, Conflict};

/// `1 app` or `7 apps`.
pub(super) fn many(number: u64, one: &str, several: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {several}") }
}

/// What is alive through the thing that is about to be changed, in a sentence.
pub(super) fn touched(effects: &Effects) -> String {
    let living = effects.living;
    let clients = effects.clients.map(|number| match number {
        0 => "no client".to_owned(),
        number => many(number, "client", "clients"),
    });
    if living.people + living.sessions + living.grants == 0 {
        let clients = clients.map(|clients| format!("{clients} and ")).unwrap_or_default();
        return format!("It concerns {clients}nobody who is signed in.");
    }
    let parts = [
        clients.unwrap_or_default(),
        many(living.people, "person", "people"),
        many(living.sessions, "live session", "live sessions"),
        many(living.grants, "app access", "app accesses"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("It concerns {}.", parts.join(", "))
}

/// What somebody else saved while a form was filled in, against what was typed.
pub(super) async fn conflict(
    console: &Console,
    kind: &str,
    target: &str,
    stands: &Value,
    typed: &Value,
) -> Result<Conflict, Error> {
    let last = console.app.administration.last_change(kind, target).await;
    let last = last.map_err(|error| console.refuse(error))?;
    Ok(Conflict {
        event_url: last.as_ref().map(|last| console.url(&format!("/audit/{}", last.id))),
        who: last.map(|last| (last.event.actor, moment(last.event.at))),
        rows: changes_of(&difference(stands, typed)),
    })
}

/// A question before an act.
pub(super) struct Question {
    pub(super) heading: String,
    pub(super) consequences: Vec<String>,
    /// What must be typed.
    pub(super) name: Option<String>,
    pub(super) button: &'static str,
    pub(super) action: String,
    pub(super) back: String,
    /// What is sent along from the question to the act.
    pub(super) carried: Vec<(&'static str, String)>,
}

/// Asks it, or asks again because something else was typed.
pub(super) fn ask(console: &Console, question: Question, wrong: bool) -> HttpResponse {
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let template = AskPage {
        shell: console.shell(),
        heading: question.heading,
        consequences: question.consequences,
        name: question.name,
        wrong,
        button: question.button,
        action: question.action,
        back: question.back,
        carried: question.carried,
    };
    html::page(status, &template, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::living::Living;

    #[test]
    fn what_is_touched_is_said_in_numbers_and_in_the_right_form() {
        let living = Living { sessions: 1, grants: 2, people: 1 };
        assert_eq!(
            touched(&Effects { clients: Some(3), living }),
            "It concerns 3 clients, 1 person, 1 live session, 2 app accesses."
        );
        assert!(!touched(&Effects { clients: None, living }).contains("client"));
        let living = Living { sessions: 0, grants: 0, people: 0 };
        let touched = |clients| touched(&Effects { clients, living });
        assert_eq!(touched(None), "It concerns nobody who is signed in.");
        assert_eq!(touched(Some(1)), "It concerns 1 client and nobody who is signed in.");
        assert_eq!(touched(Some(0)), "It concerns no client and nobody who is signed in.");
    }
}
