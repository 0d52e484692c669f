//! Which redirect URIs may be registered — RFC 7591 §2, RFC 8252 §7–8, RFC 9700 §2.1 and §4.1.

use url::{Host, Url};

use crate::protocol::client::ClientKind;

/// As long as a URI may be.
pub(super) const MAX_URI: usize = 2048;

/// Schemes that run or read something on the person's machine.
pub(super) const DANGEROUS: [&str; 9] = [
    "javascript",
    "data",
    "file",
    "vbscript",
    "blob",
    "about",
    "filesystem",
    "view-source",
    "intent",
];

/// Why `uri` may not be registered as redirect URI of such a client, if so.
pub fn redirect_uri_problem(kind: ClientKind, uri: &str) -> Option<String> {
    let problem = |text: &str| Some(format!("{uri:?} {text}"));
    if !kind.has_redirects() {
        return problem("has no use: no browser is sent back to a client of this kind");
    }
    if uri.len() > MAX_URI {
        return Some(format!("is longer than {MAX_URI} characters"));
    }
    if !uri.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
        return problem("holds a blank, a backslash or a character outside ASCII");
    }
    if uri.contains('*') {
        return problem("holds a wildcard; redirect URIs are compared exactly");
    }
    if uri.contains('#') {
        return problem("must not have a fragment");
    }
    let Ok(url) = Url::parse(uri) else {
        return problem("is not an absolute URI");
    };
    if DANGEROUS.contains(&url.scheme()) {
        return problem("has a scheme that could run or read something on the person's machine");
    }
    if !url.username().is_empty() || url.password().is_some() || authority(uri).contains('@') {
        return problem("must not hold user or password");
    }
    match url.scheme() {
        "https" if uri.starts_with("https://") => None,
        "http" if is_loopback(uri, &url) => None,
        "https" | "http" => {
            problem("must begin with https:// (http:// only for 127.0.0.1, [::1] and localhost)")
        }
        _ if !kind.is_installed() => {
            problem("must be an https URL; an app's own scheme is for native clients")
        }
        scheme if !is_reverse_domain(scheme) => problem(
            "must be https or an app's own scheme in reverse-domain form, such as \
             com.example.app:/callback",
        ),
        _ => None,
    }
}

fn authority(uri: &str) -> &str {
    let after = uri.split_once("//").map_or("", |(_, rest)| rest);
    after.split(['/', '?']).next().unwrap_or_default()
}

/// Loopback, and written so: `127.1` and `2130706433` are other spellings of the same address.
fn is_loopback(uri: &str, url: &Url) -> bool {
    let host = match url.host() {
        Some(Host::Ipv4(address)) if address.is_loopback() => address.to_string(),
        Some(Host::Ipv6(address)) if address.is_loopback() => "[::1]".to_owned(),
        Some(Host::Domain("localhost")) => "localhost".to_owned(),
        Some(_) | None => return false,
    };
    let rest = uri.strip_prefix("http://").and_then(|rest| rest.strip_prefix(host.as_str()));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
}

/// RFC 8252 §7.1: a scheme based on a domain name under the app's control.
fn is_reverse_domain(scheme: &str) -> bool {
    scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty())
}

/// What is allowed and often not meant.
pub fn redirect_uri_hint(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let host = url.host_str().unwrap_or_default();
    if host.split('.').any(|label| label.starts_with("xn--")) {
        Some(format!("{uri:?} has letters beyond a to z in its host: make sure that it is yours"))
    } else if url.path() == "/" && !uri.ends_with('/') {
        Some(format!("{uri:?} has no path: it is compared exactly, with no / at its end"))
    } else if url.scheme() == "http" {
        Some(format!("{uri:?} works on the machine of the person alone"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYONE: [ClientKind; 3] = [ClientKind::Web, ClientKind::Spa, ClientKind::Native];

    #[test]
    fn https_and_loopback_may_be_registered_by_all() {
        for uri in [
            "https://app.example/callback",
            "https://app.example:8443/callback?tenant=1",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:8082/callback",
            "http://[::1]:8082/callback",
            "http://localhost:3000/",
            "http://localhost",
        ] {
            for kind in EVERYONE {
                assert_eq!(redirect_uri_problem(kind, uri), None, "{kind:?}");
            }
        }
    }

    #[test]
    fn an_own_scheme_is_for_native_apps_in_reverse_domain_form() {
        for uri in ["com.example.app:/callback", "com.example.app://callback"] {
            assert_eq!(redirect_uri_problem(ClientKind::Native, uri), None, "{uri}");
            assert!(redirect_uri_problem(ClientKind::Web, uri).is_some(), "{uri}");
            assert!(redirect_uri_problem(ClientKind::Spa, uri).is_some(), "{uri}");
        }
        for uri in ["myapp:/callback", "app.:/x", "mailto:a@example.com", "tel:1"] {
            assert!(redirect_uri_problem(ClientKind::Native, uri).is_some(), "{uri}");
        }
    }

    #[test]
    fn what_is_dangerous_or_vague_is_refused_to_all() {
        for uri in [
            "",
            "/callback",
            "//app.example/callback",
            "app.example/callback",
            "https:app.example",
            "https:/app.example/callback",
            "https://",
            "http://app.example/callback",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "http://127.1/callback",
            "http://2130706433/callback",
            "http://10.0.0.1/callback",
            "HTTP://127.0.0.1/callback",
            "https://app.example/callback#fragment",
            "https://app.example/callback#",
            "https://*.example/callback",
            "https://app.example/*",
            "https://user@app.example/callback",
            "https://user:pass@app.example/callback",
            "https://@app.example/callback",
            "https://app.example\\@evil.example/",
            "https://app.example/call back",
            "https://app.example/\ncallback",
            "https://äpp.example/callback",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "vbscript:x",
            "blob:https://app.example/1",
            "ftp://app.example/callback",
        ] {
            for kind in EVERYONE {
                assert!(redirect_uri_problem(kind, uri).is_some(), "{kind:?} {uri:?}");
            }
        }
        assert!(
            redirect_uri_problem(ClientKind::Web, &format!("https://a/{}", "x".repeat(3000)))
                .is_some()
        );
    }

    #[test]
    fn a_machine_or_device_has_no_redirect_uri() {
        for kind in [ClientKind::Machine, ClientKind::Device] {
            assert!(redirect_uri_problem(kind, "https://app.example/").is_some());
        }
    }

    #[test]
    fn what_is_allowed_and_often_not_meant_is_pointed_out() {
        assert!(
            redirect_uri_hint("https://xn--80ak6aa92e.com/cb")
                .is_some_and(|hint| hint.contains("yours"))
        );
        assert!(
            redirect_uri_hint("https://app.example").is_some_and(|hint| hint.contains("no path"))
        );
        assert!(
            redirect_uri_hint("http://127.0.0.1/cb").is_some_and(|hint| hint.contains("machine"))
        );
        for fine in ["https://app.example/cb", "com.example.app:/callback", "no uri"] {
            assert_eq!(redirect_uri_hint(fine), None, "{fine}");
        }
    }
}
