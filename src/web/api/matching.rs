//! `If-Match` — RFC 9110 §13.1.1.

/// What the caller has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// `*`: whatever stands, as long as something does.
    Anything,
    /// One of these versions.
    OneOf(Vec<i64>),
}

impl Seen {
    /// A tag that is weak or none of ours is well formed and matches nothing.
    pub(super) fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Anything;
        }
        let version = |tag: &str| {
            let tag = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
            let plain = tag == "0" || !tag.starts_with(['0', '+']);
            tag.parse().ok().filter(|_| plain)
        };
        Self::OneOf(header.split(',').filter_map(version).collect())
    }

    pub(super) fn matches(&self, version: i64) -> bool {
        match self {
            Self::Anything => true,
            Self::OneOf(seen) => seen.contains(&version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_what_there_is_and_a_tag_its_version() {
        for (header, matching) in [
            ("*", true),
            (" * ", true),
            ("\"7\"", true),
            ("\"6\", \"7\"", true),
            ("\"6\"", false),
            ("\"07\"", false),
            ("\"+7\"", false),
            ("7", false),
            ("\"7", false),
            // RFC 9110 §13.1.1 compares strongly.
            ("W/\"7\"", false),
            ("\"*\"", false),
            ("", false),
        ] {
            assert_eq!(Seen::parse(header).matches(7), matching, "{header}");
        }
    }
}
