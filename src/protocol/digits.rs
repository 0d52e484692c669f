//! Whole numbers in parameters: digits and nothing else, as the grammars have them (OIDC Core
//! §3.1.2.1 `max_age`, RFC 9110 §10.2.3 `Retry-After`).
//!
//! Rust's own parser also takes `+5`, which in a query is a blank and a 5.

use std::str::FromStr;

/// The number that `text` writes, if it is digits alone and not too large.
pub fn number<N: FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_alone_are_a_number() {
        assert_eq!(number::<u32>("0"), Some(0));
        assert_eq!(number::<u32>("007"), Some(7));
        assert_eq!(number::<i64>("5"), Some(5));
        for wrong in ["", "+5", "-5", " 5", "5 ", "5.0", "1e3", "0x5", "٥", "4294967296"] {
            assert_eq!(number::<u32>(wrong), None, "{wrong:?}");
        }
    }
}
