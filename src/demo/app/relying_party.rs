//! The relying party itself — RFC 6749 §4.1 with PKCE (RFC 7636), OIDC Core §3.1.

use std::sync::Arc;

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier,
    CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    HttpRequest, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RefreshToken, Scope, TokenResponse as _, http,
};
use serde::Deserialize;
use url::Url;

use super::Settings;
use super::metadata::{Client, Metadata};
use crate::demo::outbound::{self, Outbound, Recorder};
use crate::protocol::ambient::{Clock, Entropy};
use crate::protocol::secret::SecretString;

/// Why a step failed, in words for the page.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Trouble(pub(super) String);

fn trouble(error: &dyn std::error::Error) -> Trouble {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    Trouble(text)
}

/// A sign-in that has been started and not finished.
#[derive(Clone, Debug)]
pub(super) struct Departure {
    pub(super) state: String,
    nonce: String,
    code_verifier: SecretString,
}

/// What the token endpoint gave.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) sub: String,
    pub(super) nonce: Option<String>,
}

/// What came to the redirect URI (RFC 6749 §4.1.2, RFC 9207).
#[derive(Debug, Deserialize)]
pub(super) struct AuthorizationResponse {
    pub(super) code: Option<String>,
    pub(super) state: Option<String>,
    pub(super) iss: Option<String>,
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

/// The app in its role towards the issuer.
pub(super) struct RelyingParty {
    settings: Settings,
    outbound: Outbound,
}

impl RelyingParty {
    pub(super) fn new(settings: Settings, outbound: Outbound) -> Self {
        Self { settings, outbound }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.settings.clock.as_ref()
    }

    pub(super) fn entropy(&self) -> &dyn Entropy {
        self.settings.entropy.as_ref()
    }

    pub(super) fn recorder(&self) -> Recorder {
        self.outbound.recorded()
    }

    /// Discovery and the keys, fetched anew for each step: nothing in a demo is ever stale.
    async fn discover(&self) -> Result<Metadata, Trouble> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|e| trouble(&e))?;
        let quiet = self.outbound.recorded();
        Metadata::discover_async(issuer, &quiet).await.map_err(|e| trouble(&e))
    }

    fn client(&self, metadata: Metadata) -> Result<Client, Trouble> {
        let redirect_uri =
            RedirectUrl::new(self.settings.redirect_uri()).map_err(|e| trouble(&e))?;
        Ok(CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(self.settings.client_id.clone()),
            Some(ClientSecret::new(self.settings.client_secret.expose().clone())),
        )
        .set_redirect_uri(redirect_uri))
    }

    fn verifier<'c>(&self, client: &'c Client) -> CoreIdTokenVerifier<'c> {
        let clock = Arc::clone(&self.settings.clock);
        client.id_token_verifier().set_time_fn(move || {
            chrono::DateTime::from_timestamp_millis(clock.now().millis()).unwrap_or_default()
        })
    }

    /// Where to send the browser, and what to remember until it comes back.
    pub(super) async fn depart(&self) -> Result<(Url, Departure), Trouble> {
        let draw = || SecretString::random(self.entropy());
        let departure = Departure {
            state: draw().expose().clone(),
            nonce: draw().expose().clone(),
            code_verifier: draw(),
        };
        let verifier = PkceCodeVerifier::new(departure.code_verifier.expose().clone());
        let client = self.client(self.discover().await?)?;
        let (state, nonce) = (departure.state.clone(), departure.nonce.clone());
        let scopes = ["profile", "email", "offline_access"]
            .into_iter()
            .chain(self.settings.api_scopes.iter().map(String::as_str))
            .map(|scope| Scope::new(scope.to_owned()));
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(scopes)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_extra_param("resource", &self.settings.api_identifier)
            .url();
        Ok((url, departure))
    }

    /// Redeems the code and verifies the ID token: signature, `iss`, `aud`, `exp`, `nonce` and
    /// `at_hash`.
    pub(super) async fn arrive(
        &self,
        departure: Departure,
        response: AuthorizationResponse,
        recorder: &Recorder,
    ) -> Result<Tokens, Trouble> {
        let metadata = self.discover().await?;
        let iss_is_announced =
            metadata.additional_metadata().authorization_response_iss_parameter_supported;
        // Mix-up defence (RFC 9207 §2.4) comes before anything in the response is believed.
        match &response.iss {
            Some(iss) if *iss != self.settings.issuer => {
                return Err(Trouble(format!("the answer is from another issuer, {iss}")));
            }
            None if iss_is_announced => {
                return Err(Trouble("the answer does not say which issuer it is from".to_owned()));
            }
            Some(_) | None => {}
        }
        if let Some(error) = response.error {
            let description = response.error_description.unwrap_or_default();
            return Err(Trouble(format!("{error}: {description}")));
        }
        let code = response.code.ok_or_else(|| Trouble("the answer holds no code".to_owned()))?;
        let client = self.client(metadata)?;
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|e| trouble(&e))?
            .set_pkce_verifier(PkceCodeVerifier::new(departure.code_verifier.expose().clone()))
            .request_async(recorder)
            .await
            .map_err(|e| trouble(&e))?;
        let id_token =
            answer.id_token().ok_or_else(|| Trouble("the answer holds no ID token".to_owned()))?;
        let nonce = Nonce::new(departure.nonce);
        let verifier = self.verifier(&client);
        let claims = id_token.claims(&verifier, &nonce).map_err(|e| trouble(&e))?;
        check_access_token_hash(id_token, claims, &verifier, answer.access_token())?;
        Ok(Tokens {
            sub: claims.subject().to_string(),
            nonce: Some(nonce.secret().clone()),
            ..tokens(&answer, id_token.to_string())
        })
    }

    /// Trades the refresh token for fresh tokens (RFC 6749 §6, OIDC Core §12).
    pub(super) async fn refresh(
        &self,
        before: &Tokens,
        recorder: &Recorder,
    ) -> Result<Tokens, Trouble> {
        let refresh_token = before
            .refresh_token
            .clone()
            .ok_or_else(|| Trouble("the app was given no refresh token".to_owned()))?;
        let client = self.client(self.discover().await?)?;
        let answer = client
            .exchange_refresh_token(&RefreshToken::new(refresh_token.clone()))
            .map_err(|e| trouble(&e))?
            .add_extra_param("resource", &self.settings.api_identifier)
            .request_async(recorder)
            .await
            .map_err(|e| trouble(&e))?;
        let id_token = match answer.id_token() {
            None => before.id_token.clone(),
            Some(id_token) => {
                let verifier = self.verifier(&client);
                // No nonce is due here; if there is one, it is the first one (OIDC Core §12.2).
                let claims = id_token
                    .claims(&verifier, |nonce: Option<&Nonce>| match nonce {
                        Some(nonce) if Some(nonce.secret()) != before.nonce.as_ref() => {
                            Err("nonce mismatch".to_owned())
                        }
                        Some(_) | None => Ok(()),
                    })
                    .map_err(|e| trouble(&e))?;
                if claims.subject().as_str() != before.sub {
                    return Err(Trouble("the new ID token is somebody else's".to_owned()));
                }
                check_access_token_hash(id_token, claims, &verifier, answer.access_token())?;
                id_token.to_string()
            }
        };
        let fresh = tokens(&answer, id_token);
        Ok(Tokens {
            sub: before.sub.clone(),
            nonce: before.nonce.clone(),
            refresh_token: fresh.refresh_token.or(Some(refresh_token)),
            ..fresh
        })
    }

    /// What the issuer says of the person (OIDC Core §5.3).
    pub(super) async fn userinfo(
        &self,
        tokens: &Tokens,
        recorder: &Recorder,
    ) -> Result<serde_json::Value, Trouble> {
        let metadata = self.discover().await?;
        let url = metadata
            .userinfo_endpoint()
            .ok_or_else(|| Trouble("discovery names no userinfo endpoint".to_owned()))?;
        let request = outbound::get(url.as_str(), Some(&tokens.access_token));
        let answer = recorder.send(request.map_err(|e| trouble(&e))?).await;
        let answer = answer.map_err(|e| trouble(&e))?;
        if !answer.status().is_success() {
            return Err(Trouble(format!("the userinfo endpoint answered {}", answer.status())));
        }
        let claims: serde_json::Value =
            serde_json::from_slice(answer.body()).map_err(|e| trouble(&e))?;
        // OIDC Core §5.3.2: claims of another subject must not be used.
        if claims.get("sub").and_then(serde_json::Value::as_str) != Some(tokens.sub.as_str()) {
            return Err(Trouble("the userinfo is somebody else's".to_owned()));
        }
        Ok(claims)
    }

    /// Calls the demo API with the access token.
    pub(super) async fn call_api(
        &self,
        tokens: &Tokens,
        recorder: &Recorder,
    ) -> Result<(), Trouble> {
        let url = format!("{}/orders", self.settings.api_url);
        let request = outbound::get(&url, Some(&tokens.access_token)).map_err(|e| trouble(&e))?;
        recorder.send(request).await.map_err(|e| trouble(&e))?;
        Ok(())
    }

    /// Asks whether the access token is still good (RFC 7662).
    pub(super) async fn introspect(
        &self,
        tokens: &Tokens,
        recorder: &Recorder,
    ) -> Result<(), Trouble> {
        let endpoint = self.discover().await?.additional_metadata().introspection_endpoint.clone();
        self.post_authenticated(endpoint, "access_token", &tokens.access_token, recorder).await
    }

    /// Gives the refresh token back, and with it everything the sign-in gave (RFC 7009).
    pub(super) async fn revoke(&self, tokens: &Tokens, recorder: &Recorder) -> Result<(), Trouble> {
        let endpoint = self.discover().await?.additional_metadata().revocation_endpoint.clone();
        let (hint, token) = tokens
            .refresh_token
            .as_ref()
            .map_or(("access_token", &tokens.access_token), |token| ("refresh_token", token));
        self.post_authenticated(endpoint, hint, token, recorder).await
    }

    /// A token in a form with `client_secret_basic`. The library does the same, but on https only.
    async fn post_authenticated(
        &self,
        endpoint: Option<Url>,
        hint: &str,
        token: &str,
        recorder: &Recorder,
    ) -> Result<(), Trouble> {
        use base64::Engine as _;
        let endpoint =
            endpoint.ok_or_else(|| Trouble("discovery does not name the endpoint".to_owned()))?;
        let encoded =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!(
            "{}:{}",
            encoded(&self.settings.client_id),
            encoded(self.settings.client_secret.expose())
        ));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", hint)
            .finish();
        let request: HttpRequest = http::Request::post(endpoint.as_str())
            .header(http::header::AUTHORIZATION, format!("Basic {credentials}"))
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(http::header::ACCEPT, "application/json")
            .body(form.into_bytes())
            .map_err(|e| trouble(&e))?;
        recorder.send(request).await.map_err(|e| trouble(&e))?;
        Ok(())
    }

    /// Where the browser is sent to end the session at the issuer too (OIDC RP-Initiated Logout).
    pub(super) async fn logout_url(&self, tokens: &Tokens) -> Result<Url, Trouble> {
        let metadata = self.discover().await?;
        let mut url = metadata
            .additional_metadata()
            .end_session_endpoint
            .clone()
            .ok_or_else(|| Trouble("discovery names no end_session_endpoint".to_owned()))?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", &tokens.id_token)
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", &self.settings.home());
        Ok(url)
    }
}

fn tokens(answer: &CoreTokenResponse, id_token: String) -> Tokens {
    Tokens {
        id_token,
        access_token: answer.access_token().secret().clone(),
        refresh_token: answer.refresh_token().map(|token| token.secret().clone()),
        sub: String::new(),
        nonce: None,
    }
}

/// OIDC Core §3.1.3.8: an access token that comes with an `at_hash` must be the one it names.
fn check_access_token_hash(
    id_token: &CoreIdToken,
    claims: &CoreIdTokenClaims,
    verifier: &CoreIdTokenVerifier<'_>,
    access_token: &AccessToken,
) -> Result<(), Trouble> {
    let Some(expected) = claims.access_token_hash() else { return Ok(()) };
    let alg = id_token.signing_alg().map_err(|e| trouble(&e))?;
    let key = id_token.signing_key(verifier).map_err(|e| trouble(&e))?;
    let actual = AccessTokenHash::from_token(access_token, alg, key).map_err(|e| trouble(&e))?;
    if actual == *expected {
        Ok(())
    } else {
        Err(Trouble("at_hash does not name this access token".to_owned()))
    }
}
