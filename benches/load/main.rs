//! The broker under load, beside what the machine allows: `cargo bench --bench load`.
//!
//! One run starts `russet serve` and a bare actix-web server, drives both with the same load, and
//! prints rates and ratios; `docs/benchmarks.md` says what each line means. `RUSSET_BENCH_SECONDS`
//! sets how long each of the three rounds of a line lasts (2).

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark, not the product: it stops at the first thing that is not as it should be"
)]

mod bare;
mod generator;
mod process;
mod seed;
mod signatures;
mod stories;

use std::time::Duration;

use russet::protocol::jose::Algorithm;
use russet::protocol::secret::Vault;

use generator::{Conversation, Repeat, Run, get, post};
use process::{Home, Server};
use seed::{Seed, SystemEntropy};
use stories::{Login, Refresh};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 3;
const STARTS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, port] = arguments.as_slice()
        && word == "bare"
    {
        return bare::serve(port.parse().expect("a port"));
    }
    process::build_the_release();
    let seconds = std::env::var("RUSSET_BENCH_SECONDS").ok().and_then(|text| text.parse().ok());
    let round = Duration::from_secs_f64(seconds.unwrap_or(2.0));
    println!("load average before: {}", load_average());

    let directory = tempfile::tempdir().expect("a directory");
    let master_key = Vault::generate_master_key(&SystemEntropy).expose().clone();
    let vault = Vault::from_base64(&master_key).expect("the key just made");
    let home = Home {
        directory: directory.path().to_owned(),
        master_key: master_key.clone(),
        port: process::free_port(),
    };
    starts(&home, &master_key);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let seed = runtime.block_on(seed::plant(&home.database_url(), &vault, 2 * CONNECTIONS));
    drop(runtime);

    let broker = home.serve("/readyz");
    std::thread::sleep(Duration::from_secs(1));
    let idle = broker.memory();
    let bench = Bench { bare: process::bare(), broker, round };
    println!(
        "\n{:<28} {:>9} {:>8} {:>8} {:>8} {:>9}  {:<30} {:>6}",
        "what", "per s", "p50 ms", "p99 ms", "cpu µs", "of", "", "target"
    );
    bench.documents();
    bench.client_credentials(&seed);
    bench.people(&seed);
    println!();
    line("memory, idle", idle, "MiB", idle <= 20.0, "≤ 20");
    let after = bench.broker.memory();
    line("memory, after load", after, "MiB", after <= 50.0, "≤ 50");
    println!("\nload average after: {}", load_average());
}

/// From the start of the process to the first answer: in an empty directory, where schema and keys
/// are made first, and with the database that this left.
fn starts(home: &Home, master_key: &str) {
    let milliseconds = |ready: Duration| ready.as_secs_f64() * 1000.0;
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let discovery = "/.well-known/openid-configuration";
    let empty = |path: &str| {
        let new = tempfile::tempdir().expect("a directory");
        let port = process::free_port();
        let (directory, master_key) = (new.path().to_owned(), master_key.to_owned());
        milliseconds(Home { directory, master_key, port }.serve(path).ready)
    };
    let first = median((0..STARTS).map(|_| empty(discovery)).collect());
    line("start, empty directory", first, "ms", first <= 300.0, "≤ 300");
    let keys = median((0..STARTS).map(|_| empty("/readyz")).collect());
    println!("{:<28} {keys:>9.0} ms", "  until all keys are made");
    drop(home.serve("/readyz"));
    let again = median((0..STARTS).map(|_| milliseconds(home.serve("/readyz").ready)).collect());
    line("start, existing database", again, "ms", again <= 50.0, "≤ 50");
}

fn line(what: &str, value: f64, unit: &str, met: bool, target: &str) {
    println!("{what:<28} {value:>9.1} {unit:<4} target {target}: {}", verdict(met));
}

const fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// What one side of a comparison did, in all rounds together.
#[derive(Default)]
struct Measured {
    run: Run,
    /// Processor time of the server, seconds.
    cpu: f64,
}

impl Measured {
    fn round<C: Conversation>(&mut self, server: &Server, all: &mut [C], time: Duration) {
        let before = server.cpu();
        self.run.add(generator::run(server.address, all, time));
        self.cpu += server.cpu() - before;
    }

    fn cpu_micros(&self) -> f64 {
        self.cpu * 1e6 / (self.run.rate() * self.run.time.as_secs_f64()).max(1.0)
    }

    /// Prints a line; `of` is what the rate is compared with.
    fn print(&mut self, what: &str, of: Option<(f64, &str)>, target: Option<Target>) {
        let rate = self.run.rate();
        let (p50, p99) = (self.run.within(50), self.run.within(99));
        let share = of.map_or(String::new(), |(of, _)| format!("{:.0} %", 100.0 * rate / of));
        let met = target.as_ref().map(|target| match target {
            Target::Share(share) => of.is_some_and(|(of, _)| rate >= share * of),
            Target::Rate(least) => rate >= *least,
        });
        let target = target.map_or(String::new(), |target| match target {
            Target::Share(share) => format!("≥ {:.0} %", share * 100.0),
            Target::Rate(least) => format!("≥ {least:.0}"),
        });
        println!(
            "{what:<28} {rate:>9.0} {p50:>8.2} {p99:>8.2} {:>8.1} {share:>9}  {:<30} {target:>6} {}",
            self.cpu_micros(),
            of.map_or(String::new(), |(of, name)| format!("{name} ({of:.0})")),
            met.map_or("", verdict),
        );
    }
}

enum Target {
    /// Part of what the rate is compared with.
    Share(f64),
    /// Per second.
    Rate(f64),
}

struct Bench {
    bare: Server,
    broker: Server,
    round: Duration,
}

impl Bench {
    /// A request to the broker, and the same to the bare server with an answer of the same size.
    fn pair(&self, of_path: impl Fn(&str) -> Vec<u8>, path: &str) -> (Vec<Repeat>, Vec<Repeat>) {
        let repeat = |request: &Vec<u8>| {
            (0..CONNECTIONS).map(|_| Repeat { request: request.clone(), size: 0 }).collect()
        };
        let mut ours: Vec<Repeat> = repeat(&of_path(path));
        generator::run(self.broker.address, &mut ours, self.round / 4);
        let size = ours.first().map_or(0, |first| first.size);
        let mut bare: Vec<Repeat> = repeat(&of_path(&format!("/{size}")));
        generator::run(self.bare.address, &mut bare, self.round / 4);
        (ours, bare)
    }

    fn documents(&self) {
        for (what, path) in [("discovery", "/.well-known/openid-configuration"), ("JWKS", "/jwks")]
        {
            let (mut ours, mut bare) = self.pair(|path| get(path, ""), path);
            let (mut broker, mut measure) = (Measured::default(), Measured::default());
            for _ in 0..ROUNDS {
                measure.round(&self.bare, &mut bare, self.round);
                broker.round(&self.broker, &mut ours, self.round);
            }
            measure.print(&format!("  bare handler, {what}"), None, None);
            let bare_rate = measure.run.rate();
            broker.print(what, Some((bare_rate, "bare handler")), Some(Target::Share(0.85)));
        }
    }

    fn client_credentials(&self, seed: &Seed) {
        let form = "grant_type=client_credentials&scope=read";
        let (before, mut tokens) = (self.broker.written(), 0);
        for (alg, authorization) in &seed.machines {
            let (mut ours, mut bare) = self.pair(|path| post(path, authorization, form), "/token");
            let (mut broker, mut measure) = (Measured::default(), Measured::default());
            let key = signatures::key(*alg);
            let mut signing = 0.0;
            for _ in 0..ROUNDS {
                #[expect(clippy::cast_precision_loss, reason = "a small number")]
                let part = 1.0 / ROUNDS as f64;
                signing += part * signatures::rate(&key, 2, self.round / 2);
                measure.round(&self.bare, &mut bare, self.round);
                broker.round(&self.broker, &mut ours, self.round);
            }
            measure.print(&format!("  bare handler, POST, {alg}"), None, None);
            println!("{:<28} {signing:>9.0}", format!("  {alg} signatures, 2 threads"));
            let model = 1.0 / (1.0 / signing + 1.0 / measure.run.rate());
            let target = (*alg != Algorithm::Rs256).then_some(Target::Share(0.5));
            tokens += broker.run.done;
            let what = format!("client_credentials {alg}");
            broker.print(&what, Some((model, "signature + bare")), target);
        }
        // What is noted of clients every ten seconds is written whether one token is asked for or
        // a million; a write for each would be 4 KiB each.
        let written = self.broker.written() - before;
        println!("{:<28} {written:>9} bytes for {tokens} tokens", "  written");
        assert!(written / 16 < tokens, "client_credentials wrote to the database");
    }

    fn people(&self, seed: &Seed) {
        let mut families = Refresh::all(seed);
        let (families, askers) = families.split_at_mut(CONNECTIONS);
        let mut refresh = Measured::default();
        for _ in 0..ROUNDS {
            refresh.round(&self.broker, families, self.round);
        }
        refresh.print("refresh, durable", None, Some(Target::Rate(3500.0)));

        // Sixty-four different tokens, each of a grant of its own.
        generator::run(self.broker.address, askers, Duration::from_millis(1));
        let mut questions: Vec<Repeat> = askers
            .iter()
            .map(|family| {
                let form = format!("token={}", family.access_token);
                Repeat { request: post("/introspect", &seed.web, &form), size: 0 }
            })
            .collect();
        let mut introspection = Measured::default();
        for _ in 0..ROUNDS {
            introspection.round(&self.broker, &mut questions, self.round);
        }
        let inactive = questions.iter().filter(|question| question.size < 100).count();
        assert!(inactive == 0, "{inactive} tokens are not active");
        introspection.print("introspection", None, Some(Target::Rate(12_000.0)));

        let mut logins: Vec<Login> = (0..CONNECTIONS).map(|_| Login::new(seed)).collect();
        let mut login = Measured::default();
        for _ in 0..ROUNDS {
            login.round(&self.broker, &mut logins, self.round);
        }
        login.print("code login, 2 requests", None, None);
    }
}
