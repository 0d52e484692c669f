//! Somebody who holds a key: a client that signs DPoP proofs (RFC 9449 §4.2).

use russet::protocol::ambient::{Clock as _, Timestamp};
use russet::protocol::dpop::hash;
use russet::protocol::jose::{Algorithm, SigningKey, generate_private_key};
use serde_json::{Value, json};

use super::app::{Answer, App, answer};
use super::{House, free_name};

pub struct Holder {
    pub key: SigningKey,
}

/// A proof as it will be signed, to be spoilt by a test.
pub struct Draft {
    pub header: Value,
    pub claims: Value,
}

impl Draft {
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self
    }
}

impl Holder {
    pub fn new(alg: Algorithm) -> Self {
        let der = generate_private_key(alg).expect("a key");
        Self { key: SigningKey::from_pkcs8(alg, der.expose()).expect("a key") }
    }

    pub fn jkt(&self) -> &str {
        self.key.kid()
    }

    pub fn draft(&self, method: &str, url: &str, token: Option<&str>, now: Timestamp) -> Draft {
        let mut jwk = self.key.public_jwk().clone();
        for member in ["kid", "use", "alg"] {
            jwk.as_object_mut().expect("an object").remove(member);
        }
        let header = json!({ "typ": "dpop+jwt", "alg": self.key.alg().as_str(), "jwk": jwk });
        let mut claims =
            json!({ "jti": free_name(), "htm": method, "htu": url, "iat": now.secs() });
        if let Some(token) = token {
            claims["ath"] = hash(token).into();
        }
        Draft { header, claims }
    }

    pub fn sign(&self, draft: &Draft) -> String {
        self.key.sign_with_header(&draft.header, &draft.claims).expect("a proof")
    }

    /// A sound proof for the token endpoint.
    pub fn proof(&self, house: &House) -> String {
        let url = format!("{}/token", house.issuer);
        self.sign(&self.draft("POST", &url, None, house.clock.now()))
    }

    /// Asks the token endpoint with a fresh proof.
    pub async fn token(&self, house: &House, app: &App, form: &[(&str, &str)]) -> Answer {
        app.post_proving(&house.issuer, "/token", form, &[&self.proof(house)]).await
    }

    /// Asks userinfo with a fresh proof.
    pub async fn userinfo(&self, house: &House, token: &str) -> Answer {
        let url = format!("{}/userinfo", house.issuer);
        let proof = self.sign(&self.draft("GET", &url, Some(token), house.clock.now()));
        userinfo(house, "DPoP", token, &[&proof]).await
    }
}

/// Asks userinfo with exactly this.
pub async fn userinfo(house: &House, scheme: &str, token: &str, proofs: &[&str]) -> Answer {
    let mut request = house
        .http()
        .get(format!("{}/userinfo", house.issuer))
        .header("authorization", format!("{scheme} {token}"));
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    answer(request).await
}
