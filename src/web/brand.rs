//! What an installation's or a client's look consists of, from this very origin: style sheets that
//! are named by their colours, and pictures that are named by their content. Kept for ever.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::{Brand, Link};
use super::words::Words;
use super::{App, html};
use crate::op::branding::ClientLook;
use crate::protocol::branding::{Branding, stylesheet};

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What pages of this look need. A client's picture stands beside the installation's name.
pub(super) fn brand(base: &str, of: &Branding, client: Option<&ClientLook>, words: Words) -> Brand {
    let look = client.map_or_else(|| of.clone(), |client| client.branding.over(of));
    let link = |key: &str, url: &Option<String>| {
        url.as_ref().map(|url| Link { label: words.get(key), url: url.clone() })
    };
    let links = [
        link("link-support", &look.support_uri),
        link("link-policy", &look.policy_uri),
        link("link-terms", &look.tos_uri),
    ];
    Brand {
        name: look.name.clone(),
        logo: look.logo.as_ref().map(|id| format!("{base}/brand/pictures/{id}")),
        stylesheet: look.style_name().map(|name| format!("{base}/brand/{name}.css")),
        links: links.into_iter().flatten().collect(),
    }
}

/// The routes, relative to the issuer's path.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/brand/pictures/{id}").route(web::get().to(picture)))
        .service(web::resource("/brand/{name}.css").route(web::get().to(style)));
}

async fn style(name: web::Path<String>) -> HttpResponse {
    match stylesheet(&name) {
        None => HttpResponse::NotFound().finish(),
        Some(css) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, FOR_EVER))
            .content_type("text/css; charset=utf-8")
            .body(css),
    }
}

/// An SVG that is opened by itself runs nothing: the policy allows no script, and puts it nowhere.
async fn picture(app: web::Data<App>, request: HttpRequest, id: web::Path<String>) -> HttpResponse {
    match app.provider.picture(&id).await {
        Err(fault) => html::error(&app, &request, fault.into()),
        Ok(None) => HttpResponse::NotFound().finish(),
        Ok(Some(picture)) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, FOR_EVER))
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
            ))
            .content_type(picture.content_type)
            .body(picture.content),
    }
}
