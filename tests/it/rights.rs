//! Every route of the console × every role: who gets in, who is refused, and that no form is taken
//! without its token.

use reqwest::StatusCode;
use russet::protocol::admin::{Admin, Role};
use russet::protocol::ambient::Timestamp;
use russet::protocol::client::ClientKind;
use russet::protocol::id::{AdminId, ClientId};
use russet::protocol::jose::Algorithm;
use russet::web::admin::rights::{READ, WRITE};

use crate::console::{admin, signed_in};
use crate::harness::House;
use crate::harness::browser::{Browser, Page};

fn cookie(browser: &Browser) -> String {
    let value = browser.cookie("127.0.0.1", "russet_console").expect("a cookie");
    format!("russet_console={value}")
}

/// The token of the session's forms.
pub fn token(page: &Page) -> String {
    let forms = page.forms();
    let found = forms.iter().flat_map(|form| &form.fields).find(|(name, _)| name == "csrf");
    found.expect("a token").1.clone()
}

/// An address of this route: something that is there, or could be.
fn address(house: &House, path: &str, client: &ClientId) -> String {
    let id = match path {
        _ if path.starts_with("/admin/audit") => "1",
        _ if path.starts_with("/admin/connections") => "apple",
        _ => "nobody",
    };
    let path = path
        .replace("{client_id}", client.as_str())
        .replace("{kind}", "web")
        .replace("{alg}", "RS256")
        .replace("{act}", "disable")
        .replace("{username}", "nobody")
        .replace("{handle}", "none")
        .replace("{kid}", "none")
        .replace("{secret}", "none")
        .replace("{id}", id);
    let path = path.replace("{nowhere:.*}", "nowhere/at/all").replace(['{', '}'], "");
    let query =
        if path.starts_with("/admin/apis/") { "?identifier=https://api.example.com" } else { "" };
    format!("{}{path}{query}", house.issuer)
}

/// An editor may come to the clients that are theirs.
fn account(role: Role, clients: &[ClientId]) -> Admin {
    let id = AdminId::new("a");
    let mut account = Admin::new(id, "a".to_owned(), String::new(), role, Timestamp::default());
    account.clients = clients.to_vec();
    account
}

#[actix_web::test]
async fn every_route_asks_for_the_role_that_the_table_names() {
    let house = House::new().await;
    house.api("https://api.example.com", Algorithm::Es256, &["read"]).await;
    let mine = house.client(ClientKind::Web, |_| {}).await.client.client_id;
    let other = house.client(ClientKind::Web, |_| {}).await.client.client_id;
    for role in Role::ALL {
        let name = role.as_str();
        admin(&house, name, role).await;
        let clients = if role == Role::Editor { vec![mine.clone()] } else { Vec::new() };
        give_clients(&house, name, &clients).await;
        let (browser, page) = signed_in(&house, name).await;
        let token = token(&page);
        let get = async |path: &str, client: &ClientId| {
            let request = house.http().get(address(&house, path, client));
            request.header("cookie", cookie(&browser)).send().await.expect("an answer").status()
        };
        let post = async |path: &str, client: &ClientId| {
            let request = house.http().post(address(&house, path, client));
            let request = request.header("cookie", cookie(&browser)).form(&[("csrf", &token)]);
            request.send().await.expect("an answer").status()
        };
        for client in [&mine, &other] {
            for (path, need) in READ {
                let allowed = need.allows(&account(role, &clients), Some(client.as_str()));
                let status = get(path, client).await;
                assert_eq!(
                    status != StatusCode::FORBIDDEN,
                    allowed,
                    "{role:?} GET {path}: {status}"
                );
                assert!(!status.is_server_error(), "{role:?} GET {path}: {status}");
            }
            for (path, need) in WRITE {
                // Whoever may is tried in the stories of each room: here it would be done.
                if !need.allows(&account(role, &clients), Some(client.as_str())) {
                    assert_eq!(post(path, client).await, StatusCode::FORBIDDEN, "{role:?} {path}");
                }
            }
        }
    }
    let administration = &house.broker.broker.administration;
    assert_eq!(administration.find_client(&mine).await.expect("there").version, 1);
    assert!(administration.find_api("https://api.example.com").await.is_ok());
}

async fn give_clients(house: &House, username: &str, clients: &[ClientId]) {
    if clients.is_empty() {
        return;
    }
    use sea_orm::ConnectionTrait as _;
    let database = sea_orm::Database::connect(house.database_url()).await.expect("the database");
    let list = serde_json::to_string(clients).expect("JSON");
    let sql = format!("UPDATE admins SET clients = '{list}' WHERE username = '{username}'");
    database.execute_unprepared(&sql).await.expect("set");
}

#[actix_web::test]
async fn every_route_asks_who_one_is_and_every_change_for_its_token() {
    let house = House::new().await;
    admin(&house, "alice", Role::Owner).await;
    admin(&house, "bob", Role::Owner).await;
    let client = house.client(ClientKind::Web, |_| {}).await.client.client_id;
    let (alice, _) = signed_in(&house, "alice").await;
    let (_, page) = signed_in(&house, "bob").await;
    let bobs = token(&page);
    for (path, _) in READ {
        let answer = house.http().get(address(&house, path, &client)).send().await.expect("it");
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        let location = answer.headers()["location"].to_str().expect("a location").to_owned();
        assert!(location.starts_with("/admin/login"), "{path}: {location}");
    }
    for (path, _) in WRITE {
        let url = address(&house, path, &client);
        let anonymous = house.http().post(&url).form(&[("csrf", &bobs)]).send().await.expect("it");
        assert_eq!(anonymous.status(), StatusCode::SEE_OTHER, "{path}");
        for wrong in ["", bobs.as_str()] {
            let request = house.http().post(&url).header("cookie", cookie(&alice));
            let answer = request.form(&[("csrf", wrong)]).send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        }
    }
    let administration = &house.broker.broker.administration;
    assert_eq!(administration.find_client(&client).await.expect("there").version, 1);
}
