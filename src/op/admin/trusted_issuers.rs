//! Trusting issuers for workloads — RFC 7523, RFC 7521 §5.

use serde_json::{Value, json};
use url::{Host, Url};

use super::rules::is_scope_token;
use super::{Actor, AdminError, Administration, FieldProblem, ListQuery, Page, checked};
use crate::protocol::admin::Role;
use crate::protocol::ambient::random;
use crate::protocol::client::GrantType;
use crate::protocol::id::ClientId;
use crate::protocol::jwk::read_set;
use crate::protocol::trusted_issuer::{Condition, MAX_LIFETIME, TrustedIssuer};

/// A rule to make.
#[derive(Clone, Debug, Default)]
pub struct NewTrustedIssuer {
    /// `iss` of its assertions.
    pub issuer: String,
    /// Where its keys are; discovery when absent.
    pub jwks_uri: Option<String>,
    /// Its keys, for an issuer that cannot be reached.
    pub jwks: Option<Value>,
    /// What `aud` must hold.
    pub audience: String,
    /// For which client.
    pub client_id: String,
    /// `claim=value` each.
    pub conditions: Vec<String>,
    /// Scope values the token may carry.
    pub scope: Vec<String>,
    /// APIs the token may be for.
    pub resources: Vec<String>,
    /// Longest life accepted, seconds.
    pub max_lifetime: Option<u32>,
    /// Whether an assertion may come more than once.
    pub allow_reuse: bool,
}

impl Administration {
    /// Makes a rule.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] when it would break one of ours.
    pub async fn create_trusted_issuer(
        &self,
        actor: &Actor,
        new: NewTrustedIssuer,
    ) -> Result<TrustedIssuer, AdminError> {
        use base64::Engine as _;
        actor.must_be(Role::Admin)?;
        let now = self.clock.now();
        let mut problems = problems(&new);
        let conditions: Vec<Condition> =
            new.conditions.iter().filter_map(|text| Condition::parse(text)).collect();
        let id = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(random::<9>(self.entropy.as_ref()));
        let rule = TrustedIssuer {
            id,
            issuer: new.issuer,
            jwks_uri: new.jwks_uri,
            jwks: new.jwks,
            audience: new.audience,
            client_id: ClientId::new(new.client_id),
            conditions,
            scope: new.scope,
            resources: new.resources,
            max_lifetime: new.max_lifetime.unwrap_or(MAX_LIFETIME),
            single_use: !new.allow_reuse,
            created_at: now,
        };
        let event = actor
            .event(now, "trusted_issuer.created", &rule.id)
            .detail(json!({ "issuer": rule.issuer, "client_id": rule.client_id }));
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    match tx.find_client(&rule.client_id).await? {
                        None => problems.push(FieldProblem::new(
                            "client_id",
                            format!("{:?} is not a client", rule.client_id.as_str()),
                        )),
                        Some(client) => {
                            if !client.may_use(GrantType::JwtBearer) {
                                problems.push(FieldProblem::new(
                                    "client_id",
                                    format!(
                                        "{:?} lacks the grant type {}",
                                        client.client_id.as_str(),
                                        GrantType::JwtBearer.as_str()
                                    ),
                                ));
                            }
                            let foreign =
                                rule.resources.iter().find(|one| !client.resources.contains(one));
                            if let Some(resource) = foreign {
                                problems.push(FieldProblem::new(
                                    "resources",
                                    format!("{resource:?} is not one of the client's resources"),
                                ));
                            }
                        }
                    }
                    checked(problems)?;
                    tx.insert_trusted_issuer(&rule).await?;
                    tx.record(&event).await?;
                    Ok(rule)
                })
            })
            .await
    }

    /// Every rule.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn list_trusted_issuers(&self) -> Result<Vec<TrustedIssuer>, AdminError> {
        Ok(self.store.list_trusted_issuers().await?)
    }

    /// Rules by pages, by issuer.
    ///
    /// # Errors
    /// The store's fault.
    pub async fn page_of_trusted_issuers(
        &self,
        query: &ListQuery,
    ) -> Result<Page<TrustedIssuer>, AdminError> {
        Ok(self.store.page_of_trusted_issuers(query).await?)
    }

    /// Removes a rule. Tokens that it gave live out their minutes.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when it is not there.
    pub async fn delete_trusted_issuer(&self, actor: &Actor, id: &str) -> Result<(), AdminError> {
        actor.must_be(Role::Admin)?;
        let event = actor.event(self.clock.now(), "trusted_issuer.deleted", id);
        let id = id.to_owned();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.delete_trusted_issuer(&id).await? {
                        return Err(AdminError::NotFound);
                    }
                    Ok(tx.record(&event).await?)
                })
            })
            .await
    }
}

fn problems(new: &NewTrustedIssuer) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut say = |field, message: String| problems.push(FieldProblem::new(field, message));
    if !is_web_address(&new.issuer) {
        say("issuer", format!("{:?} is not an https URL", new.issuer));
    }
    match (&new.jwks_uri, &new.jwks) {
        (Some(_), Some(_)) => say("jwks", "give either jwks or jwks_uri".to_owned()),
        (Some(uri), None) if !is_web_address(uri) => {
            say("jwks_uri", format!("{uri:?} is not an https URL"));
        }
        (None, Some(set)) if read_set(set).map_or(true, |keys| keys.is_empty()) => {
            say("jwks", "holds no public key that can be used".to_owned());
        }
        (Some(_), None) | (None, Some(_)) | (None, None) => {}
    }
    if new.audience.is_empty() {
        say("audience", "must not be empty".to_owned());
    }
    if new.conditions.is_empty() {
        say(
            "conditions",
            "give at least one: without, everybody with an account at the issuer would be let in"
                .to_owned(),
        );
    }
    for text in new.conditions.iter().filter(|text| Condition::parse(text).is_none()) {
        say("conditions", format!("{text:?} is not claim=value; * may only end a value"));
    }
    for scope in new.scope.iter().filter(|scope| !is_scope_token(scope)) {
        say("scope", format!("{scope:?} is not a scope value (RFC 6749 section 3.3)"));
    }
    if new.max_lifetime.is_some_and(|seconds| !(60..=86_400).contains(&seconds)) {
        say("max_lifetime", "must be between 60 seconds and 86400 (a day)".to_owned());
    }
    problems
}

/// https, or http on a loopback address for tests and `russet dev`.
fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        ("http", Some(Host::Domain(name))) => name == "localhost",
        _ => false,
    })
}
