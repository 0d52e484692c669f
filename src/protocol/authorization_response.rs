//! The authorization response — RFC 6749 §4.1.2, RFC 9207, OAuth 2.0 Form Post Response Mode.

use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::error::Refusal;

/// How the answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of a redirect.
    Query,
    /// In a form that the browser posts.
    FormPost,
}

/// The response modes, as discovery lists them.
pub const RESPONSE_MODES: [&str; 2] = ["query", "form_post"];

/// A redirect URI that was checked, with what must come back to it. Only this type can be sent an
/// answer or an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTo {
    /// The registered redirect URI, as the request named it.
    pub redirect_uri: String,
    /// How.
    pub response_mode: ResponseMode,
    /// `state`, returned verbatim.
    pub state: Option<String>,
    /// `ui_locales`: the languages the client would like pages in, also those on the way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ui_locales: Option<String>,
}

/// An answer on its way to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// 303 to this URI.
    Redirect(String),
    /// A page with a form that posts `fields` to `redirect_uri`.
    FormPost {
        /// The form's action.
        redirect_uri: String,
        /// Hidden inputs: names and values, unescaped.
        fields: Vec<(&'static str, String)>,
        /// The languages that the page is wished for in.
        ui_locales: Option<String>,
    },
}

impl ReturnTo {
    /// The answer that carries a code, and what the check session iframe can be asked with.
    pub fn success(
        &self,
        issuer: &str,
        code: &str,
        session_state: Option<String>,
    ) -> AuthorizationResponse {
        let mut fields = vec![("code", code.to_owned())];
        fields.extend(session_state.map(|state| ("session_state", state)));
        self.response(issuer, fields)
    }

    /// The answer that carries an error.
    pub fn error(&self, issuer: &str, refusal: &Refusal) -> AuthorizationResponse {
        self.response(
            issuer,
            vec![
                ("error", refusal.code.as_str().to_owned()),
                ("error_description", refusal.description.clone()),
            ],
        )
    }

    fn response(
        &self,
        issuer: &str,
        mut fields: Vec<(&'static str, String)>,
    ) -> AuthorizationResponse {
        if let Some(state) = &self.state {
            fields.push(("state", state.clone()));
        }
        // RFC 9207 §2: in every answer, errors included.
        fields.push(("iss", issuer.to_owned()));
        match self.response_mode {
            ResponseMode::Query => {
                AuthorizationResponse::Redirect(with_query(&self.redirect_uri, &fields))
            }
            ResponseMode::FormPost => {
                let (redirect_uri, ui_locales) =
                    (self.redirect_uri.clone(), self.ui_locales.clone());
                AuthorizationResponse::FormPost { redirect_uri, fields, ui_locales }
            }
        }
    }
}

/// Appends parameters to a URI, keeping its own query (RFC 6749 §3.1.2) and leaving the rest of
/// its text untouched.
pub fn with_query(uri: &str, fields: &[(&'static str, String)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(redirect_uri: &str, response_mode: ResponseMode) -> ReturnTo {
        ReturnTo {
            redirect_uri: redirect_uri.into(),
            response_mode,
            state: Some("a b&c".into()),
            ui_locales: None,
        }
    }

    #[test]
    fn the_query_of_the_redirect_uri_is_kept() {
        for (uri, expected) in [
            ("https://a.example/cb", "https://a.example/cb?code=x"),
            ("https://a.example/cb?k=v", "https://a.example/cb?k=v&code=x"),
            ("https://a.example/cb?", "https://a.example/cb?code=x"),
            ("com.example:/cb", "com.example:/cb?code=x"),
        ] {
            assert_eq!(with_query(uri, &[("code", "x".into())]), expected);
        }
    }

    #[test]
    fn every_answer_names_the_issuer_and_returns_the_state() {
        let issuer = "https://id.example";
        let redirect = to("https://a.example/cb", ResponseMode::Query).success(issuer, "c", None);
        assert_eq!(
            redirect,
            AuthorizationResponse::Redirect(
                "https://a.example/cb?code=c&state=a+b%26c&iss=https%3A%2F%2Fid.example".into()
            )
        );
        let refusal = Refusal::access_denied("no");
        let post = to("https://a.example/cb", ResponseMode::FormPost).error(issuer, &refusal);
        let AuthorizationResponse::FormPost { fields, .. } = post else {
            panic!("a form was asked for");
        };
        assert!(fields.contains(&("error", "access_denied".into())));
        assert!(fields.contains(&("state", "a b&c".into())));
        assert!(fields.contains(&("iss", issuer.into())));
    }
}
