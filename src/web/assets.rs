//! Static files, under names that hold their content's hash: kept by browsers for ever (RFC 8246).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;

use super::reply::is_known;

/// Everything under `static/`. The simulator's and the demo's folders are theirs to serve.
#[derive(RustEmbed)]
#[folder = "static/"]
struct Embedded;

struct Asset {
    hash: String,
    content_type: String,
    content: web::Bytes,
}

static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    Embedded::iter()
        .filter(|name| !name.contains('/'))
        .filter_map(|name| {
            let file = Embedded::get(&name)?;
            let asset = Asset {
                hash: short_hash(file.metadata.sha256_hash()),
                content_type: content_type(file.metadata.mimetype()),
                content: web::Bytes::from(file.data.into_owned()),
            };
            Some((name.into_owned(), asset))
        })
        .collect()
});

/// Sixteen hexadecimal digits of a SHA-256: enough to tell versions of one file apart.
fn short_hash(sha256: [u8; 32]) -> String {
    let mut hash = String::with_capacity(16);
    for byte in sha256.iter().take(8) {
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

fn content_type(mime: &str) -> String {
    if mime.starts_with("text/") { format!("{mime}; charset=utf-8") } else { mime.to_owned() }
}

/// The address of a static file below the issuer's path `base`. A file that does not exist gets
/// an address that answers 404.
pub fn url(base: &str, name: &str) -> String {
    let hash = ASSETS.get(name).map_or("missing", |asset| asset.hash.as_str());
    format!("{base}/static/{hash}/{name}")
}

/// The routes, relative to the issuer's path.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/static/{hash}/{name}")
            .route(web::get().to(serve))
            .route(web::head().to(serve)),
    );
}

async fn serve(request: HttpRequest, path: web::Path<(String, String)>) -> HttpResponse {
    let (hash, name) = path.into_inner();
    // Under another version's hash the content would be kept for ever in that version's place.
    let Some(asset) = ASSETS.get(&name).filter(|asset| asset.hash == hash) else {
        return HttpResponse::NotFound().finish();
    };
    let tag = format!("\"{}\"", asset.hash);
    let unchanged = is_known(&request, &tag);
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::ETAG, tag));
    if unchanged {
        return response.finish();
    }
    response.content_type(asset.content_type.as_str()).body(asset.content.clone())
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::{App, test as web_test};

    use super::*;

    async fn answer(path: &str, known: Option<&str>) -> (StatusCode, header::HeaderMap, usize) {
        let app = web_test::init_service(App::new().configure(routes)).await;
        let mut request = web_test::TestRequest::get().uri(path);
        if let Some(tag) = known {
            request = request.insert_header((header::IF_NONE_MATCH, tag));
        }
        let response = web_test::call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, web_test::read_body(response).await.len())
    }

    #[actix_web::test]
    async fn a_file_is_kept_for_ever_under_its_hash() {
        for (name, mime) in [
            ("russet.css", "text/css; charset=utf-8"),
            ("russet.js", "text/javascript; charset=utf-8"),
            ("mark.svg", "image/svg+xml"),
        ] {
            let (status, headers, length) = answer(&url("", name), None).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(headers.get(header::CONTENT_TYPE).unwrap(), mime);
            assert_eq!(
                headers.get(header::CACHE_CONTROL).unwrap(),
                "public, max-age=31536000, immutable"
            );
            assert!(length > 0);
        }
    }

    #[actix_web::test]
    async fn a_browser_that_has_it_is_not_sent_it_again() {
        let address = url("", "russet.css");
        let (_, headers, _) = answer(&address, None).await;
        let tag = headers.get(header::ETAG).unwrap().to_str().unwrap();
        let (status, _, length) = answer(&address, Some(tag)).await;
        assert_eq!((status, length), (StatusCode::NOT_MODIFIED, 0));
        let (status, _, _) = answer(&address, Some("\"other\"")).await;
        assert_eq!(status, StatusCode::OK);
    }

    #[actix_web::test]
    async fn another_hash_or_name_or_folder_is_not_found() {
        let address = url("", "russet.css");
        for path in [
            address.replace("/static/", "/static/0"),
            address.replace(".css", ".txt"),
            "/static/missing/nothing.css".to_owned(),
            address.replace("russet.css", "..%2f..%2fCargo.toml"),
            address.replace("russet.css", "demo%2fdemo.css"),
        ] {
            assert_eq!(answer(&path, None).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn an_address_begins_with_the_issuers_path() {
        let address = url("/tenant", "russet.css");
        assert!(address.starts_with("/tenant/static/") && address.ends_with("/russet.css"));
    }
}
