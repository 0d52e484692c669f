//! `NumericDate` — RFC 7519 §2: seconds since 1970, which may have a fraction.

use serde::{Deserialize, Deserializer, de};

/// No clock stands beyond it, and up to it a `f64` is exact to the millisecond.
const FURTHEST: f64 = 9e12;

/// A moment as JWTs write it, its fraction cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(i64);

impl NumericDate {
    /// This second.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs)
    }

    /// The second it is in.
    pub const fn secs(self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if seconds.is_nan() || seconds.abs() > FURTHEST {
            return Err(de::Error::custom("no moment at all"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded on the lines before")]
        Ok(Self(seconds.floor() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_cut_off_and_what_is_no_number_is_refused() {
        for (text, secs) in [
            ("1795521600", 1_795_521_600),
            ("1795521600.0", 1_795_521_600),
            ("1795521600.999", 1_795_521_600),
            ("1.7955216005e9", 1_795_521_600),
            ("0", 0),
            ("-0.5", -1),
        ] {
            let read: NumericDate = serde_json::from_str(text).unwrap();
            assert_eq!(read.secs(), secs, "{text}");
        }
        for bad in ["\"1795521600\"", "null", "true", "1e300", "-1e13", "[]", "{}", "NaN"] {
            assert!(serde_json::from_str::<NumericDate>(bad).is_err(), "{bad}");
        }
    }
}
