//! The pages of `/account`.

use askama::Template;

use super::Frame;
use super::interaction::ScopeLine;

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
    /// The `sid`.
    pub id: String,
    /// Whether it is the browser that asks.
    pub current: bool,
    /// The browser and what it runs on.
    pub browser: String,
    /// The day it began.
    pub since: String,
    /// When it was last there.
    pub seen: String,
}

/// An app that has access.
pub struct AppLine {
    /// `client_id`.
    pub client_id: String,
    /// Its name.
    pub name: String,
    /// Since which day.
    pub since: String,
    /// What it may do.
    pub scopes: Vec<ScopeLine>,
}

/// What was done, or was not.
pub struct Message {
    /// In words.
    pub words: String,
    /// Whether it was done.
    pub good: bool,
}

/// What a signed-in person sees of their own.
#[derive(Template)]
#[template(path = "account/index.html")]
pub struct AccountPage {
    /// What surrounds it.
    pub frame: Frame,
    /// What the last form came to.
    pub message: Option<Message>,
    /// What to call them.
    pub name: String,
    /// Their name, as it stands in the field.
    pub chosen_name: String,
    /// The first letter of what they are called.
    pub initial: String,
    /// `email`.
    pub email: Option<String>,
    /// Whether mail goes through Apple's private relay.
    pub email_is_private: bool,
    /// What they sign in with.
    pub identities: Vec<IdentityLine>,
    /// How their second step stands, if they have a password here.
    pub second: Option<String>,
    /// Where they are signed in.
    pub sessions: Vec<SessionLine>,
    /// What has access.
    pub apps: Vec<AppLine>,
    /// Where the sign-out form goes.
    pub sign_out_action: String,
    /// Proves that the form was ours.
    pub csrf: String,
}

/// An identity that may be taken away.
pub struct WayInLine {
    /// The provider's name.
    pub connection: String,
    /// The address that provider gave.
    pub email: Option<String>,
    /// The day it was first used.
    pub since: String,
    /// Who vouches for it, for the form.
    pub authority: String,
    /// Whom they know it as, for the form.
    pub subject: String,
    /// Whether somebody can sign in with it now.
    pub usable: bool,
    /// Whether another way in is left when it goes.
    pub removable: bool,
}

/// A connection that may be added.
pub struct MoreLine {
    /// Its name in addresses.
    pub id: String,
    /// Its name for people.
    pub name: String,
}

/// How somebody signs in, and could.
#[derive(Template)]
#[template(path = "account/identities.html")]
pub struct IdentitiesPage {
    /// What surrounds it.
    pub frame: Frame,
    /// What was just done.
    pub flash: Option<String>,
    /// What they have.
    pub ways: Vec<WayInLine>,
    /// What they could add.
    pub more: Vec<MoreLine>,
    /// The names of those of them that are away.
    pub away: Vec<String>,
    /// Proves that the form was ours.
    pub csrf: String,
}

/// Once more: who is it?
#[derive(Template)]
#[template(path = "account/prove.html")]
pub struct ProvePage {
    /// What surrounds it.
    pub frame: Frame,
    /// Upstreams that know them.
    pub ways: Vec<MoreLine>,
    /// The names of those of them that are away.
    pub away: Vec<String>,
    /// Their username, if they have a password here.
    pub username: Option<String>,
    /// Whether a code is asked for beside it.
    pub second_factor: bool,
    /// What was wrong.
    pub problem: Option<String>,
    /// The page they go on to.
    pub next: &'static str,
    /// Proves that the form was ours.
    pub csrf: String,
}

/// What somebody has besides their password.
#[derive(Template)]
#[template(path = "account/second.html")]
pub struct SecondFactorPage {
    /// What surrounds it.
    pub frame: Frame,
    /// What the last form came to.
    pub message: Option<Message>,
    /// Since when there are codes from an app.
    pub since: Option<String>,
    /// How many recovery codes are left, in words.
    pub recovery_codes: String,
    /// Proves that the form was ours.
    pub csrf: String,
}

/// Setting codes from an app up.
#[derive(Template)]
#[template(path = "account/totp.html")]
pub struct TotpPage {
    /// What surrounds it.
    pub frame: Frame,
    /// Where its form goes.
    pub action: String,
    /// What the form carries.
    pub fields: Vec<(String, String)>,
    /// Where whoever does not want to goes.
    pub cancel: String,
    /// Whether they must.
    pub required: bool,
    /// The key as a QR code.
    pub qr: String,
    /// The key to be typed.
    pub key: String,
    /// The key as a link.
    pub uri: String,
    /// What was wrong.
    pub problem: Option<String>,
}

/// Recovery codes: the only page that ever shows them.
#[derive(Template)]
#[template(path = "account/codes.html")]
pub struct CodesPage {
    /// What surrounds it.
    pub frame: Frame,
    /// One on each line.
    pub codes: String,
    /// Where it goes on.
    pub next: String,
}

/// Shall the account go?
#[derive(Template)]
#[template(path = "account/delete.html")]
pub struct DeletePage {
    /// What surrounds it.
    pub frame: Frame,
    /// What to call the person.
    pub name: String,
    /// What they type to confirm.
    pub confirmation: &'static str,
    /// Proves that the form was ours.
    pub csrf: String,
}

/// A line of a receipt.
pub struct StepLine {
    /// What was done.
    pub words: String,
    /// How it ended.
    pub outcome: String,
    /// When.
    pub at: String,
}

/// How a deletion stands.
#[derive(Template)]
#[template(path = "account/deletion.html")]
pub struct DeletionPage {
    /// What surrounds it.
    pub frame: Frame,
    /// Its name.
    pub id: String,
    /// When everything was done.
    pub completed: Option<String>,
    /// Whether the person is gone.
    pub erased: bool,
    /// When it was asked for.
    pub requested: String,
    /// What was done so far.
    pub steps: Vec<StepLine>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::hostile::{check, text};
    use crate::web::words::Words;

    #[test]
    fn the_account_page_shows_names_as_text() {
        let page = AccountPage {
            frame: Frame::under(""),
            message: Some(Message { words: text(), good: false }),
            name: text(),
            chosen_name: text(),
            initial: text(),
            email: Some(text()),
            email_is_private: true,
            identities: vec![IdentityLine {
                connection: text(),
                email: Some(text()),
                since: text(),
            }],
            second: Some(text()),
            sessions: vec![SessionLine {
                id: text(),
                current: false,
                browser: text(),
                since: text(),
                seen: text(),
            }],
            apps: vec![AppLine {
                client_id: text(),
                name: text(),
                since: text(),
                scopes: vec![ScopeLine::new(Words::default(), &text(), &text())],
            }],
            sign_out_action: text(),
            csrf: text(),
        };
        check(&page.render().unwrap());
    }

    #[test]
    fn the_page_of_identities_shows_names_as_text() {
        let way = WayInLine {
            connection: text(),
            email: Some(text()),
            since: text(),
            authority: text(),
            subject: text(),
            usable: false,
            removable: true,
        };
        let page = IdentitiesPage {
            frame: Frame::under(""),
            flash: None,
            ways: vec![way],
            more: vec![MoreLine { id: text(), name: text() }],
            away: vec![text()],
            csrf: text(),
        };
        check(&page.render().unwrap());
    }

    #[test]
    fn the_pages_of_proofs_and_second_steps_show_texts_as_text() {
        let page = ProvePage {
            frame: Frame::under(""),
            ways: vec![MoreLine { id: text(), name: text() }],
            away: vec![text()],
            username: Some(text()),
            second_factor: true,
            problem: Some(text()),
            next: "account",
            csrf: text(),
        };
        check(&page.render().unwrap());
        let page = SecondFactorPage {
            frame: Frame::under(""),
            message: Some(Message { words: text(), good: true }),
            since: Some(text()),
            recovery_codes: text(),
            csrf: text(),
        };
        check(&page.render().unwrap());
        let page = TotpPage {
            frame: Frame::under(""),
            action: text(),
            fields: vec![(text(), text())],
            cancel: text(),
            required: true,
            qr: text(),
            key: text(),
            uri: text(),
            problem: Some(text()),
        };
        check(&page.render().unwrap());
        let page = CodesPage { frame: Frame::under(""), codes: text(), next: text() };
        check(&page.render().unwrap());
    }

    #[test]
    fn the_deletion_pages_show_names_and_outcomes_as_text() {
        let page = DeletePage {
            frame: Frame::under(""),
            name: text(),
            confirmation: "delete",
            csrf: text(),
        };
        check(&page.render().unwrap());
        let step = StepLine { words: text(), outcome: text(), at: text() };
        let page = DeletionPage {
            frame: Frame::under(""),
            id: text(),
            completed: Some(text()),
            erased: true,
            requested: text(),
            steps: vec![step],
        };
        check(&page.render().unwrap());
    }
}
