//! Passkeys of the console, with an authenticator made here: what opens, and everything that must
//! not.

use std::time::Duration;

use reqwest::StatusCode;
use russet::op::admin::Actor;
use russet::protocol::admin::Role;
use serde_json::Value;

use crate::console::{PASSWORD, admin, send, signed_in};
use crate::harness::authenticator::Authenticator;
use crate::harness::browser::{Browser, Form, Page};
use crate::harness::{Engine, House};

/// A name: an address can be no relying party.
const ORIGIN: &str = "http://localhost:4711";

async fn house_on(engine: Engine) -> House {
    House::on(engine).await.reopened(&[("SERVER__ISSUER", ORIGIN)]).await
}

async fn house() -> House {
    house_on(Engine::Sqlite).await
}

fn device() -> Authenticator {
    Authenticator::at(ORIGIN, "localhost")
}

async fn open(house: &House, browser: &mut Browser, path: &str) -> Page {
    browser.open(&format!("{}{path}", house.issuer)).await
}

fn form_with(page: &Page, id: &str) -> Form {
    let marker = format!("id=\"{id}\"");
    let found = page.forms().into_iter().find(|form| form.text.contains(&marker));
    found.unwrap_or_else(|| panic!("no form holds {id} on {}: {}", page.url, page.body))
}

/// What the script of a page does first: fetches the challenge that a button names.
async fn challenge(browser: &mut Browser, page: &Page, id: &str) -> Page {
    let mut form = form_with(page, id);
    let (_, rest) = form.text.split_once("data-challenge=\"").expect("an address");
    form.action = page.url.join(rest.split_once('"').unwrap().0).expect("a URL");
    form.fields.retain(|(name, _)| name == "csrf");
    browser.submit(page, &form).await
}

fn asked(challenge: &Page) -> Value {
    assert_eq!(challenge.status, StatusCode::OK, "{}", challenge.body);
    serde_json::from_str(&challenge.body).expect("JSON")
}

/// And then: sends the form with the answer.
async fn answer(
    browser: &mut Browser,
    page: &Page,
    id: &str,
    more: &[(&str, &str)],
    (handle, credential): (&Value, &Value),
) -> Page {
    let mut form = form_with(page, id);
    let set = ["handle", "credential", "passkey_name"];
    form.fields.retain(|(name, _)| !set.contains(&name.as_str()));
    form.fields.push(("handle".into(), handle.as_str().expect("a handle").into()));
    form.fields.push(("credential".into(), credential.to_string()));
    form.fields.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    browser.submit(page, &form).await
}

/// Makes a passkey at one's own account; what stands then.
async fn register(
    house: &House,
    browser: &mut Browser,
    device: &mut Authenticator,
    name: &str,
) -> Page {
    let page = open(house, browser, "/admin/profile/passkeys/new").await;
    let asked = asked(&challenge(browser, &page, "passkey-add").await);
    let made = device.create(&asked["options"]);
    let fields = [("passkey_name", name)];
    answer(browser, &page, "passkey-add", &fields, (&asked["handle"], &made)).await
}

/// Presses "Use a passkey" on a page.
async fn use_passkey(browser: &mut Browser, page: &Page, device: &mut Authenticator) -> Page {
    let asked = asked(&challenge(browser, page, "passkey-use").await);
    let signed = device.get(&asked["options"]);
    answer(browser, page, "passkey-use", &[], (&asked["handle"], &signed)).await
}

async fn is_in(house: &House, browser: &mut Browser) -> bool {
    open(house, browser, "/admin").await.url.path() == "/admin"
}

/// An owner with a passkey, and the device it is on.
async fn owner_with_passkey(house: &House, username: &str) -> (Browser, Authenticator) {
    admin(house, username, Role::Owner).await;
    let (mut browser, _) = signed_in(house, username).await;
    let mut device = device();
    let page = register(house, &mut browser, &mut device, "This machine").await;
    assert!(page.body.contains("id=\"recovery-codes\""), "{}", page.body);
    (browser, device)
}

#[actix_web::test]
async fn a_passkey_is_made_signs_in_without_a_name_and_is_removed() {
    for engine in Engine::all() {
        let house = house_on(engine).await;
        admin(&house, "alice", Role::Owner).await;
        let (mut elsewhere, _) = signed_in(&house, "alice").await;
        let (mut alice, _) = signed_in(&house, "alice").await;
        let before = alice.cookie("127.0.0.1", "russet_console").cloned();
        let mut device = device();
        let shown = register(&house, &mut alice, &mut device, "This <b> machine").await;
        assert!(shown.body.contains("id=\"recovery-codes\""), "{}", shown.body);
        assert_ne!(before, alice.cookie("127.0.0.1", "russet_console").cloned());
        assert!(!is_in(&house, &mut elsewhere).await, "it was opened with less");
        let profile = open(&house, &mut alice, "/admin/profile").await;
        assert!(profile.body.contains("This &#60;b&#62; machine"), "{}", profile.body);
        assert!(profile.body.contains("not used yet"), "{}", profile.body);

        let mut fresh = house.browser();
        let login = open(&house, &mut fresh, "/admin/login").await;
        let planted = fresh.cookie("127.0.0.1", "russet_console").cloned();
        let page = use_passkey(&mut fresh, &login, &mut device).await;
        assert!(page.body.contains("<h1>Overview</h1>"), "{}", page.body);
        assert_ne!(planted, fresh.cookie("127.0.0.1", "russet_console").cloned());
        let profile = open(&house, &mut fresh, "/admin/profile").await;
        assert!(profile.body.contains("last used"), "{}", profile.body);
        assert!(profile.body.contains("two factors"), "{}", profile.body);

        let gone = send_whole(&mut fresh, &profile, "Remove the passkey").await;
        assert!(gone.body.contains("The second factor is removed."), "{}", gone.body);
        let mut late = house.browser();
        let login = open(&house, &mut late, "/admin/login").await;
        let refused = use_passkey(&mut late, &login, &mut device).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        for (kind, times) in
            [("admin.passkey_added", 1), ("admin.passkey_removed", 1), ("admin.sign_in_failed", 1)]
        {
            assert_eq!(house.events(kind).await, times, "{kind}");
        }
    }
}

/// Sends the first form with this in it as it stands.
async fn send_whole(browser: &mut Browser, page: &Page, part: &str) -> Page {
    let found = page.forms().into_iter().find(|form| form.text.contains(part));
    browser.submit(page, &found.expect("the form")).await
}

#[actix_web::test]
async fn an_answer_opens_nothing_that_is_not_rightly_signed_here_and_now() {
    let house = house().await;
    let (_, mut device) = owner_with_passkey(&house, "alice").await;
    let mut thief = house.browser();
    let login = open(&house, &mut thief, "/admin/login").await;

    let good = device.origin.clone();
    for origin in [
        "http://localhost:4712",
        "https://localhost:4711",
        "http://badlocalhost:4711",
        "http://a.localhost:4711",
        "https://evil.example",
    ] {
        device.origin = origin.to_owned();
        let page = use_passkey(&mut thief, &login, &mut device).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{origin}");
    }
    device.origin = good;
    device.rp_id = "evil.example".to_owned();
    let page = use_passkey(&mut thief, &login, &mut device).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "another relying party's");
    device.rp_id = "localhost".to_owned();
    device.verifies = false;
    let page = use_passkey(&mut thief, &login, &mut device).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "the user was not verified");
    device.verifies = true;

    // Right, but for another challenge.
    let first = asked(&challenge(&mut thief, &login, "passkey-use").await);
    let second = asked(&challenge(&mut thief, &login, "passkey-use").await);
    let signed = device.get(&first["options"]);
    let page = answer(&mut thief, &login, "passkey-use", &[], (&second["handle"], &signed)).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "a challenge is answered by its own answer");

    // For another browser's.
    let mut other = house.browser();
    let others = open(&house, &mut other, "/admin/login").await;
    let page = answer(&mut other, &others, "passkey-use", &[], (&first["handle"], &signed)).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "a challenge is its browser's");

    // Too late.
    let late = asked(&challenge(&mut thief, &login, "passkey-use").await);
    let signed = device.get(&late["options"]);
    house.advance(Duration::from_secs(5 * 60));
    let page = answer(&mut thief, &login, "passkey-use", &[], (&late["handle"], &signed)).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "a challenge waits five minutes");

    // Altered.
    let asked_now = asked(&challenge(&mut thief, &login, "passkey-use").await);
    let mut signed = device.get(&asked_now["options"]);
    signed["response"]["userHandle"] = "AAAAAAAAAAAAAAAAAAAAAA".into();
    let page =
        answer(&mut thief, &login, "passkey-use", &[], (&asked_now["handle"], &signed)).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "nobody else's key");
    for nonsense in [Value::Null, "x".into(), serde_json::json!({ "id": "x" })] {
        let now = asked(&challenge(&mut thief, &login, "passkey-use").await);
        let page =
            answer(&mut thief, &login, "passkey-use", &[], (&now["handle"], &nonsense)).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{nonsense}");
    }
    assert!(!is_in(&house, &mut thief).await && !is_in(&house, &mut other).await);

    // What is right is right once.
    let now = asked(&challenge(&mut thief, &login, "passkey-use").await);
    let signed = device.get(&now["options"]);
    let page = answer(&mut thief, &login, "passkey-use", &[], (&now["handle"], &signed)).await;
    assert!(page.body.contains("<h1>Overview</h1>"), "{}", page.body);
    let mut replayer = house.browser();
    let page = open(&house, &mut replayer, "/admin/login").await;
    let page = answer(&mut replayer, &page, "passkey-use", &[], (&now["handle"], &signed)).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.events("admin.signed_in").await, 2, "with the password, and by passkey");
}

#[actix_web::test]
async fn of_two_who_send_one_answer_one_gets_in() {
    let house = house().await;
    let (_, mut device) = owner_with_passkey(&house, "alice").await;
    let mut one = house.browser();
    let login = open(&house, &mut one, "/admin/login").await;
    let now = asked(&challenge(&mut one, &login, "passkey-use").await);
    let signed = device.get(&now["options"]);
    let mut two = one.clone();
    let what = (&now["handle"], &signed);
    let (first, second) = tokio::join!(
        answer(&mut one, &login, "passkey-use", &[], what),
        answer(&mut two, &login, "passkey-use", &[], what),
    );
    let opened = [&first, &second].iter().filter(|page| page.status == StatusCode::OK).count();
    assert_eq!(opened, 1, "{} {}", first.status, second.status);
    assert_eq!(house.events("admin.signed_in").await, 2);
}

#[actix_web::test]
async fn a_passkey_that_counts_backwards_is_refused_and_told_of() {
    let house = house().await;
    let (_, mut device) = owner_with_passkey(&house, "alice").await;
    let mut browser = house.browser();
    let login = open(&house, &mut browser, "/admin/login").await;
    device.counter = 50;
    let page = use_passkey(&mut browser, &login, &mut device).await;
    assert!(page.body.contains("<h1>Overview</h1>"), "{}", page.body);
    device.counter = 20;
    let mut thief = house.browser();
    let login = open(&house, &mut thief, "/admin/login").await;
    let page = use_passkey(&mut thief, &login, &mut device).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.events("admin.passkey_cloned").await, 1);
    assert!(!is_in(&house, &mut thief).await);
}

#[actix_web::test]
async fn a_passkey_is_not_made_with_an_answer_that_does_not_fit() {
    let house = house().await;
    admin(&house, "alice", Role::Owner).await;
    admin(&house, "eve", Role::Viewer).await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let page = open(&house, &mut alice, "/admin/profile/passkeys/new").await;
    let attempt = async |alice: &mut Browser, device: &mut Authenticator, name: &str| {
        let asked = asked(&challenge(alice, &page, "passkey-add").await);
        assert_eq!(asked["options"]["rp"]["id"], "localhost");
        let selection = &asked["options"]["authenticatorSelection"];
        assert_eq!(selection["residentKey"], "required");
        assert_eq!(selection["userVerification"], "required");
        let made = device.create(&asked["options"]);
        let fields = [("passkey_name", name)];
        answer(alice, &page, "passkey-add", &fields, (&asked["handle"], &made)).await
    };
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let mut elsewhere = Authenticator::at("https://evil.example", "localhost");
    assert_eq!(attempt(&mut alice, &mut elsewhere, "a").await.status, refused);
    let mut foreign = Authenticator::at(ORIGIN, "evil.example");
    assert_eq!(attempt(&mut alice, &mut foreign, "a").await.status, refused);
    let mut careless = device();
    careless.verifies = false;
    assert_eq!(attempt(&mut alice, &mut careless, "a").await.status, refused);
    assert_eq!(attempt(&mut alice, &mut device(), "").await.status, refused);
    assert_eq!(attempt(&mut alice, &mut device(), &"n".repeat(61)).await.status, refused);

    // Somebody else's challenge.
    let (mut eve, _) = signed_in(&house, "eve").await;
    let theirs = open(&house, &mut eve, "/admin/profile/passkeys/new").await;
    let asked = asked(&challenge(&mut eve, &theirs, "passkey-add").await);
    let made = device().create(&asked["options"]);
    let fields = [("passkey_name", "a")];
    let planted = answer(&mut alice, &page, "passkey-add", &fields, (&asked["handle"], &made));
    assert_eq!(planted.await.status, refused);
    assert_eq!(house.events("admin.passkey_added").await, 0);

    // One that somebody has already.
    let mut known = device();
    register(&house, &mut eve, &mut known, "Eve's").await;
    assert_eq!(house.events("admin.passkey_added").await, 1);
    let twice = attempt(&mut alice, &mut known, "a").await;
    assert_eq!(twice.status, refused, "{}", twice.body);
    assert_eq!(house.events("admin.passkey_added").await, 1);
}

#[actix_web::test]
async fn after_a_password_only_ones_own_passkey_will_do() {
    let house = house().await;
    let (_, mut alices) = owner_with_passkey(&house, "alice").await;
    let (_, mut eves) = owner_with_passkey(&house, "eve").await;
    let mut browser = house.browser();
    let login = open(&house, &mut browser, "/admin/login").await;
    let fields = [("username", "alice"), ("password", PASSWORD)];
    let waiting = send(&mut browser, &login, "login-submit", &fields).await;
    assert!(waiting.body.contains("id=\"passkey-use\""), "{}", waiting.body);
    assert!(waiting.body.contains("One of your recovery codes"), "{}", waiting.body);
    let refused = use_passkey(&mut browser, &waiting, &mut eves).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(!is_in(&house, &mut browser).await, "neither as alice nor as eve");
    let opened = use_passkey(&mut browser, &waiting, &mut alices).await;
    assert!(opened.body.contains("<h1>Overview</h1>"), "{}", opened.body);
    assert!(opened.body.contains("alice"), "{}", opened.body);
    assert_eq!(house.events("admin.second_factor_failed").await, 1);
}

#[actix_web::test]
async fn before_a_dangerous_act_only_ones_own_passkey_will_do() {
    let house = house().await;
    let (mut alice, mut alices) = owner_with_passkey(&house, "alice").await;
    let (_, mut eves) = owner_with_passkey(&house, "eve").await;
    house.advance(Duration::from_secs(11 * 60));
    let asked = open(&house, &mut alice, "/admin/profile/totp").await;
    assert_eq!(asked.url.path(), "/admin/prove");
    let refused = use_passkey(&mut alice, &asked, &mut eves).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let before = alice.cookie("127.0.0.1", "russet_console").cloned();
    let proven = use_passkey(&mut alice, &refused, &mut alices).await;
    assert_eq!(proven.url.path(), "/admin/profile/totp", "{}", proven.body);
    assert_ne!(before, alice.cookie("127.0.0.1", "russet_console").cloned());
    assert_eq!(house.events("admin.step_up_failed").await, 1);
    assert_eq!(house.events("admin.stepped_up").await, 1);
    // The script that finds its page too old is told so, and comes back with the name.
    house.advance(Duration::from_secs(11 * 60));
    let stale = open(&house, &mut alice, "/admin/profile/passkeys/new?passkey_name=Key").await;
    assert_eq!(stale.url.path(), "/admin/prove");
    let back = use_passkey(&mut alice, &stale, &mut alices).await;
    assert!(back.body.contains("value=\"Key\""), "{}", back.body);
}

#[actix_web::test]
async fn a_passkey_is_the_second_factor_that_is_required_and_the_last_one_stays() {
    let house = house().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let settings = open(&house, &mut alice, "/admin/settings").await;
    let fields = [("audit_retention_days", "0"), ("require_second_factor", "true")];
    send(&mut alice, &settings, "settings-save", &fields).await;
    let led = open(&house, &mut alice, "/admin/clients").await;
    assert_eq!(led.url.path(), "/admin/profile", "there is a choice");
    assert!(led.body.contains("id=\"passkey-new\"") && led.body.contains("id=\"totp-add\""));
    let mut device = device();
    register(&house, &mut alice, &mut device, "Key").await;
    assert_eq!(open(&house, &mut alice, "/admin/clients").await.url.path(), "/admin/clients");
    let profile = open(&house, &mut alice, "/admin/profile").await;
    let refused = send_whole(&mut alice, &profile, "Remove the passkey").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("is the last second factor"), "{}", refused.body);
}

#[actix_web::test]
async fn a_disabled_or_recovered_account_is_opened_by_no_passkey() {
    let house = house().await;
    let (_, mut device) = owner_with_passkey(&house, "alice").await;
    admin(&house, "bob", Role::Owner).await;
    let (mut bob, _) = signed_in(&house, "bob").await;
    let page = open(&house, &mut bob, "/admin/admins/alice").await;
    let fields = [("role", "owner"), ("disabled", "true")];
    send(&mut bob, &page, "admin-save", &fields).await;
    let mut browser = house.browser();
    let login = open(&house, &mut browser, "/admin/login").await;
    let refused = use_passkey(&mut browser, &login, &mut device).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let administration = &house.broker.broker.administration;
    administration.recover_admin(&Actor::cli(), "alice", None).await.expect("recovered");
    let refused = use_passkey(&mut browser, &login, &mut device).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "recovery takes passkeys away");
    assert!(!is_in(&house, &mut browser).await);
}

#[actix_web::test]
async fn an_issuer_that_is_an_address_says_that_it_has_none_and_what_to_do() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let mut browser = house.browser();
    let login = open(&house, &mut browser, "/admin/login").await;
    assert!(!login.body.contains("passkey"), "{}", login.body);
    let (mut alice, _) = signed_in(&house, "alice").await;
    let profile = open(&house, &mut alice, "/admin/profile").await;
    assert!(profile.body.contains("browsers keep passkeys only for names"), "{}", profile.body);
    assert!(profile.body.contains("id=\"totp-add\""), "{}", profile.body);
    let none = open(&house, &mut alice, "/admin/profile/passkeys/new").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_challenge_is_given_only_to_a_form_of_ours() {
    let house = house().await;
    let http = house.http();
    let url = format!("{}/admin/passkey/challenge", house.issuer);
    for request in [http.post(&url), http.post(&url).header("cookie", "russet_console=planted")] {
        let answer = request.form(&[("csrf", "AAAA")]).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
}
