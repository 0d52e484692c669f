//! One line of the admin API: what is let in, what it needs, and what the document says of it.

use super::query::Parameter;
use super::schemas::Schema;
use crate::protocol::api_key::ApiScope;
use crate::web::MAX_BODY;

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
    /// What that comes as.
    pub(super) media: &'static [&'static str],
    /// The status of that.
    pub(super) status: u16,
    /// The longest body.
    pub(super) longest: usize,
    /// Whether it only looks, for all that it is a `POST`.
    pub(super) looks: bool,
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
            media: &["application/json"],
            status: 200,
            longest: MAX_BODY,
            looks: false,
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

    /// Something that is sent and something that is answered.
    const fn with(self, body: Schema, answer: Schema) -> Self {
        Self { body: Some(body), answer: Some(answer), ..self }
    }

    /// Makes something.
    pub(super) const fn make(
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
        body: Schema,
        answer: Schema,
    ) -> Self {
        Self { status: 201, ..Self::new("POST", path, scope, summary).with(body, answer) }
    }

    /// Does something to what is there.
    pub(super) const fn act(
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
        answer: Option<Schema>,
    ) -> Self {
        let status = if answer.is_some() { 200 } else { 204 };
        Self { answer, status, ..Self::new("POST", path, scope, summary) }
    }

    /// Looks anew, which may take a while and leaves a mark.
    pub(super) const fn look(
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
        answer: Schema,
    ) -> Self {
        Self { looks: true, ..Self::act(path, scope, summary, Some(answer)) }
    }

    pub(super) const fn patch(
        path: &'static str,
        scope: ApiScope,
        summary: &'static str,
        body: Schema,
        answer: Schema,
    ) -> Self {
        Self::new("PATCH", path, scope, summary).with(body, answer)
    }

    /// The same, with what is sent in the place of what stands.
    pub(super) const fn put(self) -> Self {
        Self { method: "PUT", ..self }
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

    /// The same, whose body may be so long.
    pub(super) const fn up_to(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    /// The same, whose answer is a file of one of these types.
    pub(super) const fn in_a_file(self, media: &'static [&'static str]) -> Self {
        Self { media, ..self }
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

    /// Whether it is done once under one idempotency key.
    pub(super) fn once(&self) -> bool {
        self.method != "GET" && !self.looks
    }
}
