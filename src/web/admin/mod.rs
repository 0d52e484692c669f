//! The console: `/admin`.

use actix_web::web;

/// The console's routes.
pub fn routes(_config: &mut web::ServiceConfig) {}
