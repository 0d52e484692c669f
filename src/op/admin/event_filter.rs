//! What somebody asked to see of the audit log: the fields of its form, and the views that are kept.

use std::time::Duration;

use url::form_urlencoded;

use super::{AuditView, EventQuery};
use crate::protocol::ambient::Timestamp;
use crate::protocol::digits;

/// The fields that narrow the log, in the order of their form.
const FIELDS: [&str; 8] = ["q", "area", "kind", "actor", "target", "request_id", "from", "until"];
const ONE_DAY: Duration = Duration::from_secs(24 * 3600);

/// What somebody asked to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    values: Vec<(&'static str, String)>,
}

impl EventFilter {
    /// Each field as `value` has it; empty ones narrow nothing.
    pub fn of(value: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name| Some((name, value(name)?.trim().to_owned()));
        let all = FIELDS.into_iter().filter_map(read);
        Self { values: all.filter(|(_, value)| !value.is_empty()).collect() }
    }

    /// What a view shows that is kept.
    pub fn of_view(view: &AuditView) -> Self {
        let query = view.query.trim_start_matches('?').as_bytes();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query).into_owned().collect();
        Self::of(|name| pairs.iter().find(|(given, _)| given == name).map(|(_, v)| v.clone()))
    }

    /// A field; empty if it narrows nothing.
    pub fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| value)
    }

    /// A field that narrows something.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name).to_owned()).filter(|value| !value.is_empty())
    }

    /// Those that do.
    pub fn fields(&self) -> &[(&'static str, String)] {
        &self.values
    }

    /// The events that it lets through, older than `before`.
    pub fn query(&self, before: Option<i64>, limit: u32) -> EventQuery {
        let area = self.some("area").map(|area| format!("{area}."));
        EventQuery {
            kind: self.some("kind").or(area),
            actor: self.some("actor"),
            target: self.some("target"),
            request_id: self.some("request_id"),
            from: moment(self.get("from"), Duration::ZERO),
            until: moment(self.get("until"), ONE_DAY),
            before,
            after: None,
            limit,
        }
    }
}

/// Seconds since the epoch; or a day in UTC, as a date field sends it, and so much later. Anything
/// else narrows nothing.
fn moment(text: &str, later: Duration) -> Option<Timestamp> {
    if let Some(seconds) = digits::number::<u32>(text) {
        return Some(Timestamp::from_secs(i64::from(seconds)));
    }
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let date = time::Date::parse(text, format).ok()?;
    Some(Timestamp::from_secs(date.midnight().assume_utc().unix_timestamp()).plus(later))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_and_ends_with_the_next() {
        let day = |text| moment(text, Duration::ZERO);
        assert_eq!(day("1970-01-02"), Some(Timestamp::from_secs(86_400)));
        assert_eq!(moment("1970-01-02", ONE_DAY), Some(Timestamp::from_secs(2 * 86_400)));
        assert_eq!(moment("86400", ONE_DAY), Some(Timestamp::from_secs(86_400)));
        for odd in ["", "yesterday", "2026-13-01", "1970-01-02T00:00", "-1"] {
            assert_eq!(day(odd), None);
        }
    }

    #[test]
    fn a_view_is_the_filter_that_it_was_kept_of() {
        let view = AuditView { name: "a".into(), query: "?area=client&q=%20shop%20&odd=1".into() };
        let filter = EventFilter::of_view(&view);
        assert_eq!((filter.get("q"), filter.get("kind"), filter.fields().len()), ("shop", "", 2));
        assert_eq!(filter.query(None, 1).kind.as_deref(), Some("client."));
    }
}
