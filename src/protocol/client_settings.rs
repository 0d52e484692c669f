//! Client metadata that few clients set — the members of RFC 7591 and of the extensions that each
//! names. Stored as one JSON document, so that a new member needs no new column.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Members beyond those that every client has. Each is absent until somebody sets it, and is then
/// part of the client's metadata under its registered name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSettings {}

/// The same for an API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiSettings {}

/// Changes the members that `patch` names, and leaves the others; `null` takes a member away
/// (RFC 7396).
///
/// # Errors
/// A value that is not of its member's type; the message names it.
pub fn merge<S: Serialize + DeserializeOwned>(
    settings: &S,
    patch: &Map<String, Value>,
) -> Result<S, serde_json::Error> {
    let mut document = serde_json::to_value(settings)?;
    if let Some(members) = document.as_object_mut() {
        for (member, value) in patch {
            if value.is_null() {
                members.remove(member);
            } else {
                members.insert(member.clone(), value.clone());
            }
        }
    }
    serde_json::from_value(document)
}
