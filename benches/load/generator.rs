//! The load: keep-alive HTTP/1.1 connections, each asking again as soon as it was answered.
//!
//! It shares the cores with the server, so it does as little as it can: one buffer for each
//! connection, no parsing beyond status, length and body.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// What one connection says, and what it makes of the answers. Kept between runs.
pub(crate) trait Conversation: Send {
    /// Appends the next request.
    fn ask(&mut self, request: &mut Vec<u8>);
    /// Takes the answer. Returns whether a whole unit of work is done.
    fn hear(&mut self, answer: &Answer<'_>) -> bool;
}

/// An answer as it came.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// Panics with the answer unless it has this status.
    pub(crate) fn must_be(&self, status: u16) {
        assert!(
            self.status == status,
            "{} instead of {status}: {}",
            self.status,
            String::from_utf8_lossy(self.body)
        );
    }
}

/// The same request again and again.
pub(crate) struct Repeat {
    pub(crate) request: Vec<u8>,
    pub(crate) size: usize,
}

impl Conversation for Repeat {
    fn ask(&mut self, request: &mut Vec<u8>) {
        request.extend_from_slice(&self.request);
    }

    fn hear(&mut self, answer: &Answer<'_>) -> bool {
        answer.must_be(200);
        self.size = answer.body.len();
        true
    }
}

/// What a run brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    pub(crate) done: u64,
    pub(crate) time: Duration,
    /// Time of each unit of work, microseconds.
    pub(crate) latencies: Vec<u32>,
}

impl Run {
    pub(crate) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let done = self.done as f64;
        done / self.time.as_secs_f64()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.done += other.done;
        self.time += other.time;
        self.latencies.extend(other.latencies);
    }

    /// The time within which this part of the work was done, milliseconds.
    pub(crate) fn within(&mut self, per_cent: usize) -> f64 {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        f64::from(self.latencies.get(last * per_cent / 100).copied().unwrap_or(0)) / 1000.0
    }
}

/// Runs all conversations at once, on two threads, for `time`; each does at least one unit of work
/// and ends with a whole one.
pub(crate) fn run<C: Conversation>(
    server: SocketAddr,
    conversations: &mut [C],
    time: Duration,
) -> Run {
    let half = conversations.len().div_ceil(2).max(1);
    let begun = Instant::now();
    let mut run = Run::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = conversations
            .chunks_mut(half)
            .map(|part| scope.spawn(move || drive(server, part, begun + time)))
            .collect();
        for thread in threads {
            let (done, latencies) = thread.join().expect("a run");
            run.done += done;
            run.latencies.extend(latencies);
        }
    });
    run.time = begun.elapsed();
    run
}

fn drive<C: Conversation>(server: SocketAddr, part: &mut [C], end: Instant) -> (u64, Vec<u32>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let all = part.iter_mut().map(|conversation| converse(server, conversation, end));
    let counts = LocalSet::new().block_on(&runtime, futures_util::future::join_all(all));
    counts.into_iter().fold((0, Vec::new()), |(done, mut all), (count, latencies)| {
        all.extend(latencies);
        (done + count, all)
    })
}

async fn converse<C: Conversation>(
    server: SocketAddr,
    conversation: &mut C,
    end: Instant,
) -> (u64, Vec<u32>) {
    let mut stream = TcpStream::connect(server).await.expect("a connection");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    let (mut request, mut received) = (Vec::with_capacity(2048), Vec::with_capacity(8192));
    let (mut done, mut latencies) = (0, Vec::new());
    let mut begun = Instant::now();
    loop {
        let finished = loop {
            request.clear();
            conversation.ask(&mut request);
            stream.write_all(&request).await.expect("a request sent");
            let head = receive(&mut stream, &mut received).await;
            let (head, body) = received.split_at(head);
            let status = head.get(9..12).and_then(|code| std::str::from_utf8(code).ok());
            let status = status.and_then(|code| code.parse().ok()).expect("a status");
            if conversation.hear(&Answer { status, head, body }) {
                break Instant::now();
            }
        };
        done += 1;
        let micros = finished.duration_since(begun).as_micros();
        latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
        begun = finished;
        if begun >= end {
            return (done, latencies);
        }
    }
}

/// Reads one answer; returns where its body begins.
async fn receive(stream: &mut TcpStream, received: &mut Vec<u8>) -> usize {
    received.clear();
    loop {
        let count = stream.read_buf(received).await.expect("an answer");
        assert!(count > 0, "the server closed the connection");
        let Some(end) = find(received, b"\r\n\r\n") else { continue };
        let body = end + 4;
        let head = received.get(..end).unwrap_or_default();
        let length: usize = header(head, b"\r\ncontent-length: ")
            .map_or(0, |text| text.parse().expect("a content-length"));
        while received.len() < body + length {
            let count = stream.read_buf(received).await.expect("the rest of an answer");
            assert!(count > 0, "the server closed the connection");
        }
        return body;
    }
}

/// The value of a header; `name` is lower case, with line break and colon.
pub(crate) fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let from = find(head, name)? + name.len();
    let rest = head.get(from..)?;
    let end = find(rest, b"\r\n").unwrap_or(rest.len());
    std::str::from_utf8(rest.get(..end)?).ok()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// A GET request.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n").into_bytes()
}

/// A POST request with a form.
pub(crate) fn post(path: &str, headers: &str, form: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}
