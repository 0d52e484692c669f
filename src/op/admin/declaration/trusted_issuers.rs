//! How a rule about a trusted issuer stands in the document. A rule has no name that an operator
//! gave it: one that says something else is another rule.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::documents::members;
use super::{Act, Step, Work};
use crate::op::admin::NewTrustedIssuer;
use crate::op::admin::metadata::difference;
use crate::protocol::trusted_issuer::{Condition, MAX_LIFETIME, TrustedIssuer};

/// A rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIssuerDocument {
    /// `iss` of its assertions.
    pub issuer: String,
    /// For which client.
    pub client_id: String,
    /// What `aud` must hold.
    pub audience: String,
    /// `claim=value` each.
    pub conditions: Vec<String>,
    /// Where its keys are; discovery when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Its keys, for an issuer that cannot be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Scope values the token may carry.
    #[serde(default)]
    pub scope: Vec<String>,
    /// APIs the token may be for.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Longest life accepted, seconds.
    #[serde(default = "longest")]
    pub max_lifetime: u32,
    /// Whether an assertion may come more than once.
    #[serde(default)]
    pub allow_reuse: bool,
}

const fn longest() -> u32 {
    MAX_LIFETIME
}

impl TrustedIssuerDocument {
    pub(super) fn of(rule: &TrustedIssuer) -> Self {
        let condition = |it: &Condition| format!("{}={}", it.claim, it.value);
        Self {
            issuer: rule.issuer.clone(),
            client_id: rule.client_id.to_string(),
            audience: rule.audience.clone(),
            conditions: rule.conditions.iter().map(condition).collect(),
            jwks_uri: rule.jwks_uri.clone(),
            jwks: rule.jwks.clone(),
            scope: rule.scope.clone(),
            resources: rule.resources.clone(),
            max_lifetime: rule.max_lifetime,
            allow_reuse: !rule.single_use,
        }
    }

    fn name(&self) -> String {
        format!("{} for {}", self.issuer, self.client_id)
    }

    /// The step that makes the rule, unless one like it stands.
    pub(super) fn step(self, stands: &[Self]) -> Option<Step> {
        if stands.contains(&self) {
            return None;
        }
        let changed = difference(&Value::Null, &Value::Object(members(&self)));
        let name = self.name();
        let new = NewTrustedIssuer {
            issuer: self.issuer,
            jwks_uri: self.jwks_uri,
            jwks: self.jwks,
            audience: self.audience,
            client_id: self.client_id,
            conditions: self.conditions,
            scope: self.scope,
            resources: self.resources,
            max_lifetime: Some(self.max_lifetime),
            allow_reuse: self.allow_reuse,
        };
        let work = Work::NewTrustedIssuer(Box::new(new));
        Some(Step::of(Act::Create, "trusted_issuer", name, changed, work))
    }

    pub(super) fn gone(rule: &TrustedIssuer) -> Step {
        let work = Work::DeleteTrustedIssuer(rule.id.clone());
        Step::of(Act::Delete, "trusted_issuer", Self::of(rule).name(), Map::new(), work)
    }
}
