//! House rules that a reviewer need not watch: who may import whom, how long a file may be, and which
//! test proves what.

use std::path::{Path, PathBuf};

/// Each room with the rooms and crates it must never name.
const FLOOR_PLAN: &[(&str, &[&str])] = &[
    ("src/protocol", &["actix_web", "sea_orm", "reqwest", "tokio::", "russet_store", "askama"]),
    ("src/store", &["actix_web", "reqwest", "askama", "openidconnect"]),
    (
        "src/upstream",
        &["crate::store", "crate::op", "crate::web", "actix_web", "sea_orm", "askama"],
    ),
    ("src/op", &["crate::web", "crate::cli", "actix_web", "askama", "reqwest", "sea_orm"]),
    ("src/web", &["reqwest", "sea_orm", "WriteTx", "crate::cli", "crate::simulator"]),
    ("src/config", &["crate::op", "crate::web", "crate::store", "crate::upstream", "actix_web"]),
    (
        "src/simulator",
        &["crate::op", "crate::web", "crate::store", "crate::upstream", "crate::config"],
    ),
    ("src/demo", &["crate::op", "crate::web", "crate::store", "crate::upstream"]),
    ("migrations", &["russet_store", "russet_protocol"]),
];
const LONGEST: usize = 460;

fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file: without its tests and without comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let before_tests = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn imports_point_inward() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut breaches = Vec::new();
    for (room, forbidden) in FLOOR_PLAN {
        for path in sources(&root.join(room)) {
            if path.components().any(|part| part.as_os_str() == "tests") {
                continue;
            }
            let code = code(&path);
            for name in forbidden.iter().filter(|name| code.contains(**name)) {
                breaches.push(format!("{}: {room} must not name {name}", path.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn a_file_is_short_enough_to_be_read_at_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut long = Vec::new();
    for path in sources(&root.join("src")).into_iter().chain(sources(&root.join("migrations"))) {
        let lines = code(&path).lines().count();
        if lines > LONGEST {
            long.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(long.is_empty(), "a second room is wanted:\n{}", long.join("\n"));
}

#[test]
fn every_file_says_what_it_is_about() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut silent = Vec::new();
    for room in ["src", "migrations", "tests/it"] {
        for path in sources(&root.join(room)) {
            let text = std::fs::read_to_string(&path).unwrap();
            if !text.starts_with("//!") {
                silent.push(path.display().to_string());
            }
        }
    }
    assert!(silent.is_empty(), "no //! at the top of:\n{}", silent.join("\n"));
}

/// Documents whose tables say which test proves what: "`file` `name`", as often as one likes.
const PROVEN: &[&str] = &["docs/security.md", "docs/clients.md"];

#[test]
fn every_attack_and_every_client_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for document in PROVEN {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        for line in text.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
            let tests = line.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap();
            let quoted: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
            for pair in quoted.chunks(2) {
                let [file, name] = pair else { panic!("{document}: a file without test: {line}") };
                let source = std::fs::read_to_string(root.join(file)).unwrap_or_default();
                if !source.contains(name) {
                    missing.push(format!("{document}: {file} {name}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_event_is_told_in_words_in_the_audit_log() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let words = std::fs::read_to_string(root.join("src/web/admin/audit_words.rs")).unwrap();
    let mut silent = Vec::new();
    for path in sources(&root.join("src/op")) {
        if path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let code = code(&path);
        for (before, rest) in code
            .match_indices("Event::new(")
            .chain(code.match_indices("event("))
            .map(|(at, called)| (called, &code[at + called.len()..]))
        {
            let call = rest.split(';').next().unwrap_or_default();
            let kind = call.split('"').nth(1).filter(|kind| is_kind(kind));
            if let Some(kind) = kind.filter(|kind| !words.contains(&format!("\"{kind}\""))) {
                silent.push(format!("{}: {before} {kind}", path.display()));
            }
        }
    }
    assert!(silent.is_empty(), "no words in audit_words.rs for:\n{}", silent.join("\n"));
}

/// Whether a text looks like the kind of an event: `area.what_happened`.
fn is_kind(text: &str) -> bool {
    let word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c == '_' || c.is_ascii_lowercase());
    text.split_once('.').is_some_and(|(area, what)| word(area) && word(what))
}
