//! What is wrong with redirect URIs, while they are typed. The page works without: saving asks the
//! same rules.

use actix_web::http::header;
use actix_web::{Error, HttpRequest, HttpResponse};
use serde_json::json;

use super::Console;
use super::form::{lines, query};
use crate::op::admin::redirect_uri_rules::redirect_uri_problem;
use crate::protocol::client::ClientKind;

/// One sentence for each line that has a problem or deserves a second look.
pub(super) async fn check(console: Console, request: HttpRequest) -> Result<HttpResponse, Error> {
    let kind = query(&request, "kind").unwrap_or_default();
    let kind = ClientKind::ALL.into_iter().find(|each| each.as_str() == kind);
    let kind = kind.ok_or_else(|| console.refuse(crate::op::admin::AdminError::NotFound))?;
    let uris = lines(&query(&request, "uris").unwrap_or_default());
    let problems: Vec<_> = uris.iter().filter_map(|uri| redirect_uri_problem(kind, uri)).collect();
    let hints: Vec<_> = uris.iter().filter_map(|uri| hint(uri)).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "problems": problems, "hints": hints })))
}

/// What is allowed and often not meant.
fn hint(uri: &str) -> Option<String> {
    let url = url::Url::parse(uri).ok()?;
    let host = url.host_str().unwrap_or_default();
    if host.split('.').any(|label| label.starts_with("xn--")) {
        Some(format!("{uri:?} has letters beyond a to z in its host: make sure that it is yours"))
    } else if url.path() == "/" && !uri.ends_with('/') {
        Some(format!("{uri:?} has no path: it is compared exactly, with no / at its end"))
    } else if url.scheme() == "http" {
        Some(format!("{uri:?} works on the machine of the person alone"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_and_often_not_meant_is_pointed_out() {
        assert!(hint("https://xn--80ak6aa92e.com/cb").is_some_and(|hint| hint.contains("yours")));
        assert!(hint("https://app.example").is_some_and(|hint| hint.contains("no path")));
        assert!(hint("http://127.0.0.1/cb").is_some_and(|hint| hint.contains("machine")));
        for fine in ["https://app.example/cb", "com.example.app:/callback", "no uri"] {
            assert_eq!(hint(fine), None, "{fine}");
        }
    }
}
