//! Apple's `user` field: a name told once, unsigned — apple.md §4.
//!
//! It passes through the browser of the person signing in, so it is display text and nothing more.
//! Its email is not read at all. Whatever is wrong with it never fails a sign-in.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::protocol::user::Profile;

const MAX_CHARS: usize = 100;

/// The names in a `user` field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    given_name: Option<String>,
    family_name: Option<String>,
}

impl Names {
    /// Reads the field: JSON as documented, doubly encoded, incomplete, or anything at all.
    pub(super) fn read(user: Option<&str>) -> Self {
        let Some(user) = user.filter(|user| user.len() <= 8 * 1024) else { return Self::default() };
        let value = match serde_json::from_str(user) {
            Ok(Value::String(inner)) => serde_json::from_str(&inner).unwrap_or(Value::Null),
            Ok(value) => value,
            Err(_) => Value::Null,
        };
        let Some(name) = value.get("name") else { return Self::default() };
        if let Some(text) = name.as_str() {
            return Self { given_name: clean(text), family_name: None };
        }
        let part = |part: &str| name.get(part).and_then(Value::as_str).and_then(clean);
        Self { given_name: part("firstName"), family_name: part("lastName") }
    }

    /// Puts the names into a profile.
    pub(super) fn fill(self, profile: &mut Profile) {
        let parts: Vec<&str> = [&self.given_name, &self.family_name]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        profile.name = (!parts.is_empty()).then(|| parts.join(" "));
        profile.given_name = self.given_name;
        profile.family_name = self.family_name;
    }
}

/// Text fit to be shown: in NFC, no control characters, no marks that turn the direction of what
/// follows, single spaces, a hundred characters.
fn clean(text: &str) -> Option<String> {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .nfc()
        .collect();
    let single = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = single.chars().take(MAX_CHARS).collect();
    let cut = cut.trim_end().to_owned();
    let is_visible = cut.contains(|c| !matches!(c, '\u{200c}' | '\u{200d}'));
    is_visible.then_some(cut)
}

/// Characters that show nothing. The joiners U+200C and U+200D stay: Persian and Indic names are
/// spelt with them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{061c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(user: &str) -> Option<String> {
        let mut profile = Profile::default();
        Names::read(Some(user)).fill(&mut profile);
        profile.name
    }

    #[test]
    fn every_shape_seen_in_the_wild_is_survived() {
        for (user, expected) in [
            (
                r#"{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"x@y"}"#,
                Some("Ada Lovelace"),
            ),
            (r#""{\"name\":{\"firstName\":\"Ada\",\"lastName\":\"\"}}""#, Some("Ada")),
            (r#"{"name":{"lastName":"Lovelace"}}"#, Some("Lovelace")),
            (r#"{"name":{"firstName":"","lastName":""}}"#, None),
            (r#"{"name":{"firstName":null}}"#, None),
            (r#"{"name":{"firstName":5}}"#, None),
            (r#"{"name":"Ada"}"#, Some("Ada")),
            (r#"{"name":["Ada"]}"#, None),
            (r#""Ada""#, None),
            (r#"{"email":"ada@example.com"}"#, None),
            ("Ada Lovelace", None),
            ("", None),
            ("[]", None),
            ("null", None),
        ] {
            assert_eq!(name(user).as_deref(), expected, "{user}");
        }
        assert_eq!(Names::read(None), Names::default());
    }

    #[test]
    fn a_name_is_display_text() {
        let user = r#"{"name":{"firstName":"  A\u0000d\u202ea\n\t ","lastName":"<script>"}}"#;
        assert_eq!(name(user).as_deref(), Some("Ada <script>"));
        for (told, kept) in [
            ("Zoe\u{308}", Some("Zo\u{eb}")),
            ("\u{645}\u{6cc}\u{200c}\u{62e}", Some("\u{645}\u{6cc}\u{200c}\u{62e}")),
            ("\u{915}\u{94d}\u{200d}\u{937}", Some("\u{915}\u{94d}\u{200d}\u{937}")),
            ("A\u{ad}d\u{200b}a\u{2066}\u{feff}", Some("Ada")),
            // Nothing but joiners is nothing to be seen.
            ("\u{200c}\u{200d}", None),
        ] {
            assert_eq!(clean(told).as_deref(), kept, "{told:?}");
        }
        let long = format!(r#"{{"name":{{"firstName":"{}"}}}}"#, "x".repeat(500));
        assert_eq!(name(&long).map(|name| name.len()), Some(100));
    }

    #[test]
    fn the_address_in_it_is_never_taken() {
        let mut profile = Profile::default();
        Names::read(Some(r#"{"email":"victim@example.com"}"#)).fill(&mut profile);
        assert_eq!(profile, Profile::default());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_clean_or_nothing(text in any::<String>()) {
            let user = serde_json::json!({ "name": { "firstName": text } }).to_string();
            if let Some(name) = name(&user) {
                prop_assert!(name.chars().count() <= 100);
                prop_assert!(!name.chars().any(|c| c.is_control() || is_invisible(c)));
                prop_assert_eq!(name.trim(), &name);
            }
            let _ = Names::read(Some(&text));
        }
    }
}
