//! The front door: routes, and what every handler shares.
//!
//! A handler parses, acts and replies. Rules live in `protocol`, acts in `op`.

pub mod account;
pub mod admin;
pub mod api;
pub mod assets;
mod audit_export;
mod brand;
pub mod check_session;
pub mod cookies;
pub mod cors;
pub mod deletion;
pub mod device;
pub mod endpoints;
pub mod fetchers;
pub mod html;
pub mod interaction;
pub mod limits;
mod linking;
pub mod local;
pub mod logout;
pub mod metrics;
pub mod mutual_tls;
pub mod notifications;
pub mod page;
mod prove;
mod qr;
pub mod quickstart;
pub mod registration;
pub mod reply;
pub mod request;
mod second_factor;
mod trial;
pub mod upstream;
mod user_agent;
pub mod words;

use std::sync::Arc;

use actix_web::http::header::{self, HeaderName};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use url::Url;

use crate::op::admin::Administration;
use crate::op::interaction::Browser;
use crate::op::keys::etag;
use crate::op::{Failure, Provider};
use crate::protocol::error::ErrorCode;
use crate::protocol::metadata::{Metadata, path};
use crate::protocol::secret::SecretString;

use cookies::{Cookies, Jar};
use limits::Limits;
use local::Guesses;
use metrics::Metrics;

/// No endpoint reads a longer body.
pub const MAX_BODY: usize = 64 * 1024;

/// What handlers share.
pub struct App {
    /// The acts of the OpenID Provider.
    pub provider: Arc<Provider>,
    /// The acts of administrators.
    pub administration: Administration,
    /// How cookies are named and marked.
    pub cookies: Cookies,
    /// The path part of the issuer, without trailing slash; every link begins with it.
    pub base: String,
    /// Who may try how often.
    pub limits: Limits,
    /// Failed guesses at local accounts.
    pub guesses: Guesses,
    /// Who fetched the signing keys.
    pub jwks_fetchers: fetchers::Fetchers,
    /// `apple-developer-domain-association.txt`, when configured.
    pub domain_association: Option<String>,
    /// What is counted, where somebody listens.
    pub metrics: Option<Metrics>,
    /// Where a trusted proxy writes the client's certificate.
    pub certificate_header: Option<HeaderName>,
    metadata: Bytes,
    metadata_etag: String,
}

impl App {
    /// Puts together what handlers share; the discovery document is rendered here, once.
    pub fn new(
        provider: Arc<Provider>,
        administration: Administration,
        limits: Limits,
        domain_association: Option<String>,
        metrics: Option<Metrics>,
        certificate_header: Option<HeaderName>,
    ) -> Self {
        let issuer = provider.issuer();
        let metadata = Metadata::of(issuer, &provider.offered()).with_clients_by_themselves(
            provider.registration_mode() != crate::op::registration::RegistrationMode::Off,
            provider.takes_metadata_documents(),
        );
        let metadata = serde_json::to_vec(&metadata).unwrap_or_default();
        let base = Url::parse(issuer)
            .map(|url| url.path().trim_end_matches('/').to_owned())
            .unwrap_or_default();
        Self {
            cookies: Cookies::of_issuer(issuer),
            base,
            guesses: Guesses::new(limits.enabled()),
            limits,
            jwks_fetchers: fetchers::Fetchers::default(),
            domain_association,
            metrics,
            certificate_header,
            metadata_etag: etag(&metadata),
            metadata: metadata.into(),
            administration,
            provider,
        }
    }

    /// The browser behind a request.
    pub fn browser(&self, request: &HttpRequest) -> Browser {
        let browser = self.provider.browser(
            self.cookies.read(request, Jar::Binding).as_deref(),
            self.cookies.read(request, Jar::Session).as_deref(),
        );
        let said = request.headers().get(header::USER_AGENT).and_then(|said| said.to_str().ok());
        browser.under(request::id(request)).called(said.map(user_agent::kept))
    }

    /// Gives a browser its session, and what the check session iframe reads of it.
    pub fn open_session(
        &self,
        response: &mut HttpResponse,
        session: &SecretString,
        life: std::time::Duration,
    ) {
        let state = self.provider.browser_state(session);
        for cookie in [
            self.cookies.make(Jar::Session, session.expose().clone(), Some(life)),
            self.cookies.make(Jar::State, state, Some(life)),
        ] {
            if let Err(error) = response.add_cookie(&cookie) {
                tracing::error!(%error, "a session cookie could not be set");
            }
        }
    }

    /// Takes a browser's session away.
    pub fn close_session(&self, response: &mut HttpResponse) {
        for jar in [Jar::Session, Jar::State] {
            if let Err(error) = response.add_cookie(&self.cookies.remove(jar)) {
                tracing::error!(%error, "a session cookie could not be removed");
            }
        }
    }

    /// The error answer of an endpoint that proves clients; who fails too often must wait.
    pub fn limited(
        &self,
        request: &HttpRequest,
        failure: Failure,
        basic_was_used: bool,
    ) -> HttpResponse {
        let failed_proof = matches!(
            &failure,
            Failure::Refused(refusal) if refusal.code == ErrorCode::InvalidClient
        );
        if failed_proof && !self.limits.may_fail(request) {
            return reply::no_store(HttpResponse::TooManyRequests())
                .insert_header((header::RETRY_AFTER, "60"))
                .json(serde_json::json!({
                    "error": "invalid_client",
                    "error_description": "too many failed attempts; wait a minute",
                }));
        }
        reply::oauth_error(failure, basic_was_used)
    }
}

/// A document that everybody may read, scripts of other sites too.
///
/// It stands at one path: the router compares one with a text, and tries several of a resource with
/// automata, for every request that comes by.
fn public<F, A>(path: String, document: F) -> actix_web::Resource
where
    F: actix_web::Handler<A, Output: actix_web::Responder + 'static> + Copy,
    A: actix_web::FromRequest + 'static,
{
    web::resource(path)
        .route(web::get().to(document))
        .route(web::head().to(document))
        .route(web::method(actix_web::http::Method::OPTIONS).to(cors::preflight_of_public))
}

/// Every route, under the issuer's path.
pub fn routes(config: &mut web::ServiceConfig, base: &str) {
    // Public documents, the same for everybody, need neither an id nor a span.
    // RFC 8414 §3.1 puts the well-known part before the issuer's path, OIDC Discovery §4 after it.
    for kind in ["openid-configuration", "oauth-authorization-server"] {
        config.service(public(format!("{base}/.well-known/{kind}"), endpoints::metadata));
        if !base.is_empty() {
            config.service(public(format!("/.well-known/{kind}{base}"), endpoints::metadata));
        }
    }
    // RFC 9728 §3.1 puts the well-known part before the resource's path.
    let resource = format!("/.well-known/oauth-protected-resource{base}{}", path::USERINFO);
    config
        .service(public(format!("{base}{}", path::JWKS), endpoints::jwks))
        .service(public(resource, registration::protected_resource));
    config.service(
        web::scope(base)
            .wrap(from_fn(request::in_our_words))
            .wrap(from_fn(request::without_nul))
            .wrap(from_fn(request::envelope))
            .service(
                web::resource(path::TOKEN)
                    .route(web::post().to(endpoints::token))
                    .route(web::method(actix_web::http::Method::OPTIONS).to(cors::preflight)),
            )
            .service(
                web::resource(path::USERINFO)
                    .route(web::get().to(endpoints::userinfo))
                    .route(web::post().to(endpoints::userinfo))
                    .route(web::method(actix_web::http::Method::OPTIONS).to(cors::preflight)),
            )
            .service(
                web::resource(path::INTROSPECTION).route(web::post().to(endpoints::introspect)),
            )
            .service(
                web::resource(path::REVOCATION)
                    .route(web::post().to(endpoints::revoke))
                    .route(web::method(actix_web::http::Method::OPTIONS).to(cors::preflight)),
            )
            .service(
                web::resource(path::PUSHED_AUTHORIZATION_REQUEST)
                    .route(web::post().to(endpoints::push))
                    .route(web::method(actix_web::http::Method::OPTIONS).to(cors::preflight)),
            )
            .service(
                web::resource(path::AUTHORIZATION)
                    .route(web::get().to(interaction::authorize))
                    .route(web::post().to(interaction::authorize)),
            )
            .service(
                web::resource(path::REGISTRATION).route(web::post().to(registration::register)),
            )
            .service(
                web::resource(format!("{}/{{client_id}}", path::REGISTRATION))
                    .route(web::get().to(registration::show))
                    .route(web::put().to(registration::update))
                    .route(web::delete().to(registration::delete)),
            )
            .service(
                web::resource(path::DEVICE_AUTHORIZATION)
                    .route(web::post().to(endpoints::device_authorization)),
            )
            .service(
                web::resource(path::DEVICE)
                    .route(web::get().to(device::show))
                    .route(web::post().to(device::enter)),
            )
            .service(web::resource("/device/done").route(web::get().to(device::done)))
            .service(web::resource("/interaction/{id}").route(web::get().to(interaction::advance)))
            .service(
                web::resource("/interaction/{id}/consent")
                    .route(web::post().to(interaction::consent)),
            )
            .service(
                web::resource("/interaction/{id}/cancel")
                    .route(web::post().to(interaction::cancel)),
            )
            .service(
                web::resource("/interaction/{id}/depart/{connection}")
                    .route(web::post().to(interaction::depart)),
            )
            .service(web::resource("/interaction/{id}/local").route(web::post().to(local::sign_in)))
            .service(
                web::resource("/upstream/apple/challenge")
                    .route(web::post().to(endpoints::native_challenge)),
            )
            .service(
                web::resource("/upstream/{connection}/callback")
                    .route(web::get().to(upstream::callback))
                    .route(web::post().to(upstream::callback)),
            )
            .service(
                web::resource("/upstream/{connection}/notifications")
                    .app_data(web::PayloadConfig::new(notifications::MAX_BODY))
                    .route(web::post().to(notifications::receive)),
            )
            .service(
                web::resource("/upstream/{connection}/backchannel_logout")
                    .route(web::post().to(upstream::backchannel_logout)),
            )
            .service(
                web::resource(path::END_SESSION)
                    .route(web::get().to(logout::end_session))
                    .route(web::post().to(logout::end_session)),
            )
            .service(
                web::resource(path::CHECK_SESSION)
                    .route(web::get().to(check_session::check_session)),
            )
            .configure(account::routes)
            .configure(prove::routes)
            .configure(second_factor::routes)
            .configure(trial::routes)
            .service(web::resource("/account/identities").route(web::get().to(linking::show)))
            .service(web::resource("/account/identities/add").route(web::post().to(linking::add)))
            .service(
                web::resource("/account/identities/remove").route(web::post().to(linking::remove)),
            )
            .service(
                web::resource("/account/delete")
                    .route(web::get().to(deletion::ask))
                    .route(web::post().to(deletion::begin)),
            )
            .service(
                web::resource("/account/deletions/{id}").route(web::get().to(deletion::receipt)),
            )
            .service(
                web::resource(path::ACCOUNT_ME)
                    .route(web::delete().to(deletion::by_token))
                    .route(web::method(actix_web::http::Method::OPTIONS).to(cors::preflight)),
            )
            .service(
                web::resource("/account/sign-out-everywhere")
                    .route(web::post().to(deletion::sign_out_everywhere)),
            )
            .service(
                web::resource("/.well-known/apple-developer-domain-association.txt")
                    .route(web::get().to(upstream::domain_association)),
            )
            .service(web::resource("/healthz").route(web::get().to(endpoints::healthz)))
            .service(web::resource("/readyz").route(web::get().to(endpoints::readyz)))
            .configure(assets::routes)
            .configure(brand::routes)
            .configure(api::routes)
            .configure(admin::routes)
            .default_service(web::to(html::not_found)),
    );
}
