//! Each rule of claim mapping with its refusal.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ambient::Timestamp;
use crate::client::ClientKind;
use crate::id::ClientId;

fn user() -> User {
    serde_json::from_value(json!({
        "id": "u", "sub": "s", "name": "Ada Lovelace", "given_name": "Ada", "family_name": null,
        "email": "ada@Example.COM", "email_verified": true, "is_private_email": false,
        "disabled_at": null, "created_at": 0, "updated_at": 0,
    }))
    .unwrap()
}

fn client() -> Client {
    Client::of_kind(ClientId::new("shop"), ClientKind::Web, Timestamp::default())
}

fn rules(value: Value) -> Vec<ClaimRule> {
    serde_json::from_value(value).unwrap()
}

fn told(value: Value, user: Option<&User>, target: Target) -> Value {
    let client = client();
    let scope = ["openid".to_owned(), "groups".to_owned()];
    let facts = Facts { user, client: &client, scope: &scope, connection: Some("apple") };
    Value::Object(apply(&rules(value), &facts, target))
}

#[test]
fn a_claim_comes_from_an_attribute_a_value_or_a_template() {
    let given = json!([
        { "claim": "domain", "from": "user.email_domain" },
        { "claim": "groups", "value": ["staff"] },
        { "claim": "handle", "template": "{user.given_name}.{{{connection}}}@{client.client_id}" },
        { "claim": "verified", "template": "{user.email_verified}" },
    ]);
    assert_eq!(
        told(given, Some(&user()), Target::IdToken),
        json!({
            "domain": "example.com", "groups": ["staff"], "handle": "Ada.{apple}@shop",
            "verified": "true",
        })
    );
}

#[test]
fn what_is_not_known_is_left_out() {
    let given = json!([
        { "claim": "a", "from": "user.family_name" },
        { "claim": "b", "template": "{user.given_name} {user.family_name}" },
        { "claim": "c", "from": "client.client_name" },
    ]);
    assert_eq!(told(given.clone(), Some(&user()), Target::Userinfo), json!({ "c": "shop" }));
    assert_eq!(told(given, None, Target::AccessToken), json!({ "c": "shop" }));
}

#[test]
fn an_address_nobody_vouches_for_is_none() {
    let mut user = user();
    user.email_verified = false;
    let given = json!([
        { "claim": "a", "from": "user.email" },
        { "claim": "b", "from": "user.email_domain" },
        { "claim": "c", "value": 1, "when": { "user.email_domain": "example.com" } },
    ]);
    assert_eq!(told(given, Some(&user), Target::IdToken), json!({}));
}

#[test]
fn conditions_and_targets_hold_together_and_the_first_rule_counts() {
    let given = json!([
        { "claim": "role", "value": "admin", "when": { "user.email_domain": ["example.org"] } },
        {
            "claim": "role", "value": "staff", "to": ["access_token"],
            "when": { "user.email_domain": ["example.org", "example.com"],
                      "user.is_private_email": false },
        },
        { "claim": "role", "value": "guest" },
        { "claim": "groups", "value": [], "scope": "groups" },
        { "claim": "more", "value": 1, "scope": "more" },
    ]);
    let access = told(given.clone(), Some(&user()), Target::AccessToken);
    assert_eq!(access, json!({ "role": "staff", "groups": [] }));
    let id = told(given, Some(&user()), Target::IdToken);
    assert_eq!(id, json!({ "role": "guest", "groups": [] }));
}

#[test]
fn protected_claims_and_unsound_rules_are_refused() {
    for claim in PROTECTED {
        let rule = &rules(json!([{ "claim": claim, "value": "x" }]))[0];
        assert!(rule.problem().is_some(), "{claim}");
        assert_eq!(
            told(json!([{ "claim": claim, "value": "x" }]), Some(&user()), Target::IdToken),
            json!({})
        );
    }
    for bad in [
        json!({ "claim": "", "value": 1 }),
        json!({ "claim": "a b", "value": 1 }),
        json!({ "claim": "a" }),
        json!({ "claim": "a", "value": 1, "from": "user.name" }),
        json!({ "claim": "a", "value": "x".repeat(2_000) }),
        json!({ "claim": "a", "value": 1, "when": { "user.name": {} } }),
        json!({ "claim": "a", "value": 1, "when": { "user.name": [] } }),
        json!({ "claim": "a", "value": 1, "when": { "user.name": null } }),
    ] {
        let rule: ClaimRule = serde_json::from_value(bad.clone()).unwrap();
        assert!(rule.problem().is_some(), "{bad}");
    }
    for unread in [
        json!({ "claim": "a", "from": "user.password" }),
        json!({ "claim": "a", "value": 1, "when": { "env.HOME": "x" } }),
        json!({ "claim": "a", "template": "{user.nothing}" }),
        json!({ "claim": "a", "template": "{user.name" }),
        json!({ "claim": "a", "template": "user.name}" }),
        json!({ "claim": "a", "value": 1, "to": ["everywhere"] }),
        json!({ "claim": "a", "value": 1, "script": "x" }),
        json!({ "value": 1 }),
    ] {
        assert!(serde_json::from_value::<ClaimRule>(unread.clone()).is_err(), "{unread}");
    }
}

#[test]
fn the_preview_is_what_will_be_told() {
    let (client, user) = (client(), user());
    let facts = Facts { user: Some(&user), client: &client, scope: &[], connection: None };
    let own = rules(json!([
        { "claim": "a", "value": 1, "to": ["id_token"] },
        { "claim": "b", "value": 2, "to": ["access_token"] },
        { "claim": "sub", "value": "else" },
    ]));
    let of_api = rules(json!([{ "claim": "b", "value": 3 }, { "claim": "c", "value": 4 }]));
    let seen = preview(&own, &of_api, &facts);
    assert_eq!(Value::Object(seen.id_token), json!({ "a": 1 }));
    assert_eq!(Value::Object(seen.userinfo), json!({}));
    assert_eq!(Value::Object(seen.access_token), json!({ "b": 3, "c": 4 }));
    assert_eq!(seen.problems.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50_000))]

    #[test]
    fn a_template_never_panics_and_is_written_as_it_is_read(text in "[{}a-z._]{0,40}") {
        if let Ok(template) = Template::parse(&text) {
            let written = template.to_string();
            prop_assert_eq!(&written, &text);
            prop_assert_eq!(Template::parse(&written).unwrap(), template);
        }
    }

    #[test]
    fn filling_in_reveals_no_brace_syntax_to_values(name in ".{0,20}") {
        let mut user = user();
        user.name = Some(name.clone());
        let client = client();
        let facts = Facts { user: Some(&user), client: &client, scope: &[], connection: None };
        let filled = Template::parse("{user.name}").unwrap().fill(&facts);
        prop_assert_eq!(filled, (!name.is_empty()).then_some(name));
    }
}
