//! An installation as one document: settings, connections, APIs, clients and trusted issuers,
//! without secrets.
//!
//! A document says how things shall be, not what to do: a member that it leaves out has its
//! default. What differs becomes a plan, and a plan is carried out by the same acts that console
//! and command line use, one thing at a time; a run that breaks off is simply run again.

mod connections;
mod documents;
mod look;
mod trusted_issuers;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use connections::ConnectionDocument;
use documents::{ApiDocument, ClientDocument};
use trusted_issuers::TrustedIssuerDocument;

use super::metadata::{api_metadata, client_metadata, difference};
use super::settings::Settings;
use super::{
    Actor, AdminError, Administration, ApiChange, ClientChange, ConnectionChange, NewApi,
    NewClient, NewConnection, NewTrustedIssuer,
};
use crate::protocol::admin::Role;
use crate::protocol::api::Api;
use crate::protocol::branding::Branding;
use crate::protocol::client::Client;
use crate::protocol::id::ClientId;
use crate::protocol::secret::SecretString;
use crate::store::clients::ListQuery;

/// The document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The console's settings; left alone when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// How the installation looks; left alone when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branding: Option<Branding>,
    /// The pictures that it and its clients show, in base64, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pictures: BTreeMap<String, String>,
    /// The connections of the database, by `id`; those of the configuration file stand there.
    #[serde(default)]
    pub connections: Vec<ConnectionDocument>,
    /// The APIs, by `identifier`.
    #[serde(default)]
    pub apis: Vec<ApiDocument>,
    /// The clients, by `client_id`.
    #[serde(default)]
    pub clients: Vec<ClientDocument>,
    /// Whose word about workloads is taken.
    #[serde(default)]
    pub trusted_issuers: Vec<TrustedIssuerDocument>,
}

/// What a step of a plan does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It is not there yet.
    Create,
    /// It differs.
    Update,
    /// The document does not name it.
    Delete,
}

/// One difference between the document and what stands.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub act: Act,
    /// To what kind of thing: `settings`, `branding`, `picture`, `connection`, `api`, `client` or `trusted_issuer`.
    pub kind: &'static str,
    /// To which: `identifier` or `client_id`.
    pub name: String,
    /// `{member: {"before": …, "after": …}}`; empty for a deletion.
    pub changed: Map<String, Value>,
    work: Work,
}

#[derive(Clone, Debug)]
enum Work {
    Settings(Settings, i32),
    Branding(Box<Branding>, i32),
    Picture(Vec<u8>),
    NewConnection(Box<NewConnection>),
    ChangeConnection(String, Box<ConnectionChange>),
    DeleteConnection(String),
    NewApi(NewApi),
    ChangeApi(String, ApiChange),
    DeleteApi(String),
    NewClient(Box<NewClient>),
    ChangeClient(ClientId, Box<ClientChange>),
    DeleteClient(ClientId),
    NewTrustedIssuer(Box<NewTrustedIssuer>),
    DeleteTrustedIssuer(String),
}

impl Administration {
    /// The installation as a document.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`]; the store's fault.
    pub async fn export_declaration(&self, actor: &Actor) -> Result<Declaration, AdminError> {
        actor.must_be(Role::Admin)?;
        let clients = self.all_clients().await?;
        let branding = self.branding().await?.0;
        Ok(Declaration {
            settings: Some(self.settings().await?.0),
            pictures: self.pictures_of(&branding, &clients).await?,
            branding: Some(branding),
            connections: self
                .list_connections()
                .await?
                .iter()
                .filter(|listed| !listed.file_managed)
                .map(ConnectionDocument::of)
                .collect(),
            trusted_issuers: self
                .list_trusted_issuers()
                .await?
                .iter()
                .map(TrustedIssuerDocument::of)
                .collect(),
            apis: self.list_apis().await?.iter().map(ApiDocument::of).collect(),
            clients: clients.iter().map(ClientDocument::of).collect(),
        })
    }

    /// What must be done so that the installation is as the document says. Things that it does not
    /// name stay, unless `prune`. Connections and APIs come before the
    /// clients that use them, and go after.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] for a document that says something impossible.
    pub async fn plan(
        &self,
        actor: &Actor,
        declaration: Declaration,
        prune: bool,
    ) -> Result<Vec<Step>, AdminError> {
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        documents::refuse_duplicates(&declaration)?;
        let mut steps = Vec::new();
        if let Some(wanted) = declaration.settings {
            let (stands, version) = self.settings().await?;
            let changed = difference(&json!(stands), &json!(wanted));
            let work = Work::Settings(wanted, version);
            steps.push(Step::of(Act::Update, "settings", "console", changed, work));
        }
        steps.extend(self.look_steps(declaration.branding, declaration.pictures).await?);
        let apis = self.list_apis().await?;
        let clients = self.all_clients().await?;
        let connections = self.list_connections().await?;
        let rules = self.list_trusted_issuers().await?;
        let standing: Vec<_> = rules.iter().map(TrustedIssuerDocument::of).collect();
        let mut gone = Vec::new();
        if prune {
            for (rule, document) in rules.iter().zip(&standing) {
                if !declaration.trusted_issuers.contains(document) {
                    gone.push(TrustedIssuerDocument::gone(rule));
                }
            }
            for client in &clients {
                let id = client.client_id.clone();
                if !declaration.clients.iter().any(|wanted| wanted.client_id == id.as_str()) {
                    gone.push(Step::delete("client", id.to_string(), Work::DeleteClient(id)));
                }
            }
            for Api { identifier, .. } in &apis {
                if !declaration.apis.iter().any(|wanted| wanted.identifier == *identifier) {
                    let work = Work::DeleteApi(identifier.clone());
                    gone.push(Step::delete("api", identifier.clone(), work));
                }
            }
            for listed in connections.iter().filter(|listed| !listed.file_managed) {
                let id = listed.connection.id.to_string();
                if !declaration.connections.iter().any(|wanted| wanted.id == id) {
                    gone.push(Step::delete("connection", id.clone(), Work::DeleteConnection(id)));
                }
            }
        }
        for wanted in declaration.connections {
            let stands = connections.iter().find(|one| one.connection.id.as_str() == wanted.id);
            steps.push(wanted.step(stands)?);
        }
        for wanted in declaration.apis {
            let stands = apis.iter().find(|api| api.identifier == wanted.identifier);
            steps.push(wanted.step(stands, now)?);
        }
        for wanted in declaration.clients {
            let id = wanted.client_id.as_str();
            let stands = clients.iter().find(|client| client.client_id.as_str() == id);
            steps.push(wanted.step(stands, now)?);
        }
        let rules = declaration.trusted_issuers.into_iter();
        steps.extend(rules.filter_map(|wanted| wanted.step(&standing)));
        // What differs in nothing needs no step.
        steps.retain(|step| step.act == Act::Create || !step.changed.is_empty());
        steps.extend(gone);
        Ok(steps)
    }

    /// Carries out one step. Answers the secret of a new confidential client: the only time that
    /// it is shown.
    ///
    /// # Errors
    /// [`AdminError::Conflict`] when the thing was changed since the plan was made; what the act
    /// itself refuses.
    pub async fn carry_out(
        &self,
        actor: &Actor,
        step: Step,
    ) -> Result<Option<SecretString>, AdminError> {
        match step.work {
            Work::Settings(settings, version) => {
                self.change_settings(actor, settings, version).await?;
            }
            Work::Branding(branding, version) => {
                self.change_branding(actor, *branding, version).await?;
            }
            Work::Picture(content) => {
                self.keep_picture(actor, None, content).await?;
            }
            Work::NewApi(new) => {
                self.create_api(actor, new).await?;
            }
            Work::ChangeApi(identifier, change) => {
                self.update_api(actor, &identifier, change).await?;
            }
            Work::DeleteApi(identifier) => self.delete_api(actor, &identifier, None).await?,
            Work::NewClient(new) => {
                return Ok(self.create_client(actor, *new).await?.client_secret);
            }
            Work::ChangeClient(id, change) => {
                self.update_client(actor, &id, *change).await?;
            }
            Work::DeleteClient(id) => self.delete_client(actor, &id, None).await?,
            Work::NewConnection(new) => {
                self.create_connection(actor, *new).await?;
            }
            Work::ChangeConnection(id, change) => {
                self.update_connection(actor, &id, *change).await?;
            }
            Work::DeleteConnection(id) => self.delete_connection(actor, &id, None).await?,
            Work::NewTrustedIssuer(new) => {
                self.create_trusted_issuer(actor, *new).await?;
            }
            Work::DeleteTrustedIssuer(id) => self.delete_trusted_issuer(actor, &id).await?,
        }
        Ok(None)
    }

    async fn all_clients(&self) -> Result<Vec<Client>, AdminError> {
        let mut clients = Vec::new();
        let mut query = ListQuery { limit: 500, ..ListQuery::default() };
        loop {
            let page = self.list_clients(&query).await?;
            clients.extend(page.items);
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        clients.sort_by(|a, b| a.client_id.as_str().cmp(b.client_id.as_str()));
        Ok(clients)
    }
}

impl Step {
    fn of(
        act: Act,
        kind: &'static str,
        name: impl Into<String>,
        changed: Map<String, Value>,
        work: Work,
    ) -> Self {
        Self { act, kind, name: name.into(), changed, work }
    }

    fn delete(kind: &'static str, name: String, work: Work) -> Self {
        Self::of(Act::Delete, kind, name, Map::new(), work)
    }

    fn client(stands: Option<&Client>, wanted: &Client, change: ClientChange) -> Self {
        let name = wanted.client_id.to_string();
        let after = client_metadata(wanted);
        match stands {
            None => {
                let new = NewClient {
                    kind: wanted.kind,
                    client_name: wanted.client_name.clone(),
                    client_id: Some(name.clone()),
                    change,
                };
                let changed = difference(&Value::Null, &after);
                Self::of(Act::Create, "client", name, changed, Work::NewClient(Box::new(new)))
            }
            Some(stands) => {
                let changed = difference(&client_metadata(stands), &after);
                let change = ClientChange { version: Some(stands.version), ..change };
                let work = Work::ChangeClient(stands.client_id.clone(), Box::new(change));
                Self::of(Act::Update, "client", name, changed, work)
            }
        }
    }

    fn api(stands: Option<&Api>, wanted: &Api) -> Self {
        let name = wanted.identifier.clone();
        let after = api_metadata(wanted);
        match stands {
            None => {
                let new = NewApi {
                    identifier: name.clone(),
                    name: wanted.name.clone(),
                    scopes: wanted.scopes.clone(),
                    access_token_ttl: Some(wanted.access_token_ttl),
                    signing_alg: Some(wanted.signing_alg),
                    settings: wanted.settings.clone(),
                };
                let changed = difference(&Value::Null, &after);
                Self::of(Act::Create, "api", name, changed, Work::NewApi(new))
            }
            Some(stands) => {
                let mut changed = difference(&api_metadata(stands), &after);
                changed.remove("created_at");
                let change = ApiChange {
                    version: Some(stands.version),
                    name: Some(wanted.name.clone()),
                    scopes: Some(wanted.scopes.clone()),
                    access_token_ttl: Some(wanted.access_token_ttl),
                    signing_alg: Some(wanted.signing_alg),
                    settings: Some(wanted.settings.clone()),
                };
                Self::of(Act::Update, "api", name.clone(), changed, Work::ChangeApi(name, change))
            }
        }
    }
}
