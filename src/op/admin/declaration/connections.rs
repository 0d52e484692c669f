//! How a connection stands in the document. Its secrets are not in it: a document may name the
//! files that hold them, and what it does not name stays as it is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::documents::{members, settings};
use super::{Act, Step, Work};
use crate::op::admin::metadata::difference;
use crate::op::admin::{
    AdminError, ConnectionChange, FieldProblem, ListedConnection, NewConnection,
};
use crate::protocol::connection::{ConnectionSecrets, ConnectionSettings};
use crate::protocol::secret::SecretString;

/// A connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConnectionDocument {
    /// Its name in URLs.
    pub id: String,
    /// Its name for people.
    pub display_name: String,
    /// Where it stands among the others.
    #[serde(default)]
    pub position: i32,
    /// Whether people may sign in through it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// A file with the `client_secret`, from where the document is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<String>,
    /// The `.p8` file of `key_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key_file: Option<String>,
    /// `kind`, and what that needs.
    #[serde(flatten)]
    pub settings: Map<String, Value>,
    /// What stood in `client_secret_file`.
    #[serde(skip)]
    pub client_secret: Option<SecretString>,
    /// What stood in `private_key_file`.
    #[serde(skip)]
    pub private_key: Option<SecretString>,
}

const fn yes() -> bool {
    true
}

impl PartialEq for ConnectionDocument {
    fn eq(&self, other: &Self) -> bool {
        members(self) == members(other)
    }
}

impl ConnectionDocument {
    pub(super) fn of(listed: &ListedConnection) -> Self {
        let connection = &listed.connection;
        Self {
            id: connection.id.to_string(),
            display_name: connection.display_name.clone(),
            position: connection.position,
            enabled: connection.enabled,
            client_secret_file: None,
            private_key_file: None,
            settings: members(&connection.settings),
            client_secret: None,
            private_key: None,
        }
    }

    fn described(&self, settings: &ConnectionSettings) -> Value {
        let mut all = members(settings);
        all.insert("display_name".to_owned(), json!(self.display_name));
        all.insert("position".to_owned(), json!(self.position));
        all.insert("enabled".to_owned(), json!(self.enabled));
        Value::Object(all)
    }

    pub(super) fn step(self, stands: Option<&ListedConnection>) -> Result<Step, AdminError> {
        let wanted: ConnectionSettings = settings(&self.id, self.settings.clone())?;
        let after = self.described(&wanted);
        let Some(stands) = stands else {
            let changed = difference(&Value::Null, &after);
            let name = self.id.clone();
            let new = NewConnection {
                id: self.id,
                display_name: Some(self.display_name),
                position: Some(self.position),
                enabled: self.enabled,
                settings: wanted,
                secrets: ConnectionSecrets {
                    private_key: self.private_key,
                    client_secret: self.client_secret,
                    ..ConnectionSecrets::default()
                },
            };
            let work = Work::NewConnection(Box::new(new));
            return Ok(Step::of(Act::Create, "connection", name, changed, work));
        };
        if stands.file_managed {
            let message = format!("{} is described in the configuration file", self.id);
            return Err(AdminError::Invalid(vec![FieldProblem::new("id", message)]));
        }
        let before = Self::of(stands);
        let mut changed = difference(&before.described(&stands.connection.settings), &after);
        // Whether a secret differs cannot be told without showing it; one that is named is set.
        for (member, given) in [
            ("client_secret", self.client_secret.is_some()),
            ("private_key", self.private_key.is_some()),
        ] {
            if given {
                let hidden = json!({ "before": "(sealed)", "after": "(from its file)" });
                changed.insert(member.to_owned(), hidden);
            }
        }
        // A member that stands and is not in the document is taken away.
        let mut patch: Map<String, Value> = before
            .settings
            .into_iter()
            .filter(|(member, _)| member != "kind")
            .map(|(member, _)| (member, Value::Null))
            .collect();
        patch.extend(members(&wanted));
        let change = ConnectionChange {
            version: Some(stands.connection.version),
            display_name: Some(self.display_name),
            position: Some(self.position),
            enabled: Some(self.enabled),
            settings: patch,
            client_secret: self.client_secret,
            private_key: self.private_key,
        };
        let work = Work::ChangeConnection(self.id.clone(), Box::new(change));
        Ok(Step::of(Act::Update, "connection", self.id, changed, work))
    }
}
