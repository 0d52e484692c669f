//! The binary: where the world comes in. Clock, randomness, environment and exit are here alone.

use std::process::ExitCode;
use std::sync::Arc;

use russet::broker::World;
use russet::cli::{self, Surroundings};
use russet::protocol::ambient::{Clock, Entropy, Timestamp};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The machine's clock.
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody is handed")]
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::default().plus(since_epoch)
    }
}

/// The operating system's randomness.
struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the randomness everybody is handed")]
    fn fill(&self, buffer: &mut [u8]) {
        if aws_lc_rs::rand::fill(buffer).is_err() {
            // Going on with predictable secrets would be worse than stopping.
            std::process::abort();
        }
    }
}

fn main() -> ExitCode {
    // Fails only if a provider is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    cli::run(
        std::env::args_os(),
        Surroundings {
            environment,
            world: World { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) },
        },
    )
}
