//! A form of the console, as it was typed.

use std::borrow::Cow;

use actix_web::HttpRequest;
use url::form_urlencoded;

/// Names and values, in order.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`. What is not UTF-8 is replaced, and so is a NUL,
    /// which PostgreSQL takes in no text.
    pub(super) fn parse(body: &[u8]) -> Self {
        let text = |text: Cow<'_, str>| text.replace('\0', "\u{fffd}");
        let pairs = form_urlencoded::parse(body);
        Self(pairs.map(|(name, value)| (text(name), text(value))).collect())
    }

    /// The value as it came, blanks at the ends included; empty when it is missing.
    pub(super) fn exact(&self, name: &str) -> String {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    /// The value without blanks at the ends.
    pub(super) fn text(&self, name: &str) -> String {
        self.exact(name).trim().to_owned()
    }

    /// Whether a tick box was ticked.
    pub(super) fn ticked(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }

    /// Every value under this name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(given, _)| given == name).map(|(_, value)| value.clone()).collect()
    }
}

/// The lines that hold something, without blanks at their ends.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// A value of the query.
pub(super) fn query(request: &HttpRequest, name: &str) -> Option<String> {
    form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(given, _)| given == name)
        .map(|(_, value)| value.into_owned())
}

/// A query of one name and value, with its question mark.
pub(super) fn with_query(pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::from("?"));
    query.extend_pairs(pairs);
    query.finish()
}
