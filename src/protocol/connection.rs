//! Connections: the upstreams people sign in through, as an operator describes them.
//!
//! A connection is a row or a part of the configuration file; both are this type, and both obey the
//! same rules. What is secret of it travels apart, in [`ConnectionSecrets`].

use serde::{Deserialize, Serialize};
use serde_json::json;
use url::{Host, Url};

use crate::ambient::Timestamp;
use crate::client::is_bundle_id;
use crate::id::ConnectionId;
use crate::secret::{Secret, SecretString};
use crate::upstream_claims::ClaimRules;

/// Apple's issuer, unless a connection names another.
pub const APPLE_ISSUER: &str = "https://appleid.apple.com";

/// Which protocol a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// Sign in with Apple.
    Apple,
    /// An OpenID Provider.
    Oidc,
    /// GitHub's plain OAuth 2.
    Github,
}

impl ConnectionKind {
    /// The kind as it is written everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apple => "apple",
            Self::Oidc => "oidc",
            Self::Github => "github",
        }
    }

    /// Every kind, in the order the console offers them.
    pub const ALL: [Self; 3] = [Self::Apple, Self::Oidc, Self::Github];
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its name in URLs and rows, such as `apple`.
    pub id: ConnectionId,
    /// Its name for people, such as `Apple`.
    pub display_name: String,
    /// Where it stands among the others; lower comes first.
    pub position: i32,
    /// Whether people may sign in through it.
    pub enabled: bool,
    /// What its kind needs.
    pub settings: ConnectionSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Counts changes.
    pub version: i32,
}

/// What each kind needs, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConnectionSettings {
    /// Sign in with Apple.
    Apple(AppleMembers),
    /// An OpenID Provider.
    Oidc(OidcMembers),
    /// GitHub.
    Github(GithubMembers),
}

impl ConnectionSettings {
    /// The kind these settings are for.
    pub const fn kind(&self) -> ConnectionKind {
        match self {
            Self::Apple(_) => ConnectionKind::Apple,
            Self::Oidc(_) => ConnectionKind::Oidc,
            Self::Github(_) => ConnectionKind::Github,
        }
    }
}

/// One Apple team and the apps of it that share consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppleMembers {
    /// The ten-character Team ID.
    pub team_id: String,
    /// Key ID of the private key that signs.
    pub key_id: String,
    /// Key ID of the key that is to follow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_key_id: Option<String>,
    /// Web sign-in: the Services ID.
    #[serde(default)]
    pub services_id: Option<String>,
    /// Native sign-in: the apps' bundle IDs.
    #[serde(default)]
    pub bundle_ids: Vec<String>,
    /// The primary App ID, where Apple addresses notifications to one that is no app of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_app_id: Option<String>,
    /// The domain that the operator's mail comes from, for the connection doctor: mail to relay
    /// addresses needs its SPF record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_sender_domain: Option<String>,
    /// Apple, or a simulation of it.
    #[serde(default = "apple_issuer")]
    pub issuer: String,
    /// Issuers that tokens may carry besides `issuer` (apple.md §1.6).
    #[serde(default)]
    pub additional_issuers: Vec<String>,
    /// Whether web sign-in sends a PKCE challenge.
    #[serde(default = "yes")]
    pub pkce: bool,
}

/// An OpenID Provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcMembers {
    /// The upstream's issuer, byte for byte.
    pub issuer: String,
    /// For an issuer of many tenants: the form of the issuer in its tokens, with `{tenantid}` where
    /// the token's `tid` belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_template: Option<String>,
    /// Our `client_id` there.
    pub client_id: String,
    /// What to ask for; holds `openid`.
    #[serde(default = "oidc_scopes")]
    pub scopes: Vec<String>,
    /// Which claims say what, and whom they admit.
    #[serde(flatten)]
    pub claims: ClaimRules,
}

/// GitHub, or a GitHub Enterprise Server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GithubMembers {
    /// Our `client_id` there.
    pub client_id: String,
    /// Where people sign in.
    #[serde(default = "github_base")]
    pub base_url: String,
    /// Where the API answers.
    #[serde(default = "github_api")]
    pub api_url: String,
    /// Which claims say what, and whom they admit.
    #[serde(flatten)]
    pub claims: ClaimRules,
}

fn apple_issuer() -> String {
    APPLE_ISSUER.to_owned()
}

fn yes() -> bool {
    true
}

fn oidc_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

fn github_base() -> String {
    "https://github.com".to_owned()
}

fn github_api() -> String {
    "https://api.github.com".to_owned()
}

/// What is secret of a connection. Stored sealed, as one value bound to the row.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConnectionSecrets {
    /// Apple: the `.p8` text of `key_id`.
    pub private_key: Option<SecretString>,
    /// The name of the file it came from, which tells its Key ID. Not stored.
    #[serde(skip)]
    pub private_key_file: Option<String>,
    /// Apple: the `.p8` text of `next_key_id`.
    pub next_private_key: Option<SecretString>,
    /// Our `client_secret` at the upstream.
    pub client_secret: Option<SecretString>,
}

impl ConnectionSecrets {
    /// The value to seal.
    pub fn to_bytes(&self) -> Secret<Vec<u8>> {
        let text = |secret: &Option<SecretString>| secret.as_ref().map(|s| s.expose().clone());
        let members = json!({
            "private_key": text(&self.private_key),
            "next_private_key": text(&self.next_private_key),
            "client_secret": text(&self.client_secret),
        });
        Secret::new(members.to_string().into_bytes())
    }

    /// What a row's sealed secrets are bound to.
    pub fn bound_to(id: &ConnectionId) -> String {
        format!("connections:{id}")
    }
}

/// What is known of an upstream before an operator has filled anything in.
pub struct Preset {
    /// How it is called on the command line, such as `google`.
    pub name: &'static str,
    /// Its name for people.
    pub display_name: &'static str,
    /// The settings, with `client_id` still empty.
    pub settings: ConnectionSettings,
}

/// The presets. `tenant` is Microsoft's: a directory's id, or `common`, `organizations` or
/// `consumers` for many.
pub fn preset(name: &str, tenant: Option<&str>) -> Option<Preset> {
    let oidc = |issuer: String, issuer_template, claims| {
        ConnectionSettings::Oidc(OidcMembers {
            issuer,
            issuer_template,
            client_id: String::new(),
            scopes: oidc_scopes(),
            claims,
        })
    };
    Some(match name {
        "google" => Preset {
            name: "google",
            display_name: "Google",
            settings: oidc("https://accounts.google.com".to_owned(), None, ClaimRules::default()),
        },
        "microsoft" => {
            let tenant = tenant.unwrap_or("common");
            let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
            let many = matches!(tenant, "common" | "organizations" | "consumers");
            // Microsoft says whether an address is the account's own in a claim of its own name.
            let claims =
                ClaimRules { email_verified: Some("xms_edov".to_owned()), ..ClaimRules::default() };
            Preset {
                name: "microsoft",
                display_name: "Microsoft",
                settings: oidc(of(tenant), many.then(|| of("{tenantid}")), claims),
            }
        }
        "github" => Preset {
            name: "github",
            display_name: "GitHub",
            settings: ConnectionSettings::Github(GithubMembers {
                client_id: String::new(),
                base_url: github_base(),
                api_url: github_api(),
                claims: ClaimRules::default(),
            }),
        },
        _ => return None,
    })
}

/// What a new connection begins with.
pub struct Draft {
    /// Its name for people.
    pub display_name: &'static str,
    /// Settings in which an operator still fills in what is theirs.
    pub settings: ConnectionSettings,
}

/// A draft of this kind or preset.
pub fn draft(name: &str, tenant: Option<&str>) -> Option<Draft> {
    match name {
        "apple" => {
            let settings = ConnectionSettings::Apple(AppleMembers {
                team_id: String::new(),
                key_id: String::new(),
                next_key_id: None,
                services_id: None,
                bundle_ids: Vec::new(),
                primary_app_id: None,
                mail_sender_domain: None,
                issuer: apple_issuer(),
                additional_issuers: Vec::new(),
                pkce: yes(),
            });
            Some(Draft { display_name: "Apple", settings })
        }
        "oidc" => {
            let settings = ConnectionSettings::Oidc(OidcMembers {
                issuer: String::new(),
                issuer_template: None,
                client_id: String::new(),
                scopes: oidc_scopes(),
                claims: ClaimRules::default(),
            });
            Some(Draft { display_name: "an OpenID Provider", settings })
        }
        preset_name => {
            let preset = preset(preset_name, tenant)?;
            Some(Draft { display_name: preset.display_name, settings: preset.settings })
        }
    }
}

/// The names of the presets.
pub const PRESETS: [&str; 3] = ["google", "microsoft", "github"];

/// What is wrong with a connection: the member and one sentence for whoever filled it in.
pub fn problems(connection: &Connection) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut say = |field, message: String| found.push((field, message));
    if let Some(message) = id_problem(connection.id.as_str()) {
        say("id", message);
    }
    let name = &connection.display_name;
    if name.trim().is_empty() || name.chars().count() > 60 || name.contains(char::is_control) {
        say("display_name", "must be 1 to 60 characters, without control characters".to_owned());
    }
    match &connection.settings {
        ConnectionSettings::Apple(apple) => apple_problems(apple, &mut say),
        ConnectionSettings::Oidc(oidc) => {
            let whole = oidc.issuer.trim_end_matches('/');
            if let Some(message) = url_problem(whole) {
                say("issuer", message);
            }
            if let Some(template) = &oidc.issuer_template
                && (!template.contains("{tenantid}")
                    || url_problem(&template.replace("{tenantid}", "t")).is_some())
            {
                say("issuer_template", "must be a URL that holds {tenantid}".to_owned());
            }
            if !oidc.scopes.iter().any(|scope| scope == "openid") {
                say("scopes", "must hold \"openid\"; add it".to_owned());
            }
            text_problem("client_id", &oidc.client_id, &mut say);
            oidc.claims.problems(&mut say);
        }
        ConnectionSettings::Github(github) => {
            text_problem("client_id", &github.client_id, &mut say);
            for (field, url) in [("base_url", &github.base_url), ("api_url", &github.api_url)] {
                if let Some(message) = url_problem(url) {
                    say(field, message);
                }
            }
            github.claims.problems(&mut say);
        }
    }
    found
}

fn apple_problems(apple: &AppleMembers, say: &mut impl FnMut(&'static str, String)) {
    let exact = apple.issuer == APPLE_ISSUER;
    let identifier = |text: &str| {
        let fits = if exact { text.len() == 10 } else { (1..=32).contains(&text.len()) };
        fits && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let keys = [
        ("team_id", Some(&apple.team_id)),
        ("key_id", Some(&apple.key_id)),
        ("next_key_id", apple.next_key_id.as_ref()),
    ];
    for (field, text) in keys {
        if let Some(text) = text.filter(|text| !identifier(text)) {
            let message = format!(
                "{text:?} is not what Apple issues: ten letters and digits, such as \"ABCDE12345\""
            );
            say(field, message);
        }
    }
    if apple.next_key_id.as_ref() == Some(&apple.key_id) {
        say("next_key_id", "is the key that signs already".to_owned());
    }
    for (field, id) in apple
        .services_id
        .iter()
        .map(|id| ("services_id", id))
        .chain(apple.primary_app_id.iter().map(|id| ("primary_app_id", id)))
        .chain(apple.bundle_ids.iter().map(|id| ("bundle_ids", id)))
    {
        if !is_bundle_id(id) {
            say(field, format!("{id:?} is not an identifier such as \"com.example.app\""));
        }
    }
    if apple.services_id.is_none() && apple.bundle_ids.is_empty() {
        let message = "set services_id for web sign-in, bundle_ids for native sign-in, or both";
        say("services_id", message.to_owned());
    }
    if let Some(message) = url_problem(&apple.issuer) {
        say("issuer", message);
    }
    for issuer in &apple.additional_issuers {
        if let Some(message) = url_problem(issuer) {
            say("additional_issuers", message);
        }
    }
}

fn text_problem(field: &'static str, text: &str, say: &mut impl FnMut(&'static str, String)) {
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        say(field, "must be 1 to 255 printable characters without blanks".to_owned());
    }
}

/// Why `text` cannot name a connection, if so.
pub fn id_problem(text: &str) -> Option<String> {
    let good = (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (!good).then(|| format!("{text:?} must be 1 to 32 of a-z, 0-9 and -"))
}

/// An address that is asked: https, or http on this machine; without query, fragment, user and
/// closing slash.
fn url_problem(text: &str) -> Option<String> {
    let wrong = |what: &str| Some(format!("{text:?} {what}"));
    let Ok(url) = Url::parse(text) else {
        return wrong("is not a URL; write it in full, such as \"https://id.example.com\"");
    };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return wrong("names no host"),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return wrong("must begin with https:// (http:// is for this machine alone)"),
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("must have neither query nor fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must hold neither user nor password");
    }
    if text.ends_with('/') {
        return wrong("must not end in a slash");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apple() -> AppleMembers {
        AppleMembers {
            team_id: "TEAM123456".into(),
            key_id: "KEY1234567".into(),
            next_key_id: None,
            services_id: Some("com.example.web".into()),
            bundle_ids: Vec::new(),
            primary_app_id: None,
            mail_sender_domain: None,
            issuer: APPLE_ISSUER.into(),
            additional_issuers: Vec::new(),
            pkce: true,
        }
    }

    fn of(settings: ConnectionSettings) -> Connection {
        Connection {
            id: ConnectionId::new("second"),
            display_name: "Second".into(),
            position: 0,
            enabled: true,
            settings,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            version: 1,
        }
    }

    fn fields(connection: &Connection) -> Vec<&'static str> {
        problems(connection).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn a_good_connection_has_no_problem() {
        assert_eq!(problems(&of(ConnectionSettings::Apple(apple()))), []);
        for name in PRESETS {
            let mut settings = preset(name, None).unwrap().settings;
            match &mut settings {
                ConnectionSettings::Oidc(oidc) => oidc.client_id = "russet".into(),
                ConnectionSettings::Github(github) => github.client_id = "russet".into(),
                ConnectionSettings::Apple(_) => {}
            }
            assert_eq!(problems(&of(settings)), [], "{name}");
        }
    }

    #[test]
    fn each_rule_names_its_member() {
        let with = |change: fn(&mut AppleMembers)| {
            let mut members = apple();
            change(&mut members);
            fields(&of(ConnectionSettings::Apple(members)))
        };
        assert_eq!(with(|a| a.team_id = "short".into()), ["team_id"]);
        assert_eq!(with(|a| a.key_id = "KEY 234567".into()), ["key_id"]);
        assert_eq!(with(|a| a.next_key_id = Some("x".into())), ["next_key_id"]);
        assert_eq!(with(|a| a.next_key_id = Some("KEY1234567".into())), ["next_key_id"]);
        assert_eq!(with(|a| a.services_id = None), ["services_id"]);
        assert_eq!(with(|a| a.bundle_ids = vec!["x".into()]), ["bundle_ids"]);
        assert_eq!(with(|a| a.additional_issuers = vec!["x".into()]), ["additional_issuers"]);
        assert_eq!(with(|a| a.issuer = "http://apple.example".into()), ["issuer"]);
        let mut connection = of(ConnectionSettings::Apple(apple()));
        connection.id = ConnectionId::new("No/Slash");
        connection.display_name = " ".into();
        assert_eq!(fields(&connection), ["id", "display_name"]);
    }

    #[test]
    fn a_tenant_makes_the_issuer() {
        let ConnectionSettings::Oidc(common) = preset("microsoft", None).unwrap().settings else {
            panic!("an OpenID Provider");
        };
        assert_eq!(common.issuer, "https://login.microsoftonline.com/common/v2.0");
        assert!(common.issuer_template.is_some());
        let one = preset("microsoft", Some("11111111-2222-3333-4444-555555555555")).unwrap();
        let ConnectionSettings::Oidc(one) = one.settings else { panic!("an OpenID Provider") };
        assert!(one.issuer.contains("/11111111-2222-3333-4444-555555555555/"));
        assert_eq!(one.issuer_template, None);
    }

    #[test]
    fn secrets_come_back_and_do_not_print() {
        let secrets = ConnectionSecrets {
            client_secret: Some("hush".into()),
            ..ConnectionSecrets::default()
        };
        assert!(!format!("{secrets:?}").contains("hush"));
        let back: ConnectionSecrets = serde_json::from_slice(secrets.to_bytes().expose()).unwrap();
        assert_eq!(back.client_secret.unwrap().expose(), "hush");
        assert!(back.private_key.is_none());
    }

    #[test]
    fn settings_are_one_document_with_their_kind() {
        let settings = ConnectionSettings::Apple(apple());
        let text = serde_json::to_string(&settings).unwrap();
        assert!(text.starts_with("{\"kind\":\"apple\""), "{text}");
        assert_eq!(serde_json::from_str::<ConnectionSettings>(&text).unwrap(), settings);
        let little = r#"{"kind":"oidc","issuer":"https://op.example","client_id":"c"}"#;
        let ConnectionSettings::Oidc(read) = serde_json::from_str(little).unwrap() else {
            panic!("an OpenID Provider");
        };
        assert_eq!(read.scopes, ["openid", "profile", "email"]);
        assert_eq!(read.claims, ClaimRules::default());
    }
}
