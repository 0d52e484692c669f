//! The console's first page, its search, its lists, and addresses at which there is nothing.

use std::time::Duration;

use reqwest::StatusCode;
use russet::op::admin::Actor;
use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;
use russet::store::clients::ListQuery;

use crate::console::{admin, signed_in};
use crate::harness::House;
use crate::harness::browser::Browser;
use crate::on_each_engine;

#[actix_web::test]
async fn at_an_address_that_is_none_the_console_says_so_and_leads_back() {
    let house = House::new().await;
    admin(&house, "vera", Role::Viewer).await;
    let (mut console, _) = signed_in(&house, "vera").await;
    for (path, back) in [
        ("/admin/nowhere", "/admin"),
        ("/admin/clients/some/where/else", "/admin/clients"),
        ("/admin/login/", "/admin"),
    ] {
        let page = console.open(&format!("{}{path}", house.issuer)).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.body.contains("There is nothing here"), "{path}: {}", page.body);
        assert!(page.body.contains("aria-label=\"Console\""), "{path}: the rooms are at hand");
        assert!(page.body.contains(&format!("class=\"button\" href=\"{back}\"")), "{path}");
    }
    let outside = console.open(&format!("{}/administrator", house.issuer)).await;
    assert_eq!(outside.status, StatusCode::NOT_FOUND);
    assert!(!outside.body.contains("aria-label=\"Console\""));

    // Whoever is not signed in is not told which addresses there are.
    let ask = async |path: &str| {
        let url = format!("{}{path}", house.issuer);
        let answer = house.http().get(url).send().await.expect("an answer");
        (answer.status(), answer.headers()["location"].to_str().expect("text").to_owned())
    };
    for path in ["/admin/keys", "/admin/nowhere"] {
        let (status, location) = ask(path).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert!(location.starts_with("/admin/login?"), "{location}");
        assert!(location.ends_with(&format!("next={}", path.replace('/', "%2F"))), "{location}");
    }
    let api = house.http().get(format!("{}/admin/api/v1/nowhere", house.issuer)).send().await;
    assert_eq!(api.expect("an answer").headers()["content-type"], "application/problem+json");
}

#[actix_web::test]
async fn clients_that_nobody_uses_are_counted_listed_and_told_when_they_last_got_a_token() {
    on_each_engine!(house, {
        admin(&house, "vera", Role::Viewer).await;
        let named = |name: &'static str| move |client: &mut _| rename(client, name);
        let used = house.client(ClientKind::Machine, named("In use")).await;
        let idle = house.client(ClientKind::Machine, named("Idle")).await;
        house.client(ClientKind::Web, named("Never used")).await;
        let off = house.client(ClientKind::Machine, named("Switched off")).await;
        let change = russet::op::admin::ClientChange { disabled: Some(true), ..Default::default() };
        let administration = &house.broker.broker.administration;
        let id = &off.client.client_id;
        administration.update_client(&Actor::cli(), id, change).await.expect("disabled");
        let provider = &house.broker.broker.provider;
        let grant = [("grant_type", "client_credentials")];
        assert_eq!(idle.token(&grant).await.status, StatusCode::OK);
        provider.keep_observations(Vec::new()).await.expect("kept");
        let unused =
            async || administration.attention(Vec::new()).await.expect("it").unused_clients;
        assert_eq!(unused().await, 0, "they are young");
        house.advance(Duration::from_secs(91 * 24 * 3600));
        assert_eq!(used.token(&grant).await.status, StatusCode::OK);
        provider.keep_observations(Vec::new()).await.expect("kept");
        house.client(ClientKind::Web, named("Just registered")).await;
        assert_eq!(unused().await, 2);

        let (mut console, page) = signed_in(&house, "vera").await;
        assert!(
            page.body.contains("2 clients have obtained no token for 90 days"),
            "{}",
            page.body
        );
        assert!(page.body.contains("/admin/clients?state=unused"));
        let list = console.open(&format!("{}/admin/clients?state=unused", house.issuer)).await;
        for (name, listed) in [
            ("Idle", true),
            ("Never used", true),
            ("In use", false),
            ("Just registered", false),
            ("Switched off", false),
        ] {
            assert_eq!(
                list.body.contains(&format!(">{name}</a>")),
                listed,
                "{name}: {}",
                list.body
            );
        }
        assert!(list.body.contains("data-label=\"Last token\">none yet"), "{}", list.body);
        let all = console.open(&format!("{}/admin/clients", house.issuer)).await;
        assert_eq!(all.body.matches("data-label=\"Last token\">none yet").count(), 3);
    });
}

fn rename(client: &mut russet::protocol::client::Client, name: &str) {
    client.client_name = name.to_owned();
}

#[actix_web::test]
async fn the_first_page_says_what_needs_attention_and_who_signs_in() {
    let house = House::new().await;
    admin(&house, "vera", Role::Viewer).await;
    let app = house.client(ClientKind::Web, |client| client.client_name = "Shop <b>".into()).await;
    let (mut console, page) = signed_in(&house, "vera").await;
    assert!(page.body.contains("A console account has no second factor"), "{}", page.body);
    let mut browser = house.browser();
    let apple = browser.open(&app.authorize_url(&app.attempt("openid"))).await;
    browser.press(&apple, "Cancel").await;
    house.broker.broker.provider.keep_observations(Vec::new()).await.expect("kept");
    let administration = &house.broker.broker.administration;
    let id = &app.client.client_id;
    administration.revoke_client_secret(&Actor::cli(), id, "first").await.expect("revoked");
    let week = Some(Duration::from_secs(7 * 24 * 3600));
    administration.add_client_secret(&Actor::cli(), id, "week", week).await.expect("a secret");
    let page = console.open(&format!("{}/admin", house.issuer)).await;
    for shown in [
        "The last secret of Shop &#60;b&#62; ends",
        "The last sign-in through Apple failed",
        "<strong>0</strong> signed in, <strong>1</strong> failed",
        "The person pressed Cancel",
        "<svg class=\"chart\"",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("Shop <b>"));
    let other = console.open(&format!("{}/admin?client=other", house.issuer)).await;
    assert!(other.body.contains("<strong>0</strong> failed"), "{}", other.body);
    administration.add_client_secret(&Actor::cli(), id, "for ever", None).await.expect("a secret");
    let page = console.open(&format!("{}/admin", house.issuer)).await;
    assert!(!page.body.contains("The last secret of"), "another follows it");
}

#[actix_web::test]
async fn one_box_searches_every_room_that_one_may_enter() {
    let house = House::new().await;
    house
        .api("https://orders.example.com", russet::protocol::jose::Algorithm::Rs256, &["read"])
        .await;
    let app = house.client(ClientKind::Web, |client| client.client_name = "Orders".into()).await;
    let answer = app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
    let sid = russet::protocol::relying_party::Decoded::of(answer.text("id_token"));
    let sid = sid.claims["sid"].as_str().expect("a sid").to_owned();
    for (name, role) in [("vera", Role::Viewer), ("ed", Role::Editor)] {
        admin(&house, name, role).await;
    }
    let (mut viewer, _) = signed_in(&house, "vera").await;
    let search = async |browser: &mut Browser, q: &str| {
        let mut url = url::Url::parse(&format!("{}/admin/search", house.issuer)).expect("a URL");
        url.query_pairs_mut().append_pair("q", q);
        browser.open(url.as_str()).await.body
    };
    let orders = search(&mut viewer, "orders").await;
    assert!(orders.contains(">Clients</h2>") && orders.contains(">APIs</h2>"), "{orders}");
    let love = search(&mut viewer, "lovelace").await;
    assert!(love.contains(">People</h2>") && !love.contains(">Clients</h2>"), "{love}");
    assert!(search(&mut viewer, &sid).await.contains(">Sessions</h2>"));
    assert!(search(&mut viewer, "apple").await.contains(">Connections</h2>"));
    assert!(search(&mut viewer, app.client_id()).await.contains(">Clients</h2>"));
    let nothing = search(&mut viewer, "<script>\"'").await;
    assert!(nothing.contains("Nothing is called so") && !nothing.contains("<script>\"'"));
    let (mut editor, _) = signed_in(&house, "ed").await;
    for q in ["orders", "lovelace", "apple", &sid] {
        assert!(search(&mut editor, q).await.contains("Nothing is called so"), "{q}");
    }
}

#[actix_web::test]
async fn lists_of_clients_and_apis_are_narrowed_put_in_order_and_go_on_where_they_stopped() {
    on_each_engine!(house, {
        for number in 0..5 {
            let kind = if number % 2 == 0 { ClientKind::Web } else { ClientKind::Spa };
            house.client(kind, |client| client.client_name = format!("App {number}")).await;
            let identifier = format!("https://api{number}.example.com");
            house.api(&identifier, russet::protocol::jose::Algorithm::Rs256, &["read"]).await;
            house.advance(Duration::from_secs(u64::from(number % 2 == 0)));
        }
        let administration = &house.broker.broker.administration;
        for newest_first in [false, true] {
            let mut query = ListQuery { newest_first, limit: 2, ..ListQuery::default() };
            let mut names = Vec::new();
            loop {
                let page = administration.list_clients(&query).await.expect("clients");
                names.extend(page.items.into_iter().map(|client| client.client_name));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!(names.len(), 5);
            let first = if newest_first { ["App 3", "App 4"] } else { ["App 0", "App 0"] };
            assert!(first.contains(&names[0].as_str()), "{names:?}");
            names.sort();
            names.dedup();
            assert_eq!(names.len(), 5, "each once");
            let mut query = ListQuery { newest_first, limit: 2, ..ListQuery::default() };
            let mut apis = Vec::new();
            loop {
                let page = administration.page_of_apis(&query).await.expect("APIs");
                apis.extend(page.items.into_iter().map(|api| api.identifier));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!(apis.len(), 5);
            apis.sort();
            apis.dedup();
            assert_eq!(apis.len(), 5, "each once");
        }
        let spas = ListQuery { kind: Some(ClientKind::Spa), limit: 9, ..ListQuery::default() };
        assert_eq!(administration.list_clients(&spas).await.expect("clients").items.len(), 2);
        let off = ListQuery { disabled: Some(true), limit: 9, ..ListQuery::default() };
        assert!(administration.list_clients(&off).await.expect("clients").items.is_empty());
        let one = ListQuery { search: Some("API3".into()), limit: 9, ..ListQuery::default() };
        assert_eq!(administration.page_of_apis(&one).await.expect("APIs").items.len(), 1);
    });
}
