//! How the jobs that run by themselves stand, for people who look after the broker.

use serde::{Deserialize, Serialize};

use crate::ambient::Timestamp;

/// A job's own account of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobState {
    /// Which job, such as `daily_check:apple:ABCDE12345`.
    pub name: String,
    /// How it stands.
    pub condition: JobCondition,
    /// Since when it stands so.
    pub since: Timestamp,
    /// When it last looked for work.
    pub last_run_at: Option<Timestamp>,
    /// When it last did what it is there for.
    pub last_ok_at: Option<Timestamp>,
    /// When it tries again, while it is held up.
    pub resume_at: Option<Timestamp>,
    /// How many attempts running have failed.
    pub failures: i32,
    /// Why it is held up, and the remedy if there is one.
    pub detail: Option<String>,
}

/// Whether a job does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobCondition {
    /// It does.
    Running,
    /// It waits for somebody else to be well again, and will go on by itself.
    Paused,
    /// The operator must act; from time to time it tries whether they have.
    Stopped,
    /// The operator holds it; it goes on when they say so.
    Held,
}

impl JobState {
    /// A job that has not run yet.
    pub fn new(name: String, now: Timestamp) -> Self {
        Self {
            name,
            condition: JobCondition::Running,
            since: now,
            last_run_at: None,
            last_ok_at: None,
            resume_at: None,
            failures: 0,
            detail: None,
        }
    }
}

impl JobCondition {
    /// The word it is stored and shown as.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Held => "held",
        }
    }
}
