//! The deletion of a person, as a row that survives the person: what is left to do, and the
//! receipt of what was done. Holds nothing about the person.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;
use crate::id::{DeletionId, UserId};

/// What comes next. Sessions and tokens end in the act that begins a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionState {
    /// Give back what upstreams granted.
    Revoking,
    /// Erase the person.
    Erasing,
    /// Wait until the clients have taken what they are told.
    Telling,
    /// Nothing is left to do.
    Completed,
}

impl DeletionState {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoking => "revoking",
            Self::Erasing => "erasing",
            Self::Telling => "telling",
            Self::Completed => "completed",
        }
    }
}

/// A deletion under way, or its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Its name; whoever knows it may see the receipt.
    pub id: DeletionId,
    /// Who is deleted; nobody once they are erased.
    pub user_id: Option<UserId>,
    /// Who asked: `user`, `cli`, `admin:{username}`, `client:{client_id}` or `upstream`.
    pub requested_by: String,
    /// What comes next.
    pub state: DeletionState,
    /// Attempts at it.
    pub attempts: i32,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it goes on.
    pub due_at: Timestamp,
    /// After this, an upstream that cannot be reached keeps nobody.
    pub give_up_at: Timestamp,
    /// When everything was done.
    pub completed_at: Option<Timestamp>,
}

/// A line of the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionStep {
    /// Its place.
    pub number: i32,
    /// What was done, in snake_case.
    pub step: String,
    /// How it ended, in words.
    pub outcome: String,
    /// When.
    pub at: Timestamp,
}

/// A deletion with its receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The deletion.
    pub deletion: Deletion,
    /// What was done so far, oldest first.
    pub steps: Vec<DeletionStep>,
}

impl Receipt {
    /// As JSON: times in seconds.
    pub fn to_json(&self) -> serde_json::Value {
        let Self { deletion, steps } = self;
        serde_json::json!({
            "id": deletion.id,
            "state": deletion.state,
            "requested_by": deletion.requested_by,
            "requested_at": deletion.requested_at.secs(),
            "completed_at": deletion.completed_at.map(Timestamp::secs),
            "steps": steps.iter().map(|step| serde_json::json!({
                "step": step.step,
                "outcome": step.outcome,
                "at": step.at.secs(),
            })).collect::<Vec<_>>(),
        })
    }
}
