//! What is wrong with redirect URIs, while they are typed. The page works without: saving asks the
//! same rules.

use actix_web::http::header;
use actix_web::{Error, HttpRequest, HttpResponse};
use serde_json::json;

use super::Console;
use super::form::{lines, query};
use crate::op::admin::redirect_uri_rules::{redirect_uri_hint, redirect_uri_problem};
use crate::protocol::client::ClientKind;

/// One sentence for each line that has a problem or deserves a second look.
pub(super) async fn check(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let kind = query(&request, "kind").unwrap_or_default();
    let kind = ClientKind::ALL.into_iter().find(|each| each.as_str() == kind);
    let kind = kind.ok_or_else(|| console.refuse(crate::op::admin::AdminError::NotFound))?;
    let uris = lines(&query(&request, "uris").unwrap_or_default());
    let problems: Vec<_> = uris.iter().filter_map(|uri| redirect_uri_problem(kind, uri)).collect();
    let hints: Vec<_> = uris.iter().filter_map(|uri| redirect_uri_hint(uri)).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "problems": problems, "hints": hints })))
}
