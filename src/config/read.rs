//! From raw values to [`Config`], section by section.

use std::time::Duration;

use url::Url;

use super::problem::ConfigProblems;
use super::values::Values;
use super::{
    Apple, Config, Database, Dpop, LocalAccounts, Log, LogFormat, Metrics, Mtls, MtlsListener,
    Outbound, RateLimit, Registration, RegistrationMode, Secrets, Security, Server,
};
use super::{connections, rules};
use crate::protocol::client::GrantType;
use crate::protocol::notification::{NotificationPolicy, OnAccountDeleted, OnConsentRevoked};
use crate::protocol::secret::{SecretString, Vault};

const DEFAULT_LISTEN: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const APPLE_ISSUER: &str = "https://appleid.apple.com";
/// Seconds that an answer may take.
const OUTBOUND_TIMEOUT: usize = 8;
const LONGEST_TIMEOUT: usize = 300;

pub(super) fn config(values: &mut Values) -> Result<Config, ConfigProblems> {
    let server = server(values);
    let database = database(values);
    let secrets = secrets(values);
    let apple = apple(values);
    let connections = connections::read(values);
    let local_accounts = LocalAccounts { enabled: values.boolean("local_accounts.enabled", false) };
    let security = security(values);
    let outbound = outbound(values);
    let mtls = mtls(values, server.as_ref());
    let dpop = Dpop { require_nonce: values.boolean("dpop.require_nonce", false) };
    let registration = registration(values);
    let rate_limit = RateLimit { enabled: values.boolean("rate_limit.enabled", true) };
    let metrics = Metrics { listen: values.parsed("metrics.listen", rules::socket_address) };
    let log = log(values);
    values.finish();
    match (server, database) {
        (Some(server), Some(database)) if values.problems.is_empty() => Ok(Config {
            server,
            database,
            secrets,
            apple,
            connections,
            local_accounts,
            security,
            outbound,
            mtls,
            dpop,
            registration,
            rate_limit,
            metrics,
            log,
            warnings: std::mem::take(&mut values.warnings),
            file: values.file.display().to_string(),
        }),
        _ => Err(ConfigProblems(std::mem::take(&mut values.problems))),
    }
}

fn server(values: &mut Values) -> Option<Server> {
    let listen = values.parsed("server.listen", rules::socket_address).unwrap_or(DEFAULT_LISTEN);
    let trusted_proxies = values.parsed_list("server.trusted_proxies", rules::network);
    let workers = values.positive("server.workers");
    let before = values.problems.len();
    let issuer = values.parsed("server.issuer", rules::issuer);
    if issuer.is_none() && values.problems.len() == before {
        values.missing(
            "server.issuer",
            "the address people and clients reach the broker at, such as \
             \"https://id.example.com\"",
        );
    }
    Some(Server { listen, issuer: issuer?, trusted_proxies, workers })
}

fn database(values: &mut Values) -> Option<Database> {
    let auto_migrate = values.boolean("database.auto_migrate", true);
    let before = values.problems.len();
    let url = values.secret("database.url");
    if values.problems.len() > before {
        return None;
    }
    let url = url.unwrap_or_else(|| SecretString::from("sqlite://russet.db"));
    let text = url.expose();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        if Url::parse(text).is_err() {
            values.secret_problem(
                "database.url",
                "is not a URL: postgres://USER:PASSWORD@HOST/DATABASE",
            );
            return None;
        }
        return Some(Database { url, auto_migrate });
    }
    let path = text.strip_prefix("sqlite://").filter(|path| !path.is_empty());
    let Some(path) = path.filter(|path| !path.contains(['?', '#']) && *path != ":memory:") else {
        values.secret_problem(
            "database.url",
            "must be sqlite://PATH (a file, without options) or \
             postgres://USER:PASSWORD@HOST/DATABASE",
        );
        return None;
    };
    let from_environment = values.is_from_environment("database.url");
    let path = values.resolve(path, from_environment);
    Some(Database { url: SecretString::new(format!("sqlite://{}", path.display())), auto_migrate })
}

fn secrets(values: &mut Values) -> Secrets {
    let master_key = values.secret("secrets.master_key");
    if let Some(key) = &master_key
        && let Err(error) = Vault::from_base64(key.expose())
    {
        values.secret_problem(
            "secrets.master_key",
            format!("{error}; make one with `openssl rand -base64 32`"),
        );
    }
    let previous_master_keys = values.secrets("secrets.previous_master_key");
    for key in &previous_master_keys {
        if let Err(error) = Vault::from_base64(key.expose()) {
            values.secret_problem("secrets.previous_master_key", error.to_string());
        }
    }
    Secrets { master_key, previous_master_keys }
}

fn apple(values: &mut Values) -> Option<Apple> {
    let present = values.has_section("apple.");
    let before = values.problems.len();
    let issuer = values.parsed("apple.issuer", |text| {
        rules::issuer(text).and_then(|text| Url::parse(&text).map_err(|e| e.to_string()))
    });
    let exact = issuer.as_ref().is_none_or(|url| url.host_str() == Some("appleid.apple.com"));
    let identifier = |text: &str| rules::apple_identifier(text, exact).map(|()| text.to_owned());
    let team_id = values.parsed("apple.team_id", identifier);
    let key_id = values.parsed("apple.key_id", identifier);
    for (key, id) in [("apple.team_id", &team_id), ("apple.key_id", &key_id)] {
        if id.as_ref().is_some_and(|id| rules::apple_identifier(id, true).is_err()) {
            values.warn(
                key,
                "is not of the shape that Apple gives out, ten capital letters and digits; the \
                 Apple of apple.issuer may take it, the real one does not",
            );
        }
    }
    let private_key_file = values.file_name("apple.private_key_file");
    let mail_sender_domain = values.parsed("apple.mail_sender_domain", rules::domain);
    let private_key = values.secret("apple.private_key").and_then(|key| {
        rules::apple_private_key(&key)
            .map_err(|message| values.secret_problem("apple.private_key", message))
            .ok()
    });
    let services_id = values.parsed("apple.services_id", rules::apple_app_identifier);
    let bundle_ids = values.parsed_list("apple.bundle_ids", rules::apple_app_identifier);
    let primary_app_id = values.parsed("apple.primary_app_id", rules::apple_app_identifier);
    let notifications = notifications(values);
    let additional_issuers = values.parsed_list("apple.additional_issuers", connections::issuer);
    let next_key_id = values.parsed("apple.next_key_id", identifier);
    let next_private_key = values.secret("apple.next_private_key").and_then(|key| {
        rules::apple_private_key(&key)
            .map_err(|message| values.secret_problem("apple.next_private_key", message))
            .ok()
    });
    let pkce = values.parsed("apple.pkce", rules::pkce);
    let link_by_verified_email = values.boolean("apple.link_by_verified_email", false);
    let domain_association = values.file_content("apple.domain_association_file").map(|(_, t)| t);
    if !present || values.problems.len() > before {
        return None;
    }
    for (absent, key, what) in [
        (team_id.is_none(), "apple.team_id", "at the top right of developer.apple.com/account"),
        (key_id.is_none(), "apple.key_id", "the ten characters in the name AuthKey_….p8"),
        (private_key.is_none(), "apple.private_key_file", "the AuthKey_….p8 file"),
        (
            next_key_id.is_some() && next_private_key.is_none(),
            "apple.next_private_key_file",
            "the AuthKey_….p8 file of apple.next_key_id",
        ),
        (
            next_key_id.is_none() && next_private_key.is_some(),
            "apple.next_key_id",
            "the ten characters in the name of the next AuthKey_….p8",
        ),
        (
            services_id.is_none() && bundle_ids.is_empty(),
            "apple.services_id",
            "the Services ID for web sign-in, such as \"com.example.web\" (or \
             apple.bundle_ids for native apps alone)",
        ),
    ] {
        if absent {
            values.missing(key, what);
        }
    }
    Some(Apple {
        team_id: team_id?,
        key_id: key_id?,
        private_key: private_key?,
        next_key: next_key_id.zip(next_private_key),
        services_id,
        bundle_ids,
        primary_app_id,
        private_key_file,
        mail_sender_domain,
        notifications,
        issuer: issuer.or_else(|| Url::parse(APPLE_ISSUER).ok())?,
        additional_issuers,
        pkce: pkce.unwrap_or(true),
        link_by_verified_email,
        domain_association,
    })
}

fn notifications(values: &mut Values) -> NotificationPolicy {
    let account_deleted = values.parsed("apple.notifications.account_deleted", |text| match text {
        "keep" => Ok(OnAccountDeleted::Keep),
        "disable" => Ok(OnAccountDeleted::Disable),
        "delete" => Ok(OnAccountDeleted::Delete),
        _ => Err(format!("{text:?} must be \"keep\", \"disable\" or \"delete\"")),
    });
    let consent_revoked = values.parsed("apple.notifications.consent_revoked", |text| match text {
        "sign_out" => Ok(OnConsentRevoked::SignOut),
        "disable" => Ok(OnConsentRevoked::Disable),
        _ => Err(format!("{text:?} must be \"sign_out\" or \"disable\"")),
    });
    NotificationPolicy {
        account_deleted: account_deleted.unwrap_or_default(),
        consent_revoked: consent_revoked.unwrap_or_default(),
    }
}

fn security(values: &mut Values) -> Security {
    let minimum_profile = values.parsed("security.minimum_profile", rules::profile);
    Security { minimum_profile: minimum_profile.unwrap_or_default() }
}

/// Nothing is taken from a header that anybody could send, and an alias must be somewhere.
fn mtls(values: &mut Values, server: Option<&Server>) -> Option<Mtls> {
    if !values.has_section("mtls.") {
        return None;
    }
    let listen = values.parsed("mtls.listen", rules::socket_address);
    let certificate = values.file_content("mtls.certificate_file").map(|(_, text)| text);
    let private_key = values.secret("mtls.private_key");
    let ca_pem = values.file_content("mtls.ca_file").map(|(_, text)| text);
    let base_url = values.parsed("mtls.base_url", rules::issuer);
    let header = values.parsed("mtls.header", rules::header_name);
    if listen.is_none() && header.is_none() {
        values.missing("mtls.listen", "an address for a listener of its own, or mtls.header");
    }
    if listen.is_some() && base_url.is_none() {
        values.missing("mtls.base_url", "where clients reach that listener, without a path more");
    }
    let path = |url: &str| Url::parse(url).ok().map(|url| url.path().to_owned());
    if let (Some(base), Some(server)) = (&base_url, server)
        && path(base) != path(&server.issuer)
    {
        values
            .problem("mtls.base_url", "must have the path of server.issuer; only the host differs");
    }
    if header.is_some() && server.is_some_and(|server| server.trusted_proxies.is_empty()) {
        values.problem("mtls.header", "is believed from server.trusted_proxies only; name them");
    }
    let listener = match (listen, certificate, private_key) {
        (Some(listen), Some(certificate), Some(private_key)) => {
            Some(MtlsListener { listen, certificate, private_key })
        }
        (Some(_), _, _) => {
            values.missing(
                "mtls.certificate_file",
                "the listener's certificate, and its key in mtls.private_key_file",
            );
            None
        }
        (None, _, _) => None,
    };
    Some(Mtls { listener, ca_pem, base_url, header })
}

fn outbound(values: &mut Values) -> Outbound {
    let ca_pem = values.file_content("outbound.ca_file").map(|(_, text)| text);
    if ca_pem.as_ref().is_some_and(|text| !text.contains("-----BEGIN CERTIFICATE-----")) {
        values.problem("outbound.ca_file", "holds no certificate in PEM; convert it from DER");
    }
    let timeout = values.positive("outbound.timeout_seconds").unwrap_or(OUTBOUND_TIMEOUT);
    if timeout > LONGEST_TIMEOUT {
        values.problem(
            "outbound.timeout_seconds",
            format!("must be at most {LONGEST_TIMEOUT}: people wait for what is asked meanwhile"),
        );
    }
    Outbound {
        ca_pem: ca_pem.map(String::into_bytes),
        allow_private: values.parsed_list("outbound.allow_private", rules::network),
        timeout: Duration::from_secs(u64::try_from(timeout).unwrap_or(u64::MAX)),
    }
}

fn registration(values: &mut Values) -> Registration {
    let mode = values.parsed("registration.mode", |text| match text {
        "off" => Ok(RegistrationMode::Off),
        "token" => Ok(RegistrationMode::Token),
        "open" => Ok(RegistrationMode::Open),
        _ => Err(format!("{text:?} must be \"off\", \"token\" or \"open\"")),
    });
    let grant_types = values.parsed_list("registration.grant_types", |name| {
        GrantType::parse(name).ok_or_else(|| format!("{name:?} is not a grant type"))
    });
    let software_statement_jwks = values
        .file_content("registration.software_statement_jwks_file")
        .map(|(_, text)| text)
        .and_then(|text| {
            let set = serde_json::from_str(&text).ok();
            let keys = set.as_ref().and_then(|set| crate::protocol::jwk::read_set(set).ok());
            if keys.is_none_or(|keys| keys.is_empty()) {
                values.problem(
                    "registration.software_statement_jwks_file",
                    "holds no public key in a JWKS; export the public keys alone",
                );
                return None;
            }
            set
        });
    let require_software_statement =
        values.boolean("registration.require_software_statement", false);
    if require_software_statement && software_statement_jwks.is_none() {
        values.problem(
            "registration.require_software_statement",
            "needs registration.software_statement_jwks_file; name the keys you trust",
        );
    }
    Registration {
        mode: mode.unwrap_or_default(),
        grant_types,
        redirect_hosts: values.list("registration.redirect_hosts").unwrap_or_default(),
        resources: values.list("registration.resources").unwrap_or_default(),
        profile: values.parsed("registration.profile", rules::profile).unwrap_or_default(),
        software_statement_jwks,
        require_software_statement,
        client_id_metadata_documents: values
            .boolean("registration.client_id_metadata_documents", false),
        client_id_metadata_hosts: values
            .list("registration.client_id_metadata_hosts")
            .unwrap_or_default(),
    }
}

fn log(values: &mut Values) -> Log {
    let format = values.parsed("log.format", |text| match text {
        "auto" => Ok(LogFormat::Auto),
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} must be \"auto\", \"human\" or \"json\"")),
    });
    let level = values.parsed("log.level", |text| {
        match text.parse::<tracing_subscriber::filter::Targets>() {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(format!("{text:?} must be error, warn, info, debug or trace")),
        }
    });
    let default = Log::default();
    Log { format: format.unwrap_or(default.format), level: level.unwrap_or(default.level) }
}
