//! Logs: human on a terminal, one JSON object a line otherwise; always to stderr, so that stdout
//! holds a command's answer alone.

use std::io::IsTerminal as _;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// Libraries that tell at `info` what only their authors want to know.
const CHATTY: [&str; 6] = ["actix_server", "actix_http", "sqlx", "sea_orm", "hyper", "reqwest"];

/// Starts logging for the life of the process. `rust_log` (the variable `RUST_LOG`) wins over the
/// configured level; if it cannot be read it is passed over. A second start does nothing.
pub fn start(log: &Log, rust_log: Option<&str>) {
    let filter = rust_log.and_then(filter).or_else(|| filter(&log.level)).unwrap_or_default();
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = if json {
        layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        layer.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed()
    };
    let started = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    drop(started);
}

fn filter(directives: &str) -> Option<Targets> {
    let filter: Targets = directives.parse().ok()?;
    if directives.contains(['=', ',']) {
        return Some(filter);
    }
    let level: LevelFilter = directives.parse().ok()?;
    let quiet = level.min(LevelFilter::WARN);
    Some(filter.with_targets(CHATTY.map(|target| (target, quiet))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn a_bare_level_keeps_the_libraries_quiet() {
        let filter = filter("debug").expect("a filter");
        assert!(filter.would_enable("russet::op", &Level::DEBUG));
        assert!(!filter.would_enable("sqlx::query", &Level::INFO));
        assert!(filter.would_enable("sqlx::query", &Level::WARN));
    }

    #[test]
    fn directives_are_taken_as_they_are() {
        let filter = filter("warn,sqlx=debug").expect("a filter");
        assert!(filter.would_enable("sqlx::query", &Level::DEBUG));
        assert!(!filter.would_enable("russet::op", &Level::INFO));
    }

    #[test]
    fn what_is_no_filter_is_passed_over() {
        assert!(super::filter("russet=loud").is_none());
    }
}
