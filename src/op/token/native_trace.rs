//! A native sign-in, step by step: it is one request, under whose id it is found.

use serde_json::json;

use super::TokenRequest;
use crate::op::{Failure, Provider, trace};
use crate::protocol::event::Event;
use crate::protocol::id::{ConnectionId, UserId};
use crate::protocol::sign_in::{SignInStep, Step};
use crate::store::{StoreFault, WriteTx};

/// What an app may bring, in the order it is looked at; told by name alone.
const BROUGHT: [&str; 4] = ["subject_token", "authorization_code", "user", "actor_token"];

/// The steps up to the answer, ready to be noted in the act that takes them.
pub(super) struct NativeTrace {
    steps: [SignInStep; 2],
    connection: ConnectionId,
}

impl NativeTrace {
    /// The request and what it brought; `None` for one that names no connection or has no id.
    pub(super) fn of(request: &TokenRequest<'_>) -> Option<Self> {
        let sign_in = request.sign_in.as_deref()?;
        let connection = ConnectionId::new(request.params.one("subject_issuer").ok()??);
        let there = |name: &&str| matches!(request.params.one(name), Ok(Some(_)));
        let brought: Vec<&str> = BROUGHT.into_iter().filter(there).collect();
        let asked = json!({
            "client_id": request.client().client_id,
            "connection": connection,
            "native": true,
        });
        let step = |step| SignInStep::new(sign_in, step, request.now);
        let steps = [
            step(Step::Requested).detail(asked),
            step(Step::Returned).detail(json!({ "brought": brought })),
        ];
        Some(Self { steps, connection })
    }

    /// Notes that somebody is signed in and that the app has its tokens, and records it.
    pub(super) async fn note_success(
        self,
        tx: &WriteTx,
        user: &UserId,
        client_id: &str,
    ) -> Result<(), StoreFault> {
        let Self { steps, connection } = self;
        let [asked, returned] = &steps;
        let step = |step| SignInStep::new(asked.sign_in.clone(), step, asked.at);
        let here = json!({ "connection": connection, "user": user });
        let signed_in = step(Step::SignedIn).detail(here);
        let redeemed = step(Step::Redeemed).detail(json!({ "client_id": client_id }));
        for step in [asked, returned, &signed_in, &redeemed] {
            tx.note_sign_in_step(step).await?;
        }
        let event = Event::new(asked.at, "login.succeeded", format!("user:{user}"))
            .target(connection.to_string())
            .request_id(Some(asked.sign_in.clone()))
            .detail(json!({ "client_id": client_id }));
        tx.record(&event).await
    }
}

impl Provider {
    /// Notes why an app was refused. The refusal stands whether or not it can be noted.
    pub(super) async fn note_refused_native(&self, request: &TokenRequest<'_>, failure: &Failure) {
        let Some(NativeTrace { steps, connection }) = NativeTrace::of(request) else { return };
        if self.connector(&connection).is_none() {
            return;
        }
        let detail = trace::failure(failure);
        let [asked, _] = &steps;
        let sign_in = asked.sign_in.clone();
        let failed =
            SignInStep::new(sign_in.clone(), Step::Failed, request.now).detail(detail.clone());
        let event = Event::new(request.now, "login.failed", "system")
            .target(connection.to_string())
            .request_id(Some(sign_in))
            .detail(detail);
        let noted = self.store.write(move |tx| {
            Box::pin(async move {
                for step in steps.iter().chain([&failed]) {
                    tx.note_sign_in_step(step).await?;
                }
                tx.record(&event).await
            })
        });
        let noted: Result<(), StoreFault> = noted.await;
        if let Err(fault) = noted {
            tracing::error!(%fault, "a refused native sign-in could not be recorded");
        }
    }
}
