//! The pages of device authorization.

use askama::Template;

use super::Frame;
use super::interaction::ScopeLine;

/// Which code does the device show?
#[derive(Template)]
#[template(path = "device/code.html")]
pub struct CodePage {
    /// What surrounds it.
    pub frame: Frame,
    /// What stands in the field.
    pub user_code: String,
    /// Whether a link brought it.
    pub brought: bool,
    /// What was wrong with the last entry.
    pub problem: Option<String>,
    /// The languages that the device wished for.
    pub ui_locales: String,
}

/// May this device be connected?
#[derive(Template)]
#[template(path = "device/confirm.html")]
pub struct ConfirmPage {
    /// What surrounds it.
    pub frame: Frame,
    /// The interaction's id.
    pub interaction: String,
    /// The client on the device.
    pub client_name: String,
    /// The code the device must show.
    pub user_code: String,
    /// Who is asked.
    pub signed_in_as: String,
    /// The first letter of that name.
    pub initial: String,
    /// What is asked for.
    pub scopes: Vec<ScopeLine>,
}

/// The answer is given.
#[derive(Template)]
#[template(path = "device/done.html")]
pub struct DonePage {
    /// What surrounds it.
    pub frame: Frame,
    /// Whether it was yes.
    pub connected: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::hostile::{check, check_shape, text};
    use crate::web::words::Words;

    #[test]
    fn codes_names_and_scopes_are_shown_as_text() {
        let mut page = CodePage {
            frame: Frame::under("/idp"),
            user_code: text(),
            brought: false,
            problem: Some("no such code".to_owned()),
            ui_locales: text(),
        };
        let html = page.render().unwrap();
        check(&html);
        assert!(html.contains("aria-describedby=\"user-code-problem user-code-hint\""));
        assert!(html.contains("action=\"/idp/device\""));
        page.problem = None;
        page.brought = true;
        assert!(!page.render().unwrap().contains("role=\"alert\""));
        let page = ConfirmPage {
            frame: Frame::under(""),
            interaction: "i1".into(),
            client_name: text(),
            user_code: text(),
            signed_in_as: text(),
            initial: "A".into(),
            scopes: vec![
                ScopeLine::new(Words::default(), "openid", ""),
                ScopeLine::new(Words::default(), &text(), &text()),
            ],
        };
        let html = page.render().unwrap();
        check(&html);
        assert!(html.contains("id=\"device-allow\"") && html.contains("id=\"device-deny\""));
    }

    #[test]
    fn the_last_page_says_how_it_ended() {
        for (connected, words) in [(true, "is connected"), (false, "was not connected")] {
            let html = DonePage { frame: Frame::under(""), connected }.render().unwrap();
            check_shape(&html);
            assert!(html.contains(words));
        }
    }
}
