//! The pages of one's own console account, and of proving oneself.

use askama::Template;

use super::{Problems, Shell};

/// A passkey of one's own.
pub struct PasskeyRow {
    /// Names it.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub since: String,
    /// When it was last used.
    pub last_used_at: Option<String>,
}

/// Making a passkey.
#[derive(Template)]
#[template(path = "admin/profile/passkey.html")]
pub struct PasskeyPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was typed as its name.
    pub name: String,
    /// What was wrong.
    pub problems: Problems,
}

/// The second step of a sign-in.
#[derive(Template)]
#[template(path = "admin/second_step.html")]
pub struct SecondStepPage {
    /// The issuer's path.
    pub base: String,
    /// Whose password was right.
    pub username: String,
    /// Why it did not work.
    pub problem: Option<&'static str>,
    /// Proves that the form was ours.
    pub csrf: String,
    /// The page that was asked for, or empty.
    pub next: String,
    /// The form that was sent there, or empty.
    pub kept: String,
    /// Whether there are codes from an app, not only recovery codes.
    pub has_codes: bool,
    /// Whether a passkey will do.
    pub passkeys: bool,
}

/// Asks for a fresh proof before a dangerous act.
#[derive(Template)]
#[template(path = "admin/prove.html")]
pub struct ProvePage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether a code is asked for too.
    pub second_factor: bool,
    /// Why it did not work.
    pub problem: Option<&'static str>,
    /// The page that was asked for, or that the form was sent to.
    pub next: String,
    /// The form, or empty.
    pub kept: String,
    /// Whether there are codes from an app, not only recovery codes.
    pub has_codes: bool,
    /// Whether a passkey will do.
    pub passkeys: bool,
}

/// A session of one's own.
pub struct OwnSession {
    /// Names it.
    pub id: String,
    /// What the browser calls itself.
    pub agent: String,
    /// Since when.
    pub since: String,
    /// Until when, unless it is used.
    pub until: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Whether a second factor opened it.
    pub second_factor: bool,
}

/// One's own account.
#[derive(Template)]
#[template(path = "admin/profile/show.html")]
pub struct ProfilePage {
    /// What surrounds it.
    pub shell: Shell,
    /// Since when there is the account.
    pub since: String,
    /// Whether it has a second factor.
    pub protected: bool,
    /// Whether it must have one.
    pub required: bool,
    /// Since when there are one-time codes.
    pub totp_since: Option<String>,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
    /// The passkeys.
    pub passkeys: Vec<PasskeyRow>,
    /// Whether passkeys can be had here.
    pub offers_passkeys: bool,
    /// The sessions.
    pub sessions: Vec<OwnSession>,
    /// What was wrong.
    pub problems: Problems,
}

/// Adding one-time codes.
#[derive(Template)]
#[template(path = "admin/profile/totp.html")]
pub struct TotpPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether a second factor must be added.
    pub required: bool,
    /// The enrolment, sealed.
    pub enrolment: String,
    /// The key, for those who cannot scan.
    pub key: String,
    /// The same as an address that apps open.
    pub uri: String,
    /// What was wrong.
    pub problems: Problems,
}

/// Recovery codes: the only page that ever shows them.
#[derive(Template)]
#[template(path = "admin/profile/codes.html")]
pub struct CodesPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The codes, one on each line.
    pub codes: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{problems, shell};
    use crate::web::page::hostile::{check, text};

    #[test]
    fn the_pages_of_ones_own_account_show_names_as_text() {
        let second = SecondStepPage {
            base: String::new(),
            username: text(),
            problem: Some("Wrong."),
            csrf: text(),
            next: text(),
            kept: text(),
            has_codes: true,
            passkeys: true,
        };
        check(&second.render().unwrap());
        let prove = ProvePage {
            shell: shell(),
            second_factor: true,
            problem: Some("Wrong."),
            next: text(),
            kept: text(),
            has_codes: true,
            passkeys: true,
        };
        check(&prove.render().unwrap());
        let profile = ProfilePage {
            shell: shell(),
            since: text(),
            protected: true,
            required: true,
            totp_since: Some(text()),
            recovery_codes: 2,
            passkeys: vec![PasskeyRow {
                id: text(),
                name: text(),
                since: text(),
                last_used_at: Some(text()),
            }],
            offers_passkeys: true,
            sessions: vec![OwnSession {
                id: text(),
                agent: text(),
                since: text(),
                until: text(),
                current: false,
                second_factor: true,
            }],
            problems: problems(&["password", "new_password"]),
        };
        check(&profile.render().unwrap());
        let totp = TotpPage {
            shell: shell(),
            required: true,
            enrolment: text(),
            key: text(),
            uri: text(),
            problems: problems(&["totp"]),
        };
        check(&totp.render().unwrap());
        let passkey =
            PasskeyPage { shell: shell(), name: text(), problems: problems(&["passkey_name"]) };
        check(&passkey.render().unwrap());
        check(&CodesPage { shell: shell(), codes: text() }.render().unwrap());
    }
}
