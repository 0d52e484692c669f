//! Everyone moves to another Apple team: before, during and after the sixty days, and what must
//! not happen on the way.

use std::time::Duration;

use russet::op::admin::Actor;
use russet::op::apple_transfer::{
    Collect, Exchange, Import, ImportReport, Progress, TransferError,
};
use russet::protocol::apple_transfer::TransferState;
use russet::protocol::client::ClientKind;
use russet::protocol::user::{Identity, User};
use russet::store::apple_transfers::TransferQuery;
use russet::upstream::UpstreamError;
use serde_json::json;

use crate::harness::app::{App, claims};
use crate::harness::{House, NEW_TEAM, SERVICES_ID};
use crate::on_each_engine;

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
/// The lease under which one run is at work.
pub(crate) const TURN: &str = "apple_transfer";

pub(crate) async fn collect(house: &House, dry_run: bool) -> Result<Progress, TransferError> {
    let target = Some(NEW_TEAM.to_owned());
    let connection = Some("apple".to_owned());
    let collect = Collect { connection, target, dry_run };
    let provider = &house.broker.broker.provider;
    Ok(provider.collect_apple_transfer(&Actor::cli(), &collect, &|_| {}).await?.1)
}

async fn exchange(house: &House) -> Result<Progress, TransferError> {
    let exchange = Exchange { connection: Some("work".to_owned()), dry_run: false };
    let provider = &house.broker.broker.provider;
    Ok(provider.exchange_apple_transfer(&Actor::cli(), &exchange, &|_| {}).await?.1)
}

async fn import(house: &House, rows: &[(&str, &str)], dry_run: bool) -> ImportReport {
    let rows = rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let target = Some(NEW_TEAM.to_owned());
    let import = Import { rows, from: None, target, dry_run };
    let provider = &house.broker.broker.provider;
    provider.import_apple_transfer(&Actor::cli(), import).await.expect("an import")
}

pub(crate) async fn accept(house: &House) {
    let asked = json!({ "client_id": SERVICES_ID, "to_team": NEW_TEAM });
    house.simulate("transfer", &asked).await;
}

pub(crate) async fn sub_of(house: &House, app: &App, connection: &str, person: &str) -> String {
    let attempt = app.attempt("openid").with("connection", connection);
    let end = app.sign_in(&mut house.browser(), &attempt, person).await;
    let code = end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url));
    let tokens = app.redeem(&attempt, &code).await;
    claims(tokens.text("id_token"))["sub"].as_str().expect("a sub").to_owned()
}

pub(crate) async fn person(house: &House, sub: &str) -> (User, Vec<Identity>) {
    let user = house.store().find_user_by_sub(sub).await.unwrap().expect("a person");
    let identities = house.store().list_identities(&user.id).await.unwrap();
    (user, identities)
}

async fn states(house: &House) -> Vec<TransferState> {
    let query = TransferQuery { limit: 100, ..TransferQuery::default() };
    let all = house.store().list_apple_transfers(&query).await.unwrap();
    let mut states: Vec<_> = all.iter().map(|one| one.state).collect();
    states.sort_by_key(|state| state.as_str());
    states
}

#[tokio::test]
async fn people_stay_who_they_are_before_during_and_after_the_move() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let ada = sub_of(&house, &app, "apple", "Ada Lovelace").await;
        let grace = sub_of(&house, &app, "apple", "Grace Hopper").await;
        let before = person(&house, &grace).await.0;

        let dry = collect(&house, true).await.expect("a dry run");
        assert_eq!((dry.total, dry.done), (2, 0));
        assert_eq!(states(&house).await, [], "a dry run writes nothing down");
        let collected = collect(&house, false).await.expect("collecting");
        assert_eq!((collected.total, collected.done, collected.left), (2, 2, 0));
        let again = collect(&house, false).await.expect("nothing left");
        assert_eq!((again.total, again.done), (0, 0));

        accept(&house).await;
        house.connect_new_team("KEY7654321").await;
        // During the sixty days: Ada comes by herself, and is known.
        assert_eq!(sub_of(&house, &app, "work", "Ada Lovelace").await, ada);
        assert_eq!(states(&house).await, [TransferState::Attached, TransferState::Collected]);
        // After: Grace is asked for.
        let exchanged = exchange(&house).await.expect("exchanging");
        assert_eq!((exchanged.total, exchanged.done), (1, 1));
        assert_eq!(exchange(&house).await.expect("nothing left").done, 0);
        let (after, identities) = person(&house, &grace).await;
        let authorities: Vec<_> = identities.iter().map(|one| one.authority.as_str()).collect();
        assert_eq!(authorities.len(), 2, "{authorities:?}");
        assert!(after.is_private_email && after.email != before.email, "a new relay address");
        assert_eq!(sub_of(&house, &app, "work", "Grace Hopper").await, grace);
        assert_eq!(states(&house).await, [TransferState::Attached, TransferState::Exchanged]);
        assert_eq!(house.events("apple_transfer.attached").await, 1);
    });
}

#[tokio::test]
async fn an_identifier_is_one_persons_and_nobody_is_matched_by_anything_else() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let ada = sub_of(&house, &app, "apple", "Ada Lovelace").await;
        let grace = sub_of(&house, &app, "apple", "Grace Hopper").await;
        let subject = |identities: &[Identity]| identities[0].subject.clone();
        let (ada_at, grace_at) =
            (subject(&person(&house, &ada).await.1), subject(&person(&house, &grace).await.1));

        let looked = import(&house, &[(&ada_at, "t-1")], true).await;
        assert_eq!((looked.imported, states(&house).await.len()), (1, 0));
        let rows = [
            (ada_at.as_str(), "t-1"),
            ("001234.nobody.0815", "t-2"),
            (grace_at.as_str(), "t-1"),
            (ada_at.as_str(), "t-3"),
            (ada_at.as_str(), "t-1"),
        ];
        let report = import(&house, &rows, false).await;
        assert_eq!((report.total, report.imported, report.unchanged), (5, 1, 1));
        assert_eq!(report.unknown, ["001234.nobody.0815"]);
        assert_eq!(report.conflicts, [grace_at.clone(), ada_at.clone()]);

        // Grace comes before anybody has told who she is: a new person, although the address is
        // the same. When her identifier is exchanged at last, nobody is made one.
        accept(&house).await;
        house.connect_new_team("KEY7654321").await;
        let stranger = sub_of(&house, &app, "work", "Grace Hopper").await;
        assert_ne!(stranger, grace);
        // Ada's row holds an identifier that is not hers: she is not attached by it either.
        assert_ne!(sub_of(&house, &app, "work", "Ada Lovelace").await, ada);
        let collected = collect(&house, false).await.expect("collecting");
        assert_eq!(collected.done, 1, "what is known of Ada is not replaced");
        let exchanged = exchange(&house).await.expect("exchanging");
        assert_eq!((exchanged.conflicts, exchanged.refused, exchanged.done), (1, 1, 0));
        assert_eq!(states(&house).await, [TransferState::Conflict, TransferState::Refused]);
        assert_eq!(person(&house, &grace).await.1.len(), 1);
    });
}

#[tokio::test]
async fn after_the_sixty_days_apple_moves_nobody_and_that_is_said() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let ada = sub_of(&house, &app, "apple", "Ada Lovelace").await;
    collect(&house, false).await.expect("collecting");
    accept(&house).await;
    house.connect_new_team("KEY7654321").await;
    house.advance(DAY * 61);
    let exchanged = exchange(&house).await.expect("exchanging");
    assert_eq!((exchanged.refused, exchanged.done), (1, 0));
    let query = TransferQuery { limit: 9, ..TransferQuery::default() };
    let all = house.store().list_apple_transfers(&query).await.unwrap();
    assert_eq!(all[0].reason.as_deref(), Some("not_transferable"));
    assert_ne!(sub_of(&house, &app, "work", "Ada Lovelace").await, ada);
}

#[tokio::test]
async fn a_wrong_key_of_the_team_stops_everything_before_anybody_is_touched() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    sub_of(&house, &app, "apple", "Ada Lovelace").await;
    collect(&house, false).await.expect("collecting");
    accept(&house).await;
    // The old team's key under the new team's name.
    house.connect_new_team("KEY1234567").await;
    let error = exchange(&house).await.expect_err("refused");
    let misconfigured = matches!(error, TransferError::Upstream(UpstreamError::Misconfigured(_)));
    assert!(misconfigured, "{error}");
    assert_eq!(states(&house).await, [TransferState::Collected]);
    house.simulate("faults", &json!({ "endpoint": "token", "fault": "invalid_client" })).await;
    assert!(collect(&house, false).await.is_err(), "the old team is asked first as well");
}

#[tokio::test]
async fn whoever_revoked_is_refused_and_the_others_go_on() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    sub_of(&house, &app, "apple", "Ada Lovelace").await;
    sub_of(&house, &app, "apple", "Grace Hopper").await;
    house.simulate("stop-using", &json!({ "account": "ada" })).await;
    let collected = collect(&house, false).await.expect("collecting");
    assert_eq!((collected.done, collected.refused), (1, 1));
    assert_eq!(states(&house).await, [TransferState::Collected, TransferState::Refused]);
}

pub(crate) async fn count(house: &House, state: TransferState) -> u64 {
    let counts = house.store().count_apple_transfers().await.unwrap();
    counts.iter().filter(|count| count.state == state).map(|count| count.people).sum()
}
