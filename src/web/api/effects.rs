//! What a change would touch, counted before it is made.

use actix_web::{Error, HttpResponse, web};
use serde_json::{Value, json};

use super::{Asked, Caller, answer};
use crate::op::admin::AdminError;
use crate::op::admin::effects::Effects;
use crate::protocol::id::ClientId;
use crate::store::living::Of;

/// What effects are counted of; one at a time.
pub(super) const OF: [&str; 6] =
    ["client_id", "api", "connection", "user", "kid", "audit_retention_days"];

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/effects").route(web::get().to(effects)));
}

async fn effects(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let mut given = OF.into_iter().filter_map(|name| Some((name, asked.get(name)?)));
    let (of, more) = (given.next(), given.next());
    if more.is_some() {
        return Err(caller.invalid("query", "may name one thing, and no other beside it"));
    }
    let administration = &caller.app.administration;
    let Some((of, id)) = of else {
        let living = caller.got(administration.count_living(&Of::Everybody).await)?;
        return Ok(answer(counted(Effects { clients: None, living })));
    };
    let effects = match of {
        "client_id" => {
            let client = caller.got(administration.find_client(&ClientId::new(id)).await)?;
            caller.got(administration.effects_on_client(&client).await)?
        }
        "api" => {
            let api = caller.got(administration.find_api(&id).await)?;
            caller.got(administration.effects_on_api(&api.identifier).await)?
        }
        "connection" => {
            let found = caller.got(administration.find_connection(&id).await)?;
            caller.got(administration.effects_on_connection(&found.connection.id).await)?
        }
        "user" => {
            let person = caller.got(administration.find_person(&id).await)?;
            let living = administration.count_living(&Of::User(person.user.id)).await;
            Effects { clients: None, living: caller.got(living)? }
        }
        "kid" => return key(&caller, &id).await,
        _ => return events(&caller, &asked).await,
    };
    Ok(answer(counted(effects)))
}

fn counted(effects: Effects) -> Value {
    let living = effects.living;
    json!({
        "clients": effects.clients,
        "people": living.people,
        "sessions": living.sessions,
        "grants": living.grants,
    })
}

/// What fails when a key is taken out of service: whatever was signed with its algorithm.
async fn key(caller: &Caller, kid: &str) -> Result<HttpResponse, Error> {
    let keys = caller.unfailing(caller.app.provider.keys().list().await)?;
    let key = keys.iter().find(|key| key.kid == kid);
    let key = key.ok_or_else(|| caller.refuse(AdminError::NotFound))?;
    let administration = &caller.app.administration;
    let living = caller.got(administration.count_living(&Of::Everybody).await)?;
    let apis = caller.got(administration.list_apis().await)?;
    let signed = apis.iter().filter(|api| api.signing_alg == key.alg).map(|api| &api.identifier);
    let mut body = counted(Effects { clients: None, living });
    if let Some(members) = body.as_object_mut() {
        members.insert("apis".to_owned(), json!(signed.collect::<Vec<_>>()));
    }
    Ok(answer(body))
}

/// How many events a shorter retention lets go.
async fn events(caller: &Caller, asked: &Asked) -> Result<HttpResponse, Error> {
    let days = asked.number("audit_retention_days").and_then(|days| u32::try_from(days).ok());
    let gone = match days.filter(|days| *days > 0) {
        Some(days) => caller.got(caller.app.administration.events_older_than(days).await)?,
        None => 0,
    };
    Ok(answer(json!({ "events": gone })))
}
