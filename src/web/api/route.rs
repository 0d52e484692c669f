//! One line of the admin API: what is let in, what it needs, and what the document says of it.

use actix_web::http::Method;

use super::query::Parameter;
use super::schemas::Schema;
use crate::protocol::api_key::ApiScope;

/// A line of the list of routes.
pub struct Route {
    /// The method, upper case.
    pub method: &'static str,
    /// The path below `/admin/api/v1`.
    pub path: &'static str,
    /// What a key must hold.
    pub scope: ApiScope,
    /// What it must hold besides for some of what may be asked, and for what of it.
    pub besides: Option<(ApiScope, &'static str)>,
    /// What it does.
    pub summary: &'static str,
    /// What may stand in the query.
    pub(super) query: &'static [Parameter],
    /// What is sent.
    pub(super) body: Option<Schema>,
    /// Whether it does something without a body, too.
    pub(super) bare: bool,
    /// What is answered.
    pub(super) answer: Option<Schema>,
    /// The status of that.
    pub(super) status: u16,
    /// Whether it has nothing to repeat for an idempotency key.
    pub(super) repeats: bool,
}

impl Route {
    const fn new(
        method: &'static str,
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            scope,
            besides: None,
            summary,
            query: &[],
            body: None,
            bare: false,
            answer: None,
            status: 200,
            repeats: false,
        }
    }

    pub(super) const fn get(
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
        answer: Schema,
    ) -> Self {
        Self { answer: Some(answer), ..Self::new("GET", path, scope, summary) }
    }

    /// Makes something.
    pub(super) const fn make(
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
        body: Schema,
        answer: Schema,
    ) -> Self {
        let new = Self::new("POST", path, scope, summary);
        Self { body: Some(body), answer: Some(answer), status: 201, ..new }
    }

    /// Does something that is as good as done once when it is done twice.
    pub(super) const fn act(
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
        answer: Option<Schema>,
    ) -> Self {
        let status = if answer.is_some() { 200 } else { 204 };
        Self { answer, status, repeats: true, ..Self::new("POST", path, scope, summary) }
    }

    pub(super) const fn patch(
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
        body: Schema,
        answer: Schema,
    ) -> Self {
        let new = Self::new("PATCH", path, scope, summary);
        Self { body: Some(body), answer: Some(answer), ..new }
    }

    pub(super) const fn put(
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
        body: Schema,
        answer: Schema,
    ) -> Self {
        Self { method: "PUT", ..Self::patch(path, scope, summary, body, answer) }
    }

    pub(super) const fn delete(path: &'static str, scope: ApiScope, summary: &'static str) -> Self {
        Self { status: 204, ..Self::new("DELETE", path, scope, summary) }
    }

    /// The same, with something to answer.
    pub(super) const fn telling(self, status: u16, answer: Schema) -> Self {
        Self { status, answer: Some(answer), ..self }
    }

    /// The same, with something to send.
    pub(super) const fn sent(self, body: Schema) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The same, which takes no body for one that says nothing.
    pub(super) const fn or_bare(self) -> Self {
        Self { bare: true, ..self }
    }

    /// The same, for more of which a further scope is needed.
    pub(super) const fn besides(self, scope: ApiScope, what: &'static str) -> Self {
        Self { besides: Some((scope, what)), ..self }
    }

    /// The same, with this in its query.
    pub(super) const fn asking(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    pub(super) const fn needs_body(&self) -> bool {
        self.body.is_some() && !self.bare
    }

    /// Whether it changes what was seen, so that `If-Match` must say what that was.
    pub(super) fn changes(&self) -> bool {
        matches!(self.method, "PATCH" | "PUT")
    }

    pub(super) fn is(&self, method: &Method, path: &str) -> bool {
        // RFC 9110 §9.3.2: HEAD is GET without the content.
        let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
        self.method == method && self.path == path
    }
}
