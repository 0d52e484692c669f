//! The pages between an authorization request and its answer, and those of logout.

use askama::Template;

use super::{Frame, Link};
use crate::web::words::Words;

/// A way to sign in.
pub struct ConnectionButton {
    /// The connection's id, as it stands in the path.
    pub id: String,
    /// The provider's name, as in "Continue with Apple".
    pub name: String,
    /// Whether Apple's rules for its button apply.
    pub apple: bool,
}

/// The form for a username and password.
pub struct PasswordForm {
    /// What the username field holds.
    pub username: String,
    /// Why the form is shown again.
    pub problem: Option<String>,
}

/// How do you want to sign in?
#[derive(Template)]
#[template(path = "interaction/choose.html")]
pub struct ChoosePage {
    /// What surrounds it.
    pub frame: Frame,
    /// The interaction's id.
    pub interaction: String,
    /// For which client.
    pub client_name: String,
    /// The names of those that are away.
    pub away: Vec<String>,
    /// The ways offered.
    pub connections: Vec<ConnectionButton>,
    /// Who is signed in already, when a fresh proof is wanted.
    pub signed_in_as: Option<String>,
    /// Where the client says more about itself.
    pub links: Vec<Link>,
    /// Offered to people with a local account.
    pub password_form: Option<PasswordForm>,
    /// Hidden in every form, when given.
    pub csrf: Option<String>,
}

/// The second step of a sign-in with a password kept here.
#[derive(Template)]
#[template(path = "interaction/second_step.html")]
pub struct SecondStepPage {
    /// What surrounds it.
    pub frame: Frame,
    /// Where its form goes.
    pub action: String,
    /// The interaction's id.
    pub interaction: String,
    /// Says whose password was right.
    pub waiting: String,
    /// Why the page is shown again.
    pub problem: Option<String>,
}

/// One thing a client asks for.
pub struct ScopeLine {
    /// The scope value.
    pub value: String,
    /// What it means.
    pub words: String,
    /// Whether the value says more than the words.
    pub show_value: bool,
}

impl ScopeLine {
    /// A scope in words: ours for the scopes of OIDC Core §5.4 and §11, the API's own for the rest.
    pub fn new(words: Words, value: &str, description: &str) -> Self {
        let ours = match value {
            "openid" => Some("scope-openid"),
            "profile" => Some("scope-profile"),
            "email" => Some("scope-email"),
            "address" => Some("scope-address"),
            "phone" => Some("scope-phone"),
            "offline_access" => Some("scope-offline-access"),
            "account:delete" => Some("scope-account-delete"),
            _ => None,
        };
        let words = match ours {
            Some(key) => words.get(key),
            None if description.is_empty() => words.get("scope-other"),
            None => description.to_owned(),
        };
        Self { value: value.to_owned(), words, show_value: ours.is_none() }
    }
}

/// May this client have what it asks for?
#[derive(Template)]
#[template(path = "interaction/consent.html")]
pub struct ConsentPage {
    /// What surrounds it.
    pub frame: Frame,
    /// The interaction's id.
    pub interaction: String,
    /// The client that asks.
    pub client_name: String,
    /// Where the answer goes, so that a borrowed name is noticed.
    pub redirect_host: Option<String>,
    /// Who is asked.
    pub signed_in_as: String,
    /// The first letter of that name.
    pub initial: String,
    /// What is asked for.
    pub scopes: Vec<ScopeLine>,
    /// Where the client says more about itself.
    pub links: Vec<Link>,
    /// Where somebody else goes to sign in instead.
    pub switch_url: Option<String>,
    /// Hidden in every form, when given.
    pub csrf: Option<String>,
}

/// The letter that stands for a person.
pub fn initial(name: &str) -> String {
    name.chars().find(|letter| letter.is_alphanumeric()).map_or("?".to_owned(), String::from)
}

/// What went wrong, for people; the codes are folded away.
#[derive(Template)]
#[template(path = "interaction/error.html")]
pub struct ErrorPage {
    /// What surrounds it.
    pub frame: Frame,
    /// A few words.
    pub heading: String,
    /// A sentence for people.
    pub message: String,
    /// What they can do.
    pub advice: Option<String>,
    /// Where a person who wished to sign out can still do so.
    pub sign_out_url: Option<String>,
    /// The error code of RFC 6749, if there is one.
    pub code: Option<String>,
    /// `error_description`.
    pub description: Option<String>,
    /// The request's name in the log.
    pub request_id: Option<String>,
}

/// Does the person want to be signed out (OIDC RP-Initiated Logout §2)?
#[derive(Template)]
#[template(path = "interaction/logout.html")]
pub struct LogoutPage {
    /// What surrounds it.
    pub frame: Frame,
    /// The end session endpoint.
    pub action: String,
    /// The client that asks, if it is known.
    pub client_name: Option<String>,
    /// The request's parameters, to be sent again.
    pub fields: Vec<(String, String)>,
    /// Proves that the form was ours.
    pub csrf: String,
}

/// The person is signed out, and nowhere to go.
#[derive(Template)]
#[template(path = "interaction/logged_out.html")]
pub struct LoggedOutPage {
    /// What surrounds it.
    pub frame: Frame,
}

/// The answer to a client, as a form (OAuth 2.0 Form Post Response Mode §2).
#[derive(Template)]
#[template(path = "interaction/form_post.html")]
pub struct FormPostPage {
    /// What surrounds it.
    pub frame: Frame,
    /// Where the form goes.
    pub redirect_uri: String,
    /// Its hidden fields.
    pub fields: Vec<(String, String)>,
}

/// Sends an upstream's cross-site POST to ourselves again, so that Lax cookies come along.
#[derive(Template)]
#[template(path = "interaction/repost.html")]
pub struct RepostPage {
    /// What surrounds it.
    pub frame: Frame,
    /// The callback.
    pub action: String,
    /// The upstream's fields, and the marker that makes a loop impossible.
    pub fields: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::hostile::{check, check_shape, text};

    fn fields() -> Vec<(String, String)> {
        vec![(text(), text())]
    }

    #[test]
    fn the_sign_in_page_shows_names_as_text() {
        let page = ChoosePage {
            frame: Frame::under("/idp"),
            interaction: "i1".into(),
            client_name: text(),
            connections: vec![
                ConnectionButton { id: "apple".into(), name: "Apple".into(), apple: true },
                ConnectionButton { id: "corp".into(), name: text(), apple: false },
            ],
            away: vec![text()],
            signed_in_as: Some(text()),
            links: Vec::new(),
            password_form: Some(PasswordForm { username: text(), problem: Some(text()) }),
            csrf: Some(text()),
        };
        let html = page.render().unwrap();
        check(&html);
        assert!(html.contains("action=\"/idp/interaction/i1/depart/apple\""));
        assert!(html.contains(">Continue with Apple</button>"));
        assert!(html.contains("id=\"login-cancel\""));
    }

    #[test]
    fn the_consent_page_shows_names_and_scopes_as_text() {
        let page = ConsentPage {
            frame: Frame::under(""),
            interaction: "i1".into(),
            client_name: text(),
            redirect_host: Some(text()),
            signed_in_as: text(),
            initial: initial(&text()),
            scopes: vec![
                ScopeLine::new(Words::default(), "openid", ""),
                ScopeLine::new(Words::default(), &text(), &text()),
            ],
            links: vec![Link { label: text(), url: text() }],
            switch_url: Some(text()),
            csrf: None,
        };
        let html = page.render().unwrap();
        check(&html);
        assert!(html.contains("id=\"consent-allow\"") && html.contains("id=\"consent-deny\""));
        assert!(!html.contains("name=\"csrf\""));
    }

    #[test]
    fn the_error_page_shows_its_words_as_text_and_folds_the_code() {
        let mut page = ErrorPage {
            frame: Frame::under(""),
            heading: text(),
            message: text(),
            advice: Some(text()),
            sign_out_url: Some(text()),
            code: Some(text()),
            description: Some(text()),
            request_id: Some(text()),
        };
        check(&page.render().unwrap());
        page.code = None;
        assert!(!page.render().unwrap().contains("<details"));
    }

    #[test]
    fn the_logout_pages_show_names_as_text() {
        let page = LogoutPage {
            frame: Frame::under(""),
            action: text(),
            client_name: Some(text()),
            fields: fields(),
            csrf: text(),
        };
        check(&page.render().unwrap());
        check_shape(&LoggedOutPage { frame: Frame::under("") }.render().unwrap());
    }

    #[test]
    fn forms_that_send_themselves_escape_what_they_carry() {
        let answer =
            FormPostPage { frame: Frame::under(""), redirect_uri: text(), fields: fields() };
        let again = RepostPage { frame: Frame::under(""), action: text(), fields: fields() };
        for html in [answer.render().unwrap(), again.render().unwrap()] {
            check(&html);
            assert_eq!(html.matches("<form").count(), 1);
            assert!(html.contains("/submit.js\" defer></script>"));
        }
    }

    #[test]
    fn an_unknown_scope_keeps_its_value_beside_the_words() {
        let known = ScopeLine::new(Words::default(), "email", "what an api says");
        assert_eq!((known.words.as_str(), known.show_value), ("See your email address", false));
        let own = ScopeLine::new(Words::default(), "orders:read", "Read your orders");
        assert_eq!((own.words.as_str(), own.show_value), ("Read your orders", true));
        assert_eq!(ScopeLine::new(Words::default(), "orders:read", "").words, "Use");
    }
}
