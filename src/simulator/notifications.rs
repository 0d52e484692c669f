//! Server-to-server notifications: a signed `{"payload": JWS}` for an app group's URL.
//!
//! Nothing is sent on its own: a test decides what arrives, how often and in which order.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::accounts::known_client;
use super::faults::Fault;
use super::state::State;
use super::token::refuse;

const LIFETIME: i64 = 86_400;

#[derive(Deserialize)]
pub(super) struct Notification {
    account: String,
    /// `email-disabled`, `email-enabled`, `consent-revoked`, `account-delete`; others go unchecked.
    #[serde(rename = "type")]
    kind: String,
    /// A client of the group concerned; default: the first group.
    client_id: Option<String>,
    /// Says `account-deleted`, as Apple's page does, for `account-delete`, as the wire does.
    #[serde(default)]
    name_switch: bool,
    /// Writes `events` as an object, as Apple's page does, for the string of the wire.
    #[serde(default)]
    object_events: bool,
    jti: Option<String>,
    /// Milliseconds; default: now.
    event_time: Option<i64>,
    /// A fault of the signed token, such as `stranger_key` or `wrong_aud`.
    fault: Option<Fault>,
    /// Whether to post it as well as return it.
    #[serde(default = "yes")]
    deliver: bool,
}

fn yes() -> bool {
    true
}

impl Notification {
    /// What Apple itself would send about a person to the app group of `client_id`.
    pub(super) fn about(account: &str, kind: &str, client_id: &str) -> Self {
        Self {
            account: account.to_owned(),
            kind: kind.to_owned(),
            client_id: Some(client_id.to_owned()),
            name_switch: false,
            object_events: false,
            jti: None,
            event_time: None,
            fault: None,
            deliver: true,
        }
    }
}

/// Announces something to these app groups, where they have a URL. Returns the statuses.
pub(super) async fn announce(
    simulator: &Simulator,
    account: &str,
    kind: &str,
    groups: &[String],
) -> Vec<u16> {
    let mut statuses = Vec::new();
    for group in groups {
        let about = Notification::about(account, kind, group);
        let made = signed(simulator, &simulator.state(), &about, &simulator.token());
        if let Some((payload, Some(url))) = made {
            statuses.extend(post(&url, &json!({ "payload": payload })).await);
        }
    }
    statuses
}

/// Signs a notification, posts it where the group wants it, and returns it:
/// `{"payload": …, "jti": …, "delivered": status or null}`.
pub(super) async fn notify(
    simulator: web::Data<Simulator>,
    asked: web::Json<Notification>,
) -> HttpResponse {
    if asked.fault == Some(Fault::StrangerKey) && simulator.meet_stranger().await.is_err() {
        return HttpResponse::InternalServerError().finish();
    }
    let jti = asked.jti.clone().unwrap_or_else(|| simulator.token());
    let Some((payload, url)) = signed(&simulator, &simulator.state(), &asked, &jti) else {
        return refuse("invalid_request", "There is no such test person or client.");
    };
    let body = json!({ "payload": payload });
    let delivered = match url.filter(|_| asked.deliver) {
        Some(url) => post(&url, &body).await,
        None => None,
    };
    HttpResponse::Ok().json(json!({ "payload": payload, "jti": jti, "delivered": delivered }))
}

fn signed(
    simulator: &Simulator,
    state: &State,
    asked: &Notification,
    jti: &str,
) -> Option<(String, Option<String>)> {
    let client_id = match &asked.client_id {
        Some(client_id) => client_id,
        None => &state.teams.iter().flat_map(|team| &team.groups).next()?.primary_bundle_id,
    };
    let known = known_client(&state.teams, client_id)?;
    let team_id = &known.team.team_id;
    let everyone = state.accounts.iter().chain(&state.deleted);
    let account = everyone.into_iter().find(|account| account.id == asked.account)?;
    let now = simulator.now();
    let kind = match asked.kind.as_str() {
        "account-delete" if asked.name_switch => "account-deleted",
        kind => kind,
    };
    let mut event = json!({
        "type": kind,
        "sub": account.sub(team_id),
        "event_time": asked.event_time.unwrap_or(now.millis()),
    });
    if let (true, Some(members)) = (kind.starts_with("email-"), event.as_object_mut()) {
        members.insert("email".into(), json!(account.address_for(team_id, true)));
        members.insert("is_private_email".into(), json!("true"));
    }
    let mut claims = json!({
        "iss": simulator.issuer,
        "aud": known.group.primary_bundle_id,
        "iat": now.secs(),
        "exp": now.secs() + LIFETIME,
        "jti": jti,
        "events": if asked.object_events { event } else { Value::String(event.to_string()) },
    });
    if let Some(fault) = asked.fault {
        fault.spoil(&mut claims, now.secs());
    }
    Some((state.sign(&claims, asked.fault)?, known.group.notification_url.clone()))
}

/// The status of the answer; nothing when there was none.
#[expect(clippy::disallowed_methods, reason = "the simulator is an outsider")]
async fn post(url: &str, body: &Value) -> Option<u16> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().ok()?;
    let answer = client.post(url).json(body).send().await.ok()?;
    Some(answer.status().as_u16())
}
