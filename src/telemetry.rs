//! Logs: human on a terminal, one JSON object a line otherwise; always to stderr, so that stdout
//! holds a command's answer alone.
//!
//! A command that does one thing waits for whoever reads its log. A server does not: a reader that
//! stalls would hold up every request (docs/decisions/0055).

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// Libraries that tell at `info` what only their authors want to know.
const CHATTY: [&str; 6] = ["actix_server", "actix_http", "sqlx", "sea_orm", "hyper", "reqwest"];

/// Lines that wait for a reader; some three MiB when they are long.
const WAITING_LINES: usize = 8_192;
/// How soon after lines were dropped it is said.
const TELL_DROPPED: Duration = Duration::from_secs(10);

/// Starts logging for the life of the process. `rust_log` (the variable `RUST_LOG`) wins over the
/// configured level; if it cannot be read it is passed over. A second start does nothing.
pub fn start(log: &Log, rust_log: Option<&str>) {
    install(log, rust_log, io::stderr);
}

/// As [`start`], but nobody who logs ever waits for whoever reads.
pub fn start_aside(log: &Log, rust_log: Option<&str>) -> LogWriter {
    let (lines, writer) = LogWriter::of(io::stderr());
    install(log, rust_log, lines);
    writer
}

/// The thread that writes the log. Dropped, it writes what still waits, for a second at most.
#[derive(Debug)]
pub struct LogWriter {
    dropped: ErrorCounter,
    told: usize,
    _rest: WorkerGuard,
}

impl LogWriter {
    fn of(to: impl io::Write + Send + 'static) -> (NonBlocking, Self) {
        let builder = NonBlockingBuilder::default().thread_name("log");
        let (lines, rest) = builder.buffered_lines_limit(WAITING_LINES).lossy(true).finish(to);
        let dropped = lines.error_counter();
        (lines, Self { dropped, told: 0, _rest: rest })
    }

    /// Says, now and then, how many lines nobody will ever read. Never ends.
    pub async fn watch(&mut self) {
        loop {
            tokio::time::sleep(TELL_DROPPED).await;
            self.tell_dropped();
        }
    }

    /// Says how many lines were dropped, if it were more since. Should this line be dropped too,
    /// it counts as well, and the next one says so.
    pub fn tell_dropped(&mut self) {
        let dropped = self.dropped.dropped_lines();
        if dropped > self.told {
            tracing::warn!(dropped, "log lines were dropped: stderr is read too slowly");
            self.told = dropped;
        }
    }
}

fn install<W>(log: &Log, rust_log: Option<&str>, to: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = rust_log.and_then(filter).or_else(|| filter(&log.level)).unwrap_or_default();
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(to);
    let layer = if json {
        layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        layer.with_ansi(io::stderr().is_terminal()).with_target(false).boxed()
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
    use std::sync::mpsc;

    use tracing::Level;

    use super::*;

    /// A reader that takes nothing until it is let go, and then all.
    struct Stalled {
        begun: mpsc::Sender<()>,
        go: Option<mpsc::Receiver<()>>,
        taken: mpsc::Sender<Vec<u8>>,
    }

    impl io::Write for Stalled {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            if let Some(go) = self.go.take() {
                self.begun.send(()).map_err(io::Error::other)?;
                go.recv().map_err(io::Error::other)?;
            }
            self.taken.send(line.to_vec()).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_holds_nobody_up_and_what_it_missed_is_counted() {
        let (begun, has_begun) = mpsc::channel();
        let (let_go, go) = mpsc::channel();
        let (taken, arrived) = mpsc::channel();
        let (mut lines, writer) = LogWriter::of(Stalled { begun, go: Some(go), taken });
        let mut log = |number: usize| {
            io::Write::write_all(&mut lines, format!("{number}\n").as_bytes()).expect("a line");
        };
        // One is in the reader's hand.
        log(0);
        has_begun.recv().expect("a reader");
        (1..=WAITING_LINES + 100).for_each(log);
        assert_eq!(writer.dropped.dropped_lines(), 100);
        let_go.send(()).expect("a reader");
        for number in 0..=WAITING_LINES {
            let line = arrived.recv().expect("a line that waited");
            assert_eq!(
                line,
                format!("{number}\n").as_bytes(),
                "in order, and none missing between"
            );
        }
    }

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
