//! A JWT that somebody else signed, taken apart — RFC 7515 §3.1 and §5.2, RFC 7519, RFC 8725.
//!
//! Nothing in it is to be believed before [`ForeignJwt::verify`] says so. Which key may have
//! signed it is the caller's to know; `alg` in the header only names one of the algorithms that
//! the caller allows and the key is for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::jose::{Algorithm, JoseError, MAX_TOKEN_LENGTH};
use crate::jwk::PublicKey;

/// A compact JWS with a JSON payload, not verified yet.
#[derive(Debug)]
pub struct ForeignJwt<'t> {
    header: Map<String, Value>,
    alg: Algorithm,
    message: &'t str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> ForeignJwt<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`JoseError::Malformed`] unless it is three base64url parts, the first a JSON object;
    /// [`JoseError::BadHeader`] for an algorithm outside `allowed` and for `crit`.
    pub fn read(token: &'t str, allowed: &[Algorithm]) -> Result<Self, JoseError> {
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(JoseError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(JoseError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(JoseError::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JoseError::Malformed);
        let header: Map<String, Value> =
            serde_json::from_slice(&decode(header)?).map_err(|_| JoseError::Malformed)?;
        // RFC 7515 §4.1.11: an extension that must be understood is not.
        if header.contains_key("crit") {
            return Err(JoseError::BadHeader);
        }
        let alg = header
            .get("alg")
            .and_then(Value::as_str)
            .and_then(|name| allowed.iter().copied().find(|alg| alg.has_name(name)))
            .ok_or(JoseError::BadHeader)?;
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        Ok(Self { header, alg, message, payload, signature })
    }

    /// A text member of the header, such as `typ` or `kid`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// `jwk`: the key that the token itself brings (RFC 7515 §4.1.3).
    pub fn jwk(&self) -> Option<&Value> {
        self.header.get("jwk")
    }

    /// The algorithm, one of those allowed.
    pub fn alg(&self) -> Algorithm {
        self.alg
    }

    /// The claims as they are said, to find out whose token it claims to be.
    ///
    /// # Errors
    /// [`JoseError::Malformed`] when they are not of this shape.
    pub fn unverified<C: DeserializeOwned>(&self) -> Result<C, JoseError> {
        serde_json::from_slice(&self.payload).map_err(|_| JoseError::Malformed)
    }

    /// The claims, if `key` signed them.
    ///
    /// # Errors
    /// [`JoseError::BadHeader`] when the key is not for this algorithm,
    /// [`JoseError::BadSignature`], and [`JoseError::Malformed`] for claims of another shape.
    pub fn verify<C: DeserializeOwned>(&self, key: &PublicKey) -> Result<C, JoseError> {
        key.verify(self.alg, self.message.as_bytes(), &self.signature)?;
        self.unverified()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::{SigningKey, Typ, generate_private_key};

    fn key() -> SigningKey {
        let der = generate_private_key(Algorithm::Es256).unwrap();
        SigningKey::from_pkcs8(Algorithm::Es256, der.expose()).unwrap()
    }

    #[test]
    fn what_was_signed_is_read_and_nothing_else() {
        let key = key();
        let public = PublicKey::from_jwk(key.public_jwk()).unwrap();
        let token = key.sign(Typ::AccessToken, &json!({ "sub": "a" })).unwrap();
        let read = ForeignJwt::read(&token, &Algorithm::ALL).unwrap();
        assert_eq!(read.header("typ"), Some("at+jwt"));
        assert_eq!(read.verify::<Value>(&public).unwrap()["sub"], "a");
        let (message, _) = token.rsplit_once('.').unwrap();
        for (forged, why) in [
            (format!("{message}."), JoseError::BadSignature),
            (format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64])), JoseError::BadSignature),
        ] {
            let read = ForeignJwt::read(&forged, &Algorithm::ALL).unwrap();
            assert_eq!(read.verify::<Value>(&public).unwrap_err(), why);
        }
        let other = PublicKey::from_jwk(self::key().public_jwk()).unwrap();
        assert_eq!(read.verify::<Value>(&other).unwrap_err(), JoseError::BadSignature);
    }

    #[test]
    fn each_defect_of_form_is_refused() {
        let token = |header: Value, payload: &str| {
            let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
            format!("{}.{}.{}", encode(&header.to_string()), encode(payload), encode("signature"))
        };
        let good = token(json!({ "alg": "ES256" }), "{}");
        assert!(ForeignJwt::read(&good, &[Algorithm::Es256]).is_ok());
        assert!(ForeignJwt::read(&good, &[Algorithm::Ps256]).is_err(), "not allowed");
        for bad in [
            String::new(),
            "a.b".to_owned(),
            "a.b.c.d".to_owned(),
            format!("{good}="),
            format!(" {good}"),
            good.repeat(400),
            token(json!([]), "{}"),
            token(json!({}), "{}"),
            token(json!({ "alg": "none" }), "{}"),
            token(json!({ "alg": "HS256" }), "{}"),
            token(json!({ "alg": 1 }), "{}"),
            token(json!({ "alg": "ES256", "crit": ["b64"], "b64": false }), "{}"),
            token(json!({ "alg": "ES256", "crit": null }), "{}"),
        ] {
            assert!(ForeignJwt::read(&bad, &Algorithm::ALL).is_err(), "{bad:.80}");
        }
        let no_object = token(json!({ "alg": "ES256" }), "not json");
        let read = ForeignJwt::read(&no_object, &Algorithm::ALL).unwrap();
        assert_eq!(read.unverified::<Value>().unwrap_err(), JoseError::Malformed);
    }
}
