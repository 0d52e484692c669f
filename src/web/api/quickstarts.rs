//! Programs to start from in the admin API, filled in as the console fills them in.

use actix_web::{Error, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::{Asked, Caller, answer};
use crate::protocol::id::ClientId;
use crate::web::quickstart::{self, Snippet};

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/quickstarts").route(web::get().to(of_api)))
        .service(web::resource("/clients/{client_id}/quickstarts").route(web::get().to(of_client)));
}

fn described(programs: &[Snippet]) -> Vec<Value> {
    let program = |one: &Snippet| json!({ "id": one.id, "language": one.language, "library": one.library, "code": one.code });
    programs.iter().map(program).collect()
}

/// For a client, with what its programs read from their environment. A secret is told by the answer
/// that makes it, and by no other.
async fn of_client(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let id = ClientId::new(id.into_inner());
    let client = caller.got(caller.app.administration.find_client(&id).await)?;
    let issuer = caller.app.provider.issuer();
    let environment = quickstart::environment(issuer, &client, None);
    let env = quickstart::env_file(&environment);
    let environment: Map<_, _> =
        environment.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    Ok(answer(json!({
        "client_id": client.client_id,
        "kind": client.kind,
        "environment": environment,
        "env": env,
        "needs_client_secret": client.token_endpoint_auth_method.uses_secret(),
        "needs_redirect_uri": quickstart::needs_redirect_uri(&client),
        "programs": described(&quickstart::for_client(issuer, &client)),
    })))
}

/// For an API: how it checks the access tokens that it is sent.
async fn of_api(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let identifier = asked.get("api").ok_or_else(|| caller.invalid("api", "must be said"))?;
    let api = caller.got(caller.app.administration.find_api(&identifier).await)?;
    let programs = quickstart::for_api(caller.app.provider.issuer(), &api);
    Ok(answer(json!({ "api": api.identifier, "programs": described(&programs) })))
}
