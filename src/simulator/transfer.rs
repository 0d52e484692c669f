//! Moving an app group to another team, and the endpoint that tells who everyone is there —
//! TN3159, "Transferring your apps and users to another team".
//!
//! An app changes hands when the new team accepts. For sixty days from then the old team may ask
//! for transfer identifiers and the new team may exchange them, and its ID tokens carry them.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::accounts::{Account, FlagForm, known_client};
use super::state::{Consent, State};
use super::token::{Params, refuse, secret_is_valid};
use crate::protocol::ambient::Timestamp;

const WINDOW: Duration = Duration::from_secs(60 * 24 * 3600);
const TOKEN_LIFE: Duration = Duration::from_secs(3600);

type Refused = (&'static str, &'static str);

/// A group that changed hands.
pub(super) struct Move {
    primary_bundle_id: String,
    from: String,
    to: String,
    at: Timestamp,
}

impl Move {
    fn is_open(&self, now: Timestamp) -> bool {
        now.since(self.at) < WINDOW
    }
}

/// What the migration needs to remember.
#[derive(Default)]
pub(super) struct Migration {
    moves: Vec<Move>,
    /// Access tokens for `user.migration`: whose, and until when.
    tokens: HashMap<String, (String, Timestamp)>,
    /// Accounts by their identifier for a team, made when first needed.
    index: HashMap<(&'static str, String), HashMap<String, String>>,
}

impl Migration {
    /// Accounts have changed.
    pub(super) fn forget_index(&mut self) {
        self.index.clear();
    }
}

impl State {
    /// Teams whose secrets speak for a client at the migration: its owner, and the one it left.
    pub(super) fn teams_for_migration(&self, client_id: &str, now: Timestamp) -> Vec<String> {
        let Some(known) = known_client(&self.teams, client_id) else { return Vec::new() };
        let left = self.migration.moves.iter().filter(|one| {
            one.primary_bundle_id == known.group.primary_bundle_id && one.is_open(now)
        });
        let mut teams = vec![known.team.team_id.clone()];
        teams.extend(left.map(|one| one.from.clone()));
        teams
    }

    /// The transfer identifier that an ID token of this client carries, if any does now.
    pub(super) fn transfer_claim(
        &self,
        account: &Account,
        client_id: &str,
        now: Timestamp,
    ) -> Option<String> {
        let known = known_client(&self.teams, client_id)?;
        let moved = self.migration.moves.iter().any(|one| {
            one.primary_bundle_id == known.group.primary_bundle_id
                && one.to == known.team.team_id
                && one.is_open(now)
        });
        moved.then(|| account.transfer_sub(&known.team.team_id))
    }

    fn account_by(
        &mut self,
        purpose: &'static str,
        team: &str,
        identifier: &str,
        name: impl Fn(&Account) -> String,
    ) -> Option<Account> {
        let key = (purpose, team.to_owned());
        let accounts = &self.accounts;
        let index = self.migration.index.entry(key).or_insert_with(|| {
            accounts.iter().map(|account| (name(account), account.id.clone())).collect()
        });
        let id = index.get(identifier)?.clone();
        self.account(&id)
    }
}

/// `client_credentials` with `user.migration`, at the token endpoint.
pub(super) fn migration_token(
    simulator: &Simulator,
    state: &mut State,
    params: &Params,
) -> Result<Value, Refused> {
    let team = team_of(simulator, state, params)?;
    if params.need("scope")? != "user.migration" {
        return Err(("invalid_scope", "Unknown scope."));
    }
    let token = simulator.token();
    let expires_at = simulator.clock.now().plus(TOKEN_LIFE);
    state.migration.tokens.insert(token.clone(), (team, expires_at));
    Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }))
}

/// The team whose key signed the client secret, among those that may speak for the client.
fn team_of(simulator: &Simulator, state: &State, params: &Params) -> Result<String, Refused> {
    let (client_id, secret) = (params.need("client_id")?, params.need("client_secret")?);
    state
        .teams_for_migration(client_id, simulator.clock.now())
        .into_iter()
        .find(|team| secret_is_valid(simulator, state, team, client_id, secret).is_some())
        .ok_or(("invalid_client", "The client secret is not valid."))
}

pub(super) async fn info(
    simulator: web::Data<Simulator>,
    http: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    match answer(&simulator, &http, &body) {
        Ok(answer) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(answer),
        Err((error, text)) => refuse(error, text),
    }
}

fn answer(simulator: &Simulator, http: &HttpRequest, body: &[u8]) -> Result<Value, Refused> {
    let params = Params::parse(body).ok_or(("invalid_request", "A parameter is repeated."))?;
    let mut state = simulator.state();
    let now = simulator.clock.now();
    let team = team_of(simulator, &state, &params)?;
    let bearer = http
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let holder = bearer.and_then(|token| state.migration.tokens.get(token));
    if !holder.is_some_and(|(owner, expires_at)| *owner == team && *expires_at > now) {
        return Err(("invalid_request", "The access token is not valid."));
    }
    let client_id = params.need("client_id")?.to_owned();
    let gone = ("invalid_request", "The user is unknown or has revoked.");
    if let Some(transfer_sub) = params.of("transfer_sub") {
        let account = state
            .account_by("transfer", &team, transfer_sub, |account| account.transfer_sub(&team))
            .ok_or(gone)?;
        let consent = consent(&state, &account, &client_id).ok_or(gone)?;
        if state.transfer_claim(&account, &client_id, now).is_none() {
            return Err(("invalid_request", "The transfer is unknown or over."));
        }
        let mut told = json!({ "sub": account.sub(&team) });
        let relay = account.address_for(&team, true).filter(|_| consent.hide_email);
        if let (Some(email), Some(members)) = (relay, told.as_object_mut()) {
            members.insert("email".into(), json!(email));
            members.insert("is_private_email".into(), json!(true));
        }
        return Ok(told);
    }
    let (sub, target) = (params.need("sub")?, params.need("target")?.to_owned());
    if target == team || !state.teams.iter().any(|one| one.team_id == target) {
        return Err(("invalid_request", "The target is not another team."));
    }
    let owner = known_client(&state.teams, &client_id).map(|known| known.team.team_id.clone());
    // What has moved already has moved to one team only.
    if owner.as_ref() != Some(&team) && owner.as_ref() != Some(&target) {
        return Err(("invalid_request", "The app has moved to another team."));
    }
    let account = state.account_by("sub", &team, sub, |account| account.sub(&team)).ok_or(gone)?;
    consent(&state, &account, &client_id).ok_or(gone)?;
    Ok(json!({ "transfer_sub": account.transfer_sub(&target) }))
}

fn consent(state: &State, account: &Account, client_id: &str) -> Option<Consent> {
    let group = known_client(&state.teams, client_id)?.group.primary_bundle_id.clone();
    state.consents.get(&(account.id.clone(), group)).copied()
}

#[derive(Deserialize)]
pub(super) struct Acceptance {
    /// Any client of the group.
    client_id: String,
    to_team: String,
}

/// The new team accepts the app: the group changes hands at this moment.
pub(super) async fn accept(
    simulator: web::Data<Simulator>,
    asked: web::Json<Acceptance>,
) -> HttpResponse {
    let mut state = simulator.state();
    let Acceptance { client_id, to_team } = asked.into_inner();
    let found = known_client(&state.teams, &client_id)
        .map(|known| (known.team.team_id.clone(), known.group.primary_bundle_id.clone()));
    let Some((from, primary_bundle_id)) = found.filter(|(from, _)| *from != to_team) else {
        return refuse("invalid_request", "There is no such client in another team.");
    };
    if !state.teams.iter().any(|team| team.team_id == to_team) {
        return refuse("invalid_request", "There is no such team.");
    }
    let mut moving = Vec::new();
    for team in &mut state.teams {
        let (go, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut team.groups)
            .into_iter()
            .partition(|group| group.primary_bundle_id == primary_bundle_id);
        moving.extend(go);
        team.groups = stay;
    }
    for team in &mut state.teams {
        if team.team_id == to_team {
            team.groups.append(&mut moving);
        }
    }
    let at = simulator.clock.now();
    state.migration.moves.push(Move { primary_bundle_id, from, to: to_team, at });
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
pub(super) struct Crowd {
    people: usize,
    client_id: String,
}

/// Many people at once who have all said yes to an app; answers with their `sub`s.
pub(super) async fn crowd(
    simulator: web::Data<Simulator>,
    asked: web::Json<Crowd>,
) -> HttpResponse {
    let mut state = simulator.state();
    let found = known_client(&state.teams, &asked.client_id)
        .map(|known| (known.team.team_id.clone(), known.group.primary_bundle_id.clone()));
    let Some((team, group)) = found else {
        return refuse("invalid_request", "There is no such client.");
    };
    let mut subs = Vec::with_capacity(asked.people);
    for number in 0..asked.people {
        let id = format!("crowd-{number:06}");
        let account = Account {
            first_name: "Somebody".into(),
            last_name: number.to_string(),
            email: Some(format!("{id}@example.com")),
            email_verified: true,
            hide_email: number % 2 == 0,
            org_id: None,
            flags: FlagForm::String,
            id: id.clone(),
        };
        subs.push(account.sub(&team));
        let consent = Consent { email: true, hide_email: account.hide_email };
        state.consents.insert((id, group.clone()), consent);
        state.accounts.push(account);
    }
    state.migration.forget_index();
    HttpResponse::Ok().json(json!({ "subs": subs }))
}
