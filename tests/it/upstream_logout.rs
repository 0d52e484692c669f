//! One Russet as the upstream of another: whoever signs out there is signed out here.

use std::time::Duration;

use russet::op::admin::Actor;
use russet::protocol::client::ClientKind;

use crate::harness::House;
use crate::harness::app::claims;

#[tokio::test]
async fn who_signs_out_upstream_is_signed_out_here_and_nobody_else() {
    let (upstream, house) = (House::new().await, House::new().await);
    house.connect("above", &upstream, |_| {}).await;

    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browsers = Vec::new();
    let mut subs = Vec::new();
    for person in ["Ada Lovelace", "Grace Hopper"] {
        let mut browser = house.browser();
        let attempt = app.attempt("openid email").with("connection", "above");
        let end = app.sign_in(&mut browser, &attempt, person).await;
        let code = end.query("code").unwrap_or_else(|| panic!("no code: {} {}", end.url, end.body));
        let tokens = app.redeem(&attempt, &code).await;
        subs.push(claims(tokens.text("id_token"))["sub"].clone());
        browsers.push(browser);
    }
    assert_ne!(subs[0], subs[1]);

    let query = russet::store::events::EventQuery {
        kind: Some("user.created".to_owned()),
        limit: 9,
        ..Default::default()
    };
    let first = upstream.store().list_events(&query).await.unwrap().pop().expect("Ada");
    let ada = first.event.target.expect("her id");
    let above = &upstream.broker.broker.administration;
    above.set_user_disabled(&Actor::cli(), &ada, true, None).await.expect("disabled");
    tokio::time::timeout(Duration::from_secs(20), async {
        while house.events("upstream_logout.received").await == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the logout token arrives");

    let mut stands = Vec::new();
    for browser in &mut browsers {
        let silent = app.attempt("openid").with("prompt", "none");
        let end = browser.open(&app.authorize_url(&silent)).await;
        stands.push(end.query("error"));
    }
    assert_eq!(stands, [Some("login_required".to_owned()), None]);

    for (path, body) in [
        ("above", "logout_token=forged"),
        ("above", "nothing=here"),
        ("apple", "logout_token=forged"),
        ("nowhere", "logout_token=forged"),
    ] {
        let url = format!("{}/upstream/{path}/backchannel_logout", house.issuer);
        let form = [body.split_once('=').expect("a field")];
        let answer = house.http().post(url).form(&form).send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{path} {body}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
}
