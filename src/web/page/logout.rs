//! The pages that end a session with the help of frames.

use askama::Template;

use super::Frame;

/// Signed out; the frames tell the apps (OIDC Front-Channel Logout 1.0 §3).
#[derive(Template)]
#[template(path = "interaction/signing_out.html")]
pub struct SigningOutPage {
    /// What surrounds it.
    pub frame: Frame,
    /// Where the browser goes afterwards.
    pub target: Option<String>,
    /// The apps' logout pages.
    pub frames: Vec<String>,
}

/// The check session iframe (OIDC Session Management 1.0 §3.2).
#[derive(Template)]
#[template(path = "interaction/check_session.html")]
pub struct CheckSessionPage {
    /// The issuer's path.
    pub base: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::hostile::{check, text};

    #[test]
    fn the_signing_out_page_shows_addresses_as_text() {
        for target in [None, Some(text())] {
            let page = SigningOutPage { frame: Frame::under(""), target, frames: vec![text()] };
            check(&page.render().unwrap());
        }
    }
}
