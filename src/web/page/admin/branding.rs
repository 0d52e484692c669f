//! The page that says how the installation, or a client, looks.

use askama::Template;

use super::{Choice, Problems, Shell};

/// Whose look it is.
pub enum Of {
    /// The installation's.
    Installation,
    /// A client's.
    Client {
        /// `client_id`.
        id: String,
        /// Its name.
        name: String,
    },
}

impl Of {
    /// Whether it is a client's.
    pub const fn is_client(&self) -> bool {
        matches!(self, Self::Client { .. })
    }
}

/// Name, picture, colours and links.
#[derive(Template)]
#[template(path = "admin/settings/branding.html")]
pub struct BrandingPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whose look it is.
    pub of: Of,
    /// Where its forms go.
    pub address: String,
    /// Whether the role may change it.
    pub may_save: bool,
    /// The picture there is.
    pub logo_url: Option<String>,
    /// What the installation is called.
    pub name: String,
    /// The four colours.
    pub accent_color: String,
    /// On dark pages.
    pub accent_color_dark: String,
    /// The ground.
    pub background_color: String,
    /// On dark pages.
    pub background_color_dark: String,
    /// Where help is.
    pub support_uri: String,
    /// The privacy policy.
    pub policy_uri: String,
    /// The terms of service.
    pub tos_uri: String,
    /// The languages there are.
    pub languages: Vec<Choice>,
    /// The version that was read.
    pub version: String,
    /// What was wrong.
    pub problems: Problems,
    /// Whether somebody else saved meanwhile.
    pub conflict: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{problems, shell};
    use crate::web::page::hostile::{check, text};

    #[test]
    fn colours_and_addresses_are_shown_as_text() {
        for of in [Of::Installation, Of::Client { id: text(), name: text() }] {
            let page = BrandingPage {
                shell: shell(),
                of,
                address: text(),
                may_save: true,
                logo_url: Some(text()),
                name: text(),
                accent_color: text(),
                accent_color_dark: text(),
                background_color: text(),
                background_color_dark: text(),
                support_uri: text(),
                policy_uri: text(),
                tos_uri: text(),
                languages: Vec::new(),
                version: text(),
                problems: problems(&["accent_color"]),
                conflict: true,
            };
            check(&page.render().unwrap());
        }
    }
}
