//! The raw values by dotted key, from file and environment, and how they are taken out typed.
//!
//! Whatever nobody asked for in the end is unknown ([`unknown`]).

mod unknown;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::Value;

use super::problem::{ConfigProblems, Problem};
use crate::protocol::digits;
use crate::protocol::secret::SecretString;

/// A value and where it came from.
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) from_environment: bool,
}

impl Entry {
    /// The text of a variable; numbers, booleans and lists come as text there.
    fn variable(&self) -> Option<&str> {
        self.value.as_str().filter(|_| self.from_environment).map(str::trim)
    }
}

/// Everything that was configured, and what was found wrong with it so far.
pub(super) struct Values {
    pub(super) file: PathBuf,
    entries: BTreeMap<String, Entry>,
    /// Tables of the file in which nothing stands; no entry tells of them.
    empty_tables: BTreeSet<String>,
    asked: BTreeSet<String>,
    /// Sections that were looked for as a whole; where there is none, no key of it is asked for.
    sections: BTreeSet<String>,
    configured: BTreeSet<String>,
    environment_keys: BTreeSet<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl Values {
    pub(super) fn gather(
        file: &Path,
        required: bool,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigProblems> {
        let (mut entries, mut empty_tables) = (BTreeMap::new(), BTreeSet::new());
        let name = file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let table: toml::Table = toml::from_str(&text)
                    .map_err(|error| Problem::new(&name, "", error.to_string().trim_end()))?;
                flatten("", Value::Table(table), &mut entries, &mut empty_tables);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => {}
            Err(error) => {
                let message = format!("cannot be read ({error}); name another with --config FILE");
                return Err(Problem::new(name, "", message).into());
            }
        }
        let mut environment_keys = BTreeSet::new();
        for (variable, value) in environment {
            let Some(key) = key_of_variable(&variable) else { continue };
            environment_keys.insert(key.clone());
            // A list given by variable replaces the whole list of the file, never a part of it.
            entries.insert(key, Entry { value: Value::String(value), from_environment: true });
        }
        Ok(Self {
            file: file.to_owned(),
            configured: entries.keys().cloned().collect(),
            entries,
            empty_tables,
            asked: BTreeSet::new(),
            sections: BTreeSet::new(),
            environment_keys,
            problems: Vec::new(),
            warnings: Vec::new(),
        })
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Entry> {
        self.asked.insert(key.to_owned());
        self.entries.remove(key)
    }

    /// Whether anything below `section` was configured and not taken yet.
    pub(super) fn has_section(&mut self, section: &str) -> bool {
        self.sections.insert(section.trim_end_matches('.').to_owned());
        self.entries.keys().any(|key| key.starts_with(section))
    }

    /// Whether the file has an entry of a list of tables, be it an empty one.
    pub(super) fn has_table(&mut self, section: &str) -> bool {
        self.has_section(section) || self.empty_tables.contains(section.trim_end_matches('.'))
    }

    /// The names that were configured below `section`, which may be any.
    pub(super) fn names_below(&mut self, section: &str) -> Vec<String> {
        self.sections.insert(section.trim_end_matches('.').to_owned());
        self.entries.keys().filter_map(|key| key.strip_prefix(section)).map(str::to_owned).collect()
    }

    /// Reports `message` against `key` where it was set, or the file if it was not.
    pub(super) fn problem(&mut self, key: &str, message: impl Into<String>) {
        let problem = self.at(key, message);
        self.problems.push(problem);
    }

    /// Reports what works but should be mended.
    pub(super) fn warn(&mut self, key: &str, message: &str) {
        let warning = self.at(key, message);
        self.warnings.push(warning);
    }

    /// Reports `message` against a secret, as which of its two keys it was set.
    pub(super) fn secret_problem(&mut self, key: &str, message: impl Into<String>) {
        let key_file = format!("{key}_file");
        let set = if self.configured.contains(&key_file) { key_file.as_str() } else { key };
        self.problem(set, message);
    }

    pub(super) fn missing(&mut self, key: &str, what: &str) {
        let message = format!("is missing; set it here or as {}: {what}", variable_of_key(key));
        self.problem(key, message);
    }

    fn at(&self, key: &str, message: impl Into<String>) -> Problem {
        if self.environment_keys.contains(key) {
            Problem::new("environment", variable_of_key(key), message)
        } else {
            Problem::new(self.file.display().to_string(), key, message)
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)?.value {
            Value::String(text) if text.trim().is_empty() => {
                self.problem(key, "is empty; give it a value or leave it out");
                None
            }
            Value::String(text) => Some(text),
            Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => {
                self.problem(key, "must be a text in quotes");
                None
            }
        }
    }

    /// A text that `parse` turns into something, or says what it should have been.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key)?;
        parse(&text).map_err(|message| self.problem(key, message)).ok()
    }

    pub(super) fn boolean(&mut self, key: &str, default: bool) -> bool {
        let Some(entry) = self.take(key) else { return default };
        let parsed = entry.value.as_bool().or_else(|| entry.variable()?.parse().ok());
        parsed.unwrap_or_else(|| {
            self.problem(key, "must be true or false");
            default
        })
    }

    pub(super) fn positive(&mut self, key: &str) -> Option<usize> {
        let entry = self.take(key)?;
        let number = entry.value.as_integer().and_then(|number| usize::try_from(number).ok());
        let parsed = number.or_else(|| digits::number(entry.variable()?));
        let parsed = parsed.filter(|number| *number > 0);
        if parsed.is_none() {
            self.problem(key, "must be a whole number above 0");
        }
        parsed
    }

    pub(super) fn list(&mut self, key: &str) -> Option<Vec<String>> {
        let entry = self.take(key)?;
        let split = |text: &str| {
            text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
        };
        let texts: Option<Vec<String>> = match entry.value.as_array() {
            Some(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            None => entry.variable().map(split),
        };
        if texts.is_none() {
            self.problem(key, "must be a list of texts, such as [\"a\", \"b\"]");
        }
        texts
    }

    /// A list of which every item is parsed; each bad one is reported.
    pub(super) fn parsed_list<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let mut good = Vec::new();
        for item in self.list(key).unwrap_or_default() {
            match parse(&item) {
                Ok(value) => good.push(value),
                Err(message) => self.problem(key, message),
            }
        }
        good
    }

    /// The content of the file that `key` names, and the file's path.
    pub(super) fn file_content(&mut self, key: &str) -> Option<(PathBuf, String)> {
        let from_environment = self.entries.get(key).is_some_and(|entry| entry.from_environment);
        let text = self.text(key)?;
        let path = self.resolve(&text, from_environment);
        match std::fs::read_to_string(&path) {
            Ok(text) => Some((path, text)),
            Err(error) => {
                let message = format!(
                    "{} cannot be read ({error}); put the file there or correct the path",
                    path.display()
                );
                self.problem(key, message);
                None
            }
        }
    }

    /// The name of the file that `key` names, without its folder; the value stays to be taken.
    pub(super) fn file_name(&self, key: &str) -> Option<String> {
        let path = Path::new(self.entries.get(key)?.value.as_str()?);
        Some(path.file_name()?.to_string_lossy().into_owned())
    }

    /// A secret: inline as `key`, or in the file that `key_file` names.
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        let key_file = format!("{key}_file");
        let both = self.entries.contains_key(key) && self.entries.contains_key(&key_file);
        let inline = self.text(key).map(SecretString::new);
        let from_file = self.file_content(&key_file);
        if both {
            let message = format!("is set together with {}; keep one of them", self.name(key));
            self.problem(&key_file, message);
            return None;
        }
        let Some((path, text)) = from_file else { return inline };
        self.secret_of_file(&key_file, &path, text)
    }

    fn secret_of_file(&mut self, key: &str, path: &Path, text: String) -> Option<SecretString> {
        let text = SecretString::new(text);
        if readable_by_others(path) {
            let message = format!("others may read {0}; run `chmod 600 {0}`", path.display());
            self.warn(key, &message);
        }
        let secret = SecretString::from(text.expose().trim_end_matches(['\r', '\n']));
        if secret.expose().trim().is_empty() {
            self.problem(key, format!("{} is empty", path.display()));
            return None;
        }
        Some(secret)
    }

    /// Any number of secrets: inline as `key`, and in the files that `key_file` names. Each may be
    /// one text or a list.
    pub(super) fn secrets(&mut self, key: &str) -> Vec<SecretString> {
        let mut secrets: Vec<_> = self.texts(key).into_iter().map(SecretString::new).collect();
        let key_file = format!("{key}_file");
        let from_environment = self.is_from_environment(&key_file);
        for name in self.texts(&key_file) {
            let path = self.resolve(&name, from_environment);
            match std::fs::read_to_string(&path) {
                Ok(text) => secrets.extend(self.secret_of_file(&key_file, &path, text)),
                Err(error) => {
                    let message = format!("{} cannot be read ({error})", path.display());
                    self.problem(&key_file, message);
                }
            }
        }
        secrets
    }

    /// A list of texts, or the one text that stands in its place.
    fn texts(&mut self, key: &str) -> Vec<String> {
        let alone = self
            .entries
            .get(key)
            .filter(|entry| !entry.from_environment)
            .and_then(|entry| entry.value.as_str().map(str::to_owned));
        match alone {
            Some(text) => {
                self.take(key);
                vec![text]
            }
            None => self.list(key).unwrap_or_default(),
        }
    }

    fn name(&self, key: &str) -> String {
        if self.environment_keys.contains(key) { variable_of_key(key) } else { key.to_owned() }
    }

    /// A path as it was meant: beside the configuration file, or in the working directory.
    pub(super) fn resolve(&self, path: &str, from_environment: bool) -> PathBuf {
        match self.file.parent() {
            Some(directory) if !from_environment => directory.join(path),
            Some(_) | None => PathBuf::from(path),
        }
    }

    /// Every key that was looked for.
    #[cfg(test)]
    pub(super) fn asked(&self) -> &BTreeSet<String> {
        &self.asked
    }

    /// Whether the variable, not the file, has set `key`.
    pub(super) fn is_from_environment(&self, key: &str) -> bool {
        self.environment_keys.contains(key)
    }
}

fn flatten(
    prefix: &str,
    value: Value,
    into: &mut BTreeMap<String, Entry>,
    empty: &mut BTreeSet<String>,
) {
    let join = |name: &str| {
        if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
    };
    match value {
        Value::Table(table) => {
            if table.is_empty() && !prefix.is_empty() {
                empty.insert(prefix.to_owned());
            }
            for (name, value) in table {
                flatten(&join(&name), value, into, empty);
            }
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_table) => {
            for (index, item) in items.into_iter().enumerate() {
                flatten(&join(&index.to_string()), item, into, empty);
            }
        }
        leaf @ (Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_)) => {
            into.insert(prefix.to_owned(), Entry { value: leaf, from_environment: false });
        }
    }
}

/// `RUSSET_SERVER__ISSUER` → `server.issuer`. Variables without `__` are not settings.
fn key_of_variable(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("RUSSET_")?;
    rest.contains("__").then(|| rest.to_ascii_lowercase().replace("__", "."))
}

/// `server.issuer` → `RUSSET_SERVER__ISSUER`.
pub(super) fn variable_of_key(key: &str) -> String {
    format!("RUSSET_{}", key.to_ascii_uppercase().replace('.', "__"))
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_: &Path) -> bool {
    false
}
