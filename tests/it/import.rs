//! People brought from elsewhere: the first sign-in finds them.

use std::fmt::Write as _;

use russet::op::admin::Actor;
use russet::op::admin::import::{Contents, Report, Source};
use russet::protocol::client::ClientKind;
use russet::protocol::id::ConnectionId;
use russet::simulator::Account;

use crate::harness::app::claims;
use crate::harness::{House, TEAM};
use crate::on_each_engine;

fn ada() -> String {
    Account::samples().into_iter().find(|account| account.id == "ada").unwrap().sub(TEAM)
}

async fn import(house: &House, table: &str, dry_run: bool) -> Report {
    let contents = Contents::read(Source::Csv, table).unwrap();
    let administration = &house.broker.broker.administration;
    let connection = ConnectionId::new("apple");
    let authority = format!("apple:{TEAM}");
    administration
        .import_people(&Actor::cli(), &authority, &connection, contents, dry_run)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_first_sign_in_finds_the_person_who_was_brought() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let table = format!(
            "sub,email,email_verified,name,given_name,family_name\n\
             {},old@example.com,true,Augusta Ada King,Augusta,King\n",
            ada()
        );
        let would = import(&house, &table, true).await;
        assert_eq!((would.new, would.dry_run), (1, true));
        let none = house.store().find_identity(&format!("apple:{TEAM}"), &ada()).await.unwrap();
        assert!(none.is_none(), "a dry run writes nothing");
        assert_eq!(import(&house, &table, false).await.new, 1);
        let brought = house.store().find_identity(&format!("apple:{TEAM}"), &ada()).await;
        let brought = brought.unwrap().expect("an identity");

        let tokens = app.tokens(&mut house.browser(), "openid profile email", "Ada").await;
        let sub = claims(tokens.text("id_token"))["sub"].as_str().unwrap().to_owned();
        let user = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
        assert_eq!(user.id, brought.user_id, "no second account");
        assert_eq!(user.name.as_deref(), Some("Augusta Ada King"), "the name that was brought");
        assert_eq!(user.email.as_deref(), Some("ada@example.com"), "the address Apple signs");
        assert_eq!(house.events("user.created").await, 0);

        let again = import(&house, &table, false).await;
        assert_eq!((again.new, again.already_there), (0, 1));
        let after = house.store().find_user_by_sub(&sub).await.unwrap().unwrap();
        assert_eq!(after, user, "what is there is left as it is");
    });
}

#[tokio::test]
async fn somebody_elses_address_links_nobody() {
    let house = House::new().await;
    let app = house.client(ClientKind::Web, |_| {}).await;
    app.tokens(&mut house.browser(), "openid email", "Ada").await;
    let table = "sub,email,email_verified\n001234.other.0815,ada@example.com,true\n";
    assert_eq!(import(&house, table, false).await.new, 1);
    let ada = house.store().find_identity(&format!("apple:{TEAM}"), &ada()).await.unwrap().unwrap();
    let other =
        house.store().find_identity(&format!("apple:{TEAM}"), "001234.other.0815").await.unwrap();
    assert_ne!(other.unwrap().user_id, ada.user_id);
}

#[tokio::test]
async fn ten_thousand_come_in_batches_and_once() {
    on_each_engine!(house, {
        let mut table = "sub,email,email_verified,name\n".to_owned();
        for number in 0..10_000 {
            let _ = writeln!(table, "s{number},p{number}@example.com,true,Person {number}");
        }
        let _ = writeln!(table, "s5,p5@example.com,true,Person 5\ns6,,,Another\n,x@example.com,,");
        // A first run that was cut off after some thousand.
        let first: Vec<&str> = table.lines().take(3_001).collect();
        assert_eq!(import(&house, &first.join("\n"), false).await.new, 3_000);
        let report = import(&house, &table, false).await;
        assert_eq!((report.new, report.already_there), (7_000, 2_999));
        assert_eq!((report.conflicting.len(), report.unusable.len()), (1, 1));
        assert_eq!(report.unusable[0].line, 10_004);
        let would = import(&house, &table, true).await;
        assert_eq!((would.new, would.already_there), (0, 9_999));
        let last = house.store().find_identity(&format!("apple:{TEAM}"), "s9999").await.unwrap();
        assert!(last.is_some());
    });
}
