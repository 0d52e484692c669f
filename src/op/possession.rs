//! Which keys a caller shows, and which a token demands — RFC 9449 §5 to §8 and §10, RFC 8705 §3.
//!
//! A proof is used up in an act of its own, before the request's: of two requests with one proof,
//! on any number of replicas, one goes on.

use super::{Failure, Provider};
use crate::protocol::ambient::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::dpop::{self, Demands, Target};
use crate::protocol::error::Refusal;
use crate::protocol::metadata::path;
use crate::protocol::params::Params;
use crate::protocol::presented::Presented;
use crate::protocol::profile::Profile;
use crate::store::single_use::SingleUse;

impl Provider {
    /// The nonce that DPoP proofs must hold, if they must hold one (RFC 9449 §8).
    pub fn demanded_dpop_nonce(&self) -> Option<String> {
        self.policy.require_dpop_nonce.then(|| self.dpop_nonce())
    }

    /// A nonce for DPoP proofs, good for some minutes.
    pub fn dpop_nonce(&self) -> String {
        dpop::nonce(&self.vault, self.clock.now())
    }

    /// What the tokens of this request will be bound to. A client that must bind them and shows
    /// no key is refused.
    ///
    /// # Errors
    /// `invalid_dpop_proof` or `use_dpop_nonce`.
    pub(super) async fn keys_for_tokens(
        &self,
        client: &Client,
        presented: &Presented<'_>,
        now: Timestamp,
    ) -> Result<Option<Confirmation>, Failure> {
        let jkt = if presented.dpop.is_empty() {
            if client.settings.dpop_bound_access_tokens {
                let refusal = Refusal::invalid_dpop_proof("this client must send a DPoP proof");
                return Err(refusal.into());
            }
            None
        } else {
            Some(self.proven_key(presented, client, path::TOKEN, None, now).await?)
        };
        let must_be_bound = self.profile_of(client).requires_bound_tokens();
        let by_certificate = client.settings.tls_client_certificate_bound_access_tokens;
        let x5t = match &presented.certificate {
            // A profile that wants some key takes the one at hand.
            Some(certificate) if by_certificate || (must_be_bound && jkt.is_none()) => {
                Some(certificate.thumbprint())
            }
            None if by_certificate => {
                let refusal = Refusal::invalid_request("this client must show its certificate");
                return Err(refusal.into());
            }
            Some(_) | None => None,
        };
        let cnf = Confirmation::to(jkt, x5t);
        if cnf.is_none() && must_be_bound {
            let text = "the profile of this client demands tokens that are bound to a key";
            return Err(Refusal::invalid_request(text).into());
        }
        Ok(cnf)
    }

    /// The key that a pushed authorization request binds its code to (RFC 9449 §10.1): that of
    /// the proof, or `dpop_jkt`; both must be the same. `endpoint` is the path of the endpoint.
    ///
    /// # Errors
    /// `invalid_dpop_proof`, `use_dpop_nonce`, or `invalid_request` when the two differ.
    pub async fn pushed_key(
        &self,
        client: &Client,
        presented: &Presented<'_>,
        params: &Params,
        endpoint: &str,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let named = params.one("dpop_jkt")?;
        if presented.dpop.is_empty() {
            return Ok(named.map(ToOwned::to_owned));
        }
        let proven = self.proven_key(presented, client, endpoint, None, now).await?;
        if named.is_some_and(|named| named != proven) {
            let text = "dpop_jkt is not the thumbprint of the DPoP proof's key";
            return Err(Refusal::invalid_request(text).into());
        }
        Ok(Some(proven))
    }

    /// Whether the keys that `cnf` names are shown with this access token at `endpoint`.
    ///
    /// # Errors
    /// `invalid_token` when another key is shown or none, and the refusals of the proof.
    pub(super) async fn check_possession(
        &self,
        cnf: &Confirmation,
        client: &Client,
        presented: &Presented<'_>,
        access_token: &str,
        endpoint: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let jkt = match &cnf.jkt {
            None => None,
            Some(_) => {
                Some(self.proven_key(presented, client, endpoint, Some(access_token), now).await?)
            }
        };
        let x5t = presented.certificate.as_ref().map(|certificate| certificate.thumbprint());
        if cnf.is_met_by(Confirmation::to(jkt, x5t).as_ref()) {
            Ok(())
        } else {
            Err(Refusal::invalid_token("the access token is bound to another key").into())
        }
    }

    /// The thumbprint of the key that signed this request's proof, which is used up by this.
    async fn proven_key(
        &self,
        presented: &Presented<'_>,
        client: &Client,
        endpoint: &str,
        access_token: Option<&str>,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let bases = [Some(&self.issuer), self.mutual_tls.base_url.as_ref()];
        let htu: Vec<String> =
            bases.into_iter().flatten().map(|base| format!("{base}{endpoint}")).collect();
        let target = Target { htm: presented.method, htu: &htu, access_token };
        let fapi = self.profile_of(client) == Profile::Fapi2;
        let demands = Demands { nonce: self.policy.require_dpop_nonce, fapi };
        let proof = dpop::verify(&presented.dpop, &target, demands, &self.vault, now)?;
        // Two keys may use the same jti: they are two proofs.
        let key = self.vault.hash(&format!("dpop:{}:{}", proof.jkt, proof.jti)).to_text();
        let first = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let first = tx.claim(SingleUse::Jti, &key, proof.expires_at, now).await?;
                    Ok::<_, Failure>(first)
                })
            })
            .await?;
        if first {
            Ok(proof.jkt)
        } else {
            Err(Refusal::invalid_dpop_proof("the DPoP proof was used before").into())
        }
    }
}

/// A code or refresh token that is bound to keys which are not shown.
pub(super) fn not_its_key(what: &str) -> Refusal {
    Refusal::invalid_grant(format!("the {what} is bound to a key that was not shown"))
}
