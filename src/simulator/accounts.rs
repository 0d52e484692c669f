//! Who can sign in, and which teams and apps Apple knows: the simulator's state model.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::keys::DeveloperPublicKey;

/// A developer team with its keys and app groups.
#[derive(Clone, Debug)]
pub struct Team {
    /// Ten characters, the `iss` of client secrets.
    pub team_id: String,
    /// Key ID and public half of each Sign in with Apple key.
    pub keys: Vec<(String, DeveloperPublicKey)>,
    /// Apps that share consent.
    pub groups: Vec<AppGroup>,
}

/// A primary App ID with everything grouped under it; consent is given once per group.
#[derive(Clone, Debug)]
pub struct AppGroup {
    /// The primary App ID's bundle ID.
    pub primary_bundle_id: String,
    /// Every native `client_id` of the group.
    pub bundle_ids: Vec<String>,
    /// Every web `client_id` of the group.
    pub services_ids: Vec<ServicesId>,
    /// Where server-to-server notifications go.
    pub notification_url: Option<String>,
}

/// A web `client_id` and its registered return URLs, compared exactly.
#[derive(Clone, Debug)]
pub struct ServicesId {
    /// The `client_id`.
    pub services_id: String,
    /// The registered return URLs.
    pub return_urls: Vec<String>,
}

/// How `email_verified` and `is_private_email` are written; Apple has used each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagForm {
    /// `"true"`.
    #[default]
    String,
    /// `true`.
    Bool,
    /// `email_verified` a string, `is_private_email` a boolean.
    Mixed,
    /// Neither claim.
    Absent,
}

/// A test person's Apple Account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// A short name for the control API, such as `ada`.
    pub id: String,
    /// Given name offered on the consent page; may be empty.
    #[serde(default)]
    pub first_name: String,
    /// Family name offered on the consent page; may be empty.
    #[serde(default)]
    pub last_name: String,
    /// The real address; none for some managed accounts.
    #[serde(default)]
    pub email: Option<String>,
    /// The value of `email_verified`.
    #[serde(default)]
    pub email_verified: bool,
    /// Whether this person hides the address unless told otherwise.
    #[serde(default)]
    pub hide_email: bool,
    /// `org_id` of a managed account.
    #[serde(default)]
    pub org_id: Option<String>,
    /// How the flags are written for this person.
    #[serde(default)]
    pub flags: FlagForm,
}

impl Account {
    /// The test people of `russet dev`.
    pub fn samples() -> Vec<Self> {
        let person = |id: &str, first: &str, last: &str, email: Option<&str>| Self {
            id: id.into(),
            first_name: first.into(),
            last_name: last.into(),
            email: email.map(Into::into),
            email_verified: email.is_some(),
            hide_email: false,
            org_id: None,
            flags: FlagForm::String,
        };
        vec![
            person("ada", "Ada", "Lovelace", Some("ada@example.com")),
            Self {
                hide_email: true,
                ..person("grace", "Grace", "Hopper", Some("grace@example.com"))
            },
            person("alan", "Alan", "Turing", None),
            Self {
                email_verified: false,
                org_id: Some("org-example-school".into()),
                flags: FlagForm::Bool,
                ..person("mary", "Mary", "Jackson", Some("mary@school.example"))
            },
            Self {
                flags: FlagForm::Mixed,
                ..person("nameless", "", "", Some("nameless@example.com"))
            },
        ]
    }

    /// What a button calls this person.
    pub fn display_name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        match name.trim() {
            "" => self.email.clone().unwrap_or_else(|| self.id.clone()),
            name => name.to_owned(),
        }
    }

    /// The person's identifier for one team: the same for all the team's apps, another elsewhere.
    pub fn sub(&self, team_id: &str) -> String {
        format!("001234.{}.0815", pseudonym("sub", &self.id, team_id))
    }

    /// What another team knows the person by until it has asked who that is (TN3159).
    pub(super) fn transfer_sub(&self, target: &str) -> String {
        format!("760417.{}.0815", pseudonym("transfer", &self.id, target))
    }

    /// The address an app of this team is given.
    pub fn address_for(&self, team_id: &str, hidden: bool) -> Option<String> {
        let real = self.email.clone()?;
        if !hidden {
            return Some(real);
        }
        let local: String = pseudonym("relay", &self.id, team_id).chars().take(10).collect();
        Some(format!("{local}@privaterelay.appleid.com"))
    }
}

fn pseudonym(purpose: &str, account: &str, team_id: &str) -> String {
    let digest =
        digest::digest(&digest::SHA256, format!("{purpose}|{team_id}|{account}").as_bytes());
    digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A client the simulator knows: a Services ID or a bundle ID.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownClient<'a> {
    pub(super) team: &'a Team,
    pub(super) group: &'a AppGroup,
    /// Present for a Services ID only.
    pub(super) services_id: Option<&'a ServicesId>,
}

/// Finds the team and group that own `client_id`, compared byte by byte.
pub(super) fn known_client<'a>(teams: &'a [Team], client_id: &str) -> Option<KnownClient<'a>> {
    teams.iter().flat_map(|team| team.groups.iter().map(move |group| (team, group))).find_map(
        |(team, group)| {
            let services_id = group.services_ids.iter().find(|s| s.services_id == client_id);
            (services_id.is_some() || group.bundle_ids.iter().any(|id| id == client_id))
                .then_some(KnownClient { team, group, services_id })
        },
    )
}
