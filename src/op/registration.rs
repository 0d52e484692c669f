//! Clients that register and manage themselves — RFC 7591, RFC 7592, OIDC Dynamic Registration.
//!
//! Off unless the operator opens it. What may be registered is decided by the same rules as at the
//! console (`admin/rules.rs`), and narrowed by the operator's policy; what a client may never say
//! of itself is not even read (`protocol/registration.rs`). People are always asked for consent.

use serde_json::{Map, Value, json};

use super::admin::metadata::client_metadata;
use super::admin::rules::client_problems;
use super::admin::security_rules::security_problems;
use super::ending::{self, Ending, Reason};
use super::token::authorization_code::client_actor;
use super::{Failure, Provider, subjects};
use crate::protocol::ambient::{Timestamp, random};
use crate::protocol::client::{Client, ClientSecret, GrantType};
use crate::protocol::error::Refusal;
use crate::protocol::event::Event;
use crate::protocol::id::ClientId;
use crate::protocol::jose::Algorithm;
use crate::protocol::jwk::PublicKey;
use crate::protocol::jws::ForeignJwt;
use crate::protocol::metadata::path;
use crate::protocol::profile::Profile;
use crate::protocol::registration::{self, COMMON, SETTINGS};
use crate::protocol::secret::{SecretHash, SecretString};
use crate::store::WriteTx;

/// Who may register clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Operators alone.
    #[default]
    Off,
    /// Whoever holds an initial access token.
    Token,
    /// Everybody.
    Open,
}

/// What clients may register themselves for.
#[derive(Debug, Default)]
pub struct RegistrationPolicy {
    /// Who may.
    pub mode: RegistrationMode,
    /// The grant types they may use; empty allows those of sign-in.
    pub grant_types: Vec<GrantType>,
    /// Hosts their redirect URIs may have; empty allows all.
    pub redirect_hosts: Vec<String>,
    /// The APIs they may ask tokens for.
    pub resources: Vec<String>,
    /// Keys whose software statements are believed.
    pub software_statement_keys: Vec<PublicKey>,
    /// Whether nobody registers without a software statement.
    pub require_software_statement: bool,
    /// The profile that they are given; the installation's minimum rules them in any case.
    pub profile: Profile,
    /// Whether a `client_id` may be the address of its metadata document.
    pub metadata_documents: bool,
    /// Hosts such documents may have; empty allows all.
    pub document_hosts: Vec<String>,
}

impl RegistrationPolicy {
    pub(super) fn check(&self, client: &Client) -> Result<(), Refusal> {
        const SIGN_IN: [GrantType; 3] =
            [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode];
        let allowed: &[GrantType] =
            if self.grant_types.is_empty() { &SIGN_IN } else { &self.grant_types };
        if let Some(other) = client.grant_types.iter().find(|one| !allowed.contains(one)) {
            return Err(Refusal::invalid_client_metadata(format!(
                "grant_types: '{}' is not open to clients that register themselves",
                other.as_str()
            )));
        }
        let hosts = &self.redirect_hosts;
        let foreign = client.redirect_uris.iter().find(|uri| {
            let host = url::Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
            !hosts.is_empty() && host.is_none_or(|host| !hosts.contains(&host))
        });
        if let Some(uri) = foreign {
            return Err(Refusal::invalid_redirect_uri(format!(
                "redirect_uris: the host of '{uri}' is not allowed here"
            )));
        }
        Ok(())
    }
}

/// What became of a registration: the document to answer with.
pub type Registration = Map<String, Value>;

impl Provider {
    /// Who may register clients.
    pub fn registration_mode(&self) -> RegistrationMode {
        self.registration.mode
    }

    /// Registers a client (RFC 7591 §3).
    ///
    /// # Errors
    /// `invalid_token` without a good initial access token where one is needed;
    /// `invalid_redirect_uri`, `invalid_client_metadata`, `invalid_software_statement`.
    pub async fn register(
        &self,
        token: Option<&str>,
        mut metadata: Map<String, Value>,
    ) -> Result<Registration, Failure> {
        let now = self.clock.now();
        let hash = match (self.registration.mode, token) {
            (RegistrationMode::Off, _) => {
                return Err(Refusal::invalid_token("registration is not open").into());
            }
            (RegistrationMode::Token, None) => {
                return Err(Refusal::invalid_token("an initial access token is required").into());
            }
            (RegistrationMode::Open, None) => None,
            (RegistrationMode::Token | RegistrationMode::Open, Some(token)) => {
                Some(self.vault.hash(token))
            }
        };
        let statement = self.believe_statement(&mut metadata, now)?;
        let kind = registration::kind(&metadata)?;
        let id = ClientId::random(self.entropy.as_ref());
        let mut client = Client::of_kind(id, kind, now);
        registration::apply(&mut client, &metadata)?;
        self.admit(&mut client, &metadata).await?;

        let secret = keeps_secret(&client).then(|| self.draw_client_secret(now));
        let (client_secret, stored) = secret.unzip();
        let access_token = SecretString::random(self.entropy.as_ref());
        let resources = self.registration.resources.clone();
        let managed_by = self.vault.hash(access_token.expose());
        let event =
            Event::new(now, "client.registered", "system").target(client.client_id.to_string());
        let client = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let used = match &hash {
                        None => None,
                        // A registration that fails below gives the use back.
                        Some(hash) => {
                            Some(tx.use_registration_token(hash, now).await?.ok_or_else(|| {
                                Refusal::invalid_token(
                                    "the initial access token is unknown, used up or expired",
                                )
                            })?)
                        }
                    };
                    give_resources(tx, &resources, &mut client).await?;
                    tx.insert_client(&client, stored.as_ref()).await?;
                    tx.insert_registration(&client.client_id, &managed_by, used.as_deref(), now)
                        .await?;
                    let detail = json!({
                        "client_name": client.client_name,
                        "kind": kind.as_str(),
                        "registration_token": used,
                    });
                    tx.record(&event.detail(detail)).await?;
                    Ok::<_, Failure>(client)
                })
            })
            .await?;
        let mut answer = self.described(&client, access_token.expose());
        tell_secret(&mut answer, client_secret.as_ref());
        if let Some(statement) = statement {
            answer.insert("software_statement".to_owned(), json!(statement));
        }
        Ok(answer)
    }

    /// What is registered (RFC 7592 §2.1).
    ///
    /// # Errors
    /// `invalid_token` for anything but the client's own registration access token.
    pub async fn registration(
        &self,
        id: &ClientId,
        token: Option<&str>,
    ) -> Result<Registration, Failure> {
        let (client, token) = self.managed(id, token).await?;
        Ok(self.described(&client, token))
    }

    /// Replaces what is registered (RFC 7592 §2.2). A client that now needs a secret and has none
    /// gets one.
    ///
    /// # Errors
    /// As [`Provider::register`], and `invalid_request` for members the client may not send.
    pub async fn update_registration(
        &self,
        id: &ClientId,
        token: Option<&str>,
        metadata: Map<String, Value>,
    ) -> Result<Registration, Failure> {
        let now = self.clock.now();
        let (mut client, token) = self.managed(id, token).await?;
        if metadata.get("client_id").and_then(Value::as_str) != Some(id.as_str()) {
            return Err(Refusal::invalid_request("client_id must be repeated").into());
        }
        for member in
            ["registration_access_token", "registration_client_uri", "client_secret_expires_at"]
        {
            if metadata.contains_key(member) {
                return Err(Refusal::invalid_request(format!("{member} must not be sent")).into());
            }
        }
        let secrets = self.store.find_client_secrets(id).await?;
        let live = |secret: &ClientSecret| secret.expires_at.is_none_or(|at| now < at);
        if let Some(secret) = metadata.get("client_secret") {
            let hash = self.vault.hash(secret.as_str().unwrap_or_default());
            if !secrets.iter().any(|known| live(known) && known.hash == hash) {
                return Err(Refusal::invalid_request("client_secret is not the client's").into());
            }
        }
        if registration::kind(&metadata)? != client.kind {
            let text = "the client would become one of another kind; register anew";
            return Err(Refusal::invalid_client_metadata(text).into());
        }
        registration::apply(&mut client, &metadata)?;
        self.admit(&mut client, &metadata).await?;
        client.updated_at = now;
        let has_secret = secrets.iter().any(live);
        let secret = (keeps_secret(&client) && !has_secret).then(|| self.draw_client_secret(now));
        let (client_secret, stored) = secret.unzip();
        let event = Event::new(now, "client.updated", client_actor(id)).target(id.to_string());
        let client = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !tx.update_client(&client).await? {
                        let text = "the client was changed meanwhile; read it again";
                        return Err(Failure::from(Refusal::invalid_request(text)));
                    }
                    if let Some(stored) = &stored {
                        tx.insert_client_secret(&client.client_id, stored).await?;
                    }
                    if !keeps_secret(&client) {
                        tx.expire_client_secrets(&client.client_id, "", now).await?;
                    }
                    tx.record(&event).await?;
                    Ok(client)
                })
            })
            .await?;
        self.forget_client(id).await;
        let mut answer = self.described(&client, token);
        tell_secret(&mut answer, client_secret.as_ref());
        Ok(answer)
    }

    /// Removes a client and all that was given to it (RFC 7592 §2.3).
    ///
    /// # Errors
    /// `invalid_token` for anything but the client's own registration access token.
    pub async fn delete_registration(
        &self,
        id: &ClientId,
        token: Option<&str>,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        self.managed(id, token).await?;
        let event = Event::new(now, "client.deleted", client_actor(id)).target(id.to_string());
        let gone = id.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    let ending = Ending::Client(gone.clone());
                    ending::end(tx, &ending, Reason::ClientRevoked, now).await?;
                    tx.delete_client(&gone).await?;
                    Ok::<_, Failure>(tx.record(&event).await?)
                })
            })
            .await?;
        self.forget_client(id).await;
        Ok(())
    }

    /// Takes a client in that came by itself, or refuses it: by the operator's policy, by what
    /// this installation can do, and by the rules of every client. It gets the profile that the
    /// policy says and can choose none itself.
    ///
    /// # Errors
    /// `invalid_redirect_uri` or `invalid_client_metadata`.
    pub(super) async fn admit(
        &self,
        client: &mut Client,
        metadata: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let policy = &self.registration;
        let minimum = self.policy.minimum_profile;
        client.settings.profile = Some(policy.profile).filter(|given| *given > Profile::Oidc);
        Profile::of(client, minimum).complete(client, |member| metadata.contains_key(member));
        policy.check(client)?;
        let method = client.token_endpoint_auth_method;
        if method.uses_certificate() && !self.mutual_tls.methods().contains(&method) {
            return Err(Refusal::invalid_client_metadata(format!(
                "token_endpoint_auth_method: {} does not work here, where no certificate is asked for",
                method.as_str()
            )));
        }
        if client.settings.tls_client_certificate_bound_access_tokens && !self.mutual_tls.enabled {
            return Err(Refusal::invalid_client_metadata(
                "tls_client_certificate_bound_access_tokens: no certificate is asked for here",
            ));
        }
        check(client, minimum)?;
        subjects::check_sector(&self.outbound, client).await.map_err(|why| {
            Refusal::invalid_client_metadata(format!("sector_identifier_uri: {why}"))
        })
    }

    /// The client that this token manages.
    async fn managed<'t>(
        &self,
        id: &ClientId,
        token: Option<&'t str>,
    ) -> Result<(Client, &'t str), Failure> {
        let bad = || Refusal::invalid_token("the registration access token is not this client's");
        let token = token.ok_or_else(bad)?;
        let hash: SecretHash = self.vault.hash(token);
        if self.store.find_registration(id).await?.is_none_or(|known| known != hash) {
            return Err(bad().into());
        }
        let client = self.store.find_client(id).await?;
        let client = client.filter(|client| client.disabled_at.is_none()).ok_or_else(bad)?;
        Ok((client, token))
    }

    fn described(&self, client: &Client, token: &str) -> Registration {
        let mut answer = Map::new();
        if let Value::Object(all) = client_metadata(client) {
            let told = |name: &str| COMMON.contains(&name) || SETTINGS.contains(&name);
            answer.extend(all.into_iter().filter(|(name, value)| told(name) && !value.is_null()));
        }
        let uri = format!("{}{}/{}", self.issuer, path::REGISTRATION, client.client_id);
        answer.insert("registration_client_uri".to_owned(), json!(uri));
        answer.insert("registration_access_token".to_owned(), json!(token));
        answer
    }

    /// Puts a software statement's claims over what the client says of itself (RFC 7591 §2.3).
    fn believe_statement(
        &self,
        metadata: &mut Map<String, Value>,
        now: Timestamp,
    ) -> Result<Option<String>, Refusal> {
        let bad = |why: &str| Refusal::invalid_software_statement(why);
        let Some(statement) = metadata.remove("software_statement") else {
            return if self.registration.require_software_statement {
                Err(bad("a software statement is required"))
            } else {
                Ok(None)
            };
        };
        let text = statement.as_str().ok_or_else(|| bad("it must be a string"))?;
        let jwt = ForeignJwt::read(text, &Algorithm::ALL).map_err(|e| bad(&e.to_string()))?;
        let keys = &self.registration.software_statement_keys;
        let named = keys.iter().filter(|key| match (jwt.header("kid"), key.kid()) {
            (Some(wanted), Some(has)) => wanted == has,
            (None, _) | (Some(_), None) => true,
        });
        let claims =
            named.filter_map(|key| jwt.verify::<Map<String, Value>>(key).ok()).next().ok_or_else(
                || Refusal::unapproved_software_statement("no trusted key signed the statement"),
            )?;
        let exp = claims.get("exp").and_then(Value::as_i64);
        if claims.contains_key("exp") && exp.is_none_or(|exp| exp <= now.secs()) {
            return Err(bad("it has expired"));
        }
        for (name, value) in claims {
            let registered = COMMON.contains(&name.as_str()) || SETTINGS.contains(&name.as_str());
            if registered && name != "client_id" {
                metadata.insert(name, value);
            }
        }
        Ok(Some(text.to_owned()))
    }

    fn draw_client_secret(&self, now: Timestamp) -> (SecretString, ClientSecret) {
        use base64::Engine as _;
        let secret = SecretString::random(self.entropy.as_ref());
        let id = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(random::<9>(self.entropy.as_ref()));
        let hash = self.vault.hash(secret.expose());
        (secret, ClientSecret::new(id, hash, now))
    }
}

/// The rules of every client, in the words of RFC 7591 §3.2.2.
fn check(client: &Client, minimum: Profile) -> Result<(), Refusal> {
    let mut problems = client_problems(client);
    problems.extend(security_problems(client, minimum));
    let Some(first) = problems.iter().find(|problem| problem.field != "client_id") else {
        return Ok(());
    };
    let text = format!("{}: {}", first.field, first.message);
    Err(if first.field == "redirect_uris" {
        Refusal::invalid_redirect_uri(text)
    } else {
        Refusal::invalid_client_metadata(text)
    })
}

/// The APIs of a client that registers itself: those of the policy that are still registered, and
/// those that are open to all such clients.
pub(super) async fn give_resources(
    tx: &WriteTx,
    policy: &[String],
    client: &mut Client,
) -> Result<(), Failure> {
    let apis = tx.list_apis().await?.into_iter();
    let open =
        apis.filter(|api| api.settings.self_registered_clients || policy.contains(&api.identifier));
    client.resources = open.map(|api| api.identifier).take(100).collect();
    Ok(())
}

fn keeps_secret(client: &Client) -> bool {
    client.token_endpoint_auth_method.uses_secret()
}

fn tell_secret(answer: &mut Registration, secret: Option<&SecretString>) {
    if let Some(secret) = secret {
        answer.insert("client_secret".to_owned(), json!(secret.expose()));
        answer.insert("client_secret_expires_at".to_owned(), json!(0));
    }
}
