//! Claims that an operator adds: typed rules, no code.
//!
//! A rule names one claim, where its value comes from, and when and where it is told. It can read
//! what is known about the person and the client and nothing else; the claims that protocols and
//! verified facts live by cannot be named. Applying rules is a pure function, so what the console
//! shows beforehand is what tokens will hold.

mod template;

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use self::template::Template;
use crate::client::Client;
use crate::user::User;

/// Claims that mean something to the protocols, or that an upstream vouched for: a rule that could
/// name them could make somebody else of a person.
pub const PROTECTED: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "azp",
    "nonce",
    "auth_time",
    "at_hash",
    "c_hash",
    "s_hash",
    "acr",
    "amr",
    "sid",
    "act",
    "may_act",
    "cnf",
    "client_id",
    "scope",
    "events",
    "txn",
    "sub_id",
    "sub_jwk",
    "_claim_names",
    "_claim_sources",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "is_private_email",
    "authorization_details",
    "token_type",
    "active",
    "username",
    "updated_at",
];

/// Most rules of one client or API.
pub const MOST_RULES: usize = 50;
/// Longest text a rule may hold or make.
const MAX_TEXT: usize = 1_000;

/// What a rule may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// The person's `sub`.
    Sub,
    /// Their `name`.
    Name,
    /// Their `given_name`.
    GivenName,
    /// Their `family_name`.
    FamilyName,
    /// Their address, if an upstream vouches for it.
    Email,
    /// What stands before `@` in it.
    EmailLocalPart,
    /// What stands after `@` in it, in lower case.
    EmailDomain,
    /// Whether an upstream vouches for the address.
    EmailVerified,
    /// Whether the address is a relay.
    IsPrivateEmail,
    /// Through which connection the person signed in.
    Connection,
    /// The client.
    ClientId,
    /// The client's name.
    ClientName,
}

impl Attribute {
    /// Every attribute.
    pub const ALL: [Self; 12] = [
        Self::Sub,
        Self::Name,
        Self::GivenName,
        Self::FamilyName,
        Self::Email,
        Self::EmailLocalPart,
        Self::EmailDomain,
        Self::EmailVerified,
        Self::IsPrivateEmail,
        Self::Connection,
        Self::ClientId,
        Self::ClientName,
    ];

    /// The name it has in rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sub => "user.sub",
            Self::Name => "user.name",
            Self::GivenName => "user.given_name",
            Self::FamilyName => "user.family_name",
            Self::Email => "user.email",
            Self::EmailLocalPart => "user.email_local_part",
            Self::EmailDomain => "user.email_domain",
            Self::EmailVerified => "user.email_verified",
            Self::IsPrivateEmail => "user.is_private_email",
            Self::Connection => "connection",
            Self::ClientId => "client.client_id",
            Self::ClientName => "client.client_name",
        }
    }

    /// The attribute with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.as_str() == name)
    }
}

impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name)
            .ok_or_else(|| D::Error::custom(format!("{name:?} is not an attribute; see the docs")))
    }
}

/// Where a claim is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The ID token.
    IdToken,
    /// Userinfo.
    Userinfo,
    /// The access token.
    AccessToken,
}

impl Target {
    /// Every target.
    pub const ALL: [Self; 3] = [Self::IdToken, Self::Userinfo, Self::AccessToken];
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRule {
    /// The claim's name.
    pub claim: String,
    /// Its value is this attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Attribute>,
    /// Its value is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Its value is this text, filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// Only when each of these attributes is this value, or one of these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<Attribute, Value>,
    /// Only when this scope value was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Where; everywhere when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Target>,
}

impl ClaimRule {
    /// What is wrong with the rule, if something is.
    pub fn problem(&self) -> Option<String> {
        let Self { claim, .. } = self;
        let name = (1..=100).contains(&claim.len()) && claim.bytes().all(|b| b.is_ascii_graphic());
        if !name {
            return Some(format!("{claim:?} is not a claim's name"));
        }
        if PROTECTED.contains(&claim.as_str()) {
            return Some(format!("{claim:?} is protected: protocols and people rely on it"));
        }
        let sources = [self.from.is_some(), self.value.is_some(), self.template.is_some()];
        if sources.iter().filter(|given| **given).count() != 1 {
            return Some(format!("{claim:?} needs exactly one of from, value and template"));
        }
        if self.value.as_ref().is_some_and(|value| value.to_string().len() > MAX_TEXT) {
            return Some(format!("the value of {claim:?} is longer than {MAX_TEXT} bytes"));
        }
        let plain = |value: &Value| !value.is_object() && !value.is_null();
        let compared = |value: &Value| match value.as_array() {
            Some(items) => {
                !items.is_empty() && items.iter().all(|item| plain(item) && !item.is_array())
            }
            None => plain(value),
        };
        if !self.when.values().all(compared) {
            return Some(format!("when of {claim:?} compares with texts, numbers and booleans"));
        }
        None
    }

    /// Whether this rule speaks there.
    pub fn tells(&self, target: Target) -> bool {
        self.to.is_empty() || self.to.contains(&target)
    }

    fn holds(&self, facts: &Facts<'_>) -> bool {
        let granted = |scope: &String| facts.scope.contains(scope);
        self.scope.as_ref().is_none_or(granted)
            && self.when.iter().all(|(attribute, wanted)| match facts.value(*attribute) {
                None => false,
                Some(value) => match wanted.as_array() {
                    Some(any) => any.contains(&value),
                    None => *wanted == value,
                },
            })
    }

    fn make(&self, facts: &Facts<'_>) -> Option<Value> {
        match (&self.from, &self.value, &self.template) {
            (Some(attribute), None, None) => facts.value(*attribute),
            (None, Some(value), None) => Some(value.clone()),
            (None, None, Some(template)) => template.fill(facts).map(Value::String),
            // Refused when it was stored.
            _ => None,
        }
    }
}

/// What rules may know.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The person; none when a client acts for itself.
    pub user: Option<&'a User>,
    /// The client.
    pub client: &'a Client,
    /// The granted scope values.
    pub scope: &'a [String],
    /// Through which connection the person signed in.
    pub connection: Option<&'a str>,
}

impl Facts<'_> {
    fn value(&self, attribute: Attribute) -> Option<Value> {
        let text = |text: &str| (!text.is_empty()).then(|| Value::String(text.to_owned()));
        let user = self.user;
        // An address that nobody vouches for says nothing about where a person belongs.
        let email = || user.filter(|user| user.email_verified)?.email.as_deref();
        match attribute {
            Attribute::Sub => text(&user?.sub),
            Attribute::Name => text(user?.name.as_deref()?),
            Attribute::GivenName => text(user?.given_name.as_deref()?),
            Attribute::FamilyName => text(user?.family_name.as_deref()?),
            Attribute::Email => text(email()?),
            Attribute::EmailLocalPart => text(email()?.rsplit_once('@')?.0),
            Attribute::EmailDomain => text(&email()?.rsplit_once('@')?.1.to_ascii_lowercase()),
            Attribute::EmailVerified => user.map(|user| Value::Bool(user.email_verified)),
            Attribute::IsPrivateEmail => user.map(|user| Value::Bool(user.is_private_email)),
            Attribute::Connection => text(self.connection?),
            Attribute::ClientId => text(self.client.client_id.as_str()),
            Attribute::ClientName => text(&self.client.client_name),
        }
    }
}

/// The claims that rules add there. Of several rules for one claim the first that holds counts.
pub fn apply(rules: &[ClaimRule], facts: &Facts<'_>, target: Target) -> Map<String, Value> {
    let mut claims = Map::new();
    for rule in rules {
        let speaks = rule.tells(target) && rule.problem().is_none() && rule.holds(facts);
        if speaks
            && !claims.contains_key(&rule.claim)
            && let Some(value) = rule.make(facts)
        {
            claims.insert(rule.claim.clone(), value);
        }
    }
    claims
}

/// What a person would see everywhere, before the rules are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// In the ID token.
    pub id_token: Map<String, Value>,
    /// At userinfo.
    pub userinfo: Map<String, Value>,
    /// In the access token.
    pub access_token: Map<String, Value>,
    /// What is wrong with the rules.
    pub problems: Vec<String>,
}

/// Tries a client's rules, and those of an API, on these facts.
pub fn preview(client: &[ClaimRule], api: &[ClaimRule], facts: &Facts<'_>) -> Preview {
    let of_api = apply(api, facts, Target::AccessToken);
    let mut access_token = apply(client, facts, Target::AccessToken);
    access_token.extend(of_api);
    Preview {
        id_token: apply(client, facts, Target::IdToken),
        userinfo: apply(client, facts, Target::Userinfo),
        access_token,
        problems: client.iter().chain(api).filter_map(ClaimRule::problem).collect(),
    }
}

#[cfg(test)]
mod tests;
