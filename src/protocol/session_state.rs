//! `session_state` — OIDC Session Management 1.0 §4.2.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

/// What an app gets with its code, to ask the check session iframe with: a hash of client, origin
/// and browser state, and the salt. `None` for an app whose redirect URI has no web origin, which
/// cannot embed anything.
pub fn session_state(
    client_id: &str,
    redirect_uri: &str,
    browser_state: &str,
    salt: &str,
) -> Option<String> {
    let origin = Url::parse(redirect_uri).ok()?.origin();
    if !origin.is_tuple() {
        return None;
    }
    let text = format!("{client_id} {} {browser_state} {salt}", origin.ascii_serialization());
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    Some(format!("{}.{salt}", URL_SAFE_NO_PAD.encode(hash)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_origin_and_browser_state_are_in_it_and_paths_are_not() {
        let state = |client: &str, uri: &str, browser: &str| {
            session_state(client, uri, browser, "salt").expect("a web origin")
        };
        let known = state("c", "https://app.example/callback", "b");
        assert!(known.ends_with(".salt"));
        assert_eq!(known, state("c", "https://app.example:443/other?x=1", "b"));
        for other in [
            state("d", "https://app.example/", "b"),
            state("c", "https://app.example:8443/", "b"),
            state("c", "http://app.example/", "b"),
            state("c", "https://app.example/", "x"),
        ] {
            assert_ne!(known, other);
        }
    }

    #[test]
    fn an_app_without_a_web_origin_gets_none() {
        assert_eq!(session_state("c", "com.example.app:/callback", "b", "salt"), None);
    }
}
