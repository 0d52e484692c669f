//! Whatever nobody asked for: unknown keys and sections. Those that were asked for are what they
//! may have been meant to be.

use std::collections::BTreeSet;

use super::{Values, variable_of_key};

impl Values {
    /// Reports every key that nobody asked for.
    pub(in crate::config) fn finish(&mut self) {
        for key in std::mem::take(&mut self.entries).into_keys() {
            let message = match closest(&key, &self.asked) {
                Some(near) => {
                    format!("is not a setting; did you mean {}?", self.spelled(&key, near))
                }
                None => "is not a setting; remove it".to_owned(),
            };
            self.problem(&key, message);
        }
        self.finish_empty_tables();
    }

    /// An empty table says nothing, but one that nobody knows is a misspelt one.
    fn finish_empty_tables(&mut self) {
        let tables = self.asked.iter().filter_map(|key| Some(key.rsplit_once('.')?.0.to_owned()));
        let known: BTreeSet<String> = tables.chain(self.sections.iter().cloned()).collect();
        for table in std::mem::take(&mut self.empty_tables) {
            if known.contains(&table) {
                continue;
            }
            let message = if self.asked.contains(&table) {
                "must be a value, not a table".to_owned()
            } else {
                match closest(&table, &known) {
                    Some(near) => format!("is not a section; did you mean [{near}]?"),
                    None => "is not a section; remove it".to_owned(),
                }
            };
            self.problem(&table, message);
        }
    }

    fn spelled(&self, wrong: &str, near: &str) -> String {
        if self.environment_keys.contains(wrong) { variable_of_key(near) } else { near.to_owned() }
    }
}

fn closest<'a>(key: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    known
        .iter()
        .map(|candidate| {
            let whole = strsim::jaro_winkler(key, candidate);
            // The right key in the wrong section.
            let moved = if last(key) == last(candidate) { 0.9 } else { 0.0 };
            (whole.max(moved), candidate.as_str())
        })
        .filter(|(likeness, _)| *likeness >= 0.87)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}
