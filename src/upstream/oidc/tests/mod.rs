//! The connector against a small provider on loopback, with each rule broken once.

mod logout;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::*;
use crate::protocol::jose::{Algorithm, SigningKey, Typ, generate_private_key};
use crate::protocol::upstream_claims::ClaimRules;
use crate::upstream::tests::{Server, outbound};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

static OWN: LazyLock<SigningKey> = LazyLock::new(rsa);
static NEXT: LazyLock<SigningKey> = LazyLock::new(rsa);

fn rsa() -> SigningKey {
    let der = generate_private_key(Algorithm::Rs256).unwrap();
    SigningKey::from_pkcs8(Algorithm::Rs256, der.expose()).unwrap()
}

fn reason<T>(result: &Result<T, UpstreamError>) -> &'static str {
    match result {
        Ok(_) => "good",
        Err(UpstreamError::Cancelled) => "cancelled",
        Err(UpstreamError::Rejected { reason, .. }) => reason,
        Err(UpstreamError::Unavailable(_)) => "unavailable",
        Err(UpstreamError::Misconfigured(_)) => "misconfigured",
    }
}

fn with(mut base: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

/// What this provider does unlike a good one.
#[derive(Clone)]
struct Quirks {
    /// Changes to the discovery document.
    metadata: Value,
    /// Changes to the ID token's claims.
    claims: Value,
    /// Changes to the token endpoint's answer.
    tokens: Value,
    /// What userinfo says.
    userinfo: Value,
    /// How often discovery answers before it fails for good.
    discoveries: usize,
    signer: &'static LazyLock<SigningKey>,
    /// From which fetch on the key set holds the next key.
    rotates_at: usize,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            metadata: json!({}),
            claims: json!({}),
            tokens: json!({}),
            userinfo: json!({ "sub": "another", "email": "victim@example.com" }),
            discoveries: usize::MAX,
            signer: &OWN,
            rotates_at: usize::MAX,
        }
    }
}

fn good_claims(issuer: &str) -> Value {
    json!({ "iss": issuer, "sub": "s-1", "aud": "russet", "exp": 1_000_600, "iat": 1_000_000,
        "nonce": "the-nonce", "email": "ada@example.com", "email_verified": true, "name": "Ada" })
}

fn provider(quirks: Quirks) -> (Server, OidcConnector) {
    let (documents, key_sets) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let server = Server::start(move |seen, own| match seen.path.as_str() {
        "/.well-known/openid-configuration" => {
            if documents.fetch_add(1, Ordering::SeqCst) >= quirks.discoveries {
                return HttpResponse::ServiceUnavailable().finish();
            }
            let good = json!({
                "issuer": own, "authorization_endpoint": format!("{own}/authorize"),
                "token_endpoint": format!("{own}/token"),
                "userinfo_endpoint": format!("{own}/userinfo"),
                "jwks_uri": format!("{own}/keys"), "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "HS256"],
            });
            HttpResponse::Ok().json(with(good, &quirks.metadata))
        }
        "/keys" => {
            let rotated = key_sets.fetch_add(1, Ordering::SeqCst) >= quirks.rotates_at;
            let key = if rotated { &NEXT } else { &OWN };
            HttpResponse::Ok().json(json!({ "keys": [key.public_jwk()] }))
        }
        "/token" => {
            let claims = with(good_claims(own), &quirks.claims);
            let id_token = quirks.signer.sign(Typ::IdToken, &claims).unwrap();
            let good = json!({ "access_token": "access", "token_type": "Bearer",
                "id_token": id_token, "refresh_token": "refresh" });
            HttpResponse::Ok().json(with(good, &quirks.tokens))
        }
        "/userinfo" => HttpResponse::Ok().json(&quirks.userinfo),
        _ => HttpResponse::NotFound().finish(),
    });
    let connector = connector(&server.origin);
    (server, connector)
}

fn connector(issuer: &str) -> OidcConnector {
    let settings = OidcSettings {
        connection_id: ConnectionId::new("plain"),
        display_name: "Plain".into(),
        issuer: issuer.to_owned(),
        issuer_template: None,
        client_id: "russet".into(),
        client_secret: Some("the-secret".into()),
        scopes: vec!["email".into()],
        link_by_verified_email: false,
        believe_amr: true,
        claims: ClaimRules::default(),
    };
    OidcConnector::new(settings, outbound(&["127.0.0.1/32"])).unwrap()
}

fn trip() -> Trip {
    Trip {
        state: "the-state".into(),
        nonce: "the-nonce".into(),
        code_verifier: "v".repeat(43),
        redirect_uri: "https://id.example.com/upstream/plain/callback".into(),
        login_hint: None,
        reauthenticate: false,
    }
}

fn answered() -> Callback {
    Callback { code: Some("the-code".into()), ..Callback::default() }
}

async fn arrive(quirks: Quirks) -> Result<UpstreamIdentity, UpstreamError> {
    let (_server, connector) = provider(quirks);
    connector.arrive(&trip(), &answered(), NOW).await
}

#[tokio::test]
async fn a_good_sign_in_tells_who_it_was() {
    let (server, connector) = provider(Quirks::default());
    let identity = connector.arrive(&trip(), &answered(), NOW).await.unwrap();
    assert_eq!((identity.authority.as_str(), identity.subject.as_str()), (&*server.origin, "s-1"));
    assert_eq!(identity.profile.email.as_deref(), Some("ada@example.com"));
    assert!(identity.profile.email_verified);
    assert_eq!(identity.grant.unwrap().refresh_token.expose(), "refresh");
    assert!(server.asked("/userinfo").is_empty(), "nothing was missing");
    let token = &server.asked("/token")[0];
    assert!(token.authorization.starts_with("Basic ") && !token.body.contains("the-secret"));
    assert!(token.body.contains("code_verifier=vvv"));
}

#[tokio::test]
async fn each_claim_of_the_id_token_has_its_reason() {
    let half = Algorithm::Rs256.half_hash("access");
    for (claims, expected) in [
        (json!({ "iss": "https://evil.example" }), "iss_mismatch"),
        (json!({ "aud": "another" }), "aud_mismatch"),
        (json!({ "aud": ["russet", "another"] }), "aud_mismatch"),
        (json!({ "azp": "another" }), "azp_mismatch"),
        (json!({ "azp": "russet" }), "good"),
        (json!({ "nonce": "another" }), "nonce_mismatch"),
        (json!({ "nonce": null }), "nonce_mismatch"),
        (json!({ "exp": 999_940 }), "id_token_expired"),
        (json!({ "exp": 999_941 }), "good"),
        (json!({ "iat": 1_000_061 }), "iat_in_future"),
        (json!({ "iat": 1_000_060 }), "good"),
        (json!({ "at_hash": "x" }), "at_hash_mismatch"),
        (json!({ "at_hash": half }), "good"),
    ] {
        let found = arrive(Quirks { claims: claims.clone(), ..Quirks::default() }).await;
        assert_eq!(reason(&found), expected, "{claims}");
    }
}

#[tokio::test]
async fn only_the_upstreams_signature_counts() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    for (tokens, expected) in [
        (json!({ "id_token": null }), "id_token_missing"),
        (json!({ "id_token": "a.b.c" }), "unavailable"),
    ] {
        let found = arrive(Quirks { tokens: tokens.clone(), ..Quirks::default() }).await;
        assert_eq!(reason(&found), expected, "{tokens}");
    }
    for (alg, expected) in [
        ("RS256", "signature_invalid"),
        ("HS256", "alg_not_allowed"),
        ("none", "alg_not_allowed"),
        ("ES256", "alg_not_allowed"),
    ] {
        let (server, connector) = provider(Quirks::default());
        let header = json!({ "alg": alg, "kid": OWN.kid() }).to_string();
        let claims = good_claims(&server.origin).to_string();
        let token =
            format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let discovered = connector.discovery.current(NOW, false).await.unwrap();
        let client = connector.client(&discovered, &trip().redirect_uri).unwrap();
        let verifier = client.id_token_verifier().set_allowed_algs(discovered.signing_algs());
        let Ok(id_token) = token.parse::<CoreIdToken>() else { panic!("{alg}") };
        let access_token = AccessToken::new("access".into());
        let arrival =
            Arrival { id_token: &id_token, access_token: &access_token, nonce: "the-nonce" };
        let found = connector.verify(verifier, &arrival, NOW);
        assert_eq!(reason(&found), expected, "{alg}");
    }
}

#[tokio::test]
async fn an_unknown_key_fetches_the_keys_anew_and_nothing_else_does() {
    let rotated = Quirks { signer: &NEXT, rotates_at: 1, ..Quirks::default() };
    let (server, connector) = provider(rotated);
    connector.depart(&trip(), NOW).await.unwrap();
    let soon = NOW.plus(Duration::from_secs(1));
    assert_eq!(reason(&connector.arrive(&trip(), &answered(), soon).await), "good");
    assert_eq!(server.asked("/keys").len(), 2);

    let late = Quirks { signer: &NEXT, rotates_at: 2, ..Quirks::default() };
    let (server, connector) = provider(late);
    connector.depart(&trip(), NOW).await.unwrap();
    let later = NOW.plus(Duration::from_secs(30));
    for (at, expected) in
        [(NOW, "unknown_key"), (NOW.plus(Duration::from_secs(29)), "unavailable"), (later, "good")]
    {
        assert_eq!(reason(&connector.arrive(&trip(), &answered(), at).await), expected);
    }
    assert_eq!(server.asked("/keys").len(), 3, "not twice within half a minute");

    let wrong = Quirks { claims: json!({ "nonce": "another" }), ..Quirks::default() };
    let (server, connector) = provider(wrong);
    connector.depart(&trip(), NOW).await.unwrap();
    let found = connector.arrive(&trip(), &answered(), later).await;
    assert_eq!(reason(&found), "nonce_mismatch");
    assert_eq!(server.asked("/keys").len(), 1);
    assert_eq!(server.asked("/token").len(), 1);
}

#[tokio::test]
async fn what_was_discovered_serves_for_a_day_while_discovery_fails() {
    let (server, connector) = provider(Quirks { discoveries: 1, ..Quirks::default() });
    let path = "/.well-known/openid-configuration";
    for (secs, expected, fetches) in [
        (0, "good", 1),
        (3599, "good", 1),
        (3600, "good", 2),
        (3629, "good", 2),
        (3630, "good", 3),
        (86_399, "good", 4),
        (86_400, "unavailable", 4),
        (86_404, "unavailable", 5),
    ] {
        let now = NOW.plus(Duration::from_secs(secs));
        assert_eq!(reason(&connector.depart(&trip(), now).await), expected, "{secs}");
        assert_eq!(server.asked(path).len(), fetches, "{secs}");
    }
}

#[tokio::test]
async fn a_promised_iss_must_be_there_and_an_iss_must_fit() {
    let promise = json!({ "authorization_response_iss_parameter_supported": true });
    for (metadata, right, expected) in [
        (&json!({}), None, "good"),
        (&json!({}), Some(true), "good"),
        (&json!({}), Some(false), "iss_mismatch"),
        (&promise, None, "iss_missing"),
        (&promise, Some(true), "good"),
        (&promise, Some(false), "iss_mismatch"),
    ] {
        let quirks = Quirks { metadata: metadata.clone(), ..Quirks::default() };
        let (server, connector) = provider(quirks);
        let iss = right.map(|right| if right { &*server.origin } else { "https://evil.example" });
        let callback = Callback { iss: iss.map(ToOwned::to_owned), ..answered() };
        let found = connector.arrive(&trip(), &callback, NOW).await;
        assert_eq!(reason(&found), expected, "{metadata} {right:?}");
        let tokens = usize::from(expected == "good");
        assert_eq!(server.asked("/token").len(), tokens, "refused before the code is used");
    }
}

#[tokio::test]
async fn the_secret_goes_into_the_body_where_basic_is_not_listed() {
    let metadata = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] });
    let (server, connector) = provider(Quirks { metadata, ..Quirks::default() });
    connector.arrive(&trip(), &answered(), NOW).await.unwrap();
    let token = &server.asked("/token")[0];
    assert_eq!(token.authorization, "");
    assert!(token.body.contains("client_secret=the-secret"));
}

#[tokio::test]
async fn userinfo_fills_gaps_for_the_same_person_only() {
    let gap = json!({ "email": null, "email_verified": null });
    for (userinfo, email) in [
        (
            json!({ "sub": "s-1", "email": "u@example.com", "email_verified": true }),
            Some("u@example.com"),
        ),
        (json!({ "sub": "s-1", "email": "u @example.com" }), None),
        (json!({ "sub": "another", "email": "victim@example.com" }), None),
        (json!({ "email": "victim@example.com" }), None),
        (json!("nonsense"), None),
    ] {
        let quirks =
            Quirks { claims: gap.clone(), userinfo: userinfo.clone(), ..Quirks::default() };
        let profile = arrive(quirks).await.unwrap().profile;
        assert_eq!(profile.email.as_deref(), email, "{userinfo}");
        assert_eq!(profile.email_verified, email.is_some());
        assert_eq!(profile.name.as_deref(), Some("Ada"), "what the ID token said stays");
    }
    let other = json!({ "sub": "s-1", "email": "u@example.com", "name": "Ada L" });
    let nameless = Quirks { claims: json!({ "name": null }), userinfo: other, ..Quirks::default() };
    let profile = arrive(nameless).await.unwrap().profile;
    assert_eq!(profile.email.as_deref(), Some("ada@example.com"));
    assert_eq!(profile.name.as_deref(), Some("Ada L"));
}

#[tokio::test]
async fn an_unwell_upstream_is_told_from_a_misconfigured_one() {
    for (metadata, expected) in [
        (json!({ "issuer": "https://another.example" }), "misconfigured"),
        (json!({ "jwks_uri": null }), "unavailable"),
        (json!({ "jwks_uri": "https://10.0.0.1/keys" }), "misconfigured"),
        (json!({ "jwks_uri": "http://127.0.0.1:1/keys" }), "unavailable"),
    ] {
        let found = arrive(Quirks { metadata: metadata.clone(), ..Quirks::default() }).await;
        assert_eq!(reason(&found), expected, "{metadata}");
    }
    for (error, expected) in [("access_denied", "cancelled"), ("server_error", "unavailable")] {
        let (server, connector) = provider(Quirks::default());
        let callback = Callback { error: Some(error.into()), ..answered() };
        assert_eq!(reason(&connector.arrive(&trip(), &callback, NOW).await), expected);
        assert!(server.asked("/token").is_empty());
    }
}
