//! stub
use actix_web::web;
pub fn routes(_c: &mut web::ServiceConfig) {}
