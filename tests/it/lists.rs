//! Lists of the console by pages: each item once, in its order, found by its name.

use russet::op::admin::{Actor, AdminError, ListQuery, NewTrustedIssuer, Page};
use russet::protocol::admin::Role;
use russet::protocol::api_key::ApiScope;
use russet::protocol::client::{ClientKind, GrantType};

use crate::console::{admin, signed_in};
use crate::harness::House;
use crate::on_each_engine;

/// Every item of a list, taken in pages of two.
async fn all<T>(ask: impl AsyncFn(ListQuery) -> Result<Page<T>, AdminError>) -> Vec<T> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = ask(ListQuery { limit: 2, after, ..ListQuery::default() }).await;
        let page = page.expect("a page");
        assert!(page.items.len() <= 2);
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn called(name: &str) -> ListQuery {
    ListQuery { search: Some(name.to_owned()), limit: 9, ..ListQuery::default() }
}

#[actix_web::test]
async fn keys_tokens_and_issuers_are_walked_once_through_and_found_by_name() {
    on_each_engine!(house, {
        let client = house
            .client(ClientKind::Machine, |client| client.grant_types = vec![GrantType::JwtBearer])
            .await;
        let administration = &house.broker.broker.administration;
        let actor = Actor::cli();
        for number in 0..5 {
            let name = format!("Nr_{number}");
            let scope = vec![ApiScope::ReadClients];
            administration.create_api_key(&actor, &name, scope, 9).await.expect("a key");
            administration
                .create_registration_token(&actor, name, Some(1), None)
                .await
                .expect("a token");
            let issuer = NewTrustedIssuer {
                // Two rules for one issuer, apart by their ids.
                issuer: format!("https://ci{}.example", number / 2),
                jwks_uri: None,
                jwks: None,
                audience: "https://id.example".to_owned(),
                client_id: client.client_id().to_owned(),
                conditions: vec![format!("repository=acme/{number}")],
                scope: Vec::new(),
                resources: Vec::new(),
                max_lifetime: None,
                allow_reuse: false,
            };
            administration.create_trusted_issuer(&actor, issuer).await.expect("an issuer");
            // Some are of the same moment.
            house.advance(std::time::Duration::from_secs(u64::from(number % 2 == 0)));
        }
        let mut keys = all(async |query| administration.page_of_api_keys(&query).await).await;
        assert_eq!(keys.len(), 5);
        assert!(keys.is_sorted_by(|one, next| one.created_at >= next.created_at));
        keys.sort_by(|one, next| one.id.cmp(&next.id));
        keys.dedup_by(|one, next| one.id == next.id);
        assert_eq!(keys.len(), 5, "each once");
        let tokens =
            all(async |query| administration.page_of_registration_tokens(&query).await).await;
        assert_eq!(tokens.len(), 5);
        assert!(tokens.is_sorted_by(|one, next| one.created_at >= next.created_at));
        let issuers = all(async |query| administration.page_of_trusted_issuers(&query).await).await;
        assert_eq!(issuers.len(), 5);
        assert!(issuers.is_sorted_by_key(|rule| (rule.issuer.clone(), rule.id.clone())));

        let found = administration.page_of_api_keys(&called("nr_3")).await.expect("keys");
        assert_eq!(found.items.len(), 1);
        let found = administration.page_of_api_keys(&called("nr%")).await.expect("keys");
        assert!(found.items.is_empty(), "a sign that means anything means itself");
        let found =
            administration.page_of_registration_tokens(&called("R_4")).await.expect("tokens");
        assert_eq!(found.items.len(), 1);
        let found = administration.page_of_trusted_issuers(&called("CI1.")).await.expect("issuers");
        assert_eq!(found.items.len(), 2);
        let broken = ListQuery { after: Some("{".to_owned()), limit: 9, ..ListQuery::default() };
        let top = administration.page_of_api_keys(&broken).await.expect("keys");
        assert_eq!(top.items.len(), 5, "a place that was never given out is the top");
    });
}

#[actix_web::test]
async fn a_room_shows_a_page_the_way_to_the_next_and_what_was_searched_for() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let administration = &house.broker.broker.administration;
    for number in 0..26 {
        let name = format!("Token {number:02}");
        let made =
            administration.create_registration_token(&Actor::cli(), name, Some(1), None).await;
        made.expect("a token");
        house.advance(std::time::Duration::from_secs(1));
    }
    let room = format!("{}/admin/trust", house.issuer);
    let first = browser.open(&room).await;
    assert!(first.body.contains("Token 25") && !first.body.contains("Token 00"), "newest first");
    let (before, _) = first.body.split_once("\">Next page").expect("a next page");
    let next = before.rsplit_once("href=\"").expect("its address").1.replace("&#38;", "&");
    let next = browser.open(first.url.join(&next).expect("an address").as_str()).await;
    assert!(next.body.contains("Token 00") && !next.body.contains("Token 01"), "{}", next.body);
    assert!(next.body.contains("First page"));
    let found = browser.open(&format!("{room}?q=token+07")).await;
    assert!(found.body.contains("Token 07") && !found.body.contains("Token 08"));
    let none = browser.open(&format!("{room}?q=%3Cnothing%3E")).await;
    assert!(none.body.contains("No token matches “&#60;nothing&#62;”"), "{}", none.body);

    for (path, said) in [
        ("connections?q=nothing", "No connection matches “nothing”"),
        ("connections?state=disabled", "No connection is like that"),
        ("settings?q=nothing", "No key matches “nothing”"),
        ("deletions?state=under_way", "None is under way"),
        ("sign-ins?before=1", "None yet"),
    ] {
        let page = browser.open(&format!("{}/admin/{path}", house.issuer)).await;
        assert!(page.body.contains(said), "{path}: {}", page.body);
    }
}
