//! What may be registered of a client that shows certificates — RFC 8705 §2.1.2, §2.2.2.

use std::net::IpAddr;

use super::FieldProblem;
use crate::protocol::client::{Client, TokenEndpointAuthMethod};
use crate::protocol::client_certificate::normal_dn;
use crate::protocol::jwk;

/// Why this client cannot be told by its certificates as it stands.
pub(super) fn certificate_problems(client: &Client) -> Vec<FieldProblem> {
    let settings = &client.settings;
    let subjects = [
        ("tls_client_auth_subject_dn", &settings.tls_client_auth_subject_dn),
        ("tls_client_auth_san_dns", &settings.tls_client_auth_san_dns),
        ("tls_client_auth_san_uri", &settings.tls_client_auth_san_uri),
        ("tls_client_auth_san_ip", &settings.tls_client_auth_san_ip),
        ("tls_client_auth_san_email", &settings.tls_client_auth_san_email),
    ];
    let given: Vec<_> = subjects.iter().filter(|(_, subject)| subject.is_some()).collect();
    let mut problems = Vec::new();
    let mut say = |field, message: &str| problems.push(FieldProblem::new(field, message));
    match (client.token_endpoint_auth_method, given.as_slice()) {
        (TokenEndpointAuthMethod::TlsClientAuth, [_]) => {}
        (TokenEndpointAuthMethod::TlsClientAuth, []) => say(
            "tls_client_auth_subject_dn",
            "or one of tls_client_auth_san_* must say which certificates are this client's",
        ),
        (TokenEndpointAuthMethod::TlsClientAuth, [_, (field, _), ..]) => {
            say(field, "is one too many: exactly one tls_client_auth_* member says the subject");
        }
        (_, [(field, _), ..]) => {
            say(field, "has a meaning with token_endpoint_auth_method tls_client_auth alone");
        }
        (_, []) => {}
    }
    if client.token_endpoint_auth_method == TokenEndpointAuthMethod::SelfSignedTlsClientAuth {
        let keys = settings.jwks.as_ref().and_then(|set| jwk::read_set(set).ok());
        let inline = keys.unwrap_or_default().iter().any(|key| key.certificate().is_some());
        if !inline && settings.jwks_uri.is_none() {
            say("jwks", "or jwks_uri must hold the client's certificate as x5c of a key");
        }
    }
    if settings.tls_client_auth_subject_dn.as_ref().is_some_and(|dn| normal_dn(dn).is_none()) {
        say(
            "tls_client_auth_subject_dn",
            "is not a distinguished name such as \"CN=client,O=Example\" (RFC 4514)",
        );
    }
    if settings.tls_client_auth_san_ip.as_ref().is_some_and(|ip| ip.parse::<IpAddr>().is_err()) {
        say("tls_client_auth_san_ip", "is not an IP address");
    }
    for (field, subject) in subjects {
        if subject.as_ref().is_some_and(|text| text.is_empty() || text.len() > 1000) {
            say(field, "must have 1 to 1000 characters");
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::ambient::Timestamp;
    use crate::protocol::client::ClientKind;
    use crate::protocol::id::ClientId;

    fn problems(method: TokenEndpointAuthMethod, settings: serde_json::Value) -> Vec<&'static str> {
        let mut client =
            Client::of_kind(ClientId::new("c"), ClientKind::Machine, Timestamp::default());
        client.token_endpoint_auth_method = method;
        client.settings = serde_json::from_value(settings).unwrap();
        certificate_problems(&client).into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn exactly_one_subject_is_registered_and_only_where_it_counts() {
        let pki = TokenEndpointAuthMethod::TlsClientAuth;
        let basic = TokenEndpointAuthMethod::ClientSecretBasic;
        let dn = "tls_client_auth_subject_dn";
        let ip = "tls_client_auth_san_ip";
        for (method, settings, expected) in [
            (pki, json!({ dn: "CN=a,O=b" }), vec![]),
            (pki, json!({ "tls_client_auth_san_dns": "a.example" }), vec![]),
            (pki, json!({ ip: "192.0.2.1" }), vec![]),
            (pki, json!({}), vec![dn]),
            (pki, json!({ dn: "CN=a", ip: "192.0.2.1" }), vec![ip]),
            (pki, json!({ dn: "no name" }), vec![dn]),
            (pki, json!({ ip: "here" }), vec![ip]),
            (pki, json!({ "tls_client_auth_san_uri": "" }), vec!["tls_client_auth_san_uri"]),
            (basic, json!({ dn: "CN=a" }), vec![dn]),
            (basic, json!({}), vec![]),
        ] {
            assert_eq!(problems(method, settings.clone()), expected, "{settings}");
        }
    }

    #[test]
    fn a_self_signed_certificate_is_registered_itself() {
        let method = TokenEndpointAuthMethod::SelfSignedTlsClientAuth;
        assert_eq!(problems(method, json!({})), ["jwks"]);
        assert_eq!(problems(method, json!({ "jwks": { "keys": [] } })), ["jwks"]);
        assert_eq!(problems(method, json!({ "jwks": "text" })), ["jwks"]);
        let fetched = json!({ "jwks_uri": "https://client.example/jwks" });
        assert_eq!(problems(method, fetched), Vec::<&str>::new());
    }
}
