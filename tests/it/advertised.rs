//! Discovery says nothing that does not work: under each minimum profile each value of each member
//! is used here, a member that nobody uses fails the test, and what FAPI 2.0 leaves out is refused
//! (issue text; conformance C.1.3, C.1.5, C.1.10).

mod fair;

use std::collections::HashSet;

use russet::protocol::client::{ClientKind, GrantType, TokenEndpointAuthMethod};
use russet::protocol::jose::Algorithm;
use russet::protocol::profile::Profile;
use russet::protocol::subject::SubjectType;
use serde_json::Value;

use self::fair::{Fair, MTLS, known};
use crate::harness::app::claims;
use crate::harness::receiver::verified;
use crate::mutual_tls::pki;
use crate::{device, workload};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The values of a list.
fn each(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().expect("a list").iter().map(|value| value.as_str().expect("a text"))
}

fn algorithm(name: &str) -> Algorithm {
    Algorithm::parse(name).unwrap_or_else(|| panic!("{name} is no algorithm"))
}

impl Fair {
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
                let app = self.client(ClientKind::Machine, |_| {}).await;
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
                let app = self.client(ClientKind::Device, |_| {}).await;
                let waiting = device::begin(&app, "openid").await;
                let page = self.browser.open(waiting.text("verification_uri_complete")).await;
                let page = self.browser.press(&page, "Continue").await;
                self.browser.press(&page, "Allow").await;
                self.house.advance(device::PACE);
                device::ask(&app, &waiting).await
            }
            GrantType::JwtBearer => {
                let ci = workload::ci().await;
                self.house.api(workload::API, Algorithm::Es256, &["deploy"]).await;
                let app = self.client(ClientKind::Machine, workload::pipeline).await;
                workload::trust(&self.house, &ci, &app, |_| {}).await;
                let assertion = ci.assertion(&ci.claims(&self.house));
                let form = [("assertion", assertion.as_str())];
                if self.is_fapi() {
                    // Who brings an issuer's word alone has not proven which client it is.
                    let alone = workload::show(&self.house, &assertion, &[]).await;
                    assert_eq!(alone.error(), "401 invalid_client");
                    app.token(&[&[("grant_type", name)], &form[..]].concat()).await
                } else {
                    workload::show(&self.house, &assertion, &[]).await
                }
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
                let page = self.page(&app, &attempt).await;
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
                    let request = app.at_userinfo(tokens.text("access_token"));
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
                    let (app, tokens) = self.holding(algorithm(alg)).await;
                    let bound = &claims(tokens.text("access_token"))["cnf"]["jkt"];
                    assert_eq!(bound, app.keys.expect("keys").holder.jkt(), "{alg}");
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
                    let (app, attempt) = self.in_an_object(algorithm(alg)).await;
                    self.code(&app, &attempt).await;
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
                // What is pushed can name no other request (RFC 9126 §2.1).
                let told =
                    if self.is_fapi() { "invalid_request" } else { "request_uri_not_supported" };
                assert_eq!(refused.as_deref(), Some(told));
            }
            "require_pushed_authorization_requests" => {
                assert_eq!(*value, self.is_fapi());
                let app = self.web(|_| {}).await;
                let direct = app.authorize_url(&app.attempt("openid"));
                let refused = self.browser.open(&direct).await.query("error");
                assert_eq!(refused.as_deref(), self.is_fapi().then_some("invalid_request"));
            }
            "require_signed_request_object" => {
                assert_eq!(*value, false);
                self.sent_along("extra", "foobar").await;
            }
            "authorization_response_iss_parameter_supported" => {
                assert_eq!(*value, true);
                let app = self.web(|_| {}).await;
                let end = self.page(&app, &app.attempt("openid")).await;
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
            let end = self.page(&app, &attempt).await;
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
        let listed: HashSet<&str> = each(value).collect();
        for method in TokenEndpointAuthMethod::ALL {
            let answered = self.proving(method, path).await.error();
            let name = method.as_str();
            if listed.contains(name) {
                assert_eq!(answered, known(path), "{name} at {path}");
            } else if self.is_fapi() {
                assert_eq!(answered, "401 invalid_client", "{name} at {path}");
            }
        }
        let known = TokenEndpointAuthMethod::ALL.map(TokenEndpointAuthMethod::as_str);
        assert!(listed.iter().all(|name| known.contains(name)), "{listed:?}");
    }

    async fn sign_each(&self, value: &Value, path: &str) {
        let listed: Vec<Algorithm> = each(value).map(algorithm).collect();
        for alg in Algorithm::ALL {
            let answered = self.signing(alg, path).await.error();
            let good = listed.contains(&alg);
            let expected = if good { known(path) } else { "401 invalid_client" };
            assert_eq!(answered, expected, "{} at {path}", alg.as_str());
        }
    }
}

async fn every_value_works_under(minimum: Profile) {
    let mut fair = Fair::open(minimum).await;
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

#[tokio::test]
async fn c1_5_c1_10_every_value_that_discovery_advertises_works() {
    every_value_works_under(Profile::Oidc).await;
}

#[tokio::test]
async fn c1_5_c1_10_every_value_works_where_oauth_2_1_is_the_least() {
    every_value_works_under(Profile::Oauth21).await;
}

#[tokio::test]
async fn c1_3_c1_5_every_value_works_where_fapi_is_the_least() {
    every_value_works_under(Profile::Fapi2).await;
}

#[tokio::test]
async fn c1_3_where_fapi_is_the_least_discovery_leaves_out_what_it_refuses() {
    let mut fair = Fair::open(Profile::Fapi2).await;
    let document = fair.house.metadata().await;
    let algorithms =
        document.as_object().unwrap().iter().filter(|(name, _)| name.contains("_alg_"));
    for (member, value) in algorithms {
        let listed: HashSet<&str> = each(value).collect();
        assert_eq!(listed, HashSet::from(["PS256", "ES256", "EdDSA"]), "{member}");
    }
    let methods = ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"];
    for endpoint in ["token", "introspection", "revocation"] {
        let listed = &document[format!("{endpoint}_endpoint_auth_methods_supported")];
        assert_eq!(each(listed).collect::<HashSet<_>>(), HashSet::from(methods), "{endpoint}");
    }
    // The other way round: RS256 is good for nothing, whatever a client was registered for before.
    let rs256 = Algorithm::Rs256;
    let (_, refused) = fair.holding(rs256).await;
    assert_eq!(refused.error(), "400 invalid_dpop_proof");
    let (app, attempt) = fair.in_an_object(rs256).await;
    assert!(fair.address(&app, &attempt).await.is_err());
    let app = fair
        .web(|client| {
            client.id_token_signed_response_alg = rs256;
            client.settings.userinfo_signed_response_alg = Some(rs256);
        })
        .await;
    let tokens = fair.tokens(&app, &app.attempt("openid")).await;
    let userinfo = app.at_userinfo(tokens.text("access_token")).send().await.unwrap();
    for jwt in [tokens.text("id_token"), &userinfo.text().await.unwrap()] {
        assert_eq!(verified(&fair.house, jwt).await.0["alg"], "PS256");
    }
    // A certificate binds as well as a proof; neither is refused.
    let app = fair.web(pki).await;
    let form = [("grant_type", "client_credentials"), ("client_id", app.client_id())];
    let shown = fair.certified(&fair.issued, "/token", &form).await;
    assert_eq!(shown.error(), "400 unauthorized_client", "known, though not for this grant");
}
