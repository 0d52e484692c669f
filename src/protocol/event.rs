//! What happened: the audit log's vocabulary.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;

/// One line of the audit log. Holds no secret and no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What, such as `login.succeeded` or `refresh_token.reused`: `noun.past_participle`.
    pub kind: String,
    /// Who did it: `admin:{username}`, `client:{client_id}`, `user:{id}`, `cli` or `system`.
    pub actor: String,
    /// To what: a client id, user id, kid …
    pub target: Option<String>,
    /// The `X-Request-Id` under which it happened.
    pub request_id: Option<String>,
    /// Anything else worth knowing, redacted.
    pub detail: Option<serde_json::Value>,
}

/// The area of a kind, under which lists find it: `client` of `client.created`.
pub fn area(kind: &str) -> &str {
    kind.split_once('.').map_or(kind, |(area, _)| area)
}

impl Event {
    /// An event with neither target nor detail.
    pub fn new(at: Timestamp, kind: &str, actor: impl Into<String>) -> Self {
        Self {
            at,
            kind: kind.to_owned(),
            actor: actor.into(),
            target: None,
            request_id: None,
            detail: None,
        }
    }

    /// Names what it happened to.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Adds detail to what there is.
    #[must_use]
    pub fn detail(mut self, detail: serde_json::Value) -> Self {
        self.detail = Some(match (self.detail.take(), detail) {
            (Some(serde_json::Value::Object(mut before)), serde_json::Value::Object(more)) => {
                before.extend(more);
                before.into()
            }
            (_, detail) => detail,
        });
        self
    }

    /// Adds why it was done, if whoever did it said so.
    #[must_use]
    pub fn because(self, reason: Option<&str>) -> Self {
        match reason {
            Some(reason) => self.detail(serde_json::json!({ "reason": reason })),
            None => self,
        }
    }

    /// Adds the request's id.
    #[must_use]
    pub fn request_id(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }
}
