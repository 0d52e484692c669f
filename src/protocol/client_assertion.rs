//! `private_key_jwt` — RFC 7521 §4.2, RFC 7523 §3, OIDC Core §9, FAPI 2.0 §5.3.2.1.
//!
//! A client proves who it is by a JWT that it signs with a key of its own. What the JWT must say
//! stands here; whose keys those are, and that each JWT is good once, is `op/client_keys.rs`.

use serde::Deserialize;
use serde_json::Value;

use crate::ambient::Timestamp;
use crate::client::Client;
use crate::error::Refusal;
use crate::id::ClientId;
use crate::jws::ForeignJwt;
use crate::jwt_times::{LONGEST, SKEW, Times, is_of_kind};
use crate::profile::{AudienceRule, Profile};

/// `client_assertion_type` (RFC 7523 §2.2).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const MAX_JTI: usize = 512;

/// What an assertion says (RFC 7523 §3). Times are `NumericDate`, which may have fractions.
#[derive(Clone, Debug, Deserialize)]
pub struct AssertionClaims {
    iss: Option<String>,
    sub: Option<String>,
    #[serde(default)]
    aud: Value,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    jti: Option<String>,
}

/// What the assertion is checked against.
pub struct Expected<'a> {
    /// Who is said to have made it.
    pub client: &'a Client,
    /// The profile that rules this client.
    pub profile: Profile,
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// The URLs of endpoints that are an audience, too, where the profile allows it.
    pub endpoints: &'a [String],
    /// The present.
    pub now: Timestamp,
}

/// An assertion that passed; good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `jti`.
    pub jti: String,
    /// How long it must be remembered.
    pub until: Timestamp,
}

fn refused(detail: &str) -> Refusal {
    Refusal::invalid_client("client authentication failed").detail(detail)
}

/// Whose assertion it claims to be, for a request without `client_id` (RFC 7521 §4.2).
///
/// # Errors
/// `invalid_client` for what is no JWT.
pub fn claimed_client(assertion: &str) -> Result<ClientId, Refusal> {
    let jwt = ForeignJwt::read(assertion, &crate::jose::Algorithm::ALL)
        .map_err(|error| refused(&format!("client_assertion: {error}")))?;
    let claims: AssertionClaims =
        jwt.unverified().map_err(|_| refused("client_assertion: no claims"))?;
    claims.sub.map(ClientId::new).ok_or_else(|| refused("client_assertion: no sub"))
}

/// Checks the header: an algorithm that client and profile allow, and no other kind of JWT.
///
/// # Errors
/// `invalid_client`.
pub fn check_header(jwt: &ForeignJwt<'_>, client: &Client) -> Result<(), Refusal> {
    let registered = client.settings.token_endpoint_auth_signing_alg;
    if registered.is_some_and(|alg| alg != jwt.alg()) {
        return Err(refused("client_assertion: not token_endpoint_auth_signing_alg"));
    }
    if !is_of_kind(jwt, "client-authentication+jwt") {
        return Err(refused("client_assertion: another kind of JWT"));
    }
    Ok(())
}

/// Checks what a verified assertion says.
///
/// # Errors
/// `invalid_client`, the same for every cause; the log learns which.
pub fn check(claims: &AssertionClaims, expected: &Expected<'_>) -> Result<Seen, Refusal> {
    let client_id = expected.client.client_id.as_str();
    if claims.iss.as_deref() != Some(client_id) || claims.sub.as_deref() != Some(client_id) {
        return Err(refused("client_assertion: iss and sub must both be the client_id"));
    }
    if !audience_fits(&claims.aud, expected) {
        return Err(refused("client_assertion: aud is not this issuer"));
    }
    let now = expected.now;
    let times = Times::read(claims.exp, claims.nbf, claims.iat)
        .ok_or_else(|| refused("client_assertion: a time is no NumericDate"))?;
    let exp = times.exp.ok_or_else(|| refused("client_assertion: no exp"))?;
    if times.are_over(now) {
        return Err(refused("client_assertion: expired"));
    }
    if exp > now.plus(LONGEST).plus(SKEW) {
        return Err(refused("client_assertion: good for over an hour"));
    }
    if times.lie_ahead(now) {
        return Err(refused("client_assertion: nbf or iat lies ahead"));
    }
    match &claims.jti {
        Some(jti) if !jti.is_empty() && jti.len() <= MAX_JTI => {
            Ok(Seen { jti: jti.clone(), until: exp.plus(SKEW) })
        }
        Some(_) | None => Err(refused("client_assertion: no jti")),
    }
}

fn audience_fits(aud: &Value, expected: &Expected<'_>) -> bool {
    let ours = |aud: &str| {
        aud == expected.issuer
            || (expected.profile.assertion_audience() == AudienceRule::IssuerOrEndpoint
                && expected.endpoints.iter().any(|endpoint| endpoint == aud))
    };
    match (aud, expected.profile.assertion_audience()) {
        (Value::String(aud), _) => ours(aud),
        (Value::Array(several), AudienceRule::IssuerOrEndpoint) => {
            several.iter().filter_map(Value::as_str).any(ours)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::client::ClientKind;
    use crate::jose::{Algorithm, SigningKey, Typ, generate_private_key};

    const ISSUER: &str = "https://id.example";
    const NOW: i64 = 1_000_000;

    fn client() -> Client {
        Client::of_kind(ClientId::new("app"), ClientKind::Web, Timestamp::default())
    }

    fn good() -> Value {
        json!({ "iss": "app", "sub": "app", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "1" })
    }

    fn judge(claims: &Value, profile: Profile) -> Result<Seen, Refusal> {
        let client = client();
        let claims: AssertionClaims =
            serde_json::from_value(claims.clone()).map_err(|_| refused("shape"))?;
        let endpoints = [format!("{ISSUER}/token"), format!("{ISSUER}/par")];
        let now = Timestamp::from_secs(NOW);
        let client = &client;
        check(&claims, &Expected { client, profile, issuer: ISSUER, endpoints: &endpoints, now })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = good();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims.as_object_mut().unwrap().insert(name.to_owned(), value);
        }
        claims
    }

    #[test]
    fn a_sound_assertion_passes_once_for_as_long_as_it_is_remembered() {
        let seen = judge(&good(), Profile::Fapi2).unwrap();
        assert_eq!(seen.jti, "1");
        assert_eq!(seen.until, Timestamp::from_secs(NOW + 90));
    }

    #[test]
    fn each_defect_is_refused_under_every_profile() {
        for (name, value) in [
            ("iss", json!(null)),
            ("iss", json!("other")),
            ("sub", json!(null)),
            ("sub", json!("other")),
            ("aud", json!(null)),
            ("aud", json!("https://other.example")),
            ("aud", json!(["https://other.example"])),
            ("aud", json!(1)),
            ("aud", json!(format!("{ISSUER}/"))),
            ("exp", json!(null)),
            ("exp", json!(NOW - 300)),
            ("exp", json!(NOW - 30)),
            ("exp", json!(NOW + 7200)),
            ("exp", json!(1e300)),
            ("exp", json!("soon")),
            ("nbf", json!(NOW + 62)),
            ("iat", json!(NOW + 62)),
            ("jti", json!(null)),
            ("jti", json!("")),
            ("jti", json!("x".repeat(600))),
        ] {
            for profile in Profile::ALL {
                let refusal = judge(&with(name, value.clone()), profile);
                let code = refusal.expect_err(&format!("{name} {value}")).code;
                assert_eq!(code.as_str(), "invalid_client");
            }
        }
    }

    #[test]
    fn c6_55_a_clock_ten_seconds_ahead_is_forgiven() {
        for name in ["nbf", "iat"] {
            assert!(judge(&with(name, json!(NOW + 10)), Profile::Fapi2).is_ok(), "{name}");
            assert!(judge(&with(name, json!(NOW as f64 + 8.5)), Profile::Fapi2).is_ok());
        }
    }

    #[test]
    fn c6_54_the_audience_is_the_issuer_alone_under_fapi_and_may_be_an_endpoint_elsewhere() {
        for (aud, oidc, fapi) in [
            (json!(ISSUER), true, true),
            (json!([ISSUER]), true, false),
            (json!([ISSUER, "https://other.example"]), true, false),
            (json!(format!("{ISSUER}/token")), true, false),
            (json!([format!("{ISSUER}/par")]), true, false),
        ] {
            assert_eq!(judge(&with("aud", aud.clone()), Profile::Oidc).is_ok(), oidc, "{aud}");
            assert_eq!(judge(&with("aud", aud.clone()), Profile::Fapi2).is_ok(), fapi, "{aud}");
        }
    }

    #[test]
    fn the_header_must_be_of_this_kind_and_algorithm() {
        let der = generate_private_key(Algorithm::Es256).unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::Es256, der.expose()).unwrap();
        let mut client = client();
        let assertion = key.sign(Typ::IdToken, &good()).unwrap();
        let jwt = ForeignJwt::read(&assertion, &Algorithm::ALL).unwrap();
        assert!(check_header(&jwt, &client).is_ok());
        assert_eq!(claimed_client(&assertion).unwrap().as_str(), "app");
        client.settings.token_endpoint_auth_signing_alg = Some(Algorithm::Ps256);
        assert!(check_header(&jwt, &client).is_err());
        client.settings.token_endpoint_auth_signing_alg = None;
        let access = key.sign(Typ::AccessToken, &good()).unwrap();
        let jwt = ForeignJwt::read(&access, &Algorithm::ALL).unwrap();
        assert!(check_header(&jwt, &client).is_err(), "an access token is no assertion");
        for bad in ["", "x", "a.b.c", &with_alg_none()] {
            assert!(claimed_client(bad).is_err(), "{bad}");
        }
    }

    fn with_alg_none() -> String {
        use base64::Engine as _;
        let b64 = |value: &Value| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
        };
        format!("{}.{}.", b64(&json!({ "alg": "none" })), b64(&good()))
    }

    proptest! {
        #[test]
        fn it_is_claimed_by_its_sub_and_by_nothing_else(
            noise in "\\PC{0,200}",
            alg in prop_oneof![Just("ES256".to_owned()), Just("none".to_owned()), "\\PC{0,8}"],
            sub in prop_oneof!["\\PC{0,40}".prop_map(Value::from), Just(json!(7)), Just(json!(null))],
            other in "[a-z]{1,8}",
            value in "\\PC{0,40}",
        ) {
            use base64::Engine as _;
            let part = |value: Value| {
                base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
            };
            let mut claims = json!({ "sub": sub });
            if !["iss", "aud", "exp", "nbf", "iat", "jti", "sub"].contains(&other.as_str()) {
                claims[other] = value.into();
            }
            let text = format!("{}.{}.c2ln", part(json!({ "alg": alg })), part(claims));
            let known = Algorithm::ALL.into_iter().any(|known| known.has_name(&alg));
            let expected = sub.as_str().filter(|_| known);
            let claimed = claimed_client(&text).ok();
            prop_assert_eq!(claimed.as_ref().map(ClientId::as_str), expected);
            prop_assert!(claimed_client(&noise).is_err());
        }

        #[test]
        fn only_what_names_client_issuer_and_time_passes(
            iss in prop_oneof![Just("app"), Just("other")],
            sub in prop_oneof![Just("app"), Just("other")],
            aud in prop_oneof![Just(json!(ISSUER)), Just(json!([ISSUER])), Just(json!("x"))],
            exp in (NOW - 5000)..(NOW + 5000),
            iat in (NOW - 5000)..(NOW + 200),
        ) {
            let claims = json!({ "iss": iss, "sub": sub, "aud": aud, "exp": exp, "iat": iat, "jti": "1" });
            if judge(&claims, Profile::Fapi2).is_ok() {
                prop_assert!(iss == "app" && sub == "app" && aud == json!(ISSUER));
                prop_assert!(exp > NOW - 30 && exp <= NOW + 3630 && iat <= NOW + 30);
            }
        }
    }
}
