//! The strict rule for linking by address — apple.md §12, items 1, 4 and 5. Each condition has its
//! refusal beside the rule, in `protocol/address_linking.rs`; here it is asked with real claims.

use russet::op::admin::{Actor, NewLocalUser};
use russet::protocol::client::ClientKind;
use russet::protocol::standard_claims::StandardClaims;

use crate::harness::app::{App, Attempt, claims};
use crate::harness::browser::{Browser, Page};
use crate::harness::{Engine, House};
use crate::local_accounts::{PASSWORD, type_in};

const SWITCH: (&str, &str) = ("APPLE__LINK_BY_VERIFIED_EMAIL", "true");

/// A house with the switch as told at its two connections, to Apple and to `upstream`.
async fn house(engine: Engine, upstream: &House, (at_apple, above): (bool, bool)) -> House {
    let house = House::on(engine).await;
    house.connect("above", upstream, |it| *it.link_by_verified_email() = above).await;
    if at_apple { house.reopened(&[SWITCH]).await } else { house }
}

/// An OpenID Provider with these people: username, address, whether it is verified.
async fn upstream(people: &[(&str, &str, bool)]) -> House {
    let upstream = House::configured(&[("RUSSET_LOCAL_ACCOUNTS__ENABLED", "true")]).await;
    for (username, email, verified) in people {
        upstream.local_user(person(username, email, *verified)).await;
    }
    upstream
}

fn person(username: &str, email: &str, email_verified: bool) -> NewLocalUser {
    NewLocalUser {
        username: username.to_owned(),
        name: None,
        given_name: None,
        family_name: None,
        email: Some(email.to_owned()),
        email_verified,
        claims: StandardClaims::default(),
    }
}

/// Signs somebody in with Apple.
async fn at_apple(house: &House, app: &App, person: &str) -> String {
    loop {
        let attempt = app.attempt("openid email").with("connection", "apple");
        let mut browser = house.browser();
        let page = browser.open(&app.authorize_url(&attempt)).await;
        let button = format!("Continue as {person}");
        let end =
            if page.body.contains(&button) { browser.press(&page, &button).await } else { page };
        if let Some(sub) = redeemed(app, &attempt, &end).await {
            return sub;
        }
    }
}

/// Signs somebody in through the upstream, with their password there.
async fn above(app: &App, browser: &mut Browser, username: &str) -> String {
    loop {
        let attempt = app.attempt("openid email").with("connection", "above");
        let page = browser.open(&app.authorize_url(&attempt)).await;
        // At the app already, if the upstream knows them from the attempt before.
        let form = page.forms().into_iter().any(|form| form.text.contains("login-submit"));
        let end = if form { type_in(browser, &page, username, PASSWORD).await } else { page };
        if let Some(sub) = redeemed(app, &attempt, &end).await {
            return sub;
        }
    }
}

/// Who signed in. None where the machine was too busy for an answer in time, or for a turn at the
/// database: then they try again, as people do.
async fn redeemed(app: &App, attempt: &Attempt, end: &Page) -> Option<String> {
    let busy = "temporarily_unavailable";
    if end.query("error").as_deref() == Some(busy) || end.body.contains(busy) {
        return None;
    }
    let code = end.query("code").unwrap_or_else(|| panic!("no code at {} {}", end.url, end.body));
    let tokens = app.redeem(attempt, &code).await;
    (tokens.json["error"] != busy).then(|| sub(&tokens.json))
}

fn sub(tokens: &serde_json::Value) -> String {
    let id_token = tokens["id_token"].as_str().expect("an ID token");
    claims(id_token)["sub"].as_str().expect("a sub").to_owned()
}

#[tokio::test]
async fn an_address_that_both_verified_joins_where_the_operator_wants_it() {
    for engine in Engine::all() {
        let upstream = upstream(&[("ada", "Ada@Example.com", true)]).await;
        let house = house(engine, &upstream, (true, true)).await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        let ada = at_apple(&house, &app, "Ada Lovelace").await;
        // The first joins, the second finds it done.
        for _ in 0..2 {
            assert_eq!(above(&app, &mut house.browser(), "ada").await, ada);
        }
        let user = house.store().find_user_by_sub(&ada).await.unwrap().expect("Ada");
        assert_eq!(house.store().list_identities(&user.id).await.unwrap().len(), 2);
        assert_eq!(user.name.as_deref(), Some("Ada Lovelace"), "her profile stays hers");
        let query = russet::store::events::EventQuery {
            kind: Some("user.linked".to_owned()),
            limit: 9,
            ..Default::default()
        };
        let linked = house.store().list_events(&query).await.unwrap();
        assert_eq!(linked.len(), 1);
        let detail = linked[0].event.detail.as_ref().expect("how");
        assert_eq!(detail["by"], "verified_email");
    }
}

/// Four browsers, two of them through each upstream, all of them Ada's.
async fn all_at_once(house: &House, app: &App) -> Vec<String> {
    let comings = (0..4).map(|number| async move {
        if number % 2 == 0 {
            at_apple(house, app, "Ada Lovelace").await
        } else {
            above(app, &mut house.browser(), "ada").await
        }
    });
    futures_util::future::join_all(comings).await
}

#[tokio::test]
async fn who_comes_by_both_ways_at_once_is_one_person_known_before_or_not() {
    for engine in Engine::all() {
        for known_before in [false, true] {
            let upstream = upstream(&[("ada", "ada@example.com", true)]).await;
            let house = house(engine, &upstream, (true, true)).await;
            let app = house.client(ClientKind::Web, |_| {}).await;
            if known_before {
                at_apple(&house, &app, "Ada Lovelace").await;
            }
            let mut subs = all_at_once(&house, &app).await;
            subs.sort();
            subs.dedup();
            let [ada] = subs.as_slice() else { panic!("{engine:?} {known_before}: {subs:?}") };
            let user = house.store().find_user_by_sub(ada).await.unwrap().expect("Ada");
            assert_eq!(house.store().list_identities(&user.id).await.unwrap().len(), 2);
            assert_eq!(house.events("user.created").await, 1);
            assert_eq!(house.events("user.linked").await, 1, "{engine:?} {known_before}");
        }
    }
}

#[tokio::test]
async fn without_the_switch_on_both_sides_the_same_address_is_somebody_else() {
    for engine in Engine::all() {
        let upstream = upstream(&[("ada", "ada@example.com", true)]).await;
        for switched_on in [(false, false), (true, false), (false, true)] {
            let house = house(engine, &upstream, switched_on).await;
            let app = house.client(ClientKind::Web, |_| {}).await;
            let ada = at_apple(&house, &app, "Ada Lovelace").await;
            assert_ne!(above(&app, &mut house.browser(), "ada").await, ada, "{switched_on:?}");
            assert_eq!(house.events("user.linked").await, 0);
        }
    }
}

#[tokio::test]
async fn an_address_that_is_not_proven_on_either_side_joins_nobody() {
    for engine in Engine::all() {
        let upstream = upstream(&[
            ("unverified", "ada@example.com", false),
            ("ada", "ada@example.com", true),
            ("twin", "ada@example.com", true),
        ])
        .await;
        let house = house(engine, &upstream, (true, true)).await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        // Made ahead, with the victim's address (item 5): the victim is not merged into it.
        let ahead = above(&app, &mut house.browser(), "unverified").await;
        let ada = at_apple(&house, &app, "Ada Lovelace").await;
        assert_ne!(ada, ahead);
        // Now there are two accounts with this address, of which one has not proven it: which of
        // them is meant cannot be told.
        let second = above(&app, &mut house.browser(), "ada").await;
        assert!(second != ada && second != ahead);
        // A second account at the same upstream is somebody else as well.
        let twin = above(&app, &mut house.browser(), "twin").await;
        assert!(![&ada, &ahead, &second].contains(&&twin));
        assert_eq!(house.events("user.linked").await, 0);
    }
}

#[tokio::test]
async fn relays_passwords_kept_here_and_disabled_accounts_are_joined_by_nobody() {
    for engine in Engine::all() {
        let upstream = upstream(&[("ada", "ada@example.com", true)]).await;
        let house = house(engine, &upstream, (true, true)).await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        // Grace hides her address: whoever owns her relay address elsewhere is not taken for her.
        let grace = at_apple(&house, &app, "Grace Hopper").await;
        let user = house.store().find_user_by_sub(&grace).await.unwrap().expect("Grace");
        let relay = user.email.expect("a relay address");
        upstream.local_user(person("relay", &relay, true)).await;
        assert_ne!(above(&app, &mut house.browser(), "relay").await, grace);

        // An operator wrote this address down beside a password; no upstream has proven it.
        let local = house.local_user(person("ada", "ada@example.com", true)).await;
        let ada = above(&app, &mut house.browser(), "ada").await;
        assert_ne!(ada, local.sub);
        let administration = &house.broker.broker.administration;
        administration.delete_user(&Actor::cli(), local.id.as_str()).await.expect("a deletion");

        // Ada, disabled, does not come back by another way.
        let user = house.store().find_user_by_sub(&ada).await.unwrap().expect("Ada");
        let actor = Actor::cli();
        let id = user.id.as_str();
        administration.set_user_disabled(&actor, id, true, None).await.expect("disabled");
        assert_ne!(at_apple(&house, &app, "Ada Lovelace").await, ada);
        assert_eq!(house.events("user.linked").await, 0);
    }
}
