//! What somebody trusted says of a client — RFC 7591 §2.3.

use serde_json::{Map, Value};

use super::super::Provider;
use crate::protocol::ambient::Timestamp;
use crate::protocol::error::Refusal;
use crate::protocol::jose::Algorithm;
use crate::protocol::jws::ForeignJwt;
use crate::protocol::registration::{COMMON, SETTINGS};

impl Provider {
    /// Puts a software statement's claims over what the client says of itself (RFC 7591 §2.3).
    pub(super) fn believe_statement(
        &self,
        metadata: &mut Map<String, Value>,
        now: Timestamp,
    ) -> Result<Option<String>, Refusal> {
        let bad = |why: &str| Refusal::invalid_software_statement(why);
        let Some(statement) = metadata.remove("software_statement") else {
            return if self.registration.require_software_statement {
                Err(bad("a software statement is required"))
            } else {
                Ok(None)
            };
        };
        let text = statement.as_str().ok_or_else(|| bad("it must be a string"))?;
        let jwt = ForeignJwt::read(text, &Algorithm::ALL).map_err(|e| bad(&e.to_string()))?;
        let keys = &self.registration.software_statement_keys;
        let named = keys.iter().filter(|key| match (jwt.header("kid"), key.kid()) {
            (Some(wanted), Some(has)) => wanted == has,
            (None, _) | (Some(_), None) => true,
        });
        let claims =
            named.filter_map(|key| jwt.verify::<Map<String, Value>>(key).ok()).next().ok_or_else(
                || Refusal::unapproved_software_statement("no trusted key signed the statement"),
            )?;
        let exp = claims.get("exp").and_then(Value::as_i64);
        if claims.contains_key("exp") && exp.is_none_or(|exp| exp <= now.secs()) {
            return Err(bad("it has expired"));
        }
        for (name, value) in claims {
            let registered = COMMON.contains(&name.as_str()) || SETTINGS.contains(&name.as_str());
            if registered && name != "client_id" {
                metadata.insert(name, value);
            }
        }
        Ok(Some(text.to_owned()))
    }
}
