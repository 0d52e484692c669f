//! Registering, changing and removing APIs — RFC 8707's resources.

use serde_json::json;

use super::metadata::{api_metadata, difference};
use super::rules::api_problems;
use super::{Actor, AdminError, Administration, checked, unchanged};
use crate::protocol::admin::Role;
use crate::protocol::api::{ACCESS_TOKEN_TTL, Api, ApiScope};
use crate::protocol::client_settings::ApiSettings;
use crate::protocol::jose::Algorithm;
use crate::store::clients::{ListQuery, Page};
use crate::store::{StoreFault, WriteTx};

/// An API to register.
#[derive(Clone, Debug)]
pub struct NewApi {
    /// The resource indicator; cannot be changed later.
    pub identifier: String,
    /// Its name for people.
    pub name: String,
    /// The scopes it understands.
    pub scopes: Vec<ApiScope>,
    /// Seconds; ten minutes when absent.
    pub access_token_ttl: Option<u32>,
    /// RS256 when absent.
    pub signing_alg: Option<Algorithm>,
    /// Members that few APIs set.
    pub settings: ApiSettings,
}

/// What shall be changed of an API; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ApiChange {
    /// The version that was seen; `None` changes whatever stands.
    pub version: Option<i32>,
    /// Its name for people.
    pub name: Option<String>,
    /// The scopes it understands.
    pub scopes: Option<Vec<ApiScope>>,
    /// Seconds.
    pub access_token_ttl: Option<u32>,
    /// The algorithm its access tokens are signed with.
    pub signing_alg: Option<Algorithm>,
    /// Members that few APIs set.
    pub settings: Option<ApiSettings>,
}

impl ApiChange {
    pub(super) fn apply(self, api: &mut Api) {
        let Self { version: _, name, scopes, access_token_ttl, signing_alg, settings } = self;
        if let Some(name) = name {
            api.name = name;
        }
        if let Some(scopes) = scopes {
            api.scopes = scopes;
        }
        if let Some(ttl) = access_token_ttl {
            api.access_token_ttl = ttl;
        }
        if let Some(alg) = signing_alg {
            api.signing_alg = alg;
        }
        if let Some(settings) = settings {
            api.settings = settings;
        }
    }
}

impl Administration {
    /// Registers an API.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] lists every broken rule, a taken identifier included.
    pub async fn create_api(&self, actor: &Actor, new: NewApi) -> Result<Api, AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let api = Api {
            identifier: new.identifier,
            name: new.name,
            scopes: new.scopes,
            access_token_ttl: new.access_token_ttl.unwrap_or(ACCESS_TOKEN_TTL),
            signing_alg: new.signing_alg.unwrap_or(Algorithm::Rs256),
            settings: new.settings,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        checked(api_problems(&api))?;
        let event = actor.event(now, "api.created", &api.identifier);
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    tx.insert_api(&api).await?;
                    tx.record(&event).await?;
                    Ok::<_, AdminError>(api)
                })
            })
            .await
            .map_err(|error| error.taken("identifier"))
    }

    /// Changes an API.
    ///
    /// # Errors
    /// [`AdminError::Conflict`] when it no longer stands at the version seen;
    /// [`AdminError::Invalid`] when the result would break a rule.
    pub async fn update_api(
        &self,
        actor: &Actor,
        identifier: &str,
        change: ApiChange,
    ) -> Result<Api, AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let event = actor.event(now, "api.updated", identifier);
        let identifier = identifier.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let mut api = tx.find_api(&identifier).await?.ok_or(AdminError::NotFound)?;
                    unchanged(change.version, api.version)?;
                    let before = api_metadata(&api);
                    change.apply(&mut api);
                    let changed = difference(&before, &api_metadata(&api));
                    api.updated_at = now;
                    checked(api_problems(&api))?;
                    if !tx.update_api(&api).await? {
                        return Err(AdminError::Conflict);
                    }
                    tx.record(&event.detail(json!({ "changed": changed }))).await?;
                    api.version = api.version.saturating_add(1);
                    Ok(api)
                })
            })
            .await
    }

    /// Removes an API that no client may ask tokens for any more.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] names the clients that still may; [`AdminError::Conflict`] when it
    /// no longer stands at the version seen.
    pub async fn delete_api(
        &self,
        actor: &Actor,
        identifier: &str,
        seen: Option<i32>,
    ) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let (actor, identifier) = (actor.clone(), identifier.to_owned());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let stands = tx.find_api(&identifier).await?.ok_or(AdminError::NotFound)?;
                    unchanged(seen, stands.version)?;
                    let users = clients_of(tx, &identifier).await?;
                    if !users.is_empty() {
                        return Err(AdminError::invalid(
                            "identifier",
                            format!(
                                "is still a resource of {}; take it from them first",
                                users.join(", ")
                            ),
                        ));
                    }
                    if !tx.delete_api(&identifier).await? {
                        return Err(AdminError::NotFound);
                    }
                    let event = actor.event(now, "api.deleted", &identifier);
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }

    /// One API.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not there.
    pub async fn find_api(&self, identifier: &str) -> Result<Api, AdminError> {
        self.store.find_api(identifier).await?.ok_or(AdminError::NotFound)
    }

    /// APIs, a page at a time.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn page_of_apis(&self, query: &ListQuery) -> Result<Page<Api>, AdminError> {
        Ok(self.store.page_of_apis(query).await?)
    }

    /// Every API, by name.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_apis(&self) -> Result<Vec<Api>, AdminError> {
        Ok(self.store.list_apis().await?)
    }
}

async fn clients_of(tx: &WriteTx, identifier: &str) -> Result<Vec<String>, StoreFault> {
    let mut found = Vec::new();
    let mut query = ListQuery { limit: 100, ..ListQuery::default() };
    loop {
        let page = tx.list_clients(&query).await?;
        found.extend(
            page.items
                .iter()
                .filter(|client| client.resources.iter().any(|resource| resource == identifier))
                .map(|client| client.client_id.to_string()),
        );
        if page.next.is_none() {
            return Ok(found);
        }
        query.after = page.next;
    }
}
