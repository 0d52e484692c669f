//! The admin API, resource by resource, as a script uses it.

use reqwest::{Method, StatusCode};
use russet::op::admin::NewAdmin;
use russet::op::daily_check::job_name;
use russet::protocol::admin::Role;
use russet::protocol::api_key::ApiScope;
use russet::protocol::client::ClientKind;
use russet::protocol::jose::Algorithm;
use serde_json::{Value, json};

use crate::admin_api::{ask, etag, key, request};
use crate::console::{admin, signed_in};
use crate::harness::app::{Answer, answer};
use crate::harness::{House, TEAM};
use crate::on_each_engine;

/// A script with a key that may do everything.
struct Script<'a> {
    house: &'a House,
    key: String,
}

impl<'a> Script<'a> {
    async fn of(house: &'a House) -> Self {
        Self { house, key: key(house, ApiScope::ALL).await }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        ask(self.house, &self.key, method, path, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn act(&self, path: &str) -> StatusCode {
        self.ask(Method::POST, path, None).await.status
    }

    async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }

    async fn seen(&self, method: Method, path: &str, tag: &str, body: Value) -> Answer {
        let asked = request(self.house, &self.key, method, path).header("if-match", tag);
        answer(asked.json(&body)).await
    }
}

#[actix_web::test]
async fn a_connection_to_apple_lives_its_life_and_its_key_never_comes_out() {
    on_each_engine!(house, {
        let script = Script::of(&house).await;
        let p8 = house.apple_key().expose().clone();
        let issuer = house.apple.issuer().to_owned();
        let new = json!({
            "id": "work", "kind": "apple", "team_id": TEAM, "key_id": "KEY1234567",
            "services_id": crate::harness::SERVICES_ID, "issuer": issuer, "private_key": p8,
        });
        let made = script.post("/connections", new.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
        let twice = script.post("/connections", new).await;
        assert_eq!(twice.json["errors"][0]["field"], "id", "{}", twice.json);
        let shown = script.get("/connections/work").await;
        let examined = script.ask(Method::POST, "/connections/work/check", None).await;
        let findings = examined.json["findings"].as_array().expect("findings");
        assert!(findings.iter().any(|one| one["verdict"] == "fine"), "{}", examined.json);

        let key = json!({ "key_id": "NEXT123456", "private_key": p8 });
        let path = "/connections/work/next-key";
        let blind = script.ask(Method::PUT, path, Some(key.clone())).await;
        assert_eq!(blind.status, StatusCode::PRECONDITION_REQUIRED);
        let late = script.seen(Method::PUT, path, "\"7\"", key.clone()).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
        let staged = script.seen(Method::PUT, path, &etag(&shown), key.clone()).await;
        assert_eq!(staged.text("next_key_id"), "NEXT123456", "{}", staged.json);
        let promoted = script.ask(Method::POST, &format!("{path}/promote"), None).await;
        assert_eq!(promoted.text("key_id"), "NEXT123456", "{}", promoted.json);
        let none = script.delete(path).await;
        assert_eq!(none.json["errors"][0]["field"], "next_key_id");

        let renamed = json!({ "display_name": "Apple for work", "pkce": false });
        let renamed = script.seen(Method::PATCH, "/connections/work", "*", renamed).await;
        assert_eq!(renamed.text("display_name"), "Apple for work", "{}", renamed.json);
        for odd in [json!({ "kind": "oidc" }), json!({ "base_url": "x" }), json!({ "x": 1 })] {
            let refused = script.seen(Method::PATCH, "/connections/work", "*", odd).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.json);
        }
        let listed = script.get("/connections").await;
        let ids: Vec<_> =
            listed.json["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(ids, ["apple", "work"], "those of the file come first");
        let file =
            script.seen(Method::PATCH, "/connections/apple", "*", json!({ "enabled": false }));
        assert_eq!(file.await.json["errors"][0]["field"], "id", "the file is changed, not they");
        for answer in [made, shown, staged, promoted, renamed, listed] {
            assert!(!answer.json.to_string().contains("PRIVATE KEY"), "{}", answer.json);
        }
        let tagged = request(&house, &script.key, Method::DELETE, "/connections/work");
        let late = answer(tagged.header("if-match", "\"1\"")).await;
        assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(script.delete("/connections/work").await.status, StatusCode::NO_CONTENT);
        assert_eq!(house.broker.broker.provider.connectors().len(), 1, "taken up at once");
    });
}

#[actix_web::test]
async fn console_accounts_are_made_invited_changed_and_signed_out() {
    let house = House::new().await;
    let script = Script::of(&house).await;
    admin(&house, "olga", Role::Owner).await;
    let (_browser, _) = signed_in(&house, "olga").await;
    let made = script.post("/admins", json!({ "username": "grace", "role": "admin" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
    let closed = script.ask(Method::POST, "/admins/grace/invitations", None).await;
    assert_eq!(closed.json["errors"][0]["field"], "console_connections", "{}", closed.json);
    let opens = json!({ "console_connections": ["apple"] });
    let opened = script.seen(Method::PATCH, "/settings", "\"0\"", opens).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.json);
    let invited = script.ask(Method::POST, "/admins/grace/invitations", None).await;
    assert_eq!(invited.status, StatusCode::CREATED, "{}", invited.json);
    let page = house.http().get(invited.text("url")).send().await.expect("an answer");
    assert_eq!(page.status(), StatusCode::OK);

    let demoted = json!({ "role": "viewer" });
    let demoted = script.seen(Method::PATCH, "/admins/grace", &etag(&made), demoted).await;
    assert_eq!(demoted.text("role"), "viewer", "{}", demoted.json);
    let late = json!({ "role": "owner" });
    let late = script.seen(Method::PATCH, "/admins/grace", &etag(&made), late).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    let last = script.seen(Method::PATCH, "/admins/olga", "*", json!({ "role": "admin" })).await;
    assert_eq!(last.json["errors"][0]["field"], "role", "there is always an owner");
    let weak = script.seen(Method::PATCH, "/admins/grace", "*", json!({ "password": "short" }));
    assert_eq!(weak.await.json["errors"][0]["field"], "password");

    let page = script.get("/admins?limit=1").await;
    assert_eq!(page.json["items"][0]["username"], "grace");
    let next = page.text("next");
    let page = script.get(&format!("/admins?after={next}")).await;
    assert_eq!(page.json["items"][0]["username"], "olga", "{}", page.json);
    assert_eq!(page.json["next"], Value::Null);
    let sessions = script.get("/admin-sessions").await;
    assert_eq!(sessions.json["items"][0]["username"], "olga");
    let path = format!("/admin-sessions/{}", sessions.json["items"][0]["id"].as_str().unwrap());
    assert_eq!(script.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(script.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(script.delete("/admins/grace/factors").await.status, StatusCode::NO_CONTENT);
    let unbound = script.delete("/admins/grace/identities/apple").await;
    assert_eq!(unbound.status, StatusCode::NOT_FOUND, "none is bound");
}

#[actix_web::test]
async fn nobody_knows_the_password_of_an_account_that_was_made_without_one() {
    let house = House::new().await;
    let administration = &house.broker.broker.administration;
    let new =
        |name: &str| NewAdmin { username: name.to_owned(), role: Role::Viewer, password: None };
    let actor = russet::op::admin::Actor::cli();
    let one = administration.create_admin(&actor, new("one")).await.expect("an account");
    let other = administration.create_admin(&actor, new("other")).await.expect("an account");
    assert_ne!(one.password_hash, other.password_hash);
    for guess in ["", "one"] {
        let tried = administration.sign_in(&one.username, guess.into(), None, None).await;
        assert!(matches!(tried, Ok(russet::op::admin::SignIn::Refused)), "{guess:?}");
    }
}

#[actix_web::test]
async fn trust_is_given_for_workloads_and_registrations_and_taken_away() {
    on_each_engine!(house, {
        let script = Script::of(&house).await;
        let machine = json!({
            "kind": "machine", "client_name": "Deploy",
            "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        });
        let client = script.post("/clients", machine).await;
        assert_eq!(client.status, StatusCode::CREATED, "{}", client.json);
        let rule = json!({
            "issuer": "https://ci.example", "client_id": client.text("client_id"),
            "conditions": ["repository=acme/shop"],
        });
        let made = script.post("/trusted-issuers", rule.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
        assert_eq!(made.text("audience"), house.issuer, "unless another is said");
        let mut open = rule;
        open["conditions"] = json!([]);
        let refused = script.post("/trusted-issuers", open).await;
        assert_eq!(refused.json["errors"][0]["field"], "conditions");
        let path = format!("/trusted-issuers/{}", made.text("id"));
        assert_eq!(script.get(&path).await.json, made.json);
        assert_eq!(script.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(script.get(&path).await.status, StatusCode::NOT_FOUND);

        let token = json!({ "name": "Partners", "uses": 2, "expires_in": 3600 });
        let made = script.post("/registration-tokens", token).await;
        let secret = made.text("initial_access_token").to_owned();
        let listed = script.get("/registration-tokens").await;
        assert_eq!(listed.json["items"][0]["uses_left"], 2, "{}", listed.json);
        assert!(!listed.json.to_string().contains(&secret));
        let path = format!("/registration-tokens/{}", made.text("id"));
        assert_eq!(script.delete(&path).await.status, StatusCode::NO_CONTENT);
        assert_eq!(script.get("/registration-tokens").await.json["items"], json!([]));
        let none = script.post("/registration-tokens", json!({ "name": "x", "uses": 0 })).await;
        assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[actix_web::test]
async fn a_person_is_looked_into_unlinked_exported_and_deleted() {
    on_each_engine!(house, {
        let script = Script::of(&house).await;
        let app = house.client(ClientKind::Web, |_| {}).await;
        app.tokens(&mut house.browser(), "openid", "Ada Lovelace").await;
        let people = script.get("/users").await;
        let user = people.json["items"][0]["id"].as_str().unwrap().to_owned();
        let path = |rest: &str| format!("/users/{user}{rest}");
        let grants = script.get(&path("/grants")).await;
        assert_eq!(grants.json["items"][0]["client_id"], app.client.client_id.as_str());
        let preview = format!("/clients/{}/preview?user={user}&scope=openid", app.client.client_id);
        let preview = script.get(&preview).await;
        assert_eq!(
            preview.json["id_token"]["aud"],
            app.client.client_id.as_str(),
            "{}",
            preview.json
        );
        let exported = script.ask(Method::POST, &path("/export"), None).await;
        assert_eq!(exported.json["id"], user.as_str());
        assert_eq!(house.events("user.exported").await, 1);

        let identities = script.get(&path("/identities")).await;
        let identity = &identities.json["items"][0];
        assert_eq!(identity["authority"], format!("apple:{TEAM}"), "{}", identities.json);
        let one = path(&format!("/identities/{}", identity["id"].as_str().unwrap()));
        let other = path("/identities/0123456789abcdef0123456789abcdef");
        assert_eq!(script.delete(&other).await.status, StatusCode::NOT_FOUND);
        let gone = script.delete(&one).await;
        assert_eq!(gone.json["sessions"], 1, "{}", gone.json);
        assert_eq!(script.get(&path("/identities")).await.json["items"], json!([]));

        let begun = script.delete(&path("")).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.json);
        let deletions = script.get("/deletions").await;
        assert_eq!(deletions.json["items"][0]["id"], begun.json["id"]);
        let deletion = format!("/deletions/{}", begun.text("id"));
        assert!(script.get(&deletion).await.json["give_up_at"].is_i64());
        let unknown = script.act("/deletions/nothing/retry").await;
        assert_eq!(unknown, StatusCode::NOT_FOUND);
        let steps = script.get("/sign-ins").await;
        let id = steps.json["items"][0]["sign_in"].as_str().unwrap().to_owned();
        let trace = script.get(&format!("/sign-ins/{id}")).await;
        assert!(trace.json["steps"].as_array().unwrap().len() > 1, "{}", trace.json);
        assert_eq!(steps.json["next"], Value::Null, "{}", steps.json);
    });
}

#[actix_web::test]
async fn a_key_that_leaked_is_retired_and_the_chain_says_by_whom_and_why() {
    let house = House::new().await;
    let script = Script::of(&house).await;
    let keys = script.get("/keys").await;
    let all = keys.json["items"].as_array().unwrap();
    let active = all.iter().find(|key| key["alg"] == "ES256").expect("a key");
    let path = format!("/keys/{}", active["kid"].as_str().unwrap());
    let asked = request(&house, &script.key, Method::DELETE, &path);
    let gone = answer(asked.header("audit-reason", "it was in a backup")).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(script.get(&path).await.text("state"), "gone");
    assert_eq!(script.delete(&path).await.status, StatusCode::NOT_FOUND);
    let keys = house.broker.broker.provider.keys().list().await.expect("keys");
    assert_eq!(keys.iter().filter(|key| key.alg == Algorithm::Es256).count(), 2, "one follows");
    let events = script.get("/events?kind=signing_key.retired").await;
    let event = &events.json["items"][0];
    assert_eq!(event["detail"]["reason"], "it was in a backup", "{event}");
    let one = script.get(&format!("/events/{}", event["id"])).await;
    assert_eq!(one.json["kind"], "signing_key.retired");
    let verified = script.ask(Method::POST, "/events/verify", None).await;
    assert_eq!(verified.json["faults"], json!([]), "{}", verified.json);
}

#[actix_web::test]
async fn what_goes_on_by_itself_is_seen_and_turned() {
    let house = House::new().await;
    let script = Script::of(&house).await;
    let unknown = script.act("/jobs/audit/hold").await;
    assert_eq!(unknown, StatusCode::NOT_FOUND, "only checks are held");
    let provider = &house.broker.broker.provider;
    provider.daily_check("test").await.expect("a round");
    let name = job_name(&format!("apple:{TEAM}"));
    assert_eq!(script.act(&format!("/jobs/{name}/hold")).await, StatusCode::NO_CONTENT);
    let jobs = script.get("/jobs").await;
    assert_eq!(jobs.json["items"][0]["condition"], "held", "{}", jobs.json);
    assert_eq!(script.act(&format!("/jobs/{name}/resume")).await, StatusCode::NO_CONTENT);
    let deliveries = script.get("/deliveries?state=failed").await;
    assert_eq!(deliveries.json, json!({ "items": [], "next": null }));
    for id in ["7", "x", "99999999999999999999"] {
        let path = format!("/deliveries/{id}/retry");
        assert_eq!(script.act(&path).await, StatusCode::NOT_FOUND);
    }
    let standing = script.get("/apple-transfers").await;
    assert_eq!(standing.json, json!({ "running": false, "run": null, "counts": [] }));
    let retried = script.post("/apple-transfers/retry", json!({ "to_team": "NOBODY1234" })).await;
    assert_eq!(retried.json["people"], 0);
    let people = script.get("/apple-transfers/people?state=refused").await;
    assert_eq!(people.json["items"], json!([]));
}

#[actix_web::test]
async fn secrets_of_a_client_are_several_each_named_and_revoked_alone() {
    let house = House::new().await;
    let script = Script::of(&house).await;
    let client = script.post("/clients", json!({ "kind": "machine", "client_name": "Job" })).await;
    let path = format!("/clients/{}/secrets", client.text("client_id"));
    let named = script.post(&path, json!({ "name": "Berlin", "expires_in": 3600 })).await;
    assert_eq!(named.status, StatusCode::CREATED, "{}", named.json);
    let odd = script.post(&path, json!({ "name": "x", "overlap_seconds": 5 })).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    let listed = script.get(&path).await;
    let all = listed.json["items"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    assert!(!listed.json.to_string().contains(named.text("client_secret")));
    let berlin = all.iter().find(|secret| secret["name"] == "Berlin").expect("it");
    let gone = script.delete(&format!("{path}/{}", berlin["id"].as_str().unwrap())).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(script.get(&path).await.json["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_list_goes_on_where_it_stopped_whatever_is_made_meanwhile() {
    let house = House::new().await;
    let script = Script::of(&house).await;
    for name in ["d", "b", "c"] {
        let view = json!({ "name": name, "query": "?area=client" });
        assert_eq!(script.post("/audit-views", view).await.status, StatusCode::CREATED);
    }
    let names = |page: &Answer| -> Vec<String> {
        let items = page.json["items"].as_array().unwrap();
        items.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = script.get("/audit-views?limit=2").await;
    assert_eq!(names(&first), ["b", "c"]);
    script.post("/audit-views", json!({ "name": "a", "query": "?area=client" })).await;
    script.delete("/audit-views/c").await;
    let rest = script.get(&format!("/audit-views?after={}", first.text("next"))).await;
    assert_eq!(names(&rest), ["d"]);
    let nul = script.post("/audit-views", json!({ "name": "a\u{0}b", "query": "?" })).await;
    assert_eq!(nul.status, StatusCode::UNPROCESSABLE_ENTITY);
}
