//! What AuthenticationServices hands an app on a device, minted on request.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::Simulator;
use super::accounts::known_client;
use super::authorize::{Choice, sign_in as grant_sign_in};
use super::state::{Request, ResponseMode};
use super::token::refuse;

#[derive(Deserialize)]
pub(super) struct NativeRequest {
    account: String,
    bundle_id: String,
    nonce: Option<String>,
    /// Default: both `name` and `email`.
    scopes: Option<Vec<String>>,
}

pub(super) async fn sign_in(
    simulator: web::Data<Simulator>,
    asked: web::Json<NativeRequest>,
) -> HttpResponse {
    let asked = asked.into_inner();
    let mut state = simulator.state();
    let known = known_client(&state.teams, &asked.bundle_id)
        .filter(|known| known.services_id.is_none())
        .map(|known| known.team.team_id.clone());
    let (Some(team_id), Some(account)) = (known, state.account(&asked.account)) else {
        return refuse("invalid_request", "There is no such bundle ID or test person.");
    };
    let wants =
        |scope: &str| asked.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|s| s == scope));
    let request = Request {
        client_id: asked.bundle_id.clone(),
        redirect_uri: String::new(),
        with_id_token: true,
        mode: ResponseMode::FormPost,
        name: wants("name"),
        email: wants("email"),
        state: None,
        nonce: asked.nonce.clone(),
        code_challenge: None,
    };
    let choice =
        Choice { account: account.id.clone(), first_name: None, last_name: None, hide_email: None };
    let Some(signed_in) = grant_sign_in(&simulator, &mut state, &request, &choice, true) else {
        return refuse("invalid_request", "There is no such test person.");
    };
    let mut credential = json!({
        "identityToken": signed_in.id_token,
        "authorizationCode": signed_in.code,
        "user": account.sub(&team_id),
    });
    if let (true, Some(members)) = (signed_in.first, credential.as_object_mut()) {
        if request.name {
            members.insert(
                "fullName".into(),
                json!({ "givenName": account.first_name, "familyName": account.last_name }),
            );
        }
        if let Some(email) =
            account.address_for(&team_id, account.hide_email).filter(|_| request.email)
        {
            members.insert("email".into(), json!(email));
        }
    }
    HttpResponse::Ok().json(credential)
}
