//! Scope and resource — RFC 6749 §3.3, RFC 8707, OIDC Core §5.4, §11.

use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::client::{Client, GrantType};
use crate::error::Refusal;

/// The OpenID scopes that release something here, as discovery lists them.
pub const SUPPORTED: [&str; 7] =
    ["openid", "profile", "email", "address", "phone", "offline_access", ACCOUNT_DELETE];

/// The scopes that a client is registered for unless said otherwise.
pub const USUAL: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Lets a client delete the account of the person who gave it. An app that Apple reviews must
/// offer that (App Store Review Guideline 5.1.1(v)).
pub const ACCOUNT_DELETE: &str = "account:delete";

/// Scopes of OIDC Core §5.4 for which little is known here: a client that is not registered for them
/// may ask, as many libraries do by themselves, and is granted nothing.
const ASKED_IN_VAIN: [&str; 2] = ["address", "phone"];

/// Longest `scope` looked at; a flood is refused before it costs anything (CVE-2026-4634).
const MAX_SCOPE_LENGTH: usize = 2000;

/// What a token may be used for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Scope values, each once, in the order asked for.
    pub scope: Vec<String>,
    /// API identifiers; empty means the issuer itself.
    pub resources: Vec<String>,
}

/// Splits a `scope` parameter into its values, each once (RFC 6749 §3.3).
///
/// # Errors
/// `invalid_scope` for characters outside the grammar and for a flood.
pub fn parse(scope: &str) -> Result<Vec<String>, Refusal> {
    if scope.len() > MAX_SCOPE_LENGTH {
        return Err(Refusal::invalid_scope("scope is too long"));
    }
    let mut values: Vec<String> = Vec::new();
    for value in scope.split(' ').filter(|value| !value.is_empty()) {
        if !value.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            return Err(Refusal::invalid_scope("scope holds a character that is not allowed"));
        }
        if !values.iter().any(|seen| seen == value) {
            values.push(value.to_owned());
        }
    }
    Ok(values)
}

/// The identifiers of the APIs a request is about: those named by `resource`, else the client's
/// default (RFC 8707 §2).
///
/// # Errors
/// `invalid_target` when the client may not ask for one of them.
pub fn resources(client: &Client, requested: &[String]) -> Result<Vec<String>, Refusal> {
    if requested.is_empty() {
        return Ok(client.default_resource.iter().cloned().collect());
    }
    let mut resources = Vec::new();
    for resource in requested {
        if !client.resources.contains(resource) {
            return Err(Refusal::invalid_target(format!(
                "resource '{resource}' is not one that this client may ask for"
            )));
        }
        if !resources.contains(resource) {
            resources.push(resource.clone());
        }
    }
    Ok(resources)
}

/// Decides what a client gets of what it asked for. `apis` are the registered APIs among
/// `resources`. OpenID scopes need a person, so a client acting for itself gets none of them.
///
/// # Errors
/// `invalid_scope` for a value that neither the client nor an API it may use knows;
/// `invalid_target` when a resource is no longer registered.
pub fn decide(
    client: &Client,
    requested: &[String],
    resources: Vec<String>,
    apis: &[Api],
    for_person: bool,
) -> Result<Access, Refusal> {
    for resource in &resources {
        if !apis.iter().any(|api| api.identifier == *resource) {
            return Err(Refusal::invalid_target(format!(
                "resource '{resource}' is not registered"
            )));
        }
    }
    let mut scope = Vec::new();
    for value in requested {
        let of_an_api = apis.iter().any(|api| api.scopes.iter().any(|known| known.name == *value));
        let of_openid = for_person && client.scope.contains(value);
        let in_vain = for_person && ASKED_IN_VAIN.contains(&value.as_str());
        if of_an_api || of_openid {
            scope.push(value.clone());
        } else if !in_vain {
            return Err(Refusal::invalid_scope(format!(
                "scope '{value}' is not one that this client may ask for"
            )));
        }
    }
    if !client.may_use(GrantType::RefreshToken) {
        scope.retain(|value| value != "offline_access");
    }
    Ok(Access { scope, resources })
}

/// Narrows what was granted to what a refresh or exchange asks for (RFC 6749 §6, RFC 8707 §2.2).
///
/// # Errors
/// `invalid_scope` or `invalid_target` when it asks for more than was granted.
pub fn narrow(
    granted_scope: &[String],
    granted_resources: &[String],
    scope: Option<&str>,
    resources: &[String],
) -> Result<Access, Refusal> {
    let scope = match scope {
        None => granted_scope.to_vec(),
        Some(scope) => {
            let wanted = parse(scope)?;
            let surplus = wanted.iter().find(|value| {
                !granted_scope.contains(value) && !ASKED_IN_VAIN.contains(&value.as_str())
            });
            if let Some(value) = surplus {
                return Err(Refusal::invalid_scope(format!("scope '{value}' was not granted")));
            }
            wanted.into_iter().filter(|value| granted_scope.contains(value)).collect()
        }
    };
    if let Some(resource) = resources.iter().find(|wanted| !granted_resources.contains(wanted)) {
        return Err(Refusal::invalid_target(format!("resource '{resource}' was not granted")));
    }
    let resources =
        if resources.is_empty() { granted_resources.to_vec() } else { resources.to_vec() };
    Ok(Access { scope, resources })
}

/// Leaves out the scope values that belong to other APIs than the chosen ones (RFC 8707 §2.2).
/// `granted` are the APIs that all of it was granted for.
pub fn of_chosen(mut access: Access, granted: &[&Api]) -> Access {
    let chosen = &access.resources;
    access.scope.retain(|value| {
        let knows = |api: &&&Api| api.scopes.iter().any(|known| known.name == *value);
        let mut owners = granted.iter().filter(knows).peekable();
        SUPPORTED.contains(&value.as_str())
            || owners.peek().is_none()
            || owners.any(|api| chosen.contains(&api.identifier))
    });
    access
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Timestamp;
    use crate::api::ApiScope;
    use crate::client::ClientKind;
    use crate::id::ClientId;
    use crate::jose::Algorithm;

    fn api() -> Api {
        Api {
            identifier: "https://api.example".into(),
            name: "Orders".into(),
            scopes: vec![ApiScope { name: "orders:read".into(), description: String::new() }],
            access_token_ttl: 600,
            signing_alg: Algorithm::Es256,
            settings: crate::client_settings::ApiSettings::default(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            version: 1,
        }
    }

    fn client() -> Client {
        let mut client =
            Client::of_kind(ClientId::new("web"), ClientKind::Web, Timestamp::default());
        client.resources = vec!["https://api.example".into()];
        client
    }

    fn words(scope: &str) -> Vec<String> {
        parse(scope).expect("well-formed")
    }

    #[test]
    fn scope_is_a_set_of_words() {
        assert_eq!(words("openid  email openid"), ["openid", "email"]);
        for bad in ["a\"b", "a\\b", "a\u{7f}", "é", "a\tb"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse(&"a ".repeat(1001)).is_err());
    }

    #[test]
    fn an_api_scope_comes_with_its_resource_only() {
        let asked = words("openid orders:read");
        let with = decide(&client(), &asked, vec!["https://api.example".into()], &[api()], true);
        assert_eq!(with.expect("granted").scope, asked);
        let without = decide(&client(), &asked, Vec::new(), &[], true);
        assert_eq!(without.unwrap_err().code.as_str(), "invalid_scope");
    }

    #[test]
    fn address_and_phone_may_be_asked_for_in_vain_and_unknown_scopes_are_refused() {
        let asked = words("openid address phone");
        let decided = decide(&client(), &asked, vec![], &[], true);
        assert_eq!(decided.expect("granted").scope, asked);
        let mut less = client();
        less.scope = words("openid");
        let decided = decide(&less, &asked, vec![], &[], true);
        assert_eq!(decided.expect("granted").scope, ["openid"]);
        assert!(decide(&less, &words("openid email"), vec![], &[], true).is_err());
        assert!(decide(&client(), &words("openid admin"), vec![], &[], true).is_err());
    }

    #[test]
    fn a_client_acting_for_itself_gets_no_openid_scope() {
        assert!(decide(&client(), &words("openid"), vec![], &[], false).is_err());
    }

    #[test]
    fn a_resource_must_be_allowed_and_registered() {
        let refused = resources(&client(), &["https://other.example".into()]).unwrap_err();
        assert_eq!(refused.code.as_str(), "invalid_target");
        let gone = decide(&client(), &[], vec!["https://api.example".into()], &[], true);
        assert_eq!(gone.unwrap_err().code.as_str(), "invalid_target");
    }

    #[test]
    fn a_token_for_one_api_holds_no_scope_of_another() {
        let named = |identifier: &str, scopes: &[&str]| Api {
            identifier: identifier.to_owned(),
            scopes: scopes
                .iter()
                .map(|name| ApiScope { name: (*name).to_owned(), ..api().scopes[0].clone() })
                .collect(),
            ..api()
        };
        let apis = [named("https://a", &["r:a", "both"]), named("https://b", &["r:b", "both"])];
        let of = |resources: &[&str]| {
            let access = Access {
                scope: parse("openid r:a r:b both").unwrap(),
                resources: resources.iter().map(ToString::to_string).collect(),
            };
            of_chosen(access, &[&apis[0], &apis[1]]).scope.join(" ")
        };
        assert_eq!(of(&["https://a"]), "openid r:a both");
        assert_eq!(of(&["https://b"]), "openid r:b both");
        assert_eq!(of(&["https://a", "https://b"]), "openid r:a r:b both");
    }

    #[test]
    fn narrowing_never_widens() {
        let granted = words("openid orders:read");
        let resource = ["https://api.example".to_owned()];
        let less = narrow(&granted, &resource, Some("openid"), &[]).expect("less");
        assert_eq!(less.scope, ["openid"]);
        assert_eq!(less.resources, resource);
        assert!(narrow(&granted, &resource, Some("openid email"), &[]).is_err());
        assert!(narrow(&granted, &resource, None, &["https://b.example".into()]).is_err());
    }
}
