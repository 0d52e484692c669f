//! What single values must look like. Each rule says what is wrong and what would be right.

use std::net::SocketAddr;

use ipnet::IpNet;
use url::{Host, Url};

use crate::protocol::p8;
use crate::protocol::profile::Profile;
use crate::protocol::secret::SecretString;

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is not an address; write IP and port, such as \"127.0.0.1:8080\"")
    })
}

pub(super) fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| format!("{text:?} is not a network; write a CIDR, such as \"10.0.0.0/8\""))
}

/// Whether a URL's host is this machine itself.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// An issuer identifier (OIDC Discovery §3, RFC 8414 §2): https, or http on this machine; neither
/// query nor fragment; in its normal form, since others compare it byte by byte.
pub(super) fn issuer(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|_| {
        format!("{text:?} is not a URL; write it in full, such as \"https://id.example.com\"")
    })?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(format!("{text:?} is not an https URL"));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(format!(
            "{text:?} must begin with https://; plain http is for 127.0.0.1, [::1] and localhost"
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{text:?} must have neither query nor fragment; cut it at ? or #"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must hold neither user nor password; remove what stands before @".to_owned());
    }
    if text.ends_with('/') {
        return Err(format!(
            "{text:?} must not end in a slash; write {:?}",
            text.trim_end_matches('/')
        ));
    }
    let normal = url.as_str().trim_end_matches('/');
    if normal != text {
        return Err(format!("{text:?} is not in its normal form; write {normal:?}"));
    }
    Ok(text.to_owned())
}

/// A Team ID or Key ID. Apple's own have ten characters; a simulation may have others.
pub(super) fn apple_identifier(text: &str, exact: bool) -> Result<(), String> {
    if crate::protocol::connection::is_apple_identifier(text, exact) {
        return Ok(());
    }
    Err(format!(
        "{text:?} is not what Apple issues: ten capital letters and digits, such as \
         \"ABCDE12345\"; copy it from developer.apple.com"
    ))
}

/// A Services ID or bundle ID: reverse-domain text.
pub(super) fn apple_app_identifier(text: &str) -> Result<String, String> {
    if crate::protocol::client::is_bundle_id(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is not an identifier such as \"com.example.app\""))
    }
}

/// Apple's `.p8`: a PKCS#8 P-256 key in PEM. What a variable or an editor does to such a text is
/// undone.
pub(super) fn apple_private_key(text: &SecretString) -> Result<SecretString, String> {
    p8::read(text).map_err(|problem| problem.to_string())?;
    Ok(text.clone())
}

/// A domain name, such as mail comes from.
pub(super) fn domain(text: &str) -> Result<String, String> {
    match Host::parse(text) {
        Ok(Host::Domain(name)) if name.contains('.') => Ok(name),
        Ok(_) | Err(_) => Err(format!("{text:?} is not a domain, such as \"example.com\"")),
    }
}

/// Whether web sign-in at Apple sends a PKCE challenge.
pub(super) fn pkce(text: &str) -> Result<bool, String> {
    match text {
        "s256" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("{text:?} must be \"s256\" or \"off\"")),
    }
}

/// A security profile.
pub(super) fn profile(text: &str) -> Result<Profile, String> {
    Profile::parse(text)
        .ok_or_else(|| format!("{text:?} must be \"oidc\", \"oauth2.1\" or \"fapi2\""))
}

/// The name of an HTTP header (RFC 9110 §5.1).
pub(super) fn header_name(text: &str) -> Result<String, String> {
    let good = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if good {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!("{text:?} is not the name of a header, such as \"Client-Cert\""))
    }
}

/// A connection's name in URLs and rows.
pub(super) fn connection_id(text: &str) -> Result<String, String> {
    let good = (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !good {
        return Err(format!("{text:?} must be 1 to 32 of a-z, 0-9 and -"));
    }
    if matches!(text, "apple" | "local") {
        return Err(format!("{text:?} is the name of a built-in connection; choose another"));
    }
    Ok(text.to_owned())
}
