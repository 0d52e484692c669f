//! Why a command did not do what it should, and the exit code that says so.

use std::io::Write as _;
use std::process::ExitCode;

use crate::broker::StartError;
use crate::config::ConfigProblems;
use crate::op::admin::{AdminError, FieldProblem};
use crate::op::{Failure, Fault};
use crate::store::StoreFault;

/// The exit code for an unusable configuration (`EX_CONFIG` of sysexits.h).
const UNUSABLE_CONFIGURATION: u8 = 78;

/// A command's failure.
#[derive(Debug)]
pub(super) enum CliError {
    /// Exit 78.
    Config(String),
    /// Exit 1.
    Failed(String),
    /// Exit 1: what was named is not there.
    Missing,
}

impl CliError {
    pub(super) fn failed(cause: impl std::fmt::Display) -> Self {
        Self::Failed(cause.to_string())
    }

    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => UNUSABLE_CONFIGURATION,
            Self::Failed(_) | Self::Missing => 1,
        }
    }

    /// Says what it was that is not there, and where its name is found.
    pub(super) fn or_missing(self, missing: &str) -> Self {
        match self {
            Self::Missing => Self::failed(missing),
            Self::Config(_) | Self::Failed(_) => self,
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Self::Config(message) | Self::Failed(message) => message.clone(),
            Self::Missing => AdminError::NotFound.to_string(),
        }
    }

    pub(super) fn report(&self) -> ExitCode {
        for line in self.message().lines() {
            let _ = writeln!(std::io::stderr().lock(), "russet: {line}");
        }
        ExitCode::from(self.exit_code())
    }
}

impl From<ConfigProblems> for CliError {
    fn from(problems: ConfigProblems) -> Self {
        Self::Config(problems.to_string())
    }
}

impl From<StoreFault> for CliError {
    fn from(fault: StoreFault) -> Self {
        match fault {
            StoreFault::Unavailable(_) => {
                Self::Failed(format!("database: {fault}; see database.url"))
            }
            StoreFault::Conflict(_)
            | StoreFault::Orphan(_)
            | StoreFault::Busy(_)
            | StoreFault::BadUrl(_)
            | StoreFault::NewerSchema { .. }
            | StoreFault::Corrupt(_)
            | StoreFault::Interrupted
            | StoreFault::Other(_) => Self::Failed(format!("database: {fault}")),
        }
    }
}

impl From<Fault> for CliError {
    fn from(fault: Fault) -> Self {
        Self::failed(fault)
    }
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Failed(refusal.description),
            Failure::Fault(fault) => fault.into(),
        }
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(_) | StartError::Connection { .. } | StartError::MutualTls(_) => {
                Self::Config(error.to_string())
            }
            StartError::Store(StoreFault::BadUrl(_)) => Self::Config(error.to_string()),
            StartError::Fault(Fault::Seal(_)) => Self::Config(format!(
                "secrets.master_key_file: this is not the master key of this database ({error}); \
                 name the one it was made with, or the old one in secrets.previous_master_key_file"
            )),
            StartError::Store(fault) => fault.into(),
            StartError::Fault(_)
            | StartError::Password(_)
            | StartError::Pending { .. }
            | StartError::Listen { .. } => Self::Failed(error.to_string()),
        }
    }
}

impl From<AdminError> for CliError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Invalid(problems) => {
                let lines: Vec<_> = problems.iter().map(as_flag).collect();
                Self::Failed(lines.join("\n"))
            }
            AdminError::Store(fault) => fault.into(),
            AdminError::NotFound => Self::Missing,
            AdminError::Forbidden { .. }
            | AdminError::Conflict
            | AdminError::Password(_)
            | AdminError::Seal(_) => Self::failed(error),
        }
    }
}

/// A field's problem under the name of the flag that sets it.
fn as_flag(problem: &FieldProblem) -> String {
    let name = match problem.field {
        "redirect_uris" => "redirect_uri",
        "post_logout_redirect_uris" => "post_logout_redirect_uri",
        "grant_types" => "grant_type",
        "apple_bundle_ids" => "apple_bundle_id",
        "resources" => "resource",
        "scopes" => "scope",
        "password" => "password_stdin",
        other => other,
    };
    format!("--{}: {}", name.replace('_', "-"), problem.message)
}
