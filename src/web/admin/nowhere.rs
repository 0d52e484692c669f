//! Addresses under `/admin` at which there is nothing. Whoever is not signed in is asked to sign in
//! first, as everywhere else here, and so is told of none which there are.

use actix_web::{Error, HttpResponse};

use super::{Console, Posted};
use crate::op::admin::AdminError;

/// A page.
pub(super) async fn page(console: Console) -> Result<HttpResponse, Error> {
    Err(console.refuse(AdminError::NotFound))
}

/// A form.
pub(super) async fn form(posted: Posted) -> Result<HttpResponse, Error> {
    Err(posted.console.refuse(AdminError::NotFound))
}
