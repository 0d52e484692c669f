//! Rules of further claims as rows of a form.

use serde_json::json;

use super::*;

/// The form that a browser would send of this field.
fn sent(field: &RulesField, more: &[(&str, &str)]) -> Form {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair(ROWS, &field.rows.len().to_string());
    let chosen = |choices: &[Choice]| {
        let found = choices.iter().find(|choice| choice.chosen);
        found.map(|choice| choice.value.clone()).unwrap_or_default()
    };
    for (row, rule) in field.rows.iter().enumerate() {
        let name = |name: &str| format!("claims.{row}.{name}");
        body.append_pair(&name("claim"), &rule.claim);
        body.append_pair(&name("source"), &chosen(&rule.sources));
        body.append_pair(&name("text"), &rule.text);
        body.append_pair(&name("scope"), &rule.scope);
        for (number, condition) in rule.conditions.iter().enumerate() {
            body.append_pair(&name(&format!("when.{number}")), &chosen(&condition.attributes));
            body.append_pair(&name(&format!("is.{number}")), &condition.is);
        }
        for place in rule.to.iter().filter(|place| place.chosen) {
            body.append_pair(&name("to"), &place.value);
        }
    }
    for (name, value) in more {
        body.append_pair(name, value);
    }
    Form::parse(body.finish().as_bytes())
}

fn all_shapes() -> Value {
    json!([
        { "claim": "groups", "value": ["staff"], "when": { "user.email_domain": "a.example" } },
        { "claim": "nickname", "template": "{user.given_name} at work", "to": ["id_token"] },
        { "claim": "tenant", "from": "user.email_domain", "scope": "tenant" },
        { "claim": "text", "value": "true", "when": {
            "user.name": ["a, b", "c"], "user.email_verified": true,
            "connection": ["apple", "google"], "user.given_name": "true" } },
        { "claim": "flag", "value": false },
        { "claim": "level", "value": 3, "to": ["userinfo", "access_token"] },
        { "claim": "tree", "value": { "a": [1, null] } },
    ])
}

#[test]
fn what_the_rows_show_of_rules_is_what_they_would_save() {
    let rules = all_shapes();
    assert!(serde_json::from_value::<Vec<ClaimRule>>(rules.clone()).is_ok());
    let field = field(Some(&rules), None, false);
    assert_eq!(value(&sent(&field, &[])), rules);
    assert_eq!(serde_json::from_str::<Value>(&field.json).unwrap(), rules);
}

#[test]
fn rows_come_move_and_go_without_being_saved() {
    let rules = all_shapes();
    let shown = field(Some(&rules), None, false);
    let after = |act: &str| {
        let form = sent(&shown, &[(ACT, act)]);
        assert!(is_act(&form));
        field(None, Some(&form), false)
    };
    let names = |field: &RulesField| -> Vec<String> {
        field.rows.iter().map(|row| row.claim.clone()).collect()
    };
    assert_eq!(after("add").rows.len(), 8);
    assert_eq!(value(&sent(&after("add"), &[])), rules, "an empty row says nothing");
    assert_eq!(names(&after("remove:0"))[0], "nickname");
    assert_eq!(names(&after("up:2"))[..3], ["groups", "tenant", "nickname"]);
    for nothing in ["up:0", "up:9", "remove:7", "remove:-1", "condition:7", "read", "other"] {
        assert_eq!(names(&after(nothing)), names(&shown), "{nothing}");
    }
    assert_eq!(after("condition:0").rows[0].conditions.len(), 2);
}

#[test]
fn json_stands_for_the_rows_and_what_is_none_is_said() {
    let shown = field(Some(&all_shapes()), None, false);
    let other = r#"[{"claim":"a","value":1}]"#;
    let form = sent(&shown, &[(NAME, other), (ACT, "read")]);
    assert_eq!(value(&form), json!([{ "claim": "a", "value": 1 }]));
    assert_eq!(field(None, Some(&form), false).rows.len(), 1);
    let bad = sent(&shown, &[(NAME, "[{")]);
    let mut problems = Problems::default();
    unreadable(&bad, &mut problems);
    assert!(problems.has(NAME));
    assert_eq!(field(None, Some(&bad), false).typed, "[{", "what was typed is not lost");
}

#[test]
fn one_attribute_is_asked_once() {
    let twice = Form::parse(
        b"claims.rows=1&claims.0.claim=a&claims.0.source=value&claims.0.text=1\
          &claims.0.when.0=connection&claims.0.is.0=a&claims.0.when.1=connection&claims.0.is.1=b",
    );
    let mut problems = Problems::default();
    unreadable(&twice, &mut problems);
    assert!(problems.has(NAME));
}
