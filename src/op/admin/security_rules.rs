//! What may be registered of a client's keys, and what its security profile demands —
//! RFC 7591 §2, RFC 9101 §10.5, RFC 9126 §6, FAPI 2.0 Security Profile.

use url::Url;

use super::FieldProblem;
use crate::protocol::client::{Client, TokenEndpointAuthMethod};
use crate::protocol::jwk;
use crate::protocol::profile::Profile;
use crate::protocol::subject::{self, SubjectType};

const MAX_KEYS: usize = 20;
const MAX_URI: usize = 2048;

/// Why this client may not be registered as it stands.
pub fn security_problems(client: &Client, minimum: Profile) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut say = |field: &'static str, message: String| {
        problems.push(FieldProblem::new(field, message));
    };
    let settings = &client.settings;
    if settings.jwks.is_some() && settings.jwks_uri.is_some() {
        say("jwks_uri", "cannot stand beside jwks (RFC 7591 section 2)".to_owned());
    }
    if let Some(set) = &settings.jwks {
        match jwk::read_set(set) {
            Ok(keys) if keys.is_empty() || keys.len() > MAX_KEYS => {
                say("jwks", format!("must hold 1 to {MAX_KEYS} RSA, P-256 or Ed25519 keys"));
            }
            Ok(_) => {}
            Err(error) => say("jwks", format!("is not a set of public keys: {error}")),
        }
    }
    if let Some(uri) = &settings.jwks_uri
        && !is_web_address(uri)
    {
        say("jwks_uri", "must be an https URL".to_owned());
    }
    if let Some(uri) = &settings.sector_identifier_uri
        && !is_web_address(uri)
    {
        say("sector_identifier_uri", "must be an https URL".to_owned());
    } else if settings.subject_type == SubjectType::Pairwise
        && let Err(why) = subject::sector(client)
    {
        say("sector_identifier_uri", why.to_owned());
    }
    let has_keys = settings.jwks.is_some() || settings.jwks_uri.is_some();
    let needs_keys = [
        (
            client.token_endpoint_auth_method == TokenEndpointAuthMethod::PrivateKeyJwt,
            "token_endpoint_auth_method private_key_jwt",
        ),
        (settings.require_signed_request_object, "require_signed_request_object"),
    ];
    for (needs, what) in needs_keys {
        if needs && !has_keys {
            say("jwks", format!("or jwks_uri is needed for {what}"));
        }
    }
    for (field, message) in Profile::of(client, minimum).problems(client) {
        say(field, message);
    }
    problems
}

/// https; plain http reaches only what `outbound.allow_private` exempts, and is refused there else.
fn is_web_address(uri: &str) -> bool {
    uri.len() <= MAX_URI
        && Url::parse(uri).is_ok_and(|url| {
            matches!(url.scheme(), "https" | "http")
                && url.host().is_some()
                && url.username().is_empty()
                && url.password().is_none()
                && url.fragment().is_none()
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::ambient::Timestamp;
    use crate::protocol::client::ClientKind;
    use crate::protocol::id::ClientId;
    use crate::protocol::jose::{Algorithm, SigningKey, generate_private_key};

    fn client() -> Client {
        Client::of_kind(ClientId::new("c"), ClientKind::Web, Timestamp::default())
    }

    fn fields(client: &Client) -> Vec<&'static str> {
        security_problems(client, Profile::Oidc).iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn keys_are_public_few_and_in_one_place() {
        let der = generate_private_key(Algorithm::Es256).unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::Es256, der.expose()).unwrap();
        let mut client = client();
        assert_eq!(fields(&client), Vec::<&str>::new());
        client.token_endpoint_auth_method = TokenEndpointAuthMethod::PrivateKeyJwt;
        client.settings.require_signed_request_object = true;
        assert_eq!(fields(&client), ["jwks", "jwks"]);
        client.settings.jwks = Some(json!({ "keys": [key.public_jwk()] }));
        assert_eq!(fields(&client), Vec::<&str>::new());
        let mut private = key.public_jwk().clone();
        private["d"] = json!("AAAA");
        for bad in [json!({ "keys": [] }), json!({}), json!([]), json!({ "keys": [private] })] {
            client.settings.jwks = Some(bad.clone());
            assert_eq!(fields(&client), ["jwks"], "{bad}");
        }
        client.settings.jwks = Some(json!({ "keys": [key.public_jwk()] }));
        client.settings.jwks_uri = Some("https://app.example/jwks".to_owned());
        assert_eq!(fields(&client), ["jwks_uri"]);
        client.settings.jwks = None;
        for bad in ["", "app.example/jwks", "ftp://app.example/jwks", "https://u:p@app.example/"] {
            client.settings.jwks_uri = Some(bad.to_owned());
            assert_eq!(fields(&client), ["jwks_uri"], "{bad}");
        }
    }

    #[test]
    fn the_installations_minimum_rules_every_client() {
        let problems = security_problems(&client(), Profile::Fapi2);
        assert!(problems.iter().any(|problem| problem.field == "token_endpoint_auth_method"));
    }
}
