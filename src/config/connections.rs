//! `[[connections]]`, and `[apple]` as the first of all connections.

use url::Url;

use super::values::Values;
use super::{Apple, Config, FileConnection, rules};
use crate::protocol::ambient::Timestamp;
use crate::protocol::connection::{
    APPLE_ISSUER, AppleMembers, Connection, ConnectionKind, ConnectionSecrets, ConnectionSettings,
    OidcMembers, PRESETS, preset, problems,
};
use crate::protocol::id::ConnectionId;
use crate::protocol::secret::SecretString;
use crate::protocol::upstream_claims::ClaimRules;

impl Config {
    /// Every connection of the file, in the order people are offered them: `[apple]` first.
    pub fn file_connections(&self) -> Vec<FileConnection> {
        let apple = self.apple.as_ref().map(of_apple);
        apple.into_iter().chain(self.connections.iter().cloned()).collect()
    }
}

fn of_apple(apple: &Apple) -> FileConnection {
    let (next_key_id, next_private_key) = apple.next_key.clone().unzip();
    let settings = ConnectionSettings::Apple(AppleMembers {
        team_id: apple.team_id.clone(),
        key_id: apple.key_id.clone(),
        next_key_id,
        services_id: apple.services_id.clone(),
        bundle_ids: apple.bundle_ids.clone(),
        primary_app_id: apple.primary_app_id.clone(),
        mail_sender_domain: apple.mail_sender_domain.clone(),
        issuer: apple.issuer.as_str().trim_end_matches('/').to_owned(),
        additional_issuers: apple.additional_issuers.clone(),
        pkce: apple.pkce,
        link_by_verified_email: apple.link_by_verified_email,
    });
    let secrets = ConnectionSecrets {
        private_key: Some(apple.private_key.clone()),
        private_key_file: apple.private_key_file.clone(),
        next_private_key,
        client_secret: None,
    };
    FileConnection { connection: connection("apple", "Apple".to_owned(), settings), secrets }
}

fn connection(id: &str, display_name: String, settings: ConnectionSettings) -> Connection {
    Connection {
        id: ConnectionId::new(id),
        display_name,
        position: 0,
        enabled: true,
        settings,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 0,
    }
}

pub(super) fn read(values: &mut Values) -> Vec<FileConnection> {
    let mut connections: Vec<FileConnection> = Vec::new();
    for index in 0_usize.. {
        let section = format!("connections.{index}.");
        if !values.has_table(&section) {
            break;
        }
        let Some(read) = one(values, &section) else { continue };
        if connections.iter().any(|other| other.connection.id == read.connection.id) {
            let message = format!("{:?} names two connections; rename one", read.connection.id);
            values.problem(&format!("{section}id"), message);
        }
        connections.push(read);
    }
    connections
}

fn one(values: &mut Values, section: &str) -> Option<FileConnection> {
    let key = |name: &str| format!("{section}{name}");
    let before = values.problems.len();
    let id = values.parsed(&key("id"), rules::connection_id);
    let name = values.text(&key("name"));
    let kind = values.parsed(&key("kind"), |text| {
        let kind = ConnectionKind::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| format!("{text:?} must be \"apple\", \"oidc\" or \"github\""))
    });
    let tenant = values.text(&key("tenant"));
    let preset = values.parsed(&key("preset"), |text| {
        preset(text, tenant.as_deref())
            .ok_or_else(|| format!("{text:?} must be one of {}", PRESETS.join(", ")))
    });
    let (named, base) = match preset {
        Some(preset) => (Some(preset.display_name), Some(preset.settings)),
        None => (None, None),
    };
    let settings = match (base, kind) {
        (Some(base), _) => base,
        (None, Some(ConnectionKind::Apple)) => apple(values, section),
        (None, Some(ConnectionKind::Github)) => {
            super::connections::preset("github", None)?.settings
        }
        (None, Some(ConnectionKind::Oidc) | None) => ConnectionSettings::Oidc(OidcMembers {
            issuer: String::new(),
            issuer_template: None,
            client_id: String::new(),
            scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
            link_by_verified_email: false,
            believe_amr: false,
            claims: ClaimRules::default(),
        }),
    };
    let settings = members(values, section, settings);
    let secrets = ConnectionSecrets {
        private_key_file: values.file_name(&key("private_key_file")),
        private_key: private_key(values, &key("private_key")),
        next_private_key: private_key(values, &key("next_private_key")),
        client_secret: values.secret(&key("client_secret")),
    };
    if values.problems.len() > before {
        return None;
    }
    let Some(id) = id else {
        values.missing(&key("id"), "a short name for URLs, such as \"google\"");
        return None;
    };
    let name = name.or(named.map(str::to_owned)).unwrap_or_else(|| id.clone());
    let connection = connection(&id, name, settings);
    if absent(values, section, &connection.settings, &secrets) {
        return None;
    }
    for (field, message) in problems(&connection) {
        let field = if field == "display_name" { "name" } else { field };
        values.problem(&key(field), message);
    }
    (values.problems.len() == before).then_some(FileConnection { connection, secrets })
}

fn private_key(values: &mut Values, key: &str) -> Option<SecretString> {
    let secret = values.secret(key)?;
    match rules::apple_private_key(&secret) {
        Ok(mended) => Some(mended),
        Err(message) => {
            values.secret_problem(key, message);
            None
        }
    }
}

fn apple(values: &mut Values, section: &str) -> ConnectionSettings {
    let key = |name: &str| format!("{section}{name}");
    let pkce = values.parsed(&key("pkce"), rules::pkce).unwrap_or(true);
    ConnectionSettings::Apple(AppleMembers {
        team_id: values.text(&key("team_id")).unwrap_or_default(),
        key_id: values.text(&key("key_id")).unwrap_or_default(),
        next_key_id: values.text(&key("next_key_id")),
        services_id: values.text(&key("services_id")),
        bundle_ids: values.list(&key("bundle_ids")).unwrap_or_default(),
        primary_app_id: values.text(&key("primary_app_id")),
        mail_sender_domain: values.parsed(&key("mail_sender_domain"), rules::domain),
        issuer: APPLE_ISSUER.to_owned(),
        additional_issuers: values.list(&key("additional_issuers")).unwrap_or_default(),
        pkce,
        link_by_verified_email: false,
    })
}

/// Overlays what is set in the section.
fn members(
    values: &mut Values,
    section: &str,
    mut settings: ConnectionSettings,
) -> ConnectionSettings {
    let key = |name: &str| format!("{section}{name}");
    *settings.link_by_verified_email() = values.boolean(&key("link_by_verified_email"), false);
    match &mut settings {
        ConnectionSettings::Apple(apple) => {
            set(&mut apple.issuer, values.text(&key("issuer")));
        }
        ConnectionSettings::Oidc(oidc) => {
            oidc.believe_amr = values.boolean(&key("believe_amr"), false);
            set(&mut oidc.issuer, values.text(&key("issuer")));
            if let Some(template) = values.text(&key("issuer_template")) {
                oidc.issuer_template = Some(template);
            }
            set(&mut oidc.client_id, values.text(&key("client_id")));
            set(&mut oidc.scopes, values.list(&key("scopes")));
            claims(values, section, &mut oidc.claims);
        }
        ConnectionSettings::Github(github) => {
            set(&mut github.client_id, values.text(&key("client_id")));
            set(&mut github.base_url, values.text(&key("base_url")));
            set(&mut github.api_url, values.text(&key("api_url")));
            claims(values, section, &mut github.claims);
        }
    }
    settings
}

fn set<T>(member: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *member = value;
    }
}

fn claims(values: &mut Values, section: &str, claims: &mut ClaimRules) {
    let key = |name: &str| format!("{section}{name}");
    for (member, name) in [
        (&mut claims.name, "name_claim"),
        (&mut claims.given_name, "given_name_claim"),
        (&mut claims.family_name, "family_name_claim"),
        (&mut claims.email, "email_claim"),
        (&mut claims.email_verified, "email_verified_claim"),
    ] {
        if let Some(claim) = values.text(&key(name)) {
            *member = Some(claim);
        }
    }
    set(&mut claims.allowed_email_domains, values.list(&key("allowed_email_domains")));
    for claim in values.names_below(&key("required_claims.")) {
        let required = values.list(&format!("{section}required_claims.{claim}"));
        claims.required_claims.insert(claim, required.unwrap_or_default());
    }
}

/// Reports what the connection cannot do without.
fn absent(
    values: &mut Values,
    section: &str,
    settings: &ConnectionSettings,
    secrets: &ConnectionSecrets,
) -> bool {
    let wanted: Vec<(bool, &str, &str)> = match settings {
        ConnectionSettings::Apple(apple) => vec![
            (
                apple.team_id.is_empty(),
                "team_id",
                "at the top right of developer.apple.com/account",
            ),
            (apple.key_id.is_empty(), "key_id", "the ten characters in the name AuthKey_….p8"),
            (secrets.private_key.is_none(), "private_key_file", "the AuthKey_….p8 file"),
            (
                apple.next_key_id.is_some() != secrets.next_private_key.is_some(),
                if apple.next_key_id.is_some() { "next_private_key_file" } else { "next_key_id" },
                "a next key has both",
            ),
        ],
        ConnectionSettings::Oidc(oidc) => vec![
            (
                oidc.issuer.is_empty(),
                "issuer",
                "the provider's issuer, such as \"https://accounts.example\"",
            ),
            (oidc.client_id.is_empty(), "client_id", "what the provider calls this broker"),
        ],
        ConnectionSettings::Github(github) => vec![
            (github.client_id.is_empty(), "client_id", "what GitHub calls this broker"),
            (secrets.client_secret.is_none(), "client_secret_file", "the OAuth app's secret"),
        ],
    };
    let mut any = false;
    for (_, name, what) in wanted.into_iter().filter(|(absent, ..)| *absent) {
        values.missing(&format!("{section}{name}"), what);
        any = true;
    }
    any
}

/// The issuers of `[apple] additional_issuers`.
pub(super) fn issuer(text: &str) -> Result<String, String> {
    rules::issuer(text).and_then(|text| {
        Url::parse(&text).map_err(|error| error.to_string())?;
        Ok(text)
    })
}
