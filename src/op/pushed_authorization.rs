//! Pushed authorization requests — RFC 9126, RFC 9101 §3, FAPI 2.0 §5.3.2.2.
//!
//! The client proves itself and hands its request over; what the browser carries is a reference.
//! A reference may be opened again until somebody was answered, since people reload pages, but is
//! answered once: the answer claims it in its own act.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::authorization_request as table;
use crate::protocol::client::Client;
use crate::protocol::error::Refusal;
use crate::protocol::id::ClientId;
use crate::protocol::metadata::path;
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;
use crate::protocol::scope;
use crate::protocol::secret::SecretString;
use crate::store::WriteTx;
use crate::store::single_use::SingleUse;

/// What every reference begins with (RFC 9126 §2.2).
const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// Parameters by which the client proves itself; they are no part of the request (RFC 9126 §2.1).
const OF_THE_CLIENT: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// Longer than any page waits for a person.
const OPEN_AT_MOST: Duration = Duration::from_secs(2 * 3600);

/// The answer (RFC 9126 §2.2).
#[derive(Serialize)]
pub struct PushedResponse {
    request_uri: String,
    expires_in: u64,
}

#[derive(Serialize, Deserialize)]
struct Pushed {
    client_id: ClientId,
    params: Vec<(String, String)>,
}

/// A pushed request that a browser brought the reference of.
pub(super) struct Opened {
    pub(super) params: Params,
    /// Under which it is claimed when it is answered.
    pub(super) key: String,
}

impl Provider {
    /// Takes a request in.
    ///
    /// # Errors
    /// `invalid_client`; `invalid_request` when it refers to another request; whatever the
    /// authorization endpoint would say of the request.
    pub async fn push(
        &self,
        presented: &Presented<'_>,
        params: &Params,
    ) -> Result<PushedResponse, Failure> {
        let now = self.clock.now();
        let registered = self.authenticate_client(presented, params, now).await?;
        let client = &registered.client;
        if params.all("request_uri").next().is_some() {
            let text = "request_uri cannot be pushed (RFC 9126 section 2.1)";
            return Err(Refusal::invalid_request(text).into());
        }
        let request = self.opened(client, params, now).await?.without(&OF_THE_CLIENT);
        // Every rule of the authorization endpoint, here where the client itself hears the answer.
        let endpoint = path::PUSHED_AUTHORIZATION_REQUEST;
        let request = match self.pushed_key(client, presented, &request, endpoint, now).await? {
            None => request,
            Some(jkt) => request.without(&["dpop_jkt"]).with("dpop_jkt", &jkt),
        };
        // Whoever pushed may have left out its name, which its proof tells.
        let request = if request.all("client_id").next().is_some() {
            request
        } else {
            request.with("client_id", client.client_id.as_str())
        };
        let (return_to, given) = table::return_to(client, &request)?;
        let asked = table::check(client, self.profile_of(client), &request, return_to, given)?;
        let resources = scope::resources(client, &asked.resources)?;
        let apis = self.store.find_apis(&resources).await?;
        scope::decide(client, &asked.scope, resources, &apis, true)?;

        let reference = SecretString::random(self.entropy.as_ref());
        let key = self.vault.hash(reference.expose()).to_text();
        let pushed =
            Pushed { client_id: client.client_id.clone(), params: request.pairs().to_vec() };
        let payload = serde_json::to_vec(&pushed)?;
        let ttl = self.policy.pushed_request_ttl;
        let expires_at = now.plus(ttl);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.park(SingleUse::PushedRequest, &key, &payload, expires_at, now).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        Ok(PushedResponse {
            request_uri: format!("{URN}{}", reference.expose()),
            expires_in: ttl.as_secs(),
        })
    }

    /// The request that `request_uri` refers to; `None` when `params` refer to none of ours.
    ///
    /// # Errors
    /// `invalid_request_uri` for a reference that is unknown, expired, answered or another
    /// client's.
    pub(super) async fn open_pushed(
        &self,
        client: &Client,
        params: &Params,
        now: Timestamp,
    ) -> Result<Option<Opened>, Failure> {
        let Some(reference) = params.one("request_uri")?.and_then(|uri| uri.strip_prefix(URN))
        else {
            return Ok(None);
        };
        let key = self.vault.hash(reference).to_text();
        let parked = self.store.find_parked(SingleUse::PushedRequest, &key).await?;
        let Some(parked) = parked.filter(|parked| parked.expires_at > now) else {
            return Err(not_good().detail("unknown or expired").into());
        };
        let answered = self.store.find_parked(SingleUse::AnsweredRequest, &key).await?;
        if answered.is_some() {
            return Err(not_good().detail("answered before").into());
        }
        let pushed: Pushed = serde_json::from_slice(&parked.payload)?;
        if pushed.client_id != client.client_id {
            return Err(not_good().detail("another client's").into());
        }
        Ok(Some(Opened { params: Params::from_pairs(pushed.params)?, key }))
    }
}

/// Claims a pushed request for the one answer it may have; `false` when it had one. A request that
/// was not pushed may always be answered.
pub(super) async fn claim_answer(
    tx: &WriteTx,
    key: Option<&str>,
    now: Timestamp,
) -> Result<bool, Failure> {
    let Some(key) = key else { return Ok(true) };
    // The reference is dead long before, but a page that was opened in time may wait for a person.
    let until = now.plus(OPEN_AT_MOST);
    Ok(tx.claim(SingleUse::AnsweredRequest, key, until, now).await?)
}

/// The words that tests of conformance look for on the page.
fn not_good() -> Refusal {
    Refusal::invalid_request_uri("request_uri is invalid or expired")
}
