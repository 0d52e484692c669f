//! Somebody is signed out in the moment in which an app is given its tokens: whoever comes first,
//! nothing lives on.

use russet::op::admin::Actor;
use russet::protocol::client::ClientKind;
use russet::protocol::id::UserId;
use russet::store::people::PeopleQuery;

use crate::harness::House;
use crate::harness::app::{App, Attempt};
use crate::on_each_engine;

/// What ends.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Session,
    Everything,
    Person,
}

async fn end(house: &House, user_id: &UserId, ends: Ends) {
    let administration = &house.broker.broker.administration;
    let actor = Actor::cli();
    match ends {
        Ends::Session => {
            let signed = administration.signed(user_id).await.expect("what is alive");
            let session = signed.sessions.first().expect("a session");
            administration.end_session(&actor, &session.id).await.expect("an ending");
        }
        Ends::Everything => {
            administration.sign_out_person(&actor, user_id).await.expect("an ending");
        }
        Ends::Person => {
            administration
                .set_user_disabled(&actor, user_id.as_str(), true, None)
                .await
                .expect("an ending");
        }
    }
}

async fn code_of(app: &App, house: &House) -> (Attempt, String) {
    let attempt = app.attempt("openid offline_access");
    let end = app.sign_in(&mut house.browser(), &attempt, "Ada Lovelace").await;
    let code = end.query("code").unwrap_or_else(|| panic!("no code at {}", end.url));
    (attempt, code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_redeems_while_its_person_is_signed_out_is_left_with_nothing() {
    on_each_engine!(house, {
        let app = house.client(ClientKind::Web, |_| {}).await;
        let mut user_id = None;
        for ends in [Ends::Session, Ends::Everything].repeat(4).into_iter().chain([Ends::Person]) {
            let (attempt, code) = code_of(&app, &house).await;
            if user_id.is_none() {
                let people = house
                    .store()
                    .list_people(&PeopleQuery { limit: 9, ..PeopleQuery::default() })
                    .await
                    .unwrap();
                user_id = people.items.first().map(|user| user.id.clone());
            }
            let user_id = user_id.as_ref().expect("a person");
            let (answer, ()) =
                tokio::join!(app.redeem(&attempt, &code), end(&house, user_id, ends));
            if answer.status == 200 {
                let refused = app.refresh(answer.text("refresh_token")).await;
                assert_eq!(refused.error(), "400 invalid_grant", "{ends:?}");
            } else {
                assert_eq!(answer.error(), "400 invalid_grant", "{ends:?}");
            }
            let left = house.store().list_living_grants(user_id, house.now()).await.unwrap();
            assert_eq!(left, [], "{ends:?}");
        }
    });
}
