//! Deleting one's account: the page, its receipt, and the same for an app on its user's behalf.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::account::signed_out;
use super::endpoints::{answer_to_token, form, presented};
use super::interaction::see_other;
use super::page::Frame;
use super::page::account::{DeletePage, DeletionPage, StepLine};
use super::reply::no_store;
use super::words::Words;
use super::{App, html, prove};
use crate::op::deletion::{CONFIRMATION, is_confirmation};
use crate::op::fresh_proof::ProvenFor;
use crate::protocol::deletion::{Deletion, Receipt};
use crate::protocol::id::DeletionId;

/// Asks whether the account shall go.
pub async fn ask(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    asked(&app, &request, StatusCode::OK).await
}

async fn asked(app: &App, request: &HttpRequest, status: StatusCode) -> HttpResponse {
    match app.provider.account(&app.browser(request)).await {
        Err(failure) => html::error(app, request, failure),
        Ok(None) => signed_out(app, request),
        Ok(Some(account)) if !app.provider.is_fresh(&account.session) => {
            prove::asked(app, ProvenFor::Delete)
        }
        Ok(Some(account)) => {
            let frame = html::frame(app, request, None);
            let words = frame.words;
            let template = DeletePage {
                frame,
                name: words.person(account.display_name),
                confirmation: CONFIRMATION,
                csrf: account.csrf,
            };
            html::in_language(words, html::page(status, &template, &[]))
        }
    }
}

/// The person confirmed.
pub async fn begin(app: web::Data<App>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let params = match form(&request, &body) {
        Ok(params) => params,
        Err(failure) => return prove::or_error(&app, &request, failure, ProvenFor::Delete),
    };
    let typed = params.one("confirm").ok().flatten();
    let Some(typed) = typed.filter(|typed| is_confirmation(typed)) else {
        // The word was not typed: the question stands.
        return asked(&app, &request, StatusCode::BAD_REQUEST).await;
    };
    let begun = async {
        let csrf = params.required("csrf")?;
        app.provider.delete_own_account(&app.browser(&request), csrf, typed).await
    };
    match begun.await {
        Err(failure) => prove::or_error(&app, &request, failure, ProvenFor::Delete),
        Ok(deletion) => {
            let mut response = see_other(receipt_path(&app, &deletion));
            app.close_session(&mut response);
            response
        }
    }
}

/// How a deletion stands, for whoever knows its id; as JSON if that is asked for.
pub async fn receipt(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    let id = DeletionId::new(id.into_inner());
    match app.provider.deletion_receipt(&id).await {
        Err(failure) => html::error(&app, &request, failure),
        Ok(None) => html::not_found(app, request).await,
        Ok(Some(receipt)) if wants_json(&request) => {
            no_store(HttpResponse::Ok()).json(receipt.to_json())
        }
        Ok(Some(receipt)) => {
            let template = page(html::frame(&app, &request, None), &receipt);
            let page = html::page(StatusCode::OK, &template, &[]);
            html::in_language(template.frame.words, page)
        }
    }
}

/// `DELETE /account/me`: an app deletes the account of the person whose access token with scope
/// `account:delete` it holds. 202: it has begun; the answer says where to look at it.
pub async fn by_token(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let presented = presented(&request);
    let answer = app.provider.delete_account_by_token(&presented).await;
    let answer = answer.map(|deletion| accepted(&app, &deletion));
    answer_to_token(&app, &request, &presented, answer).await
}

/// Ends every session of the person who is signed in here.
pub async fn sign_out_everywhere(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let ended = async {
        let params = form(&request, &body)?;
        let csrf = params.required("csrf")?;
        app.provider.sign_out_everywhere(&app.browser(&request), csrf).await
    };
    match ended.await {
        Err(failure) => html::error(&app, &request, failure),
        Ok(frames) => {
            let mut response =
                super::logout::signed_out(html::frame(&app, &request, None), None, frames);
            app.close_session(&mut response);
            response
        }
    }
}

fn accepted(app: &App, deletion: &Deletion) -> HttpResponse {
    // The issuer's own path is in both.
    let url = format!("{}/account/deletions/{}", app.provider.issuer(), deletion.id);
    no_store(HttpResponse::Accepted()).insert_header((header::LOCATION, url.clone())).json(json!({
        "id": deletion.id,
        "state": deletion.state,
        "requested_at": deletion.requested_at.secs(),
        "receipt": url,
    }))
}

fn receipt_path(app: &App, deletion: &Deletion) -> String {
    format!("{}/account/deletions/{}", app.base, deletion.id)
}

fn wants_json(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"))
}

fn page(frame: Frame, receipt: &Receipt) -> DeletionPage {
    let words = frame.words;
    let line = |step: &crate::protocol::deletion::DeletionStep| StepLine {
        words: in_words(words, &step.step),
        outcome: step.outcome.clone(),
        at: words.moment(step.at),
    };
    DeletionPage {
        frame,
        id: receipt.deletion.id.to_string(),
        completed: receipt.deletion.completed_at.map(|at| words.moment(at)),
        erased: receipt.deletion.user_id.is_none(),
        requested: words.moment(receipt.deletion.requested_at),
        steps: receipt.steps.iter().map(line).collect(),
    }
}

fn in_words(words: Words, step: &str) -> String {
    match step {
        "sessions_and_tokens_ended" => words.get("deletion-step-sessions"),
        "upstream_grant" => words.get("deletion-step-upstream"),
        "person_erased" => words.get("deletion-step-person"),
        "clients_told" => words.get("deletion-step-clients"),
        other => other.to_owned(),
    }
}
