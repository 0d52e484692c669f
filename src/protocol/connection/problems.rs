//! What is wrong with a connection as it was described.

use url::{Host, Url};

use super::{APPLE_ISSUER, AppleMembers, Connection, ConnectionSettings, is_apple_identifier};
use crate::client::is_bundle_id;

/// What is wrong with a connection: the member and one sentence for whoever filled it in.
pub fn problems(connection: &Connection) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut say = |field, message: String| found.push((field, message));
    if let Some(message) = id_problem(connection.id.as_str()) {
        say("id", message);
    }
    let name = &connection.display_name;
    if name.trim().is_empty() || name.chars().count() > 60 || name.contains(char::is_control) {
        say("display_name", "must be 1 to 60 characters, without control characters".to_owned());
    }
    match &connection.settings {
        ConnectionSettings::Apple(apple) => apple_problems(apple, &mut say),
        ConnectionSettings::Oidc(oidc) => {
            let whole = oidc.issuer.trim_end_matches('/');
            if let Some(message) = url_problem(whole) {
                say("issuer", message);
            }
            if let Some(template) = &oidc.issuer_template
                && (!template.contains("{tenantid}")
                    || url_problem(&template.replace("{tenantid}", "t")).is_some())
            {
                say("issuer_template", "must be a URL that holds {tenantid}".to_owned());
            }
            if !oidc.scopes.iter().any(|scope| scope == "openid") {
                say("scopes", "must hold \"openid\"; add it".to_owned());
            }
            text_problem("client_id", &oidc.client_id, &mut say);
            oidc.claims.problems(&mut say);
        }
        ConnectionSettings::Github(github) => {
            text_problem("client_id", &github.client_id, &mut say);
            for (field, url) in [("base_url", &github.base_url), ("api_url", &github.api_url)] {
                if let Some(message) = url_problem(url) {
                    say(field, message);
                }
            }
            github.claims.problems(&mut say);
        }
    }
    found
}

fn apple_problems(apple: &AppleMembers, say: &mut impl FnMut(&'static str, String)) {
    let exact = apple.issuer == APPLE_ISSUER;
    let keys = [
        ("team_id", Some(&apple.team_id)),
        ("key_id", Some(&apple.key_id)),
        ("next_key_id", apple.next_key_id.as_ref()),
    ];
    for (field, text) in keys {
        if let Some(text) = text.filter(|text| !is_apple_identifier(text, exact)) {
            let message = format!(
                "{text:?} is not what Apple issues: ten capital letters and digits, such as \
                 \"ABCDE12345\"; copy it from developer.apple.com"
            );
            say(field, message);
        }
    }
    if apple.next_key_id.as_ref() == Some(&apple.key_id) {
        say("next_key_id", "is the key that signs already".to_owned());
    }
    for (field, id) in apple
        .services_id
        .iter()
        .map(|id| ("services_id", id))
        .chain(apple.primary_app_id.iter().map(|id| ("primary_app_id", id)))
        .chain(apple.bundle_ids.iter().map(|id| ("bundle_ids", id)))
    {
        if !is_bundle_id(id) {
            say(field, format!("{id:?} is not an identifier such as \"com.example.app\""));
        }
    }
    if apple.services_id.is_none() && apple.bundle_ids.is_empty() {
        let message = "set services_id for web sign-in, bundle_ids for native sign-in, or both";
        say("services_id", message.to_owned());
    }
    if let Some(message) = url_problem(&apple.issuer) {
        say("issuer", message);
    }
    for issuer in &apple.additional_issuers {
        if let Some(message) = url_problem(issuer) {
            say("additional_issuers", message);
        }
    }
}

fn text_problem(field: &'static str, text: &str, say: &mut impl FnMut(&'static str, String)) {
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        say(field, "must be 1 to 255 printable characters without blanks".to_owned());
    }
}

/// Why `text` cannot name a connection, if so.
pub fn id_problem(text: &str) -> Option<String> {
    let good = (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (!good).then(|| format!("{text:?} must be 1 to 32 of a-z, 0-9 and -"))
}

/// An address that is asked: https, or http on this machine; without query, fragment, user and
/// closing slash.
fn url_problem(text: &str) -> Option<String> {
    let wrong = |what: &str| Some(format!("{text:?} {what}"));
    let Ok(url) = Url::parse(text) else {
        return wrong("is not a URL; write it in full, such as \"https://id.example.com\"");
    };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return wrong("names no host"),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return wrong("must begin with https:// (http:// is for this machine alone)"),
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("must have neither query nor fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must hold neither user nor password");
    }
    if text.ends_with('/') {
        return wrong("must not end in a slash");
    }
    None
}
