//! The console's rooms about people, sessions, keys and connections.

use std::time::Duration;

use reqwest::StatusCode;
use russet::op::admin::{Actor, AdminError, ClientChange};
use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;
use russet::protocol::id::{ConnectionId, UserId};
use russet::protocol::jose::Algorithm;
use russet::protocol::user::{Identity, User};
use russet::store::people::PeopleQuery;

use crate::console::{admin, send, signed_in};
use crate::harness::House;
use crate::harness::browser::Page;
use crate::on_each_engine;

pub fn user(house: &House, id: &str, name: &str, email: &str) -> User {
    User {
        name: Some(name.to_owned()),
        email: Some(email.to_owned()),
        email_verified: true,
        is_private_email: email.ends_with("privaterelay.appleid.com"),
        ..User::new(UserId::new(id), format!("sub-{id}"), house.now())
    }
}

pub async fn add(house: &House, user: User) {
    let identity = Identity {
        authority: "apple:TEAM123456".to_owned(),
        subject: format!("apple-{}", user.id),
        user_id: user.id.clone(),
        connection_id: ConnectionId::new("apple"),
        email: user.email.clone(),
        email_proven: false,
        created_at: user.created_at,
        last_login_at: user.created_at,
        email_undeliverable_since: None,
        ended_at: None,
    };
    house
        .store()
        .write(move |tx| {
            Box::pin(async move {
                tx.insert_user(&user).await?;
                tx.insert_identity(&identity).await
            })
        })
        .await
        .expect("a person");
}

async fn found(house: &House, search: &str) -> Vec<String> {
    let query = PeopleQuery { search: Some(search.into()), limit: 50, ..PeopleQuery::default() };
    let page = house.broker.broker.administration.list_people(&query).await.expect("people");
    page.items.into_iter().map(|user| user.id.to_string()).collect()
}

#[actix_web::test]
async fn people_are_found_by_any_word_of_theirs_in_any_case_each_once() {
    on_each_engine!(house, {
        add(&house, user(&house, "ada", "Ada Lovelace", "ada@lovelace.example")).await;
        add(&house, user(&house, "zoe", "ZOË Ångström", "x_1%@example.com")).await;
        add(&house, user(&house, "eve", "Eve", "eve@privaterelay.appleid.com")).await;
        assert_eq!(found(&house, "LOVE").await, ["ada"]);
        assert_eq!(found(&house, "ada").await, ["ada"], "by two words, and listed once");
        assert_eq!(found(&house, "ångs").await, ["zoe"]);
        assert_eq!(found(&house, "zoë å").await, ["zoe"]);
        assert_eq!(found(&house, "x_1%").await, ["zoe"]);
        assert_eq!(found(&house, "x%").await, Vec::<String>::new(), "no wildcard");
        assert_eq!(found(&house, "sub-eve").await, ["eve"]);
        assert_eq!(found(&house, "apple-eve").await, ["eve"], "an upstream's subject");
        assert_eq!(found(&house, "apple-ev").await, Vec::<String>::new());
        let mut renamed = user(&house, "ada", "Ada King", "king@example.com");
        renamed.updated_at = house.now();
        house
            .store()
            .write(move |tx| Box::pin(async move { tx.update_user(&renamed).await }))
            .await
            .expect("a change");
        assert_eq!(found(&house, "love").await, Vec::<String>::new());
        assert_eq!(found(&house, "king").await, ["ada"]);
    });
}

#[actix_web::test]
async fn a_list_of_people_goes_on_where_it_stopped() {
    on_each_engine!(house, {
        for number in 0..7 {
            add(&house, user(&house, &format!("u{number}"), "Same Name", "same@example.com")).await;
            house.advance(Duration::from_secs(u64::from(number % 2 == 0)));
        }
        for (search, oldest_first) in [(None, true), (None, false), (Some("same"), false)] {
            let mut seen = Vec::new();
            let search = search.map(str::to_owned);
            let mut query =
                PeopleQuery { search, oldest_first, limit: 3, ..PeopleQuery::default() };
            loop {
                let administration = &house.broker.broker.administration;
                let page = administration.list_people(&query).await.expect("people");
                seen.extend(page.items.into_iter().map(|user| user.id.to_string()));
                if page.next.is_none() {
                    break;
                }
                query.after = page.next;
            }
            assert_eq!(seen.len(), 7);
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 7, "each once");
        }
    });
}

/// Ada signs in at an app through the simulated Apple; her page in the console is opened.
async fn ada_signs_in(house: &House) -> (crate::harness::browser::Browser, Page) {
    let app = house.client(ClientKind::Web, |client| client.client_name = "Shop".into()).await;
    let mut browser = house.browser();
    app.tokens(&mut browser, "openid offline_access", "Ada Lovelace").await;
    admin(house, "alice", Role::Admin).await;
    let (mut console, _) = signed_in(house, "alice").await;
    let list = console.open(&format!("{}/admin/people", house.issuer)).await;
    let (_, rest) = list.body.split_once("class=\"row-link\" href=\"").expect("a person");
    let url = list.url.join(rest.split_once('"').expect("its end").0).expect("a URL");
    let page = console.open(url.as_str()).await;
    (console, page)
}

#[actix_web::test]
async fn a_person_is_signed_out_at_each_level_with_the_count_shown_first() {
    let house = House::new().await;
    let (mut console, page) = ada_signs_in(&house).await;
    assert!(page.body.contains("Shop") && page.body.contains("apple:TEAM123456"), "{}", page.body);
    assert!(page.body.contains("First sign-in"), "the timeline");
    let (_, id) = page.url.path().rsplit_once('/').expect("an id");
    assert!(page.body.contains(&format!("id=\"person-id\">{id}</code>")), "the id can be copied");
    let ask = console.open(&format!("{}/sign-out", page.url)).await;
    assert!(ask.body.contains("1 browser session and 1 app&#39;s access"), "{}", ask.body);
    assert_eq!(house.events("user.signed_out").await, 0, "asking does nothing");

    let (_, rest) = page.body.split_once("/sign-out?grant=").expect("a grant");
    let grant = rest.split_once('"').expect("its end").0;
    let ask = console.open(&format!("{}/sign-out?grant={grant}", page.url)).await;
    let done = send_all(&mut console, &ask).await;
    assert!(done.body.contains("Signed out.") && !done.body.contains("?grant="), "{}", done.body);
    assert_eq!(house.events("grant.revoked").await, 1);

    let ask = console.open(&format!("{}/sign-out", page.url)).await;
    let done = send_all(&mut console, &ask).await;
    assert!(done.body.contains("Nowhere at the moment"));
    assert_eq!(house.events("user.signed_out").await, 1);
}

/// Sends the question's form as it stands.
async fn send_all(console: &mut crate::harness::browser::Browser, ask: &Page) -> Page {
    let form = ask.forms().into_iter().find(|form| form.text.contains("ask-confirm"));
    console.submit(ask, &form.expect("a question")).await
}

#[actix_web::test]
async fn what_belongs_to_somebody_else_is_not_ended_from_a_persons_page() {
    let house = House::new().await;
    let (mut console, page) = ada_signs_in(&house).await;
    add(&house, user(&house, "eve", "Eve", "eve@example.com")).await;
    let (_, rest) = page.body.split_once("/sign-out?session=").expect("a session");
    let session = rest.split_once('"').expect("its end").0;
    let eve = format!("{}/admin/people/eve", house.issuer);
    let ask = console.open(&format!("{eve}/sign-out?session={session}")).await;
    send_all(&mut console, &ask).await;
    assert_eq!(house.events("session.ended").await, 0);
    let still = console.open(page.url.as_str()).await;
    assert!(still.body.contains("/sign-out?session="));
}

#[actix_web::test]
async fn a_person_is_disabled_enabled_exported_and_deleted_by_their_name() {
    let house = House::new().await;
    let (mut console, page) = ada_signs_in(&house).await;
    let ask = console.open(&format!("{}/disable", page.url)).await;
    let disabled = send_all(&mut console, &ask).await;
    assert!(disabled.body.contains("Disabled</span>"));
    let enabled = send(&mut console, &disabled, "person-enable", &[]).await;
    assert!(enabled.body.contains("Active</span>"));
    let export = send(&mut console, &enabled, "person-export", &[]).await;
    assert_eq!(export.headers["content-type"], "application/json");
    assert!(export.headers["content-disposition"].to_str().expect("text").contains("attachment"));

    let ask = console.open(&format!("{}/delete", page.url)).await;
    let wrong = send(&mut console, &ask, "ask-confirm", &[("confirm", "somebody")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.events("user.deletion_begun").await, 0);
    let (_, rest) = ask.body.split_once("Type <strong>").expect("the name");
    let name = rest.split_once('<').expect("its end").0.to_owned();
    let gone = send(&mut console, &ask, "ask-confirm", &[("confirm", &name)]).await;
    assert!(gone.url.path().starts_with("/admin/deletions/"), "{}", gone.body);
    assert!(gone.body.contains("is being deleted"), "{}", gone.body);
    assert_eq!(house.events("user.deletion_begun").await, 1);
}

#[actix_web::test]
async fn an_identity_is_unlinked_and_what_came_through_it_ends() {
    let house = House::new().await;
    let (mut console, page) = ada_signs_in(&house).await;
    let (_, rest) = page.body.split_once("/unlink?").expect("an identity");
    let query = rest.split_once('"').expect("its end").0.replace("&amp;", "&");
    let ask = console.open(&format!("{}/unlink?{query}", page.url)).await;
    assert!(ask.body.contains("It is their only one"));
    let kept = send_all(&mut console, &ask).await;
    assert_eq!(kept.status, StatusCode::UNPROCESSABLE_ENTITY, "the name was not typed");
    assert_eq!(house.events("user.unlinked").await, 0);
    let (_, rest) = ask.body.split_once("Type <strong>").expect("the name");
    let name = rest.split_once('<').expect("its end").0.to_owned();
    let mut form = ask.forms().into_iter().find(|form| form.text.contains("ask-confirm"));
    form.as_mut().expect("a question").fill("confirm", &name);
    let done = console.submit(&ask, &form.expect("a question")).await;
    assert!(done.body.contains("nobody can sign in to this account"), "{}", done.body);
    assert!(done.body.contains("Nowhere at the moment"));
    assert_eq!(house.events("user.unlinked").await, 1);
}

#[actix_web::test]
async fn keys_are_rotated_in_turn_and_taken_out_of_service_by_their_kid() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let jwks =
        || house.http().get(format!("{}/jwks", house.issuer)).header("user-agent", "My <b> API");
    jwks().send().await.expect("an answer");
    let (mut console, _) = signed_in(&house, "alice").await;
    let page = console.open(&format!("{}/admin/keys", house.issuer)).await;
    assert!(!page.body.contains("Next</span>") && page.body.contains("Active</span>"));
    let rotated = send(&mut console, &page, "rotate-ES256", &[]).await;
    assert!(rotated.body.contains("Next</span>"), "{}", rotated.body);
    assert!(!rotated.body.contains("id=\"rotate-ES256\""), "one at a time");

    let keys = house.broker.broker.provider.keys().list().await.expect("keys");
    let leaked = keys.iter().find(|key| key.alg == Algorithm::Rs256).expect("a key").kid.clone();
    let ask = console.open(&format!("{}/admin/keys/retire/{leaked}", house.issuer)).await;
    let wrong = send(&mut console, &ask, "retire-confirm", &[("confirm", "no")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = send(&mut console, &ask, "retire-confirm", &[("confirm", &leaked)]).await;
    assert!(done.body.contains("out of service; its successor signs"), "{}", done.body);
    let body = jwks().send().await.expect("an answer").text().await.expect("a body");
    assert!(!body.contains(&leaked));
}

#[actix_web::test]
async fn a_connection_shows_what_to_paste_and_what_the_check_finds() {
    let house = House::new().await;
    admin(&house, "vera", Role::Viewer).await;
    let (mut console, _) = signed_in(&house, "vera").await;
    let list = console.open(&format!("{}/admin/connections", house.issuer)).await;
    assert!(list.body.contains("Not used yet"));
    let page = console.open(&format!("{}/admin/connections/apple", house.issuer)).await;
    assert!(page.body.contains(&format!("{}/upstream/apple/callback", house.issuer)));
    let checked = send(&mut console, &page, "connection-check", &[]).await;
    assert!(checked.body.contains("What the check found"), "{}", checked.body);
    let none = console.open(&format!("{}/admin/connections/nothing", house.issuer)).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn an_editor_changes_what_the_app_is_about_and_gains_no_rights() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |client| client.first_party = false).await;
    let id = app.client.client_id.clone();
    let administration = &house.broker.broker.administration;
    let mut editor = Actor::named("admin:ed", Role::Editor);
    editor.clients = vec![id.clone()];
    let change = |change: ClientChange| administration.update_client(&editor, &id, change);
    let name = ClientChange { client_name: Some("New".into()), ..ClientChange::default() };
    assert_eq!(change(name).await.expect("allowed").client_name, "New");
    for refused in [
        ClientChange { first_party: Some(true), ..ClientChange::default() },
        ClientChange { require_pkce: Some(false), ..ClientChange::default() },
        ClientChange { scope: Some(vec!["openid".into()]), ..ClientChange::default() },
        ClientChange { disabled: Some(true), ..ClientChange::default() },
    ] {
        let error = change(refused).await.expect_err("refused");
        assert!(matches!(error, AdminError::Forbidden { .. }), "{error}");
    }
    let other = house.client(ClientKind::Web, |_| {}).await.client.client_id;
    let name = ClientChange { client_name: Some("Mine now".into()), ..ClientChange::default() };
    let error = administration.update_client(&editor, &other, name).await.expect_err("refused");
    assert!(matches!(error, AdminError::Forbidden { .. }));
}

#[actix_web::test]
async fn sessions_are_found_by_whose_they_are_and_put_in_order() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    for person in ["Ada Lovelace", "Grace Hopper", "Ada Lovelace"] {
        let mut browser = house.browser();
        app.tokens(&mut browser, "openid", person).await;
        house.advance(Duration::from_secs(60));
    }
    admin(&house, "alice", Role::Admin).await;
    let (mut console, _) = signed_in(&house, "alice").await;
    let room = format!("{}/admin/sessions", house.issuer);
    let all = console.open(&room).await;
    assert_eq!(all.body.matches("class=\"row-link\"").count(), 3, "{}", all.body);
    let people = |page: &Page| -> Vec<String> {
        let names = page.body.split("class=\"row-link\"").skip(1);
        names.map(|rest| rest.split(['>', '<']).nth(1).unwrap_or_default().to_owned()).collect()
    };
    let hers = console.open(&format!("{room}?q=hopper")).await;
    assert_eq!(people(&hers), ["Grace Hopper"]);
    let (_, rest) = hers.body.split_once("<code class=\"small soft\">").expect("a sid");
    let sid = rest.split('<').next().expect("its end");
    assert_eq!(people(&console.open(&format!("{room}?q={sid}")).await), ["Grace Hopper"]);
    let oldest = console.open(&format!("{room}?sort=oldest")).await;
    assert_eq!(people(&oldest), ["Ada Lovelace", "Grace Hopper", "Ada Lovelace"]);
    let (newest, oldest) = (sids(&all), sids(&oldest));
    assert_eq!(newest, oldest.into_iter().rev().collect::<Vec<_>>());
    let found = console.open(&format!("{room}?q=%3Cnobody%3E")).await;
    assert!(found.body.contains("Nobody who matches “&#60;nobody&#62;”"), "{}", found.body);
}

fn sids(page: &Page) -> Vec<String> {
    let each = page.body.split("<code class=\"small soft\">").skip(1);
    each.map(|rest| rest.split('<').next().unwrap_or_default().to_owned()).collect()
}
