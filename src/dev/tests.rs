//! `russet dev` as it is started, stopped, and started again.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use super::directory::{Directory, DirectoryError};
use super::{DevArgs, DevError, Neighbourhood, Places};
use crate::broker::World;
use crate::config::Config;
use crate::demo;
use crate::op::admin::{Actor, ClientChange, SignIn};
use crate::protocol::ambient::{SeededEntropy, TestClock, Timestamp};
use crate::protocol::id::ClientId;

const NOON: Timestamp = Timestamp::from_secs(1_795_521_600);

fn world(seed: u64) -> World {
    World { clock: Arc::new(TestClock::at(NOON)), entropy: Arc::new(SeededEntropy::new(seed)) }
}

/// The first of four free ports in a row.
fn four_ports() -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = first.local_addr().expect("its address").port();
        drop(first);
        if Places::at(port).is_ok_and(|places| places.are_free().is_ok()) {
            return port;
        }
    }
}

fn args(port: u16, data_dir: Option<&Path>) -> DevArgs {
    let data_dir = data_dir.map(Path::to_owned);
    DevArgs { port, data_dir, json: true, environment: Vec::new() }
}

async fn start(data_dir: Option<&Path>, seed: u64) -> Neighbourhood {
    start_in(data_dir, seed, &[]).await.expect("it starts")
}

/// Starts on ports that are free; whoever takes one in between only makes it try others.
async fn start_in(
    data_dir: Option<&Path>,
    seed: u64,
    environment: &[(&str, &str)],
) -> Result<Neighbourhood, DevError> {
    let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let environment: Vec<(String, String)> = environment.collect();
    loop {
        let args = DevArgs { environment: environment.clone(), ..args(four_ports(), data_dir) };
        match Neighbourhood::start(&args, world(seed)).await {
            Err(DevError::PortTaken { .. }) => {}
            outcome => return outcome,
        }
    }
}

fn told(neighbourhood: &Neighbourhood) -> Value {
    serde_json::from_str(&neighbourhood.banner.json()).expect("JSON")
}

#[tokio::test]
async fn everything_answers_and_leaves_nothing_behind() {
    let running = start(None, 1).await;
    let told = told(&running);
    let (port, issuer) = (running.broker.address().port(), told["issuer"].as_str());
    assert_eq!(issuer, Some(format!("http://127.0.0.1:{port}").as_str()));
    assert_eq!(told["apple"]["url"], format!("http://localhost:{}", port + 1));
    assert_eq!(told["demo_app"]["url"], format!("http://127.0.0.1:{}", port + 2));
    assert_eq!(told["demo_api"]["url"], format!("http://127.0.0.1:{}", port + 3));
    assert_eq!(told["console"]["url"], format!("http://127.0.0.1:{port}/admin"));
    for url in [&told["apple"]["url"], &told["demo_app"]["url"], &told["demo_api"]["url"]] {
        assert!(demo::answers(url.as_str().expect("a URL")).await, "{url}");
    }
    let config_file = told["config_file"].as_str().expect("a path").to_owned();
    assert!(Path::new(&config_file).is_file());
    running.stop().await;
    assert!(!Path::new(&config_file).parent().expect("a directory").exists());
}

#[tokio::test]
async fn the_clients_are_those_of_the_four_kinds() {
    let running = start(None, 2).await;
    let told = told(&running);
    for (kind, has_secret, has_redirect_uri) in [
        ("web", true, true),
        ("spa", false, true),
        ("native", false, true),
        ("machine", true, false),
    ] {
        let client = &told["clients"][kind];
        assert_eq!(client["client_id"], format!("demo-{kind}"));
        assert_eq!(client["client_secret"].is_string(), has_secret, "{client}");
        let redirect_uris = client["redirect_uris"].as_array().expect("a list");
        assert_eq!(!redirect_uris.is_empty(), has_redirect_uri, "{client}");
    }
    let administration = &running.broker.broker.administration;
    for (client_id, first_party) in [("demo-web", true), ("demo-spa", false)] {
        let client = administration.find_client(&ClientId::new(client_id)).await.expect("there");
        assert_eq!(client.first_party, first_party, "{client_id}");
        let told_api = told["demo_api"]["identifier"].as_str();
        assert_eq!(client.default_resource.as_deref(), told_api, "{client_id}");
    }
    let (username, password) = (&told["console"]["username"], &told["console"]["password"]);
    let session = administration
        .sign_in(
            username.as_str().expect("a name"),
            password.as_str().expect("a password").into(),
            None,
            None,
        )
        .await
        .expect("no fault");
    assert!(matches!(session, SignIn::Open(_)), "the printed login is good");
    running.stop().await;
}

#[tokio::test]
async fn a_second_run_finds_everything_again_on_other_ports() {
    let directory = TempDir::new().expect("a directory");
    let first = start(Some(directory.path()), 3).await;
    let before = told(&first);
    let change = ClientChange {
        redirect_uris: Some(vec!["http://localhost:3000/cb".to_owned()]),
        ..ClientChange::default()
    };
    let web = ClientId::new("demo-web");
    let administration = &first.broker.broker.administration;
    administration.update_client(&Actor::cli(), &web, change).await.expect("a change");
    first.stop().await;

    let second = start(Some(directory.path()), 4).await;
    let after = told(&second);
    assert_eq!(after["console"], {
        let mut console = before["console"].clone();
        console["url"] = after["console"]["url"].clone();
        console
    });
    for kind in ["web", "machine"] {
        assert_eq!(
            after["clients"][kind]["client_secret"],
            before["clients"][kind]["client_secret"]
        );
    }
    let app = after["demo_app"]["url"].as_str().expect("a URL");
    assert_eq!(
        after["clients"]["web"]["redirect_uris"],
        serde_json::json!([format!("{app}/callback"), "http://localhost:3000/cb"]),
        "what somebody registered stays, behind what this run needs"
    );
    second.stop().await;
    assert!(directory.path().join("russet.db").is_file());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let port = four_ports();
    let occupied = TcpListener::bind(("127.0.0.1", port + 2)).expect("a free port");
    let refused = Neighbourhood::start(&args(port, None), world(5)).await.map(|_| ());
    let message = refused.expect_err("taken").to_string();
    assert!(message.contains(&format!("port {} is taken", port + 2)), "{message}");
    assert!(message.contains("--port"), "{message}");
    drop(occupied);
}

#[test]
fn four_ports_must_fit() {
    for port in [0, 65_533, 65_535] {
        assert!(matches!(Places::at(port), Err(DevError::PortRange(_))), "{port}");
    }
    assert!(Places::at(65_532).is_ok());
}

fn furnish(path: &Path, port: u16) -> Result<(), DirectoryError> {
    let places = Places::at(port).expect("four ports");
    Directory::open(Some(path))?.furnish(&places, &SeededEntropy::new(6)).map(drop)
}

#[test]
fn an_address_beyond_this_machine_is_refused() {
    for listen in ["0.0.0.0:8080", "192.168.1.5:8080", "[::]:8080", "localhost:8080"] {
        let directory = TempDir::new().expect("a directory");
        let file = directory.path().join("russet.toml");
        fs::write(&file, format!("[server]\nlisten = \"{listen}\"\n")).expect("a file");
        let refused = furnish(directory.path(), 8080).expect_err(listen);
        assert!(matches!(refused, DirectoryError::NotLoopback { .. }), "{refused}");
        assert!(refused.to_string().contains(listen));
        assert!(!directory.path().join("master.key").exists(), "nothing was made");
    }
}

#[test]
fn keys_stay_and_what_somebody_added_stays() {
    let directory = TempDir::new().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    furnish(directory.path(), 8080).expect("furnished");
    let read = |name: &str| fs::read_to_string(path(name)).expect("a file");
    let keys = [read("master.key"), read("AuthKey_RUSSETKEY1.p8")];
    let config = format!("{}\n[log]\nlevel = \"debug\"\n", read("russet.toml"));
    fs::write(path("russet.toml"), config).expect("a file");

    furnish(directory.path(), 9090).expect("furnished again");
    assert_eq!([read("master.key"), read("AuthKey_RUSSETKEY1.p8")], keys);
    let config = Config::load(&path("russet.toml"), true, []).expect("a configuration");
    assert_eq!(config.issuer(), "http://127.0.0.1:9090");
    assert_eq!(config.log.level, "debug");
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let before = read("russet.toml");
    furnish(directory.path(), 9090).expect("furnished again");
    assert_eq!(read("russet.toml"), before);
}

#[test]
fn secrets_are_readable_by_their_owner_alone() {
    let directory = TempDir::new().expect("a directory");
    let inner = directory.path().join("state");
    furnish(&inner, 8080).expect("furnished");
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    for name in ["russet.toml", "master.key", "AuthKey_RUSSETKEY1.p8"] {
        assert_eq!(mode(&inner.join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_understood_is_named() {
    let directory = TempDir::new().expect("a directory");
    fs::write(directory.path().join("dev.json"), "{").expect("a file");
    let refused = furnish(directory.path(), 8080).expect_err("no JSON").to_string();
    assert!(refused.contains("dev.json") && refused.contains("--data-dir"), "{refused}");
}

#[tokio::test]
async fn variables_count_but_for_addresses_that_follow_from_the_port() {
    let elsewhere = [
        ("RUSSET_SERVER__ISSUER", "https://id.example.com"),
        ("RUSSET_LOCAL_ACCOUNTS__ENABLED", "true"),
        ("RUSSET_METRICS__LISTEN", "127.0.0.1:0"),
    ];
    let running = start_in(None, 7, &elsewhere).await.expect("it starts");
    let issuer = format!("http://{}", running.broker.address());
    assert_eq!(told(&running)["issuer"], issuer);
    assert!(running.broker.metrics_address().is_some());
    running.stop().await;
}

#[tokio::test]
async fn no_variable_makes_it_listen_to_others() {
    for name in ["RUSSET_SERVER__LISTEN", "RUSSET_METRICS__LISTEN"] {
        let refused = start_in(None, 8, &[(name, "0.0.0.0:0")]).await.err();
        let is_refused =
            matches!(refused, Some(DevError::Directory(DirectoryError::NotLoopback { .. })));
        assert!(is_refused, "{name}: {refused:?}");
    }
}
