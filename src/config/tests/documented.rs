//! What the configuration's chapter says there is, and what is read.

use super::*;

/// Every key that the broker looks for, a connection's number left out.
fn keys_read() -> std::collections::BTreeSet<String> {
    let mut read = std::collections::BTreeSet::new();
    for kind in ["apple", "oidc", "github"] {
        let place = Place::new();
        let toml = format!(
            "{MINIMAL}[apple]\npkce = \"off\"\n[mtls]\nlisten = \"127.0.0.1:1\"\n\
             [[connections]]\nid = \"a\"\nkind = \"{kind}\"\n\
             [connections.required_claims]\nNAME = [\"x\"]\n"
        );
        place.write("russet.toml", &toml);
        let file = place.0.path().join("russet.toml");
        let mut values = values::Values::gather(&file, true, []).expect("values");
        let _ = read::config(&mut values);
        read.extend(values.asked().iter().map(|key| key.replace("connections.0.", "connections.")));
    }
    read
}

#[test]
fn every_setting_is_documented_and_nothing_else_is() {
    let page = include_str!("../../../docs/configuration.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: std::collections::BTreeSet<String> = rows
        .filter_map(|row| row.split_once(" | "))
        .flat_map(|(keys, _)| keys.split(", ").map(|key| key.replace('`', "")))
        .collect();
    let read = keys_read();
    let missing: Vec<_> = read.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/configuration.md does not know {missing:?}");
    let made_up: Vec<_> = documented.difference(&read).collect();
    assert!(made_up.is_empty(), "docs/configuration.md has {made_up:?}, which nothing reads");
}
