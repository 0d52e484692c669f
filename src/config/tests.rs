//! Each rule of the configuration with the message it gives.

mod documented;
mod secrets;

use super::*;
use crate::protocol::ambient::SeededEntropy;
use crate::protocol::connection::ConnectionSettings;
use crate::protocol::secret::Vault;

const MINIMAL: &str = "[server]\nissuer = \"https://id.example.com\"\n";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.0.path().join(name), content).expect("writing");
    }

    fn load(&self, toml: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigProblems> {
        self.write("russet.toml", toml);
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load(&self.0.path().join("russet.toml"), true, environment)
    }

    /// The problems' keys and messages, with the directory's name taken out.
    fn problems(&self, toml: &str, environment: &[(&str, &str)]) -> Vec<String> {
        let directory = format!("{}/", self.0.path().display());
        let problems = self.load(toml, environment).expect_err("a problem");
        problems.0.iter().map(|problem| problem.to_string().replace(&directory, "")).collect()
    }
}

fn p8() -> String {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use base64::Engine as _;
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let der = pair.to_pkcs8v1().expect("DER");
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

#[test]
fn the_issuer_alone_is_enough() {
    let config = Place::new().load(MINIMAL, &[]).expect("a configuration");
    assert_eq!(config.issuer(), "https://id.example.com");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert!(config.database.auto_migrate && config.rate_limit.enabled);
    assert!(config.apple.is_none() && config.metrics.listen.is_none());
}

#[test]
fn the_contracts_example_is_read_whole() {
    let place = Place::new();
    place.write("master.key", Vault::generate_master_key(&SeededEntropy::new(1)).expose());
    place.write("AuthKey_KEY1234567.p8", &p8());
    place.write("extra-ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let config = place
        .load(
            r#"
[server]
listen  = "127.0.0.1:8080"
issuer  = "https://id.example.com"
trusted_proxies = ["10.0.0.0/8", "::1"]
[database]
url = "sqlite://russet.db"
[secrets]
master_key_file = "master.key"
[apple]
team_id = "ABCDE12345"
key_id = "KEY1234567"
private_key_file = "AuthKey_KEY1234567.p8"
services_id = "com.example.web"
bundle_ids = ["com.example.app"]
issuer = "https://appleid.apple.com"
[outbound]
ca_file = "extra-ca.pem"
allow_private = []
[rate_limit]
enabled = false
[metrics]
listen = "127.0.0.1:9464"
[[connections]]
id = "neighbour"
issuer = "https://op.example/"
client_id = "russet"
client_secret = "s"
"#,
            &[],
        )
        .expect("a configuration");
    let apple = config.apple.as_ref().expect("apple");
    assert_eq!(apple.bundle_ids, ["com.example.app"]);
    assert!(apple.pkce);
    assert!(config.master_keys().is_ok());
    assert!(!config.rate_limit.enabled);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    let connection = &config.connections[0];
    assert_eq!(connection.connection.display_name, "neighbour");
    let ConnectionSettings::Oidc(oidc) = &connection.connection.settings else {
        panic!("an OpenID Provider");
    };
    assert_eq!(oidc.issuer, "https://op.example/");
    assert!(connection.secrets.client_secret.is_some());
    let expected = format!("sqlite://{}/russet.db", place.0.path().display());
    assert_eq!(*config.database.url.expose(), expected);
    assert_eq!(config.warnings.len(), 2, "two secret files that others may read");
}

#[test]
fn a_variable_overrides_the_file() {
    let config = Place::new()
        .load(
            MINIMAL,
            &[
                ("RUSSET_SERVER__ISSUER", "http://127.0.0.1:9000/id"),
                ("RUSSET_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, 192.168.1.1"),
                ("RUSSET_SERVER__WORKERS", "3"),
                ("RUSSET_DATABASE__AUTO_MIGRATE", "false"),
                ("RUSSET_DATABASE__URL", "sqlite://here.db"),
                ("RUSSET_TEST_POSTGRES", "not a setting"),
                ("PATH", "/bin"),
            ],
        )
        .expect("a configuration");
    assert_eq!(config.issuer(), "http://127.0.0.1:9000/id");
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.server.workers, Some(3));
    assert!(!config.database.auto_migrate);
    assert_eq!(config.database.url.expose(), "sqlite://here.db", "from the working directory");
}

#[test]
fn the_file_may_be_absent_unless_it_was_named() {
    let absent = Place::new().0.path().join("none.toml");
    let environment = [("RUSSET_SERVER__ISSUER".to_owned(), "https://id.example".to_owned())];
    assert!(Config::load(&absent, false, environment.clone()).is_ok());
    let problems = Config::load(&absent, true, environment).expect_err("absent");
    assert!(problems.to_string().contains("--config FILE"), "{problems}");
}

#[test]
fn the_issuer_has_one_good_form() {
    for good in [
        "https://id.example.com",
        "https://id.example.com:8443/some/path",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost:8080",
    ] {
        let toml = format!("[server]\nissuer = {good:?}\n");
        assert_eq!(Place::new().load(&toml, &[]).expect(good).issuer(), good);
    }
    for (bad, says) in [
        ("https://id.example.com/", "must not end in a slash; write \"https://id.example.com\""),
        ("https://id.example.com?x", "neither query nor fragment"),
        ("https://id.example.com#x", "neither query nor fragment"),
        ("http://id.example.com", "must begin with https://"),
        ("http://localhost.evil.example", "must begin with https://"),
        ("ftp://id.example.com", "is not an https URL"),
        ("id.example.com", "write it in full"),
        ("https://ID.example.com", "write \"https://id.example.com\""),
        ("https://id.example.com:443", "write \"https://id.example.com\""),
        ("https://a:b@id.example.com", "neither user nor password"),
    ] {
        let problems = Place::new().problems(&format!("[server]\nissuer = {bad:?}\n"), &[]);
        assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
        assert!(problems[0].starts_with("russet.toml: server.issuer: "), "{problems:?}");
        assert!(problems[0].contains(says), "{bad}: {problems:?}");
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let problems = Place::new().problems(
        "[server]\nlisten = \"localhost\"\nisuer = \"https://id.example.com\"\n\
         [apple]\nteam_id = \"short\"\n[nonsense]\nx = 1\n",
        &[("RUSSET_METRICS__LISTEN", "9464"), ("RUSSET_SERVER__WORKER", "2")],
    );
    for expected in [
        "russet.toml: server.listen: \"localhost\" is not an address",
        "russet.toml: server.issuer: is missing; set it here or as RUSSET_SERVER__ISSUER",
        "russet.toml: apple.team_id: \"short\" is not what Apple issues",
        "environment: RUSSET_METRICS__LISTEN: \"9464\" is not an address",
        "russet.toml: server.isuer: is not a setting; did you mean server.issuer?",
        "environment: RUSSET_SERVER__WORKER: is not a setting; did you mean RUSSET_SERVER__WORKERS?",
        "russet.toml: nonsense.x: is not a setting; remove it",
    ] {
        assert!(problems.iter().any(|p| p.starts_with(expected)), "{expected}\n{problems:#?}");
    }
    assert_eq!(problems.len(), 7, "{problems:#?}");
}

#[test]
fn an_empty_table_that_nobody_knows_is_told() {
    for (toml, told) in [
        ("[sever]\n", "russet.toml: sever: is not a section; did you mean [server]?"),
        ("[zzz]\n", "russet.toml: zzz: is not a section; remove it"),
        (
            "[database.pool]\n",
            "russet.toml: database.pool: is not a section; did you mean [database]?",
        ),
        ("[log]\nlevel = {}\n", "russet.toml: log.level: must be a value, not a table"),
        ("[[connections]]\n", "russet.toml: connections.0.id: is missing"),
    ] {
        let problems = Place::new().problems(&format!("{MINIMAL}{toml}"), &[]);
        assert!(matches!(&problems[..], [one] if one.starts_with(told)), "{told}\n{problems:#?}");
    }
    let known = "[apple]\n[apple.notifications]\n[mtls]\n[outbound]\n[metrics]\n[log]\n";
    assert!(Place::new().load(&format!("{MINIMAL}{known}"), &[]).is_ok());
}

#[test]
fn a_value_of_the_wrong_type_is_told() {
    for (toml, says) in [
        ("[server]\nissuer = 5", "server.issuer: must be a text in quotes"),
        ("[server]\nissuer = \" \"", "server.issuer: is empty"),
        ("[server]\nworkers = 0", "server.workers: must be a whole number above 0"),
        ("[server]\nworkers = \"+2\"", "server.workers: must be a whole number above 0"),
        ("[server]\ntrusted_proxies = \"10.0.0.0/8\"", "must be a list of texts"),
        ("[server]\ntrusted_proxies = [\"10.0.0.0/99\"]", "is not a network"),
        ("[database]\nauto_migrate = \"yes\"", "must be true or false"),
        ("[database]\nurl = \"mysql://x\"", "database.url: must be sqlite://PATH"),
        ("[database]\nurl = \"sqlite://:memory:\"", "database.url: must be sqlite://PATH"),
        ("[secrets]\nmaster_key = \"short\"", "secrets.master_key: the master key must be 32"),
        (
            "[secrets]\nmaster_key_file = \"none.key\"",
            "secrets.master_key_file: none.key cannot be",
        ),
        ("[outbound]\nca_file = \"russet.toml\"", "holds no certificate"),
        ("[log]\nformat = \"xml\"", "log.format: \"xml\" must be"),
        ("[log]\nlevel = \"loud=very\"", "log.level: "),
        ("[apple]\npkce = \"yes\"", "must be \"s256\" or \"off\""),
        ("[apple]\nservices_id = \"web\"", "is not an identifier such as"),
        ("[apple]\nprivate_key = \"x\"", "apple.private_key: holds no PEM"),
        ("[apple]\nteam_id = \"ABCDE12345\"", "apple.private_key_file: is missing"),
        (
            "[apple]\nteam_id = \"ABCDE1234\"",
            "apple.team_id: \"ABCDE1234\" is not what Apple issues",
        ),
        ("[apple]\nteam_id = \"abcde12345\"", "ten capital letters and digits"),
        ("[apple]\nkey_id = \"KEY-123456\"", "apple.key_id: \"KEY-123456\" is not what Apple"),
        ("[apple]\nnext_key_id = \"KEY12345678\"", "apple.next_key_id: \"KEY12345678\" is not"),
        ("[outbound]\ntimeout_seconds = 301", "outbound.timeout_seconds: must be at most 300"),
        ("[outbound]\ntimeout_seconds = 0", "must be a whole number above 0"),
        ("[[connections]]\nid = \"apple\"", "is the name of a built-in connection"),
        ("[[connections]]\nid = \"a\"", "connections.0.issuer: is missing"),
        ("[server\n", "russet.toml: "),
    ] {
        let problems = Place::new().problems(toml, &[]);
        assert!(problems.iter().any(|p| p.contains(says)), "{toml}: {problems:#?}");
    }
}

#[test]
fn certificates_are_taken_where_somebody_vouches_for_the_connection() {
    let place = Place::new();
    place.write("mtls.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let with = |mtls: &str| format!("{MINIMAL}[mtls]\n{mtls}");
    assert!(place.load(MINIMAL, &[]).expect("a configuration").mtls.is_none());
    let header = "header = \"Client-Cert\"\n";
    for (mtls, key, about) in [
        ("ca_file = \"mtls.pem\"\n", "mtls.listen", "mtls.header"),
        ("listen = \"127.0.0.1:9443\"\n", "mtls.base_url", "where clients reach"),
        (
            "listen = \"127.0.0.1:9443\"\nbase_url = \"https://mtls.example.com\"\n",
            "mtls.certificate_file",
            "mtls.private_key_file",
        ),
        (header, "mtls.header", "server.trusted_proxies"),
        ("header = \"Client Cert\"\n", "mtls.header", "not the name of a header"),
        (
            "header = \"Client-Cert\"\nbase_url = \"https://mtls.example.com/else\"\n",
            "mtls.base_url",
            "the path of server.issuer",
        ),
        ("listen = \"nowhere\"\n", "mtls.listen", "nowhere"),
        ("header = \"Client-Cert\"\nca_file = \"none.pem\"\n", "mtls.ca_file", "none.pem"),
    ] {
        let problems = place.problems(&with(mtls), &[]);
        let found = problems.iter().any(|line| line.contains(key) && line.contains(about));
        assert!(found, "{mtls:?}: {problems:?}");
    }
    let proxied = MINIMAL.to_owned() + "trusted_proxies = [\"127.0.0.1\"]\n[mtls]\n" + header;
    let mtls = place.load(&proxied, &[]).expect("a configuration").mtls.expect("mtls");
    assert_eq!(mtls.header.as_deref(), Some("client-cert"));
    assert!(mtls.listener.is_none() && mtls.base_url.is_none());
    let own = with(
        "listen = \"127.0.0.1:9443\"\nbase_url = \"https://mtls.example.com\"\n\
         certificate_file = \"mtls.pem\"\nprivate_key_file = \"mtls.pem\"\n",
    );
    let mtls = place.load(&own, &[]).expect("a configuration").mtls.expect("mtls");
    assert_eq!(mtls.listener.expect("a listener").listen.to_string(), "127.0.0.1:9443");
    assert_eq!(mtls.base_url.as_deref(), Some("https://mtls.example.com"));
}

#[test]
fn nonces_and_profiles_are_words_that_are_known() {
    let place = Place::new();
    let config = place.load(MINIMAL, &[]).expect("a configuration");
    assert!(!config.dpop.require_nonce);
    assert_eq!(config.registration.profile, Profile::Oidc);
    let more = "[dpop]\nrequire_nonce = true\n[registration]\nprofile = \"fapi2\"\n\
                [security]\nminimum_profile = \"oauth2.1\"\n";
    let config = place.load(&format!("{MINIMAL}{more}"), &[]).expect("a configuration");
    assert!(config.dpop.require_nonce);
    assert_eq!(config.registration.profile, Profile::Fapi2);
    assert_eq!(config.security.minimum_profile, Profile::Oauth21);
    for (more, key) in [
        ("[dpop]\nrequire_nonce = \"sometimes\"\n", "dpop.require_nonce"),
        ("[dpop]\nnonce = true\n", "dpop.nonce"),
        ("[registration]\nprofile = \"fapi1\"\n", "registration.profile"),
        ("[security]\nminimum_profile = \"\"\n", "security.minimum_profile"),
    ] {
        let problems = place.problems(&format!("{MINIMAL}{more}"), &[]);
        assert!(problems.iter().any(|line| line.contains(key)), "{more:?}: {problems:?}");
    }
}
