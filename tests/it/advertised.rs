//! Discovery says nothing that does not work: each value of each member is used here, and a member
//! that nobody uses fails the test (issue text; conformance C.1.5, C.1.10).

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertifiedIssuer, IsCa, KeyPair};
use russet::op::admin::NewLocalUser;
use russet::protocol::client::{Client, ClientKind, GrantType, TokenEndpointAuthMethod};
use russet::protocol::jose::Algorithm;
use russet::protocol::subject::SubjectType;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::app::{Answer, App, Attempt, answer, claims};
use crate::harness::browser::Browser;
use crate::harness::holder::Holder;
use crate::harness::receiver::verified;
use crate::harness::signer::{Signer, key_set, new_key};
use crate::local_accounts::{PASSWORD, ada, type_in};
use crate::mutual_tls::{Shown, named, pki, self_signed, shown};
use crate::person_factors::{set_up, step};
use crate::{device, workload};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const MTLS: &str = "https://127.0.0.1:9443";

/// A house where everything that can be switched on is, and a browser that is signed in.
struct Fair {
    house: House,
    browser: Browser,
    issued: Shown,
}

/// The values of a list.
fn each(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().expect("a list").iter().map(|value| value.as_str().expect("a text"))
}

fn algorithm(name: &str) -> Algorithm {
    Algorithm::parse(name).unwrap_or_else(|| panic!("{name} is no algorithm"))
}

impl Fair {
    async fn open() -> Self {
        let house = House::new().await;
        let mut params = named("authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let ca = house.database_directory().join("ca.pem");
        std::fs::write(&ca, authority.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let issued = shown(&named("client").signed_by(&key, &authority).unwrap(), &key);
        let house = house
            .reopened(&[
                ("LOCAL_ACCOUNTS__ENABLED", "true"),
                ("REGISTRATION__MODE", "open"),
                ("REGISTRATION__CLIENT_ID_METADATA_DOCUMENTS", "true"),
                ("MTLS__HEADER", "Client-Cert"),
                ("MTLS__BASE_URL", MTLS),
                ("MTLS__CA_FILE", ca.to_str().unwrap()),
                ("SERVER__TRUSTED_PROXIES", "127.0.0.1"),
            ])
            .await;
        house.local_user(ada()).await;
        let mut fair = Self { browser: house.browser(), house, issued };
        let app = fair.web(|_| {}).await;
        fair.asked(&app, &app.attempt("openid")).await;
        fair
    }

    async fn web(&self, change: impl FnOnce(&mut Client)) -> App {
        self.house.client(ClientKind::Web, change).await
    }

    /// A code without a page.
    async fn code(&mut self, app: &App, attempt: &Attempt) -> String {
        let end = self.browser.open(&app.authorize_url(attempt)).await;
        end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url))
    }

    /// A code after the password was asked for.
    async fn asked(&mut self, app: &App, attempt: &Attempt) -> String {
        let page = self.browser.open(&app.authorize_url(attempt)).await;
        let end = type_in(&mut self.browser, &page, "ada", PASSWORD).await;
        end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url))
    }

    async fn tokens(&mut self, app: &App, attempt: &Attempt) -> Answer {
        let code = self.code(app, attempt).await;
        let tokens = app.redeem(attempt, &code).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        tokens
    }

    /// Tokens of somebody with a second step, who signs in before it is set up.
    async fn by_two_factors(&self, app: &App, attempt: &Attempt) -> Answer {
        let grace = NewLocalUser { username: "grace".to_owned(), ..ada() };
        self.house.local_user(grace).await;
        let mut browser = self.house.browser();
        let page = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
        type_in(&mut browser, &page, "grace", PASSWORD).await;
        let (codes, _) = set_up(&self.house, &mut browser).await;
        let mut browser = self.house.browser();
        let page = browser.open(&app.authorize_url(attempt)).await;
        let page = type_in(&mut browser, &page, "grace", PASSWORD).await;
        let next = codes.code(self.house.now().secs() / 30 + 1);
        let end = step(&mut browser, &page, "second-submit", next.expose()).await;
        app.redeem(attempt, &end.query("code").expect("a code")).await
    }

    async fn error(&mut self, app: &App, attempt: &Attempt) -> Option<String> {
        self.browser.open(&app.authorize_url(attempt)).await.query("error")
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.house.issuer)
    }

    async fn exists(&self, url: &str) {
        let response = self.house.http().get(url).send().await.unwrap();
        assert_ne!(response.status(), 404, "{url}");
        assert!(!response.status().is_server_error(), "{url}");
    }

    /// Posts with a certificate in the proxy's header.
    async fn certified(&self, shown: &Shown, path: &str, form: &[(&str, &str)]) -> Answer {
        let header = format!(":{}:", STANDARD.encode(&shown.der));
        let request = self.house.http().post(self.url(path)).header("client-cert", header);
        answer(request.form(form)).await
    }

    /// A client of this method is known at an endpoint.
    async fn proves(&self, method: &str, path: &str) {
        let method = TokenEndpointAuthMethod::ALL.into_iter().find(|m| m.as_str() == method);
        let method = method.expect("a method");
        let form: &[(&str, &str)] = match path {
            "/token" => &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            _ => &[("token", "x")],
        };
        let with = |app: &App, more: &[(&str, &str)]| {
            let own = [("client_id", app.client_id())];
            let all = form.iter().chain(own.iter()).chain(more);
            all.map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
        };
        let answered = match method {
            TokenEndpointAuthMethod::ClientSecretBasic => {
                self.web(|_| {}).await.post(path, form).await
            }
            TokenEndpointAuthMethod::ClientSecretPost => {
                let app = self.web(|client| client.token_endpoint_auth_method = method).await;
                let form = with(&app, &[("client_secret", app.secret.as_deref().unwrap())]);
                answer(self.house.http().post(self.url(path)).form(&form)).await
            }
            TokenEndpointAuthMethod::PrivateKeyJwt => {
                let signer = Signer::new(&self.house, Algorithm::Es256, |_| {}).await;
                signer.post(&self.house, path, form).await
            }
            TokenEndpointAuthMethod::TlsClientAuth => {
                let app = self.web(pki).await;
                let form = with(&app, &[]);
                let form: Vec<_> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                self.certified(&self.issued, path, &form).await
            }
            TokenEndpointAuthMethod::SelfSignedTlsClientAuth => {
                let mine = self_signed("mine");
                let mut set = key_set(&[&new_key(Algorithm::Es256)]);
                set["keys"][0]["x5c"] = json!([STANDARD.encode(&mine.der)]);
                let app = self
                    .web(|client| {
                        client.token_endpoint_auth_method = method;
                        client.settings.jwks = Some(set);
                    })
                    .await;
                let form = with(&app, &[]);
                let form: Vec<_> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                self.certified(&mine, path, &form).await
            }
            TokenEndpointAuthMethod::None => {
                self.house.client(ClientKind::Spa, |_| {}).await.post(path, form).await
            }
        };
        let expected = if path == "/token" { "400 invalid_grant" } else { "200 -" };
        assert_eq!(answered.error(), expected, "{} at {path}", method.as_str());
    }

    async fn grant(&mut self, name: &str) {
        let grant_type = GrantType::parse(name).expect("a grant type");
        let tokens = match grant_type {
            GrantType::AuthorizationCode => {
                let app = self.web(|_| {}).await;
                self.tokens(&app, &app.attempt("openid")).await
            }
            GrantType::RefreshToken => {
                let app = self.web(|_| {}).await;
                let first = self.tokens(&app, &app.attempt("openid offline_access")).await;
                app.refresh(first.text("refresh_token")).await
            }
            GrantType::ClientCredentials => {
                let app = self.house.client(ClientKind::Machine, |_| {}).await;
                app.token(&[("grant_type", name)]).await
            }
            GrantType::TokenExchange => {
                let app = self.web(|client| client.grant_types.push(grant_type)).await;
                let first = self.tokens(&app, &app.attempt("openid email")).await;
                let form = [
                    ("grant_type", EXCHANGE),
                    ("subject_token", first.text("access_token")),
                    ("subject_token_type", ACCESS_TOKEN),
                    ("scope", "openid"),
                ];
                app.token(&form).await
            }
            GrantType::DeviceCode => {
                let app = self.house.client(ClientKind::Device, |_| {}).await;
                let waiting = device::begin(&app, "openid").await;
                let page = self.browser.open(waiting.text("verification_uri_complete")).await;
                let page = self.browser.press(&page, "Continue").await;
                self.browser.press(&page, "Allow").await;
                self.house.advance(device::PACE);
                device::ask(&app, &waiting).await
            }
            GrantType::JwtBearer => {
                let ci = workload::ci().await;
                workload::deploy(&self.house, &ci, |_| {}).await;
                let assertion = ci.assertion(&ci.claims(&self.house));
                workload::show(&self.house, &assertion, &[]).await
            }
        };
        assert_eq!(tokens.status, 200, "{name}: {}", tokens.json);
        assert!(tokens.json["access_token"].is_string());
    }

    /// Each of these claims is told somewhere.
    async fn told(&mut self, value: &Value) {
        let app = self.web(|_| {}).await;
        let attempt = app.attempt("openid profile email address phone");
        let tokens = self.tokens(&app, &attempt).await;
        let mut seen: HashSet<String> = HashSet::new();
        let userinfo = app.userinfo(tokens.text("access_token")).await.json;
        for document in [claims(tokens.text("id_token")), userinfo] {
            seen.extend(document.as_object().unwrap().keys().cloned());
        }
        for claim in each(value) {
            assert!(seen.contains(claim), "{claim} is advertised and told nowhere");
        }
    }

    async fn prompt(&mut self, value: &str) {
        let app = self.web(|client| client.first_party = false).await;
        let attempt = app.attempt("openid").with("prompt", value);
        match value {
            "none" => {
                let refused = self.error(&app, &attempt).await;
                assert_eq!(refused.as_deref(), Some("consent_required"));
            }
            "consent" => {
                let page = self.browser.open(&app.authorize_url(&attempt)).await;
                let end = self.browser.press(&page, "consent-allow").await;
                assert!(end.query("code").is_some(), "{}", end.url);
            }
            "login" | "select_account" => {
                self.house.advance(std::time::Duration::from_secs(2));
                let app = self.web(|_| {}).await;
                self.asked(&app, &app.attempt("openid").with("prompt", value)).await;
            }
            other => panic!("nobody exercises prompt={other}"),
        }
    }

    async fn sent_along(&mut self, parameter: &str, value: &str) {
        let app = self.web(|_| {}).await;
        self.code(&app, &app.attempt("openid").with(parameter, value)).await;
    }

    async fn exercise(&mut self, member: &str, value: &Value) {
        match member {
            "issuer" => assert_eq!(*value, self.house.issuer),
            "authorization_endpoint"
            | "token_endpoint"
            | "device_authorization_endpoint"
            | "registration_endpoint"
            | "userinfo_endpoint"
            | "jwks_uri"
            | "introspection_endpoint"
            | "revocation_endpoint"
            | "end_session_endpoint"
            | "check_session_iframe"
            | "pushed_authorization_request_endpoint" => self.exists(value.as_str().unwrap()).await,
            "mtls_endpoint_aliases" => {
                for alias in value.as_object().unwrap().values() {
                    let path = alias.as_str().unwrap().strip_prefix(MTLS).expect("there");
                    self.exists(&self.url(path)).await;
                }
            }
            "scopes_supported" => {
                for scope in each(value) {
                    let app = self.web(|client| client.scope.push(scope.to_owned())).await;
                    let attempt = app.attempt(&format!("openid {scope}"));
                    let tokens = self.tokens(&app, &attempt).await;
                    assert!(tokens.text("scope").split(' ').any(|granted| granted == scope));
                }
            }
            "response_types_supported" => {
                for response_type in each(value) {
                    self.sent_along("response_type", response_type).await;
                }
            }
            "response_modes_supported" => self.response_modes(value).await,
            "grant_types_supported" => {
                for name in each(value) {
                    self.grant(name).await;
                }
            }
            "subject_types_supported" => {
                for name in each(value) {
                    let subject_type = SubjectType::ALL.into_iter().find(|t| t.as_str() == name);
                    let app = self
                        .web(|client| client.settings.subject_type = subject_type.unwrap())
                        .await;
                    self.tokens(&app, &app.attempt("openid")).await;
                }
            }
            "id_token_signing_alg_values_supported" => {
                for alg in each(value) {
                    let app = self
                        .web(|client| client.id_token_signed_response_alg = algorithm(alg))
                        .await;
                    let tokens = self.tokens(&app, &app.attempt("openid")).await;
                    let (header, _) = verified(&self.house, tokens.text("id_token")).await;
                    assert_eq!(header["alg"], alg);
                }
            }
            "userinfo_signing_alg_values_supported" => {
                for alg in each(value) {
                    let app = self
                        .web(|client| {
                            client.settings.userinfo_signed_response_alg = Some(algorithm(alg));
                        })
                        .await;
                    let tokens = self.tokens(&app, &app.attempt("openid")).await;
                    let request = self.house.http().get(self.url("/userinfo"));
                    let request = request.bearer_auth(tokens.text("access_token"));
                    let jwt = request.send().await.unwrap().text().await.unwrap();
                    assert_eq!(verified(&self.house, &jwt).await.0["alg"], alg);
                }
            }
            "token_endpoint_auth_methods_supported" => self.prove_each(value, "/token").await,
            "introspection_endpoint_auth_methods_supported" => {
                self.prove_each(value, "/introspect").await;
            }
            "revocation_endpoint_auth_methods_supported" => {
                self.prove_each(value, "/revoke").await;
            }
            "token_endpoint_auth_signing_alg_values_supported" => {
                self.sign_each(value, "/token").await;
            }
            "introspection_endpoint_auth_signing_alg_values_supported" => {
                self.sign_each(value, "/introspect").await;
            }
            "revocation_endpoint_auth_signing_alg_values_supported" => {
                self.sign_each(value, "/revoke").await;
            }
            "code_challenge_methods_supported" => {
                for method in each(value) {
                    self.sent_along("code_challenge_method", method).await;
                }
            }
            "dpop_signing_alg_values_supported" => {
                for alg in each(value) {
                    let app = self.house.client(ClientKind::Machine, |_| {}).await;
                    let holder = Holder::new(algorithm(alg));
                    let form = [("grant_type", "client_credentials")];
                    let tokens = holder.token(&self.house, &app, &form).await;
                    let access = claims(tokens.text("access_token"));
                    assert_eq!(access["cnf"]["jkt"], holder.jkt(), "{alg}");
                }
            }
            "tls_client_certificate_bound_access_tokens" => {
                assert_eq!(*value, true);
                let app = self.house.client(ClientKind::Machine, pki).await;
                let form = [("grant_type", "client_credentials"), ("client_id", app.client_id())];
                let tokens = self.certified(&self.issued, "/token", &form).await;
                let bound = &claims(tokens.text("access_token"))["cnf"]["x5t#S256"];
                assert_eq!(*bound, self.issued.certificate.thumbprint());
            }
            "request_object_signing_alg_values_supported" => {
                for alg in each(value) {
                    let signer = Signer::new(&self.house, algorithm(alg), |_| {}).await;
                    let attempt = signer.app.attempt("openid");
                    let object = signer.sign(&signer.request_object(&self.house, &attempt));
                    let short = Attempt {
                        parameters: vec![
                            ("client_id".to_owned(), signer.app.client_id().to_owned()),
                            ("request".to_owned(), object),
                        ],
                        ..attempt
                    };
                    self.code(&signer.app, &short).await;
                }
            }
            "claims_supported" => self.told(value).await,
            "acr_values_supported" => {
                for acr in each(value) {
                    let app = self.web(|_| {}).await;
                    let attempt = app.attempt("openid").with("acr_values", acr);
                    let tokens = match acr {
                        "2" => self.by_two_factors(&app, &attempt).await,
                        _ => self.tokens(&app, &attempt).await,
                    };
                    assert_eq!(claims(tokens.text("id_token"))["acr"], acr);
                }
            }
            "display_values_supported" => {
                for display in each(value) {
                    self.sent_along("display", display).await;
                }
            }
            "ui_locales_supported" => {
                for locale in each(value) {
                    self.sent_along("ui_locales", locale).await;
                }
            }
            "prompt_values_supported" => {
                for prompt in each(value) {
                    self.prompt(prompt).await;
                }
            }
            "claims_parameter_supported" => {
                assert_eq!(*value, true);
                let app = self.web(|_| {}).await;
                let wanted = r#"{"userinfo":{"email":{"essential":true}}}"#;
                let attempt = app.attempt("openid").with("claims", wanted);
                let tokens = self.tokens(&app, &attempt).await;
                let told = app.userinfo(tokens.text("access_token")).await;
                assert_eq!(told.json["email"], "ada@example.com");
            }
            // That values are taken is shown by the algorithms above.
            "request_parameter_supported" => assert_eq!(*value, true),
            "request_uri_parameter_supported" => {
                assert_eq!(*value, false);
                let app = self.web(|_| {}).await;
                let attempt = app.attempt("openid").with("request_uri", "https://a.example/r");
                let refused = self.error(&app, &attempt).await;
                assert_eq!(refused.as_deref(), Some("request_uri_not_supported"));
            }
            "require_pushed_authorization_requests" | "require_signed_request_object" => {
                assert_eq!(*value, false);
                self.sent_along("extra", "foobar").await;
            }
            "authorization_response_iss_parameter_supported" => {
                assert_eq!(*value, true);
                let app = self.web(|_| {}).await;
                let end = self.browser.open(&app.authorize_url(&app.attempt("openid"))).await;
                assert_eq!(end.query("iss"), Some(self.house.issuer.clone()));
            }
            // Stories of their own: tests/it/{rp_initiated,backchannel}_logout.rs, registration.rs.
            "backchannel_logout_supported"
            | "backchannel_logout_session_supported"
            | "frontchannel_logout_supported"
            | "frontchannel_logout_session_supported"
            | "client_id_metadata_document_supported" => assert_eq!(*value, true, "{member}"),
            other => panic!("{other} is advertised, and nobody exercises it"),
        }
    }

    async fn response_modes(&mut self, value: &Value) {
        let app = self.web(|_| {}).await;
        for mode in each(value) {
            let attempt = app.attempt("openid").with("response_mode", mode);
            let end = self.browser.open(&app.authorize_url(&attempt)).await;
            match mode {
                "query" => assert!(end.query("code").is_some()),
                "form_post" => {
                    let form = end.forms().remove(0);
                    assert!(form.fields.iter().any(|(name, _)| name == "code"));
                }
                other => panic!("nobody exercises response_mode={other}"),
            }
        }
    }

    async fn prove_each(&self, value: &Value, path: &str) {
        for method in each(value) {
            self.proves(method, path).await;
        }
    }

    async fn sign_each(&self, value: &Value, path: &str) {
        for alg in each(value) {
            let signer = Signer::new(&self.house, algorithm(alg), |_| {}).await;
            let form: &[(&str, &str)] = match path {
                "/token" => &[("grant_type", "refresh_token"), ("refresh_token", "x")],
                _ => &[("token", "x")],
            };
            let answered = signer.post(&self.house, path, form).await;
            let expected = if path == "/token" { "400 invalid_grant" } else { "200 -" };
            assert_eq!(answered.error(), expected, "{alg} at {path}");
        }
    }
}

#[tokio::test]
async fn c1_5_c1_10_every_value_that_discovery_advertises_works() {
    let mut fair = Fair::open().await;
    let document = fair.house.metadata().await;
    for (member, value) in document.as_object().unwrap() {
        fair.exercise(member, value).await;
    }
    // Never half-done, so never named: JARM, RAR, CIBA, JWE, implicit and hybrid flows.
    let text = document.to_string();
    for absent in ["fragment", "encryption", "\"jwt\"", "authorization_details", "backchannel_auth"]
    {
        assert!(!text.contains(absent), "{absent}");
    }
}
