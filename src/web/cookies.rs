//! The browser's cookies: HttpOnly and Lax (but one), and on https bound to this host by `__Host-`.
//!
//! Over plain http, which only a loopback issuer may use, the plain names are used: a `Secure`
//! cookie would be lost by every client but a browser.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

/// Which of our cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jar {
    /// Binds interactions to the browser that started them.
    Binding,
    /// A signed-in person.
    Session,
    /// What the check session iframe reads of the session (OIDC Session Management §3.2). The one
    /// cookie that a script may read, and that other sites' pages bring along: it proves nothing.
    State,
    /// A signed-in admin.
    Console,
}

/// Makes and reads the cookies of an issuer.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    secure: bool,
}

impl Cookies {
    /// For an issuer with this URL.
    pub fn of_issuer(issuer: &str) -> Self {
        Self { secure: issuer.starts_with("https://") }
    }

    fn name(self, jar: Jar) -> &'static str {
        match (jar, self.secure) {
            (Jar::Binding, true) => "__Host-russet_browser",
            (Jar::Binding, false) => "russet_browser",
            (Jar::Session, true) => "__Host-russet_session",
            (Jar::Session, false) => "russet_session",
            (Jar::State, true) => "__Host-russet_state",
            (Jar::State, false) => "russet_state",
            (Jar::Console, true) => "__Host-russet_console",
            (Jar::Console, false) => "russet_console",
        }
    }

    /// The value the browser sent. A malformed or oversized one counts as none.
    pub fn read(self, request: &HttpRequest, jar: Jar) -> Option<String> {
        let cookie = request.cookie(self.name(jar))?;
        let value = cookie.value();
        (!value.is_empty() && value.len() <= 128).then(|| value.to_owned())
    }

    /// A cookie to set; without `max_age` it ends with the browser.
    pub fn make(
        self,
        jar: Jar,
        value: String,
        max_age: Option<std::time::Duration>,
    ) -> Cookie<'static> {
        let mut cookie = Cookie::build(self.name(jar), value)
            .path("/")
            .http_only(jar != Jar::State)
            .secure(self.secure)
            // Browsers take None from https alone.
            .same_site(if jar == Jar::State && self.secure {
                SameSite::None
            } else {
                SameSite::Lax
            })
            .finish();
        if let Some(max_age) = max_age {
            let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
            cookie.set_max_age(Duration::seconds(seconds));
        }
        cookie
    }

    /// A cookie that removes.
    pub fn remove(self, jar: Jar) -> Cookie<'static> {
        let mut cookie = self.make(jar, String::new(), None);
        cookie.make_removal();
        cookie
    }
}
