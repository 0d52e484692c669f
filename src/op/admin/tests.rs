//! The acts of administrators, on SQLite and (with `RUSSET_TEST_POSTGRES`) on PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::protocol::ambient::{SeededEntropy, TestClock};
use crate::protocol::api::ApiScope;
use crate::protocol::client::{ClientKind, GrantType, TokenEndpointAuthMethod};
use crate::protocol::id::{ClientId, UserId};
use crate::protocol::secret::SecretString;
use crate::protocol::user::User;
use crate::store::clients::ListQuery;
use crate::store::events::EventQuery;

struct House {
    admin: Administration,
    clock: Arc<TestClock>,
    _directory: tempfile::TempDir,
}

impl House {
    async fn on(url: Option<&str>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let sqlite = format!("sqlite://{}/russet.db", directory.path().display());
        let store = Store::connect(url.unwrap_or(&sqlite)).await.expect("a store");
        store.migrate().await.expect("migrating");
        let clock = Arc::new(TestClock::at(Timestamp::from_secs(1_700_000_000)));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let admin = Administration::new(
            store,
            Arc::new(Vault::from_bytes(&[7; 32]).expect("a vault")),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&entropy),
            Arc::new(PasswordHasher::new(1, entropy).expect("a hasher")),
        );
        Self { admin, clock, _directory: directory }
    }

    fn name(&self, stem: &str) -> String {
        format!("{stem}-{}", ClientId::random(self.admin.entropy.as_ref()))
    }

    async fn events(&self, target: &str) -> Vec<String> {
        let query = EventQuery { target: Some(target.to_owned()), limit: 50, ..<_>::default() };
        let events = self.admin.store.list_events(&query).await.expect("events");
        events.into_iter().rev().map(|recorded| recorded.event.kind).collect()
    }

    async fn web_client(&self) -> RegisteredClient {
        let mut new = NewClient::of_kind(ClientKind::Web, "Shop");
        new.change.redirect_uris = Some(vec!["https://shop.example/cb".to_owned()]);
        self.admin.create_client(&Actor::cli(), new).await.expect("a client")
    }
}

/// A database of its own on the server that `RUSSET_TEST_POSTGRES` names.
async fn fresh_postgres() -> Option<String> {
    use sea_orm::ConnectionTrait as _;
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let server = std::env::var("RUSSET_TEST_POSTGRES").ok()?;
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("russet_admin_{}_{number}", std::process::id());
    let connection = sea_orm::Database::connect(&server).await.expect("the server");
    for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
        connection.execute_unprepared(&format!("{statement} {name}")).await.expect("a database");
    }
    connection.close().await.expect("closing");
    let mut url = url::Url::parse(&server).expect("a URL");
    url.set_path(&name);
    Some(url.into())
}

async fn on_both<F: AsyncFn(House)>(test: F) {
    test(House::on(None).await).await;
    match fresh_postgres().await {
        Some(url) => test(House::on(Some(&url)).await).await,
        None => eprintln!("SKIPPED on PostgreSQL: RUSSET_TEST_POSTGRES is not set"),
    }
}

fn viewer() -> Actor {
    Actor { name: "admin:eve".to_owned(), role: Role::Viewer, request_id: None }
}

fn fields(error: AdminError) -> Vec<&'static str> {
    match error {
        AdminError::Invalid(problems) => problems.into_iter().map(|p| p.field).collect(),
        other @ (AdminError::Forbidden { .. }
        | AdminError::NotFound
        | AdminError::Conflict
        | AdminError::Store(_)
        | AdminError::Password(_)) => panic!("not about a field: {other}"),
    }
}

#[tokio::test]
async fn a_secret_is_given_once_and_stored_as_a_hash() {
    on_both(async |house| {
        let made = house.web_client().await;
        let secret = made.client_secret.expect("a secret");
        let stored = house.admin.client_secrets(&made.client.client_id).await.expect("secrets");
        assert_eq!(stored.len(), 1);
        assert_eq!(stored[0].hash, house.admin.vault.hash(secret.expose()));
        assert_eq!(stored[0].expires_at, None);
        assert_eq!(house.events(made.client.client_id.as_str()).await, ["client.created"]);
    })
    .await;
}

#[tokio::test]
async fn a_rotated_secret_leaves_the_old_one_its_overlap() {
    on_both(async |house| {
        let made = house.web_client().await;
        let id = &made.client.client_id;
        house.clock.advance(Duration::from_secs(10));
        let overlap = Duration::from_secs(3600);
        let rotated =
            house.admin.rotate_client_secret(&Actor::cli(), id, overlap).await.expect("rotation");
        let secrets = house.admin.client_secrets(id).await.expect("secrets");
        let new = house.admin.vault.hash(rotated.client_secret.expect("a secret").expose());
        let now = house.clock.now();
        assert_eq!(secrets.len(), 2);
        for secret in secrets {
            let expected = if secret.hash == new { None } else { Some(now.plus(overlap)) };
            assert_eq!(secret.expires_at, expected);
        }
        let too_long = MAX_SECRET_OVERLAP + Duration::from_secs(1);
        let error = house.admin.rotate_client_secret(&Actor::cli(), id, too_long).await;
        assert_eq!(fields(error.expect_err("too long")), ["overlap"]);
    })
    .await;
}

#[tokio::test]
async fn two_editors_do_not_overwrite_each_other() {
    on_both(async |house| {
        let id = house.web_client().await.client.client_id;
        let rename = |name: &str| ClientChange {
            version: Some(1),
            client_name: Some(name.to_owned()),
            ..ClientChange::default()
        };
        let first = house.admin.update_client(&Actor::cli(), &id, rename("First")).await;
        assert_eq!(first.expect("the first editor").version, 2);
        let second = house.admin.update_client(&Actor::cli(), &id, rename("Second")).await;
        assert!(matches!(second, Err(AdminError::Conflict)), "{second:?}");
        let stands = house.admin.find_client(&id).await.expect("the client");
        assert_eq!((stands.client_name.as_str(), stands.version), ("First", 2));
    })
    .await;
}

#[tokio::test]
async fn a_viewer_changes_nothing() {
    on_both(async |house| {
        let id = house.web_client().await.client.client_id;
        let (admin, eve) = (&house.admin, viewer());
        let new = NewClient::of_kind(ClientKind::Machine, "x");
        let password = SecretString::from("a long enough password");
        let account =
            NewAdmin { username: house.name("x"), role: Role::Owner, password: password.clone() };
        let api = NewApi {
            identifier: "https://x.example".to_owned(),
            name: "x".to_owned(),
            scopes: Vec::new(),
            access_token_ttl: None,
            signing_alg: None,
        };
        let outcomes = [
            admin.create_client(&eve, new).await.map(drop),
            admin.update_client(&eve, &id, ClientChange::default()).await.map(drop),
            admin.rotate_client_secret(&eve, &id, SECRET_OVERLAP).await.map(drop),
            admin.delete_client(&eve, &id).await,
            admin.create_api(&eve, api).await.map(drop),
            admin.update_api(&eve, "x", ApiChange::default()).await.map(drop),
            admin.delete_api(&eve, "x").await,
            admin.create_admin(&eve, account).await.map(drop),
            admin.reset_admin_password(&eve, "x", password).await,
            admin.set_user_disabled(&eve, "x", true).await.map(drop),
            admin.delete_user(&eve, "x").await,
            admin.export_user(&eve, "x").await.map(drop),
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(AdminError::Forbidden { .. })), "{outcome:?}");
        }
        let admin_role = Actor { role: Role::Admin, ..viewer() };
        let outcome = house.admin.reset_admin_password(&admin_role, "x", "y".into()).await;
        assert!(matches!(outcome, Err(AdminError::Forbidden { needed: Role::Owner })));
    })
    .await;
}

#[tokio::test]
async fn each_broken_rule_of_a_client_is_refused() {
    on_both(async |house| {
        let refused = async |kind, change: ClientChange| {
            let mut new = NewClient::of_kind(kind, "App");
            new.change = change;
            match house.admin.create_client(&Actor::cli(), new).await {
                Ok(made) => panic!("registered {:?}", made.client),
                Err(error) => fields(error),
            }
        };
        let uris = || Some(vec!["https://shop.example/cb".to_owned()]);
        let base = || ClientChange { redirect_uris: uris(), ..<_>::default() };
        let machine = ClientKind::Machine;
        assert_eq!(refused(ClientKind::Web, ClientChange::default()).await, ["redirect_uris"]);
        assert_eq!(refused(machine, base()).await, ["redirect_uris"]);
        let change = ClientChange { require_pkce: Some(false), ..base() };
        assert_eq!(refused(ClientKind::Spa, change).await, ["require_pkce"]);
        let change = ClientChange {
            token_endpoint_auth_method: Some(TokenEndpointAuthMethod::ClientSecretPost),
            ..base()
        };
        assert_eq!(refused(ClientKind::Spa, change).await, ["token_endpoint_auth_method"]);
        let change = ClientChange {
            token_endpoint_auth_method: Some(TokenEndpointAuthMethod::None),
            ..<_>::default()
        };
        assert!(refused(machine, change).await.contains(&"token_endpoint_auth_method"));
        let change =
            ClientChange { grant_types: Some(vec![GrantType::ClientCredentials]), ..base() };
        assert!(refused(ClientKind::Spa, change).await.contains(&"grant_types"));
        let change = ClientChange { grant_types: Some(Vec::new()), ..<_>::default() };
        assert_eq!(refused(machine, change).await, ["grant_types"]);
        let change = ClientChange { scope: Some(vec!["a\"b".to_owned()]), ..<_>::default() };
        assert_eq!(refused(machine, change).await, ["scope"]);
        let unknown = format!("https://{}.example", house.name("api"));
        let change = ClientChange { resources: Some(vec![unknown.clone()]), ..<_>::default() };
        assert_eq!(refused(machine, change).await, ["resources"]);
        let change = ClientChange { default_resource: Some(Some(unknown)), ..<_>::default() };
        assert_eq!(refused(machine, change).await, ["default_resource"]);
        let bundle = |id: &str| ClientChange {
            apple_bundle_ids: Some(vec![id.to_owned()]),
            ..<_>::default()
        };
        assert_eq!(refused(ClientKind::Native, bundle("app")).await, ["apple_bundle_ids"]);
        assert_eq!(refused(machine, bundle("com.example.app")).await, ["apple_bundle_ids"]);
        let mut blank = NewClient::of_kind(machine, "\u{7}");
        blank.client_id = Some("not a client id".to_owned());
        let error = house.admin.create_client(&Actor::cli(), blank).await.expect_err("refused");
        assert_eq!(fields(error), ["client_id", "client_name"]);
    })
    .await;
}

#[tokio::test]
async fn a_taken_name_is_the_fields_fault() {
    on_both(async |house| {
        let id = house.web_client().await.client.client_id;
        let mut new = NewClient::of_kind(ClientKind::Machine, "Other");
        new.client_id = Some(id.to_string());
        let error = house.admin.create_client(&Actor::cli(), new).await.expect_err("taken");
        assert_eq!(fields(error), ["client_id"]);
    })
    .await;
}

#[tokio::test]
async fn an_api_lives_as_long_as_a_client_uses_it() {
    on_both(async |house| {
        let (admin, cli) = (&house.admin, Actor::cli());
        let identifier = format!("https://{}.example", house.name("api").to_lowercase());
        let new = NewApi {
            identifier: identifier.clone(),
            name: "Orders".to_owned(),
            scopes: vec![ApiScope { name: "orders:read".to_owned(), description: String::new() }],
            access_token_ttl: Some(60),
            signing_alg: None,
        };
        admin.create_api(&cli, new.clone()).await.expect("an API");
        assert_eq!(fields(admin.create_api(&cli, new.clone()).await.unwrap_err()), ["identifier"]);
        for (identifier, ttl, scope, field) in [
            ("not a uri", 60, "a", "identifier"),
            ("https://api.example/#x", 60, "a", "identifier"),
            ("https://api.example/1", 29, "a", "access_token_ttl"),
            ("https://api.example/2", 86_401, "a", "access_token_ttl"),
            ("https://api.example/3", 60, "a b", "scopes"),
            ("https://api.example/4", 60, "openid", "scopes"),
        ] {
            let bad = NewApi {
                identifier: identifier.to_owned(),
                access_token_ttl: Some(ttl),
                scopes: vec![ApiScope { name: scope.to_owned(), description: String::new() }],
                ..new.clone()
            };
            assert_eq!(fields(admin.create_api(&cli, bad).await.unwrap_err()), [field]);
        }
        let mut client = NewClient::of_kind(ClientKind::Machine, "Nightly");
        client.change.resources = Some(vec![identifier.clone()]);
        let client = admin.create_client(&cli, client).await.expect("a client").client;
        assert_eq!(fields(admin.delete_api(&cli, &identifier).await.unwrap_err()), ["identifier"]);
        admin.delete_client(&cli, &client.client_id).await.expect("deleting");
        admin.delete_api(&cli, &identifier).await.expect("deleting");
        assert!(matches!(admin.find_api(&identifier).await, Err(AdminError::NotFound)));
        assert_eq!(house.events(&identifier).await, ["api.created", "api.deleted"]);
    })
    .await;
}

#[tokio::test]
async fn a_console_session_has_two_limits() {
    on_both(async |house| {
        let admin = &house.admin;
        let username = house.name("owner");
        let password = SecretString::from("a long enough password");
        let new =
            NewAdmin { username: username.clone(), role: Role::Owner, password: password.clone() };
        admin.create_admin(&Actor::cli(), new).await.expect("an account");
        let sign_in = async || admin.sign_in(&username, password.clone(), None).await;

        assert!(admin.sign_in(&username, "wrong".into(), None).await.expect("no fault").is_none());
        assert!(admin.sign_in("nobody", password.clone(), None).await.expect("no fault").is_none());

        let first = sign_in().await.expect("no fault").expect("a session");
        let second = sign_in().await.expect("no fault").expect("a session");
        assert_ne!(first.cookie.expose(), second.cookie.expose(), "each sign-in is a new session");

        let cookie = second.cookie.expose();
        let is_good = async |cookie: &str| {
            admin.find_console_session(cookie).await.expect("no fault").is_some()
        };
        for _ in 0..20 {
            house.clock.advance(CONSOLE_IDLE - Duration::from_secs(1));
            assert!(is_good(cookie).await, "use moves the idle limit");
        }
        assert!(!is_good(first.cookie.expose()).await, "idle for too long");
        house.clock.advance(CONSOLE_IDLE);
        assert!(!is_good(cookie).await);

        let third = sign_in().await.expect("no fault").expect("a session");
        let mut left = CONSOLE_LIFE;
        while left > Duration::ZERO {
            let step = left.min(Duration::from_secs(600));
            house.clock.advance(step);
            left -= step;
            assert_eq!(is_good(third.cookie.expose()).await, left > Duration::ZERO);
        }

        let fourth = sign_in().await.expect("no fault").expect("a session");
        admin.sign_out(fourth.cookie.expose()).await.expect("no fault");
        assert!(!is_good(fourth.cookie.expose()).await);

        let fifth = sign_in().await.expect("no fault").expect("a session");
        let other = SecretString::from("another long password");
        admin.reset_admin_password(&Actor::cli(), &username, other).await.expect("a reset");
        assert!(!is_good(fifth.cookie.expose()).await, "a new password ends every session");
        assert!(sign_in().await.expect("no fault").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_form_token_belongs_to_one_session() {
    let admin = House::on(None).await.admin;
    let token = admin.csrf_token("cookie");
    assert!(admin.is_csrf_token("cookie", &token));
    assert!(!admin.is_csrf_token("other", &token));
    assert!(!admin.is_csrf_token("cookie", ""));
    assert_ne!(token, admin.vault.hash("cookie").to_text(), "the database does not hold it");
}

#[tokio::test]
async fn a_weak_password_or_taken_username_makes_no_account() {
    on_both(async |house| {
        let create = async |username: &str, password: &str| {
            let new = NewAdmin {
                username: username.to_owned(),
                role: Role::Viewer,
                password: password.into(),
            };
            house.admin.create_admin(&Actor::cli(), new).await
        };
        let name = house.name("ann");
        assert_eq!(fields(create("a b", "short").await.unwrap_err()), ["username", "password"]);
        create(&name, "a long enough password").await.expect("an account");
        let again = create(&name, "a long enough password").await;
        assert_eq!(fields(again.unwrap_err()), ["username"]);
    })
    .await;
}

#[tokio::test]
async fn a_person_is_found_by_sub_or_id_switched_off_exported_and_deleted() {
    on_both(async |house| {
        let admin = &house.admin;
        let (id, sub) = (house.name("id"), house.name("sub"));
        let now = house.clock.now();
        let user = User {
            id: UserId::new(id.clone()),
            sub: sub.clone(),
            name: Some("Alice".to_owned()),
            given_name: None,
            family_name: None,
            email: None,
            email_verified: false,
            is_private_email: false,
            disabled_at: None,
            created_at: now,
            updated_at: now,
        };
        let insert = user.clone();
        admin
            .store
            .write(move |tx| Box::pin(async move { tx.insert_user(&insert).await }))
            .await
            .expect("a user");
        assert_eq!(admin.find_person(&id).await.expect("by id").user, user);
        assert_eq!(admin.find_person(&sub).await.expect("by sub").user, user);
        let off = admin.set_user_disabled(&Actor::cli(), &sub, true).await.expect("switching");
        assert_eq!(off.disabled_at, Some(now));
        let export = admin.export_user(&Actor::cli(), &sub).await.expect("an export");
        assert_eq!(export["name"], "Alice");
        admin.delete_user(&Actor::cli(), &sub).await.expect("deleting");
        assert!(matches!(admin.find_person(&id).await, Err(AdminError::NotFound)));
        assert_eq!(house.events(&id).await, ["user.disabled", "user.exported", "user.deleted"]);
    })
    .await;
}

#[tokio::test]
async fn clients_are_listed_by_page() {
    on_both(async |house| {
        let id = house.web_client().await.client.client_id;
        let query = ListQuery { search: Some(id.to_string()), after: None, limit: 10 };
        let page = house.admin.list_clients(&query).await.expect("a page");
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.items[0].client_id, id);
    })
    .await;
}
