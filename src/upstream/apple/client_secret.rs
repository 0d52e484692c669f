//! Apple's client secret: a short-lived ES256 JWT — apple.md §2.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use super::AppleConfigError;
use crate::protocol::ambient::Timestamp;
use crate::protocol::p8;
use crate::protocol::secret::SecretString;
use crate::upstream::UpstreamError;

/// How long a secret is good; Apple allows half a year, nobody needs it.
const LIFE: Duration = Duration::from_secs(300);
/// A secret is minted anew when less than this is left.
const SPARE: Duration = Duration::from_secs(60);
/// Back-dating, for a local clock that runs ahead of Apple's.
const BACKDATE: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    aud: &'a str,
    sub: &'a str,
}

/// Mints and remembers secrets, one for each `client_id`: a secret's `sub` must be exactly the
/// `client_id` of its request (apple.md §12, item 40).
pub(super) struct ClientSecrets {
    team_id: String,
    key_id: String,
    issuer: String,
    key: EncodingKey,
    minted: Mutex<HashMap<String, (Timestamp, SecretString)>>,
}

impl ClientSecrets {
    pub(super) fn new(
        team_id: &str,
        key_id: &str,
        private_key: &SecretString,
        issuer: &str,
    ) -> Result<Self, AppleConfigError> {
        let der = p8::read(private_key).map_err(|_| AppleConfigError::BadKey)?;
        let key = EncodingKey::from_ec_der(der.expose());
        let secrets = Self {
            team_id: team_id.to_owned(),
            key_id: key_id.to_owned(),
            issuer: issuer.to_owned(),
            key,
            minted: Mutex::new(HashMap::new()),
        };
        secrets.mint("self-test", Timestamp::default()).map_err(|_| AppleConfigError::BadKey)?;
        Ok(secrets)
    }

    /// The Key ID it signs under.
    pub(super) fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The secret for requests of `client_id`.
    pub(super) fn secret(
        &self,
        client_id: &str,
        now: Timestamp,
    ) -> Result<SecretString, UpstreamError> {
        let mut minted = match self.minted.lock() {
            Ok(minted) => minted,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some((expires_at, secret)) = minted.get(client_id)
            && *expires_at > now.plus(SPARE)
            && *expires_at <= now.plus(LIFE)
        {
            return Ok(secret.clone());
        }
        let secret = self.mint(client_id, now)?;
        minted.insert(client_id.to_owned(), (now.plus(LIFE), secret.clone()));
        Ok(secret)
    }

    fn mint(&self, client_id: &str, now: Timestamp) -> Result<SecretString, UpstreamError> {
        self.mint_under(&self.key_id, client_id, now)
    }

    /// A secret that is not remembered, under any Key ID: for the connection doctor.
    pub(super) fn mint_under(
        &self,
        key_id: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<SecretString, UpstreamError> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = None;
        header.kid = Some(key_id.to_owned());
        let claims = Claims {
            iss: &self.team_id,
            iat: now.minus(BACKDATE).secs(),
            exp: now.plus(LIFE).secs(),
            aud: &self.issuer,
            sub: client_id,
        };
        encode(&header, &claims, &self.key)
            .map(SecretString::new)
            .map_err(|_| UpstreamError::Misconfigured("the private key does not sign".to_owned()))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use url::Url;

    use super::super::AppleSettings;
    use super::*;
    use crate::protocol::id::ConnectionId;
    use crate::protocol::jose::{self, generate_private_key};

    pub(crate) fn pem(alg: jose::Algorithm) -> String {
        let der = generate_private_key(alg).unwrap();
        let body = STANDARD.encode(der.expose());
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    }

    pub(crate) fn settings(private_key: String) -> AppleSettings {
        AppleSettings {
            connection_id: ConnectionId::new("apple"),
            display_name: "Apple".into(),
            team_id: "TEAM123456".into(),
            key_id: "KEY1234567".into(),
            private_key: private_key.into(),
            next_key: None,
            services_id: Some("com.example.web".into()),
            bundle_ids: vec!["com.example.app".into()],
            primary_app_id: None,
            private_key_file: None,
            mail_sender_domain: None,
            issuer: Url::parse("https://appleid.apple.com").unwrap(),
            additional_issuers: Vec::new(),
            pkce: true,
            link_by_verified_email: false,
        }
    }

    fn of(private_key: String) -> Result<ClientSecrets, AppleConfigError> {
        let key = SecretString::new(private_key);
        ClientSecrets::new("TEAM123456", "KEY1234567", &key, "https://appleid.apple.com")
    }

    fn secrets() -> ClientSecrets {
        of(pem(jose::Algorithm::Es256)).unwrap()
    }

    fn claims(secret: &SecretString) -> serde_json::Value {
        let payload = secret.expose().split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }

    #[test]
    fn a_secret_says_what_apple_demands() {
        let now = Timestamp::from_secs(1_000_000);
        let secret = secrets().secret("com.example.web", now).unwrap();
        let claims = claims(&secret);
        assert_eq!(claims["iss"], "TEAM123456");
        assert_eq!(claims["sub"], "com.example.web");
        assert_eq!(claims["aud"], "https://appleid.apple.com");
        assert_eq!(claims["iat"], 1_000_000 - 60);
        assert_eq!(claims["exp"], 1_000_000 + 300);
        let parts: Vec<_> = secret.expose().split('.').collect();
        let header = URL_SAFE_NO_PAD.decode(parts[0]).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header, serde_json::json!({ "alg": "ES256", "kid": "KEY1234567" }));
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        assert_eq!(signature.len(), 64, "JOSE form, not DER");
    }

    #[test]
    fn each_client_id_has_its_own_secret_and_none_outlives_its_time() {
        let secrets = secrets();
        let now = Timestamp::from_secs(1_000_000);
        let web = secrets.secret("com.example.web", now).unwrap();
        let app = secrets.secret("com.example.app", now).unwrap();
        assert_eq!(claims(&app)["sub"], "com.example.app");
        let again = secrets.secret("com.example.web", now.plus(Duration::from_secs(200))).unwrap();
        assert_eq!(again.expose(), web.expose());
        let later = secrets.secret("com.example.web", now.plus(Duration::from_secs(250))).unwrap();
        assert_ne!(later.expose(), web.expose());
        let back = secrets.secret("com.example.web", now.minus(Duration::from_secs(900))).unwrap();
        assert_ne!(back.expose(), later.expose(), "a clock set back needs a secret of its time");
    }

    #[test]
    fn a_key_survives_what_environments_do_to_it() {
        let good = pem(jose::Algorithm::Es256);
        for mangled in [
            good.replace('\n', "\\n"),
            good.replace('\n', "\r\n"),
            format!("\u{feff}{good}"),
            format!("\"{}\"", good.replace('\n', "\\n")),
        ] {
            assert!(of(mangled).is_ok());
        }
    }

    #[test]
    fn any_other_key_is_refused() {
        for bad in [
            String::new(),
            "not a key".to_owned(),
            pem(jose::Algorithm::Rs256),
            pem(jose::Algorithm::EdDsa),
            pem(jose::Algorithm::Es256).replace("PRIVATE", "ENCRYPTED PRIVATE"),
        ] {
            assert!(of(bad).is_err());
        }
    }
}
