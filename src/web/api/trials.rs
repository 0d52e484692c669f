//! Trying a client with a key of the admin API: what "Try it now" does.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Caller, answer, created};
use crate::op::Failure;
use crate::op::admin::AdminError;
use crate::op::trial::by_key::{KeyTrial, Standing};
use crate::op::trial::{How, Wish};
use crate::protocol::api_key::ApiScope;
use crate::protocol::id::ClientId;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/clients/{client_id}/trials").route(web::post().to(begin)))
        .service(web::resource("/clients/{client_id}/trials/{id}").route(web::get().to(show)));
}

/// What shall be asked for: what the client asks for as a rule, if nothing is said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTrial {
    scope: Option<String>,
    resource: Option<Vec<String>>,
    prompt: Option<Prompt>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Prompt {
    Login,
}

async fn begin(
    caller: Caller,
    id: web::Path<String>,
    body: web::Bytes,
) -> Result<HttpResponse, Error> {
    let new: NewTrial = caller.read(&body)?;
    let id = ClientId::new(id.into_inner());
    let client = caller.got(caller.app.administration.find_client(&id).await)?;
    // What the trial of an app tells is told of whoever signs in to it.
    if How::of(&client) != How::Service {
        caller.must_hold(ApiScope::ReadUsers)?;
    }
    let listed = |text: String| text.split_whitespace().map(str::to_owned).collect();
    let wish = Wish {
        scope: new.scope.map_or(client.scope, listed),
        resources: new.resource.unwrap_or_else(|| client.default_resource.into_iter().collect()),
        anew: new.prompt.is_some(),
    };
    let (provider, actor) = (&caller.app.provider, caller.actor());
    let begun = provider.begin_key_trial(&actor, &caller.key, &id, wish).await;
    let trial = begun.map_err(|failure| refused(&caller, failure))?;
    let address = caller.address(&format!("/clients/{id}/trials/{}", trial.id));
    Ok(created(address, described(&caller, &trial)))
}

async fn show(caller: Caller, path: web::Path<(String, String)>) -> Result<HttpResponse, Error> {
    let (client, id) = path.into_inner();
    let (provider, actor) = (&caller.app.provider, caller.actor());
    let found = provider.key_trial(&actor, &caller.key, &ClientId::new(client), &id).await;
    let found = found.map_err(|failure| refused(&caller, failure))?;
    let trial = found.ok_or_else(|| caller.refuse(AdminError::NotFound))?;
    Ok(answer(described(&caller, &trial)))
}

fn refused(caller: &Caller, failure: Failure) -> Error {
    match failure {
        Failure::Refused(refusal) => {
            let detail = format!("{}: {}", refusal.code, refusal.description);
            let title = "The app would have been refused";
            caller.problem(StatusCode::UNPROCESSABLE_ENTITY, title, Some(detail))
        }
        Failure::Fault(fault) => caller.failed(&fault),
    }
}

fn described(caller: &Caller, trial: &KeyTrial) -> Value {
    let (state, more) = match &trial.standing {
        Standing::Link => ("waiting", json!({ "uri": caller.app.provider.trial_link(&trial.id) })),
        Standing::Device(waiting) => (
            "waiting",
            json!({
                "user_code": waiting.user_code,
                "verification_uri": waiting.verification_uri,
                "verification_uri_complete": waiting.verification_uri_complete,
            }),
        ),
        Standing::Tried(result) => ("tried", result.clone()),
        Standing::Refused(error) => ("refused", error.clone()),
    };
    let mut body = json!({
        "id": trial.id,
        "client_id": trial.client_id,
        "expires_at": trial.expires_at.secs(),
        "state": state,
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}
