//! The pages of `/account`.

use askama::Template;

/// What somebody signs in with.
pub struct IdentityLine {
    /// The provider's name.
    pub connection: String,
    /// The address that provider gave.
    pub email: Option<String>,
    /// The day it was first used.
    pub since: String,
}

/// Where somebody is signed in.
pub struct SessionLine {
    /// Whether it is the browser that asks.
    pub current: bool,
    /// When it began.
    pub since: String,
}

/// What a signed-in person sees of their own.
#[derive(Template)]
#[template(path = "account/index.html")]
pub struct AccountPage {
    /// The issuer's path.
    pub base: String,
    /// What to call them.
    pub name: String,
    /// The first letter of that.
    pub initial: String,
    /// `email`.
    pub email: Option<String>,
    /// Whether mail goes through Apple's private relay.
    pub email_is_private: bool,
    /// What they sign in with.
    pub identities: Vec<IdentityLine>,
    /// Where they are signed in.
    pub sessions: Vec<SessionLine>,
    /// Where the sign-out form goes.
    pub sign_out_action: String,
    /// Proves that the form was ours.
    pub csrf: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::hostile::{check, text};

    #[test]
    fn the_account_page_shows_names_as_text() {
        let page = AccountPage {
            base: String::new(),
            name: text(),
            initial: text(),
            email: Some(text()),
            email_is_private: true,
            identities: vec![IdentityLine {
                connection: text(),
                email: Some(text()),
                since: text(),
            }],
            sessions: vec![SessionLine { current: true, since: text() }],
            sign_out_action: text(),
            csrf: text(),
        };
        check(&page.render().unwrap());
    }
}
