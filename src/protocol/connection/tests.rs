//! The rules of a connection, its presets, and its two documents.

use super::*;

fn apple() -> AppleMembers {
    AppleMembers {
        team_id: "TEAM123456".into(),
        key_id: "KEY1234567".into(),
        next_key_id: None,
        services_id: Some("com.example.web".into()),
        bundle_ids: Vec::new(),
        primary_app_id: None,
        mail_sender_domain: None,
        issuer: APPLE_ISSUER.into(),
        additional_issuers: Vec::new(),
        pkce: true,
        link_by_verified_email: false,
    }
}

fn of(settings: ConnectionSettings) -> Connection {
    Connection {
        id: ConnectionId::new("second"),
        display_name: "Second".into(),
        position: 0,
        enabled: true,
        settings,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        version: 1,
    }
}

fn fields(connection: &Connection) -> Vec<&'static str> {
    problems(connection).into_iter().map(|(field, _)| field).collect()
}

#[test]
fn a_good_connection_has_no_problem() {
    assert_eq!(problems(&of(ConnectionSettings::Apple(apple()))), []);
    for name in PRESETS {
        let mut settings = preset(name, None).unwrap().settings;
        match &mut settings {
            ConnectionSettings::Oidc(oidc) => oidc.client_id = "russet".into(),
            ConnectionSettings::Github(github) => github.client_id = "russet".into(),
            ConnectionSettings::Apple(_) => {}
        }
        assert_eq!(problems(&of(settings)), [], "{name}");
    }
}

#[test]
fn each_rule_names_its_member() {
    let with = |change: fn(&mut AppleMembers)| {
        let mut members = apple();
        change(&mut members);
        fields(&of(ConnectionSettings::Apple(members)))
    };
    assert_eq!(with(|a| a.team_id = "short".into()), ["team_id"]);
    assert_eq!(with(|a| a.team_id = "team123456".into()), ["team_id"]);
    assert_eq!(with(|a| a.key_id = "KEY 234567".into()), ["key_id"]);
    assert_eq!(with(|a| a.next_key_id = Some("x".into())), ["next_key_id"]);
    assert_eq!(with(|a| a.next_key_id = Some("KEY1234567".into())), ["next_key_id"]);
    assert_eq!(with(|a| a.services_id = None), ["services_id"]);
    assert_eq!(with(|a| a.bundle_ids = vec!["x".into()]), ["bundle_ids"]);
    assert_eq!(with(|a| a.additional_issuers = vec!["x".into()]), ["additional_issuers"]);
    assert_eq!(with(|a| a.issuer = "http://apple.example".into()), ["issuer"]);
    let mut connection = of(ConnectionSettings::Apple(apple()));
    connection.id = ConnectionId::new("No/Slash");
    connection.display_name = " ".into();
    assert_eq!(fields(&connection), ["id", "display_name"]);
}

#[test]
fn a_tenant_makes_the_issuer() {
    let ConnectionSettings::Oidc(common) = preset("microsoft", None).unwrap().settings else {
        panic!("an OpenID Provider");
    };
    assert_eq!(common.issuer, "https://login.microsoftonline.com/common/v2.0");
    assert!(common.issuer_template.is_some());
    let one = preset("microsoft", Some("11111111-2222-3333-4444-555555555555")).unwrap();
    let ConnectionSettings::Oidc(one) = one.settings else { panic!("an OpenID Provider") };
    assert!(one.issuer.contains("/11111111-2222-3333-4444-555555555555/"));
    assert_eq!(one.issuer_template, None);
}

#[test]
fn secrets_come_back_and_do_not_print() {
    let secrets =
        ConnectionSecrets { client_secret: Some("hush".into()), ..ConnectionSecrets::default() };
    assert!(!format!("{secrets:?}").contains("hush"));
    let back: ConnectionSecrets = serde_json::from_slice(secrets.to_bytes().expose()).unwrap();
    assert_eq!(back.client_secret.unwrap().expose(), "hush");
    assert!(back.private_key.is_none());
}

#[test]
fn settings_are_one_document_with_their_kind() {
    let settings = ConnectionSettings::Apple(apple());
    let text = serde_json::to_string(&settings).unwrap();
    assert!(text.starts_with("{\"kind\":\"apple\""), "{text}");
    assert_eq!(serde_json::from_str::<ConnectionSettings>(&text).unwrap(), settings);
    let little = r#"{"kind":"oidc","issuer":"https://op.example","client_id":"c"}"#;
    let ConnectionSettings::Oidc(read) = serde_json::from_str(little).unwrap() else {
        panic!("an OpenID Provider");
    };
    assert_eq!(read.scopes, ["openid", "profile", "email"]);
    assert_eq!(read.claims, ClaimRules::default());
}
