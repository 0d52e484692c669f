//! The `claims` parameter — OIDC Core §5.5.
//!
//! A request names claims one by one, for userinfo or for the ID token. Whether it gets them is
//! decided like a scope: by what the client is registered for, and by consent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::error::Refusal;
use crate::json;
use crate::standard_claims::scope_of;

/// Longest parameter read. All the standard claims, twice and with values, are far shorter.
const MAX_LENGTH: usize = 16 * 1024;

/// How one claim is wanted (OIDC Core §5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Whether the request is of no use without it. Only `acr` and `sub` fail for want of a value.
    pub essential: bool,
    /// Values that will do; empty when any will.
    pub values: Vec<Value>,
}

/// What was asked for, by claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// To be told at userinfo.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, Wanted>,
    /// To stand in the ID token.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, Wanted>,
}

/// The claims about the person that were granted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NamedClaims {
    /// Told at userinfo.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    /// In the ID token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
}

impl ClaimsRequest {
    /// Reads the parameter. Members and claims that nobody knows are ignored (§5.5).
    ///
    /// # Errors
    /// `invalid_request` for anything that is not the JSON of §5.5.
    pub fn parse(claims: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = claims else { return Ok(Self::default()) };
        let malformed = || Refusal::invalid_request("claims is not the JSON object it must be");
        if text.len() > MAX_LENGTH {
            return Err(Refusal::invalid_request("claims is too long"));
        }
        let members = json::object(text.as_bytes()).map_err(|_| malformed())?;
        let of = |member: &str| match members.get(member) {
            None | Some(Value::Null) => Ok(BTreeMap::new()),
            Some(Value::Object(claims)) => claims
                .iter()
                .map(|(claim, wanted)| Ok((claim.clone(), Wanted::parse(wanted)?)))
                .collect(),
            Some(_) => Err(malformed()),
        };
        Ok(Self { userinfo: of("userinfo")?, id_token: of("id_token")? })
    }

    /// Whose answer alone will do (§5.5.1: `sub` with a value).
    pub fn sub(&self) -> Option<&str> {
        self.id_token.get("sub").and_then(|wanted| wanted.values.first()).and_then(Value::as_str)
    }

    /// The authentication classes of which one is essential (§5.5.1.1); empty when none is.
    pub fn essential_acr(&self) -> Vec<String> {
        let wanted = self.id_token.get("acr").filter(|wanted| wanted.essential);
        wanted
            .map(|wanted| {
                wanted.values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            })
            .unwrap_or_default()
    }

    /// What of it this client may have: claims of scopes it is registered for.
    pub fn granted_to(&self, client: &Client) -> NamedClaims {
        let allowed = |claims: &BTreeMap<String, Wanted>| {
            claims
                .keys()
                .filter(|claim| {
                    scope_of(claim).is_some_and(|of| client.scope.iter().any(|scope| scope == of))
                })
                .cloned()
                .collect()
        };
        NamedClaims { userinfo: allowed(&self.userinfo), id_token: allowed(&self.id_token) }
    }
}

impl NamedClaims {
    /// Whether no claim was named.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The scopes these claims belong to, each once: what consent is asked for.
    pub fn scopes(&self) -> Vec<&'static str> {
        let mut scopes: Vec<_> = self
            .userinfo
            .iter()
            .chain(&self.id_token)
            .filter_map(|claim| scope_of(claim))
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }
}

impl Wanted {
    fn parse(wanted: &Value) -> Result<Self, Refusal> {
        let malformed = || Refusal::invalid_request("claims asks for a claim in an unknown way");
        let Value::Object(members) = wanted else {
            return if wanted.is_null() { Ok(Self::default()) } else { Err(malformed()) };
        };
        let essential = match members.get("essential") {
            None => false,
            Some(essential) => essential.as_bool().ok_or_else(malformed)?,
        };
        let mut values = match members.get("values") {
            None => Vec::new(),
            Some(values) => values.as_array().ok_or_else(malformed)?.clone(),
        };
        values.extend(members.get("value").cloned());
        Ok(Self { essential, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Timestamp;
    use crate::client::ClientKind;
    use crate::id::ClientId;

    #[test]
    fn the_example_of_the_standard_is_read() {
        let request = ClaimsRequest::parse(Some(
            r#"{"userinfo": {"given_name": {"essential": true}, "nickname": null,
                "http://example.info/claims/groups": null, "picture": null},
                "id_token": {"auth_time": {"essential": true},
                "acr": {"essential": true, "values": ["2", "1"]}, "sub": {"value": "s"}},
                "later": 1}"#,
        ))
        .unwrap();
        assert!(request.userinfo["given_name"].essential);
        assert!(!request.userinfo["nickname"].essential);
        assert_eq!(request.essential_acr(), ["2", "1"]);
        assert_eq!(request.sub(), Some("s"));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "x",
            "[]",
            "1",
            r#"{"userinfo": 1}"#,
            r#"{"userinfo": []}"#,
            r#"{"userinfo": {"name": 1}}"#,
            r#"{"id_token": {"name": {"essential": "yes"}}}"#,
            r#"{"id_token": {"name": {"values": "x"}}}"#,
            r#"{"userinfo": {"name": null}, "userinfo": {"email": null}}"#,
            r#"{"id_token": {"sub": {"value": "a"}, "sub": {"value": "b"}}}"#,
            r#"{"id_token": {"acr": {"essential": true, "essent\u0069al": false}}}"#,
            &format!("{{\"userinfo\": {{\"{}\": null}}}}", "x".repeat(MAX_LENGTH)),
        ] {
            let refusal = ClaimsRequest::parse(Some(bad)).expect_err(bad);
            assert_eq!(refusal.code.as_str(), "invalid_request");
        }
    }

    #[test]
    fn only_claims_of_the_clients_scopes_are_granted() {
        let mut client = Client::of_kind(ClientId::new("c"), ClientKind::Web, Timestamp::default());
        client.scope = vec!["openid".into(), "profile".into()];
        let request = ClaimsRequest::parse(Some(
            r#"{"userinfo": {"name": null, "email": null, "iss": null, "unknown": null},
                "id_token": {"phone_number": null, "nickname": null}}"#,
        ))
        .unwrap();
        let granted = request.granted_to(&client);
        assert_eq!(granted.userinfo, ["name"]);
        assert_eq!(granted.id_token, ["nickname"]);
        assert_eq!(granted.scopes(), ["profile"]);
    }
}
