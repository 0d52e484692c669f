//! Programs to start from, filled in with a client's or an API's own values. The texts are the
//! files in `templates/quickstart/`: programs in eight languages, so nothing but `{{name}}` stands
//! for a value, and a line whose value there is none of is left out.

use std::collections::HashMap;

use crate::protocol::api::Api;
use crate::protocol::client::{Client, ClientKind, TokenEndpointAuthMethod};
use crate::protocol::metadata::path;

/// One program.
pub struct Snippet {
    /// Its name on the page.
    pub id: &'static str,
    /// Its language, and for what it is if that is not plain.
    pub language: &'static str,
    /// The library it uses.
    pub library: &'static str,
    /// The program.
    pub code: String,
}

/// A file, and where it belongs.
struct Source {
    id: &'static str,
    language: &'static str,
    library: &'static str,
    text: &'static str,
}

macro_rules! source {
    ($id:literal, $language:literal, $library:literal, $path:literal) => {
        Source {
            id: $id,
            language: $language,
            library: $library,
            text: include_str!(concat!("../../templates/quickstart/", $path, ".txt")),
        }
    };
}

const WEB: &[Source] = &[
    source!("javascript", "JavaScript", "openid-client", "web/javascript"),
    source!("python", "Python", "Authlib", "web/python"),
    source!("go", "Go", "go-oidc", "web/go"),
    source!("java", "Java", "Spring Security", "web/java"),
    source!("kotlin", "Kotlin", "Spring Security", "web/kotlin"),
    source!("csharp", "C#", "Microsoft.AspNetCore OpenIdConnect", "web/csharp"),
    source!("rust", "Rust", "openidconnect", "web/rust"),
];
const SPA: &[Source] = &[source!("javascript", "JavaScript", "oidc-client-ts", "spa/javascript")];
const NATIVE: &[Source] = &[
    source!("swift", "Swift", "AuthenticationServices", "native/swift-apple"),
    source!("swift-browser", "Swift, through the browser", "AppAuth-iOS", "native/swift-browser"),
    source!("kotlin", "Kotlin", "AppAuth-Android", "native/kotlin"),
    source!("csharp", "C#, the API that the app calls", "JwtBearer", "api/csharp"),
];
const MACHINE: &[Source] = &[
    source!("javascript", "JavaScript", "openid-client", "machine/javascript"),
    source!("python", "Python", "Authlib", "machine/python"),
    source!("go", "Go", "golang.org/x/oauth2", "machine/go"),
    source!("java", "Java", "Spring Security", "machine/java"),
    source!("csharp", "C#", "HttpClient", "machine/csharp"),
    source!("rust", "Rust", "oauth2", "machine/rust"),
];
const DEVICE: &[Source] = &[
    source!("javascript", "JavaScript", "openid-client", "device/javascript"),
    source!("python", "Python", "Requests", "device/python"),
    source!("go", "Go", "golang.org/x/oauth2", "device/go"),
    source!("rust", "Rust", "oauth2", "device/rust"),
];
const MCP: &[Source] = &[
    source!("javascript", "JavaScript", "@modelcontextprotocol/sdk", "mcp/javascript"),
    source!("python", "Python", "mcp", "mcp/python"),
];
const API: &[Source] = &[
    source!("javascript", "JavaScript", "jose", "api/javascript"),
    source!("python", "Python", "PyJWT", "api/python"),
    source!("go", "Go", "go-oidc", "api/go"),
    source!("java", "Java", "Spring Security", "api/java"),
    source!("csharp", "C#", "Microsoft.AspNetCore JwtBearer", "api/csharp"),
    source!("rust", "Rust", "jsonwebtoken", "api/rust"),
];

const fn sources(kind: ClientKind) -> &'static [Source] {
    match kind {
        ClientKind::Web => WEB,
        ClientKind::Spa => SPA,
        ClientKind::Native => NATIVE,
        ClientKind::Machine => MACHINE,
        ClientKind::Device => DEVICE,
        ClientKind::Mcp => MCP,
    }
}

type Values = HashMap<&'static str, String>;

/// Programs for this client.
pub fn for_client(issuer: &str, client: &Client) -> Vec<Snippet> {
    let values = client_values(issuer, client);
    // A program that waits at a redirect URI is no use without one.
    let redirects = |source: &&Source| {
        !client.redirect_uris.is_empty() || !source.text.contains("{{redirect_uri}}")
    };
    sources(client.kind).iter().filter(redirects).map(|source| fill(source, &values)).collect()
}

/// What a program reads from its environment; the secret only where it is told.
pub fn environment(
    issuer: &str,
    client: &Client,
    client_secret: Option<&str>,
) -> Vec<(&'static str, String)> {
    let values = [
        ("OIDC_ISSUER", Some(issuer.to_owned())),
        ("OIDC_CLIENT_ID", Some(client.client_id.to_string())),
        ("OIDC_CLIENT_SECRET", client_secret.map(ToOwned::to_owned)),
        ("OIDC_REDIRECT_URI", client.redirect_uris.first().cloned()),
        ("OIDC_AUDIENCE", client.default_resource.clone()),
    ];
    values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The same as a file that programs read (`.env`).
pub fn env_file(environment: &[(&'static str, String)]) -> String {
    let lines: Vec<_> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    lines.join("\n")
}

/// Whether a native app has no redirect URI yet, without which a browser does not lead back to it.
pub fn needs_redirect_uri(client: &Client) -> bool {
    client.kind == ClientKind::Native && client.redirect_uris.is_empty()
}

/// Programs that check access tokens for this API.
pub fn for_api(issuer: &str, api: &Api) -> Vec<Snippet> {
    let mut values = of_issuer(issuer);
    values.insert("audience", api.identifier.clone());
    values.insert("alg", api.signing_alg.as_str().to_owned());
    API.iter().map(|source| fill(source, &values)).collect()
}

fn fill(source: &Source, values: &Values) -> Snippet {
    let lines = source.text.lines().filter_map(|line| filled(line, values));
    let code = lines.collect::<Vec<_>>().join("\n");
    let Source { id, language, library, .. } = source;
    Snippet { id, language, library, code }
}

/// The line with its values; `None` when there is none for it.
fn filled(line: &str, values: &Values) -> Option<String> {
    let mut parts = line.split("{{");
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once("}}") {
            Some((name, rest)) => {
                done.push_str(values.get(name)?);
                done.push_str(rest);
            }
            None => {
                done.push_str("{{");
                done.push_str(part);
            }
        }
    }
    Some(done)
}

fn of_issuer(issuer: &str) -> Values {
    let at = |path: &str| format!("{issuer}{path}");
    let mut values = Values::from([
        ("issuer", issuer.to_owned()),
        ("discovery", at("/.well-known/openid-configuration")),
        ("token_endpoint", at(path::TOKEN)),
        ("device_authorization_endpoint", at(path::DEVICE_AUTHORIZATION)),
        ("jwks_uri", at(path::JWKS)),
    ]);
    if issuer.starts_with("http:") {
        values.insert("insecure", "for http on loopback only".to_owned());
    }
    values
}

fn client_values(issuer: &str, client: &Client) -> Values {
    let mut values = of_issuer(issuer);
    let method = client.token_endpoint_auth_method;
    let scope = client.scope.join(" ");
    let others: Vec<_> =
        client.scope.iter().filter(|value| *value != "openid").map(String::as_str).collect();
    let quoted: Vec<_> = client.scope.iter().map(|value| format!("\"{value}\"")).collect();
    let audience = client.default_resource.clone();
    let audience = audience.or_else(|| client.resources.first().cloned());
    values.extend([
        ("client_id", client.client_id.to_string()),
        ("scope", scope),
        ("comma_scope", client.scope.join(",")),
        ("extra_scope", others.join(" ")),
        ("go_scope", quoted.join(", ")),
        ("auth_method", method.as_str().to_owned()),
        ("js_auth", js_auth(method).to_owned()),
        ("rust_secret", rust_secret(method).to_owned()),
        ("alg", "RS256".to_owned()),
        ("audience", audience.clone().unwrap_or_else(|| issuer.to_owned())),
        (
            "mcp_server",
            audience.clone().unwrap_or_else(|| "https://mcp.example.com/mcp".to_owned()),
        ),
    ]);
    values.extend(audience.map(|audience| ("resource", in_quotes(&audience))));
    // Lines for libraries that have to be told how to send the secret.
    let by = match method {
        TokenEndpointAuthMethod::ClientSecretBasic => Some("by_header"),
        TokenEndpointAuthMethod::ClientSecretPost => Some("by_form"),
        TokenEndpointAuthMethod::PrivateKeyJwt
        | TokenEndpointAuthMethod::TlsClientAuth
        | TokenEndpointAuthMethod::SelfSignedTlsClientAuth
        | TokenEndpointAuthMethod::None => None,
    };
    values.extend(by.map(|by| (by, method.as_str().to_owned())));
    values.extend(client.apple_bundle_ids.first().map(|id| ("bundle_id", id.clone())));
    values.entry("bundle_id").or_insert_with(|| "none is registered yet".to_owned());
    let post_logout = client.post_logout_redirect_uris.first();
    values.extend(post_logout.map(|uri| ("post_logout_redirect_uri", in_quotes(uri))));
    if let Some(uri) = client.redirect_uris.first() {
        values.insert("redirect_uri", in_quotes(uri));
        if let Ok(url) = url::Url::parse(uri) {
            values.insert("redirect_path", in_quotes(url.path()));
            values.insert("redirect_scheme", url.scheme().to_owned());
        }
    }
    values
}

/// A URI may hold quotes, which end a text in every language.
fn in_quotes(uri: &str) -> String {
    uri.replace('"', "\\\"").replace('\'', "\\'")
}

const fn js_auth(method: TokenEndpointAuthMethod) -> &'static str {
    match method {
        TokenEndpointAuthMethod::ClientSecretBasic => {
            "client.ClientSecretBasic(process.env.OIDC_CLIENT_SECRET)"
        }
        TokenEndpointAuthMethod::ClientSecretPost => {
            "client.ClientSecretPost(process.env.OIDC_CLIENT_SECRET)"
        }
        TokenEndpointAuthMethod::PrivateKeyJwt => "client.PrivateKeyJwt(key)",
        TokenEndpointAuthMethod::TlsClientAuth
        | TokenEndpointAuthMethod::SelfSignedTlsClientAuth => "client.TlsClientAuth()",
        TokenEndpointAuthMethod::None => "client.None()",
    }
}

const fn rust_secret(method: TokenEndpointAuthMethod) -> &'static str {
    if method.uses_secret() {
        "Some(ClientSecret::new(std::env::var(\"OIDC_CLIENT_SECRET\")?))"
    } else {
        "None"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ambient::Timestamp;
    use crate::protocol::client_settings::ApiSettings;
    use crate::protocol::id::ClientId;
    use crate::protocol::jose::Algorithm;

    fn client(kind: ClientKind) -> Client {
        let mut client = Client::of_kind(ClientId::new("c1"), kind, Timestamp::default());
        if kind.has_redirects() {
            client.redirect_uris = vec!["https://app.example/call/back".to_owned()];
        }
        client
    }

    #[test]
    fn every_kind_has_programs_and_no_value_is_missing() {
        for kind in ClientKind::ALL {
            let mut client = client(kind);
            for resources in [Vec::new(), vec!["https://api.example.com".to_owned()]] {
                client.default_resource = resources.first().cloned();
                client.resources = resources;
                let snippets = for_client("https://id.example", &client);
                assert!(!snippets.is_empty(), "{kind:?}");
                for snippet in snippets {
                    assert!(!snippet.code.contains("{{"), "{kind:?} {}", snippet.id);
                    let api = snippet.code.contains("https://api.example.com");
                    let named = client.default_resource.is_some();
                    assert!(!api || named, "{kind:?} {}", snippet.id);
                    assert!(!snippet.code.contains("RequireHttpsMetadata"), "{}", snippet.id);
                }
            }
        }
    }

    #[test]
    fn a_program_sends_its_secret_as_the_client_is_registered() {
        // What stands in the program of each language that has to say how, and in it alone.
        let by_header = [
            ("csharp", "new(\"Basic\""),
            ("javascript", "ClientSecretBasic"),
            ("python", "client_secret_basic"),
        ];
        let by_form = [
            ("csharp", "// client_secret_post"),
            ("javascript", "ClientSecretPost"),
            ("python", "client_secret_post"),
            ("rust", "AuthType::RequestBody"),
        ];
        for kind in [ClientKind::Web, ClientKind::Machine] {
            let program = |method, id: &str| {
                let client = Client { token_endpoint_auth_method: method, ..client(kind) };
                let all = for_client("https://id.example", &client);
                all.into_iter().find(|snippet| snippet.id == id).unwrap().code
            };
            for (own, words, other) in [
                (TokenEndpointAuthMethod::ClientSecretBasic, &by_header[..], &by_form[..]),
                (TokenEndpointAuthMethod::ClientSecretPost, &by_form, &by_header),
            ] {
                assert!(words.iter().all(|(id, word)| program(own, id).contains(word)), "{kind:?}");
                assert!(
                    !other.iter().any(|(id, word)| program(own, id).contains(word)),
                    "{kind:?}"
                );
            }
        }
    }

    #[test]
    fn a_program_that_waits_at_a_redirect_uri_needs_one() {
        let mut client = client(ClientKind::Native);
        client.redirect_uris.clear();
        let ids: Vec<_> =
            for_client("https://id.example", &client).iter().map(|snippet| snippet.id).collect();
        assert_eq!(ids, ["swift", "csharp"]);
    }

    #[test]
    fn a_quote_in_a_redirect_uri_ends_no_text() {
        let mut client = client(ClientKind::Spa);
        client.redirect_uris = vec!["https://app.example/'\";alert(1)//".to_owned()];
        let [snippet] = for_client("http://127.0.0.1:1", &client).try_into().ok().unwrap();
        assert!(!snippet.code.contains("/';") && !snippet.code.contains("'\";"));
    }

    #[test]
    fn an_api_is_verified_by_its_own_audience_and_algorithm() {
        let api = Api {
            identifier: "https://api.example.com".to_owned(),
            name: "Orders".to_owned(),
            scopes: Vec::new(),
            access_token_ttl: 600,
            signing_alg: Algorithm::Rs256,
            settings: ApiSettings::default(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            version: 1,
        };
        for snippet in for_api("http://127.0.0.1:8080", &api) {
            assert!(snippet.code.contains("https://api.example.com"), "{}", snippet.id);
            assert!(snippet.code.contains("RS256"), "{}", snippet.id);
        }
    }
}
