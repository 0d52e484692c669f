//! `russet check` against a simulated Apple: each of twelve faults names itself, and nothing else.

use std::path::Path;
use std::sync::Arc;

use russet::protocol::ambient::{Clock, Timestamp};
use russet::protocol::id::ConnectionId;
use russet::protocol::jose::{Algorithm, generate_private_key};
use russet::protocol::secret::{SecretString, Vault};
use russet::simulator::{
    self, Account, AppGroup, RunningSimulator, ServicesId, Team, developer_key,
};
use russet::upstream::Verdict;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{House, SystemEntropy, plain_client};

/// The machine's clock: the command under test has no other.
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the world comes in through the harness")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
    }
}

struct Clinic {
    apple: RunningSimulator,
    directory: TempDir,
}

impl Clinic {
    async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let ((first, first_public), (second, second_public)) =
            (developer_key().unwrap(), developer_key().unwrap());
        for (name, text) in [
            ("AuthKey_KEY1234567.p8", first.expose().clone()),
            ("AuthKey_OTHERKEY01.p8", second.expose().clone()),
            ("renamed/AuthKey_KEY1234567.p8", second.expose().clone()),
            ("key.p8", second.expose().clone()),
            ("AuthKey_RSA.p8", pem(generate_private_key(Algorithm::Rs256).unwrap().expose())),
            ("AuthKey_CUT.p8", first.expose().chars().take(120).collect()),
            ("AuthKey_MANGLED.p8", first.expose().replacen("MI", "%%", 1)),
        ] {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let settings = simulator::Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            host: "localhost".to_owned(),
            issuer: None,
            insecure: false,
            teams: vec![Team {
                team_id: "TEAM123456".to_owned(),
                keys: vec![
                    ("KEY1234567".to_owned(), first_public),
                    ("OTHERKEY01".to_owned(), second_public),
                ],
                groups: vec![AppGroup {
                    primary_bundle_id: "com.example.app".to_owned(),
                    bundle_ids: vec!["com.example.app".to_owned()],
                    services_ids: vec![ServicesId {
                        services_id: "com.example.web".to_owned(),
                        return_urls: vec![
                            "https://id.example.com/upstream/apple/callback".to_owned(),
                        ],
                    }],
                    notification_url: None,
                }],
            }],
            accounts: Account::samples(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        };
        Self { apple: simulator::start(settings).await.unwrap(), directory }
    }

    async fn order(&self, path: &str, body: Value) {
        let url = format!("{}{path}", self.apple.issuer());
        let answer = plain_client().post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path} {body}");
    }

    async fn fault(&self, endpoint: &str, fault: &str) {
        let order = json!({ "endpoint": endpoint, "fault": fault, "times": 9 });
        self.order("/_sim/faults", order).await;
    }

    /// `russet check --json`, with settings changed.
    async fn check(&self, changes: &[(&str, &str)]) -> Value {
        let issuer = self.apple.issuer().to_owned();
        let master_key = Vault::generate_master_key(&SystemEntropy);
        let settings = [
            ("SERVER__ISSUER", "https://id.example.com"),
            ("DATABASE__URL", "sqlite://none.db"),
            ("SECRETS__MASTER_KEY", master_key.expose()),
            ("OUTBOUND__ALLOW_PRIVATE", "127.0.0.0/8,::1/128"),
            ("APPLE__ISSUER", &issuer),
            ("APPLE__TEAM_ID", "TEAM123456"),
            ("APPLE__KEY_ID", "KEY1234567"),
            ("APPLE__PRIVATE_KEY_FILE", "AuthKey_KEY1234567.p8"),
            ("APPLE__SERVICES_ID", "com.example.web"),
            ("APPLE__BUNDLE_IDS", "com.example.app"),
        ];
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_russet"));
        command.args(["check", "--json"]).current_dir(self.directory.path()).env_clear();
        for (name, value) in settings.iter().chain(changes) {
            command.env(format!("RUSSET_{name}"), value);
        }
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let report: Value = serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!(output.status.success(), report["ok"] == true);
        report
    }

    /// What is found wrong: subject and message.
    async fn wrong(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let report = self.check(changes).await;
        let text = |finding: &Value, member: &str| finding[member].as_str().unwrap().to_owned();
        let findings = report["findings"].as_array().unwrap();
        findings
            .iter()
            .filter(|finding| finding["verdict"] == "wrong")
            .map(|finding| (text(finding, "subject"), text(finding, "message")))
            .collect()
    }

    /// Exactly one thing is wrong: this one, with its cause and remedy.
    async fn only(&self, changes: &[(&str, &str)], subject: &str, says: &[&str]) {
        let wrong = self.wrong(changes).await;
        let [(found, message)] = wrong.as_slice() else { panic!("{changes:?}: {wrong:#?}") };
        assert_eq!(found, subject, "{changes:?}: {message}");
        for part in says {
            assert!(message.contains(part), "{changes:?}: {message:?} does not say {part:?}");
        }
        self.order("/_sim/reset", json!({})).await;
    }
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

#[tokio::test]
async fn twelve_faults_each_name_themselves() {
    let clinic = Clinic::new().await;
    assert_eq!(clinic.wrong(&[]).await, [], "a healthy connection");
    let signer = "apple: team, Key ID and private key";

    // 1 wrong team
    clinic
        .only(&[("APPLE__TEAM_ID", "WRONGTEAM1")], signer, &["WRONGTEAM1", "apple.team_id"])
        .await;
    // 2 wrong Key ID
    let key_id = ("APPLE__KEY_ID", "KEY7654321");
    clinic.only(&[key_id], "apple: Key ID", &["Set apple.key_id to \"KEY1234567\""]).await;
    // 3 the key of another Key ID, under its own name, under the right one, and without one
    let file = |name| ("APPLE__PRIVATE_KEY_FILE", name);
    let says = ["that of \"OTHERKEY01\"", "Apple confirms", "AuthKey_KEY1234567.p8"];
    clinic.only(&[file("AuthKey_OTHERKEY01.p8")], "apple: Key ID", &says).await;
    let renamed = [file("renamed/AuthKey_KEY1234567.p8")];
    clinic.only(&renamed, signer, &["or the private key", "make a new one"]).await;
    clinic.only(&[file("key.p8")], signer, &["Look at apple.key_id first"]).await;
    // 4 not a P-256 key
    let rsa = [file("AuthKey_RSA.p8")];
    clinic.only(&rsa, "configuration", &["PRIVATE_KEY_FILE", "RSA", "P-256"]).await;
    // 5 a truncated, and a mangled PEM
    let cut = [file("AuthKey_CUT.p8")];
    clinic.only(&cut, "configuration", &["is cut off", "copy the AuthKey_….p8 file whole"]).await;
    let mangled = [file("AuthKey_MANGLED.p8")];
    clinic.only(&mangled, "configuration", &["is damaged", "anew"]).await;
    // 6 unknown Services ID
    let services_id = [("APPLE__SERVICES_ID", "com.example.unknown")];
    let wrong = clinic.wrong(&services_id).await;
    assert_eq!(wrong[0].0, "apple: Services ID com.example.unknown", "{wrong:?}");
    assert!(wrong[0].1.contains("apple.services_id") && wrong.len() == 1, "{wrong:?}");
    // 7 unknown bundle ID
    let bundle_id = [("APPLE__BUNDLE_IDS", "com.example.unknown")];
    let says = ["accepts the same key for com.example.web", "apple.bundle_ids"];
    clinic.only(&bundle_id, "apple: bundle ID com.example.unknown", &says).await;
    // 8 a return URL on localhost, without TLS
    let issuer = [("SERVER__ISSUER", "http://localhost:9000")];
    let says = ["http://localhost:9000/upstream/apple/callback", "https", "server.issuer"];
    clinic.only(&issuer, "apple: return URL", &says).await;
    // 9 clock skew, either way
    for (seconds, side) in [(-400, "ahead of Apple's"), (400, "behind Apple's")] {
        clinic.order("/_sim/clock", json!({ "seconds": seconds })).await;
        clinic.only(&[], "apple: clock", &[side, "NTP"]).await;
    }
    clinic.order("/_sim/clock", json!({ "seconds": 20 })).await;
    assert_eq!(clinic.wrong(&[]).await, [], "a small difference is borne");
    clinic.order("/_sim/clock", json!({ "seconds": 0 })).await;
    // 10 issuer drift
    clinic.fault("discovery", "issuer_moved").await;
    let says = ["https://account.apple.com", "apple.additional_issuers"];
    clinic.only(&[], "apple: discovery", &says).await;
    // 11 keys that are not to be had
    for fault in ["empty_keys", "status_503", "truncated_json", "status_403_html"] {
        clinic.fault("keys", fault).await;
        clinic.only(&[], "apple: keys", &["/auth/keys", "can be verified", "proxy"]).await;
    }
    // The token endpoint alone is unwell: nobody could sign in.
    for (fault, says) in [
        ("status_403_html", "403 with a page"),
        ("status_429", "429"),
        ("status_500", "500"),
        ("status_503", "503"),
        ("truncated_json", "none that is known"),
        ("invalid_request", "Apple says invalid_request"),
    ] {
        clinic.fault("token", fault).await;
        clinic.only(&[], "apple: token endpoint", &["/auth/token", says, "a proxy"]).await;
    }
    // 12 Apple turns this machine away, or is not there at all
    for endpoint in ["discovery", "keys", "token"] {
        clinic.fault(endpoint, "status_403_html").await;
    }
    clinic.only(&[], "apple: Apple", &["403 with a page", "from another address"]).await;
    let closed = [("APPLE__ISSUER", "http://localhost:1")];
    clinic.only(&closed, "apple: Apple", &["does not answer", "port 443"]).await;
    // What the operator's own file names is no guess of a stranger's: the guard lets it pass.
    let guarded = [("OUTBOUND__ALLOW_PRIVATE", "10.0.0.0/8")];
    assert_eq!(clinic.wrong(&guarded).await, []);
}

#[tokio::test]
async fn check_tells_no_secret() {
    let clinic = Clinic::new().await;
    let report = clinic.check(&[("APPLE__TEAM_ID", "WRONGTEAM1")]).await.to_string();
    let key = std::fs::read_to_string(clinic.directory.path().join("AuthKey_KEY1234567.p8"));
    let key = SecretString::from(key.unwrap());
    let body = key.expose().lines().nth(1).unwrap();
    assert!(!report.contains(body) && !report.contains("eyJ"), "{report}");
    assert!(!Path::new(&clinic.directory.path().join("none.db")).exists(), "it changes nothing");
}

#[tokio::test]
async fn the_console_asks_the_same_and_hears_of_the_last_notification() {
    let house = House::new().await;
    let provider = &house.broker.broker.provider;
    let apple = ConnectionId::new("apple");
    let findings = provider.examine(&apple).await.unwrap().unwrap();
    assert!(findings.iter().all(|found| found.verdict != Verdict::Wrong), "{findings:#?}");
    let last = findings.iter().find(|found| found.subject == "notifications").unwrap();
    assert!(last.message.contains("/upstream/apple/notifications"), "{}", last.message);

    let order = json!({ "account": "ada", "type": "email-enabled", "deliver": false });
    let url = format!("{}/_sim/notifications", house.apple.issuer());
    let made: Value =
        house.http().post(url).json(&order).send().await.unwrap().json().await.unwrap();
    let url = format!("{}/upstream/apple/notifications", house.issuer);
    let body = json!({ "payload": made["payload"] });
    assert_eq!(house.http().post(url).json(&body).send().await.unwrap().status(), 200);
    let findings = provider.examine(&apple).await.unwrap().unwrap();
    let last = findings.iter().find(|found| found.subject == "notifications").unwrap();
    assert_eq!(last.verdict, Verdict::Fine);
    assert_eq!(last.message, "the last one, email-enabled, came 2026-11-24 12:00:00 UTC");
    assert!(provider.examine(&ConnectionId::new("nobody")).await.unwrap().is_none());
}
