//! Second factors of the console: nothing opens without both, no code is good twice, and nobody gets
//! around the step before a dangerous act.

use std::time::Duration;

use reqwest::StatusCode;
use russet::protocol::admin::Role;
use russet::protocol::secret::Secret;
use russet::protocol::totp::TotpSecret;

use crate::console::{PASSWORD, admin, send, signed_in};
use crate::harness::House;
use crate::harness::browser::{Browser, Page};

/// The key that an enrolment page shows, as the app that scanned it.
pub fn app_of(page: &Page) -> TotpSecret {
    let (_, rest) = page.body.split_once("id=\"totp-key\">").expect("a key");
    let key = rest.split_once('<').expect("its end").0;
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for letter in key.chars() {
        held = (held << 5) | u32::try_from(alphabet.find(letter).expect("base32")).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap());
        }
    }
    TotpSecret::new(Secret::new(bytes))
}

pub fn code(house: &House, app: &TotpSecret) -> String {
    app.code(house.now().secs() / 30).expose().clone()
}

/// Sets up one-time codes; returns the app and the recovery codes.
pub async fn enrol(house: &House, browser: &mut Browser) -> (TotpSecret, Vec<String>) {
    let page = browser.open(&format!("{}/admin/profile/totp", house.issuer)).await;
    let app = app_of(&page);
    let shown = confirm(house, browser, &page, &app).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    let (_, rest) = shown.body.split_once("id=\"recovery-codes\"").expect("codes");
    let codes = rest.split_once('>').unwrap().1.split_once('<').unwrap().0;
    (app, codes.lines().map(str::to_owned).collect())
}

async fn confirm(house: &House, browser: &mut Browser, page: &Page, app: &TotpSecret) -> Page {
    let (_, rest) = page.body.split_once("name=\"enrolment\" value=\"").expect("an enrolment");
    let enrolment = rest.split_once('"').unwrap().0.to_owned();
    let code = code(house, app);
    let fields = [("enrolment", enrolment.as_str()), ("totp", code.as_str())];
    send(browser, page, "totp-confirm", &fields).await
}

/// Username and password; what stands then.
async fn password_step(house: &House, browser: &mut Browser, username: &str) -> Page {
    let login = browser.open(&format!("{}/admin/login", house.issuer)).await;
    let fields = [("username", username), ("password", PASSWORD)];
    send(browser, &login, "login-submit", &fields).await
}

async fn second_step(browser: &mut Browser, page: &Page, code: &str) -> Page {
    send(browser, page, "second-submit", &[("totp", code)]).await
}

async fn is_in(house: &House, browser: &mut Browser) -> bool {
    browser.open(&format!("{}/admin", house.issuer)).await.url.path() == "/admin"
}

#[actix_web::test]
async fn signing_in_takes_both_and_a_code_counts_once() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let (mut elsewhere, _) = signed_in(&house, "alice").await;
    let before = browser.cookie("127.0.0.1", "russet_console").cloned().expect("a cookie");
    let (app, recovery) = enrol(&house, &mut browser).await;
    assert_eq!(recovery.len(), 10);
    assert!(!is_in(&house, &mut elsewhere).await, "it was opened with less");
    let after = browser.cookie("127.0.0.1", "russet_console").cloned().expect("a cookie");
    assert_ne!(before, after, "another privilege, another cookie");

    house.advance(Duration::from_secs(60));
    let mut fresh = house.browser();
    let waiting = password_step(&house, &mut fresh, "alice").await;
    assert!(waiting.body.contains("id=\"second-submit\""), "{}", waiting.body);
    assert!(!is_in(&house, &mut fresh).await, "a password is not enough");
    let wrong = second_step(&mut fresh, &waiting, "000000").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let right = code(&house, &app);
    let page = second_step(&mut fresh, &waiting, &right).await;
    assert!(page.body.contains("<h1>Overview</h1>"), "{}", page.body);

    let mut replayer = house.browser();
    let waiting = password_step(&house, &mut replayer, "alice").await;
    let replayed = second_step(&mut replayer, &waiting, &right).await;
    assert_eq!(replayed.status, StatusCode::UNAUTHORIZED, "seen once, good no more");
    let page = second_step(&mut replayer, &waiting, &recovery[0].to_lowercase()).await;
    assert!(page.body.contains("<h1>Overview</h1>"), "{}", page.body);

    let mut again = house.browser();
    let waiting = password_step(&house, &mut again, "alice").await;
    let replayed = second_step(&mut again, &waiting, &recovery[0]).await;
    assert_eq!(replayed.status, StatusCode::UNAUTHORIZED, "a recovery code is good once");
    assert_eq!(house.events("admin.second_factor_failed").await, 3);
}

#[actix_web::test]
async fn a_cookie_planted_before_the_password_gets_no_further_than_the_password() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let (app, _) = enrol(&house, &mut browser).await;
    house.advance(Duration::from_secs(60));
    let mut victim = house.browser();
    let login = victim.open(&format!("{}/admin/login", house.issuer)).await;
    let planted = victim.cookie("127.0.0.1", "russet_console").cloned().expect("a cookie");
    let fields = [("username", "alice"), ("password", PASSWORD)];
    let waiting = send(&mut victim, &login, "login-submit", &fields).await;
    let second = victim.cookie("127.0.0.1", "russet_console").cloned().expect("a cookie");
    assert_ne!(planted, second);
    let with = async |cookie: &str, path: &str| {
        let request = house.http().get(format!("{}{path}", house.issuer));
        let request = request.header("cookie", format!("russet_console={cookie}"));
        request.send().await.expect("an answer").status()
    };
    assert_eq!(with(&planted, "/admin/login/second").await, StatusCode::SEE_OTHER);
    let code = code(&house, &app);
    second_step(&mut victim, &waiting, &code).await;
    for dead in [&planted, &second] {
        assert_eq!(with(dead, "/admin").await, StatusCode::SEE_OTHER, "the old ones are dead");
        assert_eq!(with(dead, "/admin/login/second").await, StatusCode::SEE_OTHER);
    }
}

#[actix_web::test]
async fn guessing_codes_stops_after_five_wherever_it_comes_from() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut browser, _) = signed_in(&house, "alice").await;
    let (app, _) = enrol(&house, &mut browser).await;
    house.advance(Duration::from_secs(60));
    for _ in 0..5 {
        let mut guesser = house.browser();
        let waiting = password_step(&house, &mut guesser, "alice").await;
        let page = second_step(&mut guesser, &waiting, "123456").await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    }
    assert!(is_in(&house, &mut browser).await, "a session that is open goes on");
    let mut owner = house.browser();
    let waiting = password_step(&house, &mut owner, "alice").await;
    let right = code(&house, &app);
    let page = second_step(&mut owner, &waiting, &right).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "not even the right one");
    house.advance(Duration::from_secs(16 * 60));
    let waiting = password_step(&house, &mut owner, "alice").await;
    let right = code(&house, &app);
    let page = second_step(&mut owner, &waiting, &right).await;
    assert!(page.body.contains("<h1>Overview</h1>"), "{}", page.body);
}

#[actix_web::test]
async fn where_a_second_factor_is_required_nothing_else_can_be_done_without() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    admin(&house, "bob", Role::Admin).await;
    let (mut bob, bobs_page) = signed_in(&house, "bob").await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let settings = browser_page(&house, &mut alice, "/admin/settings").await;
    let fields = [("audit_retention_days", "0"), ("require_second_factor", "true")];
    let led = send(&mut alice, &settings, "settings-save", &fields).await;
    assert_eq!(led.url.path(), "/admin/profile/totp", "the owner too");
    for path in ["/admin", "/admin/clients", "/admin/clients/new/web", "/admin/admins"] {
        let page = browser_page(&house, &mut bob, path).await;
        assert_eq!(page.url.path(), "/admin/profile/totp", "{path}");
    }
    let token = bobs_page.forms()[0].fields[0].1.clone();
    let cookie = bob.cookie("127.0.0.1", "russet_console").cloned().expect("a cookie");
    let request = house.http().post(format!("{}/admin/clients/new/web", house.issuer));
    let request = request.header("cookie", format!("russet_console={cookie}"));
    let answer = request.form(&[("csrf", &token)]).send().await.expect("an answer");
    assert_eq!(answer.headers()["location"], "/admin/profile/totp");
    enrol(&house, &mut bob).await;
    assert!(is_in(&house, &mut bob).await);
    let profile = browser_page(&house, &mut bob, "/admin/profile").await;
    let kept = send(&mut bob, &profile, "totp-remove", &[]).await;
    assert_eq!(kept.status, StatusCode::UNPROCESSABLE_ENTITY, "the last one stays");
    assert!(is_in(&house, &mut bob).await);
}

async fn browser_page(house: &House, browser: &mut Browser, path: &str) -> Page {
    browser.open(&format!("{}{path}", house.issuer)).await
}

#[actix_web::test]
async fn a_dangerous_act_wants_a_fresh_proof_and_keeps_what_was_typed() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let settings = browser_page(&house, &mut alice, "/admin/settings").await;
    house.advance(Duration::from_secs(11 * 60));
    let fields = [("audit_retention_days", "30")];
    let asked = send(&mut alice, &settings, "settings-save", &fields).await;
    assert_eq!(asked.status, StatusCode::FORBIDDEN);
    assert!(asked.body.contains("<h1>Is it still you?</h1>"), "{}", asked.body);
    let administration = &house.broker.broker.administration;
    assert_eq!(administration.settings().await.expect("settings").0.audit_retention_days, 0);

    let before = alice.cookie("127.0.0.1", "russet_console").cloned().expect("a cookie");
    let mut form = asked.forms().into_iter().find(|f| f.text.contains("prove-submit")).unwrap();
    form.fields.retain(|(name, _)| name != "password");
    form.fields.push(("password".into(), "wrong".into()));
    let wrong = alice.submit(&asked, &form).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let mut form = wrong.forms().into_iter().find(|f| f.text.contains("prove-submit")).unwrap();
    form.fields.retain(|(name, _)| name != "password");
    form.fields.push(("password".into(), PASSWORD.into()));
    let offered = alice.submit(&wrong, &form).await;
    assert!(offered.body.contains("Go on where you were"), "{}", offered.body);
    let after = alice.cookie("127.0.0.1", "russet_console").cloned().expect("a cookie");
    assert_ne!(before, after, "another cookie at every proof");
    alice.submit(&offered, &offered.forms()[0]).await;
    assert_eq!(administration.settings().await.expect("settings").0.audit_retention_days, 30);
    assert_eq!(house.events("admin.step_up_failed").await, 1);
    assert_eq!(house.events("admin.stepped_up").await, 1);

    house.advance(Duration::from_secs(11 * 60));
    let asked = browser_page(&house, &mut alice, "/admin/settings").await;
    assert_eq!(asked.url.path(), "/admin/settings", "looking is no danger");
    let asked = browser_page(&house, &mut alice, "/admin/profile/totp").await;
    assert_eq!(asked.url.path(), "/admin/prove");
}

#[actix_web::test]
async fn an_owner_resets_the_factors_of_somebody_who_lost_them() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    admin(&house, "bob", Role::Admin).await;
    let (mut bob, _) = signed_in(&house, "bob").await;
    enrol(&house, &mut bob).await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let page = browser_page(&house, &mut alice, "/admin/admins/bob").await;
    assert!(page.body.contains("codes from an app"), "{}", page.body);
    let done = send(&mut alice, &page, "factors-reset", &[]).await;
    assert!(done.body.contains("Their second factors are removed"), "{}", done.body);
    assert!(!is_in(&house, &mut bob).await, "their sessions end");
    let (mut bob, page) = signed_in(&house, "bob").await;
    assert_eq!(page.url.path(), "/admin");
    assert!(is_in(&house, &mut bob).await);
    assert_eq!(house.events("admin.factors_reset").await, 1);
}

#[actix_web::test]
async fn another_password_ends_ones_other_sessions() {
    let house = House::new().await;
    admin(&house, "alice", Role::Viewer).await;
    let (mut here, _) = signed_in(&house, "alice").await;
    let (mut there, _) = signed_in(&house, "alice").await;
    let profile = browser_page(&house, &mut here, "/admin/profile").await;
    let wrong = [("password", "wrong"), ("new_password", "another long password")];
    let page = send(&mut here, &profile, "password-save", &wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let right = [("password", PASSWORD), ("new_password", "another long password")];
    let page = send(&mut here, &profile, "password-save", &right).await;
    assert!(page.body.contains("Your password is changed"), "{}", page.body);
    assert!(is_in(&house, &mut here).await && !is_in(&house, &mut there).await);
}

#[actix_web::test]
async fn of_two_owners_who_change_an_account_the_second_is_told() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    admin(&house, "bob", Role::Viewer).await;
    let (mut alice, _) = signed_in(&house, "alice").await;
    let form = browser_page(&house, &mut alice, "/admin/admins/bob").await;
    let saved = send(&mut alice, &form, "admin-save", &[("role", "admin")]).await;
    assert!(saved.body.contains("Saved."), "{}", saved.body);
    let late = send(&mut alice, &form, "admin-save", &[("role", "editor")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("Somebody else saved first"), "{}", late.body);
    assert!(late.body.contains("<code>admin:alice</code> changed it"), "{}", late.body);
    let row = "<td class=\"lines\">admin</td><td class=\"lines\">editor</td>";
    assert!(late.body.contains(row), "{}", late.body);
}
