//! Certificates that clients show — RFC 8705 §2 and §3.1, RFC 9440 §2, RFC 4514.
//!
//! Whether a certificate's key was proven is the handshake's matter and whether its issuer is
//! trusted the caller's: here is what it says, and which client it is for.

use std::net::IpAddr;
use std::str::FromStr as _;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::RdnSequence;

use crate::client_settings::ClientSettings;

/// No longer certificate is looked at.
const MAX_LENGTH: usize = 16 * 1024;

/// A certificate with what came to prove its issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    chain: Vec<Vec<u8>>,
    thumbprint: [u8; 32],
}

impl ClientCertificate {
    /// The chain of a handshake, DER, the client's own first.
    pub fn from_chain(chain: Vec<Vec<u8>>) -> Option<Self> {
        let own = chain.first().filter(|own| own.len() <= MAX_LENGTH)?;
        let hash = digest::digest(&digest::SHA256, own);
        let thumbprint = hash.as_ref().try_into().ok()?;
        Some(Self { chain, thumbprint })
    }

    /// What a proxy writes into a header: RFC 9440's `:base64:`, or PEM, escaped as for a URL
    /// since it has line breaks.
    pub fn from_header(value: &str) -> Option<Self> {
        if value.len() > 3 * MAX_LENGTH {
            return None;
        }
        let value = value.trim();
        let encoded = match value.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')) {
            Some(encoded) => encoded.to_owned(),
            None => {
                // A `+` is base64 here and no blank, and `=` pads and separates nothing.
                let escaped = value.replace('+', "%2B").replace('=', "%3D");
                let (text, _) = url::form_urlencoded::parse(escaped.as_bytes()).next()?;
                let inside = text.trim().strip_prefix("-----BEGIN CERTIFICATE-----")?;
                let (inside, _) = inside.split_once("-----END CERTIFICATE-----")?;
                inside.split_whitespace().collect()
            }
        };
        let der = STANDARD.decode(encoded).ok()?;
        Certificate::from_der(&der).ok()?;
        Self::from_chain(vec![der])
    }

    /// The chain, DER, the client's own first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// SHA-256 of the certificate.
    pub fn hash(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// `x5t#S256` (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.thumbprint)
    }

    /// Whether the certificate is for the subject that the client registered (RFC 8705 §2.1.2).
    /// Without a registered subject it is for nobody.
    pub fn is_for(&self, settings: &ClientSettings) -> bool {
        let Some(own) = self.chain.first() else { return false };
        let Ok(certificate) = Certificate::from_der(own) else { return false };
        if let Some(expected) = &settings.tls_client_auth_subject_dn {
            let subject = certificate.tbs_certificate.subject.to_string();
            return normal_dn(expected).is_some_and(|expected| expected == subject);
        }
        let Ok(Some((_, names))) = certificate.tbs_certificate.get::<SubjectAltName>() else {
            return false;
        };
        names.0.iter().any(|name| match name {
            GeneralName::DnsName(dns) => settings
                .tls_client_auth_san_dns
                .as_ref()
                .is_some_and(|expected| expected.eq_ignore_ascii_case(dns.as_str())),
            GeneralName::UniformResourceIdentifier(uri) => {
                settings.tls_client_auth_san_uri.as_deref() == Some(uri.as_str())
            }
            GeneralName::Rfc822Name(email) => {
                settings.tls_client_auth_san_email.as_deref() == Some(email.as_str())
            }
            GeneralName::IpAddress(octets) => settings
                .tls_client_auth_san_ip
                .as_ref()
                .and_then(|expected| expected.parse::<IpAddr>().ok())
                .is_some_and(|expected| is_address(octets.as_bytes(), expected)),
            GeneralName::OtherName(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EdiPartyName(_)
            | GeneralName::RegisteredId(_) => false,
        })
    }
}

fn is_address(octets: &[u8], expected: IpAddr) -> bool {
    match expected {
        IpAddr::V4(address) => octets == address.octets(),
        IpAddr::V6(address) => octets == address.octets(),
    }
}

/// A distinguished name as it is compared: read as RFC 4514 has it and written anew.
pub fn normal_dn(text: &str) -> Option<String> {
    RdnSequence::from_str(text).ok().map(|name| name.to_string()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};
    use serde_json::{Value, json};

    use super::*;

    fn made() -> (ClientCertificate, String) {
        let mut params = CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, "Example, Ltd");
        params.distinguished_name.push(DnType::CommonName, "client");
        let uri = "urn:example:client".try_into().unwrap();
        params.subject_alt_names.push(SanType::URI(uri));
        params.subject_alt_names.push(SanType::Rfc822Name("a@client.example".try_into().unwrap()));
        params.subject_alt_names.push(SanType::IpAddress("192.0.2.7".parse().unwrap()));
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        (ClientCertificate::from_chain(vec![made.der().to_vec()]).unwrap(), made.pem())
    }

    #[test]
    fn a_certificate_is_for_the_subject_that_is_registered() {
        let (certificate, _) = made();
        let is_for = |member: &str, value: &str| {
            let settings: Value = json!({ format!("tls_client_auth_{member}"): value });
            certificate.is_for(&serde_json::from_value(settings).unwrap())
        };
        let subject = Certificate::from_der(&certificate.chain()[0]).unwrap();
        let subject = subject.tbs_certificate.subject.to_string();
        for (member, good, bad) in [
            ("subject_dn", subject.as_str(), "CN=client"),
            ("san_dns", "CLIENT.example", "other.example"),
            ("san_uri", "urn:example:client", "urn:example:other"),
            ("san_email", "a@client.example", "b@client.example"),
            ("san_ip", "192.0.2.7", "192.0.2.8"),
        ] {
            assert!(is_for(member, good), "{member} {good}");
            assert!(!is_for(member, bad), "{member} {bad}");
        }
        assert!(!certificate.is_for(&ClientSettings::default()), "of nobody");
    }

    #[test]
    fn a_header_is_rfc_9440_or_escaped_pem() {
        let (certificate, pem) = made();
        let structured = format!(":{}:", STANDARD.encode(&certificate.chain()[0]));
        let escaped: String = url::form_urlencoded::byte_serialize(pem.as_bytes()).collect();
        // As proxies escape: a blank is %20.
        let escaped = escaped.replace('+', "%20");
        for header in [structured.clone(), escaped, pem.replace('\n', "%0A").replace(' ', "%20")] {
            let read = ClientCertificate::from_header(&header).expect(&header);
            assert_eq!(read.thumbprint(), certificate.thumbprint());
        }
        for bad in ["", ":", "::", ":AAAA:", "-----BEGIN CERTIFICATE-----", &structured[1..]] {
            assert!(ClientCertificate::from_header(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_distinguished_name_is_compared_in_one_form() {
        assert_eq!(normal_dn("CN=a,O=b").as_deref(), Some("CN=a,O=b"));
        for bad in ["", "no name", "CN"] {
            assert_eq!(normal_dn(bad), None, "{bad}");
        }
    }

    proptest! {
        /// `PROPTEST_CASES=1000000` for a long run.
        #[test]
        fn rubbish_is_no_certificate(
            header in prop_oneof![".{0,300}", ":[A-Za-z0-9+/=]{0,300}:", "-----BEGIN CERTIFICATE-----.{0,99}"],
            der in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            prop_assert!(ClientCertificate::from_header(&header).is_none());
            let shown = ClientCertificate::from_chain(vec![der]).expect("any bytes have a hash");
            let settings = json!({ "tls_client_auth_subject_dn": header });
            prop_assert!(!shown.is_for(&serde_json::from_value(settings).expect("settings")));
        }
    }
}
