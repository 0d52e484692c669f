//! What Firebase, Auth0 and Supabase export, and where the Apple `sub` stands in it.

use serde_json::Value;

use super::csv::{Row, rows};
use super::json::{Entry, document, entries, flag, object, text};
use super::{Contents, Newcomer};

/// What becomes of one entry.
enum Told {
    Apple(Newcomer),
    /// Somebody who signs in otherwise.
    Other,
}

fn collect(entries: Vec<Entry>, tell: impl Fn(&Value) -> Vec<Told>) -> Contents {
    let mut found = Contents::default();
    for entry in entries {
        match entry {
            Ok((line, value)) => found.take(line, tell(&value)),
            Err(remark) => found.unusable.push(remark),
        }
    }
    found
}

impl Contents {
    fn take(&mut self, line: u64, told: Vec<Told>) {
        for one in told {
            match one {
                Told::Apple(person) => self.people.push(Newcomer { line, ..person }),
                Told::Other => self.others += 1,
            }
        }
    }
}

fn listed<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `firebase auth:export FILE --format=json`: `users[].providerUserInfo[]` with `rawId`.
pub(super) fn firebase(file: &str) -> Result<Contents, String> {
    if !file.trim_start().starts_with(['{', '[']) {
        return Err("export with `firebase auth:export users.json --format=json`".to_owned());
    }
    // Firebase writes one document, never a user on each line.
    Ok(collect(document(file)?, |user| {
        let apple = listed(user, "providerUserInfo")
            .iter()
            .find(|provider| text(provider, "providerId").as_deref() == Some("apple.com"));
        let Some(apple) = apple else { return vec![Told::Other] };
        let own = text(apple, "email");
        let email = own.clone().or_else(|| text(user, "email"));
        // `emailVerified` speaks of the user's address, which may be another than Apple's.
        let same = own.is_none() || own == text(user, "email");
        vec![Told::Apple(Newcomer {
            subject: text(apple, "rawId").unwrap_or_default(),
            email,
            email_verified: same && flag(user, "emailVerified"),
            name: text(apple, "displayName").or_else(|| text(user, "displayName")),
            ..Newcomer::default()
        })]
    }))
}

/// Auth0's export (NDJSON): `identities[]` with `provider`, or `user_id` `apple|…`.
pub(super) fn auth0(file: &str) -> Result<Contents, String> {
    Ok(collect(entries(file)?, |user| {
        let bare = |id: String| id.strip_prefix("apple|").map(str::to_owned).unwrap_or(id);
        let linked = listed(user, "identities")
            .iter()
            .find(|identity| text(identity, "provider").as_deref() == Some("apple"));
        let own = text(user, "user_id").filter(|id| id.starts_with("apple|"));
        let subject = match (linked, own) {
            (Some(identity), own) => text(identity, "user_id").or(own),
            (None, own @ Some(_)) => own,
            (None, None) => return vec![Told::Other],
        };
        vec![Told::Apple(Newcomer {
            subject: subject.map(bare).unwrap_or_default(),
            email: text(user, "email"),
            email_verified: flag(user, "email_verified"),
            name: text(user, "name"),
            given_name: text(user, "given_name"),
            family_name: text(user, "family_name"),
            ..Newcomer::default()
        })]
    }))
}

/// Supabase: rows of `auth.identities`, or of `auth.users`, as CSV or JSON.
pub(super) fn supabase(file: &str) -> Result<Contents, String> {
    if file.trim_start().starts_with(['{', '[']) {
        return Ok(collect(entries(file)?, supabase_entry));
    }
    let (header, rows) = rows(file)?;
    let has = |column: &str| header.iter().any(|name| name == column);
    if !has("identity_data") && !has("raw_user_meta_data") {
        return Err("the table has neither identity_data (auth.identities) nor \
                    raw_user_meta_data (auth.users); export one of these tables whole"
            .to_owned());
    }
    let mut found = Contents::default();
    for row in rows {
        match row {
            Ok(row) => {
                let told = supabase_entry(&as_object(&row, &header));
                found.take(row.line, told);
            }
            Err(remark) => found.unusable.push(remark),
        }
    }
    Ok(found)
}

fn as_object(row: &Row, header: &[String]) -> Value {
    let members = header.iter().filter_map(|column| {
        row.field(column).map(|value| (column.clone(), Value::String(value.to_owned())))
    });
    Value::Object(members.collect())
}

fn supabase_entry(entry: &Value) -> Vec<Told> {
    let identities = listed(entry, "identities");
    if !identities.is_empty() {
        let apple = identities.iter().find(|identity| is_apples(identity));
        return vec![apple.map_or(Told::Other, supabase_identity)];
    }
    if is_apples(entry) {
        return vec![supabase_identity(entry)];
    }
    // A row of auth.users: what Apple told stands in `raw_user_meta_data`, if Apple came last.
    let Some(told) = object(entry, "raw_user_meta_data") else { return vec![Told::Other] };
    let provider = object(entry, "raw_app_meta_data");
    let by_apple = provider.and_then(|provider| text(&provider, "provider"));
    let issuer = text(&told, "iss").unwrap_or_default();
    let from_apple = issuer.contains("appleid.apple.com");
    if !from_apple && (by_apple.as_deref() != Some("apple") || !issuer.is_empty()) {
        return vec![Told::Other];
    }
    let confirmed = text(entry, "email_confirmed_at").is_some();
    vec![supabase_person(&told, text(entry, "email"), None, confirmed)]
}

fn is_apples(identity: &Value) -> bool {
    text(identity, "provider").as_deref() == Some("apple")
}

fn supabase_identity(identity: &Value) -> Told {
    let told = object(identity, "identity_data").unwrap_or_default();
    supabase_person(&told, text(identity, "email"), text(identity, "provider_id"), false)
}

fn supabase_person(
    told: &Value,
    email: Option<String>,
    provider_id: Option<String>,
    confirmed: bool,
) -> Told {
    let subject = text(told, "sub").or(provider_id).or_else(|| text(told, "provider_id"));
    Told::Apple(Newcomer {
        subject: subject.unwrap_or_default(),
        email: text(told, "email").or(email),
        email_verified: confirmed || flag(told, "email_verified"),
        name: text(told, "full_name").or_else(|| text(told, "name")),
        ..Newcomer::default()
    })
}
