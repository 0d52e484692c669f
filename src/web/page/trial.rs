//! The pages of somebody who follows the link of a trial.

use askama::Template;

use super::Frame;

/// What following the link means.
#[derive(Template)]
#[template(path = "trial/link.html")]
pub struct LinkPage {
    /// What surrounds it.
    pub frame: Frame,
    /// The link's own part.
    pub id: String,
    /// The client.
    pub client_name: String,
}

/// It is over.
#[derive(Template)]
#[template(path = "trial/done.html")]
pub struct DonePage {
    /// What surrounds it.
    pub frame: Frame,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::hostile::{check, check_shape, text};

    #[test]
    fn the_name_of_the_app_is_shown_as_text() {
        let page = LinkPage { frame: Frame::under("/idp"), id: "t1".into(), client_name: text() };
        let html = page.render().unwrap();
        check(&html);
        assert!(html.contains("action=\"/idp/try/t1\""));
        check_shape(&DonePage { frame: Frame::under("") }.render().unwrap());
    }
}
