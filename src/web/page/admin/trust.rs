//! The pages of `/admin/trust`.

use askama::Template;

use super::{Pages, Problems, Shell};

/// An initial access token.
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// How many clients may still be registered with it; any number when absent.
    pub uses_left: Option<i32>,
    /// Until when; for ever when absent.
    pub expires_at: Option<String>,
    /// Whether it is still good.
    pub alive: bool,
}

/// An issuer trusted for workloads.
pub struct IssuerRow {
    /// Its id.
    pub id: String,
    /// `iss`.
    pub issuer: String,
    /// As which client its workloads act.
    pub client_id: String,
    /// That client's page.
    pub client_url: String,
    /// What else an assertion must say.
    pub conditions: Vec<String>,
    /// What its tokens may be used for.
    pub scope: String,
    /// For which APIs.
    pub resources: String,
    /// Whether each assertion is good once.
    pub single_use: bool,
}

/// What was typed for a new token.
pub struct TokenForm {
    /// Its name.
    pub name: String,
    /// How many uses; empty for any.
    pub uses: String,
    /// How many days.
    pub days: String,
    /// What was wrong.
    pub problems: Problems,
}

/// What was typed for a new issuer.
pub struct IssuerForm {
    /// `iss`.
    pub issuer: String,
    /// `aud`.
    pub audience: String,
    /// The client.
    pub client_id: String,
    /// Conditions, a line each.
    pub conditions: String,
    /// Scope values.
    pub scope: String,
    /// APIs, a line each.
    pub resources: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Seconds.
    pub max_lifetime: String,
    /// Whether an assertion may come more than once.
    pub allow_reuse: bool,
    /// What was wrong.
    pub problems: Problems,
}

/// The room.
#[derive(Template)]
#[template(path = "admin/trust/show.html")]
pub struct TrustPage {
    /// What surrounds it.
    pub shell: Shell,
    /// `registration.mode`.
    pub mode: &'static str,
    /// What was searched for.
    pub q: String,
    /// One page of the tokens.
    pub tokens: Vec<TokenRow>,
    /// The others.
    pub token_pages: Pages,
    /// One page of the issuers.
    pub issuers: Vec<IssuerRow>,
    /// The others.
    pub issuer_pages: Pages,
    /// A new token.
    pub token: TokenForm,
    /// A new issuer.
    pub issuer: IssuerForm,
}

/// A new token, shown this once.
#[derive(Template)]
#[template(path = "admin/trust/token.html")]
pub struct TokenPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What happened.
    pub heading: String,
    /// The token.
    pub secret: String,
    /// Where it is used.
    pub endpoint: String,
    /// Where to go on.
    pub back: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page::admin::hostile::{pages, problems, shell};
    use crate::web::page::hostile::{check, text};

    #[test]
    fn the_pages_of_trust_show_names_as_text() {
        let page = TrustPage {
            shell: shell(),
            mode: "token",
            q: text(),
            token_pages: pages(),
            issuer_pages: pages(),
            tokens: vec![TokenRow {
                id: text(),
                name: text(),
                uses_left: Some(1),
                expires_at: Some(text()),
                alive: true,
            }],
            issuers: vec![IssuerRow {
                id: text(),
                issuer: text(),
                client_id: text(),
                client_url: text(),
                conditions: vec![text()],
                scope: text(),
                resources: text(),
                single_use: true,
            }],
            token: TokenForm {
                name: text(),
                uses: text(),
                days: text(),
                problems: problems(&["token_name"]),
            },
            issuer: IssuerForm {
                issuer: text(),
                audience: text(),
                client_id: text(),
                conditions: text(),
                scope: text(),
                resources: text(),
                jwks_uri: text(),
                max_lifetime: text(),
                allow_reuse: true,
                problems: problems(&["issuer", "conditions"]),
            },
        };
        check(&page.render().unwrap());
        let shown = TokenPage {
            shell: shell(),
            heading: text(),
            secret: text(),
            endpoint: text(),
            back: text(),
        };
        check(&shown.render().unwrap());
    }
}
