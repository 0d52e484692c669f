//! Console accounts that sign in through Russet's own upstreams: bound by proof, opened by nothing
//! less, and shut as soon as account, identity or connection is.

use std::time::Duration;

use reqwest::StatusCode;
use russet::op::admin::colleagues::AdminChange;
use russet::op::admin::connections::ConnectionChange;
use russet::op::admin::settings::Settings;
use russet::op::admin::{Actor, AdminError};
use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;
use russet::protocol::id::ConnectionId;

use crate::console::{PASSWORD, admin, send, signed_in};
use crate::harness::House;
use crate::harness::browser::{Browser, Page};
use crate::on_each_engine;

async fn open(house: &House, browser: &mut Browser, path: &str) -> Page {
    browser.open(&format!("{}{path}", house.issuer)).await
}

/// Says which connections open the console.
pub async fn allow(house: &House, connections: &[&str], require_second_factor: bool) {
    let administration = &house.broker.broker.administration;
    let (_, version) = administration.settings().await.expect("settings");
    let settings = Settings {
        require_second_factor,
        console_connections: connections.iter().map(ToString::to_string).collect(),
        ..Settings::default()
    };
    administration.change_settings(&Actor::cli(), settings, version).await.expect("set");
}

/// Presses a button that leads to Apple, and goes on there as this person.
async fn through_apple(browser: &mut Browser, page: &Page, button: &str, who: &str) -> Page {
    let apple = browser.press(page, button).await;
    browser.press(&apple, &format!("Continue as {who}")).await
}

async fn sign_in(house: &House, browser: &mut Browser, who: &str) -> Page {
    let login = open(house, browser, "/admin/login").await;
    through_apple(browser, &login, "id=\"through-apple\"", who).await
}

/// An account that is bound to Grace at Apple.
async fn bound(house: &House, username: &str, role: Role) -> Browser {
    admin(house, username, role).await;
    let (mut browser, _) = signed_in(house, username).await;
    let profile = open(house, &mut browser, "/admin/profile").await;
    let back = through_apple(&mut browser, &profile, "id=\"bind-apple\"", "Grace Hopper").await;
    assert!(back.body.contains("Bound. You can sign in"), "{}", back.body);
    browser
}

async fn is_in(house: &House, browser: &mut Browser) -> bool {
    open(house, browser, "/admin/profile").await.url.path() == "/admin/profile"
}

#[actix_web::test]
async fn an_account_is_bound_by_proof_signs_in_and_is_unbound() {
    on_each_engine!(house, {
        allow(&house, &["apple"], false).await;
        let mut alice = bound(&house, "alice", Role::Viewer).await;
        let mut browser = house.browser();
        let page = sign_in(&house, &mut browser, "Grace Hopper").await;
        assert_eq!(page.url.path(), "/admin", "{}", page.body);
        let profile = open(&house, &mut browser, "/admin/profile").await;
        assert!(profile.body.contains("alice, viewer since"), "the role is Russet's");
        assert!(profile.body.contains("last used"), "{}", profile.body);
        assert!(open(&house, &mut browser, "/admin/settings").await.status == StatusCode::OK);
        let own = open(&house, &mut browser, "/admin/clients/new").await;
        assert_eq!(own.status, StatusCode::FORBIDDEN);
        let person = open(&house, &mut browser, "/account").await;
        assert_eq!(person.status, StatusCode::UNAUTHORIZED, "no person came of it");

        let profile = open(&house, &mut alice, "/admin/profile").await;
        let forms = profile.forms();
        let form = forms.iter().find(|form| form.text.contains("aria-label=\"Remove Apple\""));
        let gone = alice.submit(&profile, form.expect("the form")).await;
        assert!(gone.body.contains("Unbound"), "{}", gone.body);
        assert!(is_in(&house, &mut alice).await, "that one was opened with the password");
        assert!(!is_in(&house, &mut browser).await, "that one was opened through it");
        let refused = sign_in(&house, &mut browser, "Grace Hopper").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        for kind in ["admin.identity_bound", "admin.identity_unbound", "admin.sign_in_failed"] {
            assert_eq!(house.events(kind).await, 1, "{kind}");
        }
    });
}

#[actix_web::test]
async fn an_identity_that_is_not_bound_opens_nothing_whatever_its_address() {
    let house = House::new().await;
    allow(&house, &["apple"], false).await;
    admin(&house, "ada@example.com", Role::Owner).await;
    bound(&house, "alice", Role::Owner).await;
    let mut browser = house.browser();
    let refused = sign_in(&house, &mut browser, "Ada Lovelace").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.body.contains("opens no account here"), "{}", refused.body);
    let trace = refused.headers["x-request-id"].to_str().expect("an id").to_owned();
    assert!(refused.body.contains(&format!("Trace id: {trace}")), "{}", refused.body);
    assert!(!is_in(&house, &mut browser).await);

    // Nor is it bound to a second account.
    admin(&house, "bob", Role::Viewer).await;
    let (mut bob, _) = signed_in(&house, "bob").await;
    let profile = open(&house, &mut bob, "/admin/profile").await;
    let refused = through_apple(&mut bob, &profile, "id=\"bind-apple\"", "Grace Hopper").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body.contains("bound to an account already"), "{}", refused.body);
}

#[actix_web::test]
async fn a_person_who_is_signed_in_is_no_admin() {
    let house = House::new().await;
    allow(&house, &["apple"], false).await;
    bound(&house, "alice", Role::Owner).await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut person = house.browser();
    let attempt = app.attempt("openid");
    app.sign_in(&mut person, &attempt, "Grace Hopper").await;
    assert_eq!(open(&house, &mut person, "/account").await.status, StatusCode::OK);
    let page = open(&house, &mut person, "/admin").await;
    assert_eq!(page.url.path(), "/admin/login", "a session at the apps is none at the console");
}

#[actix_web::test]
async fn nobody_is_signed_in_by_what_somebody_else_began() {
    let house = House::new().await;
    allow(&house, &["apple"], false).await;
    bound(&house, "alice", Role::Owner).await;
    let mut thief = house.browser();
    let login = open(&house, &mut thief, "/admin/login").await;
    let apple = thief.press(&login, "id=\"through-apple\"").await;
    // The victim has begun something too, and so holds the cookies.
    let mut victim = house.browser();
    let own = open(&house, &mut victim, "/admin/login").await;
    victim.press(&own, "id=\"through-apple\"").await;
    let end = victim.press(&apple, "Continue as Grace").await;
    assert_eq!(end.status, StatusCode::BAD_REQUEST, "{}", end.body);
    assert!(!is_in(&house, &mut victim).await && !is_in(&house, &mut thief).await);

    // Nor by a form that is not ours.
    let mut form = own.forms().into_iter().find(|one| one.text.contains("through-apple")).unwrap();
    form.fields.retain(|(name, _)| name != "csrf");
    let refused = victim.submit(&own, &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_session_that_ended_meanwhile_is_given_no_identity() {
    let house = House::new().await;
    allow(&house, &["apple"], false).await;
    admin(&house, "alice", Role::Owner).await;
    let (mut alice, page) = signed_in(&house, "alice").await;
    let profile = open(&house, &mut alice, "/admin/profile").await;
    let apple = alice.press(&profile, "id=\"bind-apple\"").await;
    send(&mut alice, &page, "sign-out", &[]).await;
    let back = alice.press(&apple, "Continue as Grace").await;
    assert_eq!(back.url.path(), "/admin/login", "{}", back.body);
    assert_eq!(house.events("admin.identity_bound").await, 0);
}

#[actix_web::test]
async fn a_second_factor_is_asked_for_all_the_same() {
    let house = House::new().await;
    allow(&house, &["apple"], true).await;
    admin(&house, "alice", Role::Owner).await;
    let mut alice = house.browser();
    let login = open(&house, &mut alice, "/admin/login").await;
    let fields = [("username", "alice"), ("password", PASSWORD)];
    send(&mut alice, &login, "login-submit", &fields).await;
    let administration = &house.broker.broker.administration;
    let profile = open(&house, &mut alice, "/admin/profile").await;
    assert!(profile.body.contains("id=\"bind-apple\""), "{}", profile.body);
    let led = alice.press(&profile, "id=\"bind-apple\"").await;
    assert_eq!(led.url.path(), "/admin/profile/totp", "first things first: {}", led.body);
    allow(&house, &["apple"], false).await;
    let bound = through_apple(&mut alice, &profile, "id=\"bind-apple\"", "Grace Hopper").await;
    assert!(bound.body.contains("Bound."), "{}", bound.body);
    let (app, codes) = crate::second_factors::enrol(&house, &mut alice).await;
    allow(&house, &["apple"], true).await;

    house.advance(Duration::from_secs(60));
    let mut browser = house.browser();
    let waiting = sign_in(&house, &mut browser, "Grace Hopper").await;
    assert!(waiting.body.contains("id=\"second-submit\""), "{}", waiting.body);
    assert!(!is_in(&house, &mut browser).await, "an upstream's word is not enough");
    let code = crate::second_factors::code(&house, &app);
    let opened = send(&mut browser, &waiting, "second-submit", &[("totp", &code)]).await;
    assert!(opened.body.contains("<h1>Overview</h1>"), "{}", opened.body);

    // What was waited for is over once the identity is bound no more.
    let mut late = house.browser();
    let waiting = sign_in(&house, &mut late, "Grace Hopper").await;
    let apple = ConnectionId::new("apple");
    administration.unbind_identity(&Actor::cli(), None, "alice", &apple).await.expect("unbound");
    send(&mut late, &waiting, "second-submit", &[("totp", &codes[0])]).await;
    assert!(!is_in(&house, &mut late).await);
    assert!(!is_in(&house, &mut browser).await, "the session ends with the binding");
}

#[actix_web::test]
async fn a_proof_may_come_from_the_upstream_and_is_only_the_first_half_of_two() {
    let house = House::new().await;
    allow(&house, &["apple"], false).await;
    let mut alice = bound(&house, "alice", Role::Owner).await;
    house.advance(Duration::from_secs(11 * 60));
    let asked = open(&house, &mut alice, "/admin/profile/totp").await;
    assert!(asked.body.contains("set up codes from an app"), "it says what for: {}", asked.body);
    let before = alice.cookie("127.0.0.1", "russet_console").cloned();
    let wrong = through_apple(&mut alice, &asked, "id=\"through-apple\"", "Ada Lovelace").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{}", wrong.body);
    let proven = through_apple(&mut alice, &wrong, "id=\"through-apple\"", "Grace Hopper").await;
    assert_eq!(proven.url.path(), "/admin/profile/totp", "{}", proven.body);
    assert_ne!(before, alice.cookie("127.0.0.1", "russet_console").cloned());
    let (app, _) = crate::second_factors::enrol(&house, &mut alice).await;

    house.advance(Duration::from_secs(11 * 60));
    let settings = open(&house, &mut alice, "/admin/settings").await;
    let fields = [("audit_retention_days", "30"), ("console_connections", "apple")];
    let asked = send(&mut alice, &settings, "settings-save", &fields).await;
    assert!(asked.body.contains("change the settings"), "{}", asked.body);
    let half = through_apple(&mut alice, &asked, "id=\"through-apple\"", "Grace Hopper").await;
    assert!(half.body.contains("One step is left"), "{}", half.body);
    let mut form = half.forms().into_iter().find(|one| one.text.contains("prove-submit")).unwrap();
    form.fields.retain(|(name, _)| name != "totp");
    let refused = alice.submit(&half, &form).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "half is not all");
    let mut forged = form.clone();
    forged.fields.retain(|(name, _)| name != "word");
    forged.fields.push(("word".into(), "AAAA".into()));
    forged.fields.push(("totp".into(), crate::second_factors::code(&house, &app)));
    let refused = alice.submit(&half, &forged).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "nobody vouched");
    form.fields.push(("totp".into(), crate::second_factors::code(&house, &app)));
    let offered = alice.submit(&half, &form).await;
    assert!(offered.body.contains("Go on where you were"), "{}", offered.body);
    alice.submit(&offered, &offered.forms()[0]).await;
    let administration = &house.broker.broker.administration;
    assert_eq!(administration.settings().await.expect("settings").0.audit_retention_days, 30);
}

#[actix_web::test]
async fn what_is_switched_off_ends_at_once() {
    let house = House::new().await;
    allow(&house, &["apple"], false).await;
    bound(&house, "alice", Role::Owner).await;
    let mut browser = house.browser();
    sign_in(&house, &mut browser, "Grace Hopper").await;
    assert!(is_in(&house, &mut browser).await);
    allow(&house, &[], false).await;
    assert!(!is_in(&house, &mut browser).await, "the connection opens nothing any more");
    let login = open(&house, &mut browser, "/admin/login").await;
    assert!(!login.body.contains("through-apple"));

    allow(&house, &["apple"], false).await;
    assert!(!is_in(&house, &mut browser).await, "ended is ended");
    sign_in(&house, &mut browser, "Grace Hopper").await;
    assert!(is_in(&house, &mut browser).await);
    admin(&house, "bob", Role::Owner).await;
    let administration = &house.broker.broker.administration;
    let change =
        AdminChange { role: Role::Owner, clients: Vec::new(), disabled: true, version: None };
    administration.change_admin(&Actor::cli(), "alice", change).await.expect("disabled");
    assert!(!is_in(&house, &mut browser).await, "the account is disabled");
    let refused = sign_in(&house, &mut browser, "Grace Hopper").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn an_invitation_binds_once_and_not_for_ever() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    admin(&house, "grace", Role::Admin).await;
    let administration = &house.broker.broker.administration;
    let none = administration.invite_admin(&Actor::cli(), "grace").await;
    assert!(matches!(none, Err(AdminError::Invalid(_))), "no connection opens the console");
    allow(&house, &["apple"], false).await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let page = open(&house, &mut alice, "/admin/admins/grace").await;
    let shown = send(&mut alice, &page, "admin-invite", &[]).await;
    let (_, rest) = shown.body.split_once("/admin/invitation/").expect("a link");
    let token: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let again = alice.open(shown.url.as_str()).await;
    assert!(!again.body.contains(&token), "shown once");

    let mut grace = house.browser();
    let path = format!("/admin/invitation/{token}");
    let page = open(&house, &mut grace, &path).await;
    assert!(page.body.contains("<strong>grace</strong>"), "{}", page.body);
    let mut other = house.browser();
    open(&house, &mut other, "/admin/login").await;
    let refused = other.press(&page, "id=\"through-apple\"").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "another browser's form");
    let opened = through_apple(&mut grace, &page, "id=\"through-apple\"", "Grace Hopper").await;
    assert_eq!(opened.url.path(), "/admin", "{}", opened.body);
    let profile = open(&house, &mut grace, "/admin/profile").await;
    assert!(profile.body.contains("grace, admin since"), "{}", profile.body);
    let used = open(&house, &mut house.browser(), &path).await;
    assert_eq!(used.status, StatusCode::NOT_FOUND);

    let token = administration.invite_admin(&Actor::cli(), "alice").await.expect("a link");
    let path = format!("/admin/invitation/{}", token.expose());
    let mut slow = house.browser();
    let page = open(&house, &mut slow, &path).await;
    let apple = slow.press(&page, "id=\"through-apple\"").await;
    house.advance(Duration::from_secs(3 * 86_400));
    let over = slow.press(&apple, "Continue as Ada").await;
    assert!(!over.status.is_success(), "{}", over.body);
    assert_eq!(open(&house, &mut slow, &path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.events("admin.identity_bound").await, 1);
    assert_eq!(house.events("admin.invited").await, 2);
}

#[actix_web::test]
async fn only_an_owner_changes_a_connection_that_opens_the_console() {
    let house = House::new().await;
    let administration = &house.broker.broker.administration;
    let work = crate::connections::same_team(&house, "work");
    let (owner, lesser) = (Actor::cli(), Actor::named("admin:eve", Role::Admin));
    administration.create_connection(&lesser, work).await.expect("made");
    let renamed = || ConnectionChange {
        display_name: Some("Elsewhere".to_owned()),
        ..ConnectionChange::default()
    };
    administration.update_connection(&lesser, "work", renamed()).await.expect("as ever");
    allow(&house, &["work"], false).await;
    let refused = administration.update_connection(&lesser, "work", renamed()).await;
    assert!(matches!(refused, Err(AdminError::Forbidden { needed: Role::Owner })));
    let refused = administration.delete_connection(&lesser, "work", None).await;
    assert!(matches!(refused, Err(AdminError::Forbidden { needed: Role::Owner })));
    administration.update_connection(&owner, "work", renamed()).await.expect("an owner may");
}
