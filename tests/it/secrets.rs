//! A stolen database holds nothing that can be used: security.md P1, P2.

use russet::protocol::client::ClientKind;

use crate::harness::House;

#[tokio::test]
async fn no_secret_that_was_handed_out_stands_in_the_database() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    let mut browser = house.browser();
    let attempt = app.attempt("openid profile offline_access");
    let end = app.sign_in(&mut browser, &attempt, "Ada Lovelace").await;
    let code = end.query("code").unwrap();
    let tokens = app.redeem(&attempt, &code).await;
    let renewed = app.refresh(tokens.text("refresh_token")).await;
    let pending = app.sign_in(&mut browser, &app.attempt("openid"), "Ada Lovelace").await;
    let secrets = [
        app.secret.clone().unwrap(),
        code,
        pending.query("code").unwrap(),
        tokens.text("access_token").to_owned(),
        tokens.text("refresh_token").to_owned(),
        renewed.text("refresh_token").to_owned(),
        tokens.text("id_token").to_owned(),
        browser.cookie("127.0.0.1", "russet_session").unwrap().clone(),
        browser.cookie("127.0.0.1", "russet_browser").unwrap().clone(),
        "PRIVATE KEY".to_owned(),
    ];
    let mut searched = 0;
    for entry in std::fs::read_dir(house.database_directory()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        searched += bytes.len();
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{}… stands in the database", &secret[..6]);
        }
    }
    assert!(searched > 50_000, "the database was read");
}
