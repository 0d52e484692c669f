//! A web app that signs people in with Russet and shows what it got: the first thing a newcomer
//! sees.

mod json;
mod metadata;
mod page;
mod relying_party;
mod visit;

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template as _;
use url::Url;

use self::page::{Home, Places, SpaCallback, Welcome};
use self::relying_party::{AuthorizationResponse, RelyingParty, Trouble};
use self::visit::{Notice, SignedIn, Step, Visits};
use super::outbound::{Outbound, Recorder};
use super::server::{self, Running};
use crate::protocol::ambient::{Clock, Entropy};
use crate::protocol::secret::SecretString;

/// Cookies know no ports, so the name must not be one of the broker's.
const COOKIE: &str = "russet_demo_app";

/// What the demo app needs to know.
#[derive(Clone)]
pub struct Settings {
    /// A loopback address; port 0 is of no use, since the redirect URI is registered.
    pub listen: SocketAddr,
    /// Where browsers find the app, without a trailing slash: `http://127.0.0.1:8082`.
    pub url: String,
    /// Where people sign in; everything else is found by discovery.
    pub issuer: String,
    /// The app's registration.
    pub client_id: String,
    /// Its secret, for `client_secret_basic`.
    pub client_secret: SecretString,
    /// Where the demo API answers, without a trailing slash.
    pub api_url: String,
    /// The API's resource identifier (RFC 8707).
    pub api_identifier: String,
    /// The API's scopes that the app asks for.
    pub api_scopes: Vec<String>,
    /// The simulated Apple, for the link on the page.
    pub apple_url: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where cookies, `state`, `nonce` and `code_verifier` come from.
    pub entropy: Arc<dyn Entropy>,
}

impl Settings {
    fn redirect_uri(&self) -> String {
        format!("{}/callback", self.url)
    }

    fn home(&self) -> String {
        format!("{}/", self.url)
    }

    /// Who may stand in the chain of redirects that follows the sign-in form.
    fn form_action(&self) -> Vec<String> {
        [&self.issuer, &self.apple_url]
            .into_iter()
            .filter_map(|url| Url::parse(url).ok())
            .map(|url| url.origin().ascii_serialization())
            .collect()
    }
}

struct DemoApp {
    party: RelyingParty,
    visits: Visits,
}

/// Starts the demo app.
///
/// # Errors
/// When the address is taken or not on loopback.
pub fn start(settings: Settings) -> std::io::Result<Running> {
    let outbound = Outbound::new().map_err(std::io::Error::other)?;
    let listen = settings.listen;
    let app = web::Data::new(DemoApp {
        party: RelyingParty::new(settings, outbound),
        visits: Visits::default(),
    });
    server::start(listen, move |routes| {
        routes
            .app_data(app.clone())
            .route("/", web::get().to(home))
            .route("/sign-in", web::post().to(sign_in))
            .route("/callback", web::get().to(callback))
            .route("/spa/callback", web::get().to(spa_callback))
            .route("/sign-out", web::post().to(sign_out))
            .route("/{action}", web::post().to(act));
    })
}

fn cookie_of(request: &HttpRequest) -> String {
    request.cookie(COOKIE).map(|cookie| cookie.value().to_owned()).unwrap_or_default()
}

fn back_home(place: &str, cookie: Option<&str>) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    response
        .insert_header((header::LOCATION, place))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(value) = cookie {
        let cookie = Cookie::build(COOKIE, value).path("/").http_only(true);
        response.cookie(cookie.same_site(SameSite::Lax).finish());
    }
    response.finish()
}

/// The broker's pages are the same site on another port, so `Lax` alone does not tell them apart.
fn is_from_this_app(app: &DemoApp, request: &HttpRequest) -> bool {
    let value = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (value("sec-fetch-site"), value("origin")) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => origin == app.party.settings().url,
        (None, None) => true,
    }
}

fn forbidden() -> HttpResponse {
    HttpResponse::build(StatusCode::FORBIDDEN).body("This form was sent from another site.")
}

async fn home(app: web::Data<DemoApp>, request: HttpRequest) -> actix_web::Result<HttpResponse> {
    let settings = app.party.settings();
    // Under another name for this machine the cookie would be lost on the way back.
    let host = request.connection_info().host().to_owned();
    if settings.url != format!("http://{host}") {
        return Ok(back_home(&settings.home(), None));
    }
    let cookie = cookie_of(&request);
    let now = app.party.clock().now();
    if let Some(signed_in) = app.visits.find(&cookie, now) {
        let page = Home::of(settings, signed_in, now);
        return server::page(page.render(), &settings.form_action());
    }
    let page = Welcome { places: Places::of(settings), notice: app.visits.take_notice(&cookie) };
    server::page(page.render(), &settings.form_action())
}

async fn sign_in(app: web::Data<DemoApp>, request: HttpRequest) -> actix_web::Result<HttpResponse> {
    if !is_from_this_app(&app, &request) {
        return Ok(forbidden());
    }
    match app.party.depart().await {
        Ok((url, departure)) => {
            let old = cookie_of(&request);
            let (entropy, now) = (app.party.entropy(), app.party.clock().now());
            let cookie = app.visits.depart(Some(&old), departure, entropy, now);
            Ok(back_home(url.as_str(), Some(&cookie)))
        }
        Err(Trouble(text)) => welcome_with_error(&app, text),
    }
}

fn welcome_with_error(app: &DemoApp, text: String) -> actix_web::Result<HttpResponse> {
    let settings = app.party.settings();
    let notice = Some(Notice { text, is_error: true });
    let page = Welcome { places: Places::of(settings), notice };
    server::page(page.render(), &settings.form_action())
}

async fn callback(
    app: web::Data<DemoApp>,
    request: HttpRequest,
    response: web::Query<AuthorizationResponse>,
) -> actix_web::Result<HttpResponse> {
    let cookie = cookie_of(&request);
    let departure =
        response.state.as_deref().and_then(|state| app.visits.take_departure(&cookie, state));
    let Some(departure) = departure else {
        let text = "This browser did not start that sign-in, or it was finished already.";
        return welcome_with_error(&app, text.to_owned());
    };
    let recorder = app.party.recorder();
    match arrive(&app, departure, response.into_inner(), recorder).await {
        Ok(signed_in) => {
            let (entropy, now) = (app.party.entropy(), app.party.clock().now());
            let cookie = app.visits.sign_in(&cookie, signed_in, entropy, now);
            Ok(back_home("/", Some(&cookie)))
        }
        Err(Trouble(text)) => {
            // A redirect, so that the code does not stay in the address bar.
            app.visits.leave_notice(&cookie, Notice { text, is_error: true });
            Ok(back_home("/", None))
        }
    }
}

async fn arrive(
    app: &DemoApp,
    departure: relying_party::Departure,
    response: AuthorizationResponse,
    recorder: Recorder,
) -> Result<SignedIn, Trouble> {
    let tokens = app.party.arrive(departure, response, &recorder).await?;
    let mut signed_in = SignedIn { tokens, userinfo: None, refreshed: 0, steps: Vec::new() };
    let userinfo = app.party.userinfo(&signed_in.tokens, &recorder).await;
    let ok = userinfo.is_ok();
    let verdict = match userinfo {
        Ok(claims) => {
            signed_in.userinfo = Some(claims);
            "The code was redeemed, and the ID token’s signature, iss, aud, exp, nonce and \
             at_hash are as they should be."
                .to_owned()
        }
        Err(Trouble(text)) => format!("The ID token is good, but {text}."),
    };
    let exchanges = recorder.into_exchanges();
    signed_in.add(Step { title: "Sign in", verdict, ok, exchanges });
    Ok(signed_in)
}

/// What a button does, besides signing in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    CallApi,
    Refresh,
    Userinfo,
    Introspect,
    Revoke,
}

impl Action {
    fn parse(name: &str) -> Option<Self> {
        [Self::CallApi, Self::Refresh, Self::Userinfo, Self::Introspect, Self::Revoke]
            .into_iter()
            .find(|action| action.path() == name)
    }

    const fn path(self) -> &'static str {
        match self {
            Self::CallApi => "call-api",
            Self::Refresh => "refresh",
            Self::Userinfo => "userinfo",
            Self::Introspect => "introspect",
            Self::Revoke => "revoke",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::CallApi => "Call the demo API",
            Self::Refresh => "Refresh",
            Self::Userinfo => "Userinfo",
            Self::Introspect => "Introspect",
            Self::Revoke => "Revoke",
        }
    }
}

async fn act(
    app: web::Data<DemoApp>,
    request: HttpRequest,
    name: web::Path<String>,
) -> HttpResponse {
    let Some(action) = Action::parse(&name) else {
        return HttpResponse::NotFound().body("There is no such page.");
    };
    if !is_from_this_app(&app, &request) {
        return forbidden();
    }
    let cookie = cookie_of(&request);
    let Some(signed_in) = app.visits.find(&cookie, app.party.clock().now()) else {
        return back_home("/", None);
    };
    let recorder = app.party.recorder();
    let outcome = perform(&app, action, &signed_in, &recorder).await;
    let exchanges = recorder.into_exchanges();
    let ok = outcome.is_ok() && exchanges.iter().all(|exchange| exchange.ok);
    let verdict = match &outcome {
        Err(Trouble(text)) => text.clone(),
        Ok(_) if ok => good_news(action, exchanges.last().map_or("", |it| &it.body)).to_owned(),
        Ok(_) => "It was refused.".to_owned(),
    };
    app.visits.change(&cookie, |it| {
        if let Ok(change) = outcome {
            change(it);
        }
        it.add(Step { title: action.title(), verdict, ok, exchanges });
    });
    back_home("/#result", None)
}

type Change = Box<dyn FnOnce(&mut SignedIn)>;

async fn perform(
    app: &DemoApp,
    action: Action,
    signed_in: &SignedIn,
    recorder: &Recorder,
) -> Result<Change, Trouble> {
    let (party, tokens) = (&app.party, &signed_in.tokens);
    match action {
        Action::CallApi => party.call_api(tokens, recorder).await?,
        Action::Introspect => party.introspect(tokens, recorder).await?,
        Action::Revoke => party.revoke(tokens, recorder).await?,
        Action::Userinfo => {
            let claims = party.userinfo(tokens, recorder).await?;
            return Ok(Box::new(|it| it.userinfo = Some(claims)));
        }
        Action::Refresh => {
            let fresh = party.refresh(tokens, recorder).await?;
            return Ok(Box::new(|it| {
                it.tokens = fresh;
                it.refreshed += 1;
            }));
        }
    }
    Ok(Box::new(|_| {}))
}

fn good_news(action: Action, body: &str) -> &'static str {
    match action {
        Action::CallApi => "The API checked the access token against Russet’s public keys.",
        Action::Refresh => "Fresh tokens. The refresh token was replaced as well.",
        Action::Userinfo => "What Russet tells of this person to the bearer of the access token.",
        Action::Introspect if body.contains("\"active\":false") => {
            "The access token is no longer good. An API that only checks signatures takes it \
             until it expires."
        }
        Action::Introspect => "The access token is good, says Russet.",
        Action::Revoke => {
            "Everything this sign-in gave is revoked. Now introspect, refresh, and call the API: \
             the first two notice at once."
        }
    }
}

async fn sign_out(app: web::Data<DemoApp>, request: HttpRequest) -> HttpResponse {
    if !is_from_this_app(&app, &request) {
        return forbidden();
    }
    let notice = Notice { text: "You are signed out.".to_owned(), is_error: false };
    let Some(signed_in) = app.visits.sign_out(&cookie_of(&request), notice) else {
        return back_home("/", None);
    };
    match app.party.logout_url(&signed_in.tokens).await {
        Ok(url) => back_home(url.as_str(), None),
        Err(Trouble(_)) => back_home("/", None),
    }
}

async fn spa_callback(
    app: web::Data<DemoApp>,
    parameters: web::Query<Vec<(String, String)>>,
) -> actix_web::Result<HttpResponse> {
    let page = SpaCallback {
        places: Places::of(app.party.settings()),
        parameters: parameters.into_inner(),
    };
    server::page(page.render(), &[])
}
