//! Whom TLS trusts besides the system's authorities: the certificates of `outbound.ca_file`.
//!
//! A server may show one of them as its own, as test installations do with a certificate made by
//! one `openssl req -x509`. X.509 forbids an authority to be a server, so webpki refuses it; but
//! whoever holds such a key could sign itself any certificate, so to take this one gives nothing
//! away.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// TLS that trusts the system's authorities and those of this PEM.
///
/// # Errors
/// What is wrong with the PEM, or with one of its certificates.
pub(super) fn trusting(pem: &[u8]) -> Result<ClientConfig, String> {
    let named: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let usual = Verifier::new_with_extra_roots(named.clone(), Arc::clone(&provider))
        .map_err(|error| error.to_string())?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Authorities { named, usual }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[derive(Debug)]
struct Authorities {
    named: Vec<CertificateDer<'static>>,
    usual: Verifier,
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.named.iter().any(|named| named.as_ref() == end_entity.as_ref()) {
            return Ok(ServerCertVerified::assertion());
        }
        self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A certificate such as one `openssl req -x509` makes: an authority that signed itself.
    fn self_signed(name: &str) -> rcgen::Certificate {
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap()
    }

    #[test]
    fn a_named_authority_may_be_the_server_itself_and_no_other_may() {
        let (named, other) = (self_signed("rp.example"), self_signed("rp.example"));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let certificates = vec![named.der().clone()];
        let usual = Verifier::new_with_extra_roots(certificates.clone(), provider).unwrap();
        let authorities = Authorities { named: certificates, usual };
        let name = ServerName::try_from("rp.example").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        let verify = |shown: &rcgen::Certificate| {
            authorities.verify_server_cert(shown.der(), &[], &name, &[], now).is_ok()
        };
        assert!(verify(&named));
        assert!(!verify(&other));
    }

    #[test]
    fn what_is_no_certificate_is_told() {
        assert!(trusting(self_signed("rp.example").pem().as_bytes()).is_ok());
        assert!(trusting(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").is_err());
    }
}
