//! Web sign-in — apple.md §1.1, §3, §4, §10.

use async_trait::async_trait;
use url::Url;

use super::identity_token::{Claims, Code, Expected, ExpectedNonce};
use super::token_endpoint::{Redemption, check_at_hash};
use super::user_field::Names;
use super::{AppleConnector, with_percent_20};
use crate::protocol::ambient::Timestamp;
use crate::protocol::connection::ConnectionKind;
use crate::protocol::id::ConnectionId;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::upstream_claims::is_address;
use crate::protocol::user::Profile;
use crate::upstream::health::Health;
use crate::upstream::{
    Announcements, Callback, Connector, Finding, Lifecycle, NativeSignIn, ObtainedGrant,
    TeamTransfer, Trip, UpstreamError, UpstreamIdentity,
};

impl AppleConnector {
    fn services_id(&self) -> Result<&String, UpstreamError> {
        self.settings.services_id.as_ref().ok_or_else(|| {
            UpstreamError::Misconfigured("web sign-in needs apple.services_id".to_owned())
        })
    }

    /// What the claims say about a person. The address comes from here and nowhere else.
    pub(super) fn identity(&self, claims: &Claims, names: Names) -> UpstreamIdentity {
        let email = claims.email.clone().filter(|email| is_address(email));
        let relayed = email.as_deref().is_some_and(|email| {
            email.ends_with("@privaterelay.appleid.com") || email.ends_with("@private.icloud.com")
        });
        let mut profile = Profile {
            email_verified: claims.email_verified && email.is_some(),
            is_private_email: email.is_some() && (claims.is_private_email || relayed),
            email,
            ..Profile::default()
        };
        names.fill(&mut profile);
        UpstreamIdentity {
            authority: self.team_authority(),
            subject: claims.sub.clone(),
            profile,
            auth_time: None,
            amr: Vec::new(),
            grant: None,
            sid: None,
            transfer_sub: claims.transfer_sub.clone().filter(|sub| (1..=255).contains(&sub.len())),
        }
    }

    /// Checks the answer's frame and verifies the token that came through the browser.
    async fn front_channel(
        &self,
        trip: &Trip,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<Claims, UpstreamError> {
        if let Some(error) = &callback.error {
            return Err(match error.as_str() {
                "user_cancelled_authorize" | "access_denied" => UpstreamError::Cancelled,
                _ => UpstreamError::Unavailable("Apple answered with an error".to_owned()),
            });
        }
        let code = required(callback.code.as_deref(), "code_missing")?;
        let id_token = required(callback.id_token.as_deref(), "id_token_missing")?;
        let expected = Expected {
            audiences: std::slice::from_ref(self.services_id()?),
            nonce: ExpectedNonce::Exactly(&trip.nonce),
            fresh: true,
            code: Code::Required(code),
        };
        self.verify_token(id_token, &expected, now).await
    }
}

fn required<'a>(field: Option<&'a str>, reason: &'static str) -> Result<&'a str, UpstreamError> {
    field.ok_or_else(|| UpstreamError::Rejected {
        reason,
        detail: "a field is missing from Apple's answer".to_owned(),
    })
}

#[async_trait]
impl Connector for AppleConnector {
    fn id(&self) -> &ConnectionId {
        &self.settings.connection_id
    }

    fn display_name(&self) -> &str {
        &self.settings.display_name
    }

    fn kind(&self) -> ConnectionKind {
        ConnectionKind::Apple
    }

    fn health(&self) -> &Health {
        &self.health
    }

    fn link_by_verified_email(&self) -> bool {
        self.settings.link_by_verified_email
    }

    fn form_action_source(&self) -> String {
        self.settings.issuer.origin().ascii_serialization()
    }

    async fn depart(&self, trip: &Trip, _now: Timestamp) -> Result<Url, UpstreamError> {
        let mut url = self.endpoint("/auth/authorize");
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("client_id", self.services_id()?)
                .append_pair("redirect_uri", &trip.redirect_uri)
                .append_pair("response_type", "code id_token")
                .append_pair("response_mode", "form_post")
                .append_pair("scope", "name email")
                .append_pair("state", &trip.state)
                .append_pair("nonce", &trip.nonce);
            if self.settings.pkce {
                query
                    .append_pair("code_challenge", CodeChallenge::of(&trip.code_verifier).as_str())
                    .append_pair("code_challenge_method", "S256");
            }
        }
        Ok(with_percent_20(url))
    }

    async fn greet(
        &self,
        trip: &Trip,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<Option<UpstreamIdentity>, UpstreamError> {
        let claims = self.front_channel(trip, callback, now).await?;
        Ok(Some(self.identity(&claims, Names::read(callback.user.as_deref()))))
    }

    async fn arrive(
        &self,
        trip: &Trip,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        let front = self.front_channel(trip, callback, now).await?;
        let code = required(callback.code.as_deref(), "code_missing")?;
        let services_id = self.services_id()?;
        let redemption = Redemption {
            client_id: services_id,
            code,
            redirect_uri: Some(&trip.redirect_uri),
            code_verifier: self.settings.pkce.then_some(trip.code_verifier.as_str()),
        };
        let tokens = self.redeem_code(&redemption, now).await?;
        let id_token =
            required(tokens.id_token.as_ref().map(|t| t.expose().as_str()), "id_token_missing")?;
        let expected = Expected {
            audiences: std::slice::from_ref(services_id),
            nonce: ExpectedNonce::Exactly(&trip.nonce),
            fresh: true,
            code: Code::IfHashed(code),
        };
        let back = self.verify_token(id_token, &expected, now).await?;
        check_at_hash(&back, &tokens)?;
        // Audience and nonce were both held against the same values (apple.md §3, step 10).
        if front.sub != back.sub || front.iss != back.iss {
            return Err(UpstreamError::Rejected {
                reason: "sub_mismatch",
                detail: "the two identity tokens name two people or issuers".to_owned(),
            });
        }
        let mut identity = self.identity(&back, Names::read(callback.user.as_deref()));
        identity.grant = tokens
            .refresh_token
            .map(|refresh_token| ObtainedGrant { client_id: services_id.clone(), refresh_token });
        Ok(identity)
    }

    fn native(&self) -> Option<&dyn NativeSignIn> {
        (!self.settings.bundle_ids.is_empty()).then_some(self as &dyn NativeSignIn)
    }

    fn authority(&self) -> String {
        self.team_authority()
    }

    fn lifecycle(&self) -> Option<&dyn Lifecycle> {
        Some(self)
    }

    fn announcements(&self) -> Option<&dyn Announcements> {
        Some(self)
    }

    fn team_transfer(&self) -> Option<&dyn TeamTransfer> {
        Some(self)
    }

    async fn check_return_url(&self, return_url: &str) -> Option<Finding> {
        self.examine_return_url(return_url).await
    }

    async fn check(&self, now: Timestamp) -> Vec<Finding> {
        self.diagnose(now).await
    }
}
