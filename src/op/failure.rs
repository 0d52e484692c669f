//! Why an act did not happen.

use super::admin::passwords::PasswordFault;
use crate::protocol::error::Refusal;
use crate::protocol::jose::JoseError;
use crate::protocol::secret::SealError;
use crate::store::StoreFault;
use crate::upstream::UpstreamError;

/// Our own failure. Logged, never shown.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database failed.
    #[error("store: {0}")]
    Store(#[from] StoreFault),
    /// A key or token could not be made.
    #[error("signing: {0}")]
    Jose(#[from] JoseError),
    /// A sealed value did not open.
    #[error("sealing: {0}")]
    Seal(#[from] SealError),
    /// A parked or stored value has a shape this version does not know.
    #[error("stored value: {0}")]
    Shape(#[from] serde_json::Error),
    /// A password could not be compared.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The signing keys are not there (yet).
    #[error("the signing keys are not ready")]
    KeysNotReady,
}

impl Fault {
    /// Whether trying again may help.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Store(fault) => {
                matches!(fault, StoreFault::Busy(_) | StoreFault::Unavailable(_))
            }
            Self::KeysNotReady => true,
            Self::Jose(_) | Self::Seal(_) | Self::Shape(_) | Self::Password(_) => false,
        }
    }
}

/// Why an act did not happen: the protocol's no, or our own failure.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The caller is told why.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The caller is told that we failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

macro_rules! failure_from {
    ($($cause:ty),*) => { $(
        impl From<$cause> for Failure {
            fn from(cause: $cause) -> Self {
                Self::Fault(cause.into())
            }
        }
    )* };
}
failure_from!(StoreFault, JoseError, SealError, serde_json::Error);

impl From<UpstreamError> for Failure {
    /// Upstream trouble, sorted once: the person cancelled, the proof is bad, the upstream is
    /// unwell, or the operator must act. Only the log learns which proof failed and how.
    fn from(error: UpstreamError) -> Self {
        let detail = error.to_string();
        Self::Refused(
            match error {
                UpstreamError::Cancelled => Refusal::access_denied("the sign-in was cancelled"),
                UpstreamError::Rejected { reason, .. } => {
                    Refusal::access_denied(format!("the sign-in was not accepted: {reason}"))
                }
                UpstreamError::Unavailable(_) => Refusal::temporarily_unavailable(
                    "the identity provider does not answer; try again",
                ),
                UpstreamError::Misconfigured(_) => {
                    Refusal::server_error("the connection to the identity provider needs mending")
                }
            }
            .detail(detail),
        )
    }
}
