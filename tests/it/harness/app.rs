//! A relying party as an outsider would write one, with PKCE, state and nonce of its own.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use russet::protocol::ambient::Clock as _;
use russet::protocol::client::Client;
use russet::protocol::client_assertion;
use russet::protocol::jose::{SigningKey, Typ};
use russet::protocol::pkce::CodeChallenge;
use serde_json::{Value, json};
use url::Url;

use super::browser::{Browser, Page};
use super::holder::Holder;
use super::{House, TestClock, free_name};

pub struct App {
    pub client: Client,
    pub secret: Option<String>,
    /// In place of a secret: what a client of FAPI 2.0 has.
    pub keys: Option<Keys>,
    issuer: String,
    http: reqwest::Client,
}

/// Keys that sign assertions and proofs for each request.
pub struct Keys {
    pub signing: SigningKey,
    pub holder: Holder,
    pub clock: Arc<TestClock>,
}

/// An answer of an endpoint.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

impl Answer {
    pub fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.json))
    }

    /// Status and error code in one line, such as `400 invalid_grant`.
    pub fn error(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.json["error"].as_str().unwrap_or("-"))
    }
}

/// What an app sends and remembers for one sign-in.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub verifier: String,
    pub state: String,
    pub nonce: String,
    pub parameters: Vec<(String, String)>,
}

impl Attempt {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters.retain(|(n, _)| n != name);
        if !value.is_empty() {
            self.parameters.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

impl App {
    pub fn new(house: &House, client: Client, secret: Option<String>) -> Self {
        let (issuer, http) = (house.issuer.clone(), house.http().clone());
        Self { client, secret, keys: None, issuer, http }
    }

    /// The same client, which proves itself and its tokens by keys.
    pub fn with_keys(self, keys: Keys) -> Self {
        Self { secret: None, keys: Some(keys), ..self }
    }

    pub fn client_id(&self) -> &str {
        self.client.client_id.as_str()
    }

    /// A sound authorization request.
    pub fn attempt(&self, scope: &str) -> Attempt {
        let verifier = format!("{0}{0}{0}{0}", free_name());
        let (state, nonce) = (free_name(), free_name());
        let parameters = [
            ("response_type", "code"),
            ("client_id", self.client_id()),
            ("redirect_uri", self.client.redirect_uris.first().map_or("", String::as_str)),
            ("scope", scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", CodeChallenge::of(&verifier).as_str()),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        Attempt { verifier, state, nonce, parameters }
    }

    pub fn authorize_url(&self, attempt: &Attempt) -> String {
        let mut url = Url::parse(&format!("{}/authorize", self.issuer)).expect("a URL");
        url.query_pairs_mut().extend_pairs(&attempt.parameters);
        url.into()
    }

    /// Signs a test person in and returns where the browser ended.
    pub async fn sign_in(&self, browser: &mut Browser, attempt: &Attempt, person: &str) -> Page {
        let page = browser.open(&self.authorize_url(attempt)).await;
        if page.url.port() == Some(9) {
            return page;
        }
        browser.press(&page, &format!("Continue as {person}")).await
    }

    /// Signs in and redeems the code.
    pub async fn tokens(&self, browser: &mut Browser, scope: &str, person: &str) -> Answer {
        let attempt = self.attempt(scope);
        let end = self.sign_in(browser, &attempt, person).await;
        let code = end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url));
        self.redeem(&attempt, &code).await
    }

    pub async fn redeem(&self, attempt: &Attempt, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.client.redirect_uris.first().map_or("", String::as_str)),
            ("code_verifier", &attempt.verifier),
        ])
        .await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.post("/token", form).await
    }

    pub async fn introspect(&self, token: &str) -> Answer {
        self.post("/introspect", &[("token", token)]).await
    }

    pub async fn revoke(&self, token: &str) -> Answer {
        self.post("/revoke", &[("token", token)]).await
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        answer(self.at_userinfo(token)).await
    }

    /// A question at userinfo, with proof if the token needs one.
    pub fn at_userinfo(&self, token: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/userinfo", self.issuer);
        let request = self.http.get(&url);
        match &self.keys {
            None => request.bearer_auth(token),
            Some(keys) => request
                .header("authorization", format!("DPoP {token}"))
                .header("dpop", keys.proof("GET", &url, Some(token))),
        }
    }

    /// Posts a form with this client's own proof.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_at(&self.issuer, path, form).await
    }

    /// The same at another replica.
    pub async fn post_at(&self, base: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_proving(base, path, form, &[]).await
    }

    /// The same with DPoP proofs.
    pub async fn post_proving(
        &self,
        base: &str,
        path: &str,
        form: &[(&str, &str)],
        proofs: &[&str],
    ) -> Answer {
        let mut form: Vec<(&str, &str)> = form.to_vec();
        let mut request = self.http.post(format!("{base}{path}"));
        let assertion = self.keys.as_ref().map(|keys| keys.assertion(self));
        match (&self.secret, &assertion) {
            (_, Some(assertion)) => {
                form.push(("client_assertion_type", client_assertion::TYPE));
                form.push(("client_assertion", assertion));
            }
            (Some(secret), None) => request = request.basic_auth(self.client_id(), Some(secret)),
            (None, None) => form.push(("client_id", self.client_id())),
        }
        if let (Some(keys), []) = (&self.keys, proofs) {
            let url = format!("{}{path}", self.issuer);
            request = request.header("dpop", keys.proof("POST", &url, None));
        }
        for proof in proofs {
            request = request.header("dpop", *proof);
        }
        answer(request.form(&form)).await
    }
}

impl Keys {
    fn assertion(&self, app: &App) -> String {
        let (id, now) = (app.client_id(), self.clock.now().secs());
        let claims = json!({
            "iss": id, "sub": id, "aud": app.issuer, "iat": now, "exp": now + 60,
            "jti": free_name(),
        });
        self.signing.sign(Typ::IdToken, &claims).expect("a JWT")
    }

    fn proof(&self, method: &str, url: &str, token: Option<&str>) -> String {
        self.holder.sign(&self.holder.draft(method, url, token, self.clock.now()))
    }
}

pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        json: response.json().await.unwrap_or(Value::Null),
    }
}

/// The claims of a JWT, unverified.
pub fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}
