//! What every JWT of a client's own must hold: its kind and its times — RFC 7519 §4.1, RFC 8725
//! §3.11, FAPI 2.0 §5.3.2.1.

use std::time::Duration;

use crate::ambient::Timestamp;
use crate::jws::ForeignJwt;

/// How far a client's clock may be ahead of or behind ours. FAPI 2.0 wants ten seconds forgiven
/// and sixty refused.
pub(crate) const SKEW: Duration = Duration::from_secs(30);
/// None is good for longer: so long its use can be remembered.
pub(crate) const LONGEST: Duration = Duration::from_secs(3600);

/// Whether the `typ` header is absent, `JWT`, or this kind's own.
pub(crate) fn is_of_kind(jwt: &ForeignJwt<'_>, kind: &str) -> bool {
    let fits = |typ: &str| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case(kind);
    jwt.header("typ").is_none_or(fits)
}

/// When a JWT is good. Times are `NumericDate` (RFC 7519 §2), which may have fractions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) exp: Option<Timestamp>,
    pub(crate) nbf: Option<Timestamp>,
    pub(crate) iat: Option<Timestamp>,
}

impl Times {
    /// `None` when one of them is no moment at all.
    pub(crate) fn read(exp: Option<f64>, nbf: Option<f64>, iat: Option<f64>) -> Option<Self> {
        let time = |seconds: Option<f64>| match seconds {
            None => Some(None),
            Some(seconds) => moment(seconds).map(Some),
        };
        Some(Self { exp: time(exp)?, nbf: time(nbf)?, iat: time(iat)? })
    }

    /// Whether its time is over.
    pub(crate) fn are_over(&self, now: Timestamp) -> bool {
        self.exp.is_some_and(|exp| exp <= now.minus(SKEW))
    }

    /// Whether it was made, or begins to be good, in a time to come.
    pub(crate) fn lie_ahead(&self, now: Timestamp) -> bool {
        [self.nbf, self.iat].into_iter().flatten().any(|at| at > now.plus(SKEW))
    }
}

fn moment(seconds: f64) -> Option<Timestamp> {
    let millis = seconds * 1000.0;
    // Beyond this, milliseconds are no longer exact; no clock stands there.
    #[expect(clippy::cast_possible_truncation, reason = "bounded on the line before")]
    (seconds.is_finite() && millis.abs() < 9e15).then(|| Timestamp::from_millis(millis as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);

    fn times(exp: f64, nbf: f64, iat: f64) -> Times {
        Times::read(Some(exp), Some(nbf), Some(iat)).unwrap()
    }

    #[test]
    fn ten_seconds_are_forgiven_and_sixty_are_not() {
        let now = 1_000_000.0;
        for (off, good) in [(0.0, true), (10.0, true), (29.5, true), (31.0, false), (62.0, false)] {
            assert_eq!(!times(now + 60.0, now + off, now).lie_ahead(NOW), good, "nbf +{off}");
            assert_eq!(!times(now + 60.0, now, now + off).lie_ahead(NOW), good, "iat +{off}");
            assert_eq!(!times(now - off, now, now).are_over(NOW), good, "exp -{off}");
        }
        assert!(!Times::default().are_over(NOW) && !Times::default().lie_ahead(NOW));
    }

    #[test]
    fn what_is_no_moment_is_no_time() {
        for bad in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300] {
            assert_eq!(Times::read(Some(bad), None, None), None, "{bad}");
            assert_eq!(Times::read(None, Some(bad), None), None, "{bad}");
            assert_eq!(Times::read(None, None, Some(bad)), None, "{bad}");
        }
        assert_eq!(Times::read(None, None, None), Some(Times::default()));
    }
}
