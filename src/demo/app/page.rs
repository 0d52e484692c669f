//! The app's pages.

use askama::Template;
use serde_json::Value;

use super::Settings;
use super::json::{DecodedToken, Piece, body, decode, pretty};
use super::visit::{Notice, SignedIn, Step};
use crate::protocol::ambient::Timestamp;

/// Where everything is, for the links on every page.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Places {
    pub(in crate::demo) issuer: String,
    pub(in crate::demo) apple: String,
    pub(in crate::demo) api: String,
}

impl Places {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            apple: settings.apple_url.clone(),
            api: settings.api_url.clone(),
        }
    }
}

/// What a visitor sees before signing in.
#[derive(Template)]
#[template(path = "demo/welcome.html")]
pub(in crate::demo) struct Welcome {
    pub(super) places: Places,
    pub(super) notice: Option<Notice>,
}

/// What somebody sees who is signed in.
#[derive(Template)]
#[template(path = "demo/signed_in.html")]
pub(in crate::demo) struct Home {
    places: Places,
    name: String,
    initial: String,
    email: Option<String>,
    sub: String,
    client_id: String,
    api_identifier: String,
    latest: Option<ShownStep>,
    earlier: Vec<ShownStep>,
    id_token: Option<ShownToken>,
    access_token: Option<ShownToken>,
    refresh_token: Option<ShownSecret>,
    refreshed: u32,
    userinfo: Option<Vec<Piece>>,
}

struct ShownToken {
    token: DecodedToken,
    life: String,
}

struct ShownSecret {
    start: String,
    length: usize,
}

struct ShownStep {
    title: &'static str,
    verdict: String,
    ok: bool,
    exchanges: Vec<ShownExchange>,
}

struct ShownExchange {
    method: String,
    url: String,
    status: String,
    ok: bool,
    challenge: Option<String>,
    body: Vec<Piece>,
}

/// The page for the single-page client's redirect URI: shows what came, redeems nothing.
#[derive(Template)]
#[template(path = "demo/spa_callback.html")]
pub(in crate::demo) struct SpaCallback {
    pub(super) places: Places,
    pub(super) parameters: Vec<(String, String)>,
}

impl Home {
    pub(super) fn of(settings: &Settings, signed_in: SignedIn, now: Timestamp) -> Self {
        let SignedIn { tokens, userinfo, refreshed, steps } = signed_in;
        let shown = |token: &str| {
            decode(token).map(|token| ShownToken { life: life(token.exp, now), token })
        };
        let (id_token, access_token) = (shown(&tokens.id_token), shown(&tokens.access_token));
        let claim = |name: &str| {
            let in_id_token = id_token.as_ref().and_then(|it| text(&it.token.values, name));
            in_id_token.or_else(|| userinfo.as_ref().and_then(|it| text(it, name)))
        };
        let email = claim("email");
        let name = claim("name").or_else(|| email.clone()).unwrap_or_else(|| tokens.sub.clone());
        let mut steps = steps.into_iter().map(ShownStep::from);
        Self {
            places: Places::of(settings),
            initial: name.chars().next().unwrap_or('?').to_uppercase().to_string(),
            name,
            email,
            client_id: settings.client_id.clone(),
            api_identifier: settings.api_identifier.clone(),
            latest: steps.next(),
            earlier: steps.collect(),
            refresh_token: tokens.refresh_token.as_ref().map(|token| ShownSecret {
                start: token.chars().take(8).collect(),
                length: token.chars().count(),
            }),
            refreshed,
            userinfo: userinfo.as_ref().map(pretty),
            sub: tokens.sub,
            id_token,
            access_token,
        }
    }
}

impl From<Step> for ShownStep {
    fn from(step: Step) -> Self {
        let exchanges = step.exchanges.into_iter().map(|it| ShownExchange {
            body: body(&it.body),
            method: it.method,
            url: it.url,
            status: it.status,
            ok: it.ok,
            challenge: it.challenge,
        });
        Self {
            title: step.title,
            verdict: step.verdict,
            ok: step.ok,
            exchanges: exchanges.collect(),
        }
    }
}

fn text(claims: &Value, name: &str) -> Option<String> {
    claims.get(name).and_then(Value::as_str).filter(|it| !it.is_empty()).map(ToOwned::to_owned)
}

fn life(exp: Option<i64>, now: Timestamp) -> String {
    let Some(exp) = exp else { return "no end".to_owned() };
    let left = Timestamp::from_secs(exp).since(now).as_secs();
    match (left / 3600, left / 60 % 60, left % 60) {
        (0, 0, 0) => "expired".to_owned(),
        (0, 0, seconds) => format!("good for {seconds} s"),
        (0, minutes, seconds) => format!("good for {minutes} min {seconds} s"),
        (hours, minutes, _) => format!("good for {hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_told_in_words() {
        let now = Timestamp::from_secs(1_000);
        assert_eq!(life(Some(1_009), now), "good for 9 s");
        assert_eq!(life(Some(1_600), now), "good for 10 min 0 s");
        assert_eq!(life(Some(8_260), now), "good for 2 h 1 min");
        assert_eq!(life(Some(999), now), "expired");
        assert_eq!(life(Some(i64::MIN), now), "expired");
    }

    #[test]
    fn what_came_to_the_spa_is_escaped() {
        let page = SpaCallback {
            places: Places { issuer: "i".into(), apple: "a".into(), api: "p".into() },
            parameters: vec![("state".into(), "\"><script>alert(1)</script>".into())],
        };
        let html = page.render().expect("the page renders");
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("alert(1)"));
    }
}
