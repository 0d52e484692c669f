//! FAPI 2.0 with each pairing of how a client proves itself and what its tokens are bound to:
//! conformance B.7, C.6 (57), C.11 (85).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use russet::protocol::client::{ClientKind, TokenEndpointAuthMethod};
use russet::protocol::client_assertion;
use russet::protocol::jose::{Algorithm, SigningKey, Typ};
use russet::protocol::profile::Profile;
use serde_json::json;

use crate::harness::app::{Answer, App, Attempt, answer, claims};
use crate::harness::free_name;
use crate::harness::holder::Holder;
use crate::harness::signer::{key_set, new_key};
use crate::mutual_tls::{Place, Shown, pki, self_signed};

/// How a client of FAPI 2.0 proves itself, and what its tokens are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pairing {
    KeyAndCertificate,
    CertificateAndProof,
    OwnCertificate,
}

/// A client that asks with what it is given.
struct Asking<'a> {
    place: &'a Place,
    app: App,
    signing: Option<SigningKey>,
}

impl<'a> Asking<'a> {
    async fn new(place: &'a Place, pairing: Pairing, mine: &Shown) -> Self {
        let signing = new_key(Algorithm::Es256);
        let mut own = key_set(&[&new_key(Algorithm::Es256)]);
        own["keys"][0]["x5c"] = json!([STANDARD.encode(&mine.der)]);
        let app = place.house.client(ClientKind::Web, |client| {
            match pairing {
                Pairing::KeyAndCertificate => {
                    client.token_endpoint_auth_method = TokenEndpointAuthMethod::PrivateKeyJwt;
                    client.settings.jwks = Some(key_set(&[&signing]));
                }
                Pairing::CertificateAndProof => pki(client),
                Pairing::OwnCertificate => {
                    client.token_endpoint_auth_method =
                        TokenEndpointAuthMethod::SelfSignedTlsClientAuth;
                    client.settings.jwks = Some(own);
                }
            }
            let by_proof = pairing == Pairing::CertificateAndProof;
            client.settings.profile = Some(Profile::Fapi2);
            client.settings.dpop_bound_access_tokens = by_proof;
            client.settings.tls_client_certificate_bound_access_tokens = !by_proof;
        });
        let app = app.await;
        let signing = (pairing == Pairing::KeyAndCertificate).then_some(signing);
        Self { place, app, signing }
    }

    async fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
        shown: Option<&Shown>,
        holder: Option<&Holder>,
    ) -> Answer {
        let house = &self.place.house;
        let (id, now) = (self.app.client_id(), house.now().secs());
        let claims = json!({
            "iss": id, "sub": id, "aud": house.issuer, "iat": now, "exp": now + 60,
            "jti": free_name(),
        });
        let assertion = self.signing.as_ref().map(|key| key.sign(Typ::IdToken, &claims).unwrap());
        let mut form = form.to_vec();
        form.push(("client_id", id));
        if let Some(assertion) = &assertion {
            form.push(("client_assertion_type", client_assertion::TYPE));
            form.push(("client_assertion", assertion));
        }
        let mut request = self.place.browser(shown).post(format!("{}{path}", self.place.base));
        if let Some(holder) = holder {
            let url = format!("{}{path}", house.issuer);
            let proof = holder.sign(&holder.draft("POST", &url, None, house.now()));
            request = request.header("dpop", proof);
        }
        answer(request.form(&form)).await
    }

    async fn userinfo(&self, token: &str, shown: &Shown, holder: Option<&Holder>) -> Answer {
        let house = &self.place.house;
        let request = self.place.browser(Some(shown)).get(format!("{}/userinfo", self.place.base));
        let Some(holder) = holder else { return answer(request.bearer_auth(token)).await };
        let url = format!("{}/userinfo", house.issuer);
        let proof = holder.sign(&holder.draft("GET", &url, Some(token), house.now()));
        let request = request.header("authorization", format!("DPoP {token}"));
        answer(request.header("dpop", proof)).await
    }

    async fn code(&self, attempt: &Attempt, shown: &Shown, holder: Option<&Holder>) -> String {
        let own = attempt.parameters.iter().filter(|(name, _)| name != "client_id");
        let form: Vec<_> = own.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let pushed = self.post("/par", &form, Some(shown), holder).await;
        assert_eq!(pushed.status, 201, "{}", pushed.json);
        let mut url = url::Url::parse(&format!("{}/authorize", self.place.house.issuer)).unwrap();
        url.query_pairs_mut()
            .append_pair("client_id", self.app.client_id())
            .append_pair("request_uri", pushed.text("request_uri"));
        let mut browser = self.place.house.browser();
        let page = browser.open(url.as_str()).await;
        let end = browser.press(&page, "Continue as Ada Lovelace").await;
        end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url))
    }
}

/// The other pairings of FAPI 2.0: conformance B.7, private_key_jwt + mtls, mtls + dpop.
#[tokio::test]
async fn c6_57_and_c11_85_each_pairing_of_proof_and_binding_goes_from_push_to_refresh() {
    let place = Place::new().await;
    for (pairing, unbound, unproven) in [
        (Pairing::KeyAndCertificate, "400 invalid_request", "400 invalid_request"),
        (Pairing::CertificateAndProof, "400 invalid_dpop_proof", "401 invalid_client"),
        (Pairing::OwnCertificate, "401 invalid_client", "401 invalid_client"),
    ] {
        let own = pairing == Pairing::OwnCertificate;
        let mine = if own { self_signed("client") } else { place.issued("client") };
        // One that is nobody's here: another subject, or the same with another key.
        let stranger = if own { self_signed("client") } else { place.issued("other") };
        let asking = Asking::new(&place, pairing, &mine).await;
        let (holder, thief) = (Holder::new(Algorithm::Es256), Holder::new(Algorithm::Es256));
        let by_proof = pairing == Pairing::CertificateAndProof;
        let held = by_proof.then_some(&holder);

        let attempt = asking.app.attempt("openid offline_access");
        let code = asking.code(&attempt, &mine, held).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", "http://127.0.0.1:9/callback"),
            ("code_verifier", attempt.verifier.as_str()),
        ];
        let without = if by_proof { Some(&mine) } else { None };
        let refused = asking.post("/token", &form, without, None).await;
        assert_eq!(refused.error(), unbound, "{pairing:?}");
        let tokens = asking.post("/token", &form, Some(&mine), held).await;
        assert_eq!(tokens.status, 200, "{pairing:?}: {}", tokens.json);
        let token = tokens.text("access_token");
        let bound = &claims(token)["cnf"];
        let expected = if by_proof {
            json!({ "jkt": holder.jkt() })
        } else {
            json!({ "x5t#S256": mine.certificate.thumbprint() })
        };
        assert_eq!(*bound, expected, "{pairing:?}");

        assert_eq!(asking.userinfo(token, &mine, held).await.status, 200, "{pairing:?}");
        let stolen = if by_proof { Some(&thief) } else { None };
        let refused = asking.userinfo(token, &stranger, stolen).await;
        assert_eq!(refused.status, 401, "{pairing:?}");

        let refresh = tokens.text("refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        for _ in 0..2 {
            let renewed = asking.post("/token", &form, Some(&mine), held).await;
            assert_eq!(renewed.status, 200, "{pairing:?}: {}", renewed.json);
            let token = renewed.text("access_token");
            assert_eq!(asking.userinfo(token, &mine, held).await.status, 200, "{pairing:?}");
        }
        // Whose key proves the client may change its certificate; the others may not.
        let by_key = pairing == Pairing::KeyAndCertificate;
        let shown = if by_key { None } else { Some(&stranger) };
        let refused = asking.post("/token", &form, shown, held).await;
        assert_eq!(refused.error(), unproven, "{pairing:?}");
    }
    place.broker.stop().await;
}
