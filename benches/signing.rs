//! How many access tokens one core signs, by algorithm: `cargo bench --bench signing`.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark, not the product")]

#[path = "load/signatures.rs"]
mod signatures;

use std::time::Duration;

use russet::protocol::jose::Algorithm;

const TIME: Duration = Duration::from_secs(2);

fn main() {
    println!("{:<10} {:>14} {:>14}", "algorithm", "1 thread", "2 threads");
    for alg in Algorithm::ALL {
        let key = signatures::key(alg);
        let one = signatures::rate(&key, 1, TIME);
        let two = signatures::rate(&key, 2, TIME);
        println!("{:<10} {one:>12.0}/s {two:>12.0}/s", alg.as_str());
    }
}
