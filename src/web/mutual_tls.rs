//! Certificates at the door — RFC 8705 §2, RFC 9440, conformance C.11 (85).
//!
//! The handshake takes any certificate or none, and proves only that the client holds its key: who
//! it is, and whether it had to show one, is decided by the act, which can answer in the protocol's
//! own words. Behind a proxy that ends TLS, its header stands in for the handshake.

use std::any::Any;
use std::sync::Arc;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::http::header::HeaderName;
use actix_web::rt::net::TcpStream;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};

use super::App;
use crate::protocol::client_certificate::ClientCertificate;

/// A listener that asks for certificates; TLS 1.2 with forward secrecy and authenticated
/// encryption, or 1.3.
///
/// # Errors
/// One sentence when certificate and key cannot be read or do not fit.
pub fn listener(certificate_pem: &[u8], key_pem: &[u8]) -> Result<ServerConfig, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate_pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("mtls.certificate_file: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(key_pem)
        .map_err(|error| format!("mtls.private_key_file: {error}"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(Arc::new(Anybody(provider)))
        .with_single_cert(chain, key)
        .map_err(|error| format!("mtls.certificate_file and mtls.private_key_file: {error}"))
}

/// Keeps the certificate of a connection for its requests.
pub fn remember(connection: &dyn Any, extensions: &mut Extensions) {
    let Some(tls) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
    let shown = tls.get_ref().1.peer_certificates().unwrap_or_default();
    let chain = shown.iter().map(|certificate| certificate.as_ref().to_vec()).collect();
    if let Some(certificate) = ClientCertificate::from_chain(chain) {
        extensions.insert(Arc::new(certificate));
    }
}

/// The certificate that came with a request: the connection's, or what a trusted proxy says.
pub fn certificate(request: &HttpRequest) -> Option<Arc<ClientCertificate>> {
    if let Some(shown) = request.conn_data::<Arc<ClientCertificate>>() {
        return Some(Arc::clone(shown));
    }
    let app = request.app_data::<actix_web::web::Data<App>>()?;
    let header = app.certificate_header.as_ref()?;
    if !app.limits.is_behind_trusted_proxy(request) {
        return None;
    }
    let mut values = request.headers().get_all(header);
    let (value, None) = (values.next()?, values.next()) else { return None };
    ClientCertificate::from_header(value.to_str().ok()?).map(Arc::new)
}

/// A header's name out of the configuration.
pub fn header_name(text: &str) -> Option<HeaderName> {
    HeaderName::try_from(text.to_ascii_lowercase()).ok()
}

/// Takes whoever holds the key of the certificate that is shown, and whoever shows none.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
