//! Claim rules as rows of a form: added, tried on somebody and saved without a script.

use russet::protocol::admin::Role;
use russet::protocol::client::ClientKind;
use serde_json::{Value, json};

use crate::console::{admin, signed_in};
use crate::harness::House;
use crate::harness::browser::{Browser, Form, Page};

/// The value of a claim, as it stands on a page.
const STAFF: &str = "&#34;staff&#34;";

/// Presses one of the buttons between the rows, with these fields filled in.
async fn press(browser: &mut Browser, page: &Page, act: &str, fields: &[(&str, &str)]) -> Page {
    let mut form = the_form(page);
    for (name, value) in fields {
        form.fill(name, value);
    }
    if !act.is_empty() {
        form.fields.push(("claims.act".to_owned(), act.to_owned()));
    }
    browser.submit(page, &form).await
}

/// The form with the rows.
fn the_form(page: &Page) -> Form {
    page.filled_form("claims.rows")
}

#[actix_web::test]
async fn a_rule_is_added_tried_on_somebody_and_saved() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let app = house.client(ClientKind::Web, |client| client.first_party = true).await;
    let mut person = house.browser();
    let attempt = app.attempt("openid email");
    app.sign_in(&mut person, &attempt, "Ada Lovelace").await;
    let rules = async || -> Value {
        let administration = &house.broker.broker.administration;
        let client = administration.find_client(&app.client.client_id).await.expect("there");
        json!(client.settings.claims)
    };
    let (mut console, _) = signed_in(&house, "alice").await;
    let edit = format!("{}/admin/clients/{}/edit", house.issuer, app.client_id());
    let page = console.open(&edit).await;
    let page = press(&mut console, &page, "add", &[("client_name", "Renamed")]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("value=\"Renamed\""), "what was typed elsewhere is kept");
    let filled = [
        ("claims.0.claim", "groups"),
        ("claims.0.source", "value"),
        ("claims.0.text", r#"["staff"]"#),
        ("claims.0.when.0", "user.email_domain"),
        ("claims.0.is.0", "example.com, example.org"),
        ("claims.person", "Ada"),
    ];
    let page = press(&mut console, &page, "look", &filled).await;
    assert!(page.body.contains("Ada Lovelace"), "{}", page.body);
    assert_eq!(page.body.matches(STAFF).count(), 5, "row, JSON and three places: {}", page.body);
    assert_eq!(rules().await, json!([]), "nothing is saved by a look");
    let elsewhere = press(&mut console, &page, "look", &[("claims.0.is.0", "other.example")]).await;
    assert_eq!(elsewhere.body.matches(STAFF).count(), 2, "she is not there");
    let nobody = press(&mut console, &page, "look", &[("claims.person", "Nobody at all")]).await;
    assert!(nobody.body.contains("Nobody is called “Nobody at all”"), "{}", nobody.body);

    let saved = press(&mut console, &page, "", &[]).await;
    assert!(saved.body.contains("Saved."), "{}", saved.body);
    let wanted = json!([{
        "claim": "groups",
        "value": ["staff"],
        "when": { "user.email_domain": ["example.com", "example.org"] },
    }]);
    assert_eq!(rules().await, wanted);
    let again = console.open(&edit).await;
    let same = press(&mut console, &again, "", &[]).await;
    assert!(same.body.contains("Saved."), "{}", same.body);
    assert_eq!(rules().await, wanted, "saved as it is shown");

    let again = console.open(&edit).await;
    let refused = press(&mut console, &again, "", &[("claims.0.claim", "sub")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("is protected"), "{}", refused.body);
    let gone = press(&mut console, &again, "remove:0", &[]).await;
    assert!(!the_form(&gone).text.contains("claims.0.claim"));
    press(&mut console, &gone, "", &[]).await;
    assert_eq!(rules().await, json!([]));
}

#[actix_web::test]
async fn an_apis_rules_are_tried_before_it_is_registered() {
    let house = House::new().await;
    admin(&house, "alice", Role::Admin).await;
    let app = house.client(ClientKind::Web, |client| client.first_party = true).await;
    let mut person = house.browser();
    app.sign_in(&mut person, &app.attempt("openid email"), "Ada Lovelace").await;
    let (mut console, _) = signed_in(&house, "alice").await;
    let page = console.open(&format!("{}/admin/apis/new", house.issuer)).await;
    let fields = [("identifier", "https://orders.example"), ("name", "Orders"), ("scopes", "read")];
    let page = press(&mut console, &page, "add", &fields).await;
    let filled = [
        ("claims.0.claim", "tenant"),
        ("claims.0.source", "user.email_domain"),
        ("claims.person", "Ada"),
    ];
    let page = press(&mut console, &page, "look", &filled).await;
    assert!(page.body.contains("&#34;tenant&#34;: &#34;example.com&#34;"), "{}", page.body);
    let saved = press(&mut console, &page, "", &[]).await;
    assert!(saved.body.contains("Registered."), "{}", saved.body);
    let api = house.store().find_api("https://orders.example").await.unwrap().unwrap();
    assert_eq!(
        json!(api.settings.claims),
        json!([{ "claim": "tenant", "from": "user.email_domain" }])
    );
}
