//! Clients and APIs.

use super::*;
use crate::protocol::client_settings::ApiSettings;

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
        let account = NewAdmin {
            username: house.name("x"),
            role: Role::Owner,
            password: Some(password.clone()),
        };
        let api = NewApi {
            identifier: "https://x.example".to_owned(),
            name: "x".to_owned(),
            scopes: Vec::new(),
            access_token_ttl: None,
            signing_alg: None,
            settings: ApiSettings::default(),
        };
        let outcomes = [
            admin.create_client(&eve, new).await.map(drop),
            admin.update_client(&eve, &id, ClientChange::default()).await.map(drop),
            admin.rotate_client_secret(&eve, &id, SECRET_OVERLAP).await.map(drop),
            admin.delete_client(&eve, &id, None).await,
            admin.create_api(&eve, api).await.map(drop),
            admin.update_api(&eve, "x", ApiChange::default()).await.map(drop),
            admin.delete_api(&eve, "x", None).await,
            admin.create_admin(&eve, account).await.map(drop),
            admin.reset_admin_password(&eve, "x", password).await,
            admin.set_user_disabled(&eve, "x", true, None).await.map(drop),
            admin.delete_user(&eve, "x").await.map(|_| ()),
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
            settings: ApiSettings::default(),
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
        assert_eq!(
            fields(admin.delete_api(&cli, &identifier, None).await.unwrap_err()),
            ["identifier"]
        );
        admin.delete_client(&cli, &client.client_id, None).await.expect("deleting");
        admin.delete_api(&cli, &identifier, None).await.expect("deleting");
        assert!(matches!(admin.find_api(&identifier).await, Err(AdminError::NotFound)));
        assert_eq!(house.events(&identifier).await, ["api.created", "api.deleted"]);
    })
    .await;
}

#[tokio::test]
async fn clients_are_listed_by_page() {
    on_both(async |house| {
        let id = house.web_client().await.client.client_id;
        let query = ListQuery { search: Some(id.to_string()), limit: 10, ..ListQuery::default() };
        let page = house.admin.list_clients(&query).await.expect("a page");
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.items[0].client_id, id);
    })
    .await;
}
