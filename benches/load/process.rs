//! A server process, its start and its use of processor and memory.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Clock ticks a second in `/proc/PID/stat` (`sysconf(_SC_CLK_TCK)`; 100 on Linux).
const TICKS: f64 = 100.0;

/// A running server; it is killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first good answer.
    pub(crate) ready: Duration,
}

impl Server {
    /// Starts `command` and waits until GET `path` is answered with 200.
    pub(crate) fn start(command: &mut Command, port: u16, path: &str) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let begun = Instant::now();
        let child = command.stdout(Stdio::null()).spawn().expect("a process");
        let mut server = Self { child, address, ready: Duration::ZERO };
        while !answers(address, path) {
            assert!(server.child.try_wait().expect("a child").is_none(), "the server has ended");
            assert!(begun.elapsed() < Duration::from_secs(30), "the server does not answer");
            std::thread::sleep(Duration::from_millis(1));
        }
        server.ready = begun.elapsed();
        server
    }

    /// Processor time used so far, all threads, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = self.proc("stat");
        // The second field, the name, may hold spaces; it ends with the last parenthesis.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = fields.split_whitespace().skip(11).take(2);
        ticks.map(|field| field.parse::<f64>().expect("ticks")).sum::<f64>() / TICKS
    }

    /// Resident memory, MiB.
    pub(crate) fn memory(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1024.0
    }

    /// Bytes that it has had written to the disk.
    pub(crate) fn written(&self) -> u64 {
        let io = self.proc("io");
        let line = io.lines().find_map(|line| line.strip_prefix("write_bytes:")).expect("io");
        line.trim().parse().expect("bytes")
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("/proc")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers(address: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}

/// Makes the broker as `cargo build --release` does. `cargo bench` has put one of its own at the same
/// place, whose dependencies have the features that tests want, so that other functions bear other
/// names: it would not lie in memory as what people run does (docs/decisions/0042).
pub(crate) fn build_the_release() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--bin", "russet"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    assert!(build.status().expect("cargo").success(), "the broker does not build");
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The bare server: this program again.
pub(crate) fn bare() -> Server {
    let port = free_port();
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    Server::start(command.arg("bare").arg(port.to_string()), port, "/100")
}

/// Where a broker lives and with which key.
pub(crate) struct Home {
    pub(crate) directory: PathBuf,
    pub(crate) master_key: String,
    pub(crate) port: u16,
}

impl Home {
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite://{}", self.directory.join("russet.db").display())
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `russet serve`, in this directory, answering at `path` when it is ready.
    pub(crate) fn serve(&self, path: &str) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_russet"));
        command
            .arg("serve")
            .current_dir(&self.directory)
            .env("RUSSET_SERVER__LISTEN", format!("127.0.0.1:{}", self.port))
            .env("RUSSET_SERVER__ISSUER", self.issuer())
            .env("RUSSET_DATABASE__URL", self.database_url())
            .env("RUSSET_SECRETS__MASTER_KEY", &self.master_key)
            .env("RUSSET_RATE_LIMIT__ENABLED", "false")
            .env("RUSSET_LOG__LEVEL", "error");
        Server::start(&mut command, self.port, path)
    }
}
