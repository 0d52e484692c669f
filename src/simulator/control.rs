//! The control API under `/_sim/`: what tests do to Apple's side of the world.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::Simulator;
use super::accounts::Account;
use super::keys::SigningKeys;

pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/_sim/accounts", web::get().to(accounts))
        .route("/_sim/accounts", web::post().to(put_account))
        .route("/_sim/next-account", web::post().to(next_account))
        .route("/_sim/stop-using", web::post().to(stop_using))
        .route("/_sim/change-password", web::post().to(change_password))
        .route("/_sim/delete-account", web::post().to(delete_account))
        .route("/_sim/keys/add", web::post().to(add_key))
        .route("/_sim/keys/retire", web::post().to(retire_key))
        .route("/_sim/reset", web::post().to(reset));
}

#[derive(Deserialize)]
struct Which {
    account: String,
}

#[derive(Deserialize)]
struct WhichKey {
    kid: String,
}

async fn accounts(simulator: web::Data<Simulator>) -> HttpResponse {
    HttpResponse::Ok().json(&simulator.state().accounts)
}

/// Creates an account, or replaces the one with this id.
async fn put_account(simulator: web::Data<Simulator>, new: web::Json<Account>) -> HttpResponse {
    let mut state = simulator.state();
    state.accounts.retain(|account| account.id != new.id);
    state.accounts.push(new.into_inner());
    HttpResponse::NoContent().finish()
}

async fn next_account(simulator: web::Data<Simulator>, which: web::Json<Which>) -> HttpResponse {
    simulator.state().next_account = Some(which.into_inner().account);
    HttpResponse::NoContent().finish()
}

async fn stop_using(simulator: web::Data<Simulator>, which: web::Json<Which>) -> HttpResponse {
    simulator.state().stop_using(&which.account);
    HttpResponse::NoContent().finish()
}

async fn change_password(simulator: web::Data<Simulator>, which: web::Json<Which>) -> HttpResponse {
    simulator.state().end_tokens(&which.account);
    HttpResponse::NoContent().finish()
}

async fn delete_account(simulator: web::Data<Simulator>, which: web::Json<Which>) -> HttpResponse {
    let mut state = simulator.state();
    state.stop_using(&which.account);
    state.accounts.retain(|account| account.id != which.account);
    HttpResponse::NoContent().finish()
}

async fn add_key(simulator: web::Data<Simulator>) -> HttpResponse {
    let made = web::block(|| SigningKeys::generate(1)).await;
    match made {
        Ok(Ok(new)) => {
            HttpResponse::Ok().json(json!({ "kid": simulator.state().keys.put_first(new) }))
        }
        Ok(Err(_)) | Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

async fn retire_key(simulator: web::Data<Simulator>, key: web::Json<WhichKey>) -> HttpResponse {
    if simulator.state().keys.retire(&key.kid) {
        HttpResponse::NoContent().finish()
    } else {
        HttpResponse::NotFound().finish()
    }
}

/// Forgets every consent, code and token; accounts and keys stay.
async fn reset(simulator: web::Data<Simulator>) -> HttpResponse {
    let mut state = simulator.state();
    state.consents.clear();
    state.codes.clear();
    state.tokens.clear();
    state.parked.clear();
    state.next_account = None;
    HttpResponse::NoContent().finish()
}
