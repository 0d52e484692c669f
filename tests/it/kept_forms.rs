//! What was typed into a form with a file is lost as little as what was typed into any other: when
//! the session ends over it, and when a fresh proof is asked for. Secrets and files are not kept, and
//! it is said that they are not.

use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

use crate::console::{PASSWORD, admin, signed_in};
use crate::console_rooms::{p8, upload};
use crate::harness::House;
use crate::harness::browser::{Browser, Page};
use crate::rights::token;
use russet::protocol::admin::Role;

/// What somebody types about a connection to a provider, and its secret.
const TYPED: [(&str, &str); 6] = [
    ("id", "school"),
    ("display_name", "School <b>"),
    ("issuer", "https://school.example"),
    ("client_id", "russet-at-school"),
    ("scopes", "openid\r\nemail"),
    ("client_secret", "typed-and-not-to-be-kept"),
];

/// Sends it as browsers do, with an empty file field.
async fn connect(house: &House, console: &Browser, csrf: &str) -> Page {
    let url = format!("{}/admin/connections/new/oidc", house.issuer);
    let mut fields = vec![("csrf", csrf)];
    fields.extend(TYPED);
    let nothing = ("private_key", "AuthKey_FIRSTKEY01.p8", &*p8());
    let answer = upload(house, console, &url, &fields, nothing).await;
    Page {
        url: Url::parse(&url).expect("an address"),
        status: answer.status(),
        headers: answer.headers().clone(),
        body: answer.text().await.expect("a page"),
    }
}

/// What is offered holds all but the secret and the file, and says that they are missing.
fn check(offered: &Page) {
    assert!(offered.body.contains("Go on where you were"), "{}", offered.body);
    let form = &offered.forms()[0];
    for (name, value) in TYPED {
        let kept = form.fields.iter().any(|(given, typed)| given == name && typed == value);
        assert_eq!(kept, name != "client_secret", "{name}: {:?}", form.fields);
    }
    assert!(!offered.body.contains("not-to-be-kept") && !offered.body.contains("PRIVATE KEY"));
    assert!(offered.body.contains("id=\"kept-missed\""), "it is said that something is missing");
}

#[actix_web::test]
async fn a_form_with_a_file_outlives_its_session_without_its_secrets() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let (mut console, page) = signed_in(&house, "alice").await;
    let csrf = token(&page);
    house.advance(Duration::from_secs(31 * 60));
    let login = connect(&house, &console, &csrf).await;
    assert_eq!(login.status, StatusCode::UNAUTHORIZED, "{}", login.body);
    assert!(login.body.contains("what you typed is kept") && !login.body.contains("not-to-be"));
    let mut sign_in = login.forms().remove(0);
    sign_in.fields.retain(|(name, _)| name != "username" && name != "password");
    sign_in.fields.push(("username".into(), "alice".into()));
    sign_in.fields.push(("password".into(), PASSWORD.into()));
    let offered = console.submit(&login, &sign_in).await;
    check(&offered);
    let form = console.submit(&offered, &offered.forms()[0]).await;
    let made = form.body.contains("School &#60;b&#62;") && form.body.contains("russet-at-school");
    assert!(made, "what was typed stands in the form or is saved: {}", form.body);
}

#[actix_web::test]
async fn a_form_with_a_file_outlives_the_question_for_a_fresh_proof() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let (mut console, page) = signed_in(&house, "alice").await;
    let csrf = token(&page);
    house.advance(Duration::from_secs(20 * 60));
    let prove = connect(&house, &console, &csrf).await;
    assert_eq!(prove.status, StatusCode::FORBIDDEN, "{}", prove.body);
    let mut proof = prove.forms().into_iter().find(|form| form.text.contains("password")).unwrap();
    proof.fields.retain(|(name, _)| name != "password");
    proof.fields.push(("password".into(), PASSWORD.into()));
    let offered = console.submit(&prove, &proof).await;
    check(&offered);
}
