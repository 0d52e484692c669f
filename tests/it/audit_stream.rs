//! The audit log as it grows, told to a receiver: signed, in order, and again until it is taken.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use russet::op::admin::settings::Settings;
use russet::op::admin::{Actor, EventQuery};
use russet::op::audit_stream::Progress;
use russet::protocol::admin::Role;
use russet::protocol::api_key::ApiScope;
use russet::protocol::event::Event;
use serde_json::{Value, json};

use crate::console::{admin, send, signed_in};
use crate::harness::House;
use crate::harness::app::answer;
use crate::harness::receiver::{Receiver, eventually, verified};
use crate::on_each_engine;
use crate::rooms::{add, user};

/// Long enough for any machine; nothing waits so long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(120);

/// A post: the last link that was told before it, and what it tells.
struct Post {
    after: i64,
    events: Vec<(i64, String)>,
}

impl Post {
    async fn of(house: &House, jwt: &str, audience: &str) -> Self {
        let (header, claims) = verified(house, jwt).await;
        assert_eq!(header["typ"], "audit-events+jwt");
        assert_eq!(claims["iss"], house.issuer.as_str());
        assert_eq!(claims["aud"], audience);
        let events = claims["events"].as_array().expect("events").iter();
        let of = |event: &Value| {
            (event["seq"].as_i64().expect("a number"), event["kind"].as_str().unwrap().to_owned())
        };
        Self {
            after: claims["after"].as_i64().expect("a number"),
            events: events.map(of).collect(),
        }
    }
}

async fn record(house: &House, kind: &'static str) {
    let event = Event::new(house.now(), kind, "system");
    let recorded = house.store().write(move |tx| Box::pin(async move { tx.record(&event).await }));
    recorded.await.expect("an event");
}

async fn progress(house: &House) -> Progress {
    let all = house.broker.broker.administration.audit_receivers().await.expect("receivers");
    all.into_iter().next().expect("a receiver").1
}

/// Reads on until an event of this kind was told and taken. A post whose answer did not come in time
/// comes again: the clock is turned so that it may, and it stands for the one before.
async fn read_until(house: &House, receiver: &mut Receiver, url: &str, kind: &str) -> Vec<Post> {
    let mut posts: Vec<Post> = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let taken = async {
        loop {
            ticks.tick().await;
            while let Some(received) = receiver.arrived() {
                let post = Post::of(house, &received.body, url).await;
                posts.retain(|before| before.after != post.after);
                posts.push(post);
            }
            let progress = progress(house).await;
            if progress.attempts > 0 {
                house.advance(Duration::from_secs(3600));
            }
            let last = posts.last().and_then(|post| post.events.last()).map(|event| event.0);
            let told = posts.iter().flat_map(|post| &post.events).any(|event| event.1 == kind);
            if told && last == Some(progress.told) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, taken).await.expect("it was told and taken");
    posts
}

#[actix_web::test]
async fn two_replicas_tell_every_event_once_and_in_order_and_again_until_it_is_taken() {
    on_each_engine!(house, {
        let replica = house.replica().await;
        let mut receiver = Receiver::start();
        receiver.answer(503, "");
        let administration = &house.broker.broker.administration;
        let url = receiver.url("/audit");
        let added = administration.add_audit_receiver(&Actor::cli(), "SIEM", &url, "").await;
        added.expect("a receiver");
        let refused = Post::of(&house, &receiver.next().await.body, &url).await;
        let failed =
            || async { Some(progress(&house).await).filter(|progress| progress.attempts > 0) };
        let failed = eventually(failed).await;
        assert!(failed.last_error.is_some(), "and says why");
        assert!(receiver.is_quiet(), "the next attempt waits");

        receiver.answer(200, "");
        for _ in 0..250 {
            record(&house, "test.recorded").await;
        }
        record(&house, "test.last").await;
        house.advance(Duration::from_secs(3600));
        let posts = read_until(&house, &mut receiver, &url, "test.last").await;
        assert_eq!(posts[0].events[0], refused.events[0], "nothing is passed over");
        let mut last = refused.after;
        for post in &posts {
            assert_eq!(post.after, last, "each post says what came before it");
            for (seq, _) in &post.events {
                assert_eq!(*seq, last + 1, "no gap, no repetition");
                last = *seq;
            }
        }
        let taken = || async { Some(progress(&house).await).filter(|it| it.seq == last) };
        let taken = eventually(taken).await;
        assert_eq!((taken.attempts, taken.last_error), (0, None));
        replica.stop().await;
    });
}

#[actix_web::test]
async fn a_receiver_of_one_area_is_told_that_and_can_tell_that_nothing_is_missing() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        let administration = &house.broker.broker.administration;
        let url = receiver.url("/audit");
        let added = administration.add_audit_receiver(&Actor::cli(), "SIEM", &url, "client").await;
        let id = added.expect("a receiver").id;
        let mut last = progress(&house).await.told;
        for kind in ["client.created", "user.created", "client.deleted"] {
            record(&house, kind).await;
        }
        for post in read_until(&house, &mut receiver, &url, "client.deleted").await {
            assert_eq!(post.after, last);
            last = post.events.last().expect("never empty").0;
            assert!(post.events.iter().all(|(_, kind)| kind.starts_with("client.")));
        }
        administration.remove_audit_receiver(&Actor::cli(), &id).await.expect("removed");
        let again = administration.remove_audit_receiver(&Actor::cli(), &id).await;
        assert!(again.is_err());
        record(&house, "client.created").await;
        administration.chain_events().await.expect("linked");
        house.broker.broker.provider.stream_audit().await.expect("nobody to tell");
        assert!(receiver.is_quiet(), "who is removed is told nothing");
    });
}

#[actix_web::test]
async fn what_a_receiver_has_not_taken_outlives_the_retention() {
    on_each_engine!(house, {
        let mut receiver = Receiver::start();
        receiver.answer(500, "");
        let administration = &house.broker.broker.administration;
        let url = receiver.url("/audit");
        let added = administration.add_audit_receiver(&Actor::cli(), "SIEM", &url, "").await;
        let id = added.expect("a receiver").id;
        receiver.next().await;
        let settings = Settings { audit_retention_days: 30, ..Settings::default() };
        administration.change_settings(&Actor::cli(), settings, 0).await.expect("set");
        administration.chain_events().await.expect("linked");
        house.advance(Duration::from_secs(60 * 24 * 3600));
        administration.prune_by_retention().await.expect("pruned");
        assert!(house.events("audit.receiver_added").await > 0, "it is kept for the receiver");
        administration.remove_audit_receiver(&Actor::cli(), &id).await.expect("removed");
        administration.prune_by_retention().await.expect("pruned");
        assert_eq!(house.events("audit.receiver_added").await, 0, "and then it goes");
    });
}

#[actix_web::test]
async fn only_an_owner_names_receivers_and_an_address_is_looked_at() {
    let house = House::new().await;
    let administration = &house.broker.broker.administration;
    let lesser = Actor::named("admin:eve", Role::Admin);
    let refused = administration.add_audit_receiver(&lesser, "x", "https://siem.example", "");
    assert!(refused.await.is_err());
    for bad in ["", "siem.example", "ftp://siem.example", "https://u:p@siem.example/", "/audit"] {
        let refused = administration.add_audit_receiver(&Actor::cli(), "x", bad, "").await;
        assert!(refused.is_err(), "{bad}");
    }
    for (name, area) in [("", ""), ("x\n", ""), ("x", "Client%"), (&*"x".repeat(61), "")] {
        let url = "https://siem.example/";
        let refused = administration.add_audit_receiver(&Actor::cli(), name, url, area).await;
        assert!(refused.is_err(), "{name:?} {area:?}");
    }
    assert!(administration.audit_receivers().await.expect("receivers").is_empty());
}

#[actix_web::test]
async fn an_inner_address_is_not_reached_and_the_page_says_so() {
    let house = House::with(&[("OUTBOUND__ALLOW_PRIVATE", "::1/128")]).await;
    let mut receiver = Receiver::start();
    admin(&house, "alice", Role::Owner).await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let page = alice.open(&format!("{}/admin/audit/stream", house.issuer)).await;
    let url = receiver.url("/audit").replace("http://", "https://");
    let fields = [("name", "SIEM"), ("url", &*url), ("area", "")];
    let page = send(&mut alice, &page, "receiver-add", &fields).await;
    assert!(page.body.contains("SIEM"), "{}", page.body);
    let failed = || async { progress(&house).await.last_error };
    assert!(eventually(failed).await.contains("private address"));
    assert!(receiver.is_quiet());
    for _ in 0..5 {
        let attempts = progress(&house).await.attempts;
        house.advance(Duration::from_secs(7200));
        eventually(|| later(&house, attempts)).await;
    }
    let (mut alice, overview) = signed_in(&house, "alice").await;
    assert!(overview.body.contains("SIEM does not take the audit log"), "{}", overview.body);
    let page = alice.open(&format!("{}/admin/audit/stream", house.issuer)).await;
    assert!(page.body.contains("private address"), "{}", page.body);
    let (_, rest) = page.body.split_once("/audit/stream/remove?").expect("a way to it");
    let query = rest.split('"').next().expect("a query");
    let ask = alice.open(&format!("{}/admin/audit/stream/remove?{query}", house.issuer)).await;
    let mut form = ask.filled_form("ask-confirm");
    form.fill("confirm", "another");
    let still = alice.submit(&ask, &form).await;
    assert_eq!(still.status, 422, "another name removes nothing");
    form.fill("confirm", "SIEM");
    let gone = alice.submit(&still, &form).await;
    assert!(gone.body.contains("None yet"), "{}", gone.body);
}

async fn later(house: &House, attempts: i32) -> Option<()> {
    (progress(house).await.attempts > attempts).then_some(())
}

#[actix_web::test]
async fn a_view_of_the_log_is_kept_for_everybody_and_forgotten() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let page = alice.open(&format!("{}/admin/audit?kind=admin.signed_in", house.issuer)).await;
    let fields = [("name", "Who came"), ("query", "?kind=admin.signed_in")];
    let kept = send(&mut alice, &page, "view-keep", &fields).await;
    assert!(kept.body.contains(">Who came</a>"), "{}", kept.body);
    let administration = &house.broker.broker.administration;
    assert_eq!(administration.audit_views().await.expect("views").len(), 1);
    let actor = Actor::cli();
    let twice = administration.keep_audit_view(&actor, "Who came", "?area=user").await;
    assert!(twice.is_err(), "a name is one view's");
    for query in ["", "javascript:alert(1)", "//evil.example", "?a\nb"] {
        assert!(administration.keep_audit_view(&actor, "x", query).await.is_err(), "{query:?}");
    }
    administration.forget_audit_view(&actor, "Who came").await.expect("forgotten");
    assert!(administration.audit_views().await.expect("views").is_empty());
    assert!(administration.forget_audit_view(&actor, "Who came").await.is_err());
}

#[actix_web::test]
async fn scripts_name_receivers_keep_views_and_say_why() {
    let house = House::new().await;
    let administration = &house.broker.broker.administration;
    let scope = vec![ApiScope::ReadEvents, ApiScope::WriteEvents, ApiScope::CriticalEvents];
    let made = administration.create_api_key(&Actor::cli(), "test", scope, 30).await;
    let key = made.expect("a key").1.expose().clone();
    let ask = |method, path: &str| {
        let url = format!("{}/admin/api/v1{path}", house.issuer);
        house.http().request(method, url).bearer_auth(&key).header("audit-reason", "a new SIEM")
    };
    let new = json!({ "name": "SIEM", "url": "https://siem.example/russet", "area": "admin" });
    let added = answer(ask(Method::POST, "/audit-receivers").json(&new)).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.json);
    let listed = answer(ask(Method::GET, "/audit-receivers")).await;
    assert_eq!(listed.json["items"][0]["name"], "SIEM");
    let odd = json!({ "name": "x", "url": "https://siem.example/", "secret": "x" });
    let refused = answer(ask(Method::POST, "/audit-receivers").json(&odd)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let path = format!("/audit-receivers/{}", added.text("id"));
    for unprintable in [&b"\xc2\x84"[..], b"a\tb", &[b'x'; 501]] {
        let url = format!("{}/admin/api/v1{path}", house.issuer);
        let asked = house.http().delete(url).bearer_auth(&key).header("audit-reason", unprintable);
        assert_eq!(answer(asked).await.status, StatusCode::BAD_REQUEST, "{unprintable:?}");
    }
    let gone = answer(ask(Method::DELETE, &path)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let query = EventQuery {
        kind: Some("audit.receiver_removed".to_owned()),
        limit: 1,
        ..EventQuery::default()
    };
    let events = administration.list_events(&query).await.expect("events");
    assert_eq!(events[0].event.detail, Some(json!({ "reason": "a new SIEM" })));

    let view = json!({ "name": "Clients & APIs", "query": "?area=client" });
    let kept = answer(ask(Method::POST, "/audit-views").json(&view)).await;
    assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.json);
    let listed = answer(ask(Method::GET, "/audit-views")).await;
    assert_eq!(listed.json["items"], json!([view]));
    let gone = answer(ask(Method::DELETE, "/audit-views/Clients%20%26%20APIs")).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn why_somebody_was_disabled_stands_in_the_log_as_text() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    add(&house, user(&house, "eve", "Eve", "eve@example.com")).await;
    let administration = &house.broker.broker.administration;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let page = alice.open(&format!("{}/admin/people/eve/disable", house.issuer)).await;
    let done = send(&mut alice, &page, "ask-confirm", &[("reason", "phone lost <b>")]).await;
    assert!(done.body.contains("Disabled."), "{}", done.body);
    let query =
        EventQuery { kind: Some("user.disabled".to_owned()), limit: 1, ..EventQuery::default() };
    let events = administration.list_events(&query).await.expect("events");
    let page = alice.open(&format!("{}/admin/audit/{}", house.issuer, events[0].id)).await;
    assert!(page.body.contains("phone lost &#60;b&#62;"), "{}", page.body);
}
