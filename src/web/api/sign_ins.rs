//! Traces of sign-ins, in the admin API.

use actix_web::{Error, HttpResponse, web};
use serde_json::{Value, json};

use super::{Asked, Caller, answer, page};
use crate::op::explanation::explain_step;
use crate::protocol::sign_in::SignInStep;

/// The routes.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/sign-ins").route(web::get().to(list)))
        .service(web::resource("/sign-ins/{id}").route(web::get().to(show)));
}

fn described(step: &SignInStep) -> Value {
    json!({
        "sign_in": step.sign_in,
        "at": step.at.millis(),
        "step": step.step,
        "detail": step.detail,
    })
}

async fn list(caller: Caller, asked: Asked) -> Result<HttpResponse, Error> {
    let one_more = asked.limit().saturating_add(1);
    let administration = &caller.app.administration;
    let found = administration.latest_sign_ins(asked.number("after"), one_more).await;
    let mut found = caller.got(found)?;
    let next = asked.rest(&mut found, |(number, _)| number.to_string());
    Ok(page(found.iter().map(|(_, step)| described(step)).collect(), next))
}

async fn show(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let steps = caller.got(caller.app.administration.sign_in_steps(&id).await)?;
    let why = steps.iter().rev().find_map(explain_step);
    let described: Vec<_> = steps.iter().map(described).collect();
    Ok(answer(json!({ "id": *id, "steps": described, "explanation": why })))
}
