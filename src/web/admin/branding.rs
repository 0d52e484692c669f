//! How the installation and its clients look: colours, picture and links, and how that will be.

use actix_web::http::{StatusCode, header};
use actix_web::{Error, HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde_json::{Map, json};

use super::client_form::{find, status_of};
use super::form::Form;
use super::{Console, Posted, ended, problems, see_other};
use crate::op::admin::branding::LARGEST_PICTURE;
use crate::op::admin::{AdminError, ClientChange};
use crate::op::branding::ClientLook;
use crate::protocol::admin::Role;
use crate::protocol::branding::Branding;
use crate::protocol::id::ClientId;
use crate::protocol::metadata::UI_LOCALES;
use crate::web::brand::{EXAMPLE, sample};
use crate::web::html;
use crate::web::page::admin::branding::{BrandingPage, Of};
use crate::web::page::admin::{Choice, Problems};

/// The longest body of a form with a picture.
pub(super) const MAX_UPLOAD: usize = LARGEST_PICTURE + 16 * 1024;

/// The languages in their own words.
const LANGUAGES: [&str; UI_LOCALES.len()] =
    ["English", "Deutsch", "Français", "Español", "日本語", "简体中文", "한국어", "العربية"];

/// The routes of both.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    let upload = || web::PayloadConfig::new(MAX_UPLOAD);
    config
        .service(
            web::resource("/admin/settings/branding")
                .route(web::get().to(show))
                .route(web::post().to(save)),
        )
        .service(web::resource("/admin/settings/branding/preview").route(web::post().to(preview)))
        .service(
            web::resource("/admin/settings/branding/logo")
                .app_data(upload())
                .route(web::post().to(logo)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/branding")
                .route(web::get().to(show_client))
                .route(web::post().to(save_client)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/branding/preview")
                .route(web::post().to(preview_client)),
        )
        .service(
            web::resource("/admin/clients/{client_id}/branding/logo")
                .app_data(upload())
                .route(web::post().to(logo_client)),
        );
}

/// What a form holds, over what stands: a picture is changed by a form of its own.
fn typed(form: &Form, stands: &Branding, client: bool) -> Branding {
    let text = |name: &str| Some(form.text(name)).filter(|text| !text.is_empty());
    let only = |name: &str| text(name).filter(|_| !client);
    Branding {
        name: only("name"),
        logo: stands.logo.clone().filter(|_| !form.ticked("no_logo")),
        accent_color: text("accent_color"),
        accent_color_dark: text("accent_color_dark"),
        background_color: text("background_color"),
        background_color_dark: text("background_color_dark"),
        support_uri: only("support_uri"),
        policy_uri: only("policy_uri"),
        tos_uri: only("tos_uri"),
        default_locale: only("default_locale"),
    }
}

fn page(
    console: &Console,
    of: Of,
    branding: &Branding,
    version: i32,
    problems: Problems,
    conflict: bool,
) -> HttpResponse {
    let base = &console.app.base;
    let address = match &of {
        Of::Installation => console.url("/settings/branding"),
        Of::Client { id, .. } => console.url(&format!("/clients/{id}/branding")),
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let languages = UI_LOCALES.iter().zip(LANGUAGES).map(|(tag, label)| Choice {
        value: (*tag).to_owned(),
        label: label.to_owned(),
        hint: String::new(),
        chosen: branding.default_locale.as_deref().unwrap_or("en") == *tag,
    });
    let may_save = match &of {
        Of::Installation => console.must_be(Role::Owner).is_ok(),
        Of::Client { .. } => true,
    };
    let status = status_of(&problems, conflict);
    let template = BrandingPage {
        shell: console.shell(),
        address,
        may_save,
        logo_url: branding.logo.as_ref().map(|id| format!("{base}/brand/pictures/{id}")),
        name: text(&branding.name),
        accent_color: text(&branding.accent_color),
        accent_color_dark: text(&branding.accent_color_dark),
        background_color: text(&branding.background_color),
        background_color_dark: text(&branding.background_color_dark),
        support_uri: text(&branding.support_uri),
        policy_uri: text(&branding.policy_uri),
        tos_uri: text(&branding.tos_uri),
        languages: languages.collect(),
        version: version.to_string(),
        of,
        problems,
        conflict,
    };
    html::page(status, &template, &[])
}

/// How the installation looks.
async fn show(console: Console) -> Result<HttpResponse, Error> {
    let found = console.app.administration.branding().await;
    let (branding, version) = found.map_err(|error| console.refuse(error))?;
    Ok(page(&console, Of::Installation, &branding, version, Problems::default(), false))
}

async fn save(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let administration = &console.app.administration;
    let (stands, _) = administration.branding().await.map_err(|error| console.refuse(error))?;
    let branding = typed(&form, &stands, false);
    let version = form.text("version").parse().unwrap_or(-1);
    keep(&console, branding, version).await
}

async fn keep(console: &Console, branding: Branding, version: i32) -> Result<HttpResponse, Error> {
    let administration = &console.app.administration;
    let again = |problems, conflict, version| {
        Ok(page(console, Of::Installation, &branding, version, problems, conflict))
    };
    match administration.change_branding(&console.actor(), branding.clone(), version).await {
        Ok(()) => {
            let taken_up = console.app.provider.reload_branding().await;
            taken_up.map_err(|fault| console.fail(&fault))?;
            Ok(see_other(&console.url("/settings/branding?done=saved")))
        }
        Err(AdminError::Conflict) => {
            let stands = administration.branding().await;
            let (_, version) = stands.map_err(|error| console.refuse(error))?;
            again(Problems::default(), true, version)
        }
        Err(AdminError::Invalid(found)) => again(problems(found), false, version),
        Err(error) => Err(console.refuse(error)),
    }
}

/// The sign-in page as it will be.
async fn preview(posted: Posted) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let found = console.app.administration.branding().await;
    let (stands, version) = found.map_err(|error| console.refuse(error))?;
    let branding = typed(&form, &stands, false);
    let wrong = branding.problems();
    if !wrong.is_empty() {
        let problems = self::wrong(wrong);
        return Ok(page(&console, Of::Installation, &branding, version, problems, false));
    }
    Ok(shown(&console, &branding, None, EXAMPLE))
}

fn shown(
    console: &Console,
    branding: &Branding,
    client: Option<&ClientLook>,
    client_name: &str,
) -> HttpResponse {
    let app = &console.app;
    html::page(StatusCode::OK, &sample(app, &app.base, branding, client, client_name), &[])
}

fn wrong(found: Vec<(&'static str, String)>) -> Problems {
    problems(crate::op::admin::branding::problems(found))
}

/// A picture for the installation.
async fn logo(
    console: Console,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let content = uploaded(&console, &request, body).await?;
    let administration = &console.app.administration;
    let (stands, version) =
        administration.branding().await.map_err(|error| console.refuse(error))?;
    match administration.keep_picture(&console.actor(), None, content).await {
        Ok(id) => keep(&console, Branding { logo: Some(id), ..stands }, version).await,
        Err(AdminError::Invalid(found)) => {
            Ok(page(&console, Of::Installation, &stands, version, problems(found), false))
        }
        Err(error) => Err(console.refuse(error)),
    }
}

/// The file of a form whose token is right.
async fn uploaded(
    console: &Console,
    request: &HttpRequest,
    body: web::Bytes,
) -> Result<Vec<u8>, Error> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let (mut token, mut content) = (String::new(), Vec::new());
    if let Some(boundary) = kind.and_then(|kind| multer::parse_boundary(kind).ok()) {
        let whole = stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
        let mut parts = multer::Multipart::new(whole, boundary);
        while let Ok(Some(part)) = parts.next_field().await {
            match part.name() {
                Some("csrf") => token = part.text().await.unwrap_or_default(),
                Some("logo") => content = part.bytes().await.unwrap_or_default().to_vec(),
                Some(_) | None => {}
            }
        }
    }
    if console.app.administration.is_csrf_token(&console.cookie, &token) {
        return Ok(content);
    }
    Err(ended(console.problem(
        StatusCode::FORBIDDEN,
        "This form is not yours or too old",
        "Nothing was changed. Go back, load the page again and repeat it.".to_owned(),
    )))
}

async fn of_client(console: &Console, id: &str) -> Result<(Of, Branding, i32), Error> {
    let client = find(console, id).await?;
    let branding = client.settings.branding.clone().unwrap_or_default();
    let of = Of::Client { id: client.client_id.to_string(), name: client.client_name };
    Ok((of, branding, client.version))
}

/// How a client looks.
async fn show_client(console: Console, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let (of, branding, version) = of_client(&console, &id).await?;
    Ok(page(&console, of, &branding, version, Problems::default(), false))
}

async fn save_client(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let (_, stands, _) = of_client(&console, &id).await?;
    let branding = typed(&form, &stands, true);
    keep_client(&console, &id, branding, form.text("version").parse().unwrap_or(-1)).await
}

async fn keep_client(
    console: &Console,
    id: &str,
    branding: Branding,
    version: i32,
) -> Result<HttpResponse, Error> {
    let value = if branding == Branding::default() { json!(null) } else { json!(branding) };
    let settings = Map::from_iter([("branding".to_owned(), value)]);
    let change = ClientChange { settings, version: Some(version), ..ClientChange::default() };
    let administration = &console.app.administration;
    let client_id = ClientId::new(id);
    let changed = administration.update_client(&console.actor(), &client_id, change).await;
    match changed {
        Ok(_) => Ok(see_other(&console.url(&format!("/clients/{id}/branding?done=saved")))),
        Err(AdminError::Conflict) => {
            let (of, _, version) = of_client(console, id).await?;
            Ok(page(console, of, &branding, version, Problems::default(), true))
        }
        Err(AdminError::Invalid(found)) => {
            let (of, ..) = of_client(console, id).await?;
            Ok(page(console, of, &branding, version, problems(found), false))
        }
        Err(error) => Err(console.refuse(error)),
    }
}

async fn preview_client(posted: Posted, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let Posted { console, form } = posted;
    let (of, stands, version) = of_client(&console, &id).await?;
    let branding = typed(&form, &stands, true);
    let wrong = branding.problems();
    if !wrong.is_empty() {
        return Ok(page(&console, of, &branding, version, self::wrong(wrong), false));
    }
    let name = match &of {
        Of::Client { name, .. } => name.clone(),
        Of::Installation => String::new(),
    };
    let look = ClientLook { branding, ..ClientLook::default() };
    Ok(shown(&console, &console.app.provider.branding(), Some(&look), &name))
}

async fn logo_client(
    console: Console,
    request: HttpRequest,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let content = uploaded(&console, &request, body).await?;
    let (of, stands, version) = of_client(&console, &id).await?;
    let client_id = ClientId::new(id.as_str());
    let administration = &console.app.administration;
    match administration.keep_picture(&console.actor(), Some(&client_id), content).await {
        Ok(logo) => {
            keep_client(&console, &id, Branding { logo: Some(logo), ..stands }, version).await
        }
        Err(AdminError::Invalid(found)) => {
            Ok(page(&console, of, &stands, version, problems(found), false))
        }
        Err(error) => Err(console.refuse(error)),
    }
}
