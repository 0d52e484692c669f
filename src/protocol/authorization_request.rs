//! The authorization request — RFC 6749 §4.1.1, OIDC Core §3.1.2.1, RFC 7636 §4.3, RFC 8707 §2.
//!
//! Two stages, and the types keep them apart: until a [`ReturnTo`] exists, an error can only
//! become a page; from then on it becomes a redirect (RFC 6749 §4.1.2.1).

use serde::{Deserialize, Serialize};

use crate::authorization_response::{ResponseMode, ReturnTo};
use crate::claims_request::ClaimsRequest;
use crate::client::{Client, GrantType};
use crate::digits;
use crate::dpop;
use crate::error::{ErrorCode, Refusal};
use crate::params::Params;
use crate::pkce::CodeChallenge;
use crate::profile::Profile;
use crate::redirect_uri;
use crate::scope;

/// Longest `state` and `nonce` taken. Longer than any suite sends (1,000), short enough to store.
const MAX_OPAQUE_LENGTH: usize = 2000;
/// A wish for more languages than fit in here is no wish.
const MAX_UI_LOCALES: usize = 200;

/// `prompt` (OIDC Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Show no page at all.
    pub none: bool,
    /// Ask who it is anew.
    pub login: bool,
    /// Ask for consent anew.
    pub consent: bool,
    /// Let the person choose an account.
    pub select_account: bool,
}

/// The values of `prompt`, as discovery lists them.
pub const PROMPT_VALUES: [&str; 4] = ["none", "login", "consent", "select_account"];

impl Prompt {
    fn parse(prompt: Option<&str>) -> Result<Self, Refusal> {
        let mut read = Self::default();
        for value in prompt.unwrap_or_default().split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => read.none = true,
                "login" => read.login = true,
                "consent" => read.consent = true,
                "select_account" => read.select_account = true,
                _ => return Err(Refusal::invalid_request("prompt has an unknown value")),
            }
        }
        if read.none && (read.login || read.consent || read.select_account) {
            return Err(Refusal::invalid_request("prompt=none cannot stand with another value"));
        }
        Ok(read)
    }
}

/// A checked request, ready to be parked while the person signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Where the answer goes.
    pub return_to: ReturnTo,
    /// Whether the request named its `redirect_uri`; then the token request must repeat it.
    pub redirect_uri_given: bool,
    /// Requested scope values.
    pub scope: Vec<String>,
    /// Requested resources; empty when none was named.
    pub resources: Vec<String>,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `code_challenge`.
    pub code_challenge: Option<CodeChallenge>,
    /// `prompt`.
    pub prompt: Prompt,
    /// `max_age`, seconds.
    pub max_age: Option<u32>,
    /// `login_hint`.
    pub login_hint: Option<String>,
    /// `connection`: the one the client wants people to come through; Russet's own parameter.
    #[serde(default)]
    pub connection: Option<String>,
    /// `id_token_hint`, unverified.
    pub id_token_hint: Option<String>,
    /// `claims`.
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// `dpop_jkt`: the key that must redeem the code (RFC 9449 §10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
    /// `acr_values`: the authentication classes the client would like, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
}

/// Settles where answers go (RFC 6749 §3.1.2.3): the requested redirect URI if it is registered,
/// or the only registered one.
///
/// # Errors
/// `invalid_request`, which must be shown as a page and never redirected.
pub fn return_to(client: &Client, params: &Params) -> Result<(ReturnTo, bool), Refusal> {
    let requested = params.one("redirect_uri")?;
    let redirect_uri = match (requested, client.redirect_uris.as_slice()) {
        (Some(uri), _) if redirect_uri::is_registered(client, uri) => uri.to_owned(),
        (Some(_), _) => {
            return Err(Refusal::invalid_request("redirect_uri is not registered for this client"));
        }
        (None, [only]) => only.clone(),
        (None, _) => return Err(Refusal::invalid_request("redirect_uri is missing")),
    };
    // A doubtful `state` or `response_mode` must not cost the client its answer: it gets the
    // error by the default mode, and the table below refuses the request.
    let state = params.one("state").ok().flatten().filter(|state| is_opaque(state));
    let response_mode = match params.one("response_mode") {
        Ok(Some("form_post")) => ResponseMode::FormPost,
        Ok(_) | Err(_) => ResponseMode::Query,
    };
    let ui_locales = params.one("ui_locales").ok().flatten();
    let ui_locales = ui_locales.filter(|tags| tags.len() <= MAX_UI_LOCALES);
    let return_to = ReturnTo {
        redirect_uri,
        response_mode,
        state: state.map(ToOwned::to_owned),
        ui_locales: ui_locales.map(ToOwned::to_owned),
    };
    Ok((return_to, requested.is_some()))
}

/// The check table: every rule of a request whose answer address is settled, in the order the
/// errors are wanted.
///
/// # Errors
/// The refusal to redirect to [`ReturnTo`].
pub fn check(
    client: &Client,
    profile: Profile,
    params: &Params,
    return_to: ReturnTo,
    redirect_uri_given: bool,
) -> Result<AuthorizationRequest, Refusal> {
    for name in ["state", "nonce"] {
        if params.one(name)?.is_some_and(|value| !is_opaque(value)) {
            return Err(Refusal::invalid_request(format!("{name} is too long or not printable")));
        }
    }
    // A request object was opened, and a pushed request fetched, before this table is asked.
    for (name, code) in [
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ] {
        if params.all(name).next().is_some() {
            return Err(Refusal::new(code, format!("the {name} parameter is not supported")));
        }
    }
    match params.one("response_type")? {
        Some("code") => {}
        None => return Err(Refusal::invalid_request("response_type is missing")),
        Some(_) => {
            return Err(Refusal::unsupported_response_type("response_type must be code"));
        }
    }
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(Refusal::unauthorized_client("this client may not use authorization_code"));
    }
    match params.one("response_mode")? {
        None | Some("query" | "form_post") => {}
        Some(_) => {
            return Err(Refusal::invalid_request("response_mode must be query or form_post"));
        }
    }
    let code_challenge = CodeChallenge::from_request(
        params.one("code_challenge")?,
        params.one("code_challenge_method")?,
    )?;
    profile.check_request(client, params)?;
    let prompt = Prompt::parse(params.one("prompt")?)?;
    let max_age = match params.one("max_age")? {
        None => client.settings.default_max_age,
        Some(text) => Some(
            digits::number(text)
                .ok_or_else(|| Refusal::invalid_request("max_age is not a number of seconds"))?,
        ),
    };
    let dpop_jkt = params.one("dpop_jkt")?;
    if dpop_jkt.is_some_and(|jkt| !dpop::is_thumbprint(jkt)) {
        return Err(Refusal::invalid_request("dpop_jkt is not a JWK thumbprint (SHA-256)"));
    }
    let claims = ClaimsRequest::parse(params.one("claims")?)?;
    // These never decide anything here: the pages have one form. But a repeated one is still a
    // malformed request.
    for name in ["display", "claims_locales"] {
        params.one(name)?;
    }
    params.one("ui_locales")?;
    let acr_values = params.one("acr_values")?.unwrap_or_default();
    let text = |name| Ok::<_, Refusal>(params.one(name)?.map(ToOwned::to_owned));
    Ok(AuthorizationRequest {
        return_to,
        redirect_uri_given,
        scope: scope::parse(params.one("scope")?.unwrap_or_default())?,
        resources: params.all("resource").map(ToOwned::to_owned).collect(),
        nonce: text("nonce")?,
        code_challenge,
        prompt,
        max_age,
        login_hint: text("login_hint")?,
        connection: text("connection")?,
        id_token_hint: text("id_token_hint")?,
        claims,
        dpop_jkt: dpop_jkt.map(ToOwned::to_owned),
        acr_values: acr_values.split_ascii_whitespace().map(ToOwned::to_owned).collect(),
    })
}

/// `state` and `nonce` are opaque, but come back in URLs, forms and tokens: printable ASCII only
/// (RFC 6749 Appendix A.5).
fn is_opaque(value: &str) -> bool {
    value.len() <= MAX_OPAQUE_LENGTH && value.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ambient::Timestamp;
    use crate::client::ClientKind;
    use crate::id::ClientId;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn client() -> Client {
        let mut client =
            Client::of_kind(ClientId::new("web"), ClientKind::Web, Timestamp::default());
        client.redirect_uris = vec!["https://app.example/cb".into()];
        client
    }

    fn read(client: &Client, query: &str) -> Result<AuthorizationRequest, Refusal> {
        let params = Params::parse(query.as_bytes())?;
        let (return_to, given) = return_to(client, &params)?;
        check(client, Profile::of(client, Profile::Oidc), &params, return_to, given)
    }

    fn good() -> String {
        format!(
            "response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=openid&\
             code_challenge={CHALLENGE}&code_challenge_method=S256"
        )
    }

    fn refused(query: &str) -> &'static str {
        read(&client(), query).expect_err(query).code.as_str()
    }

    #[test]
    fn a_plain_request_is_read() {
        let request = read(&client(), &format!("{}&state=s&nonce=n&unknown=x", good())).unwrap();
        assert_eq!(request.return_to.state.as_deref(), Some("s"));
        assert_eq!(request.nonce.as_deref(), Some("n"));
        assert_eq!(request.scope, ["openid"]);
    }

    #[test]
    fn a_client_may_have_a_max_age_of_its_own() {
        let mut client = client();
        client.settings.default_max_age = Some(300);
        let max_age = |query: &str| read(&client, query).unwrap().max_age;
        assert_eq!(max_age(&good()), Some(300));
        assert_eq!(max_age(&format!("{}&max_age=7", good())), Some(7));
    }

    #[test]
    fn the_redirect_uri_is_settled_before_anything_else() {
        let settle = |client: &Client, query: &str| {
            return_to(client, &Params::parse(query.as_bytes()).unwrap()).map(|r| r.0.redirect_uri)
        };
        let one = client();
        assert!(settle(&one, "redirect_uri=https://evil.example/&prompt=none").is_err());
        assert_eq!(settle(&one, "").unwrap(), "https://app.example/cb");
        let mut two = client();
        two.redirect_uris.push("https://app.example/cb2".into());
        assert!(settle(&two, "").is_err());
        let mut none = client();
        none.redirect_uris.clear();
        assert!(settle(&none, "redirect_uri=https://app.example/cb").is_err());
    }

    #[test]
    fn each_defect_has_its_code() {
        for (query, code) in [
            (good().replace("response_type=code&", ""), "invalid_request"),
            (good().replace("=code&", "=token&"), "unsupported_response_type"),
            (good().replace("=code&", "=code+id_token&"), "unsupported_response_type"),
            (format!("{}&response_mode=fragment", good()), "invalid_request"),
            (format!("{}&response_mode=web_message", good()), "invalid_request"),
            (format!("{}&request_uri=https://x.example", good()), "request_uri_not_supported"),
            (format!("{}&registration=%7B%7D", good()), "registration_not_supported"),
            (format!("{}&prompt=none+login", good()), "invalid_request"),
            (format!("{}&prompt=dance", good()), "invalid_request"),
            (format!("{}&prompt=create", good()), "invalid_request"),
            (format!("{}&claims=x", good()), "invalid_request"),
            (format!("{}&display=page&display=popup", good()), "invalid_request"),
            (format!("{}&dpop_jkt=short", good()), "invalid_request"),
            (format!("{}&max_age=soon", good()), "invalid_request"),
            (format!("{}&max_age=-1", good()), "invalid_request"),
            (format!("{}&max_age=%2B5", good()), "invalid_request"),
            (format!("{}&state=1&state=2", good()), "invalid_request"),
            (format!("{}&scope=email", good()), "invalid_request"),
            (format!("{}&nonce={}", good(), "n".repeat(2001)), "invalid_request"),
            (good().replace("S256", "plain"), "invalid_request"),
            (good().split("&code_challenge").next().unwrap().to_owned(), "invalid_request"),
            (good().replace("scope=openid", "scope=%22"), "invalid_scope"),
        ] {
            assert_eq!(refused(&query), code, "{query}");
        }
    }

    #[test]
    fn long_state_and_nonce_pass_unharmed() {
        let (state, nonce) = ("s".repeat(1000), "n".repeat(384));
        let request = read(&client(), &format!("{}&state={state}&nonce={nonce}", good())).unwrap();
        assert_eq!(request.return_to.state, Some(state));
        assert_eq!(request.nonce, Some(nonce));
    }

    #[test]
    fn only_a_confidential_client_can_be_exempted_from_pkce() {
        let without = good().split("&code_challenge").next().unwrap().to_owned();
        let mut web = client();
        web.require_pkce = false;
        assert!(read(&web, &without).is_ok());
        let mut spa = Client::of_kind(ClientId::new("s"), ClientKind::Spa, Timestamp::default());
        spa.redirect_uris = client().redirect_uris;
        spa.require_pkce = false;
        assert!(read(&spa, &without).is_err());
    }

    #[test]
    fn a_client_without_the_grant_may_not_ask() {
        let mut machine = client();
        machine.grant_types = vec![GrantType::ClientCredentials];
        assert_eq!(read(&machine, &good()).unwrap_err().code.as_str(), "unauthorized_client");
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_answered_at_a_registered_address_or_not_at_all(
            query in "\\PC{0,300}",
            redirect_uri in prop_oneof![
                Just("https://app.example/cb".to_owned()), "https://[a-z.@:/?#%]{0,40}", "\\PC{0,40}",
            ],
            state in "[ -~]{0,40}",
            prompt in prop_oneof![Just("none"), Just("login"), Just("none login"), Just("x")],
        ) {
            let client = client();
            let encoded = url::form_urlencoded::Serializer::new(query.clone())
                .append_pair("redirect_uri", &redirect_uri)
                .append_pair("state", &state)
                .append_pair("prompt", prompt)
                .finish();
            for text in [query, encoded, format!("{}&prompt={prompt}&claims={state}", good())] {
                let Ok(params) = Params::parse(text.as_bytes()) else { continue };
                let Ok((to, given)) = return_to(&client, &params) else { continue };
                prop_assert!(client.redirect_uris.contains(&to.redirect_uri));
                if let Ok(request) = check(&client, Profile::Oidc, &params, to, given) {
                    prop_assert!(request.code_challenge.is_some(), "PKCE is required");
                    let prompt = request.prompt;
                    prop_assert!(!(prompt.none && (prompt.login || prompt.consent)));
                }
            }
        }
    }
}
