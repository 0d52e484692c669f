//! What clients say to the broker: a refresh family, a code login.

use russet::protocol::pkce::CodeChallenge;

use crate::generator::{Answer, Conversation, get, header, post};
use crate::seed::{REDIRECT_URI, Seed};

/// One refresh family: each answer's token is the next request's.
pub(crate) struct Refresh {
    authorization: String,
    token: String,
    /// The access token of the last answer.
    pub(crate) access_token: String,
}

impl Refresh {
    pub(crate) fn all(seed: &Seed) -> Vec<Self> {
        let of = |token: &String| Self {
            authorization: seed.web.clone(),
            token: token.clone(),
            access_token: String::new(),
        };
        seed.refresh_tokens.iter().map(of).collect()
    }
}

impl Conversation for Refresh {
    fn ask(&mut self, request: &mut Vec<u8>) {
        let form = format!("grant_type=refresh_token&refresh_token={}", self.token);
        request.extend(post("/token", &self.authorization, &form));
    }

    fn hear(&mut self, answer: &Answer<'_>) -> bool {
        answer.must_be(200);
        let body = std::str::from_utf8(answer.body).expect("UTF-8");
        self.token = member(body, "refresh_token").to_owned();
        self.access_token = member(body, "access_token").to_owned();
        true
    }
}

/// A sign-in of somebody who has a session: authorization request, code, tokens.
pub(crate) struct Login {
    authorization: String,
    authorize: Vec<u8>,
    verifier: String,
    code: Option<String>,
}

impl Login {
    pub(crate) fn new(seed: &Seed) -> Self {
        let verifier = "a-verifier-of-at-least-forty-three-characters-in-all".to_owned();
        let challenge = CodeChallenge::of(&verifier);
        let query = [
            ("response_type", "code"),
            ("client_id", "web"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid offline_access read"),
            ("state", "a-state"),
            ("nonce", "a-nonce"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let mut url = url::Url::parse("http://127.0.0.1/authorize").expect("a URL");
        url.query_pairs_mut().extend_pairs(query);
        let path = format!("/authorize?{}", url.query().unwrap_or_default());
        let cookie = format!(
            "Cookie: russet_browser={}; russet_session={}\r\n",
            "b".repeat(43),
            seed.session_cookie
        );
        Self {
            authorization: seed.web.clone(),
            authorize: get(&path, &cookie),
            verifier,
            code: None,
        }
    }
}

impl Conversation for Login {
    fn ask(&mut self, request: &mut Vec<u8>) {
        match self.code.take() {
            None => request.extend_from_slice(&self.authorize),
            Some(code) => {
                let redirect_uri: String =
                    url::form_urlencoded::byte_serialize(REDIRECT_URI.as_bytes()).collect();
                let form = format!(
                    "grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}\
                     &code_verifier={}",
                    self.verifier
                );
                request.extend(post("/token", &self.authorization, &form));
            }
        }
    }

    fn hear(&mut self, answer: &Answer<'_>) -> bool {
        if answer.status == 303 {
            let location = header(answer.head, b"\r\nlocation: ").expect("a location");
            let code = location.split(['?', '&']).find_map(|part| part.strip_prefix("code="));
            self.code = Some(code.unwrap_or_else(|| panic!("no code in {location}")).to_owned());
            return false;
        }
        answer.must_be(200);
        true
    }
}

/// A text member of a JSON object, found without parsing the rest: tokens hold no escapes.
fn member<'a>(json: &'a str, name: &str) -> &'a str {
    let from = json.find(&format!("\"{name}\":\"")).map(|at| at + name.len() + 4);
    let rest = from.and_then(|from| json.get(from..)).unwrap_or_default();
    rest.split('"').next().unwrap_or_default()
}
