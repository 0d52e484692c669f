//! Every rule of RFC 9449 §4.3 with the proof that breaks it; conformance C.8.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::jose::{SigningKey, generate_private_key};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const TOKEN_ENDPOINT: &str = "https://id.example/token";

fn key(alg: Algorithm) -> SigningKey {
    SigningKey::from_pkcs8(alg, generate_private_key(alg).unwrap().expose()).unwrap()
}

fn public(key: &SigningKey) -> Value {
    let mut jwk = key.public_jwk().clone();
    for extra in ["kid", "use", "alg"] {
        jwk.as_object_mut().unwrap().remove(extra);
    }
    jwk
}

fn header(key: &SigningKey) -> Value {
    json!({ "typ": "dpop+jwt", "alg": key.alg().as_str(), "jwk": public(key) })
}

fn claims() -> Value {
    json!({ "jti": "one", "htm": "POST", "htu": TOKEN_ENDPOINT, "iat": NOW.secs() })
}

/// `members` put into `object`; null takes one away.
#[expect(clippy::needless_pass_by_value, reason = "so that json! can stand in the call")]
fn with(mut object: Value, members: Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        let object = object.as_object_mut().unwrap();
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    object
}

fn vault() -> Vault {
    Vault::from_bytes(&[5; 32]).unwrap()
}

fn look(proof: &str, access_token: Option<&str>, demands: Demands) -> Result<Proof, Refusal> {
    let htu = [TOKEN_ENDPOINT.to_owned()];
    let target = Target { htm: "POST", htu: &htu, access_token };
    verify(&[proof], &target, demands, &vault(), NOW)
}

fn refused(proof: &str) -> String {
    let refusal = look(proof, None, Demands::default()).expect_err(proof);
    assert_eq!(refusal.code.as_str(), "invalid_dpop_proof");
    refusal.description
}

#[test]
fn c8_65_a_sound_proof_of_each_algorithm_holds() {
    for alg in ALGORITHMS {
        let key = key(alg);
        let proof = key.sign_with_header(&header(&key), &claims()).unwrap();
        let proof = look(&proof, None, Demands::default()).unwrap();
        assert_eq!(proof.jkt, key.kid());
        assert_eq!(proof.expires_at, NOW.plus(WINDOW));
    }
}

#[test]
fn c8_65_each_defect_of_the_header_is_refused() {
    let key = key(Algorithm::Es256);
    let other = self::key(Algorithm::Es256);
    let symmetric = json!({ "kty": "oct", "k": "AAAA" });
    let private = with(public(&key), json!({ "d": "AAAA" }));
    for (change, why) in [
        (json!({ "typ": null }), "typ"),
        (json!({ "typ": "JWT" }), "typ"),
        (json!({ "alg": null }), "algorithm"),
        (json!({ "alg": "none" }), "algorithm"),
        (json!({ "alg": "HS256" }), "algorithm"),
        (json!({ "alg": "PS256" }), "signature"),
        (json!({ "jwk": null }), "jwk is missing"),
        (json!({ "jwk": "text" }), "public"),
        (json!({ "jwk": symmetric }), "public"),
        (json!({ "jwk": private }), "public"),
        (json!({ "jwk": public(&other) }), "signature"),
        (json!({ "crit": ["exp"] }), "algorithm"),
    ] {
        let proof = key.sign_with_header(&with(header(&key), change.clone()), &claims()).unwrap();
        assert!(refused(&proof).contains(why), "{change}: {}", refused(&proof));
    }
    for junk in ["", "junk", "a.b.c", "eyJ.eyJ.x"] {
        refused(junk);
    }
    let none = URL_SAFE_NO_PAD.encode(r#"{"typ":"dpop+jwt","alg":"none"}"#);
    refused(&format!("{none}.{}.", URL_SAFE_NO_PAD.encode(claims().to_string())));
}

#[test]
fn c8_65_each_defect_of_the_claims_is_refused() {
    let key = key(Algorithm::Es256);
    for change in [
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "jti": 1 }),
        json!({ "jti": "x".repeat(513) }),
        json!({ "htm": null }),
        json!({ "htm": "GET" }),
        json!({ "htm": "post" }),
        json!({ "htu": null }),
        json!({ "htu": 1 }),
        json!({ "htu": [TOKEN_ENDPOINT] }),
        json!({ "htu": "/token" }),
        json!({ "htu": "https://id.example/token/" }),
        json!({ "htu": "https://id.example/userinfo" }),
        json!({ "htu": "http://id.example/token" }),
        json!({ "htu": "https://evil.example/token" }),
        json!({ "htu": "https://id.example:8443/token" }),
        json!({ "iat": null }),
        json!({ "iat": "now" }),
        json!({ "iat": 1e300 }),
        json!({ "nonce": 1 }),
    ] {
        let proof = key.sign_with_header(&header(&key), &with(claims(), change.clone())).unwrap();
        refused(&proof);
    }
}

#[test]
fn c8_65_there_is_exactly_one_header() {
    let key = key(Algorithm::Es256);
    let proof = key.sign_with_header(&header(&key), &claims()).unwrap();
    let htu = [TOKEN_ENDPOINT.to_owned()];
    let target = Target { htm: "POST", htu: &htu, access_token: None };
    for headers in [vec![], vec![proof.as_str(), proof.as_str()]] {
        assert!(verify(&headers, &target, Demands::default(), &vault(), NOW).is_err());
    }
}

#[test]
fn c8_66_htu_is_compared_by_its_normal_form_without_query_and_fragment() {
    let key = key(Algorithm::Es256);
    for htu in [
        "https://id.example/token?a=b",
        "https://id.example/token#x",
        "HTTPS://ID.Example/token",
        "https://id.example:443/token",
        "https://id.example/%74oken/../token",
    ] {
        let claims = with(claims(), json!({ "htu": htu }));
        let proof = key.sign_with_header(&header(&key), &claims).unwrap();
        assert!(look(&proof, None, Demands::default()).is_ok(), "{htu}");
    }
}

#[test]
fn c8_67_iat_may_be_a_minute_off_and_more_in_the_proof_is_no_matter() {
    let key = key(Algorithm::Es256);
    let at = |iat: Value| {
        let more = json!({ "iat": iat, "nbf": 1, "exp": NOW.secs() + 9, "extra": {}, "ath": "x" });
        let header = with(header(&key), json!({ "kid": "k", "unknown": [] }));
        let proof = key.sign_with_header(&header, &with(claims(), more)).unwrap();
        look(&proof, None, Demands::default()).is_ok()
    };
    for near in [-60, -10, 0, 10, 60] {
        assert!(at(json!(NOW.secs() + near)), "{near}");
    }
    for far in [-3600, -61, 61, 3600] {
        assert!(!at(json!(NOW.secs() + far)), "{far}");
    }
    assert!(at(json!(1_800_000_000.25)));
}

#[test]
fn c8_65_at_a_resource_the_access_token_is_named() {
    let key = key(Algorithm::Es256);
    for (ath, good) in
        [(json!(hash("token")), true), (json!(hash("other")), false), (json!(null), false)]
    {
        let proof =
            key.sign_with_header(&header(&key), &with(claims(), json!({ "ath": ath }))).unwrap();
        assert_eq!(look(&proof, Some("token"), Demands::default()).is_ok(), good, "{ath}");
    }
}

#[test]
fn c8_65_fapi_refuses_rs256() {
    let key = key(Algorithm::Rs256);
    let proof = key.sign_with_header(&header(&key), &claims()).unwrap();
    assert!(look(&proof, None, Demands { fapi: true, nonce: false }).is_err());
    assert!(look(&proof, None, Demands::default()).is_ok());
}

#[test]
fn c8_70_a_nonce_is_demanded_recognised_and_grows_old() {
    let vault = vault();
    let key = key(Algorithm::Es256);
    let demanded = Demands { nonce: true, fapi: false };
    let code = |nonce: Value, iat: i64, demands| {
        let claims = with(claims(), json!({ "nonce": nonce, "iat": iat }));
        let proof = key.sign_with_header(&header(&key), &claims).unwrap();
        look(&proof, None, demands).map_or_else(|r| r.code.as_str(), |_| "good")
    };
    let now = NOW.secs();
    let at = |ahead: i64| json!(nonce(&vault, Timestamp::from_secs(now + ahead)));
    assert_eq!(code(json!(null), now, demanded), "use_dpop_nonce");
    assert_eq!(code(json!("made up"), now, demanded), "use_dpop_nonce");
    assert_eq!(code(json!("made up"), now, Demands::default()), "use_dpop_nonce");
    for near in [-120, 0, 120] {
        // A nonce of ours says when the proof was made, whatever the client's clock says.
        assert_eq!(code(at(near), now - 86_400, demanded), "good", "{near}");
    }
    for far in [-360, 360] {
        assert_eq!(code(at(far), now, demanded), "use_dpop_nonce", "{far}");
    }
    let text = nonce(&vault, NOW);
    assert!(text.len() >= 22 && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"'));
    let other = Vault::from_bytes(&[6; 32]).unwrap();
    assert_ne!(nonce(&other, NOW), text, "another installation has others");
}

#[test]
fn a_thumbprint_is_43_characters_of_base64url() {
    assert!(is_thumbprint(&hash("x")));
    for bad in ["", "short", &"!".repeat(43), &"A".repeat(44)] {
        assert!(!is_thumbprint(bad), "{bad}");
    }
}

/// `PROPTEST_CASES=1000000` for a long run.
fn sealed_by_a_key() -> impl Strategy<Value = String> {
    let json = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        ".{0,40}".prop_map(|s| json!(s)),
        Just(json!([{ "a": [] }])),
    ];
    let member = prop_oneof![
        Just("typ"),
        Just("alg"),
        Just("jwk"),
        Just("crit"),
        Just("jti"),
        Just("htm"),
        Just("htu"),
        Just("iat"),
        Just("ath"),
        Just("nonce"),
        Just("kty"),
        Just("x"),
        Just("n"),
    ];
    let object = || {
        proptest::collection::vec((member.clone(), json.clone()), 0..6).prop_map(|members| {
            let known = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": { "kty": "EC" } });
            members
                .into_iter()
                .fold(known, |object, (name, value)| with(object, json!({ name: value })))
        })
    };
    (object(), object(), any::<[u8; 8]>()).prop_map(|(header, claims, signature)| {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{}", encode(&header), encode(&claims), URL_SAFE_NO_PAD.encode(signature))
    })
}

proptest! {
    #[test]
    fn rubbish_is_refused_and_nothing_breaks(
        proof in prop_oneof![".{0,200}", "[A-Za-z0-9_.-]{0,200}", sealed_by_a_key()],
        htu in ".{0,60}",
    ) {
        prop_assert!(look(&proof, Some("token"), Demands::default()).is_err());
        if let Some(url) = without_query(&htu) {
            prop_assert!(url.query().is_none() && url.fragment().is_none());
        }
        is_thumbprint(&htu);
    }
}
