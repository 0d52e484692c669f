//! Text of a rule that is filled in with what is known.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Attribute, Facts, MAX_TEXT};

/// Text with attributes in braces: `{user.given_name}@corp`. `{{` and `}}` are braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Attribute(Attribute),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err(format!("a template is {MAX_TEXT} bytes at most"));
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else if let Some((name, after)) =
                from.strip_prefix('{').and_then(|inside| inside.split_once('}'))
            {
                let attribute = Attribute::parse(name)
                    .ok_or_else(|| format!("{{{name}}} is not an attribute"))?;
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Attribute(attribute));
                rest = after;
            } else {
                return Err("a brace stands alone; write {{ or }}".to_owned());
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// The text, or `None` when something it needs is not known.
    pub(super) fn fill(&self, facts: &Facts<'_>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Attribute(attribute) => {
                    let value = facts.value(*attribute)?;
                    match value.as_str() {
                        Some(value) => text.push_str(value),
                        None => text.push_str(&value.to_string()),
                    }
                }
            }
        }
        (text.len() <= MAX_TEXT).then_some(text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => {
                    f.write_str(&plain.replace('{', "{{").replace('}', "}}"))?;
                }
                Piece::Attribute(attribute) => write!(f, "{{{}}}", attribute.as_str())?,
            }
        }
        Ok(())
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
