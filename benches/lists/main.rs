//! Every list of the console over a large installation in PostgreSQL: is it there in 100 ms?
//!
//! `RUSSET_BENCH_POSTGRES=postgres://… cargo bench --bench lists`, where databases may be created.
//! The database `russet_lists` is filled by `seed.sql` (some minutes; about 8 GB), measured, and
//! dropped, unless `RUSSET_LISTS_KEEP` is set; then the next run measures it again. Other sizes by
//! `RUSSET_LISTS_PEOPLE`, `RUSSET_LISTS_CLIENTS` and `RUSSET_LISTS_EVENTS`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark, not the product"
)]

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::header::{COOKIE, SET_COOKIE};
use sea_orm::{ConnectionTrait as _, Database, Statement};

const DATABASE: &str = "russet_lists";
const PASSWORD: &str = "correct horse battery staple";
const ROUNDS: usize = 20;
const TARGET: Duration = Duration::from_millis(100);
/// 32 bytes that protect nothing.
const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A list, and the ways in which it is asked for.
const LISTS: [(&str, &str); 34] = [
    ("overview", "/admin"),
    ("clients", "/admin/clients"),
    ("clients, search", "/admin/clients?q=payroll"),
    ("clients, nothing found", "/admin/clients?q=nothing"),
    ("clients, unused", "/admin/clients?state=unused"),
    ("people, newest first", "/admin/people"),
    ("people, oldest first", "/admin/people?sort=oldest"),
    ("people, disabled", "/admin/people?state=disabled"),
    ("people, one letter", "/admin/people?q=a"),
    ("people, a name", "/admin/people?q=ada"),
    ("people, an address", "/admin/people?q=grace.hopper1"),
    ("people, a domain", "/admin/people?q=example"),
    ("people, disabled with a name", "/admin/people?q=ada&state=disabled"),
    ("people, nothing found", "/admin/people?q=zzzz"),
    ("sessions", "/admin/sessions"),
    ("sessions, oldest first", "/admin/sessions?sort=oldest"),
    ("sessions, a name", "/admin/sessions?q=ada"),
    ("sessions, nothing found", "/admin/sessions?q=zzzz"),
    ("connections", "/admin/connections"),
    ("tokens and issuers", "/admin/trust"),
    ("tokens and issuers, search", "/admin/trust?q=77"),
    ("keys of the admin API", "/admin/settings"),
    ("sign-ins", "/admin/sign-ins"),
    ("deletions", "/admin/deletions"),
    ("deletions under way", "/admin/deletions?state=under_way"),
    ("audit log", "/admin/audit"),
    ("audit log, an area", "/admin/audit?area=client"),
    ("audit log, what is newer", "/admin/audit?area=client&after=5000000"),
    ("audit log, a rare kind", "/admin/audit?kind=client.changed"),
    ("audit log, a day", "/admin/audit?from=2026-11-01&until=2026-11-02"),
    ("audit log, search", "/admin/audit?q=client-77"),
    ("audit log, a kind by an actor", "/admin/audit?kind=login.failed&actor=system"),
    ("audit log, what never was", "/admin/audit?kind=login.succeeded&actor=system"),
    ("audit log, the same by target", "/admin/audit?kind=grant.revoked&target=apple"),
];

struct Broker {
    child: Child,
    issuer: String,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn russet(url: &str, issuer: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_russet"));
    command
        .current_dir(std::env::temp_dir())
        .env("RUSSET_DATABASE__URL", url)
        .env("RUSSET_SECRETS__MASTER_KEY", MASTER_KEY)
        .env("RUSSET_SERVER__ISSUER", issuer)
        .env("RUSSET_SERVER__LISTEN", issuer.trim_start_matches("http://"))
        .env("RUSSET_RATE_LIMIT__ENABLED", "false")
        .env("RUSSET_LOG__LEVEL", "error");
    command
}

fn size(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::main]
async fn main() {
    let Ok(server) = std::env::var("RUSSET_BENCH_POSTGRES") else {
        println!("set RUSSET_BENCH_POSTGRES to the URL of a PostgreSQL server");
        return;
    };
    let mut url = url::Url::parse(&server).expect("a URL");
    url.set_path(DATABASE);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);

    let admin = Database::connect(&server).await.expect("the server");
    let there = format!("SELECT 1 AS one FROM pg_database WHERE datname = '{DATABASE}'");
    let there = Statement::from_string(admin.get_database_backend(), there);
    if admin.query_one_raw(there).await.expect("an answer").is_none() {
        admin.execute_unprepared(&format!("CREATE DATABASE {DATABASE}")).await.expect("created");
        seed(url.as_str(), &issuer).await;
    }
    let broker = serve(url.as_str(), &issuer).await;
    let late = measure(&broker).await;
    drop(broker);
    if std::env::var_os("RUSSET_LISTS_KEEP").is_none() {
        let drop = format!("DROP DATABASE {DATABASE} WITH (FORCE)");
        admin.execute_unprepared(&drop).await.expect("dropped");
    }
    assert!(late.is_empty(), "later than {TARGET:?}: {late:?}");
}

async fn seed(url: &str, issuer: &str) {
    let begun = Instant::now();
    let migrated = russet(url, issuer).arg("migrate").stdout(Stdio::null()).status();
    assert!(migrated.expect("russet").success(), "the schema was not made");
    let script = include_str!("seed.sql")
        .replace("{people}", &size("RUSSET_LISTS_PEOPLE", 1_000_000).to_string())
        .replace("{clients}", &size("RUSSET_LISTS_CLIENTS", 10_000).to_string())
        .replace("{events}", &size("RUSSET_LISTS_EVENTS", 10_000_000).to_string());
    let database = Database::connect(url).await.expect("the database");
    database.execute_unprepared(&script).await.expect("the seed");
    println!("seeded in {} s", begun.elapsed().as_secs());
}

async fn serve(url: &str, issuer: &str) -> Broker {
    let mut made = russet(url, issuer);
    made.args(["admin", "create", "--username", "lists", "--role", "owner", "--password-stdin"]);
    made.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = made.spawn().expect("russet");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(PASSWORD.as_bytes()).expect("a password");
    drop(stdin);
    // It may be there from the run before.
    let _ = child.wait();
    let child = russet(url, issuer).arg("serve").spawn().expect("russet");
    let broker = Broker { child, issuer: issuer.to_owned() };
    let begun = Instant::now();
    while reqwest::get(format!("{issuer}/readyz"))
        .await
        .map_or(true, |it| !it.status().is_success())
    {
        assert!(begun.elapsed() < Duration::from_secs(60), "the broker does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    broker
}

/// Measures every list; returns those that were late.
async fn measure(broker: &Broker) -> Vec<String> {
    let none = reqwest::redirect::Policy::none();
    let http = reqwest::Client::builder().redirect(none).no_proxy().build().expect("a client");
    let cookie = sign_in(&http, &broker.issuer).await;
    let mut late = Vec::new();
    println!("| list | median ms | slowest ms | next page, median ms |");
    println!("|---|---|---|---|");
    for (name, path) in LISTS {
        let (times, body) = asked(&http, &format!("{}{path}", broker.issuer), &cookie).await;
        let next = body
            .split("rel=\"next\" href=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .map(|path| path.replace("&#38;", "&"));
        let second = match next {
            None => None,
            Some(path) => Some(asked(&http, &format!("{}{path}", broker.issuer), &cookie).await.0),
        };
        let median = |times: &[Duration]| times.get(times.len() / 2).copied().unwrap_or_default();
        let shown = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
        let slowest = times.last().copied().unwrap_or_default();
        let after = second.as_deref().map(median);
        println!(
            "| {name} | {} | {} | {} |",
            shown(median(&times)),
            shown(slowest),
            after.map_or_else(|| "–".to_owned(), shown)
        );
        if median(&times).max(after.unwrap_or_default()) > TARGET {
            late.push(name.to_owned());
        }
    }
    late
}

/// Asks for a page again and again; the first time is not counted.
async fn asked(http: &reqwest::Client, url: &str, cookie: &str) -> (Vec<Duration>, String) {
    let mut times = Vec::new();
    let mut body = String::new();
    for round in 0..=ROUNDS {
        let begun = Instant::now();
        let answer = http.get(url).header(COOKIE, cookie).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{url}: {}", answer.status());
        body = answer.text().await.expect("a page");
        if round > 0 {
            times.push(begun.elapsed());
        }
    }
    times.sort_unstable();
    (times, body)
}

async fn sign_in(http: &reqwest::Client, issuer: &str) -> String {
    let address = format!("{issuer}/admin/login");
    let form = http.get(&address).send().await.expect("the form");
    let before = cookie_of(&form);
    let page = form.text().await.expect("a page");
    let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let fields = [("csrf", token.expect("a token")), ("username", "lists"), ("password", PASSWORD)];
    let posted = http.post(&address).header(COOKIE, before).form(&fields);
    let answer = posted.send().await.expect("an answer");
    assert!(answer.status().is_redirection(), "not signed in: {}", answer.status());
    cookie_of(&answer)
}

fn cookie_of(answer: &reqwest::Response) -> String {
    let cookie = answer.headers().get(SET_COOKIE).expect("a cookie").to_str().expect("text");
    cookie.split(';').next().unwrap_or_default().to_owned()
}
