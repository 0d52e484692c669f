//! Device authorization: from the device's question to the person's answer — RFC 8628 §3.1–3.3.
//!
//! A person who enters a user code gets an interaction as any sign-in does, so that all that is
//! checked there is checked here. It ends at a page of ours: the device asks at the token endpoint.
//! People are always asked, also about the operator's own apps, since the code may have come from
//! somebody else (§5.4).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::authorize::Next;
use super::branding::ClientLook;
use super::interaction::{Browser, Interaction, Situation};
use super::sign_in_pages::display_name;
use super::{Failure, Fault, Provider, trace};
use crate::protocol::ambient::Timestamp;
use crate::protocol::api::Api;
use crate::protocol::authorization_request::{AuthorizationRequest, Prompt};
use crate::protocol::authorization_response::{
    AuthorizationResponse, ResponseMode, ReturnTo, with_query,
};
use crate::protocol::claims_request::{ClaimsRequest, NamedClaims};
use crate::protocol::client::{Client, GrantType};
use crate::protocol::device_code::{DeviceGrant, INTERVAL, LIFETIME, UserCode};
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::grant::GrantTerms;
use crate::protocol::id::InteractionId;
use crate::protocol::metadata::path;
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;
use crate::protocol::scope;
use crate::protocol::secret::{SecretHash, SecretString};
use crate::protocol::session::Session;
use crate::protocol::sign_in::Step;
use crate::protocol::user::User;
use crate::store::StoreFault;
use crate::store::devices::DeviceAuthorization;
use crate::store::single_use::SingleUse;

/// What a device is told (RFC 8628 §3.2).
#[derive(Serialize)]
pub struct DeviceAuthorizationResponse {
    pub(super) device_code: String,
    pub(super) user_code: String,
    pub(super) verification_uri: String,
    pub(super) verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

impl DeviceAuthorizationResponse {
    /// How long both codes are good.
    pub(super) const fn lifetime(&self) -> Duration {
        Duration::from_secs(self.expires_in)
    }
}

/// The device an interaction is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WaitingDevice {
    device_code_hash: String,
    user_code: UserCode,
    /// The languages that the device wished for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ui_locales: Option<String>,
}

/// The page that asks whether a device may be connected.
pub struct DevicePage {
    /// The interaction.
    pub interaction: InteractionId,
    /// The client on the device.
    pub client_name: String,
    /// The code the device must show.
    pub user_code: String,
    /// Who is asked.
    pub signed_in_as: String,
    /// Requested scope values with what they mean, if an API says so.
    pub scopes: Vec<(String, String)>,
    /// The languages that the device wished for.
    pub ui_locales: Option<String>,
    /// How the client looks.
    pub look: Box<ClientLook>,
}

impl Provider {
    /// Answers a device authorization request (RFC 8628 §3.1).
    ///
    /// # Errors
    /// `invalid_client`, `unauthorized_client`, `invalid_scope` and `invalid_target`.
    pub async fn authorize_device(
        &self,
        presented: &Presented<'_>,
        params: &Params,
    ) -> Result<DeviceAuthorizationResponse, Failure> {
        let now = self.clock.now();
        let registered = self.authenticate_client(presented, params, now).await?;
        let client = &registered.client;
        if !client.may_use(GrantType::DeviceCode) {
            return Err(Refusal::unauthorized_client(
                "this client is not registered for device authorization",
            )
            .into());
        }
        let requested = scope::parse(params.one("scope")?.unwrap_or_default())?;
        let resources: Vec<String> = params
            .all("resource")
            .filter(|resource| *resource != self.own_resource())
            .map(ToOwned::to_owned)
            .collect();
        let ui_locales = params.one("ui_locales")?;
        self.open_device(client, &requested, &resources, ui_locales, now).await
    }

    /// Gives a device of a client that has proved itself its two codes.
    ///
    /// # Errors
    /// `invalid_scope` and `invalid_target`.
    pub(super) async fn open_device(
        &self,
        client: &Client,
        requested: &[String],
        resources: &[String],
        ui_locales: Option<&str>,
        now: Timestamp,
    ) -> Result<DeviceAuthorizationResponse, Failure> {
        let resources = scope::resources(client, resources)?;
        let apis: Vec<Api> =
            self.apis(&resources).await?.iter().map(|api| api.as_ref().clone()).collect();
        let access = scope::decide(client, requested, resources, &apis, true)?;

        let device_code = SecretString::random(self.entropy.as_ref());
        let waiting = |user_code: &UserCode, access| DeviceAuthorization {
            device_code_hash: self.vault.hash(device_code.expose()),
            user_code_hash: self.vault.hash(user_code.as_str()),
            client_id: client.client_id.clone(),
            access,
            created_at: now,
            expires_at: now.plus(LIFETIME),
            poll_interval: i64::try_from(INTERVAL.as_millis()).unwrap_or(i64::MAX),
            hurried: false,
            decided_at: None,
            given: None,
            spent_at: None,
        };
        let mut attempts = 0;
        let user_code = loop {
            let user_code = UserCode::random(self.entropy.as_ref());
            let row = waiting(&user_code, access.clone());
            let stored: Result<(), StoreFault> = self
                .store
                .write(move |tx| Box::pin(async move { tx.insert_device(&row).await }))
                .await;
            match stored {
                Ok(()) => break user_code,
                // One chance in millions, even with thousands of devices waiting.
                Err(StoreFault::Conflict(_)) if attempts < 3 => attempts += 1,
                Err(fault) => return Err(Fault::from(fault).into()),
            }
        };
        let verification_uri = format!("{}{}", self.issuer, path::DEVICE);
        let mut complete = vec![("user_code", user_code.to_string())];
        // Whoever follows the link reads the language of the device.
        complete.extend(ui_locales.map(|tags| ("ui_locales", tags.to_owned())));
        Ok(DeviceAuthorizationResponse {
            device_code: device_code.expose().clone(),
            verification_uri_complete: with_query(&verification_uri, &complete),
            verification_uri,
            user_code: user_code.to_string(),
            expires_in: LIFETIME.as_secs(),
            interval: INTERVAL.as_secs(),
        })
    }

    /// A person entered a code: opens an interaction in their browser, or `None` when no device
    /// waits under it.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn enter_user_code(
        &self,
        entry: &str,
        ui_locales: Option<&str>,
        browser: &Browser,
    ) -> Result<Option<InteractionId>, Failure> {
        let now = self.clock.now();
        let Some(user_code) = UserCode::parse(entry) else { return Ok(None) };
        let hash = self.vault.hash(user_code.as_str());
        let Some(device) = self.store.find_waiting_device(&hash, now).await? else {
            return Ok(None);
        };
        let id = InteractionId::random(self.entropy.as_ref());
        let interaction = Interaction {
            sign_in: Some(id.to_string()),
            client_id: device.client_id.clone(),
            request: self.request_of(&device, ui_locales),
            started_at: now,
            pushed: None,
            browser: browser.binding_hash().cloned().unwrap_or_default(),
            device: Some(WaitingDevice {
                device_code_hash: device.device_code_hash.to_text(),
                user_code,
                ui_locales: ui_locales.map(ToOwned::to_owned),
            }),
        };
        let asked = json!({
            "client_id": interaction.client_id,
            "scope": interaction.request.scope,
            "device": true,
        });
        let payload = serde_json::to_vec(&interaction)?;
        let key = id.to_string();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let expires_at = device.expires_at;
                    tx.park(SingleUse::Interaction, &key, &payload, expires_at, now).await?;
                    trace::note(tx, Some(&key), Step::Requested, asked, now).await?;
                    Ok::<_, Failure>(())
                })
            })
            .await?;
        Ok(Some(id))
    }

    /// The device's wish as an authorization request whose answer goes to a page of ours.
    fn request_of(
        &self,
        device: &DeviceAuthorization,
        ui_locales: Option<&str>,
    ) -> AuthorizationRequest {
        AuthorizationRequest {
            return_to: ReturnTo {
                redirect_uri: self.device_done(),
                response_mode: ResponseMode::Query,
                state: None,
                ui_locales: ui_locales.map(ToOwned::to_owned),
            },
            redirect_uri_given: true,
            scope: device.access.scope.clone(),
            resources: device.access.resources.clone(),
            nonce: None,
            code_challenge: None,
            prompt: Prompt::default(),
            max_age: None,
            connection: None,
            login_hint: None,
            id_token_hint: None,
            claims: ClaimsRequest::default(),
            dpop_jkt: None,
            acr_values: Vec::new(),
        }
    }

    fn device_done(&self) -> String {
        format!("{}{}/done", self.issuer, path::DEVICE)
    }

    pub(super) fn device_page(
        id: &InteractionId,
        device: &WaitingDevice,
        situation: &Situation,
        user: &User,
    ) -> DevicePage {
        DevicePage {
            interaction: id.clone(),
            client_name: situation.client.client_name.clone(),
            user_code: device.user_code.to_string(),
            signed_in_as: display_name(user),
            scopes: situation.described_scopes(),
            ui_locales: device.ui_locales.clone(),
            look: Box::new(ClientLook::of(&situation.client)),
        }
    }

    /// The person says yes: the device gets its grant at its next question.
    pub(super) async fn connect_device(
        &self,
        id: &InteractionId,
        device: &WaitingDevice,
        situation: &Situation,
        (session, user): &(Session, User),
        now: Timestamp,
    ) -> Result<Next, Failure> {
        let given = DeviceGrant {
            sign_in: Some(id.to_string()),
            user_id: user.id.clone(),
            session_id: session.id.clone(),
            connection_id: session.connection_id.clone(),
            terms: GrantTerms {
                sub: self.sub_for(&situation.client, user),
                scope: situation.access.scope.clone(),
                resources: situation.access.resources.clone(),
                auth_time: session.auth_time,
                amr: session.amr.clone(),
                nonce: None,
                claims: NamedClaims::default(),
                // Its own token request shows the device's key.
                cnf: None,
            },
        };
        let event = Event::new(now, "device.connected", format!("user:{}", user.id))
            .target(situation.client.client_id.to_string());
        self.settle_device(id, device, Some(given), event, now).await
    }

    /// The person says no.
    pub(super) async fn turn_device_away(
        &self,
        id: &InteractionId,
        interaction: &Interaction,
        device: &WaitingDevice,
        now: Timestamp,
    ) -> Result<Next, Failure> {
        let event =
            Event::new(now, "device.refused", "system").target(interaction.client_id.to_string());
        self.settle_device(id, device, None, event, now).await
    }

    async fn settle_device(
        &self,
        id: &InteractionId,
        device: &WaitingDevice,
        given: Option<DeviceGrant>,
        event: Event,
        now: Timestamp,
    ) -> Result<Next, Failure> {
        let gone = || Refusal::invalid_request("this sign-in is unknown, expired or finished");
        let hash = SecretHash::from_text(&device.device_code_hash).ok_or_else(gone)?;
        let key = id.to_string();
        let said_yes = given.is_some();
        let settled: Result<(), Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if tx.spend(SingleUse::Interaction, &key, now).await?.is_none()
                        || !tx.decide_device(&hash, given.as_ref(), now).await?
                    {
                        return Ok::<_, Failure>(Err(gone()));
                    }
                    tx.record(&event).await?;
                    let (step, detail) = if said_yes {
                        (Step::Consented, json!({ "device": true }))
                    } else {
                        let no = Refusal::access_denied("the person said no to the device");
                        (Step::Refused, trace::refusal(&no))
                    };
                    trace::note(tx, Some(&key), step, detail, now).await?;
                    Ok(Ok(()))
                })
            })
            .await?;
        settled?;
        let mut told = Vec::new();
        told.extend((!said_yes).then(|| ("error", "access_denied".to_owned())));
        told.extend(device.ui_locales.clone().map(|tags| ("ui_locales", tags)));
        let mut answer = self.device_done();
        if !told.is_empty() {
            answer = with_query(&answer, &told);
        }
        Ok(Next::Answer(AuthorizationResponse::Redirect(answer)))
    }
}
