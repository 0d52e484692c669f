//! What an installation's or a client's look consists of, from this very origin: style sheets that
//! are named by their colours, and pictures that are named by their content. Kept for ever.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::interaction::{ChoosePage, ConnectionButton, PasswordForm};
use super::page::{Brand, Frame, Link};
use super::words::Words;
use super::{App, html};
use crate::op::branding::ClientLook;
use crate::protocol::branding::{Branding, stylesheet};
use crate::protocol::connection::ConnectionKind;
use crate::protocol::id::ClientId;
use crate::protocol::params::Params;
use crate::store::pictures::Picture;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

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
        client_logo: None,
        stylesheet: look.style_name().map(|name| format!("{base}/brand/{name}.css")),
        links: links.into_iter().flatten().collect(),
    }
}

/// For whom people sign in on the page that shows how the installation will look.
pub(super) const EXAMPLE: &str = "Example app";

/// A sign-in page that leads nowhere, as it will look; its links begin with `base`.
pub(super) fn sample(
    app: &App,
    base: &str,
    of: &Branding,
    client: Option<&ClientLook>,
    client_name: &str,
) -> ChoosePage {
    let tag = of.default_locale.as_deref().unwrap_or_default();
    let words = Words::tagged(tag).unwrap_or_default();
    let mut brand = brand(base, of, client, words);
    brand.links.push(Link {
        label: "This is how it will look; nothing on it does anything.".to_owned(),
        url: "#main".to_owned(),
    });
    let connectors = app.provider.connectors();
    ChoosePage {
        frame: Frame { base: base.to_owned(), words, brand },
        interaction: "preview".to_owned(),
        client_name: client_name.to_owned(),
        away: Vec::new(),
        connections: connectors
            .iter()
            .map(|connector| ConnectionButton {
                id: connector.id().to_string(),
                name: connector.display_name().to_owned(),
                apple: connector.kind() == ConnectionKind::Apple,
            })
            .collect(),
        signed_in_as: None,
        links: Vec::new(),
        password_form: app
            .provider
            .offers_local_accounts()
            .then(|| PasswordForm { username: String::new(), problem: None }),
        csrf: None,
    }
}

/// The routes, relative to the issuer's path.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/brand/pictures/{id}").route(web::get().to(picture)))
        .service(web::resource("/brand/logo").route(web::get().to(client_logo)))
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
        Ok(Some(picture)) => shown(&picture, FOR_EVER),
    }
}

/// The picture that a client registered, if it gives one.
async fn client_logo(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let params = Params::parse(request.query_string().as_bytes()).unwrap_or_default();
    let id = ClientId::new(params.one("client_id").ok().flatten().unwrap_or_default());
    match app.provider.client_logo(&id).await {
        Err(failure) => html::error(&app, &request, failure),
        Ok(None) => HttpResponse::NotFound().finish(),
        Ok(Some(picture)) => shown(&picture, FOR_AN_HOUR),
    }
}

fn shown(picture: &Picture, kept: HeaderValue) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, kept))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
        ))
        .content_type(picture.content_type.clone())
        .body(picture.content.clone())
}

/// Where the picture is that a client registered, if it is at hand; if not, it is fetched for
/// whoever comes next.
pub(super) fn registered_logo(app: &App, client: &ClientLook) -> Option<String> {
    let uri = client.logo_uri.as_deref()?;
    let at_hand = app.provider.logo_at_hand(uri);
    if at_hand.stale {
        let (provider, uri) = (Arc::clone(&app.provider), uri.to_owned());
        actix_web::rt::spawn(async move { provider.fetch_logo(&uri).await });
    }
    let picture = at_hand.picture?;
    // The content is named too: a new picture is not hidden by an old one that a browser keeps.
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client.client_id)
        .append_pair("of", &picture.id)
        .finish();
    Some(format!("{}/brand/logo?{query}", app.base))
}
