//! Every line of the conformance checklist has a test that bears its number, or a reason:
//! `docs/conformance.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The sections of the checklist, each with its last line.
const SECTIONS: [(u32, u32); 11] = [
    (1, 12),
    (2, 16),
    (3, 21),
    (4, 42),
    (5, 48),
    (6, 58),
    (7, 64),
    (8, 71),
    (9, 77),
    (10, 83),
    (11, 86),
];

fn section_of(line: u32) -> u32 {
    SECTIONS.iter().find(|(_, last)| line <= *last).expect("a section").0
}

/// The tests that bear each number, such as `c6_50_…` or `c6_53_c6_57_…`.
fn numbered_tests(root: &Path) -> BTreeMap<u32, BTreeSet<String>> {
    let mut found: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    let mut folders = vec![root.join("src"), root.join("tests/it")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for rest in text.split("fn c").skip(1) {
                let name = format!("c{}", rest.split('(').next().unwrap_or_default());
                for line in numbers(&name) {
                    found.entry(line).or_default().insert(name.clone());
                }
            }
        }
    }
    found
}

/// `c6_53_c6_57_a_code_…` → 53, 57; `c8_65_to_71_…` → 65 to 71.
fn numbers(name: &str) -> Vec<u32> {
    let parts: Vec<&str> = name.split('_').collect();
    let mut found = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let section = part.strip_prefix('c').and_then(|text| text.parse::<u32>().ok());
        let line = parts.get(index + 1).and_then(|text| text.parse::<u32>().ok());
        let (Some(section), Some(line)) = (section, line) else { continue };
        let last = match (parts.get(index + 2), parts.get(index + 3)) {
            (Some(&"to"), Some(last)) => last.parse().unwrap_or(line),
            _ => line,
        };
        assert_eq!(section_of(line), section, "{name}: line {line} is of another section");
        found.extend(line..=last);
    }
    found
}

#[test]
fn every_line_of_the_checklist_has_a_test_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let index = std::fs::read_to_string(root.join("docs/conformance.md")).unwrap();
    let tests = numbered_tests(root);
    let mut wrong = Vec::new();
    for line in 1..=86_u32 {
        let number = format!("C.{}.{line}", section_of(line));
        let Some(row) = index.lines().find(|row| row.starts_with(&format!("| {number} |"))) else {
            wrong.push(format!("{number} is not in docs/conformance.md"));
            continue;
        };
        let cell = row.split('|').nth(3).unwrap_or_default();
        let named: BTreeSet<String> =
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let bearing = tests.get(&line).cloned().unwrap_or_default();
        if bearing.is_empty() && cell.trim().strip_prefix("reason:").is_none() {
            wrong.push(format!("{number} has neither a test nor a reason"));
        }
        if named != bearing {
            wrong.push(format!("{number} names {named:?}, but its tests are {bearing:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
