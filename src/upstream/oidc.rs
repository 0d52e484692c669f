//! Any OpenID Provider as an upstream — OIDC Core §3.1, RFC 7636, RFC 9207.

mod discovery;
mod logout;
mod refusals;
mod settings;

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreGenderClaim, CoreIdToken, CoreIdTokenClaims,
    CoreIdTokenVerifier, CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthType, AuthorizationCode, ClientId,
    ClientSecret, ConfigurationError, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, LoginHint, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, to_value};
use url::Url;

use self::discovery::{Discovered, Discovery};
use self::refusals::{UNKNOWN_KEY, check_tenant, rejected, unverified};
pub use self::settings::{OidcConfigError, OidcSettings};
use super::http::Outbound;
use super::{
    Callback, Connector, Finding, ObtainedGrant, SignedOut, Trip, UpstreamError, UpstreamIdentity,
    Verdict,
};
use crate::protocol::acr;
use crate::protocol::ambient::Timestamp;
use crate::protocol::connection::ConnectionKind;
use crate::protocol::id::ConnectionId;
use crate::protocol::secret::SecretString;

/// How far two clocks may differ.
const SKEW: Duration = Duration::from_secs(60);

type UpstreamClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Claims that the library has no field for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Extra {
    #[serde(flatten)]
    members: Map<String, Value>,
}

impl AdditionalClaims for Extra {}

/// Everything in the payload of a token whose signature was verified.
fn payload(id_token: &CoreIdToken) -> Map<String, Value> {
    let text = id_token.to_string();
    let payload = text.split('.').nth(1).unwrap_or_default();
    let decoded = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    serde_json::from_slice(&decoded).unwrap_or_default()
}

/// The connector.
pub struct OidcConnector {
    settings: OidcSettings,
    outbound: Outbound,
    discovery: Discovery,
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
        let template = settings.issuer_template.clone();
        let discovery = Discovery::new(issuer, template, outbound.clone());
        Ok(Self { settings, outbound, discovery })
    }

    fn client(
        &self,
        discovered: &Discovered,
        redirect_uri: &str,
    ) -> Result<UpstreamClient, UpstreamError> {
        let secret = self.settings.client_secret.as_ref();
        let redirect_uri = RedirectUrl::new(redirect_uri.to_owned())
            .map_err(|error| UpstreamError::Misconfigured(error.to_string()))?;
        let client = CoreClient::from_provider_metadata(
            discovered.metadata.clone(),
            ClientId::new(self.settings.client_id.clone()),
            secret.map(|secret| ClientSecret::new(secret.expose().clone())),
        )
        .set_redirect_uri(redirect_uri);
        Ok(if discovered.wants_client_secret_post() {
            client.set_auth_type(AuthType::RequestBody)
        } else {
            client
        })
    }

    /// Verifies the ID token and what hangs on it against the time that was handed in.
    fn verify(
        &self,
        verifier: CoreIdTokenVerifier<'_>,
        arrival: &Arrival<'_>,
        now: Timestamp,
    ) -> Result<CoreIdTokenClaims, UpstreamError> {
        let moment =
            |at: Timestamp| DateTime::<Utc>::from_timestamp_millis(at.millis()).unwrap_or_default();
        let late = moment(now.minus(SKEW));
        let one_issuer = self.settings.issuer_template.is_none();
        let verifier = verifier.set_time_fn(move || late).require_issuer_match(one_issuer);
        let nonce = Nonce::new(arrival.nonce.to_owned());
        let claims =
            arrival.id_token.claims(&verifier, &nonce).map_err(|error| unverified(&error))?;
        if let Some(template) = &self.settings.issuer_template {
            check_tenant(template, claims.issuer().as_str(), &payload(arrival.id_token))?;
        }
        if claims.issue_time() > moment(now.plus(SKEW)) {
            return Err(rejected("iat_in_future", "iat is ahead of this clock by over a minute"));
        }
        let other_party = |azp: &ClientId| azp.as_str() != self.settings.client_id;
        if claims.authorized_party().is_some_and(other_party) {
            return Err(rejected("azp_mismatch", "the ID token was made for another party"));
        }
        if let Some(at_hash) = claims.access_token_hash() {
            let (alg, key) =
                (arrival.id_token.signing_alg(), arrival.id_token.signing_key(&verifier));
            let fits = alg.ok().zip(key.ok()).is_some_and(|(alg, key)| {
                AccessTokenHash::from_token(arrival.access_token, alg, key)
                    .is_ok_and(|own| own == *at_hash)
            });
            if !fits {
                return Err(rejected("at_hash_mismatch", "the access token is another one's"));
            }
        }
        Ok(claims.clone())
    }

    /// Refuses an answer that another issuer could have sent (RFC 9207 §2.4).
    fn check_iss(&self, callback: &Callback, promised: bool) -> Result<(), UpstreamError> {
        match callback.iss.as_deref() {
            // One of many tenants, of which the ID token will say the same.
            Some(_) if self.settings.issuer_template.is_some() => Ok(()),
            Some(iss) if iss != self.discovery.issuer.as_str() => {
                Err(rejected("iss_mismatch", "the answer names another issuer"))
            }
            None if promised => {
                Err(rejected("iss_missing", "the upstream promises iss, the answer has none"))
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn redeem(
        &self,
        client: &UpstreamClient,
        trip: &Trip,
        code: String,
    ) -> Result<CoreTokenResponse, UpstreamError> {
        client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error: ConfigurationError| UpstreamError::Misconfigured(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(trip.code_verifier.clone()))
            .request_async(&self.outbound)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(response) => match response.error().as_ref() {
                    "invalid_client" => UpstreamError::Misconfigured(
                        "the upstream refuses our client_id or client_secret".to_owned(),
                    ),
                    _ => rejected("code_refused", "the upstream does not take the code"),
                },
                RequestTokenError::Request(error) => error.into(),
                // What the library says of an answer can quote it.
                RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                    UpstreamError::Unavailable("the token endpoint's answer is not one".to_owned())
                }
            })
    }

    /// Asks userinfo for what the ID token left out. It is extra: whatever goes wrong, the sign-in
    /// goes on, and an answer about somebody else is not used (OIDC Core §5.3.2).
    async fn complete(
        &self,
        told: &mut Map<String, Value>,
        client: &UpstreamClient,
        (access_token, claims): (&AccessToken, &CoreIdTokenClaims),
    ) {
        let profile = self.settings.claims.profile(told);
        let conditions = self.settings.claims.required_claims.keys();
        let unknown = conditions.into_iter().any(|claim| !told.contains_key(claim));
        let lacking = profile.email.is_none() || profile.name.is_none() || unknown;
        if client.user_info_url().is_none() || !lacking {
            return;
        }
        let subject = claims.subject().clone();
        let Ok(request) = client.user_info(access_token.clone(), Some(subject)) else { return };
        let answer: Result<UserInfoClaims<Extra, CoreGenderClaim>, _> =
            request.request_async(&self.outbound).await;
        let Some(Value::Object(more)) = answer.ok().and_then(|more| to_value(more).ok()) else {
            tracing::warn!("userinfo gave nothing that could be used");
            return;
        };
        // An address and what vouches for it belong together: both from one place.
        let (email, verified) = self.settings.claims.email_claims();
        let has_email = profile.email.is_some();
        for (claim, value) in more {
            let of_email = claim == email || claim == verified;
            let missing = told.get(&claim).is_none_or(Value::is_null);
            let wanted = if of_email { !has_email } else { missing };
            if wanted {
                told.insert(claim, value);
            }
        }
    }
}

/// What the token endpoint gave, and the nonce of the journey.
struct Arrival<'a> {
    id_token: &'a CoreIdToken,
    access_token: &'a AccessToken,
    nonce: &'a str,
}

#[async_trait]
impl Connector for OidcConnector {
    fn id(&self) -> &ConnectionId {
        &self.settings.connection_id
    }

    fn display_name(&self) -> &str {
        &self.settings.display_name
    }

    fn authority(&self) -> String {
        self.discovery.issuer.as_str().to_owned()
    }

    fn kind(&self) -> ConnectionKind {
        ConnectionKind::Oidc
    }

    fn health(&self) -> &crate::upstream::health::Health {
        &self.discovery.health
    }

    fn link_by_verified_email(&self) -> bool {
        self.settings.link_by_verified_email
    }

    fn form_action_source(&self) -> String {
        // Its authorization endpoint may live on another host than its issuer.
        format!("{}:", self.discovery.issuer.url().scheme())
    }

    async fn depart(&self, trip: &Trip, now: Timestamp) -> Result<Url, UpstreamError> {
        let discovered = self.discovery.current(now, false).await?;
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
        let discovered = self.discovery.current(now, false).await?;
        self.check_iss(callback, discovered.promises_iss())?;
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
        let client = self.client(&discovered, &trip.redirect_uri)?;
        let redeemed = self.redeem(&client, trip, code).await;
        self.discovery.health.note(&redeemed, now);
        let tokens = redeemed?;
        let id_token = tokens
            .id_token()
            .ok_or_else(|| rejected("id_token_missing", "the upstream sent no ID token"))?;
        let arrival = Arrival { id_token, access_token: tokens.access_token(), nonce: &trip.nonce };
        let verify = |client: &UpstreamClient, discovered: &Discovered| {
            let verifier = client.id_token_verifier().set_allowed_algs(discovered.signing_algs());
            self.verify(verifier, &arrival, now)
        };
        let claims = match verify(&client, &discovered) {
            // A key we do not know may be newer than our copy of the keys.
            Err(UpstreamError::Rejected { reason: UNKNOWN_KEY, .. }) => {
                let discovered = self.discovery.current(now, true).await?;
                verify(&self.client(&discovered, &trip.redirect_uri)?, &discovered)?
            }
            verified => verified?,
        };
        let mut told = payload(id_token);
        let sid = told.get("sid").and_then(Value::as_str).map(ToOwned::to_owned);
        self.complete(&mut told, &client, (tokens.access_token(), &claims)).await;
        let profile = self.settings.claims.profile(&told);
        if let Err(not) = self.settings.claims.admit(&told, &profile) {
            return Err(rejected(not.as_str(), "the operator admits others only"));
        }
        let amr = claims.auth_method_refs().filter(|_| self.settings.believe_amr);
        let amr = amr.into_iter().flatten().map(|method| method.as_str());
        Ok(UpstreamIdentity {
            authority: claims.issuer().as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            profile,
            auth_time: claims.auth_time().map(|at| Timestamp::from_millis(at.timestamp_millis())),
            amr: acr::told(amr),
            grant: tokens.refresh_token().map(|token| ObtainedGrant {
                client_id: self.settings.client_id.clone(),
                refresh_token: SecretString::new(token.secret().clone()),
            }),
            sid,
            transfer_sub: None,
        })
    }

    async fn signed_out(
        &self,
        logout_token: &str,
        now: Timestamp,
    ) -> Result<SignedOut, UpstreamError> {
        self.read_logout_token(logout_token, now).await
    }

    async fn check(&self, _now: Timestamp) -> Vec<Finding> {
        let subject = "discovery".to_owned();
        vec![match self.discovery.examine().await {
            Ok(()) => Finding {
                verdict: Verdict::Fine,
                subject,
                message: format!(
                    "{} answers with its own issuer and keys",
                    self.discovery.issuer.as_str()
                ),
            },
            Err(error) => {
                Finding { verdict: Verdict::Unknown, subject, message: error.to_string() }
            }
        }]
    }
}

#[cfg(test)]
#[path = "oidc/tests/mod.rs"]
mod tests;
