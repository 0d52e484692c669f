//! What stands between a request and a room: a session, the table of rights, a second factor where
//! one is required, and a fresh proof before a dangerous act.

use actix_web::http::Method;
use actix_web::{Error, HttpRequest, HttpResponse, web};

use super::{Console, ended, failed, form, rights, section, see_other, session, words_of};
use crate::op::admin::{AdminError, SignedIn};
use crate::web::cookies::Jar;
use crate::web::{App, request};

impl Console {
    /// Lets somebody in who is signed in, to where they may go.
    ///
    /// # Errors
    /// The page that says why not, or the way to the one that comes first.
    pub(super) async fn enter(request: &HttpRequest) -> Result<Self, Error> {
        let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
            return Err(ended(HttpResponse::InternalServerError().finish()));
        };
        let to_login = || ended(see_other(&session::login_url(&app.base, request)));
        let cookie = app.cookies.read(request, Jar::Console).ok_or_else(to_login)?;
        match app.administration.find_console_session(&cookie).await {
            Ok(Some(signed_in)) => {
                let console = Self::resumed(app, signed_in, cookie, request);
                console.admit(request)?;
                console.lead_to_enrolment(request).await?;
                if *request.method() == Method::GET && console.wants_proof(request) {
                    let here = request.uri().path_and_query().map(ToString::to_string);
                    let query = form::with_query(&[("next", &here.unwrap_or_default())]);
                    return Err(ended(see_other(&console.url(&format!("/prove{query}")))));
                }
                Ok(console)
            }
            Ok(None) => Err(to_login()),
            Err(error) => Err(ended(failed(&app, request::id(request), &error))),
        }
    }

    /// The console of somebody who is signed in, wherever the request came.
    pub(super) fn resumed(
        app: web::Data<App>,
        SignedIn { admin, session }: SignedIn,
        cookie: String,
        request: &HttpRequest,
    ) -> Self {
        Self {
            admin,
            session,
            reason: String::new(),
            cookie,
            request_id: request::id(request),
            flash: form::query(request, "done").and_then(|done| words_of(&done)),
            section: section::of(request.path(), &app.base),
            app,
        }
    }

    /// Asks the table of rights whether this account may come here.
    fn admit(&self, request: &HttpRequest) -> Result<(), Error> {
        let pattern = request.match_pattern().unwrap_or_default();
        let pattern = pattern.strip_prefix(&self.app.base).unwrap_or(&pattern);
        let Some(need) = rights::need(request.method(), pattern) else {
            tracing::error!(pattern, "a route of the console has no line in the table of rights");
            return Err(self.refuse(AdminError::NotFound));
        };
        if need.allows(&self.admin, request.match_info().get("client_id")) {
            return Ok(());
        }
        Err(self.refuse(AdminError::Forbidden { needed: need.role() }))
    }

    /// Where a second factor is required, whoever came in without one can add one and do nothing
    /// else.
    async fn lead_to_enrolment(&self, request: &HttpRequest) -> Result<(), Error> {
        let pattern = request.match_pattern().unwrap_or_default();
        let pattern = pattern.strip_prefix(&self.app.base).unwrap_or(&pattern);
        if self.session.second_factor || rights::ENROLMENT.contains(&pattern) {
            return Ok(());
        }
        let settings = self.app.administration.settings().await;
        if settings.map_err(|error| self.refuse(error))?.0.require_second_factor {
            // The account shows both ways where there are two.
            let choice = self.app.administration.offers_passkeys();
            let path = if choice { "/profile" } else { "/profile/totp" };
            return Err(ended(see_other(&self.url(path))));
        }
        Ok(())
    }

    /// Whether the request is for a dangerous act, and the last proof is too old for it.
    pub(super) fn wants_proof(&self, request: &HttpRequest) -> bool {
        let pattern = request.match_pattern().unwrap_or_default();
        let pattern = pattern.strip_prefix(&self.app.base).unwrap_or(&pattern);
        rights::is_dangerous(request.method(), pattern, request.match_info().get("act"))
            && !self.app.administration.is_freshly_proven(&self.signed_in())
    }

    /// Who they are, in which session.
    pub(super) fn signed_in(&self) -> SignedIn {
        SignedIn { admin: self.admin.clone(), session: self.session.clone() }
    }
}
