//! Registering, changing and removing clients — RFC 7591 §2, without its endpoint.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::metadata::{client_metadata, difference};
use super::rules::client_problems;
use super::security_rules::security_problems;
use super::{Actor, AdminError, Administration, FieldProblem, checked, unchanged};
use crate::op::subjects;
use crate::protocol::admin::Role;
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::{Client, ClientKind, GrantType, TokenEndpointAuthMethod};
use crate::protocol::client_settings;
use crate::protocol::id::ClientId;
use crate::protocol::jose::Algorithm;
use crate::protocol::profile::Profile;
use crate::protocol::secret::SecretString;
use crate::store::clients::{ListQuery, Page};
use crate::store::{StoreFault, WriteTx};

/// A client to register: its kind's defaults, changed by `change`.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// What is being built; cannot be changed later.
    pub kind: ClientKind,
    /// `client_name`.
    pub client_name: String,
    /// A chosen `client_id`; drawn when absent.
    pub client_id: Option<String>,
    /// What shall differ from the kind's defaults.
    pub change: ClientChange,
}

impl NewClient {
    /// A client with its kind's defaults.
    pub fn of_kind(kind: ClientKind, client_name: impl Into<String>) -> Self {
        Self {
            kind,
            client_name: client_name.into(),
            client_id: None,
            change: ClientChange::default(),
        }
    }
}

/// What shall be changed of a client; `None` leaves it. Fields are those of [`Client`].
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each field is documented at Client")]
pub struct ClientChange {
    /// The version that was seen; `None` changes whatever stands.
    pub version: Option<i32>,
    pub client_name: Option<String>,
    pub redirect_uris: Option<Vec<String>>,
    pub post_logout_redirect_uris: Option<Vec<String>>,
    pub grant_types: Option<Vec<GrantType>>,
    pub scope: Option<Vec<String>>,
    pub token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,
    pub id_token_signed_response_alg: Option<Algorithm>,
    pub require_pkce: Option<bool>,
    pub first_party: Option<bool>,
    pub resources: Option<Vec<String>>,
    /// `Some(None)` takes the default away.
    pub default_resource: Option<Option<String>>,
    pub apple_bundle_ids: Option<Vec<String>>,
    pub require_native_challenge: Option<bool>,
    pub refresh_token_idle_ttl: Option<u32>,
    pub refresh_token_absolute_ttl: Option<u32>,
    /// Members of `ClientSettings` to set; `null` takes one away.
    pub settings: Map<String, Value>,
    /// Switches the client off or on.
    pub disabled: Option<bool>,
}

/// A client, with its secret the one time it is shown.
#[derive(Debug)]
pub struct RegisteredClient {
    /// The metadata as stored.
    pub client: Client,
    /// `client_secret`: after creation and rotation of a confidential client only.
    pub client_secret: Option<SecretString>,
}

impl ClientChange {
    /// Applies the change; returns the names of the fields that differ now.
    pub(super) fn apply(
        self,
        client: &mut Client,
        now: Timestamp,
    ) -> Result<Vec<&'static str>, AdminError> {
        let before = client.clone();
        macro_rules! set {
            ($($field:ident),* $(,)?) => { $(
                if let Some(value) = self.$field {
                    client.$field = value;
                }
            )* };
        }
        set!(
            client_name,
            redirect_uris,
            post_logout_redirect_uris,
            grant_types,
            scope,
            token_endpoint_auth_method,
            id_token_signed_response_alg,
            require_pkce,
            first_party,
            resources,
            default_resource,
            apple_bundle_ids,
            require_native_challenge,
            refresh_token_idle_ttl,
            refresh_token_absolute_ttl,
        );
        client.settings = client_settings::merge(&client.settings, &self.settings)
            .map_err(|error| AdminError::invalid("settings", error.to_string()))?;
        if let Some(disabled) = self.disabled
            && disabled != client.disabled_at.is_some()
        {
            client.disabled_at = disabled.then_some(now);
        }
        macro_rules! differing {
            ($($field:ident),* $(,)?) => {
                [$((stringify!($field), before.$field != client.$field)),*]
            };
        }
        let fields = differing!(
            client_name,
            redirect_uris,
            post_logout_redirect_uris,
            grant_types,
            scope,
            token_endpoint_auth_method,
            id_token_signed_response_alg,
            require_pkce,
            first_party,
            resources,
            default_resource,
            apple_bundle_ids,
            require_native_challenge,
            refresh_token_idle_ttl,
            refresh_token_absolute_ttl,
            settings,
            disabled_at,
        );
        Ok(fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect())
    }
}

impl Administration {
    /// Registers a client. Its secret, if it keeps one, is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] lists every broken rule, a taken `client_id` included.
    pub async fn create_client(
        &self,
        actor: &Actor,
        new: NewClient,
    ) -> Result<RegisteredClient, AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let client_id =
            new.client_id.map_or_else(|| ClientId::random(self.entropy.as_ref()), ClientId::new);
        let mut client = Client::of_kind(client_id, new.kind, now);
        client.client_name = new.client_name;
        checked(self.unknown_connections(&new.change.settings).await?)?;
        new.change.apply(&mut client, now)?;
        self.check_sector(&client).await?;
        let secret = client.token_endpoint_auth_method.uses_secret().then(|| self.draw_secret(now));
        let (client_secret, stored) = secret.unzip();
        let event = actor
            .event(now, "client.created", client.client_id.as_str())
            .detail(json!({ "kind": client.kind.as_str(), "client_name": client.client_name }));
        let minimum = self.minimum_profile;
        let client = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    check(tx, &client, minimum).await?;
                    tx.insert_client(&client, stored.as_ref()).await?;
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(client)
                })
            })
            .await
            .map_err(|error| error.taken("client_id"))?;
        Ok(RegisteredClient { client, client_secret })
    }

    /// Changes a client.
    ///
    /// # Errors
    /// [`AdminError::Conflict`] when it no longer stands at the version seen;
    /// [`AdminError::Invalid`] when the result would break a rule.
    pub async fn update_client(
        &self,
        actor: &Actor,
        id: &ClientId,
        change: ClientChange,
    ) -> Result<Client, AdminError> {
        actor.must_edit(id)?;
        checked(self.unknown_connections(&change.settings).await?)?;
        let now = self.clock.now();
        let (actor, id) = (actor.clone(), id.clone());
        let minimum = self.minimum_profile;
        let sector = self.sector_after(&id, &change, now).await?;
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut client = tx.find_client(&id).await?.ok_or(AdminError::NotFound)?;
                    unchanged(change.version, client.version)?;
                    let before = client_metadata(&client);
                    let changed = change.apply(&mut client, now)?;
                    if changed.is_empty() {
                        return Ok(client);
                    }
                    must_be_an_editors(&actor, &changed)?;
                    client.updated_at = now;
                    check(tx, &client, minimum).await?;
                    // What was looked at outside is what is stored.
                    if sector_of(&client) != sector || !tx.update_client(&client).await? {
                        return Err(AdminError::Conflict);
                    }
                    client.version = client.version.saturating_add(1);
                    let event = actor.event(now, "client.updated", id.as_str());
                    let changed = difference(&before, &client_metadata(&client));
                    tx.record(&event.detail(json!({ "changed": changed }))).await?;
                    Ok(client)
                })
            })
            .await
    }

    /// Removes a client with its secrets, consents and grants.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not there, [`AdminError::Conflict`] when it no longer
    /// stands at the version seen.
    pub async fn delete_client(
        &self,
        actor: &Actor,
        id: &ClientId,
        seen: Option<i32>,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let event = actor.event(self.clock.now(), "client.deleted", id.as_str());
        let id = id.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let stands = tx.find_client(&id).await?.ok_or(AdminError::NotFound)?;
                    unchanged(seen, stands.version)?;
                    if !tx.delete_client(&id).await? {
                        return Err(AdminError::NotFound);
                    }
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }

    /// One client.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not there.
    pub async fn find_client(&self, id: &ClientId) -> Result<Client, AdminError> {
        self.store.find_client(id).await?.ok_or(AdminError::NotFound)
    }

    /// What these clients are called, as far as they are there.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn client_names(
        &self,
        ids: &[&ClientId],
    ) -> Result<HashMap<ClientId, String>, AdminError> {
        Ok(self.store.client_names(ids).await?)
    }

    /// Clients, a page at a time.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_clients(&self, query: &ListQuery) -> Result<Page<Client>, AdminError> {
        Ok(self.store.list_clients(query).await?)
    }

    /// The sector that the client will have after `change`, its document read.
    async fn sector_after(
        &self,
        id: &ClientId,
        change: &ClientChange,
        now: Timestamp,
    ) -> Result<Option<Sector>, AdminError> {
        let mut client = self.store.find_client(id).await?.ok_or(AdminError::NotFound)?;
        let before = sector_of(&client);
        change.clone().apply(&mut client, now)?;
        let after = sector_of(&client);
        if after != before {
            self.check_sector(&client).await?;
        }
        Ok(after)
    }

    async fn check_sector(&self, client: &Client) -> Result<(), AdminError> {
        let known = match &self.outbound {
            Some(outbound) => subjects::check_sector(outbound, client).await,
            None if client.settings.sector_identifier_uri.is_some() => {
                Err("cannot be read from here".to_owned())
            }
            None => Ok(()),
        };
        known.map_err(|why| AdminError::invalid("sector_identifier_uri", why))
    }
}

/// A `sector_identifier_uri` and the redirect URIs that its document must list.
type Sector = (String, Vec<String>);

fn sector_of(client: &Client) -> Option<Sector> {
    let uri = client.settings.sector_identifier_uri.clone()?;
    Some((uri, client.redirect_uris.clone()))
}

/// What an editor may change: what the app itself is about, and nothing that gives it more rights.
const EDITORS: [&str; 3] = ["client_name", "redirect_uris", "post_logout_redirect_uris"];

fn must_be_an_editors(actor: &Actor, changed: &[&'static str]) -> Result<(), AdminError> {
    if actor.role == Role::Editor && changed.iter().any(|field| !EDITORS.contains(field)) {
        return actor.must_be(Role::Admin);
    }
    Ok(())
}

async fn check(tx: &WriteTx, client: &Client, minimum: Profile) -> Result<(), AdminError> {
    let mut problems = client_problems(client);
    problems.extend(security_problems(client, minimum));
    problems.extend(unknown_resources(tx, client).await?);
    checked(problems)?;
    let look = client.settings.branding.as_ref();
    if let Some(logo) = look.and_then(|look| look.logo.as_deref()) {
        tx.renew_picture(logo, client.updated_at).await?;
    }
    Ok(())
}

async fn unknown_resources(tx: &WriteTx, client: &Client) -> Result<Vec<FieldProblem>, StoreFault> {
    if client.resources.is_empty() {
        return Ok(Vec::new());
    }
    let known = tx.find_apis(&client.resources).await?;
    let unknown =
        client.resources.iter().filter(|name| known.iter().all(|api| api.identifier != **name));
    Ok(unknown
        .map(|name| {
            FieldProblem::new("resources", format!("{name:?} is not the identifier of an API"))
        })
        .collect())
}
