//! What is sent: a JSON object, member by member.

use actix_web::Error;
use actix_web::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Asked, Caller};
use crate::op::admin::{AdminError, FieldProblem};
use crate::protocol::json;

impl Caller {
    /// The members of a JSON body.
    ///
    /// # Errors
    /// 400 for anything that is not a JSON object, 415 for what does not say that it is JSON, 422
    /// for a NUL, which PostgreSQL takes in no text.
    pub(super) fn members(&self, body: &[u8]) -> Result<Map<String, Value>, Error> {
        if body.is_empty() && !self.needs_body {
            return Ok(Map::new());
        }
        if !self.is_json {
            let detail = "Send the body as application/json.".to_owned();
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(self.problem(status, "The body is not said to be JSON", Some(detail)));
        }
        let members: Map<String, Value> = json::object(body).map_err(|error| {
            let title = "The body is not a JSON object";
            self.problem(StatusCode::BAD_REQUEST, title, Some(error.to_string()))
        })?;
        if members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)) {
            return Err(self.invalid("body", "must not hold a NUL"));
        }
        Ok(members)
    }

    /// The body as what its type says; what that does not name is refused by it.
    ///
    /// # Errors
    /// As [`Caller::members`], and 422 for members that are not as they should be.
    pub(super) fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, Error> {
        self.typed(self.members(body)?)
    }

    /// The same, of members of which some were taken out.
    ///
    /// # Errors
    /// 422 for members that are not as they should be.
    pub(super) fn typed<T: DeserializeOwned>(
        &self,
        members: Map<String, Value>,
    ) -> Result<T, Error> {
        let read = serde_json::from_value(Value::Object(members));
        read.map_err(|error| self.invalid("body", &error.to_string()))
    }

    /// Refuses a field of what was sent.
    pub(super) fn invalid(&self, field: &'static str, message: &str) -> Error {
        self.refuse(AdminError::Invalid(vec![FieldProblem::new(field, message)]))
    }

    /// Where a page begins, if it is not the first, as `read` knows it.
    ///
    /// # Errors
    /// 422 for what no page gave out: the list would begin anew, and whoever reads on never end.
    pub(super) fn place<T>(
        &self,
        asked: &Asked,
        read: impl FnOnce(String) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(after) = asked.get("after") else { return Ok(None) };
        read(after).map(Some).ok_or_else(|| self.invalid("after", "must be what next said"))
    }

    /// Refuses what is left of a body after its members were taken out.
    ///
    /// # Errors
    /// 422 that names each.
    pub(super) fn nothing_else(&self, left: &Map<String, Value>) -> Result<(), Error> {
        let problems: Vec<FieldProblem> = left
            .keys()
            .map(|name| FieldProblem::new("body", format!("{name} is not a member")))
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(self.refuse(AdminError::Invalid(problems))) }
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => {
            members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
