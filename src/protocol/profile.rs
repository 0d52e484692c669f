//! Security profiles — OIDC Core 1.0, OAuth 2.1, FAPI 2.0 Security Profile (final).
//!
//! All that a profile demands beyond what every client owes stands in this file, so that it can be
//! read beside the profile's own text. A client has the profile it is set to, or that of the whole
//! installation if that is stricter.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::client::{Client, TokenEndpointAuthMethod};
use crate::error::Refusal;
use crate::jose::Algorithm;
use crate::params::Params;

/// A profile. Each includes the one before.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Profile {
    /// OpenID Connect as the client's own settings say.
    #[default]
    #[serde(rename = "oidc")]
    Oidc,
    /// OAuth 2.1: PKCE for everybody.
    #[serde(rename = "oauth2.1")]
    Oauth21,
    /// FAPI 2.0 Security Profile.
    #[serde(rename = "fapi2")]
    Fapi2,
}

/// Which of a client's key proofs an audience is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudienceRule {
    /// The issuer, as one string (FAPI 2.0 §5.3.2.1, item 8).
    IssuerAlone,
    /// The issuer or an endpoint, as a string or among others (RFC 7523 §3, RFC 9126 §2).
    IssuerOrEndpoint,
}

impl Profile {
    /// The name as it stands in metadata, configuration and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Oauth21 => "oauth2.1",
            Self::Fapi2 => "fapi2",
        }
    }

    /// The profile with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }

    /// Every profile, from the laxest on.
    pub const ALL: [Self; 3] = [Self::Oidc, Self::Oauth21, Self::Fapi2];

    /// The profile that rules `client` where nobody may be laxer than `minimum`.
    pub fn of(client: &Client, minimum: Self) -> Self {
        client.settings.profile.unwrap_or_default().max(minimum)
    }

    /// What anything may be signed with, by a client or for one (FAPI 2.0 §5.4.1).
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Oidc | Self::Oauth21 => &Algorithm::ALL,
            Self::Fapi2 => &[Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa],
        }
    }

    /// What the client's ID tokens are signed with: its own choice, unless the profile forbids it.
    pub fn id_token_algorithm(self, client: &Client) -> Algorithm {
        self.or_allowed(client.id_token_signed_response_alg)
    }

    /// What the client's userinfo is signed with, if it is to be signed.
    pub fn userinfo_algorithm(self, client: &Client) -> Option<Algorithm> {
        client.settings.userinfo_signed_response_alg.map(|chosen| self.or_allowed(chosen))
    }

    fn or_allowed(self, chosen: Algorithm) -> Algorithm {
        if self.algorithms().contains(&chosen) { chosen } else { Algorithm::Ps256 }
    }

    /// What the `aud` of a client assertion may be.
    pub const fn assertion_audience(self) -> AudienceRule {
        match self {
            Self::Oidc | Self::Oauth21 => AudienceRule::IssuerOrEndpoint,
            Self::Fapi2 => AudienceRule::IssuerAlone,
        }
    }

    /// Whether `client` must push its authorization requests (FAPI 2.0 §5.3.2.2, item 3).
    pub fn requires_pushed_requests(self, client: &Client) -> bool {
        self == Self::Fapi2 || client.settings.require_pushed_authorization_requests
    }

    /// Whether `client` must send a code challenge (OAuth 2.1 §4.1.1, FAPI 2.0 §5.3.2.2, item 5).
    pub fn requires_pkce(self, client: &Client) -> bool {
        self >= Self::Oauth21 || client.require_pkce || client.is_public()
    }

    /// Whether access tokens must be bound to a key (FAPI 2.0 §5.3.2.1, item 4).
    pub const fn requires_bound_tokens(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// Whether a refresh uses its token up. FAPI clients prove themselves and their key each time,
    /// and a lost answer must not cost them the grant (FAPI 2.0 §5.3.2.1, item 9).
    pub const fn rotates_refresh_tokens(self) -> bool {
        !matches!(self, Self::Fapi2)
    }

    /// How long a code of ours lives under this profile, at most (FAPI 2.0 §5.3.2.1, item 11).
    pub fn code_ttl(self, usual: Duration) -> Duration {
        match self {
            Self::Oidc | Self::Oauth21 => usual,
            Self::Fapi2 => usual.min(Duration::from_secs(60)),
        }
    }

    /// Whether a request object must say when and for whom it was made.
    pub const fn requires_dated_request_objects(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// Whether a client may prove itself by this method (FAPI 2.0 §5.3.2.1, item 6).
    pub fn takes(self, method: TokenEndpointAuthMethod) -> bool {
        match self {
            Self::Oidc | Self::Oauth21 => true,
            Self::Fapi2 => proves_by_key(method),
        }
    }

    /// Whether a client proves itself even where a grant brings proof of its own.
    pub const fn always_authenticates(self) -> bool {
        matches!(self, Self::Fapi2)
    }

    /// Refuses client authentication that the profile does not know.
    ///
    /// # Errors
    /// `invalid_client`.
    pub fn check_authentication(self, method: TokenEndpointAuthMethod) -> Result<(), Refusal> {
        if self.takes(method) {
            return Ok(());
        }
        Err(Refusal::invalid_client("client authentication failed")
            .detail("the FAPI 2.0 profile demands private_key_jwt or mutual TLS"))
    }

    /// Refuses what an authorization request must not lack under the profile.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn check_request(self, client: &Client, params: &Params) -> Result<(), Refusal> {
        if self.requires_pkce(client) && params.one("code_challenge")?.is_none() {
            return Err(Refusal::invalid_request("code_challenge is missing (PKCE is required)"));
        }
        // FAPI 2.0 §5.3.2.2, item 6.
        if self == Self::Fapi2 && params.one("redirect_uri")?.is_none() {
            return Err(Refusal::invalid_request("redirect_uri is missing"));
        }
        Ok(())
    }

    /// Sets what a client that registers itself left unsaid to what the profile demands; what it
    /// `said` stands, to be refused if it breaks the profile.
    pub fn complete(self, client: &mut Client, said: impl Fn(&str) -> bool) {
        if self >= Self::Oauth21 {
            client.require_pkce = true;
        }
        if self < Self::Fapi2 {
            return;
        }
        if !said("id_token_signed_response_alg") {
            client.id_token_signed_response_alg = Algorithm::Ps256;
        }
        let by_certificate = client.token_endpoint_auth_method.uses_certificate();
        let settings = &mut client.settings;
        if said("dpop_bound_access_tokens") || said("tls_client_certificate_bound_access_tokens") {
            return;
        }
        settings.tls_client_certificate_bound_access_tokens = by_certificate;
        settings.dpop_bound_access_tokens = !by_certificate;
    }

    /// Why `client` cannot live under this profile as it is registered: member and message.
    pub fn problems(self, client: &Client) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if self >= Self::Oauth21 && !client.require_pkce {
            problems.push(("require_pkce", format!("must be true for {}", self.as_str())));
        }
        if self < Self::Fapi2 {
            return problems;
        }
        let settings = &client.settings;
        if !proves_by_key(client.token_endpoint_auth_method) {
            problems.push((
                "token_endpoint_auth_method",
                "must be private_key_jwt, tls_client_auth or self_signed_tls_client_auth for fapi2"
                    .to_owned(),
            ));
        }
        if !settings.dpop_bound_access_tokens
            && !settings.tls_client_certificate_bound_access_tokens
        {
            problems.push((
                "dpop_bound_access_tokens",
                "must be true for fapi2, or tls_client_certificate_bound_access_tokens must"
                    .to_owned(),
            ));
        }
        for (member, alg) in [
            ("id_token_signed_response_alg", Some(client.id_token_signed_response_alg)),
            ("userinfo_signed_response_alg", settings.userinfo_signed_response_alg),
            ("token_endpoint_auth_signing_alg", settings.token_endpoint_auth_signing_alg),
            ("request_object_signing_alg", settings.request_object_signing_alg),
        ] {
            if alg.is_some_and(|alg| !self.algorithms().contains(&alg)) {
                problems.push((member, "must be PS256, ES256 or EdDSA for fapi2".to_owned()));
            }
        }
        problems
    }
}

fn proves_by_key(method: TokenEndpointAuthMethod) -> bool {
    matches!(method.as_str(), "private_key_jwt" | "tls_client_auth" | "self_signed_tls_client_auth")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Timestamp;
    use crate::client::ClientKind;
    use crate::id::ClientId;

    fn client() -> Client {
        Client::of_kind(ClientId::new("c"), ClientKind::Web, Timestamp::default())
    }

    #[test]
    fn the_stricter_of_client_and_installation_rules() {
        let mut client = client();
        assert_eq!(Profile::of(&client, Profile::Oidc), Profile::Oidc);
        assert_eq!(Profile::of(&client, Profile::Fapi2), Profile::Fapi2);
        client.settings.profile = Some(Profile::Fapi2);
        assert_eq!(Profile::of(&client, Profile::Oauth21), Profile::Fapi2);
        for profile in Profile::ALL {
            assert_eq!(Profile::parse(profile.as_str()), Some(profile));
        }
        assert_eq!(Profile::parse("FAPI2"), None);
    }

    #[test]
    fn oidc_leaves_pkce_to_the_client_and_the_others_do_not() {
        let mut client = client();
        client.require_pkce = false;
        let none = Params::default();
        assert!(Profile::Oidc.check_request(&client, &none).is_ok());
        assert!(Profile::Oauth21.check_request(&client, &none).is_err());
        assert_eq!(Profile::Oauth21.problems(&client)[0].0, "require_pkce");
        client.token_endpoint_auth_method = TokenEndpointAuthMethod::None;
        assert!(Profile::Oidc.check_request(&client, &none).is_err(), "public clients always");
    }

    #[test]
    fn fapi_wants_keys_bound_tokens_and_strong_algorithms() {
        let mut client = client();
        let members = |client: &Client| {
            Profile::Fapi2.problems(client).iter().map(|p| p.0).collect::<Vec<_>>()
        };
        assert_eq!(
            members(&client),
            [
                "token_endpoint_auth_method",
                "dpop_bound_access_tokens",
                "id_token_signed_response_alg"
            ]
        );
        client.token_endpoint_auth_method = TokenEndpointAuthMethod::PrivateKeyJwt;
        client.id_token_signed_response_alg = Algorithm::Ps256;
        client.settings.dpop_bound_access_tokens = true;
        assert_eq!(members(&client), Vec::<&str>::new());
        client.settings.token_endpoint_auth_signing_alg = Some(Algorithm::Rs256);
        assert_eq!(members(&client), ["token_endpoint_auth_signing_alg"]);
        for method in TokenEndpointAuthMethod::ALL {
            let checked = Profile::Fapi2.check_authentication(method);
            assert_eq!(checked.is_ok(), proves_by_key(method), "{method:?}");
            assert!(Profile::Oidc.check_authentication(method).is_ok());
        }
    }

    #[test]
    fn what_a_registration_leaves_unsaid_is_what_the_profile_demands() {
        let unsaid = |_: &str| false;
        let mut one = client();
        one.require_pkce = false;
        Profile::Oidc.complete(&mut one, unsaid);
        assert!(!one.require_pkce);
        one.token_endpoint_auth_method = TokenEndpointAuthMethod::PrivateKeyJwt;
        Profile::Fapi2.complete(&mut one, unsaid);
        assert_eq!(Profile::Fapi2.problems(&one), Vec::new());
        assert!(one.settings.dpop_bound_access_tokens);
        let mut other = client();
        other.token_endpoint_auth_method = TokenEndpointAuthMethod::TlsClientAuth;
        Profile::Fapi2.complete(&mut other, unsaid);
        assert!(other.settings.tls_client_certificate_bound_access_tokens);
        assert!(!other.settings.dpop_bound_access_tokens);
        // What was said is not changed behind the client's back.
        let mut stubborn = client();
        stubborn.token_endpoint_auth_method = TokenEndpointAuthMethod::PrivateKeyJwt;
        Profile::Fapi2.complete(&mut stubborn, |_| true);
        assert_eq!(stubborn.id_token_signed_response_alg, Algorithm::Rs256);
        assert!(!Profile::Fapi2.problems(&stubborn).is_empty());
    }

    #[test]
    fn fapi_pushes_never_rotates_and_never_signs_with_rs256() {
        let client = client();
        let (oidc, fapi) = (Profile::Oidc, Profile::Fapi2);
        assert!(fapi.requires_pushed_requests(&client) && !oidc.requires_pushed_requests(&client));
        assert!(!fapi.rotates_refresh_tokens() && oidc.rotates_refresh_tokens());
        assert_eq!(fapi.id_token_algorithm(&client), Algorithm::Ps256);
        assert_eq!(oidc.id_token_algorithm(&client), Algorithm::Rs256);
        let mut signed = client.clone();
        assert_eq!(fapi.userinfo_algorithm(&signed), None, "plain unless it asks");
        signed.settings.userinfo_signed_response_alg = Some(Algorithm::Rs256);
        assert_eq!(fapi.userinfo_algorithm(&signed), Some(Algorithm::Ps256));
        assert_eq!(oidc.userinfo_algorithm(&signed), Some(Algorithm::Rs256));
        assert_eq!(fapi.code_ttl(Duration::from_secs(600)), Duration::from_secs(60));
        let challenge = Params::parse(b"code_challenge=x").unwrap();
        assert!(fapi.check_request(&client, &challenge).is_err(), "redirect_uri");
    }
}
