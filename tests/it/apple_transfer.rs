//! Everyone moves to another Apple team: before, during and after the sixty days, and what must
//! not happen on the way.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use russet::op::admin::{Actor, NewConnection};
use russet::op::apple_transfer::{
    Collect, Exchange, Import, ImportReport, Progress, TransferError,
};
use russet::protocol::ambient::{TestClock, Timestamp};
use russet::protocol::apple_transfer::TransferState;
use russet::protocol::client::ClientKind;
use russet::protocol::connection::{AppleMembers, ConnectionSecrets, ConnectionSettings};
use russet::protocol::id::UserId;
use russet::protocol::user::{Identity, User};
use russet::store::StoreFault;
use russet::store::apple_transfers::TransferQuery;
use russet::upstream::UpstreamError;
use serde_json::{Value, json};

use crate::harness::app::{App, claims};
use crate::harness::{Engine, House, NEW_TEAM, SERVICES_ID, TEAM};
use crate::on_each_engine;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The connection of the team that people move to, with this key of the developer's.
async fn new_team(house: &House, key_id: &str) {
    let new = NewConnection {
        id: "work".to_owned(),
        display_name: None,
        position: None,
        enabled: true,
        settings: ConnectionSettings::Apple(AppleMembers {
            team_id: NEW_TEAM.to_owned(),
            key_id: key_id.to_owned(),
            next_key_id: None,
            services_id: Some(SERVICES_ID.to_owned()),
            bundle_ids: Vec::new(),
            primary_app_id: None,
            issuer: house.apple.issuer().to_owned(),
            additional_issuers: Vec::new(),
            pkce: true,
            mail_sender_domain: None,
        }),
        secrets: ConnectionSecrets {
            private_key: Some(house.apple_key()),
            ..ConnectionSecrets::default()
        },
    };
    let administration = &house.broker.broker.administration;
    administration.create_connection(&Actor::cli(), new).await.expect("a connection");
    house.broker.broker.provider.reload_connectors().await.expect("reloading");
}

async fn collect(house: &House, dry_run: bool) -> Result<Progress, TransferError> {
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

async fn accept(house: &House) {
    let asked = json!({ "client_id": SERVICES_ID, "to_team": NEW_TEAM });
    house.simulate("transfer", &asked).await;
}

async fn sub_of(house: &House, app: &App, connection: &str, person: &str) -> String {
    let attempt = app.attempt("openid").with("connection", connection);
    let end = app.sign_in(&mut house.browser(), &attempt, person).await;
    let code = end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url));
    let tokens = app.redeem(&attempt, &code).await;
    claims(tokens.text("id_token"))["sub"].as_str().expect("a sub").to_owned()
}

async fn person(house: &House, sub: &str) -> (User, Vec<Identity>) {
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
        new_team(&house, "KEY7654321").await;
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
        new_team(&house, "KEY7654321").await;
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
    new_team(&house, "KEY7654321").await;
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
    new_team(&house, "KEY1234567").await;
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

#[expect(clippy::disallowed_methods, reason = "the command line runs by the system's clock")]
fn system_now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// Runs `russet apple transfer …`, killed with SIGKILL at its first word that so many are done.
/// Apple's clock follows. Returns what it answered.
fn transfer(
    environment: &[(String, String)],
    clock: &Arc<TestClock>,
    arguments: &[&str],
    kill_at: Option<u64>,
) -> Option<Value> {
    use russet::protocol::ambient::Clock as _;
    let mut child = Command::new(env!("CARGO_BIN_EXE_russet"))
        .args(["apple", "transfer"])
        .args(arguments)
        .arg("--json")
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    let stderr = BufReader::new(child.stderr.take().expect("its stderr"));
    let mut said = Vec::new();
    for line in stderr.lines().map_while(Result::ok) {
        clock.advance(system_now().since(clock.now()));
        let done = line.split_once(" of ").and_then(|(done, _)| done.parse::<u64>().ok());
        if kill_at.is_some_and(|at| done.is_some_and(|done| done >= at)) {
            child.kill().expect("killing");
            child.wait().expect("its end");
            return None;
        }
        said.push(line);
    }
    let output = child.wait_with_output().expect("its answer");
    assert!(output.status.success(), "{said:#?}");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

async fn count(house: &House, state: TransferState) -> u64 {
    let counts = house.store().count_apple_transfers().await.unwrap();
    counts.iter().filter(|count| count.state == state).map(|count| count.people).sum()
}

async fn asked(house: &House) -> usize {
    let journal = house.http().get(format!("{}/_sim/journal", house.apple.issuer())).send().await;
    let journal: Vec<Value> = journal.unwrap().json().await.unwrap();
    journal.iter().filter(|entry| entry["endpoint"] == "usermigrationinfo").count()
}

/// Many people with an identity in the old team.
async fn seed(house: &House, template: (User, Identity), subs: Vec<String>) {
    let mut numbered = subs.into_iter().enumerate().peekable();
    while numbered.peek().is_some() {
        let page: Vec<_> = numbered.by_ref().take(1000).collect();
        let (user, identity) = template.clone();
        house
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    for (number, subject) in page {
                        let id = UserId::new(format!("crowd-{number:06}"));
                        let user = User {
                            id: id.clone(),
                            sub: format!("sub-{number:06}"),
                            ..user.clone()
                        };
                        tx.insert_user(&user).await?;
                        let identity = Identity { subject, user_id: id, ..identity.clone() };
                        tx.insert_identity(&identity).await?;
                    }
                    Ok::<_, StoreFault>(())
                })
            })
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_people_move_through_two_kills_and_nothing_is_done_twice() {
    for engine in Engine::all() {
        // The same on PostgreSQL, where each step is a transaction of its own, with fewer.
        let (crowd, killed_at) = match engine {
            Engine::Sqlite => (10_000, 2_000),
            Engine::Postgres => (1_000, 300),
        };
        rehearse(&House::at(system_now(), engine).await, crowd, killed_at).await;
    }
}

/// Moves `crowd` people with the command itself, killed in both halves when it says that
/// `killed_at` are done.
async fn rehearse(house: &House, crowd: usize, killed_at: u64) {
    let app = house.client(ClientKind::Web, |_| {}).await;
    let ada = sub_of(house, &app, "apple", "Ada Lovelace").await;
    let (user, identities) = person(house, &ada).await;
    let asked_for = json!({ "people": crowd, "client_id": SERVICES_ID });
    let told = house.simulate("crowd", &asked_for).await;
    let subs: Vec<String> = serde_json::from_value(told["subs"].clone()).unwrap();
    seed(house, (user, identities[0].clone()), subs.clone()).await;
    new_team(house, "KEY7654321").await;
    let everyone = u64::try_from(crowd).unwrap() + 1;

    let run = |arguments: &'static [&'static str], kill_at| {
        let (environment, clock) = (house.environment().to_vec(), Arc::clone(&house.clock));
        tokio::task::spawn_blocking(move || transfer(&environment, &clock, arguments, kill_at))
    };
    let mut figures = Vec::new();
    for (arguments, before, after, word) in [
        (
            ["collect", "--connection", "apple", "--target", NEW_TEAM].as_slice(),
            TransferState::Pending,
            TransferState::Collected,
            "collected",
        ),
        (
            ["exchange", "--connection", "work"].as_slice(),
            TransferState::Collected,
            TransferState::Exchanged,
            "exchanged",
        ),
    ] {
        if after == TransferState::Exchanged {
            accept(house).await;
        }
        let earlier = asked(house).await;
        let begun = Instant::now();
        assert!(run(arguments, Some(killed_at)).await.unwrap().is_none(), "it was killed");
        let survived = count(house, after).await;
        assert!(survived >= killed_at && survived < everyone, "{survived}");
        assert_eq!(count(house, before).await, everyone - survived);
        let answer = run(arguments, None).await.unwrap().expect("an answer");
        assert_eq!(answer[word], everyone - survived, "{answer}");
        assert_eq!(count(house, after).await, everyone);
        let questions = asked(house).await - earlier;
        // Only those that were being asked when the process died are asked twice.
        assert!(questions <= crowd + 1 + 16, "{questions}");
        figures.push(format!(
            "{word}: {everyone} people, killed at {survived}, {questions} questions, {:.1} s",
            begun.elapsed().as_secs_f64()
        ));
    }
    for (number, subject) in subs.iter().enumerate().step_by(997) {
        let id = UserId::new(format!("crowd-{number:06}"));
        let identities = house.store().list_identities(&id).await.unwrap();
        assert_eq!(identities.len(), 2);
        assert!(
            identities
                .iter()
                .any(|one| one.subject == *subject && one.authority == format!("apple:{TEAM}"))
        );
        assert!(identities.iter().any(|one| one.authority == format!("apple:{NEW_TEAM}")));
    }
    assert_eq!(sub_of(house, &app, "work", "Ada Lovelace").await, ada);
    eprintln!("{}", figures.join("\n"));
}
