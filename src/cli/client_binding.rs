//! `russet client`: the members that say which keys a client must show.

use clap::ArgAction;
use serde_json::{Map, Value, json};

#[derive(Debug, Default, clap::Args)]
pub(super) struct Binding {
    /// Whether its token requests must carry a DPoP proof.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    dpop_bound_access_tokens: Option<bool>,
    /// Whether its tokens are bound to the certificate it shows.
    #[arg(long, action = ArgAction::Set, value_name = "true|false")]
    tls_client_certificate_bound_access_tokens: Option<bool>,
    /// For tls_client_auth: the subject of its certificates (RFC 4514); "" takes it away.
    #[arg(long, value_name = "DN")]
    tls_client_auth_subject_dn: Option<String>,
    /// Or a DNS name they have; "" takes it away.
    #[arg(long, value_name = "NAME")]
    tls_client_auth_san_dns: Option<String>,
    /// Or a URI; "" takes it away.
    #[arg(long, value_name = "URI")]
    tls_client_auth_san_uri: Option<String>,
    /// Or an IP address; "" takes it away.
    #[arg(long, value_name = "ADDRESS")]
    tls_client_auth_san_ip: Option<String>,
    /// Or an email address; "" takes it away.
    #[arg(long, value_name = "ADDRESS")]
    tls_client_auth_san_email: Option<String>,
}

impl Binding {
    /// Adds what was given to a change of settings.
    pub(super) fn add_to(self, settings: &mut Map<String, Value>) {
        for (member, given) in [
            ("dpop_bound_access_tokens", self.dpop_bound_access_tokens),
            (
                "tls_client_certificate_bound_access_tokens",
                self.tls_client_certificate_bound_access_tokens,
            ),
        ] {
            if let Some(required) = given {
                settings.insert(member.to_owned(), json!(required));
            }
        }
        for (member, given) in [
            ("tls_client_auth_subject_dn", self.tls_client_auth_subject_dn),
            ("tls_client_auth_san_dns", self.tls_client_auth_san_dns),
            ("tls_client_auth_san_uri", self.tls_client_auth_san_uri),
            ("tls_client_auth_san_ip", self.tls_client_auth_san_ip),
            ("tls_client_auth_san_email", self.tls_client_auth_san_email),
        ] {
            if let Some(text) = given {
                settings.insert(member.to_owned(), super::client_delegation::text(text));
            }
        }
    }
}
