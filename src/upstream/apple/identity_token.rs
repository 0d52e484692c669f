//! Apple's identity token — apple.md §3 "Verification procedure", §5.2, §5.3.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::AppleConnector;
use crate::protocol::ambient::Timestamp;
use crate::protocol::jose::Algorithm;
use crate::protocol::secret::constant_time_eq;
use crate::upstream::UpstreamError;

const MAX_LENGTH: usize = 8 * 1024;
/// How far two clocks may differ.
pub(super) const SKEW: Duration = Duration::from_secs(60);
/// Apple's tokens live a day; as proof that somebody is there now, ten minutes is plenty.
const FRESH: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    jwk: bool,
    #[serde(default, deserialize_with = "present")]
    jku: bool,
    #[serde(default, deserialize_with = "present")]
    x5u: bool,
}

/// A header parameter counts when it is there, even as `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// Reads a JSON object. serde would take an array for a structure too, which no JWT is; and its
/// messages can quote values, so only the fact is kept.
pub(super) fn object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let is_object = json.trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(json).ok()).flatten()
}

/// The claims that are looked at. A repeated member is an error here, not a choice.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    #[serde(deserialize_with = "one_audience")]
    pub(super) aud: String,
    pub(super) exp: i64,
    pub(super) iat: i64,
    pub(super) nonce: Option<String>,
    pub(super) c_hash: Option<String>,
    pub(super) at_hash: Option<String>,
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(super) email_verified: bool,
    #[serde(default, deserialize_with = "flag")]
    pub(super) is_private_email: bool,
    /// There while a moved app's people may still be matched (apple.md §9).
    pub(super) transfer_sub: Option<String>,
}

/// A string, or an array of one.
pub(super) fn one_audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Aud {
        Text(String),
        List([String; 1]),
    }
    Ok(match Aud::deserialize(deserializer)? {
        Aud::Text(aud) | Aud::List([aud]) => aud,
    })
}

/// Apple's flags are booleans, strings or absent. Anything else counts as absent: never an error,
/// never true.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(match &value {
        serde_json::Value::Bool(flag) => *flag,
        serde_json::Value::String(text) => text.eq_ignore_ascii_case("true"),
        serde_json::Value::Number(number) => number.as_u64() == Some(1),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
            false
        }
    })
}

/// What a token must be, beyond signed by Apple.
pub(super) struct Expected<'a> {
    /// The audiences of this entry point; empty refuses all (apple.md §12, item 11).
    pub(super) audiences: &'a [String],
    /// The nonce.
    pub(super) nonce: ExpectedNonce<'a>,
    /// Whether it must have been made just now: as front-channel and native proof.
    pub(super) fresh: bool,
    /// The code it came with.
    pub(super) code: Code<'a>,
}

/// Which nonce is demanded.
pub(super) enum ExpectedNonce<'a> {
    /// Exactly this one (web).
    Exactly(&'a str),
    /// This raw one, or its SHA-256 in lower-case hex or base64url (native, contract §3).
    RawOrHashed(&'a str),
    /// Whatever is there: a refresh proves itself by its refresh token (apple.md §3).
    Any,
}

/// How the token is tied to a code.
pub(super) enum Code<'a> {
    /// `c_hash` must be there and fit (`code id_token`).
    Required(&'a str),
    /// `c_hash` must fit if it is there (native, and tokens from the token endpoint).
    IfHashed(&'a str),
    /// No code came with it.
    None,
}

pub(super) fn rejected(reason: &'static str, detail: &'static str) -> UpstreamError {
    UpstreamError::Rejected { reason, detail: detail.to_owned() }
}

impl AppleConnector {
    /// Verifies a token: signature by Apple's key, then every claim.
    pub(super) async fn verify_token(
        &self,
        token: &str,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<Claims, UpstreamError> {
        let parts = split(token, MAX_LENGTH)?;
        let key = self.jwks.find(&parts.kid, now).await?;
        key.verify_sig(parts.message.as_bytes(), &parts.signature)
            .map_err(|_| rejected("signature_invalid", "not signed by the key it names"))?;
        // A repeated, missing or mistyped claim ends here.
        let claims: Claims = object(&parts.payload)
            .ok_or_else(|| rejected("token_malformed", "a claim is missing, repeated or odd"))?;
        check(&claims, &self.issuers, expected, now)?;
        Ok(claims)
    }
}

/// A compact JWS, taken apart, its header approved.
pub(super) struct Parts<'a> {
    pub(super) message: &'a str,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) kid: String,
}

pub(super) fn split(token: &str, longest: usize) -> Result<Parts<'_>, UpstreamError> {
    let malformed = || rejected("token_malformed", "not a compact JWS");
    if token.len() > longest {
        return Err(rejected("token_malformed", "too long"));
    }
    let (message, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let (header, payload) = message.split_once('.').ok_or_else(malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
    let header: Header = object(&decode(header)?).ok_or_else(malformed)?;
    // The algorithm is ours to choose; a key the token brings along is not Apple's.
    if header.alg != "RS256" {
        return Err(rejected("alg_not_allowed", "the header's alg is not RS256"));
    }
    let foreign = header.crit || header.jwk || header.jku || header.x5u;
    let other_type = header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    if foreign || other_type || header.kid.is_empty() || header.kid.len() > 128 {
        let detail = "crit, jwk, jku or x5u, an odd kid, or a typ that is not JWT";
        return Err(rejected("header_not_allowed", detail));
    }
    Ok(Parts { message, payload: decode(payload)?, signature: decode(signature)?, kid: header.kid })
}

fn check(
    claims: &Claims,
    issuers: &[String],
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<(), UpstreamError> {
    if !issuers.contains(&claims.iss) {
        return Err(rejected("iss_mismatch", "another issuer"));
    }
    if !expected.audiences.contains(&claims.aud) {
        return Err(rejected("aud_mismatch", "the token is meant for another app"));
    }
    if claims.sub.is_empty() || claims.sub.len() > 255 {
        return Err(rejected("sub_missing", "sub is empty or longer than 255"));
    }
    if claims.exp <= now.minus(SKEW).secs() {
        return Err(rejected("id_token_expired", "exp is past"));
    }
    if claims.iat > now.plus(SKEW).secs() {
        return Err(rejected("iat_in_future", "iat is ahead of this clock by over a minute"));
    }
    if expected.fresh && claims.iat < now.minus(FRESH).secs() {
        return Err(rejected("id_token_stale", "made more than ten minutes ago"));
    }
    check_nonce(claims.nonce.as_deref(), &expected.nonce)?;
    let fits = |hash: &str, code: &str| hash == Algorithm::Rs256.half_hash(code);
    match (&expected.code, claims.c_hash.as_deref()) {
        (Code::Required(_), None) => Err(rejected("c_hash_missing", "no c_hash beside the code")),
        (Code::Required(code) | Code::IfHashed(code), Some(hash)) if !fits(hash, code) => {
            Err(rejected("c_hash_mismatch", "the code is not the one of this token"))
        }
        (Code::Required(_) | Code::IfHashed(_) | Code::None, _) => Ok(()),
    }
}

fn check_nonce(claim: Option<&str>, expected: &ExpectedNonce<'_>) -> Result<(), UpstreamError> {
    let equal = |a: &str, b: &str| constant_time_eq(a.as_bytes(), b.as_bytes());
    let missing = || rejected("nonce_missing", "the token carries no nonce");
    let mismatch = || rejected("nonce_mismatch", "the nonce is not the one sent");
    match (expected, claim) {
        (ExpectedNonce::Exactly(_) | ExpectedNonce::RawOrHashed(_), None) => Err(missing()),
        (ExpectedNonce::Exactly(nonce), Some(claim)) if equal(nonce, claim) => Ok(()),
        (ExpectedNonce::RawOrHashed(raw), Some(claim)) => {
            let hash = digest(&SHA256, raw.as_bytes());
            let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            let base64url = URL_SAFE_NO_PAD.encode(hash.as_ref());
            let good = equal(raw, claim) | equal(&hex, claim) | equal(&base64url, claim);
            // An empty nonce proves nothing, whatever the token says.
            if good && !raw.is_empty() { Ok(()) } else { Err(mismatch()) }
        }
        (ExpectedNonce::Exactly(_), Some(_)) => Err(mismatch()),
        (ExpectedNonce::Any, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);
    const ISSUER: &str = "https://appleid.apple.com";

    fn good() -> Value {
        json!({
            "iss": ISSUER, "sub": "001234.abc.1234", "aud": "com.example.web",
            "exp": 1_086_400, "iat": 1_000_000, "nonce": "n",
            "c_hash": Algorithm::Rs256.half_hash("code"),
            "email": "a@example.com", "email_verified": "true", "is_private_email": true,
        })
    }

    fn with(changes: &Value) -> Value {
        let mut claims = good();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    fn verdict(claims: &Value, nonce: ExpectedNonce<'_>, code: Code<'_>) -> &'static str {
        let audiences = ["com.example.web".to_owned()];
        let expected = Expected { audiences: &audiences, nonce, fresh: true, code };
        let Ok(claims) = Claims::deserialize(claims) else { return "malformed" };
        reason(&check(&claims, &[ISSUER.to_owned()], &expected, NOW))
    }

    fn reason(result: &Result<(), UpstreamError>) -> &'static str {
        match result {
            Ok(()) => "good",
            Err(UpstreamError::Rejected { reason, .. }) => reason,
            Err(other) => panic!("{other}"),
        }
    }

    proptest! {
        #[test]
        fn nothing_passes_that_is_not_for_this_app_person_code_and_moment(
            iss in prop_oneof![Just(ISSUER.to_owned()), "\\PC{0,40}"],
            aud in prop_oneof![
                Just(json!("com.example.web")), Just(json!(["com.example.web"])),
                "\\PC{0,20}".prop_map(Value::from), Just(json!([])), Just(json!(7)),
            ],
            sub in "\\PC{0,20}",
            exp in 990_000_i64..1_100_000,
            iat in 990_000_i64..1_010_000,
            nonce in prop_oneof![Just("n".to_owned()), "\\PC{0,8}"],
            code in prop_oneof![Just("code".to_owned()), "[a-z]{0,6}"],
        ) {
            let hash = Algorithm::Rs256.half_hash(&code);
            let claims = with(&json!({
                "iss": iss, "aud": aud, "sub": sub, "exp": exp, "iat": iat, "nonce": nonce,
                "c_hash": hash,
            }));
            let found = verdict(&claims, ExpectedNonce::Exactly("n"), Code::Required("code"));
            let sound = iss == ISSUER
                && (aud == json!("com.example.web") || aud == json!(["com.example.web"]))
                && !sub.is_empty()
                && exp > 999_940
                && (999_400..=1_000_060).contains(&iat)
                && nonce == "n"
                && code == "code";
            prop_assert_eq!(found == "good", sound, "{} is {}", claims, found);
        }

        #[test]
        fn what_comes_apart_says_rs256_and_names_its_key(
            alg in prop_oneof![Just("RS256".to_owned()), Just("none".to_owned()), "\\PC{0,8}"],
            kid in "\\PC{0,12}",
            extra in prop_oneof![Just("typ"), Just("crit"), Just("jwk"), Just("jku"), Just("x5u")],
            payload in prop::collection::vec(any::<u8>(), 0..60),
            noise in "[A-Za-z0-9_.-]{0,60}",
        ) {
            let header = json!({ "alg": alg, "kid": kid, extra: "JWT" }).to_string();
            let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            let token = format!("{}.{}.{}", part(header.as_bytes()), part(&payload), part(b"s"));
            let sound = alg == "RS256" && !kid.is_empty() && extra == "typ";
            match split(&token, MAX_LENGTH) {
                Ok(parts) => {
                    prop_assert!(sound);
                    prop_assert_eq!((parts.kid, parts.payload), (kid, payload));
                }
                Err(_) => prop_assert!(!sound, "{}", header),
            }
            prop_assert!(split(&noise, MAX_LENGTH).is_err(), "{}", noise);
        }
    }

    #[test]
    fn each_claim_is_checked() {
        for (changes, expected) in [
            (json!({}), "good"),
            (json!({ "aud": ["com.example.web"] }), "good"),
            (json!({ "iss": "https://account.apple.com" }), "iss_mismatch"),
            (json!({ "iss": "https://appleid.apple.com/" }), "iss_mismatch"),
            (json!({ "aud": "com.example.app" }), "aud_mismatch"),
            (json!({ "aud": ["com.example.web", "x"] }), "malformed"),
            (json!({ "aud": null }), "malformed"),
            (json!({ "sub": "" }), "sub_missing"),
            (json!({ "sub": null }), "malformed"),
            (json!({ "exp": 999_941 }), "good"),
            (json!({ "exp": 999_940 }), "id_token_expired"),
            (json!({ "exp": null }), "malformed"),
            (json!({ "exp": "1086400" }), "malformed"),
            (json!({ "exp": 1e30 }), "malformed"),
            (json!({ "iat": 1_000_060 }), "good"),
            (json!({ "iat": 1_000_061 }), "iat_in_future"),
            (json!({ "iat": 999_400 }), "good"),
            (json!({ "iat": 999_399 }), "id_token_stale"),
            (json!({ "iat": null }), "malformed"),
            (json!({ "nonce": null }), "nonce_missing"),
            (json!({ "nonce": "m" }), "nonce_mismatch"),
            (json!({ "nonce": null, "nonce_supported": false }), "nonce_missing"),
            (json!({ "c_hash": null }), "c_hash_missing"),
            (json!({ "c_hash": "x" }), "c_hash_mismatch"),
        ] {
            let found =
                verdict(&with(&changes), ExpectedNonce::Exactly("n"), Code::Required("code"));
            assert_eq!(found, expected, "{changes}");
        }
    }

    #[test]
    fn claims_are_one_object_and_none_stands_twice() {
        let text = good().to_string();
        assert!(object::<Claims>(text.as_bytes()).is_some());
        let twice = text.replace("\"sub\"", "\"sub\":\"other\",\"sub\"");
        assert!(object::<Claims>(twice.as_bytes()).is_none());
        // What serde would read as the same structure, its members in their order.
        let list =
            json!([ISSUER, "s", "a", 2, 1, null, null, null, null, true, true, null]).to_string();
        assert!(serde_json::from_str::<Claims>(&list).is_ok());
        assert!(object::<Claims>(list.as_bytes()).is_none());
    }

    #[test]
    fn no_audience_allows_nobody() {
        let claims: Claims = serde_json::from_value(good()).unwrap();
        let expected = Expected {
            audiences: &[],
            nonce: ExpectedNonce::Exactly("n"),
            fresh: true,
            code: Code::None,
        };
        assert_eq!(reason(&check(&claims, &[ISSUER.to_owned()], &expected, NOW)), "aud_mismatch");
    }

    #[test]
    fn a_native_nonce_may_be_raw_or_hashed_and_nothing_else() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let base64url = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        for (claim, expected) in [
            (json!("abc"), "good"),
            (json!(hex), "good"),
            (json!(base64url), "good"),
            (json!(hex.to_uppercase()), "nonce_mismatch"),
            (json!("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), "nonce_mismatch"),
            (json!("abcd"), "nonce_mismatch"),
            (json!(""), "nonce_mismatch"),
            (Value::Null, "nonce_missing"),
        ] {
            let claims = with(&json!({ "nonce": claim }));
            let found = verdict(&claims, ExpectedNonce::RawOrHashed("abc"), Code::IfHashed("code"));
            assert_eq!(found, expected, "{claim}");
        }
        let empty =
            verdict(&with(&json!({ "nonce": "" })), ExpectedNonce::RawOrHashed(""), Code::None);
        assert_eq!(empty, "nonce_mismatch", "an empty nonce proves nothing");
    }

    #[test]
    fn a_native_c_hash_must_fit_if_it_is_there() {
        let nonce = || ExpectedNonce::Exactly("n");
        assert_eq!(verdict(&good(), nonce(), Code::IfHashed("other")), "c_hash_mismatch");
        assert_eq!(
            verdict(&with(&json!({ "c_hash": null })), nonce(), Code::IfHashed("code")),
            "good"
        );
    }

    #[test]
    fn flags_come_in_every_shape_and_are_never_true_by_accident() {
        for (value, expected) in [
            (json!(true), true),
            (json!("true"), true),
            (json!("TRUE"), true),
            (json!(1), true),
            (json!(false), false),
            (json!("false"), false),
            (json!("yes"), false),
            (json!(0), false),
            (json!(["true"]), false),
            (json!({ "true": true }), false),
        ] {
            let claims: Claims =
                serde_json::from_value(with(&json!({ "email_verified": value }))).unwrap();
            assert_eq!(claims.email_verified, expected, "{value}");
        }
        let mut null = good();
        null["is_private_email"] = Value::Null;
        assert!(!serde_json::from_value::<Claims>(null).unwrap().is_private_email);
        let absent: Claims =
            serde_json::from_value(with(&json!({ "email_verified": null }))).unwrap();
        assert!(!absent.email_verified);
    }

    #[test]
    fn the_header_is_not_believed() {
        let token =
            |header: Value| format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header.to_string()));
        for (header, expected) in [
            (json!({ "alg": "none", "kid": "k" }), "alg_not_allowed"),
            (json!({ "alg": "HS256", "kid": "k" }), "alg_not_allowed"),
            (json!({ "alg": "ES256", "kid": "k" }), "alg_not_allowed"),
            (json!({ "alg": "RS256", "kid": "" }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "crit": ["x"] }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "jwk": {} }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "jku": "https://e" }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "x5u": "https://e" }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "crit": null }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "jwk": null }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "jku": null }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "x5u": null }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "typ": "at+jwt" }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "typ": "" }), "header_not_allowed"),
            (json!({ "alg": "RS256", "kid": "k", "typ": 1 }), "token_malformed"),
            (json!({ "alg": "RS256", "kid": "k", "typ": "JWT" }), "good"),
            (json!({ "alg": "RS256", "kid": "k", "typ": "jwt" }), "good"),
            (json!({ "alg": "RS256", "kid": "k" }), "good"),
            (json!(["RS256", "k", "JWT"]), "token_malformed"),
            (json!({ "alg": "RS256" }), "token_malformed"),
            (json!({ "alg": "RS256", "kid": ["k"] }), "token_malformed"),
        ] {
            assert_eq!(
                reason(&split(&token(header.clone()), MAX_LENGTH).map(|_| ())),
                expected,
                "{header}"
            );
        }
        for malformed in ["", "a", "a.b", "a.b.c.d", "!.e30.AA", &"a".repeat(9000)] {
            assert_eq!(reason(&split(malformed, MAX_LENGTH).map(|_| ())), "token_malformed");
        }
    }
}
