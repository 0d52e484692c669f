//! Request objects — RFC 9101, OIDC Core §6, FAPI 2.0 Message Signing §5.3.
//!
//! An authorization request as a JWT that the client signed. Only what stands inside counts;
//! parameters beside it are not looked at (RFC 9101 §6.3).

use serde_json::{Map, Value};

use crate::ambient::Timestamp;
use crate::client::Client;
use crate::error::Refusal;
use crate::jws::ForeignJwt;
use crate::jwt_times::{LONGEST, Times, is_of_kind};
use crate::params::Params;
use crate::profile::Profile;

/// Claims about the JWT itself, not parameters.
const OF_THE_JWT: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// What a request object is checked against.
pub struct Expected<'a> {
    /// Whose it must be.
    pub client: &'a Client,
    /// The profile that rules this client.
    pub profile: Profile,
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// The present.
    pub now: Timestamp,
}

fn refused(description: &str) -> Refusal {
    Refusal::invalid_request_object(description)
}

/// Checks the header: the registered algorithm, and no other kind of JWT.
///
/// # Errors
/// `invalid_request_object`.
pub fn check_header(jwt: &ForeignJwt<'_>, client: &Client) -> Result<(), Refusal> {
    let registered = client.settings.request_object_signing_alg;
    if registered.is_some_and(|alg| alg != jwt.alg()) {
        return Err(refused("the request object is not signed with request_object_signing_alg"));
    }
    if !is_of_kind(jwt, "oauth-authz-req+jwt") {
        return Err(refused("the request object has the typ of another kind of JWT"));
    }
    Ok(())
}

/// Takes the parameters out of a verified request object.
///
/// # Errors
/// `invalid_request_object`; under FAPI also without `aud`, `exp` and `nbf`.
pub fn open(claims: Map<String, Value>, expected: &Expected<'_>) -> Result<Params, Refusal> {
    let client_id = expected.client.client_id.as_str();
    let strict = expected.profile.requires_dated_request_objects();
    for member in ["iss", "client_id"] {
        let given = claims.get(member);
        if given.map_or(strict && member == "iss", |given| given.as_str() != Some(client_id)) {
            return Err(refused("iss and client_id of the request object must be the client's"));
        }
    }
    // RFC 9101 §10.8: with the client as `sub` it would do as a client assertion, and the reverse.
    if claims.get("sub").and_then(Value::as_str) == Some(client_id) {
        return Err(refused("the request object is a client assertion"));
    }
    check_audience(claims.get("aud"), expected)?;
    check_times(&claims, strict, expected.now)?;
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(refused("a request object holds no other request (RFC 9101 section 4)"));
    }
    let mut pairs = Vec::new();
    for (name, value) in claims {
        if OF_THE_JWT.contains(&name.as_str()) {
            continue;
        }
        match value {
            Value::String(text) => pairs.push((name, text)),
            Value::Number(number) => pairs.push((name, number.to_string())),
            Value::Bool(yes) => pairs.push((name, yes.to_string())),
            // `claims` is a JSON object here and text elsewhere (OIDC Core §6.1).
            Value::Object(members) => pairs.push((name, Value::Object(members).to_string())),
            // Only `resource` may stand several times (RFC 8707 §2).
            Value::Array(several) if name == "resource" => {
                for one in several {
                    let text = one.as_str().ok_or_else(|| refused("resource is no text"))?;
                    pairs.push((name.clone(), text.to_owned()));
                }
            }
            Value::Array(_) => return Err(refused("a parameter of the request object is a list")),
            Value::Null => {}
        }
    }
    if !pairs.iter().any(|(name, _)| name == "client_id") {
        pairs.push(("client_id".to_owned(), client_id.to_owned()));
    }
    Params::from_pairs(pairs)
}

fn check_audience(aud: Option<&Value>, expected: &Expected<'_>) -> Result<(), Refusal> {
    let fits = match aud {
        None => !expected.profile.requires_dated_request_objects(),
        Some(Value::String(aud)) => aud == expected.issuer,
        Some(Value::Array(several)) => {
            several.iter().any(|aud| aud.as_str() == Some(expected.issuer))
        }
        Some(_) => false,
    };
    if fits { Ok(()) } else { Err(refused("aud of the request object is not this issuer")) }
}

fn check_times(claims: &Map<String, Value>, strict: bool, now: Timestamp) -> Result<(), Refusal> {
    let bad = || refused("a time of the request object is not a NumericDate");
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(bad),
    };
    let times = Times::read(time("exp")?, time("nbf")?, time("iat")?).ok_or_else(bad)?;
    if strict && (times.exp.is_none() || times.nbf.is_none()) {
        return Err(refused("the request object must have exp and nbf"));
    }
    if times.are_over(now) {
        return Err(refused("the request object has expired"));
    }
    if times.lie_ahead(now) {
        return Err(refused("the request object is not good yet"));
    }
    // FAPI 2.0 Message Signing §5.3.1: good for an hour at most, and not older than that.
    if strict
        && let (Some(exp), Some(nbf)) = (times.exp, times.nbf)
        && (exp > nbf.plus(LONGEST) || nbf < now.minus(LONGEST))
    {
        return Err(refused("the request object is older or good for longer than an hour"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::client::ClientKind;
    use crate::id::ClientId;

    const ISSUER: &str = "https://id.example";
    const NOW: i64 = 1_000_000;

    fn judge(claims: &Value, profile: Profile) -> Result<Params, Refusal> {
        let client = Client::of_kind(ClientId::new("app"), ClientKind::Web, Timestamp::default());
        let now = Timestamp::from_secs(NOW);
        let Value::Object(claims) = claims.clone() else { panic!("an object") };
        open(claims, &Expected { client: &client, profile, issuer: ISSUER, now })
    }

    fn good() -> Value {
        json!({
            "iss": "app", "aud": ISSUER, "exp": NOW + 300, "nbf": NOW, "client_id": "app",
            "response_type": "code", "max_age": 60, "claims": { "userinfo": { "name": null } },
            "resource": ["https://a.example", "https://b.example"],
        })
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
    fn parameters_come_out_as_they_would_stand_in_a_query() {
        let params = judge(&good(), Profile::Fapi2).unwrap();
        assert_eq!(params.one("max_age").unwrap(), Some("60"));
        assert_eq!(params.one("claims").unwrap(), Some(r#"{"userinfo":{"name":null}}"#));
        assert_eq!(params.all("resource").count(), 2);
        assert_eq!(params.one("client_id").unwrap(), Some("app"));
        for of_the_jwt in OF_THE_JWT {
            assert_eq!(params.one(of_the_jwt).unwrap(), None, "{of_the_jwt}");
        }
    }

    #[test]
    fn c5_44_each_defect_is_an_invalid_request_object() {
        for (name, value) in [
            ("iss", json!("other")),
            ("client_id", json!("other")),
            ("sub", json!("app")),
            ("aud", json!("https://other.example")),
            ("aud", json!(["https://other.example"])),
            ("aud", json!(1)),
            ("exp", json!(NOW - 60)),
            ("exp", json!("soon")),
            ("nbf", json!(NOW + 62)),
            ("iat", json!(NOW + 62)),
            ("request", json!("eyJ")),
            ("request_uri", json!("urn:x")),
            ("scope", json!(["openid"])),
            ("resource", json!([1])),
        ] {
            for profile in Profile::ALL {
                let refusal = judge(&with(name, value.clone()), profile);
                let code = refusal.err().unwrap_or_else(|| panic!("{name} {value}")).code;
                assert_eq!(code.as_str(), "invalid_request_object", "{name}");
            }
        }
    }

    #[test]
    fn fapi_wants_issuer_audience_and_times_and_others_do_not() {
        for (name, value) in [
            ("iss", json!(null)),
            ("aud", json!(null)),
            ("exp", json!(null)),
            ("nbf", json!(null)),
            ("exp", json!(NOW + 3700)),
            ("nbf", json!(NOW - 3700)),
        ] {
            assert!(judge(&with(name, value.clone()), Profile::Fapi2).is_err(), "{name} {value}");
            assert!(judge(&with(name, value.clone()), Profile::Oidc).is_ok(), "{name} {value}");
        }
        let several = with("aud", json!([ISSUER, "https://other.example"]));
        assert!(judge(&several, Profile::Fapi2).is_ok());
        assert!(judge(&with("nbf", json!(NOW + 8)), Profile::Fapi2).is_ok());
    }

    proptest! {
        #[test]
        fn nothing_passes_that_is_not_this_clients_for_this_issuer_now(
            iss in prop_oneof![Just(json!("app")), Just(json!("other")), Just(json!(null)), Just(json!(7))],
            aud in prop_oneof![Just(json!(ISSUER)), Just(json!([ISSUER, "x"])), Just(json!("x")), Just(json!({}))],
            exp in (NOW - 5000)..(NOW + 9000),
            nbf in (NOW - 5000)..(NOW + 200),
            name in "[a-z_]{1,12}",
            value in "\\PC{0,40}",
        ) {
            let mut claims = good();
            let members = claims.as_object_mut().unwrap();
            for (member, value) in [("iss", &iss), ("aud", &aud), ("exp", &json!(exp)), ("nbf", &json!(nbf))] {
                members.insert(member.to_owned(), value.clone());
            }
            if !members.contains_key(&name) && name != "sub" {
                members.insert(name, json!(value));
            }
            if judge(&claims, Profile::Fapi2).is_ok() {
                prop_assert_eq!(&iss, &json!("app"));
                prop_assert!(aud == json!(ISSUER) || aud.is_array());
                prop_assert!(exp > NOW - 30 && nbf <= NOW + 30 && exp - nbf <= 3600);
            }
        }
    }
}
