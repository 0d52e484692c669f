//! Ten thousand people move with the command itself, through `kill -9` in both halves.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use russet::protocol::ambient::{TestClock, Timestamp};
use russet::protocol::apple_transfer::TransferState;
use russet::protocol::client::ClientKind;
use russet::protocol::id::UserId;
use russet::protocol::user::{Identity, User};
use russet::store::StoreFault;
use serde_json::{Value, json};

use crate::apple_transfer::{DAY, TURN, accept, count, person, sub_of};
use crate::harness::{Engine, House, NEW_TEAM, SERVICES_ID, TEAM};

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

/// The time passes after which whoever has the turn and is silent is taken for dead.
async fn dies(house: &House) {
    let now = system_now();
    let later = now.plus(DAY);
    let taken = house
        .store()
        .write(move |tx| Box::pin(async move { tx.take_lease(TURN, "nobody", now, later).await }));
    assert!(taken.await.unwrap());
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
    house.connect_new_team("KEY7654321").await;
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
        let earlier = house.apple_asked("usermigrationinfo").await;
        let begun = Instant::now();
        assert!(run(arguments, Some(killed_at)).await.unwrap().is_none(), "it was killed");
        dies(house).await;
        let survived = count(house, after).await;
        assert!(survived >= killed_at && survived < everyone, "{survived}");
        assert_eq!(count(house, before).await, everyone - survived);
        let answer = run(arguments, None).await.unwrap().expect("an answer");
        assert_eq!(answer[word], everyone - survived, "{answer}");
        assert_eq!(count(house, after).await, everyone);
        let questions = house.apple_asked("usermigrationinfo").await - earlier;
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
