//! Each rule of the identity token, with its refusal — apple.md §3.

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
        // NumericDate may have a fraction (RFC 7519 §2), but is a number.
        (json!({ "exp": 999_941.5, "iat": 999_400.25 }), "good"),
        (json!({ "exp": 999_940.5 }), "id_token_expired"),
        (json!({ "iat": 1_000_061.5 }), "iat_in_future"),
        (json!({ "iat": "1000000.5" }), "malformed"),
        (json!({ "iat": true }), "malformed"),
        (json!({ "iat": null }), "malformed"),
        (json!({ "nonce": null }), "nonce_missing"),
        (json!({ "nonce": "m" }), "nonce_mismatch"),
        (json!({ "nonce": null, "nonce_supported": false }), "nonce_missing"),
        (json!({ "c_hash": null }), "c_hash_missing"),
        (json!({ "c_hash": "x" }), "c_hash_mismatch"),
    ] {
        let found = verdict(&with(&changes), ExpectedNonce::Exactly("n"), Code::Required("code"));
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
    let empty = verdict(&with(&json!({ "nonce": "" })), ExpectedNonce::RawOrHashed(""), Code::None);
    assert_eq!(empty, "nonce_mismatch", "an empty nonce proves nothing");
}

#[test]
fn a_native_c_hash_must_fit_if_it_is_there() {
    let nonce = || ExpectedNonce::Exactly("n");
    assert_eq!(verdict(&good(), nonce(), Code::IfHashed("other")), "c_hash_mismatch");
    assert_eq!(verdict(&with(&json!({ "c_hash": null })), nonce(), Code::IfHashed("code")), "good");
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
    let absent: Claims = serde_json::from_value(with(&json!({ "email_verified": null }))).unwrap();
    assert!(!absent.email_verified);
}

#[test]
fn the_header_is_not_believed() {
    let token = |header: Value| format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header.to_string()));
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
