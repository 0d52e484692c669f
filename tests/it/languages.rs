//! Pages in the language of whoever reads them: `ui_locales` (OIDC Core §3.1.2.1), else
//! `Accept-Language` (RFC 9110 §12.5.4).

use russet::protocol::client::ClientKind;
use russet::protocol::metadata::UI_LOCALES;

use crate::harness::House;
use crate::local_accounts;

async fn page_for(house: &House, path: &str, accept: &str) -> (reqwest::header::HeaderMap, String) {
    let request = house.http().get(format!("{}{path}", house.issuer));
    let answer = request.header("accept-language", accept).send().await.unwrap();
    (answer.headers().clone(), answer.text().await.unwrap())
}

#[tokio::test]
async fn discovery_lists_the_languages_and_each_is_spoken() {
    let house = House::new().await;
    let metadata = house.metadata().await;
    assert_eq!(metadata["ui_locales_supported"], serde_json::json!(UI_LOCALES));
    for tag in UI_LOCALES {
        let (headers, body) = page_for(&house, "/account", tag).await;
        assert_eq!(headers["content-language"], tag);
        assert!(headers["vary"].to_str().unwrap().contains("accept-language"));
        assert!(body.contains(&format!("<html lang=\"{tag}\"")), "{tag}: {body}");
        assert_eq!(body.contains(" dir=\"rtl\""), tag == "ar", "{tag}");
    }
    let (headers, body) = page_for(&house, "/nowhere", "da, sv;q=0.5, fr;q=0.2").await;
    assert_eq!(headers["content-language"], "fr");
    assert!(body.contains("Il n’y a rien ici"));
    let (headers, _) = page_for(&house, "/account?ui_locales=ko", "de").await;
    assert_eq!(headers["content-language"], "ko", "the wish counts first");
}

#[tokio::test]
async fn the_wish_of_a_request_goes_with_it_from_page_to_page() {
    let house = local_accounts::house().await;
    let app = house
        .client(ClientKind::Web, |client| {
            client.first_party = false;
            client.client_name = "Demo & Co".to_owned();
        })
        .await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid email").with("ui_locales", "se de-AT");
    let choose = browser.open(&app.authorize_url(&attempt)).await;
    assert!(!choose.url.as_str().contains("ui_locales"), "{}", choose.url);
    assert!(choose.body.contains("<html lang=\"de\">"), "{}", choose.body);
    assert!(choose.body.contains("Mit Apple fortfahren"));
    let wrong = local_accounts::type_in(&mut browser, &choose, "ada", "wrong").await;
    assert!(wrong.body.contains("Benutzername oder Passwort ist falsch."), "{}", wrong.body);
    let password = local_accounts::PASSWORD;
    let consent = local_accounts::type_in(&mut browser, &wrong, "ada", password).await;
    assert!(consent.body.contains("<strong>Demo &#38; Co</strong>"), "{}", consent.body);
    assert!(consent.body.contains("Ihre E-Mail-Adresse sehen"));
    let end = browser.press(&consent, "consent-allow").await;
    assert!(end.query("code").is_some(), "{}", end.url);
}

#[tokio::test]
async fn the_page_on_the_way_back_from_apple_speaks_it_too() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid").with("ui_locales", "ar");
    let apple = browser.open(&app.authorize_url(&attempt)).await;
    let form = apple.forms().into_iter().find(|form| form.text.contains("Ada")).unwrap();
    let mut page = browser.submit(&apple, &form).await;
    // Apple's own page sends itself on to ours.
    while page.url.host_str() != Some("127.0.0.1") {
        let form = page.forms().remove(0);
        page = browser.submit(&page, &form).await;
    }
    assert!(page.body.contains("<html lang=\"ar\" dir=\"rtl\">"), "{}", page.body);
    let end = browser.run_scripts(page).await;
    assert!(end.query("code").is_some(), "{}", end.url);
}

#[tokio::test]
async fn a_repeated_wish_is_malformed_and_an_endless_one_is_none() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let url = app.authorize_url(&app.attempt("openid").with("ui_locales", "de"));
    let mut browser = house.browser();
    let end = browser.open(&format!("{url}&ui_locales=fr")).await;
    assert_eq!(end.query("error").as_deref(), Some("invalid_request"));
    let attempt = app.attempt("openid").with("ui_locales", &"de ".repeat(500));
    let page = browser.open(&app.authorize_url(&attempt)).await;
    assert_eq!(page.status, 200, "on to Apple all the same");
}

#[tokio::test]
async fn the_page_that_posts_the_answer_and_those_of_a_device_speak_it_too() {
    let house = local_accounts::house().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid").with("response_mode", "form_post").with("ui_locales", "ar");
    let choose = browser.open(&app.authorize_url(&attempt)).await;
    let password = local_accounts::PASSWORD;
    let posting = local_accounts::type_in(&mut browser, &choose, "ada", password).await;
    assert!(posting.body.contains("id=\"form-post-continue\""), "{}", posting.body);
    assert!(posting.body.contains("<html lang=\"ar\" dir=\"rtl\">"), "{}", posting.body);

    let device = house.client(ClientKind::Device, |_| {}).await;
    let asked = [("scope", "openid"), ("ui_locales", "fr")];
    let waiting = device.post("/device_authorization", &asked).await;
    let mut page = browser.open(waiting.text("verification_uri_complete")).await;
    for button in ["device-continue", "device-allow"] {
        assert!(page.body.contains("<html lang=\"fr\">"), "{button}: {}", page.body);
        page = browser.press(&page, button).await;
    }
    assert!(page.url.path().ends_with("/device/done"), "{}", page.url);
    assert!(page.body.contains("<html lang=\"fr\">"), "{}", page.body);
    let (headers, _) = page_for(&house, "/logout?ui_locales=ko", "de").await;
    assert_eq!(headers["content-language"], "ko");
}
