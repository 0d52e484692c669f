//! Where a client may be told things — OIDC Back-Channel Logout 1.0 §2.2, RFC 8935 §2.

use url::Url;

use super::redirect_uri_rules::redirect_uri_problem;
use crate::protocol::client::{Client, ClientKind};
use crate::protocol::security_event::EventType;

/// What is wrong with where this client wants to be told things.
pub(super) fn problems(client: &Client, say: &mut impl FnMut(&'static str, String)) {
    let settings = &client.settings;
    for (field, uri) in [
        ("backchannel_logout_uri", &settings.backchannel_logout_uri),
        ("security_events_endpoint", &settings.security_events_endpoint),
    ] {
        if let Some(problem) = uri.as_deref().and_then(endpoint_problem) {
            say(field, problem);
        }
    }
    if settings.backchannel_logout_uri.is_some() && client.kind == ClientKind::Machine {
        say("backchannel_logout_uri", "has no use: a machine client signs nobody in".to_owned());
    }
    if let Some(uri) = settings.frontchannel_logout_uri.as_deref() {
        let origin = |uri: &str| Url::parse(uri).ok().map(|url| url.origin());
        let known = client.redirect_uris.iter().any(|known| origin(known) == origin(uri));
        if let Some(problem) = endpoint_problem(uri) {
            say("frontchannel_logout_uri", problem);
        } else if !known {
            // Front-Channel Logout §2.
            let message = "must have the scheme, host and port of one of the redirect_uris";
            say("frontchannel_logout_uri", message.to_owned());
        }
    }
    for uri in settings.security_events_requested.iter().flatten() {
        if EventType::parse(uri).is_none() {
            let known = EventType::ALL.map(EventType::uri).join(", ");
            say("security_events_requested", format!("{uri:?} is not one of {known}"));
        }
    }
}

/// The broker posts there itself: https, or http on loopback, as for redirect URIs.
fn endpoint_problem(uri: &str) -> Option<String> {
    redirect_uri_problem(ClientKind::Web, uri).or_else(|| {
        let hosted = Url::parse(uri).is_ok_and(|url| url.has_host());
        (!hosted).then(|| format!("{uri:?} names no host"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ambient::Timestamp;
    use crate::protocol::id::ClientId;

    fn fields(change: impl FnOnce(&mut Client)) -> Vec<&'static str> {
        let now = Timestamp::from_secs(1_800_000_000);
        let mut client = Client::of_kind(ClientId::new("c"), ClientKind::Web, now);
        change(&mut client);
        let mut found = Vec::new();
        problems(&client, &mut |field, _| found.push(field));
        found
    }

    #[test]
    fn an_endpoint_is_https_or_loopback_without_fragment_or_password() {
        for good in ["https://app.example/logout?tenant=1", "http://127.0.0.1:3000/logout"] {
            let found = fields(|client| {
                client.settings.backchannel_logout_uri = Some(good.to_owned());
                client.settings.security_events_endpoint = Some(good.to_owned());
            });
            assert!(found.is_empty(), "{good}");
        }
        for bad in [
            "",
            "/logout",
            "http://app.example/logout",
            "https://app.example/logout#x",
            "https://user:pass@app.example/",
            "ftp://app.example/",
            "com.example.app:/logout",
        ] {
            let found = fields(|client| {
                client.settings.backchannel_logout_uri = Some(bad.to_owned());
            });
            assert_eq!(found, ["backchannel_logout_uri"], "{bad}");
        }
    }

    #[test]
    fn only_events_that_are_sent_can_be_asked_for() {
        let wanted = |uris: &[&str]| {
            let uris = uris.iter().map(ToString::to_string).collect();
            fields(|client| client.settings.security_events_requested = Some(uris))
        };
        assert!(wanted(&[EventType::AccountPurged.uri()]).is_empty());
        assert_eq!(wanted(&["account-purged"]), ["security_events_requested"]);
    }

    #[test]
    fn a_front_channel_page_is_where_a_redirect_uri_is() {
        for (uri, good) in [
            ("https://app.example/logout", true),
            ("https://app.example:443/logout", true),
            ("https://other.example/logout", false),
            ("https://app.example:8443/logout", false),
            ("http://app.example/logout", false),
        ] {
            let found = fields(|client| {
                client.redirect_uris = vec!["https://app.example/callback".to_owned()];
                client.settings.frontchannel_logout_uri = Some(uri.to_owned());
            });
            assert_eq!(found.is_empty(), good, "{uri}");
        }
    }

    #[test]
    fn a_machine_client_has_nobody_to_sign_out() {
        let found = fields(|client| {
            client.kind = ClientKind::Machine;
            client.settings.backchannel_logout_uri = Some("https://a.example/".to_owned());
        });
        assert_eq!(found, ["backchannel_logout_uri"]);
    }
}
