//! Logout tokens, each rule broken once — OIDC Back-Channel Logout §2.4, §2.6.

use super::*;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn logout_claims(issuer: &str) -> Value {
    json!({ "iss": issuer, "aud": "russet", "iat": 1_000_000, "exp": 1_000_120, "jti": "j-1",
        "sub": "s-1", "sid": "upstream-session", "events": { EVENT: {} } })
}

async fn told(changes: Value, signer: &SigningKey, typ: Typ) -> Result<SignedOut, UpstreamError> {
    let (server, connector) = provider(Quirks::default());
    let claims = with(logout_claims(&server.origin), &changes);
    let token = signer.sign(typ, &claims).unwrap();
    connector.signed_out(&token, NOW).await
}

#[tokio::test]
async fn a_logout_token_says_who_is_signed_out() {
    for typ in [Typ::LogoutToken, Typ::IdToken] {
        let signed_out = told(json!({}), &OWN, typ).await.unwrap();
        assert_eq!(signed_out.subject.as_deref(), Some("s-1"));
        assert_eq!(signed_out.sid.as_deref(), Some("upstream-session"));
        assert_eq!(signed_out.jti, "j-1");
    }
}

#[tokio::test]
async fn each_rule_of_a_logout_token_is_kept() {
    for (changes, expected) in [
        (json!({ "aud": ["other", "russet"] }), "good"),
        (json!({ "sub": null }), "good"),
        (json!({ "sid": null }), "good"),
        (json!({ "exp": null }), "good"),
        (json!({ "iss": "https://other.example" }), "iss_mismatch"),
        (json!({ "aud": "other" }), "aud_mismatch"),
        (json!({ "aud": [] }), "aud_mismatch"),
        (json!({ "events": {} }), "event_missing"),
        (json!({ "events": { EVENT: true } }), "event_missing"),
        (json!({ "events": { "https://other.example/event": {} } }), "event_missing"),
        (json!({ "nonce": "n" }), "nonce_present"),
        (json!({ "sub": null, "sid": null }), "sub_missing"),
        (json!({ "sub": "", "sid": "" }), "sub_missing"),
        (json!({ "jti": "" }), "jti_missing"),
        (json!({ "jti": null }), "signature_invalid"),
        (json!({ "events": null }), "signature_invalid"),
        (json!({ "iat": 1_000_061 }), "iat_in_future"),
        (json!({ "iat": 999_399 }), "token_stale"),
        (json!({ "exp": 999_940 }), "token_expired"),
    ] {
        assert_eq!(
            reason(&told(changes.clone(), &OWN, Typ::LogoutToken).await),
            expected,
            "{changes}"
        );
    }
}

#[tokio::test]
async fn a_forged_logout_token_signs_nobody_out() {
    assert_eq!(reason(&told(json!({}), &NEXT, Typ::LogoutToken).await), "signature_invalid");
    assert_eq!(reason(&told(json!({}), &OWN, Typ::AccessToken).await), "typ_mismatch");
    let (server, connector) = provider(Quirks::default());
    let good = OWN.sign(Typ::LogoutToken, &logout_claims(&server.origin)).unwrap();
    let (message, _) = good.rsplit_once('.').unwrap();
    for forged in [String::new(), format!("{message}."), message.to_owned(), "a.b.c".to_owned()] {
        let refused = reason(&connector.signed_out(&forged, NOW).await);
        assert!(matches!(refused, "token_malformed" | "signature_invalid"), "{refused}");
    }
}
