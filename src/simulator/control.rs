//! The control API under `/_sim/`: what tests do to Apple's side of the world.

use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::Simulator;
use super::accounts::Account;
use super::faults::{Endpoint, Fault, Ordered};
use super::keys::SigningKeys;
use super::token::refuse;

pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.route("/_sim/accounts", web::get().to(accounts))
        .route("/_sim/accounts", web::post().to(put_account))
        .route("/_sim/next-account", web::post().to(next_account))
        .route("/_sim/stop-using", web::post().to(stop_using))
        .route("/_sim/change-password", web::post().to(change_password))
        .route("/_sim/delete-account", web::post().to(delete_account))
        .route("/_sim/toggle-forwarding", web::post().to(toggle_forwarding))
        .route("/_sim/clock", web::post().to(set_clock))
        .route("/_sim/keys/replace", web::post().to(replace_key))
        .route("/_sim/keys/add", web::post().to(add_key))
        .route("/_sim/keys/retire", web::post().to(retire_key))
        .route("/_sim/faults", web::post().to(order_fault))
        .route("/_sim/faults/clear", web::post().to(clear_faults))
        .route("/_sim/release", web::post().to(release))
        .route("/_sim/journal", web::get().to(journal))
        .route("/_sim/notifications", web::post().to(super::notifications::notify))
        .route("/_sim/transfer", web::post().to(super::transfer::accept))
        .route("/_sim/crowd", web::post().to(super::transfer::crowd))
        .route("/_sim/reset", web::post().to(reset));
}

#[derive(Deserialize)]
struct Which {
    account: String,
}

#[derive(Deserialize)]
struct Apart {
    seconds: i64,
}

#[derive(Deserialize)]
struct Leaving {
    account: String,
    /// Whether the ended tokens are refused with `invalid_request` from now on.
    #[serde(default)]
    unclear: bool,
}

#[derive(Deserialize)]
struct FaultOrder {
    endpoint: Endpoint,
    fault: Fault,
    #[serde(default = "once")]
    times: u32,
    #[serde(default)]
    after: u32,
}

fn once() -> u32 {
    1
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
    state.migration.forget_index();
    HttpResponse::NoContent().finish()
}

async fn next_account(simulator: web::Data<Simulator>, which: web::Json<Which>) -> HttpResponse {
    simulator.state().next_account = Some(which.into_inner().account);
    HttpResponse::NoContent().finish()
}

async fn stop_using(simulator: web::Data<Simulator>, leaving: web::Json<Leaving>) -> HttpResponse {
    let mut state = simulator.state();
    if leaving.unclear {
        state.blur(&leaving.account);
    }
    state.stop_using(&leaving.account);
    HttpResponse::NoContent().finish()
}

async fn change_password(simulator: web::Data<Simulator>, which: web::Json<Which>) -> HttpResponse {
    simulator.state().end_tokens(&which.account);
    HttpResponse::NoContent().finish()
}

async fn delete_account(simulator: web::Data<Simulator>, which: web::Json<Which>) -> HttpResponse {
    simulator.state().delete_account(&which.account);
    HttpResponse::NoContent().finish()
}

/// Switches the forwarding of mail off, or on again.
async fn toggle_forwarding(
    simulator: web::Data<Simulator>,
    which: web::Json<Which>,
) -> HttpResponse {
    let kind = simulator.state().toggle_forwarding(&which.account);
    HttpResponse::Ok().json(json!({ "type": kind }))
}

/// Sets Apple's clock apart from the broker's: `{"seconds": 300}` puts it ahead.
async fn set_clock(simulator: web::Data<Simulator>, apart: web::Json<Apart>) -> HttpResponse {
    simulator.offset.store(apart.seconds.saturating_mul(1000), Ordering::Relaxed);
    HttpResponse::NoContent().finish()
}

/// Puts another key under the name of the one that signs.
async fn replace_key(simulator: web::Data<Simulator>) -> HttpResponse {
    match web::block(|| SigningKeys::generate(1)).await {
        Ok(Ok(new)) => {
            HttpResponse::Ok().json(json!({ "kid": simulator.state().keys.replace_first(new) }))
        }
        Ok(Err(_)) | Err(_) => HttpResponse::InternalServerError().finish(),
    }
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

/// Orders a fault for the next requests to an endpoint.
async fn order_fault(
    simulator: web::Data<Simulator>,
    order: web::Json<FaultOrder>,
) -> HttpResponse {
    let FaultOrder { endpoint, fault, times, after } = order.into_inner();
    if times == 0 || !fault.fits(endpoint) {
        return refuse("invalid_request", "This endpoint cannot fail this way.");
    }
    if fault == Fault::StrangerKey && simulator.meet_stranger().await.is_err() {
        return HttpResponse::InternalServerError().finish();
    }
    simulator.state().faults.push(Ordered { endpoint, fault, times, after });
    HttpResponse::NoContent().finish()
}

/// Takes back every fault that was ordered.
async fn clear_faults(simulator: web::Data<Simulator>) -> HttpResponse {
    simulator.state().faults.clear();
    HttpResponse::NoContent().finish()
}

/// Lets held requests go on, and says how many there were; a caller that hung up does not count.
async fn release(simulator: web::Data<Simulator>) -> HttpResponse {
    let held = std::mem::take(&mut simulator.state().held);
    let released = held.into_iter().filter_map(|release| release.send(()).ok()).count();
    HttpResponse::Ok().json(json!({ "released": released }))
}

async fn journal(simulator: web::Data<Simulator>) -> HttpResponse {
    HttpResponse::Ok().json(&simulator.state().journal)
}

/// Forgets every fault, consent, code and token; accounts and keys stay.
async fn reset(simulator: web::Data<Simulator>) -> HttpResponse {
    let mut state = simulator.state();
    state.consents.clear();
    state.codes.clear();
    state.tokens.clear();
    state.unclear.clear();
    state.parked.clear();
    state.next_account = None;
    state.faults.clear();
    state.held.clear();
    state.not_forwarded.clear();
    state.journal.clear();
    HttpResponse::NoContent().finish()
}
