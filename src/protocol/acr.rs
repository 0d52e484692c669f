//! Authentication context class — OIDC Core §2, §3.1.2.1, §5.5.1.1.
//!
//! The classes are the levels that relying parties ask for most: `1` is one factor that Russet
//! itself verified, `2` is two. What an upstream did is the upstream's to say, so a sign-in there
//! has no class.

/// A password kept here.
pub const ONE_FACTOR: &str = "1";
/// A password and a second factor.
pub const TWO_FACTORS: &str = "2";

/// The classes that can be reached with local accounts, as discovery lists them.
pub const SUPPORTED: [&str; 2] = [ONE_FACTOR, TWO_FACTORS];

/// The class of a sign-in by these methods (RFC 8176).
pub fn of(amr: &[String]) -> Option<&'static str> {
    let has = |method: &str| amr.iter().any(|used| used == method);
    match (has("pwd"), has("otp") || has("hwk") || has("mfa")) {
        (true, true) => Some(TWO_FACTORS),
        (true, false) => Some(ONE_FACTOR),
        (false, _) => None,
    }
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
