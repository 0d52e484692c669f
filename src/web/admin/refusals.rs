//! The pages for what did not happen.

use std::fmt::Display;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpResponse};

use super::{Console, ended};
use crate::op::admin::AdminError;
use crate::web::page::admin::ProblemPage;
use crate::web::page::interaction::ErrorPage;
use crate::web::page::{Brand, Frame};
use crate::web::words::Words;
use crate::web::{App, html};

impl Console {
    /// The page for an act that did not happen and has no form to go back to.
    pub(super) fn refuse(&self, error: AdminError) -> Error {
        let (status, heading, message) = match error {
            AdminError::Forbidden { needed } => (
                StatusCode::FORBIDDEN,
                "Your role does not allow this",
                format!("It needs the role {}; yours is {}.", needed.as_str(), self.role()),
            ),
            AdminError::NotFound => (
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "It was deleted, or the address is wrong.".to_owned(),
            ),
            AdminError::Conflict => (
                StatusCode::CONFLICT,
                "Somebody else was faster",
                "It was changed meanwhile. Look at it again.".to_owned(),
            ),
            AdminError::Invalid(problems) => (
                StatusCode::BAD_REQUEST,
                "This cannot be done",
                problems
                    .iter()
                    .map(|problem| format!("{} {}.", problem.field, problem.message))
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            fault @ (AdminError::Store(_) | AdminError::Password(_) | AdminError::Seal(_)) => {
                return ended(failed(&self.app, self.request_id.clone(), &fault));
            }
        };
        ended(self.problem(status, heading, message))
    }

    pub(super) fn role(&self) -> &'static str {
        self.admin.role.as_str()
    }

    pub(super) fn problem(
        &self,
        status: StatusCode,
        heading: &str,
        message: String,
    ) -> HttpResponse {
        let back = match self.section {
            "overview" | "" => self.url(""),
            section => self.url(&format!("/{section}")),
        };
        let template = ProblemPage {
            shell: self.shell(),
            heading: heading.to_owned(),
            message,
            back,
            request_id: self.request_id.clone(),
        };
        html::page(status, &template, &[])
    }
}

/// The page for a fault. Its cause is in the log and nowhere else.
pub(super) fn failed(app: &App, request_id: Option<String>, fault: &dyn Display) -> HttpResponse {
    tracing::error!(%fault, "the console failed");
    let template = ErrorPage {
        frame: Frame { base: app.base.clone(), words: Words::default(), brand: Brand::default() },
        heading: "The console failed".to_owned(),
        message: "Nothing was changed, or not all of it. The log says why.".to_owned(),
        advice: None,
        sign_out_url: None,
        code: None,
        description: None,
        request_id,
    };
    html::page(StatusCode::INTERNAL_SERVER_ERROR, &template, &[])
}
