//! What a token of ours must be, and what no other is.

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Claims {
    sub: String,
}

fn key(alg: Algorithm) -> SigningKey {
    let der = generate_private_key(alg).expect("a new key");
    SigningKey::from_pkcs8(alg, der.expose()).expect("the key just made")
}

fn alice() -> Claims {
    Claims { sub: "alice".into() }
}

#[test]
fn every_algorithm_signs_what_it_and_another_library_verify() {
    for alg in Algorithm::ALL {
        let key = key(alg);
        let token = key.sign(Typ::AccessToken, &alice()).expect("signing");
        let own: Claims = verify(&token, Typ::AccessToken, |_| Some(&key)).expect("verifies");
        assert_eq!(own, alice());

        let jwk = serde_json::from_value(key.public_jwk().clone()).expect("a JWK");
        let decoding = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a decoding key");
        let foreign = alg.as_str().parse().expect("a known algorithm");
        let mut validation = jsonwebtoken::Validation::new(foreign);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        let other = jsonwebtoken::decode::<Claims>(&token, &decoding, &validation)
            .expect("another library verifies it");
        assert_eq!(other.claims, alice());
        assert_eq!(other.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(
            jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).expect("a thumbprint"),
            key.kid()
        );
    }
}

#[test]
fn a_jwk_shows_nothing_private() {
    for alg in Algorithm::ALL {
        let jwk = key(alg).public_jwk().clone();
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(jwk.get(private).is_none(), "{alg} publishes {private}");
        }
    }
}

#[test]
fn a_token_of_another_kind_is_refused() {
    let key = key(Algorithm::Es256);
    let token = key.sign(Typ::IdToken, &alice()).expect("signing");
    let read = verify::<Claims>(&token, Typ::AccessToken, |_| Some(&key));
    assert_eq!(read, Err(JoseError::BadHeader));
}

#[test]
fn the_header_chooses_neither_algorithm_nor_extension() {
    let key = key(Algorithm::Es256);
    let token = key.sign(Typ::AccessToken, &alice()).expect("signing");
    let (_, rest) = token.split_once('.').expect("three parts");
    for header in [
        json!({ "alg": "none", "kid": key.kid(), "typ": "at+jwt" }),
        json!({ "alg": "HS256", "kid": key.kid(), "typ": "at+jwt" }),
        json!({ "alg": "ES256", "kid": key.kid(), "typ": "at+jwt", "crit": ["exp"] }),
        json!({ "alg": "ES256", "typ": "at+jwt" }),
    ] {
        let forged = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
        let read = verify::<Claims>(&forged, Typ::AccessToken, |_| Some(&key));
        assert_eq!(read, Err(JoseError::BadHeader), "{header}");
    }
}

#[test]
fn any_altered_truncated_or_lengthened_token_is_refused() {
    let key = key(Algorithm::EdDsa);
    let token = key.sign(Typ::AccessToken, &alice()).expect("signing");
    let read = |token: &str| verify::<Claims>(token, Typ::AccessToken, |_| Some(&key));
    for position in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).expect("ASCII");
        assert!(read(&altered).is_err(), "position {position}");
        assert!(read(&token[..position]).is_err(), "cut at {position}");
    }
    assert!(read(&format!("{token}A")).is_err());
    assert!(read(&format!("{token}=")).is_err());
    assert!(read(&format!("{token}.")).is_err());
    assert!(read(&"a".repeat(MAX_TOKEN_LENGTH + 1)).is_err());
}

#[test]
fn a_token_signed_by_a_stranger_is_refused() {
    let (own, stranger) = (key(Algorithm::Es256), key(Algorithm::Es256));
    let token = stranger.sign(Typ::AccessToken, &alice()).expect("signing");
    let by_kid =
        verify::<Claims>(&token, Typ::AccessToken, |kid| (kid == own.kid()).then_some(&own));
    assert_eq!(by_kid, Err(JoseError::UnknownKey));
    let forced = verify::<Claims>(&token, Typ::AccessToken, |_| Some(&own));
    assert_eq!(forced, Err(JoseError::BadSignature));
}
