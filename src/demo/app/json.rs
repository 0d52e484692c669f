//! JSON and tokens, laid out for reading.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A piece of JSON text and the style class it is shown in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// `k` name, `s` text, `n` number, `l` literal, `p` punctuation and white space.
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// A JWT, split for display.
#[derive(Clone, Debug)]
pub(super) struct DecodedToken {
    pub(super) raw_header: String,
    pub(super) raw_payload: String,
    pub(super) raw_signature: String,
    pub(super) header: Vec<Piece>,
    pub(super) claims: Vec<Piece>,
    /// `exp`, in seconds since the epoch.
    pub(super) exp: Option<i64>,
    /// `name`, `email` and the like.
    pub(super) values: Value,
    /// `alg` and `typ` of the header.
    pub(super) alg: String,
    pub(super) typ: String,
}

/// Takes a JWT apart without checking it; `None` if it is no JWT.
pub(super) fn decode(token: &str) -> Option<DecodedToken> {
    let mut parts = token.split('.');
    let (raw_header, raw_payload, raw_signature) = (parts.next()?, parts.next()?, parts.next()?);
    let part = |text: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    };
    let (header, values) = (part(raw_header)?, part(raw_payload)?);
    let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(DecodedToken {
        raw_header: raw_header.to_owned(),
        raw_payload: raw_payload.to_owned(),
        raw_signature: raw_signature.to_owned(),
        alg: text("alg"),
        typ: text("typ"),
        header: pretty(&header),
        claims: pretty(&values),
        exp: values.get("exp").and_then(Value::as_i64),
        values,
    })
}

/// The body of an answer: JSON laid out, with tokens shortened; other text as it is.
pub(super) fn body(text: &str) -> Vec<Piece> {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            shorten_tokens(&mut value);
            pretty(&value)
        }
        Err(_) if text.is_empty() => vec![piece("p", "(no body)")],
        Err(_) => vec![piece("p", text)],
    }
}

fn shorten_tokens(value: &mut Value) {
    let Some(members) = value.as_object_mut() else { return };
    for name in ["access_token", "id_token", "refresh_token"] {
        if let Some(Value::String(token)) = members.get_mut(name) {
            let start: String = token.chars().take(12).collect();
            *token = format!("{start}… ({} characters)", token.chars().count());
        }
    }
}

/// `value` on several lines, in styled pieces.
pub(super) fn pretty(value: &Value) -> Vec<Piece> {
    let mut pieces = Vec::new();
    write(value, 0, &mut pieces);
    pieces
}

fn piece(class: &'static str, text: impl Into<String>) -> Piece {
    Piece { class, text: text.into() }
}

fn line_break(depth: usize) -> String {
    format!("\n{}", "  ".repeat(depth))
}

fn write(value: &Value, depth: usize, out: &mut Vec<Piece>) {
    match value {
        Value::Null | Value::Bool(_) => out.push(piece("l", value.to_string())),
        Value::Number(_) => out.push(piece("n", value.to_string())),
        Value::String(_) => out.push(piece("s", value.to_string())),
        Value::Array(items) if items.is_empty() => out.push(piece("p", "[]")),
        Value::Object(members) if members.is_empty() => out.push(piece("p", "{}")),
        Value::Array(items) => {
            out.push(piece("p", "["));
            for (index, item) in items.iter().enumerate() {
                separate(index, depth + 1, out);
                write(item, depth + 1, out);
            }
            out.push(piece("p", format!("{}]", line_break(depth))));
        }
        Value::Object(members) => {
            out.push(piece("p", "{"));
            for (index, (name, member)) in members.iter().enumerate() {
                separate(index, depth + 1, out);
                out.push(piece("k", Value::from(name.as_str()).to_string()));
                out.push(piece("p", ": "));
                write(member, depth + 1, out);
            }
            out.push(piece("p", format!("{}}}", line_break(depth))));
        }
    }
}

fn separate(index: usize, depth: usize, out: &mut Vec<Piece>) {
    let comma = if index == 0 { "" } else { "," };
    out.push(piece("p", format!("{comma}{}", line_break(depth))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: &[Piece]) -> String {
        pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    #[test]
    fn what_is_laid_out_is_the_same_json() {
        let value = serde_json::json!({
            "sub": "a\"</pre><script>", "aud": ["x", "y"], "n": 1.5, "t": true, "none": null,
            "empty": {}, "list": [], "deep": { "a": [{ "b": 1 }] }
        });
        let again: Value = serde_json::from_str(&text(&pretty(&value))).expect("still JSON");
        assert_eq!(again, value);
    }

    #[test]
    fn a_token_answer_is_shown_without_the_tokens() {
        let shown = text(&body(r#"{"access_token":"eyJhbGciOiJFUzI1NiJ9.payload.signature"}"#));
        assert!(shown.contains("eyJhbGciOiJF… (38 characters)"), "{shown}");
        assert!(!shown.contains("signature"));
        assert_eq!(text(&body("")), "(no body)");
        assert_eq!(text(&body("<html>")), "<html>");
    }

    #[test]
    fn what_is_no_jwt_is_not_decoded() {
        for bad in ["", "a.b", "a.b.c", "e30.e30", "e30.!!.x"] {
            assert!(decode(bad).is_none(), "{bad}");
        }
        assert!(decode("e30.e30.").is_some());
    }
}
