//! Moves between Apple teams.

use serde_json::{Value, json};

use super::{Schema, list, number, of, one_of, or_null, page, seconds, sent, text, told, yes};

pub(in crate::web::api) const STANDING: Schema = Schema::new("AppleTransfers", standing);
pub(in crate::web::api) const RUN: Schema = Schema::new("NewAppleTransferRun", run);
pub(in crate::web::api) const BEGUN: Schema = Schema::new("AppleTransferBegun", begun);
pub(in crate::web::api) const RETRY: Schema = Schema::new("AppleTransferRetry", retry);
pub(in crate::web::api) const RETRIED: Schema = Schema::new("AppleTransfersRetried", retried);
pub(in crate::web::api) const PEOPLE: Schema = Schema::new("AppleTransferPeople", people);
/// How far somebody may have come.
pub(in crate::web::api) const STATES: &[&str] =
    &["pending", "collected", "exchanged", "attached", "refused", "conflict"];

fn standing() -> Value {
    let count = told(of([
        ("from_team", text()),
        ("to_team", text()),
        ("state", one_of(STATES)),
        ("people", number()),
    ]));
    let run = told(of([
        ("requested_by", text()),
        ("attempts", number()),
        ("begun_at", seconds()),
        ("due_at", seconds()),
        ("ended_at", or_null(seconds())),
        ("trouble", or_null(text())),
    ]));
    told(of([("running", yes()), ("run", or_null(run)), ("counts", list(count))]))
}

fn run() -> Value {
    let members = of([
        ("act", one_of(&["collect", "exchange"])),
        ("connection", or_null(text())),
        ("to_team", or_null(text())),
        ("dry_run", yes()),
    ]);
    sent(members, &["act"], &json!({ "act": "collect", "dry_run": true }))
}

fn begun() -> Value {
    told(of([("begun", yes()), ("people", number())]))
}

fn retry() -> Value {
    sent(of([("to_team", text())]), &["to_team"], &json!({ "to_team": "ABCDE12345" }))
}

fn retried() -> Value {
    told(of([("people", number())]))
}

fn people() -> Value {
    page(told(of([
        ("user_id", text()),
        ("from_team", text()),
        ("to_team", text()),
        ("subject", text()),
        ("new_subject", or_null(text())),
        ("state", one_of(STATES)),
        ("reason", or_null(text())),
        ("updated_at", seconds()),
    ])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::apple_transfer::TransferState;

    #[test]
    fn every_state_is_told() {
        assert_eq!(TransferState::ALL.map(TransferState::as_str), STATES);
    }
}
