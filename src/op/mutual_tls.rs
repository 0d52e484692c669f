//! Clients that prove themselves by a certificate — RFC 8705 §2.1, §2.2.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use crate::protocol::ambient::Timestamp;
use crate::protocol::client::{Client, TokenEndpointAuthMethod};
use crate::protocol::client_certificate::ClientCertificate;
use crate::protocol::error::Refusal;

/// What certificates are good for here.
#[derive(Clone, Default)]
pub struct MutualTls {
    /// Whether certificates reach us at all.
    pub enabled: bool,
    /// Where the endpoints are that ask for one, when that is elsewhere than at the issuer.
    pub base_url: Option<String>,
    authorities: Option<Arc<dyn ClientCertVerifier>>,
}

impl fmt::Debug for MutualTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MutualTls({:?})", self.base_url)
    }
}

impl MutualTls {
    /// With the authorities in `ca_pem`, if clients may prove themselves by their word.
    ///
    /// # Errors
    /// One sentence when the authorities cannot be read.
    pub fn new(base_url: Option<String>, ca_pem: Option<&[u8]>) -> Result<Self, String> {
        let authorities = ca_pem.map(authorities).transpose()?;
        Ok(Self { enabled: true, base_url, authorities })
    }

    /// The methods that work here, as discovery lists them.
    pub fn methods(&self) -> Vec<TokenEndpointAuthMethod> {
        let mut methods = Vec::new();
        if self.authorities.is_some() {
            methods.push(TokenEndpointAuthMethod::TlsClientAuth);
        }
        if self.enabled {
            methods.push(TokenEndpointAuthMethod::SelfSignedTlsClientAuth);
        }
        methods
    }

    /// Whether `certificate` proves `client`, which may have `registered` it itself.
    ///
    /// # Errors
    /// `invalid_client`.
    pub fn prove(
        &self,
        client: &Client,
        certificate: Option<&ClientCertificate>,
        registered: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let refused = |detail: &str| {
            Err(Refusal::invalid_client("client authentication failed").detail(detail))
        };
        let Some(certificate) = certificate else { return refused("no certificate was shown") };
        if client.token_endpoint_auth_method == TokenEndpointAuthMethod::SelfSignedTlsClientAuth {
            // RFC 8705 §2.2: the certificate itself is registered, in the client's key set.
            return match registered {
                true => Ok(()),
                false => refused("the certificate is not one of the client's keys"),
            };
        }
        if !self.is_vouched_for(certificate, now) {
            return refused("no authority of ours vouches for the certificate");
        }
        if !certificate.is_for(&client.settings) {
            return refused("the certificate is for another subject");
        }
        Ok(())
    }

    fn is_vouched_for(&self, certificate: &ClientCertificate, now: Timestamp) -> bool {
        let Some(authorities) = &self.authorities else { return false };
        let chain: Vec<CertificateDer<'_>> =
            certificate.chain().iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let Some((own, intermediates)) = chain.split_first() else { return false };
        let since_epoch = Duration::from_secs(u64::try_from(now.secs()).unwrap_or(0));
        let now = UnixTime::since_unix_epoch(since_epoch);
        authorities.verify_client_cert(own, intermediates, now).is_ok()
    }
}

fn authorities(pem: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| error.to_string())
}
