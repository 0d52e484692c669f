//! The pages of one's own console account, and of proving oneself.

use askama::Template;

use super::{ConnectionButton, Problems, Shell};

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

/// An identity by which an account signs in.
pub struct IdentityRow {
    /// Its connection.
    pub connection: String,
    /// What the connection is called.
    pub name: String,
    /// The address that it told when it was bound.
    pub email: Option<String>,
    /// When it was bound.
    pub since: String,
    /// When it was last used.
    pub last_used_at: Option<String>,
    /// Whether its connection opens the console now.
    pub allowed: bool,
}

/// An invitation to bind an account to an identity.
#[derive(Template)]
#[template(path = "admin/invitation.html")]
pub struct InvitationPage {
    /// The issuer's path.
    pub base: String,
    /// Whose account.
    pub username: String,
    /// Why it did not work.
    pub problem: Option<String>,
    /// Proves that the form was ours.
    pub csrf: String,
    /// Where the form goes.
    pub action: String,
    /// Where one can sign in.
    pub connections: Vec<ConnectionButton>,
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
    /// What comes next, in words.
    pub deed: Option<&'static str>,
    /// What an upstream said of them, in place of the password.
    pub word: Option<String>,
    /// The upstreams that can say it.
    pub connections: Vec<ConnectionButton>,
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
    /// The identities by which the account signs in.
    pub identities: Vec<IdentityRow>,
    /// The connections that more can be bound at.
    pub connections: Vec<ConnectionButton>,
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
        let button = || vec![ConnectionButton { id: text(), name: text(), away: true }];
        let prove = ProvePage {
            shell: shell(),
            deed: Some("Delete it"),
            word: Some(text()),
            connections: button(),
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
            identities: vec![IdentityRow {
                connection: text(),
                name: text(),
                email: Some(text()),
                since: text(),
                last_used_at: Some(text()),
                allowed: true,
            }],
            connections: button(),
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
        let invitation = InvitationPage {
            base: text(),
            username: text(),
            problem: Some(text()),
            csrf: text(),
            action: text(),
            connections: button(),
        };
        check(&invitation.render().unwrap());
        let passkey =
            PasskeyPage { shell: shell(), name: text(), problems: problems(&["passkey_name"]) };
        check(&passkey.render().unwrap());
        check(&CodesPage { shell: shell(), codes: text() }.render().unwrap());
    }
}
