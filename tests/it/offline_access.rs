//! What a sign-out leaves and what it ends: OIDC Back-Channel Logout 1.0 §2.7. `offline_access` is
//! for when nobody is there, so it goes on; whatever takes it back takes it back afterwards too.

use russet::op::admin::Actor;
use russet::protocol::client::ClientKind;
use serde_json::json;

use crate::harness::House;
use crate::harness::app::{Answer, App, claims};
use crate::harness::browser::{Browser, Form};
use crate::harness::receiver::Receiver;
use crate::{notifications, on_each_engine};

const ADA: &str = "Ada Lovelace";

/// Somebody who signed in to an app that goes on without them, and signed out again.
struct Gone {
    app: App,
    browser: Browser,
    tokens: Answer,
}

impl Gone {
    async fn from(house: &House) -> Self {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        let tokens = app.tokens(&mut browser, "openid offline_access", ADA).await;
        signs_out(house, &mut browser, &tokens).await;
        Self { app, browser, tokens }
    }

    /// Whether the app still has what it was given; the tokens are its newest.
    async fn goes_on(&mut self) -> bool {
        let renewed = self.app.refresh(self.tokens.text("refresh_token")).await;
        if renewed.status != 200 {
            assert_eq!(renewed.error(), "400 invalid_grant");
            let dead = self.app.userinfo(self.tokens.text("access_token")).await;
            assert_eq!(dead.error(), "401 invalid_token");
            return false;
        }
        self.tokens = renewed;
        assert_eq!(self.app.userinfo(self.tokens.text("access_token")).await.status, 200);
        true
    }

    fn sub(&self) -> String {
        claims(self.tokens.text("id_token"))["sub"].as_str().expect("a sub").to_owned()
    }
}

async fn signs_out(house: &House, browser: &mut Browser, tokens: &Answer) {
    let hint = tokens.text("id_token");
    let page = browser.open(&format!("{}/logout?id_token_hint={hint}", house.issuer)).await;
    assert!(page.body.contains("You are signed out"), "{}", page.body);
}

#[tokio::test]
async fn a_sign_out_ends_what_is_for_the_session_and_leaves_what_is_for_later() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut browser = house.browser();
        let later = app.tokens(&mut browser, "openid offline_access", ADA).await;
        let meanwhile = app.tokens(&mut browser, "openid", ADA).await;
        signs_out(&house, &mut browser, &meanwhile).await;
        let silent = app.attempt("openid").with("prompt", "none");
        let end = browser.open(&app.authorize_url(&silent)).await;
        assert_eq!(end.query("error").as_deref(), Some("login_required"), "nobody is signed in");
        let dead = app.userinfo(meanwhile.text("access_token")).await;
        assert_eq!(dead.error(), "401 invalid_token");
        let renewed = app.refresh(later.text("refresh_token")).await;
        assert_eq!(renewed.status, 200, "{}", renewed.json);
        assert_eq!(app.userinfo(renewed.text("access_token")).await.status, 200);
    });
}

#[tokio::test]
async fn somebody_else_in_the_same_browser_leaves_it_too() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let later = app.tokens(&mut browser, "openid offline_access", ADA).await;
    let meanwhile = app.tokens(&mut browser, "openid", ADA).await;
    house.advance(std::time::Duration::from_secs(1));
    let attempt = app.attempt("openid").with("prompt", "login");
    let page = browser.open(&app.authorize_url(&attempt)).await;
    let apple = browser.press(&page, "Continue with Apple").await;
    browser.press(&apple, "Continue as Grace").await;
    let dead = app.userinfo(meanwhile.text("access_token")).await;
    assert_eq!(dead.error(), "401 invalid_token");
    assert_eq!(app.refresh(later.text("refresh_token")).await.status, 200);
}

/// Whatever is more than a sign-out.
#[derive(Clone, Copy, Debug)]
enum Taking {
    TheAppByThePerson,
    EverythingByThePerson,
    EverythingByAnAdmin,
    ByDisabling,
    ByDeletion,
    ByApplesWord,
    ByTheClient,
    AfterReuse,
}

impl Taking {
    const ALL: [Self; 8] = [
        Self::TheAppByThePerson,
        Self::EverythingByThePerson,
        Self::EverythingByAnAdmin,
        Self::ByDisabling,
        Self::ByTheClient,
        Self::AfterReuse,
        Self::ByApplesWord,
        Self::ByDeletion,
    ];

    async fn happens(self, house: &House, gone: &mut Gone) {
        let administration = &house.broker.broker.administration;
        let actor = Actor::cli();
        let user = house.store().find_user_by_sub(&gone.sub()).await.unwrap().expect("a person");
        match self {
            Self::TheAppByThePerson => {
                // They are back, and look at what their apps hold.
                gone.app.tokens(&mut gone.browser, "openid", ADA).await;
                gone.press("/account/apps/revoke").await;
            }
            Self::EverythingByThePerson => {
                gone.app.tokens(&mut gone.browser, "openid", ADA).await;
                gone.press("/account/sign-out-everywhere").await;
            }
            Self::EverythingByAnAdmin => {
                administration.sign_out_person(&actor, &user.id).await.unwrap();
            }
            Self::ByDisabling => {
                administration
                    .set_user_disabled(&actor, user.id.as_str(), true, None)
                    .await
                    .unwrap();
            }
            Self::ByDeletion => {
                administration.delete_user(&actor, user.id.as_str()).await.unwrap();
            }
            Self::ByApplesWord => {
                house.advance(std::time::Duration::from_secs(10));
                let order = json!({ "account": "ada", "type": "consent-revoked" });
                notifications::announce(house, order).await;
            }
            Self::ByTheClient => {
                gone.app.revoke(gone.tokens.text("refresh_token")).await;
            }
            Self::AfterReuse => {
                let spent = gone.tokens.text("refresh_token").to_owned();
                for _ in 0..2 {
                    assert!(gone.goes_on().await);
                }
                assert_eq!(gone.app.refresh(&spent).await.error(), "400 invalid_grant");
            }
        }
    }
}

impl Gone {
    /// Presses the button of the account page whose form leads there.
    async fn press(&mut self, path: &str) {
        let account = self.app.authorize_url(&self.app.attempt("openid"));
        let account = account.split("/authorize").next().expect("the issuer");
        let page = self.browser.open(&format!("{account}/account")).await;
        let client_id = self.app.client_id();
        let of_app = |form: &Form| form.fields.iter().any(|(_, value)| value == client_id);
        let form = page
            .forms()
            .into_iter()
            .find(|form| form.action.path() == path && (!path.contains("/apps/") || of_app(form)));
        let form = form.unwrap_or_else(|| panic!("no form leads to {path}: {}", page.body));
        self.browser.submit(&page, &form).await;
    }
}

#[tokio::test]
async fn what_a_sign_out_left_ends_with_whatever_is_more_than_a_sign_out() {
    on_each_engine!(house, {
        for taking in Taking::ALL {
            house.advance(std::time::Duration::from_secs(10));
            let mut gone = Gone::from(&house).await;
            assert!(gone.goes_on().await, "{taking:?}");
            taking.happens(&house, &mut gone).await;
            assert!(!gone.goes_on().await, "{taking:?}");
            if matches!(taking, Taking::ByDisabling) {
                let user = house.store().find_user_by_sub(&gone.sub()).await.unwrap().unwrap();
                let administration = &house.broker.broker.administration;
                administration
                    .set_user_disabled(&Actor::cli(), user.id.as_str(), false, None)
                    .await
                    .unwrap();
            }
        }
    });
}

#[tokio::test]
async fn an_app_that_goes_on_hears_when_the_upstream_withdraws_its_word() {
    let house = House::new().await;
    let mut receiver = Receiver::start();
    let uri = receiver.url("/logout");
    let app = house
        .client(ClientKind::Web, |client| client.settings.backchannel_logout_uri = Some(uri))
        .await;
    let mut browser = house.browser();
    let tokens = app.tokens(&mut browser, "openid offline_access", ADA).await;
    signs_out(&house, &mut browser, &tokens).await;
    let first = claims(&receiver.next().await.logout_token());
    assert!(first["sid"].is_string(), "the session ended");
    house.advance(std::time::Duration::from_secs(10));
    let order = json!({ "account": "ada", "type": "consent-revoked" });
    notifications::announce(&house, order).await;
    house.broker.broker.provider.deliver_due().await.unwrap();
    let second = claims(&receiver.next().await.logout_token());
    assert!(second.get("sid").is_none(), "all that the person has there: {second}");
    assert_eq!(second["sub"], first["sub"]);
}
