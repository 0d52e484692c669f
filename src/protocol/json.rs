//! JSON objects from outside, in which each member stands once — RFC 8259 §4, RFC 7493 §2.3.
//!
//! Of two members with one name readers take the first or the last as they like; what one check
//! reads, another might not.

use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::Error as _};
use serde_json::{Error, Map, Number, Value};

/// Reads one JSON object.
///
/// # Errors
/// What is no JSON object, and a name that stands twice in one, however deep.
pub fn object(text: &[u8]) -> Result<Map<String, Value>, Error> {
    match value(text)? {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Error::custom("expected an object"))
        }
    }
}

/// Reads what is made of such objects.
///
/// # Errors
/// As [`object`], and what is no `T`.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    serde_json::from_value(value(text)?)
}

fn value(text: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice::<Once>(text).map(|once| once.0)
}

/// A value in which each member stands once.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            found.push(item);
        }
        Ok(Value::Array(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut found = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if found.contains_key(&name) {
                return Err(A::Error::custom(format!("'{name}' stands there twice")));
            }
            let Once(member) = members.next_value()?;
            found.insert(name, member);
        }
        Ok(Value::Object(found))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_refused_however_deep_and_however_written() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[{"a":null,"a":null}]}"#,
        ] {
            let error = object(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("'a' stands there twice"), "{text}: {error}");
        }
        let fine = object(br#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).unwrap();
        assert_eq!(Value::from(fine), json!({ "a": { "a": 1 }, "b": [{ "a": 1 }, { "a": 2 }] }));
    }

    #[test]
    fn only_one_whole_object_will_do() {
        for text in ["", "[]", "null", "1", "{", "{} {}", "{\"a\":}", "{'a':1}", "{\"a\":NaN}"] {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read::<Vec<u8>>(b"[1,2]").is_ok());
        assert!(read::<Vec<u8>>(b"[1,-2]").is_err());
        // Deep nesting is an error and no overflow.
        assert!(object(&b"{\"a\":".repeat(100_000)).is_err());
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e300..1e300_f64).prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn everything_else_reads_as_it_always_did(value in any_value()) {
            let text = value.to_string();
            let lax: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read::<Value>(text.as_bytes()).unwrap(), lax);
        }

        #[test]
        fn nothing_panics(text: Vec<u8>) {
            let strict = object(&text).is_ok();
            let lax = serde_json::from_slice::<Map<String, Value>>(&text).is_ok();
            prop_assert!(lax || !strict);
        }
    }
}
