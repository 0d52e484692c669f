//! What each template shows, as plain text. Escaping is askama's; the files mirror `templates/`.

use super::words::Words;

pub mod account;
pub mod admin;
pub mod device;
pub mod interaction;
pub mod logout;
pub mod trial;

/// What surrounds every page that people meet.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The issuer's path; every link begins with it.
    pub base: String,
    /// Its language.
    pub words: Words,
    /// How the installation, and on some pages a client, looks.
    pub brand: Brand,
}

/// How pages look.
#[derive(Clone, Debug, Default)]
pub struct Brand {
    /// What the installation is called, if not Russet.
    pub name: Option<String>,
    /// Where its picture is.
    pub logo: Option<String>,
    /// Where the picture is that the client registered.
    pub client_logo: Option<String>,
    /// Where its colours are.
    pub stylesheet: Option<String>,
    /// Where more is said.
    pub links: Vec<Link>,
}

/// An address and what it is called.
#[derive(Clone, Debug)]
pub struct Link {
    /// In words.
    pub label: String,
    /// The address.
    pub url: String,
}

#[cfg(test)]
impl Frame {
    /// The frame of tests, in English.
    pub(crate) fn under(base: &str) -> Self {
        Self { base: base.to_owned(), words: Words::default(), brand: Brand::default() }
    }
}

#[cfg(test)]
pub(crate) mod hostile {
    //! A text that every page must show as text.

    /// Breaks out of elements, attributes and character references when it is not escaped.
    pub(crate) const TEXT: &str = "<script>\"'&";

    /// The text as an owned value.
    pub(crate) fn text() -> String {
        TEXT.to_owned()
    }

    /// Asserts that a page shows the text, and never as markup; and that it is a whole page.
    pub(crate) fn check(html: &str) {
        assert!(html.contains("&#60;script&#62;&#34;&#39;&#38;"), "the text is not shown: {html}");
        assert!(!html.contains(TEXT) && !html.contains("<script>"), "unescaped: {html}");
        check_shape(html);
    }

    /// Asserts what every page owes its readers: language, title, one `h1`, nothing inline.
    pub(crate) fn check_shape(html: &str) {
        assert!(html.contains("<html lang=\"en\">"));
        assert!(html.contains("<title>") && !html.contains("<title></title>"));
        assert_eq!(html.matches("<h1").count(), 1, "{html}");
        for inline in [" style=", " onclick=", " onload=", " onsubmit=", "<style", "javascript:"] {
            assert!(!html.contains(inline), "{inline} is barred by the content security policy");
        }
        for id in html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "id {id} is not unique");
        }
    }
}
