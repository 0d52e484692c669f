//! Redirect URI matching — RFC 6749 §3.1.2, RFC 8252 §7.3, RFC 9700 §2.1.

use url::{Host, Url};

use crate::client::Client;

/// Whether `presented` is one of the client's redirect URIs: the same string, byte for byte; for a
/// native app, a loopback IP literal may come with any port (RFC 8252 §7.3).
pub fn is_registered(client: &Client, presented: &str) -> bool {
    client.redirect_uris.iter().any(|registered| {
        registered == presented
            || (client.kind.is_installed() && same_but_for_port(registered, presented))
    })
}

fn same_but_for_port(registered: &str, presented: &str) -> bool {
    match (without_loopback_port(registered), without_loopback_port(presented)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// Splits `http://127.0.0.1:PORT/rest` into the parts that must stay the same. Works on the text
/// itself, so that whatever a URL parser would forgive stays a difference.
fn without_loopback_port(uri: &str) -> Option<(&'static str, &str)> {
    for host in ["http://127.0.0.1", "http://[::1]"] {
        if let Some(rest) = uri.strip_prefix(host) {
            let rest = match rest.strip_prefix(':') {
                Some(with_port) => {
                    let digits = with_port.bytes().take_while(u8::is_ascii_digit).count();
                    let (port, rest) = with_port.split_at_checked(digits)?;
                    port.parse::<u16>().ok().filter(|port| *port != 0)?;
                    rest
                }
                None => rest,
            };
            return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest));
        }
    }
    None
}

/// What a page's CSP must allow in `form-action` so that a form on it may end in a redirect to
/// `uri`: its origin, or its scheme for an app's own scheme.
pub fn form_action_source(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    match url.scheme() {
        "http" | "https" => match url.host()? {
            // A CSP host source cannot hold an IPv6 literal; the scheme is the next best thing.
            Host::Ipv6(_) => Some(format!("{}:", url.scheme())),
            Host::Ipv4(_) | Host::Domain(_) => Some(url.origin().ascii_serialization()),
        },
        scheme => Some(format!("{scheme}:")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ambient::Timestamp;
    use crate::client::ClientKind;
    use crate::id::ClientId;

    fn client(kind: ClientKind, uri: &str) -> Client {
        let mut client = Client::of_kind(ClientId::new("c"), kind, Timestamp::default());
        client.redirect_uris = vec![uri.to_owned()];
        client
    }

    #[test]
    fn nothing_but_the_same_string_matches() {
        let client = client(ClientKind::Web, "https://app.example/callback?a=1");
        assert!(is_registered(&client, "https://app.example/callback?a=1"));
        for near_miss in [
            "https://app.example/callback",
            "https://app.example/callback?a=1&b=2",
            "https://app.example/callback?a=1#",
            "https://app.example/callback/?a=1",
            "https://app.example/Callback?a=1",
            "https://APP.example/callback?a=1",
            "https://app.example:443/callback?a=1",
            "https://app.example./callback?a=1",
            "https://app.example/./callback?a=1",
            "https://app.example/x/../callback?a=1",
            "https://app.example/%63allback?a=1",
            "https://app.example//callback?a=1",
            "https://app.example\\callback?a=1",
            "https://app.example/callback;x?a=1",
            "https://good@app.example/callback?a=1",
            "https://app.example@evil.example/callback?a=1",
            "http://app.example/callback?a=1",
            " https://app.example/callback?a=1",
            "https://app.example/callback?a=1\n",
            "https://app.example/callback\t?a=1",
            "https://app.example/callback?a=1\0",
            "//app.example/callback?a=1",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!is_registered(&client, near_miss), "{near_miss:?}");
        }
    }

    #[test]
    fn a_native_app_may_choose_its_loopback_port() {
        let client = client(ClientKind::Native, "http://127.0.0.1/callback");
        for good in ["http://127.0.0.1:49152/callback", "http://127.0.0.1/callback"] {
            assert!(is_registered(&client, good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:49152/other",
            "http://127.0.0.1:49152/callback?x",
            "http://localhost:49152/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:1@evil.example/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:99999/callback",
            "http://127.1:49152/callback",
            "http://[::1]:49152/callback",
            "https://127.0.0.1:49152/callback",
        ] {
            assert!(!is_registered(&client, bad), "{bad}");
        }
    }

    #[test]
    fn only_a_native_app_may() {
        let client = client(ClientKind::Web, "http://127.0.0.1:8082/callback");
        assert!(is_registered(&client, "http://127.0.0.1:8082/callback"));
        assert!(!is_registered(&client, "http://127.0.0.1:8083/callback"));
    }

    #[test]
    fn the_csp_source_is_the_origin_or_the_scheme() {
        let source = |uri| form_action_source(uri).expect("a source");
        assert_eq!(source("https://app.example:8443/cb?x=1"), "https://app.example:8443");
        assert_eq!(source("com.example.app:/callback"), "com.example.app:");
        assert_eq!(source("http://127.0.0.1:5000/cb"), "http://127.0.0.1:5000");
    }

    proptest! {
        #[test]
        fn only_the_same_bytes_or_another_loopback_port_ever_match(
            presented in prop_oneof![
                "\\PC{0,60}",
                "http://127\\.0\\.0\\.1[:0-9@/?#a-z.]{0,20}",
                "https://app\\.example[:0-9@/?#a-z.%]{0,20}",
            ],
        ) {
            let web = client(ClientKind::Web, "https://app.example/callback");
            prop_assert_eq!(
                is_registered(&web, &presented),
                presented == "https://app.example/callback"
            );
            let native = client(ClientKind::Native, "http://127.0.0.1/callback");
            if is_registered(&native, &presented) {
                let url = Url::parse(&presented).expect("what matches is a URL");
                prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
                prop_assert_eq!(url.path(), "/callback");
                prop_assert!(url.username().is_empty() && url.query().is_none());
            }
        }
    }
}
