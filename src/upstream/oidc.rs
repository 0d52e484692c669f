//! Any OpenID Provider as an upstream — OIDC Core §3.1, RFC 7636, RFC 9207.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier,
    CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, ConfigurationError, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, LoginHint, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse,
};
use tokio::sync::Mutex;
use url::Url;

use super::http::Outbound;
use super::{
    Callback, Connector, Finding, ObtainedGrant, Trip, UpstreamError, UpstreamIdentity, Verdict,
};
use crate::protocol::ambient::Timestamp;
use crate::protocol::id::ConnectionId;
use crate::protocol::secret::SecretString;
use crate::protocol::user::Profile;

/// How long discovery and keys are believed.
const DISCOVERY_TTL: Duration = Duration::from_secs(3600);
/// How soon they may be fetched again when a key is missing or the last attempt failed.
const BETWEEN_FETCHES: Duration = Duration::from_secs(30);
const SKEW: Duration = Duration::from_secs(60);

/// What an operator fills in.
pub struct OidcSettings {
    /// The connection's name in URLs.
    pub connection_id: ConnectionId,
    /// Its name for people.
    pub display_name: String,
    /// The upstream's issuer, byte for byte.
    pub issuer: String,
    /// Our `client_id` there.
    pub client_id: String,
    /// Our secret there, unless we are a public client.
    pub client_secret: Option<SecretString>,
    /// Scopes besides `openid`.
    pub scopes: Vec<String>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OidcConfigError {
    /// The issuer is not an issuer.
    #[error("issuer of connection {connection}: {cause}")]
    Issuer {
        /// Which connection.
        connection: String,
        /// What is wrong.
        cause: String,
    },
}

type UpstreamClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

struct Discovered {
    metadata: CoreProviderMetadata,
    fetched_at: Timestamp,
}

#[derive(Default)]
struct Cache {
    discovered: Option<Arc<Discovered>>,
    tried_at: Option<Timestamp>,
}

/// The connector.
pub struct OidcConnector {
    settings: OidcSettings,
    issuer: IssuerUrl,
    outbound: Outbound,
    cache: Mutex<Cache>,
}

impl OidcConnector {
    /// A connector with these settings. Nothing is fetched until somebody signs in.
    ///
    /// # Errors
    /// [`OidcConfigError`].
    pub fn new(settings: OidcSettings, outbound: Outbound) -> Result<Self, OidcConfigError> {
        let issuer =
            IssuerUrl::new(settings.issuer.clone()).map_err(|error| OidcConfigError::Issuer {
                connection: settings.connection_id.to_string(),
                cause: error.to_string(),
            })?;
        Ok(Self { settings, issuer, outbound, cache: Mutex::new(Cache::default()) })
    }

    /// Discovery with keys: from memory for an hour; `anew` after an unknown key, but not twice
    /// within half a minute.
    async fn discovered(
        &self,
        now: Timestamp,
        anew: bool,
    ) -> Result<Arc<Discovered>, UpstreamError> {
        let mut cache = self.cache.lock().await;
        let age = |at: Option<Timestamp>| at.map_or(Duration::MAX, |at| now.since(at));
        if let Some(known) = &cache.discovered
            && ((!anew && now.since(known.fetched_at) < DISCOVERY_TTL)
                || age(cache.tried_at) < BETWEEN_FETCHES)
        {
            return Ok(Arc::clone(known));
        }
        cache.tried_at = Some(now);
        match CoreProviderMetadata::discover_async(self.issuer.clone(), &self.outbound).await {
            Ok(metadata) => {
                let discovered = Arc::new(Discovered { metadata, fetched_at: now });
                cache.discovered = Some(Arc::clone(&discovered));
                Ok(discovered)
            }
            Err(error) => match &cache.discovered {
                Some(known) if !anew => Ok(Arc::clone(known)),
                Some(_) | None => {
                    Err(UpstreamError::Unavailable(format!("discovery: {}", chain(&error))))
                }
            },
        }
    }

    fn client(
        &self,
        discovered: &Discovered,
        redirect_uri: &str,
    ) -> Result<UpstreamClient, UpstreamError> {
        let secret = self.settings.client_secret.as_ref();
        let redirect_uri = RedirectUrl::new(redirect_uri.to_owned())
            .map_err(|error| UpstreamError::Misconfigured(error.to_string()))?;
        Ok(CoreClient::from_provider_metadata(
            discovered.metadata.clone(),
            ClientId::new(self.settings.client_id.clone()),
            secret.map(|secret| ClientSecret::new(secret.expose().clone())),
        )
        .set_redirect_uri(redirect_uri))
    }

    /// Verifies the ID token against the time that was handed in.
    fn verify(
        verifier: CoreIdTokenVerifier<'_>,
        id_token: &CoreIdToken,
        nonce: &str,
        now: Timestamp,
    ) -> Result<CoreIdTokenClaims, openidconnect::ClaimsVerificationError> {
        let moment =
            |at: Timestamp| DateTime::<Utc>::from_timestamp_millis(at.millis()).unwrap_or_default();
        let (late, early) = (moment(now.minus(SKEW)), moment(now.plus(SKEW)));
        let verifier = verifier.set_time_fn(move || late).set_issue_time_verifier_fn(move |iat| {
            if iat <= early { Ok(()) } else { Err("iat is in the future".to_owned()) }
        });
        id_token.claims(&verifier, &Nonce::new(nonce.to_owned())).cloned()
    }
}

fn rejected(reason: &'static str, detail: impl Into<String>) -> UpstreamError {
    UpstreamError::Rejected { reason, detail: detail.into() }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

#[async_trait]
impl Connector for OidcConnector {
    fn id(&self) -> &ConnectionId {
        &self.settings.connection_id
    }

    fn display_name(&self) -> &str {
        &self.settings.display_name
    }

    fn form_action_source(&self) -> String {
        // Its authorization endpoint may live on another host than its issuer.
        format!("{}:", self.issuer.url().scheme())
    }

    async fn depart(&self, trip: &Trip, now: Timestamp) -> Result<Url, UpstreamError> {
        let discovered = self.discovered(now, false).await?;
        let client = self.client(&discovered, &trip.redirect_uri)?;
        let verifier = PkceCodeVerifier::new(trip.code_verifier.clone());
        let (state, nonce) = (trip.state.clone(), trip.nonce.clone());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for scope in self.settings.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        if let Some(hint) = &trip.login_hint {
            request = request.set_login_hint(LoginHint::new(hint.clone()));
        }
        if trip.reauthenticate {
            request = request.add_extra_param("prompt", "login");
        }
        Ok(request.url().0)
    }

    async fn greet(
        &self,
        _trip: &Trip,
        _callback: &Callback,
        _now: Timestamp,
    ) -> Result<Option<UpstreamIdentity>, UpstreamError> {
        // The code flow's front channel proves nothing.
        Ok(None)
    }

    async fn arrive(
        &self,
        trip: &Trip,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        // RFC 9207 §2.4: an answer that names an issuer must name this one.
        if callback.iss.as_deref().is_some_and(|iss| iss != self.issuer.as_str()) {
            return Err(rejected("iss_mismatch", "the answer names another issuer"));
        }
        if let Some(error) = callback.error.as_deref() {
            return Err(match error {
                "access_denied" => UpstreamError::Cancelled,
                _ => UpstreamError::Unavailable("the upstream answered with an error".to_owned()),
            });
        }
        let code = callback
            .code
            .clone()
            .ok_or_else(|| rejected("code_missing", "the answer carries no code"))?;
        let discovered = self.discovered(now, false).await?;
        let client = self.client(&discovered, &trip.redirect_uri)?;
        let tokens: CoreTokenResponse = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error: ConfigurationError| UpstreamError::Misconfigured(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(trip.code_verifier.clone()))
            .request_async(&self.outbound)
            .await
            .map_err(|error| match &error {
                RequestTokenError::ServerResponse(response) => match response.error().as_ref() {
                    "invalid_client" => UpstreamError::Misconfigured(
                        "the upstream refuses our client_id or client_secret".to_owned(),
                    ),
                    code => rejected("code_refused", format!("the upstream says {code}")),
                },
                RequestTokenError::Request(_)
                | RequestTokenError::Parse(..)
                | RequestTokenError::Other(_) => UpstreamError::Unavailable(chain(&error)),
            })?;
        let id_token = tokens
            .id_token()
            .ok_or_else(|| rejected("id_token_missing", "the upstream sent no ID token"))?;
        let claims = match Self::verify(client.id_token_verifier(), id_token, &trip.nonce, now) {
            Ok(claims) => claims,
            // A key we do not know may be newer than our copy of the keys.
            Err(_) => {
                let discovered = self.discovered(now, true).await?;
                let client = self.client(&discovered, &trip.redirect_uri)?;
                Self::verify(client.id_token_verifier(), id_token, &trip.nonce, now)
                    .map_err(|error| rejected("id_token_invalid", chain(&error)))?
            }
        };
        if let Some(azp) = claims.authorized_party()
            && azp.as_str() != self.settings.client_id
        {
            return Err(rejected("azp_mismatch", "the ID token was made for another party"));
        }
        Ok(UpstreamIdentity {
            authority: self.issuer.as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            profile: profile(&claims),
            auth_time: claims.auth_time().map(|at| Timestamp::from_millis(at.timestamp_millis())),
            grant: tokens.refresh_token().map(|token| ObtainedGrant {
                client_id: self.settings.client_id.clone(),
                refresh_token: SecretString::new(token.secret().clone()),
            }),
        })
    }

    async fn check(&self, now: Timestamp) -> Vec<Finding> {
        let subject = "discovery".to_owned();
        vec![match self.discovered(now, true).await {
            Ok(_) => Finding {
                verdict: Verdict::Fine,
                subject,
                message: format!("{} answers with its own issuer and keys", self.issuer.as_str()),
            },
            Err(error) => {
                Finding { verdict: Verdict::Unknown, subject, message: error.to_string() }
            }
        }]
    }
}

fn profile(claims: &CoreIdTokenClaims) -> Profile {
    let text = |value: Option<String>| value.filter(|value| !value.trim().is_empty());
    let email = text(claims.email().map(|email| email.as_str().to_owned()));
    Profile {
        name: text(claims.name().and_then(|n| n.get(None)).map(|n| n.as_str().to_owned())),
        given_name: text(
            claims.given_name().and_then(|n| n.get(None)).map(|n| n.as_str().to_owned()),
        ),
        family_name: text(
            claims.family_name().and_then(|n| n.get(None)).map(|n| n.as_str().to_owned()),
        ),
        email_verified: claims.email_verified().unwrap_or(false) && email.is_some(),
        is_private_email: false,
        email,
    }
}
