//! Less than was granted — RFC 6749 §6, RFC 8707 §2.2.

use super::super::{Failure, Provider};
use crate::protocol::api::Api;
use crate::protocol::grant::GrantTerms;
use crate::protocol::scope::{self, Access};

impl Provider {
    /// What a token is for: what was granted, or the part of it that is asked for. A token for one
    /// API holds no scope of another.
    ///
    /// # Errors
    /// `invalid_scope` or `invalid_target` when more is asked for than was granted.
    pub(super) async fn narrowed(
        &self,
        granted: &GrantTerms,
        scope: Option<&str>,
        resources: &[String],
    ) -> Result<Access, Failure> {
        let access = scope::narrow(&granted.scope, &granted.resources, scope, resources)?;
        if resources.is_empty() {
            return Ok(access);
        }
        let apis = self.apis(&granted.resources).await?;
        let apis: Vec<&Api> = apis.iter().map(AsRef::as_ref).collect();
        Ok(scope::of_chosen(access, &apis))
    }
}
