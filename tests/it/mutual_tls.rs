//! Certificates of clients: RFC 8705, conformance C.1 (8), C.6 (50, 57), C.9 (76), C.11 (84, 85).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use russet::broker::RunningBroker;
use russet::protocol::client::{Client, ClientKind, TokenEndpointAuthMethod};
use russet::protocol::client_certificate::ClientCertificate;
use russet::protocol::jose::Algorithm;
use russet::protocol::profile::Profile;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::app::{Answer, App, answer, claims};
use crate::harness::holder::Holder;
use crate::harness::signer::Publisher;

const DN: &str = "CN=client";

pub(crate) struct Shown {
    pub(crate) certificate: ClientCertificate,
    pub(crate) der: Vec<u8>,
    pem: String,
}

pub(crate) struct Place {
    pub(crate) house: House,
    pub(crate) broker: RunningBroker,
    pub(crate) base: String,
    authority: CertifiedIssuer<'static, KeyPair>,
}

pub(crate) fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![format!("{name}.example")]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

pub(crate) fn shown(certificate: &rcgen::Certificate, key: &KeyPair) -> Shown {
    Shown {
        certificate: ClientCertificate::from_chain(vec![certificate.der().to_vec()]).unwrap(),
        der: certificate.der().to_vec(),
        pem: format!("{}{}", certificate.pem(), key.serialize_pem()),
    }
}

pub(crate) fn self_signed(name: &str) -> Shown {
    let key = KeyPair::generate().unwrap();
    shown(&named(name).self_signed(&key).unwrap(), &key)
}

impl Place {
    pub(crate) async fn new() -> Self {
        let house = House::new().await;
        let mut params = named("authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let server = server.self_signed(&key).unwrap();
        let directory = house.database_directory();
        let (certificate_file, ca_file) = (directory.join("mtls.pem"), directory.join("ca.pem"));
        std::fs::write(&certificate_file, server.pem()).unwrap();
        std::fs::write(&ca_file, authority.pem()).unwrap();
        let broker = house
            .replica_with(&[
                ("MTLS__LISTEN", "127.0.0.1:0"),
                ("MTLS__BASE_URL", "https://127.0.0.1:9443"),
                ("MTLS__CERTIFICATE_FILE", certificate_file.to_str().unwrap()),
                ("MTLS__PRIVATE_KEY", &key.serialize_pem()),
                ("MTLS__CA_FILE", ca_file.to_str().unwrap()),
                ("MTLS__HEADER", "Client-Cert"),
                ("SERVER__TRUSTED_PROXIES", "127.0.0.1"),
            ])
            .await;
        let base = format!("https://{}", broker.mtls_address().unwrap());
        Self { house, broker, base, authority }
    }

    pub(crate) fn issued(&self, name: &str) -> Shown {
        let key = KeyPair::generate().unwrap();
        shown(&named(name).signed_by(&key, &self.authority).unwrap(), &key)
    }

    #[expect(clippy::disallowed_methods, reason = "tests are outsiders")]
    pub(crate) fn browser(&self, shown: Option<&Shown>) -> reqwest::Client {
        let mut builder =
            reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        if let Some(shown) = shown {
            builder = builder.identity(reqwest::Identity::from_pem(shown.pem.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }

    async fn token(&self, app: &App, certificate: Option<&Shown>) -> Answer {
        let form = [("grant_type", "client_credentials"), ("client_id", app.client_id())];
        let request = self.browser(certificate).post(format!("{}/token", self.base)).form(&form);
        answer(request).await
    }

    async fn client(&self, change: impl FnOnce(&mut Client)) -> App {
        self.house.client(ClientKind::Machine, change).await
    }
}

pub(crate) fn pki(client: &mut Client) {
    client.token_endpoint_auth_method = TokenEndpointAuthMethod::TlsClientAuth;
    client.settings.tls_client_auth_subject_dn = Some(DN.to_owned());
    client.settings.tls_client_certificate_bound_access_tokens = true;
}

#[tokio::test]
async fn c6_50_a_certificate_by_an_authority_of_ours_proves_its_subject() {
    let place = Place::new().await;
    let app = place.client(pki).await;
    let good = place.issued("client");
    let tokens = place.token(&app, Some(&good)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);
    assert_eq!(tokens.text("token_type"), "Bearer");
    let bound = &claims(tokens.text("access_token"))["cnf"];
    assert_eq!(*bound, json!({ "x5t#S256": good.certificate.thumbprint() }));
    for (why, certificate) in [
        ("none", None),
        ("another subject", Some(place.issued("other"))),
        ("an authority of its own", Some(self_signed("client"))),
    ] {
        let refused = place.token(&app, certificate.as_ref()).await;
        assert_eq!(refused.error(), "401 invalid_client", "{why}");
    }
    // Without the listener there is no certificate, whatever a header says.
    let form = [("grant_type", "client_credentials"), ("client_id", app.client_id())];
    let header = format!(":{}:", STANDARD.encode(&good.der));
    let request = place.house.http().post(format!("{}/token", place.house.issuer));
    let bare = answer(request.header("client-cert", header).form(&form)).await;
    assert_eq!(bare.error(), "401 invalid_client");
    place.broker.stop().await;
}

#[tokio::test]
async fn c6_50_a_registered_certificate_proves_its_client() {
    let place = Place::new().await;
    let (mine, other) = (self_signed("client"), self_signed("client"));
    let mut jwk: Value = Holder::new(Algorithm::Es256).key.public_jwk().clone();
    jwk["x5c"] = json!([STANDARD.encode(&mine.der)]);
    let app = place
        .client(|client| {
            client.token_endpoint_auth_method = TokenEndpointAuthMethod::SelfSignedTlsClientAuth;
            client.settings.jwks = Some(json!({ "keys": [jwk] }));
        })
        .await;
    assert_eq!(place.token(&app, Some(&mine)).await.status, 200);
    assert_eq!(place.token(&app, Some(&other)).await.error(), "401 invalid_client");
    assert_eq!(place.token(&app, None).await.error(), "401 invalid_client");
    place.broker.stop().await;
}

#[tokio::test]
async fn c6_57_and_c9_76_a_bound_token_is_good_with_its_certificate_alone() {
    let place = Place::new().await;
    let app = place
        .house
        .client(ClientKind::Web, |client| {
            client.settings.tls_client_certificate_bound_access_tokens = true;
        })
        .await;
    let (mine, other) = (self_signed("a"), self_signed("b"));
    let attempt = app.attempt("openid offline_access");
    let end = app.sign_in(&mut place.house.browser(), &attempt, "Ada Lovelace").await;
    let code = end.query("code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://127.0.0.1:9/callback"),
        ("code_verifier", attempt.verifier.as_str()),
    ];
    let redeem = |certificate: Option<&Shown>| {
        let request = place.browser(certificate).post(format!("{}/token", place.base));
        answer(request.basic_auth(app.client_id(), app.secret.as_ref()).form(&form))
    };
    assert_eq!(redeem(None).await.error(), "400 invalid_request");
    let tokens = redeem(Some(&mine)).await;
    let token = tokens.text("access_token");
    let userinfo = |certificate: Option<&Shown>| {
        let request = place.browser(certificate).get(format!("{}/userinfo", place.base));
        answer(request.bearer_auth(token))
    };
    assert_eq!(userinfo(Some(&mine)).await.status, 200);
    assert_eq!(userinfo(Some(&other)).await.error(), "401 invalid_token");
    assert_eq!(userinfo(None).await.error(), "401 invalid_token");
    let told = app.introspect(token).await;
    assert_eq!(told.json["cnf"]["x5t#S256"], mine.certificate.thumbprint());
    // Behind a proxy that ends TLS, its header stands in for the handshake.
    let plain = format!("http://{}", place.broker.address());
    let header = format!(":{}:", STANDARD.encode(&mine.der));
    let request = place.house.http().get(format!("{plain}/userinfo")).bearer_auth(token);
    assert_eq!(answer(request.header("client-cert", header)).await.status, 200);
    place.broker.stop().await;
}

#[tokio::test]
async fn c1_8_discovery_says_where_certificates_are_taken_and_only_where_they_are() {
    let place = Place::new().await;
    let document = |base: String| {
        answer(place.house.http().get(format!("{base}/.well-known/openid-configuration")))
    };
    let with = document(format!("http://{}", place.broker.address())).await.json;
    assert_eq!(with["tls_client_certificate_bound_access_tokens"], true);
    let aliases = with["mtls_endpoint_aliases"].as_object().unwrap();
    for (name, url) in aliases {
        let path = url.as_str().unwrap().strip_prefix("https://127.0.0.1:9443").unwrap();
        assert_eq!(with[name].as_str().unwrap(), format!("{}{path}", place.house.issuer));
        let response = place.browser(None).get(format!("{}{path}", place.base)).send().await;
        assert_ne!(response.unwrap().status(), 404, "{name}");
    }
    let methods = with["token_endpoint_auth_methods_supported"].to_string();
    assert!(methods.contains("\"tls_client_auth\"") && methods.contains("self_signed"));
    let without = document(place.house.issuer.clone()).await.json;
    assert_eq!(without["tls_client_certificate_bound_access_tokens"], false);
    assert!(without.get("mtls_endpoint_aliases").is_none());
    let methods = without["token_endpoint_auth_methods_supported"].to_string();
    assert!(!methods.contains("tls_client_auth"));
    place.broker.stop().await;
}

#[tokio::test]
async fn c6_50_a_certificate_may_be_registered_by_address() {
    let place = Place::new().await;
    let (first, second) = (self_signed("client"), self_signed("client"));
    let set = |shown: &Shown| {
        let mut jwk: Value = Holder::new(Algorithm::Es256).key.public_jwk().clone();
        jwk["x5c"] = json!([STANDARD.encode(&shown.der)]);
        json!({ "keys": [jwk] })
    };
    let published = Publisher::of(&set(&first)).await;
    let uri = published.url.clone();
    let app = place
        .client(|client| {
            client.token_endpoint_auth_method = TokenEndpointAuthMethod::SelfSignedTlsClientAuth;
            client.settings.jwks_uri = Some(uri);
        })
        .await;
    assert_eq!(place.token(&app, Some(&first)).await.status, 200);
    assert_eq!(place.token(&app, Some(&second)).await.error(), "401 invalid_client");
    assert_eq!(place.token(&app, None).await.error(), "401 invalid_client");
    assert_eq!(published.times_asked(), 1, "a stranger's certificate fetches nothing at once");
    // A new certificate is taken as soon as the set may be asked again (C.3.21).
    published.publish(&set(&second));
    place.house.advance(Duration::from_secs(31));
    assert_eq!(place.token(&app, Some(&second)).await.status, 200);
    assert_eq!(place.token(&app, Some(&first)).await.error(), "401 invalid_client");
    place.broker.stop().await;
}

/// FAPI 2.0 with certificates for everything: conformance B.7, mtls + mtls.
#[tokio::test]
async fn c11_85_a_fapi_client_goes_from_push_to_resource_by_its_certificate() {
    let place = Place::new().await;
    let (mine, other) = (place.issued("client"), place.issued("client"));
    // That its tokens be bound is the profile's demand and need not be said again.
    let app = place
        .house
        .client(ClientKind::Web, |client| {
            pki(client);
            client.settings.tls_client_certificate_bound_access_tokens = false;
            client.settings.profile = Some(Profile::Fapi2);
        })
        .await;
    let attempt = app.attempt("openid offline_access");
    let post = async |path: &str, form: &[(&str, &str)], shown: Option<&Shown>| {
        let request = place.browser(shown).post(format!("{}{path}", place.base)).form(form);
        answer(request).await
    };
    let form: Vec<(&str, &str)> =
        attempt.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(post("/par", &form, None).await.error(), "401 invalid_client");
    let pushed = post("/par", &form, Some(&mine)).await;
    assert_eq!(pushed.status, 201, "{}", pushed.json);
    let mut url = url::Url::parse(&format!("{}/authorize", place.house.issuer)).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", app.client_id())
        .append_pair("request_uri", pushed.text("request_uri"));
    let mut browser = place.house.browser();
    let page = browser.open(url.as_str()).await;
    let end = browser.press(&page, "Continue as Ada Lovelace").await;
    let code = end.query("code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", app.client_id()),
        ("code", code.as_str()),
        ("redirect_uri", "http://127.0.0.1:9/callback"),
        ("code_verifier", attempt.verifier.as_str()),
    ];
    let tokens = post("/token", &form, Some(&mine)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json);
    let token = tokens.text("access_token");
    let bound = &claims(token)["cnf"];
    assert_eq!(*bound, json!({ "x5t#S256": mine.certificate.thumbprint() }));
    let userinfo = async |shown: Option<&Shown>| {
        let request = place.browser(shown).get(format!("{}/userinfo", place.base));
        answer(request.bearer_auth(token)).await
    };
    assert_eq!(userinfo(Some(&mine)).await.status, 200);
    assert_eq!(userinfo(Some(&other)).await.error(), "401 invalid_token");
    // C.7.62, C.7.63: the refresh token stays, and a new certificate of the same client will do.
    let refresh = tokens.text("refresh_token");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", app.client_id()),
        ("refresh_token", refresh),
    ];
    for shown in [&mine, &other] {
        let renewed = post("/token", &form, Some(shown)).await;
        assert_eq!(renewed.status, 200, "{}", renewed.json);
        let bound = claims(renewed.text("access_token"))["cnf"]["x5t#S256"].clone();
        assert_eq!(bound, shown.certificate.thumbprint());
    }
    assert_eq!(post("/token", &form, None).await.error(), "401 invalid_client");
    place.broker.stop().await;
}
