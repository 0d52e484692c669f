//! A form of the console, as it was typed.

use actix_web::{HttpRequest, web};
use url::form_urlencoded;

/// Names and values, in order; and the files that came with them.
pub(super) struct Form(Vec<(String, String)>, Vec<Upload>);

/// A file of a form.
struct Upload {
    field: String,
    name: String,
    content: String,
}

impl Form {
    /// Reads `application/x-www-form-urlencoded`. What is not UTF-8 is replaced, and so is a NUL,
    /// which PostgreSQL takes in no text.
    pub(super) fn parse(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body);
        Self(
            pairs.map(|(name, value)| (without_nul(&name), without_nul(&value))).collect(),
            Vec::new(),
        )
    }

    /// Reads a body of this content type: also `multipart/form-data` (RFC 7578), which brings
    /// files. What cannot be read holds nothing, and so no token either.
    pub(super) async fn read(content_type: &str, body: web::Bytes) -> Self {
        let Ok(boundary) = multer::parse_boundary(content_type) else { return Self::parse(&body) };
        let whole =
            futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
        let mut parts = multer::Multipart::new(whole, boundary);
        let mut form = Self(Vec::new(), Vec::new());
        while let Ok(Some(part)) = parts.next_field().await {
            let field = part.name().unwrap_or_default().to_owned();
            let name = part.file_name().map(ToOwned::to_owned);
            let Ok(bytes) = part.bytes().await else { break };
            let content = without_nul(&String::from_utf8_lossy(&bytes));
            match name {
                Some(name) => form.1.push(Upload { field, name, content }),
                None => form.0.push((field, content)),
            }
        }
        form
    }

    /// Name and content of the file in this field.
    pub(super) fn file(&self, field: &str) -> Option<(&str, &str)> {
        let found = self.1.iter().find(|upload| upload.field == field)?;
        Some((&found.name, &found.content))
    }

    /// Every name and value, in the order they came.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The fields in which a file was chosen.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let chosen = self.1.iter().filter(|upload| !upload.name.is_empty());
        chosen.map(|upload| upload.field.as_str())
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

fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
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
