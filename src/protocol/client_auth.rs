//! Client authentication: what was presented — RFC 6749 §2.3, RFC 7617, OIDC Core §9.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use crate::ambient::Timestamp;
use crate::client::{Client, ClientSecret, TokenEndpointAuthMethod};
use crate::client_assertion;
use crate::error::Refusal;
use crate::id::ClientId;
use crate::params::Params;
use crate::secret::{SecretHash, SecretString};

/// Longest `client_id` and secret looked at.
const MAX_LENGTH: usize = 512;

/// What a client presented, unproven.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Who it says it is.
    pub client_id: ClientId,
    /// How it proves it.
    pub method: TokenEndpointAuthMethod,
    /// The secret, unless the method is `none`.
    pub secret: Option<SecretString>,
    /// The assertion, with `private_key_jwt`.
    pub assertion: Option<String>,
}

impl Credentials {
    /// Reads the `Authorization` header and the form.
    ///
    /// # Errors
    /// `invalid_client` for a header that is no good or nothing at all; `invalid_request` for two
    /// methods at once (RFC 6749 §2.3) or two client ids.
    pub fn read(authorization: Option<&str>, params: &Params) -> Result<Self, Refusal> {
        let in_form = params.one("client_id")?;
        let secret = params.one("client_secret")?;
        let assertion = read_assertion(params)?;
        if let Some(header) = authorization {
            let (client_id, header_secret) = read_basic(header)?;
            if secret.is_some() || assertion.is_some() {
                return Err(Refusal::invalid_request("two client authentication methods at once"));
            }
            if in_form.is_some_and(|other| other != client_id) {
                return Err(Refusal::invalid_request("two different client_id values"));
            }
            return Ok(Self {
                client_id: ClientId::new(client_id),
                method: TokenEndpointAuthMethod::ClientSecretBasic,
                secret: Some(header_secret.into()),
                assertion: None,
            });
        }
        if let Some(assertion) = assertion {
            if secret.is_some() {
                return Err(Refusal::invalid_request("two client authentication methods at once"));
            }
            let client_id = client_assertion::claimed_client(assertion)?;
            if in_form.is_some_and(|other| other != client_id.as_str()) {
                return Err(Refusal::invalid_client("client authentication failed")
                    .detail("client_id is not the sub of client_assertion"));
            }
            return Ok(Self {
                client_id,
                method: TokenEndpointAuthMethod::PrivateKeyJwt,
                secret: None,
                assertion: Some(assertion.to_owned()),
            });
        }
        let client_id = in_form
            .filter(|client_id| client_id.len() <= MAX_LENGTH)
            .ok_or_else(|| Refusal::invalid_client("client authentication is missing"))?;
        let method = match secret {
            Some(_) => TokenEndpointAuthMethod::ClientSecretPost,
            None => TokenEndpointAuthMethod::None,
        };
        Ok(Self {
            client_id: ClientId::new(client_id),
            method,
            secret: secret.filter(|secret| secret.len() <= MAX_LENGTH).map(SecretString::from),
            assertion: None,
        })
    }

    /// Whether these credentials prove that they are `client`'s: by the method it registered, with
    /// a secret that has not expired. `hash` is the keyed hash of the presented secret.
    ///
    /// `client_secret_basic` is also what a client has that never chose (RFC 7591 §2), and half of
    /// the libraries send the form unless told otherwise; so its secret may come either way.
    ///
    /// # Errors
    /// `invalid_client`; who knows the secret and sends it in another way than registered is told
    /// which.
    pub fn prove(
        &self,
        client: &Client,
        secrets: &[ClientSecret],
        hash: Option<SecretHash>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let refused = |detail: &str| {
            Err(Refusal::invalid_client("client authentication failed").detail(detail))
        };
        let method = client.token_endpoint_auth_method;
        if !method.uses_secret() && method != TokenEndpointAuthMethod::None {
            return refused("the client proves itself by a key, not by a secret");
        }
        let wants_secret = method.uses_secret();
        match (wants_secret, hash) {
            (false, None) => Ok(()),
            (false, Some(_)) => refused("a public client sent a secret"),
            (true, None) => refused("a confidential client sent no secret"),
            (true, Some(hash)) => {
                let mut good = false;
                for secret in secrets {
                    let in_time = secret.expires_at.is_none_or(|at| now < at);
                    good |= in_time && secret.hash == hash;
                }
                if !good {
                    return refused("the secret is wrong or has expired");
                }
                let never_chose = method == TokenEndpointAuthMethod::ClientSecretBasic;
                if self.method != method && !never_chose {
                    return Err(Refusal::invalid_client(format!(
                        "this client is registered for {} and sent its secret by {}: change the \
                         library's setting, or the client's token_endpoint_auth_method",
                        method.as_str(),
                        self.method.as_str()
                    )));
                }
                Ok(())
            }
        }
    }
}

/// The client assertion, if there is one of the one type (RFC 7523 §2.2).
fn read_assertion(params: &Params) -> Result<Option<&str>, Refusal> {
    match (params.one("client_assertion_type")?, params.one("client_assertion")?) {
        (None, None) => Ok(None),
        (Some(client_assertion::TYPE), Some(assertion)) => Ok(Some(assertion)),
        (Some(_), None) => Err(Refusal::invalid_client("client_assertion is missing")),
        (_, Some(_)) => Err(Refusal::invalid_client("client_assertion_type is not supported")),
    }
}

/// Decodes HTTP Basic credentials; both halves are form-urlencoded first (RFC 6749 §2.3.1).
fn read_basic(header: &str) -> Result<(String, String), Refusal> {
    let malformed = || Refusal::invalid_client("the Authorization header is not valid Basic");
    let (scheme, encoded) = header.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 4 * MAX_LENGTH {
        return Err(malformed());
    }
    let bytes = STANDARD.decode(encoded).map_err(|_| malformed())?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (client_id, secret) = text.split_once(':').ok_or_else(malformed)?;
    let decode = |part: &str| {
        // A form value holds no bare `&` or `=`; there is exactly one name and no value.
        let mut pairs = form_urlencoded::parse(part.as_bytes());
        match (pairs.next(), pairs.next()) {
            (Some((name, value)), None) if value.is_empty() && !part.ends_with('=') => {
                Ok(name.into_owned())
            }
            // Libraries that skip the encoding send their secret as it is.
            _ => Ok(part.to_owned()),
        }
    };
    let (client_id, secret): (Result<_, Refusal>, Result<_, Refusal>) =
        (decode(client_id), decode(secret));
    let (client_id, secret) = (client_id?, secret?);
    let unreadable = client_id.contains('\0') || secret.contains('\0');
    if unreadable || client_id.is_empty() || client_id.len().max(secret.len()) > MAX_LENGTH {
        return Err(malformed());
    }
    Ok((client_id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientKind;
    use crate::secret::Vault;

    fn read(authorization: Option<&str>, form: &str) -> Result<Credentials, Refusal> {
        Credentials::read(authorization, &Params::parse(form.as_bytes()).unwrap())
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn basic_is_form_urlencoded() {
        let header = basic("app%3A1:s%2Bcret%20with+space");
        let credentials = read(Some(&header), "").unwrap();
        assert_eq!(credentials.client_id.as_str(), "app:1");
        assert_eq!(credentials.secret.unwrap().expose(), "s+cret with space");
    }

    #[test]
    fn each_malformed_credential_is_refused() {
        for header in [
            "Basic",
            "Basic ",
            "Basic !!!",
            "Bearer abc",
            &basic("no colon"),
            &basic(":secret"),
            &format!("Basic\t{}", STANDARD.encode("a:b")),
            &format!("Basic {}=", STANDARD.encode("a:bc")),
            &basic(&format!("a:{}", "x".repeat(600))),
        ] {
            assert_eq!(
                read(Some(header), "").unwrap_err().code.as_str(),
                "invalid_client",
                "{header}"
            );
        }
        assert_eq!(read(None, "").unwrap_err().code.as_str(), "invalid_client");
    }

    #[test]
    fn an_assertion_comes_alone_and_with_its_type() {
        let typed = format!("client_assertion_type={}", client_assertion::TYPE);
        for (authorization, form, code) in [
            (None, "client_assertion=x".to_owned(), "invalid_client"),
            (None, typed.clone(), "invalid_client"),
            (None, "client_assertion_type=saml&client_assertion=x".to_owned(), "invalid_client"),
            (None, format!("{typed}&client_assertion=x"), "invalid_client"),
            (None, format!("{typed}&client_assertion=x&client_secret=s"), "invalid_request"),
            (Some(basic("a:b")), format!("{typed}&client_assertion=x"), "invalid_request"),
        ] {
            let refusal = read(authorization.as_deref(), &form).unwrap_err();
            assert_eq!(refusal.code.as_str(), code, "{form}");
        }
    }

    #[test]
    fn two_methods_or_two_names_are_refused() {
        let header = basic("app:secret");
        for form in ["client_secret=secret", "client_id=app&client_secret=x", "client_id=other"] {
            let refusal = read(Some(&header), form).unwrap_err();
            assert_eq!(refusal.code.as_str(), "invalid_request", "{form}");
        }
        assert!(read(Some(&header), "client_id=app").is_ok());
    }

    #[test]
    fn the_truth_table_of_proof() {
        let vault = Vault::from_bytes(&[3; 32]).unwrap();
        let now = Timestamp::from_secs(100);
        let secret = |text: &str, expires_at| ClientSecret {
            expires_at,
            ..ClientSecret::new(text.into(), vault.hash(text), now)
        };
        let secrets = [
            secret("current", None),
            secret("old", Some(now)),
            secret("overlap", Some(Timestamp::from_secs(101))),
        ];
        let web = Client::of_kind(ClientId::new("c"), ClientKind::Web, now);
        let spa = Client::of_kind(ClientId::new("c"), ClientKind::Spa, now);
        for (client, presented, good) in [
            (&web, Some("current"), true),
            (&web, Some("overlap"), true),
            (&web, Some("old"), false),
            (&web, Some("wrong"), false),
            (&web, Some(""), false),
            (&web, None, false),
            (&spa, None, true),
            (&spa, Some("current"), false),
        ] {
            let credentials = Credentials {
                client_id: ClientId::new("c"),
                method: TokenEndpointAuthMethod::ClientSecretBasic,
                secret: presented.map(SecretString::from),
                assertion: None,
            };
            let hash = presented.map(|text| vault.hash(text));
            let proved = credentials.prove(client, &secrets, hash, now);
            assert_eq!(proved.is_ok(), good, "{:?} {presented:?}", client.kind);
        }
        // The way that was chosen, and no other; only who knows the secret learns which it is.
        let mut by_form = web.clone();
        by_form.token_endpoint_auth_method = TokenEndpointAuthMethod::ClientSecretPost;
        for (client, authorization, form, good) in [
            (&web, None, "client_id=c&client_secret=current", true),
            (&web, Some(basic("c:current")), "", true),
            (&by_form, None, "client_id=c&client_secret=current", true),
            (&by_form, Some(basic("c:current")), "", false),
        ] {
            let credentials = read(authorization.as_deref(), form).unwrap();
            let proved = credentials.prove(client, &secrets, Some(vault.hash("current")), now);
            let told = proved.map_err(|refusal| refusal.description);
            assert_eq!(told.is_ok(), good, "{form} {told:?}");
            assert!(told.is_ok() || told.unwrap_err().contains("is registered for client_secret_"));
            let guessed = credentials.prove(client, &secrets, Some(vault.hash("guess")), now);
            assert_eq!(guessed.unwrap_err().description, "client authentication failed");
        }
        let none = Credentials::read(None, &Params::parse(b"client_id=c").unwrap()).unwrap();
        assert!(none.prove(&web, &[], None, now).is_err());
    }
}
