//! A house where everything that can be switched on is, its clients, and what they ask of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertifiedIssuer, IsCa, KeyPair};
use russet::op::admin::NewLocalUser;
use russet::protocol::client::{Client, ClientKind, TokenEndpointAuthMethod};
use russet::protocol::jose::Algorithm;
use russet::protocol::profile::Profile;
use serde_json::{Value, json};

use crate::harness::House;
use crate::harness::app::{Answer, App, Attempt, Keys, answer};
use crate::harness::browser::{Browser, Page};
use crate::harness::holder::Holder;
use crate::harness::signer::{key_set, new_key};
use crate::local_accounts::{PASSWORD, ada, type_in};
use crate::mutual_tls::{Shown, named, pki, self_signed, shown};
use crate::person_factors::{set_up, step};

pub(super) const MTLS: &str = "https://127.0.0.1:9443";

/// A house under a minimum, and a browser that is signed in.
pub(super) struct Fair {
    pub(super) minimum: Profile,
    pub(super) house: House,
    pub(super) browser: Browser,
    pub(super) issued: Shown,
}

/// What `path` answers whom it knows, to the form of [`Fair::question`].
pub(super) fn known(path: &str) -> &'static str {
    if path == "/token" { "400 invalid_grant" } else { "200 -" }
}

impl Fair {
    pub(super) async fn open(minimum: Profile) -> Self {
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
                ("SECURITY__MINIMUM_PROFILE", minimum.as_str()),
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
        let mut fair = Self { minimum, browser: house.browser(), house, issued };
        let app = fair.web(|_| {}).await;
        fair.asked(&app, &app.attempt("openid")).await;
        fair
    }

    pub(super) fn is_fapi(&self) -> bool {
        self.minimum == Profile::Fapi2
    }

    /// A client of this kind that can live here.
    pub(super) async fn client(&self, kind: ClientKind, change: impl FnOnce(&mut Client)) -> App {
        if self.is_fapi() {
            return self.by_key(kind, Algorithm::Es256, Algorithm::Es256, change).await;
        }
        self.house.client(kind, change).await
    }

    pub(super) async fn web(&self, change: impl FnOnce(&mut Client)) -> App {
        self.client(ClientKind::Web, change).await
    }

    /// A client that proves itself by a key, and its tokens by another.
    pub(super) async fn by_key(
        &self,
        kind: ClientKind,
        signing: Algorithm,
        holding: Algorithm,
        change: impl FnOnce(&mut Client),
    ) -> App {
        let signing = new_key(signing);
        let set = key_set(&[&signing]);
        let app = self.house.client(kind, |client| {
            client.token_endpoint_auth_method = TokenEndpointAuthMethod::PrivateKeyJwt;
            client.settings.jwks = Some(set);
            change(client);
        });
        let clock = std::sync::Arc::clone(&self.house.clock);
        app.await.with_keys(Keys { signing, holder: Holder::new(holding), clock })
    }

    /// Where the browser is sent: pushed first, where requests must be.
    pub(super) async fn address(&self, app: &App, attempt: &Attempt) -> Result<String, Answer> {
        if !self.is_fapi() {
            return Ok(app.authorize_url(attempt));
        }
        let own = attempt.parameters.iter().filter(|(name, _)| name != "client_id");
        let form: Vec<_> = own.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let pushed = app.post("/par", &form).await;
        if pushed.status != 201 {
            return Err(pushed);
        }
        let short = Attempt {
            parameters: vec![
                ("client_id".to_owned(), app.client_id().to_owned()),
                ("request_uri".to_owned(), pushed.text("request_uri").to_owned()),
            ],
            ..attempt.clone()
        };
        Ok(app.authorize_url(&short))
    }

    pub(super) async fn page(&mut self, app: &App, attempt: &Attempt) -> Page {
        let address = self.address(app, attempt).await.unwrap_or_else(|no| panic!("{}", no.json));
        self.browser.open(&address).await
    }

    /// A code without a page.
    pub(super) async fn code(&mut self, app: &App, attempt: &Attempt) -> String {
        let end = self.page(app, attempt).await;
        end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url))
    }

    /// A code after the password was asked for.
    pub(super) async fn asked(&mut self, app: &App, attempt: &Attempt) -> String {
        let page = self.page(app, attempt).await;
        let end = type_in(&mut self.browser, &page, "ada", PASSWORD).await;
        end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url))
    }

    pub(super) async fn tokens(&mut self, app: &App, attempt: &Attempt) -> Answer {
        let code = self.code(app, attempt).await;
        let tokens = app.redeem(attempt, &code).await;
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        tokens
    }

    /// Tokens of somebody with a second step, who signs in before it is set up.
    pub(super) async fn by_two_factors(&self, app: &App, attempt: &Attempt) -> Answer {
        let grace = NewLocalUser { username: "grace".to_owned(), ..ada() };
        self.house.local_user(grace).await;
        let mut browser = self.house.browser();
        let address = self.address(app, &app.attempt("openid")).await.expect("an address");
        let page = browser.open(&address).await;
        type_in(&mut browser, &page, "grace", PASSWORD).await;
        let (codes, _) = set_up(&self.house, &mut browser).await;
        let mut browser = self.house.browser();
        let page = browser.open(&self.address(app, attempt).await.expect("an address")).await;
        let page = type_in(&mut browser, &page, "grace", PASSWORD).await;
        let next = codes.code(self.house.now().secs() / 30 + 1);
        let end = step(&mut browser, &page, "second-submit", next.expose()).await;
        app.redeem(attempt, &end.query("code").expect("a code")).await
    }

    /// The error that an authorization request ends with, wherever it is told.
    pub(super) async fn error(&mut self, app: &App, attempt: &Attempt) -> Option<String> {
        match self.address(app, attempt).await {
            Ok(address) => self.browser.open(&address).await.query("error"),
            Err(refused) => Some(refused.text("error").to_owned()),
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.house.issuer)
    }

    pub(super) async fn exists(&self, url: &str) {
        let response = self.house.http().get(url).send().await.unwrap();
        assert_ne!(response.status(), 404, "{url}");
        assert!(!response.status().is_server_error(), "{url}");
    }

    /// Posts with a certificate in the proxy's header.
    pub(super) async fn certified(
        &self,
        shown: &Shown,
        path: &str,
        form: &[(&str, &str)],
    ) -> Answer {
        let header = format!(":{}:", STANDARD.encode(&shown.der));
        let request = self.house.http().post(self.url(path)).header("client-cert", header);
        answer(request.form(form)).await
    }

    /// What every endpoint refuses, or answers with nothing, once it knows who asks.
    pub(super) fn question(path: &str) -> &'static [(&'static str, &'static str)] {
        match path {
            "/token" => &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            _ => &[("token", "x")],
        }
    }

    /// What a client of this method is answered.
    pub(super) async fn proving(&self, method: TokenEndpointAuthMethod, path: &str) -> Answer {
        let form = Self::question(path);
        let registered = |client: &mut Client| client.token_endpoint_auth_method = method;
        let http = self.house.http();
        match method {
            TokenEndpointAuthMethod::ClientSecretBasic => {
                self.house.client(ClientKind::Web, registered).await.post(path, form).await
            }
            TokenEndpointAuthMethod::ClientSecretPost => {
                let app = self.house.client(ClientKind::Web, registered).await;
                let secret = app.secret.as_deref().unwrap();
                let own = [("client_id", app.client_id()), ("client_secret", secret)];
                answer(http.post(self.url(path)).form(&[form, &own].concat())).await
            }
            TokenEndpointAuthMethod::PrivateKeyJwt => {
                let alg = Algorithm::Es256;
                self.by_key(ClientKind::Web, alg, alg, |_| {}).await.post(path, form).await
            }
            TokenEndpointAuthMethod::TlsClientAuth => {
                let app = self.house.client(ClientKind::Web, pki).await;
                let own = [("client_id", app.client_id())];
                self.certified(&self.issued, path, &[form, &own].concat()).await
            }
            TokenEndpointAuthMethod::SelfSignedTlsClientAuth => {
                let mine = self_signed("mine");
                let mut set = key_set(&[&new_key(Algorithm::Es256)]);
                set["keys"][0]["x5c"] = json!([STANDARD.encode(&mine.der)]);
                let app = self.house.client(ClientKind::Web, |client| {
                    registered(client);
                    client.settings.jwks = Some(set);
                });
                let app = app.await;
                let own = [("client_id", app.client_id())];
                self.certified(&mine, path, &[form, &own].concat()).await
            }
            TokenEndpointAuthMethod::None => {
                self.house.client(ClientKind::Spa, |_| {}).await.post(path, form).await
            }
        }
    }

    /// What a client is answered that signs its assertions with this.
    pub(super) async fn signing(&self, alg: Algorithm, path: &str) -> Answer {
        let app = self.by_key(ClientKind::Web, alg, Algorithm::Es256, |_| {}).await;
        app.post(path, Self::question(path)).await
    }

    /// What a client is answered whose proofs of possession are signed with this.
    pub(super) async fn holding(&self, alg: Algorithm) -> (App, Answer) {
        let app = self.by_key(ClientKind::Machine, Algorithm::Es256, alg, |_| {}).await;
        let tokens = app.token(&[("grant_type", "client_credentials")]).await;
        (app, tokens)
    }

    /// A client and its request in one object signed with this.
    pub(super) async fn in_an_object(&self, alg: Algorithm) -> (App, Attempt) {
        let app = self.by_key(ClientKind::Web, alg, Algorithm::Es256, |_| {}).await;
        let attempt = app.attempt("openid");
        let now = self.house.now().secs();
        let mut claims = json!({
            "iss": app.client_id(), "aud": self.house.issuer, "nbf": now, "exp": now + 300,
        });
        for (name, value) in &attempt.parameters {
            claims[name.as_str()] = Value::from(value.as_str());
        }
        let keys = app.keys.as_ref().expect("keys");
        let object = keys.signing.sign(russet::protocol::jose::Typ::IdToken, &claims).unwrap();
        let parameters = vec![
            ("client_id".to_owned(), app.client_id().to_owned()),
            ("request".to_owned(), object),
        ];
        (app, Attempt { parameters, ..attempt })
    }
}
