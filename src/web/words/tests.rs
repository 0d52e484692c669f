//! The catalogues say the same in every language, and a reader gets the one they read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use actix_web::test::TestRequest;
use fluent_syntax::ast::{
    Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey,
};
use fluent_syntax::parser;
use intl_pluralrules::{PluralCategory, PluralRuleType, PluralRules};

use super::*;

/// What a message fills in, and the variants of each of its choices.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    filled: BTreeSet<String>,
    choices: Vec<BTreeSet<String>>,
}

fn read_pattern(pattern: &Pattern<&str>, shape: &mut Shape) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => read_inline(inline, shape),
            Expression::Select { selector, variants } => {
                read_inline(selector, shape);
                let mut keys = BTreeSet::new();
                for variant in variants {
                    let (VariantKey::Identifier { name }
                    | VariantKey::NumberLiteral { value: name }) = &variant.key;
                    keys.insert((*name).to_owned());
                    read_pattern(&variant.value, shape);
                }
                shape.choices.push(keys);
            }
        }
    }
}

fn read_inline(inline: &InlineExpression<&str>, shape: &mut Shape) {
    // A mark that nobody would see is written as an escape: it is text.
    if matches!(inline, InlineExpression::StringLiteral { .. }) {
        return;
    }
    let InlineExpression::VariableReference { id } = inline else {
        panic!("catalogues hold text and names alone, not {inline:?}");
    };
    shape.filled.insert(id.name.to_owned());
}

fn catalogue(source: &str) -> BTreeMap<String, Shape> {
    let resource = parser::parse(source).expect("a catalogue parses without a mistake");
    let mut messages = BTreeMap::new();
    for entry in &resource.body {
        match entry {
            Entry::Message(message) => {
                let mut shape = Shape::default();
                read_pattern(message.value.as_ref().expect("a message says something"), &mut shape);
                assert!(message.attributes.is_empty(), "{}", message.id.name);
                let twice = messages.insert(message.id.name.to_owned(), shape);
                assert!(twice.is_none(), "{} stands twice", message.id.name);
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
            Entry::Term(_) | Entry::Junk { .. } => panic!("{entry:?}"),
        }
    }
    messages
}

#[test]
fn the_catalogues_are_the_ones_that_discovery_lists() {
    assert_eq!(SOURCES.map(|(tag, _)| tag), UI_LOCALES);
    assert!(LANGUAGES.iter().all(|language| *language != LanguageIdentifier::UND));
}

#[test]
fn every_language_says_everything_with_the_same_names() {
    let english = catalogue(SOURCES[0].1);
    for (tag, source) in SOURCES {
        let other = catalogue(source);
        let keys = |messages: &BTreeMap<String, Shape>| -> BTreeSet<String> {
            messages.keys().cloned().collect()
        };
        assert_eq!(keys(&other), keys(&english), "{tag}");
        for (key, shape) in &english {
            assert_eq!(other[key].filled, shape.filled, "{tag}: {key}");
        }
    }
}

#[test]
fn every_count_knows_the_plurals_of_its_language() {
    for (tag, source) in SOURCES {
        let mut language = tag.parse::<unic_langid::LanguageIdentifier>().unwrap();
        language.script = None;
        let rules = PluralRules::create(language, PluralRuleType::CARDINAL).unwrap();
        let wanted: BTreeSet<String> = (0..1_000_u32)
            .chain([1_000_000])
            .map(|count| name(&rules.select(count).unwrap()))
            .collect();
        for (key, shape) in catalogue(source) {
            for variants in shape.choices.iter().filter(|_| key != "month") {
                let numbers = |variant: &&String| variant.parse::<f64>().is_err();
                let named: BTreeSet<String> = variants.iter().filter(numbers).cloned().collect();
                assert_eq!(named, wanted, "{tag}: {key}");
            }
        }
    }
}

fn name(category: &PluralCategory) -> String {
    match category {
        PluralCategory::ZERO => "zero",
        PluralCategory::ONE => "one",
        PluralCategory::TWO => "two",
        PluralCategory::FEW => "few",
        PluralCategory::MANY => "many",
        PluralCategory::OTHER => "other",
    }
    .to_owned()
}

#[test]
fn no_text_is_unused_and_none_is_missing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = String::new();
    for folder in ["templates", "src/web"] {
        collect(&root.join(folder), &mut used);
    }
    let english = catalogue(SOURCES[0].1);
    for key in english.keys() {
        assert!(used.contains(&format!("\"{key}\"")), "{key} is never said");
    }
    for call in ["get", "with", "with_both", "strong", "strong_both", "count"]
        .map(|call| format!("words.{call}(\""))
    {
        for rest in used.split(call.as_str()).skip(1) {
            let key = rest.split('"').next().unwrap();
            assert!(english.contains_key(key), "there is no text {key}");
        }
    }
}

fn collect(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if !path.ends_with("words/tests.rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

fn spoken(query: &str, accept: &str, parked: Option<&str>) -> &'static str {
    let mut request = TestRequest::with_uri(&format!("/authorize?{query}"));
    if !accept.is_empty() {
        request = request.insert_header(("accept-language", accept));
    }
    Words::of(&request.to_http_request(), parked, Words::default()).tag()
}

#[test]
fn the_wish_of_the_client_counts_before_the_browsers() {
    assert_eq!(spoken("ui_locales=fr", "de", None), "fr");
    assert_eq!(spoken("ui_locales=fr", "de", Some("ko ja")), "ko");
    assert_eq!(spoken("", "de", Some("se da")), "de");
    assert_eq!(spoken("ui_locales=se%20fr-CA", "de", None), "fr");
    assert_eq!(spoken("ui_locales=fr&ui_locales=de", "ko", None), "ko");
    assert_eq!(spoken("ui_locales=%25%00", "ko", None), "ko");
}

#[test]
fn what_a_browser_likes_best_of_what_is_spoken_is_spoken() {
    assert_eq!(spoken("", "en;q=0.2, ar-EG;q=0.9, da", None), "ar");
    assert_eq!(spoken("", "es-419,es;q=0.9", None), "es");
    assert_eq!(spoken("", "*", None), "en");
    assert_eq!(spoken("", "da, sv;q=0.5", None), "en");
    assert_eq!(spoken("", "nonsense;;q=x", None), "en");
    assert_eq!(spoken("", "", None), "en");
}

#[test]
fn simplified_characters_are_for_those_who_read_them() {
    for tag in ["zh", "zh-CN", "zh-Hans", "zh-Hans-SG"] {
        assert_eq!(spoken("", tag, None), "zh-Hans", "{tag}");
    }
    for tag in ["zh-TW", "zh-Hant-HK", "zh-HK"] {
        assert_eq!(spoken("", &format!("{tag}, ja;q=0.5"), None), "ja", "{tag}");
    }
}

#[test]
fn a_name_stands_out_and_stays_text() {
    let words = Words::default();
    let lead = words.strong("choose-lead", "client", "<b>\u{e000}A&B\u{e001}").0;
    assert_eq!(lead, "to continue to <strong>&#60;b&#62;A&#38;B</strong>");
    let arabic = Words::tagged("ar").unwrap();
    assert!(arabic.strong("choose-lead", "client", "Demo").0.contains("<strong>Demo</strong>"));
    assert!(arabic.is_right_to_left() && !words.is_right_to_left());
}

#[test]
fn days_are_written_as_their_readers_write_them() {
    // 24 November 2026, 12:05 UTC
    let at = Timestamp::from_secs(1_795_521_900);
    for (tag, day) in [
        ("en", "24 November 2026"),
        ("de", "24. November 2026"),
        ("es", "24 de noviembre de 2026"),
        ("ja", "2026年11月24日"),
        ("ko", "2026년 11월 24일"),
    ] {
        assert_eq!(Words::tagged(tag).unwrap().day(at), day);
    }
    assert_eq!(Words::default().moment(at), "24 November 2026, 12:05 UTC");
    // Each part is isolated, so none tells a browser which way the whole runs: a mark does.
    let arabic = Words::tagged("ar").unwrap().day(at);
    assert!(arabic.starts_with('\u{200f}') && arabic.contains("نوفمبر"), "{arabic:?}");
}
