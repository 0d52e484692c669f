//! How domain values stand in columns: times as milliseconds, lists as JSON, hashes as bytes.

use russet_protocol::ambient::Timestamp;
use russet_protocol::jose::Algorithm;
use russet_protocol::secret::SecretHash;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::StoreFault;

/// JSON for a text column.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreFault> {
    serde_json::to_string(value).map_err(|_| StoreFault::Corrupt("a value that is not JSON"))
}

/// The value of a JSON text column; `what` names the column in the fault.
pub(crate) fn from_json<T: DeserializeOwned>(
    text: &str,
    what: &'static str,
) -> Result<T, StoreFault> {
    serde_json::from_str(text).map_err(|_| StoreFault::Corrupt(what))
}

/// An enum that serde writes as one word, as that word.
pub(crate) fn from_word<T: DeserializeOwned>(
    word: String,
    what: &'static str,
) -> Result<T, StoreFault> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|_| StoreFault::Corrupt(what))
}

pub(crate) fn to_hash(bytes: &[u8], what: &'static str) -> Result<SecretHash, StoreFault> {
    SecretHash::from_bytes(bytes).ok_or(StoreFault::Corrupt(what))
}

pub(crate) fn to_algorithm(name: &str, what: &'static str) -> Result<Algorithm, StoreFault> {
    Algorithm::parse(name).ok_or(StoreFault::Corrupt(what))
}

pub(crate) fn to_seconds(seconds: i64, what: &'static str) -> Result<u32, StoreFault> {
    u32::try_from(seconds).map_err(|_| StoreFault::Corrupt(what))
}

pub(crate) fn to_time(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}

pub(crate) fn to_millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::millis)
}

/// Text as itself in a LIKE pattern whose escape character is the backslash.
pub(crate) fn like_literal(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}
