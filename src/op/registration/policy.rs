//! What clients that come by themselves may be.

use serde_json::{Map, Value};

use super::super::admin::rules::client_problems;
use super::super::admin::security_rules::security_problems;
use super::super::{Provider, subjects};
use crate::protocol::client::{Client, GrantType};
use crate::protocol::error::Refusal;
use crate::protocol::jwk::PublicKey;
use crate::protocol::profile::Profile;

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
    fn check(&self, client: &Client) -> Result<(), Refusal> {
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

impl Provider {
    /// Takes a client in that came by itself, or refuses it: by the operator's policy, by what
    /// this installation can do, and by the rules of every client. It gets the profile that the
    /// policy says and can choose none itself.
    ///
    /// # Errors
    /// `invalid_redirect_uri` or `invalid_client_metadata`.
    pub(in crate::op) async fn admit(
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
