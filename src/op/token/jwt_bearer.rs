//! `urn:ietf:params:oauth:grant-type:jwt-bearer` — RFC 7523 §2.1, §3.
//!
//! A workload shows what an issuer that the operator trusts says of it, and acts as the client the
//! rule names: no secret is kept in a pipeline. There is no refresh token; the workload can always
//! get a new assertion.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::authorization_code::client_actor;
use super::{Subject, TokenResponse};
use crate::op::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::api::Api;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::jose::Algorithm;
use crate::protocol::jwk::{PublicKey, read_set};
use crate::protocol::jws::ForeignJwt;
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;
use crate::protocol::scope::{self, Access};
use crate::protocol::trusted_issuer::{Assertion, TrustedIssuer};
use crate::store::single_use::SingleUse;
use crate::upstream::key_sets::Source;

impl Provider {
    pub(super) async fn jwt_bearer(
        &self,
        presented: &Presented<'_>,
        params: &Params,
        now: Timestamp,
    ) -> Result<TokenResponse, Failure> {
        let text = params.required("assertion")?;
        let jwt = ForeignJwt::read(text, &Algorithm::ALL)
            .map_err(|error| not_good().detail(error.to_string()))?;
        let claims: Map<String, Value> =
            jwt.unverified().map_err(|error| not_good().detail(error.to_string()))?;
        let rule = self.rule_for(&claims, params, now).await?;
        let client = self.client_of_workload(&rule, presented, params, now).await?;

        self.verify_workload(&jwt, &rule, now).await?;
        // Everything that can be refused without using the assertion up comes first.
        let access = self.access_of_workload(&rule, &client, params).await?;
        let cnf = self.keys_for_tokens(&client, presented, now).await?;
        let assertion = Assertion::new(&claims);
        // Without a `jti` the token itself is what comes once.
        let name = assertion.jti().unwrap_or(text);
        let key = self.vault.hash(&format!("{}\n{name}", rule.issuer)).to_text();
        let expires_at = assertion.expires_at();
        let event = Event::new(now, "assertion.accepted", client_actor(&client.client_id))
            .target(rule.id.clone())
            .detail(json!({ "iss": rule.issuer, "sub": assertion.sub(), "scope": access.scope }));
        let single_use = rule.single_use;
        let taken: Result<(), Refusal> = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if single_use && !tx.claim(SingleUse::Jti, &key, expires_at, now).await? {
                        let refusal = Refusal::invalid_grant("the assertion was used before");
                        return Ok::<_, Failure>(Err(refusal));
                    }
                    tx.record(&event).await?;
                    Ok(Ok(()))
                })
            })
            .await?;
        taken?;
        let subject = Subject::of_client(&client, cnf.as_ref());
        let (access_token, ttl) = self.mint_access_token(&subject, &access, now).await?;
        Ok(TokenResponse::of_access_token(access_token, ttl, &access, cnf.as_ref(), None))
    }

    /// The one rule that this assertion meets, as it stands unverified.
    async fn rule_for(
        &self,
        claims: &Map<String, Value>,
        params: &Params,
        now: Timestamp,
    ) -> Result<TrustedIssuer, Failure> {
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let wanted = params.one("client_id")?;
        let mut rules = self.store.find_trusted_issuers(issuer).await?;
        rules.retain(|rule| wanted.is_none_or(|wanted| rule.client_id.as_str() == wanted));
        let assertion = Assertion::new(claims);
        let mut first_refusal = None;
        let mut met = Vec::new();
        for rule in rules {
            match assertion.check(&rule, now) {
                Ok(()) => met.push(rule),
                Err(refusal) => {
                    first_refusal.get_or_insert(refusal);
                }
            }
        }
        match (met.pop(), met.is_empty()) {
            (Some(rule), true) => Ok(rule),
            (Some(_), false) => {
                let text = "several rules fit this assertion; name the client_id";
                Err(Refusal::invalid_request(text).into())
            }
            (None, _) => Err(first_refusal
                .unwrap_or_else(|| Refusal::invalid_grant("the assertion's issuer is not trusted"))
                .into()),
        }
    }

    /// The client the rule names. It need not prove itself unless its profile wants it, but if it
    /// tries it must succeed.
    async fn client_of_workload(
        &self,
        rule: &TrustedIssuer,
        presented: &Presented<'_>,
        params: &Params,
        now: Timestamp,
    ) -> Result<Client, Failure> {
        let client = self.store.find_client(&rule.client_id).await?;
        let must =
            client.as_ref().is_some_and(|client| self.profile_of(client).always_authenticates());
        let tries = presented.authorization.is_some()
            || params.one("client_secret")?.is_some()
            || params.one("client_assertion")?.is_some();
        if must || tries {
            let proven = self.authenticate_client(presented, params, now).await?;
            if proven.client.client_id != rule.client_id {
                let text = "the assertion is for another client";
                return Err(Refusal::invalid_grant(text).into());
            }
        }
        client
            .filter(|client| client.disabled_at.is_none() && client.may_use(GrantType::JwtBearer))
            .ok_or_else(|| {
                Refusal::unauthorized_client(
                    "the client is disabled or not registered for this grant_type",
                )
                .into()
            })
    }

    async fn verify_workload(
        &self,
        jwt: &ForeignJwt<'_>,
        rule: &TrustedIssuer,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let kid = jwt.header("kid");
        let keys: Arc<[PublicKey]> = match (&rule.jwks, &rule.jwks_uri) {
            (Some(set), _) => read_set(set).unwrap_or_default().into(),
            (None, Some(uri)) => self.key_sets.find(&Source::Uri(uri.clone()), kid, now).await?,
            (None, None) => {
                self.key_sets.find(&Source::Issuer(rule.issuer.clone()), kid, now).await?
            }
        };
        let fitting = keys.iter().filter(|key| match (kid, key.kid()) {
            (Some(wanted), Some(has)) => wanted == has,
            // A set of keys without names, or a token that names none: each may be the one.
            (None, _) | (Some(_), None) => true,
        });
        let mut why = "no key fits".to_owned();
        for key in fitting {
            match jwt.verify::<Map<String, Value>>(key) {
                Ok(_) => return Ok(()),
                Err(error) => why = error.to_string(),
            }
        }
        Err(not_good().detail(why).into())
    }

    /// What the rule gives, or less if the request asks for less.
    async fn access_of_workload(
        &self,
        rule: &TrustedIssuer,
        client: &Client,
        params: &Params,
    ) -> Result<Access, Failure> {
        let wanted: Vec<String> = params.all("resource").map(ToOwned::to_owned).collect();
        let asked = scope::narrow(&rule.scope, &rule.resources, params.one("scope")?, &wanted)?;
        let resources = scope::resources(client, &asked.resources)?;
        let apis = self.apis(&resources).await?;
        let apis: Vec<Api> = apis.iter().map(|api| api.as_ref().clone()).collect();
        Ok(scope::decide(client, &asked.scope, resources, &apis, false)?)
    }
}

fn not_good() -> Refusal {
    Refusal::invalid_grant("the assertion is malformed or its signature is wrong")
}
