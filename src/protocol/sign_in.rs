//! One sign-in, step by step, for those who look into it. Holds no code, token, name or address:
//! what was there and what was decided, in words.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ambient::Timestamp;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A client asked for a sign-in.
    Requested,
    /// The browser was sent to an upstream.
    Departed,
    /// It came back with an answer.
    Returned,
    /// The answer was good: somebody is signed in.
    SignedIn,
    /// The answer was not accepted, or no answer could be had.
    Failed,
    /// The person agreed to what the client asks for.
    Consented,
    /// The client was answered with a code.
    CodeIssued,
    /// The client was answered with an error.
    Refused,
    /// The client came for its tokens and got them.
    Redeemed,
    /// The client came for its tokens and got none.
    NotRedeemed,
    /// A request failed that belongs to no sign-in; it is found by its own id alone.
    Lost,
}

/// A step of a sign-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignInStep {
    /// The sign-in.
    pub sign_in: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: Step,
    /// More about it.
    pub detail: Option<Value>,
}

impl SignInStep {
    /// A step of this sign-in.
    pub fn new(sign_in: impl Into<String>, step: Step, at: Timestamp) -> Self {
        Self { sign_in: sign_in.into(), at, step, detail: None }
    }

    /// With more about it.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }
}
