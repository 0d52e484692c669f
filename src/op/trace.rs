//! Noting the steps of a sign-in, each in the act that takes it. Refusals are told in their own
//! words, which hold no secret; of what came from outside only what was there.

use serde_json::{Value, json};

use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::sign_in::{SignInStep, Step};
use crate::store::{StoreFault, WriteTx};
use crate::upstream::Callback;

/// Notes a step of a sign-in that has an id.
pub(super) async fn note(
    tx: &WriteTx,
    sign_in: Option<&str>,
    step: Step,
    detail: Value,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let Some(sign_in) = sign_in else { return Ok(()) };
    tx.note_sign_in_step(&SignInStep::new(sign_in, step, now).detail(detail)).await
}

impl Provider {
    /// Notes a failure of a sign-in that nothing else tells of, under the id that its page shows.
    pub async fn note_failed(&self, id: Option<String>, failure: &Failure) {
        self.note_alone(id, Step::Failed, failure).await;
    }

    /// Notes the failure of a request that belongs to no sign-in, under its own id.
    pub async fn note_lost(&self, id: Option<String>, failure: &Failure) {
        self.note_alone(id, Step::Lost, failure).await;
    }

    async fn note_alone(&self, id: Option<String>, step: Step, failure: &Failure) {
        let Some(id) = id else { return };
        let step = SignInStep::new(id, step, self.clock.now());
        let step = step.detail(self::failure(failure));
        let noted =
            self.store.write(move |tx| Box::pin(async move { tx.note_sign_in_step(&step).await }));
        let noted: Result<(), StoreFault> = noted.await;
        if let Err(fault) = noted {
            tracing::error!(%fault, "a failed sign-in could not be noted");
        }
    }
}

/// The step of a browser that came back.
pub(super) fn returned(sign_in: &str, callback: &Callback, now: Timestamp) -> SignInStep {
    let there = [
        ("code", &callback.code),
        ("id_token", &callback.id_token),
        ("user", &callback.user),
        ("error", &callback.error),
    ];
    let brought: Vec<&str> =
        there.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name).collect();
    SignInStep::new(sign_in, Step::Returned, now).detail(json!({ "brought": brought }))
}

/// What a refusal says, for those who look into it.
pub(super) fn refusal(refusal: &Refusal) -> Value {
    json!({
        "error": refusal.code.as_str(),
        "description": refusal.description,
        "detail": refusal.detail,
    })
}

/// What a failure says, for those who look into it.
pub(super) fn failure(failure: &Failure) -> Value {
    match failure {
        Failure::Refused(refused) => refusal(refused),
        Failure::Fault(_) => json!({ "error": "server_error" }),
    }
}
