//! Authentication context class — OIDC Core §2, §3.1.2.1, §5.5.1.1.
//!
//! The classes are the levels that relying parties ask for most: `1` is one factor that somebody
//! verified, `2` is two. What an upstream did is the upstream's to say, so a sign-in there has a
//! class only where the operator believes its `amr`.

/// A password kept here.
pub const ONE_FACTOR: &str = "1";
/// A password and a second factor.
pub const TWO_FACTORS: &str = "2";

/// The classes that can be reached with local accounts, as discovery lists them.
pub const SUPPORTED: [&str; 2] = [ONE_FACTOR, TWO_FACTORS];

/// The class of a sign-in by these methods (RFC 8176).
pub fn of(amr: &[String]) -> Option<&'static str> {
    let has = |method: &str| amr.iter().any(|used| used == method);
    match (has("mfa"), has("pwd"), has("otp") || has("hwk")) {
        (true, ..) | (_, true, true) => Some(TWO_FACTORS),
        (false, true, false) => Some(ONE_FACTOR),
        (false, false, _) => None,
    }
}

/// Most methods that are taken from an upstream.
const MOST_METHODS: usize = 10;
/// Longest name of one; the registry's have five letters at most.
const LONGEST_METHOD: usize = 64;

/// What an upstream says of how somebody authenticated, as far as it can be read.
pub fn told<'a>(amr: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let readable = |method: &&str| {
        (1..=LONGEST_METHOD).contains(&method.len()) && method.bytes().all(|b| b.is_ascii_graphic())
    };
    amr.into_iter().filter(readable).take(MOST_METHODS).map(ToOwned::to_owned).collect()
}

/// Whether a sign-in of class `reached` does for a request that insists on one of `wanted`: a
/// higher class includes the lower.
pub fn satisfies(reached: Option<&str>, wanted: &[String]) -> bool {
    let level = |class: &str| class.parse::<u8>().ok();
    let Some(reached) = reached else { return false };
    wanted.iter().any(|class| {
        class == reached
            || matches!((level(class), level(reached)), (Some(wanted), Some(reached)) if wanted <= reached)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_what_was_verified_here() {
        let amr = |methods: &[&str]| methods.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of(&amr(&["pwd"])), Some("1"));
        assert_eq!(of(&amr(&["pwd", "otp"])), Some("2"));
        assert_eq!(of(&amr(&[])), None);
        assert_eq!(of(&amr(&["otp"])), None);
        // Entra's and Okta's: more than one factor, whichever they were.
        assert_eq!(of(&amr(&["mfa"])), Some("2"));
        assert_eq!(of(&amr(&["pwd", "mfa"])), Some("2"));
        assert_eq!(of(&amr(&["PWD"])), None);
    }

    #[test]
    fn of_what_an_upstream_says_only_the_readable_is_taken_and_not_without_end() {
        let long = "x".repeat(LONGEST_METHOD + 1);
        assert_eq!(told(["pwd", "", "a b", "\u{e9}", "x\ny", &long, "mfa"]), ["pwd", "mfa"]);
        assert_eq!(told(vec!["pwd"; 100]).len(), MOST_METHODS);
    }

    #[test]
    fn a_higher_class_includes_the_lower_and_no_class_includes_none() {
        let wanted = |classes: &[&str]| classes.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(satisfies(Some("1"), &wanted(&["2", "1"])));
        assert!(satisfies(Some("2"), &wanted(&["1"])));
        assert!(!satisfies(Some("1"), &wanted(&["2"])));
        assert!(!satisfies(Some("1"), &wanted(&["urn:example:gold"])));
        assert!(!satisfies(None, &wanted(&["0", "1"])));
    }
}
