//! What the pages of a sign-in and of `/account` say, in every language there is.
//!
//! The words stand in `locales/`, one Fluent catalogue for each language, and are read once. A page
//! is told its language by the request that led to it: `ui_locales` (OIDC Core §3.1.2.1), else
//! `Accept-Language`, else the installation's own.

use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptLanguage, Header as _};
use askama::filters::{Escaper as _, Html, Safe};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_langneg::{LanguageIdentifier, NegotiationStrategy, negotiate_languages};

use crate::protocol::ambient::Timestamp;
use crate::protocol::metadata::UI_LOCALES;
use crate::protocol::params::Params;

#[cfg(test)]
mod tests;

/// The catalogues, under the tags that discovery lists.
const SOURCES: [(&str, &str); UI_LOCALES.len()] = [
    ("en", include_str!("../../../locales/en.ftl")),
    ("de", include_str!("../../../locales/de.ftl")),
    ("fr", include_str!("../../../locales/fr.ftl")),
    ("es", include_str!("../../../locales/es.ftl")),
    ("ja", include_str!("../../../locales/ja.ftl")),
    ("zh-Hans", include_str!("../../../locales/zh-Hans.ftl")),
    ("ko", include_str!("../../../locales/ko.ftl")),
    ("ar", include_str!("../../../locales/ar.ftl")),
];

struct Catalogue {
    tag: &'static str,
    bundle: FluentBundle<FluentResource>,
}

static CATALOGUES: LazyLock<Vec<Catalogue>> =
    LazyLock::new(|| SOURCES.iter().map(|(tag, source)| read(tag, source)).collect());

/// The languages in the order of [`CATALOGUES`], as negotiation wants them.
static LANGUAGES: LazyLock<Vec<LanguageIdentifier>> = LazyLock::new(|| {
    SOURCES.iter().map(|(tag, _)| tag.parse().unwrap_or(LanguageIdentifier::UND)).collect()
});

fn read(tag: &'static str, source: &str) -> Catalogue {
    let language = tag.parse::<unic_langid::LanguageIdentifier>().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Marks that keep a Latin name in an Arabic sentence from turning its neighbours around.
    bundle.set_use_isolating(is_right_to_left(tag));
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| {
        tracing::error!(tag, "a catalogue does not parse");
        resource
    });
    if bundle.add_resource(resource).is_err() {
        tracing::error!(tag, "a catalogue says something twice");
    }
    Catalogue { tag, bundle }
}

fn is_right_to_left(tag: &str) -> bool {
    tag == "ar"
}

/// Stands before and after a name that is to be set off, until the sentence is escaped. Both are
/// characters for private use, which names lose.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// The words of one language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words(usize);

impl Words {
    /// The words under this tag, if it is one of ours.
    pub fn tagged(tag: &str) -> Option<Self> {
        UI_LOCALES.iter().position(|known| *known == tag).map(Self)
    }

    /// The words for whoever makes this request: `wished` is the `ui_locales` of the request that
    /// brought them, `otherwise` the installation's own language.
    pub fn of(request: &HttpRequest, wished: Option<&str>, otherwise: Self) -> Self {
        let asked = Params::parse(request.query_string().as_bytes()).ok();
        let asked = asked.as_ref().and_then(|params| params.one("ui_locales").ok().flatten());
        let wished = wished.or(asked).unwrap_or_default();
        let accepted = AcceptLanguage::parse(request).map(|header| header.ranked());
        let accepted: Vec<String> =
            accepted.unwrap_or_default().iter().map(ToString::to_string).collect();
        let by_wish = Self::first_of(wished.split(' '));
        by_wish.or_else(|| Self::first_of(accepted.iter().map(String::as_str))).unwrap_or(otherwise)
    }

    /// The first of these languages that is spoken here.
    fn first_of<'a>(tags: impl Iterator<Item = &'a str>) -> Option<Self> {
        let wanted: Vec<LanguageIdentifier> =
            tags.filter_map(|tag| expand(tag).parse().ok()).collect();
        let lookup = NegotiationStrategy::Lookup;
        let found = *negotiate_languages(&wanted, &LANGUAGES, None, lookup).first()?;
        LANGUAGES.iter().position(|language| language == found).map(Self)
    }

    /// The language's tag (BCP 47).
    pub fn tag(&self) -> &'static str {
        UI_LOCALES.get(self.0).copied().unwrap_or("en")
    }

    /// Whether it is read from right to left.
    pub fn is_right_to_left(&self) -> bool {
        is_right_to_left(self.tag())
    }

    /// A text in which nothing is filled in.
    pub fn get(&self, key: &str) -> String {
        self.say(key, &FluentArgs::new())
    }

    /// A text with one name filled in.
    pub fn with(&self, key: &str, name: &str, value: &str) -> String {
        self.say(key, &args(&[(name, value)]))
    }

    /// A text with two names filled in.
    pub fn with_both(
        &self,
        key: &str,
        name: &str,
        value: &str,
        other: &str,
        other_value: &str,
    ) -> String {
        self.say(key, &args(&[(name, value), (other, other_value)]))
    }

    /// Markup: a text in which a name stands out.
    pub fn strong(&self, key: &str, name: &str, value: &str) -> Safe<String> {
        set_off(&self.say(key, &args(&[(name, &marked(value))])))
    }

    /// Markup: a text in which two names stand out.
    pub fn strong_both(
        &self,
        key: &str,
        name: &str,
        value: &str,
        other: &str,
        other_value: &str,
    ) -> Safe<String> {
        set_off(&self.say(key, &args(&[(name, &marked(value)), (other, &marked(other_value))])))
    }

    /// A text about so many of something.
    pub fn count(&self, key: &str, count: usize) -> String {
        let mut counted = FluentArgs::new();
        counted.set("count", count);
        self.say(key, &counted)
    }

    /// What a page calls somebody: their name, if one is known.
    pub fn person(&self, name: String) -> String {
        if name.is_empty() { self.get("unnamed-person") } else { name }
    }

    /// A day, such as `24 November 2026`.
    pub fn day(&self, at: Timestamp) -> String {
        let Ok(moment) = time::OffsetDateTime::from_unix_timestamp(at.secs()) else {
            return String::new();
        };
        let mut named = FluentArgs::new();
        named.set("month", u8::from(moment.month()));
        let name = self.say("month", &named);
        let (day, year) = (moment.day().to_string(), moment.year().to_string());
        self.say("day", &args(&[("day", &day), ("month-name", &name), ("year", &year)]))
    }

    /// A moment, such as `24 November 2026, 12:00 UTC`.
    pub fn moment(&self, at: Timestamp) -> String {
        let Ok(moment) = time::OffsetDateTime::from_unix_timestamp(at.secs()) else {
            return String::new();
        };
        let clock = format!("{:02}:{:02}", moment.hour(), moment.minute());
        self.with_both("moment", "date", &self.day(at), "time", &clock)
    }

    /// English speaks for a language that lacks a text; tests see to it that none does.
    fn say(&self, key: &str, args: &FluentArgs<'_>) -> String {
        for catalogue in [CATALOGUES.get(self.0), CATALOGUES.first()].into_iter().flatten() {
            let message = catalogue.bundle.get_message(key);
            if let Some(pattern) = message.and_then(|message| message.value()) {
                let mut errors = Vec::new();
                let said = catalogue.bundle.format_pattern(pattern, Some(args), &mut errors);
                if !errors.is_empty() {
                    tracing::error!(key, tag = catalogue.tag, ?errors, "a text lacks a value");
                }
                return said.into_owned();
            }
        }
        tracing::error!(key, "there is no such text");
        key.to_owned()
    }
}

fn args<'a>(values: &[(&'a str, &'a str)]) -> FluentArgs<'a> {
    values.iter().map(|(name, value)| (*name, FluentValue::from(*value))).collect()
}

fn marked(value: &str) -> String {
    let value: String = value.chars().filter(|c| !matches!(*c, OPEN | CLOSE)).collect();
    format!("{OPEN}{value}{CLOSE}")
}

fn set_off(text: &str) -> Safe<String> {
    let mut html = String::with_capacity(text.len() + 32);
    for (at, part) in text.split(OPEN).enumerate() {
        let (inside, after) = part.split_once(CLOSE).unwrap_or(("", part));
        if at > 0 {
            html.push_str("<strong>");
            let _ = Html.write_escaped_str(&mut html, inside);
            html.push_str("</strong>");
        }
        let _ = Html.write_escaped_str(&mut html, after);
    }
    Safe(html)
}

/// Places that write Chinese in traditional characters say so rarely.
fn expand(tag: &str) -> String {
    match tag.to_ascii_lowercase().as_str() {
        "zh-tw" | "zh-hk" | "zh-mo" => "zh-Hant".to_owned(),
        _ => tag.to_owned(),
    }
}
