//! A soak of the daily check: 100,000 grants, one day, minute by minute.
//!
//! `cargo bench --bench daily_check`; `RUSSET_SOAK_GRANTS` takes another number. Everybody signed in
//! within one hour, the worst crowd there can be; the schedule is followed for as long as it takes
//! to come to rest, and the day after that is lived through with the real job, connector, HTTP
//! client and SQLite database against an Apple on loopback that answers every refresh.
//! `RUSSET_SOAK_DATABASE=postgres://…/NAME` takes an empty database in place of it.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark, not the product"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use russet::op::master_key::VaultKeeper;
use russet::op::registration::RegistrationPolicy;
use russet::op::{Parts, Policy, Provider};
use russet::protocol::ambient::{Clock, Entropy, TestClock, Timestamp};
use russet::protocol::id::{ConnectionId, UserId};
use russet::protocol::master_key::MasterKeys;
use russet::protocol::secret::Vault;
use russet::protocol::upstream_grant::UpstreamGrant;
use russet::protocol::user::{Identity, User};
use russet::simulator::developer_key;
use russet::store::{Store, StoreFault};
use russet::upstream::Connector;
use russet::upstream::apple::{AppleConnector, AppleSettings};
use russet::upstream::http::{Outbound, OutboundSettings};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const START: Timestamp = Timestamp::from_secs(1_795_521_600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MINUTE: Duration = Duration::from_secs(60);
const CLIENT: &str = "com.example.web";
const TEAM: &str = "TEAM123456";
const SETTLED_AFTER: u32 = 25;

struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the benchmark is its own main.rs")]
    fn fill(&self, buffer: &mut [u8]) {
        aws_lc_rs::rand::fill(buffer).expect("randomness");
    }
}

/// Resident memory now and at its highest, in MiB.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        let kib = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
        kib.unwrap_or_default() / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// An Apple that knows one answer.
fn apple(asked: Arc<AtomicU32>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let server = HttpServer::new(move || {
        let asked = Arc::clone(&asked);
        App::new().default_service(web::to(move |_: web::Bytes| {
            asked.fetch_add(1, Ordering::Relaxed);
            async { HttpResponse::Ok().body(r#"{"access_token":"a","token_type":"Bearer"}"#) }
        }))
    });
    let server = server.workers(1).disable_signals().listen(listener).expect("a socket").run();
    tokio::spawn(server);
    origin
}

fn histogram(times: impl Iterator<Item = Timestamp>) -> [u32; 24] {
    let mut hours = [0; 24];
    for at in times {
        hours[usize::try_from(at.secs().rem_euclid(86_400) / 3600).unwrap()] += 1;
    }
    hours
}

async fn plant(store: &Store, vault: &Vault, number: u32) -> Vec<UpstreamGrant> {
    let mut grants = Vec::new();
    for batch in (0..number).collect::<Vec<_>>().chunks(1000) {
        let mut rows = Vec::new();
        for n in batch {
            // All within an hour.
            let signed_in = START.plus(Duration::from_secs(u64::from(n % 3600)));
            let user = UserId::new(format!("user-{n:06}"));
            let subject = format!("001234.{n:032}.0815");
            let mut grant = UpstreamGrant::obtained(
                user,
                format!("apple:{TEAM}"),
                CLIENT.to_owned(),
                subject,
                signed_in,
            );
            let token = format!("r.{n:0100}");
            grant.sealed_refresh_token = vault.seal(&grant.bound_to(), token.as_bytes()).unwrap();
            rows.push(grant);
        }
        grants.extend(rows.clone());
        let acted = store.write(move |tx| {
            Box::pin(async move {
                for mut grant in rows {
                    let at = grant.issued_at;
                    tx.insert_user(&User {
                        id: grant.user_id.clone(),
                        sub: grant.subject.clone(),
                        name: None,
                        given_name: None,
                        family_name: None,
                        email: None,
                        email_verified: false,
                        is_private_email: false,
                        claims: Default::default(),
                        disabled_at: None,
                        created_at: at,
                        updated_at: at,
                    })
                    .await?;
                    tx.insert_identity(&Identity {
                        authority: grant.authority.clone(),
                        subject: grant.subject.clone(),
                        user_id: grant.user_id.clone(),
                        connection_id: ConnectionId::new("apple"),
                        email: None,
                        email_proven: false,
                        created_at: at,
                        last_login_at: at,
                        email_undeliverable_since: None,
                        ended_at: None,
                    })
                    .await?;
                    grant.next_check_at = Some(settled(&grant));
                    tx.put_upstream_grant(&grant).await?;
                }
                Ok::<_, StoreFault>(())
            })
        });
        acted.await.expect("rows");
    }
    grants
}

/// When the check comes once the schedule has come to rest.
fn settled(grant: &UpstreamGrant) -> Timestamp {
    let mut next = grant.next_check_after_sign_in(grant.issued_at);
    for _ in 1..SETTLED_AFTER {
        next = grant.next_check(next);
    }
    next
}

#[actix_web::main]
async fn main() {
    let number = std::env::var("RUSSET_SOAK_GRANTS").ok().and_then(|n| n.parse().ok());
    let number: u32 = number.unwrap_or(100_000);
    let directory = tempfile::tempdir().expect("a directory");
    let file = format!("sqlite://{}", directory.path().join("russet.db").display());
    let url = std::env::var("RUSSET_SOAK_DATABASE").unwrap_or(file);
    let store = Store::connect(&url).await.expect("a database");
    store.migrate().await.expect("a schema");
    let clock = Arc::new(TestClock::at(START));
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let masters = MasterKeys::from_base64(&Vault::generate_master_key(entropy.as_ref()), &[]);
    let keeper = VaultKeeper::open(
        store.clone(),
        masters.unwrap(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::clone(&entropy),
    );
    let keeper = Arc::new(keeper.await.expect("data keys"));

    let grants = plant(&store, keeper.vault(), number).await;
    println!("{number} grants, all obtained within one hour; busiest hour of the day, share:");
    let mut due: Vec<_> =
        grants.iter().map(|one| one.next_check_after_sign_in(one.issued_at)).collect();
    for day in 1..=SETTLED_AFTER {
        if [1, 2, 4, 8, 16, SETTLED_AFTER].contains(&day) {
            let worst = histogram(due.iter().copied()).into_iter().max().unwrap_or(0);
            println!("  day {day:>2}: {:>5.1} %", f64::from(worst) * 100.0 / f64::from(number));
        }
        for (grant, at) in grants.iter().zip(&mut due) {
            *at = grant.next_check(*at);
        }
    }
    let first = grants.iter().map(settled).min().expect("a grant");
    drop((grants, due));

    let asked = Arc::new(AtomicU32::new(0));
    let origin = apple(Arc::clone(&asked));
    let outbound = Outbound::new(OutboundSettings {
        named: Vec::new(),
        ca_pem: None,
        allow_private: vec!["127.0.0.0/8".parse().unwrap()],
        user_agent: "Russet/bench".to_owned(),
        timeout: russet::upstream::http::TIMEOUT,
    });
    let (p8, _) = developer_key().expect("a key");
    let settings = AppleSettings {
        mail_sender_domain: None,
        private_key_file: None,
        connection_id: ConnectionId::new("apple"),
        team_id: TEAM.to_owned(),
        key_id: "KEY1234567".to_owned(),
        private_key: p8,
        services_id: Some(CLIENT.to_owned()),
        bundle_ids: Vec::new(),
        issuer: origin.parse().unwrap(),
        additional_issuers: Vec::new(),
        display_name: "Apple".to_owned(),
        next_key: None,
        primary_app_id: None,
        pkce: true,
        link_by_verified_email: false,
    };
    let connector = AppleConnector::new(settings, outbound.clone()).expect("a connector");
    let provider = Provider::new(Parts {
        issuer: "https://id.example.com".to_owned(),
        mutual_tls: russet::op::mutual_tls::MutualTls::default(),
        policy: Policy::default(),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        entropy,
        vault_keeper: keeper,
        store,
        connectors: vec![Arc::new(connector) as Arc<dyn Connector>],
        local_passwords: None,
        registration: RegistrationPolicy::default(),
        outbound,
    });

    let (before, _) = memory();
    clock.advance(first.since(START));
    let began = std::time::Instant::now();
    let mut minutes = Vec::new();
    for _ in 0..DAY.as_secs() / MINUTE.as_secs() {
        clock.advance(MINUTE);
        let earlier = asked.load(Ordering::Relaxed);
        let round = provider.daily_check("soak").await.expect("a round");
        let these = asked.load(Ordering::Relaxed) - earlier;
        assert_eq!(round.good, these, "every question has its answer");
        minutes.push(these);
    }
    let took = began.elapsed();
    let (after, highest) = memory();
    let hours: Vec<u32> = minutes.chunks(60).map(|hour| hour.iter().sum()).collect();
    let total: u32 = minutes.iter().sum();
    println!("one day through the real job, {:.0} s of real time:", took.as_secs_f64());
    println!("  questions     {total} for {number} grants");
    println!(
        "  an hour       {} to {}, even would be {}",
        hours.iter().min().unwrap(),
        hours.iter().max().unwrap(),
        number / 24
    );
    println!(
        "  a minute      {} to {}, even would be {}",
        minutes.iter().min().unwrap(),
        minutes.iter().max().unwrap(),
        number / 1440
    );
    println!("  work          {:.0} µs a question", took.as_micros() as f64 / f64::from(total));
    println!("  resident      {before} MiB before, {after} MiB after, {highest} MiB at most ever");
}
