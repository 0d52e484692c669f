//! Names that Russet drew, as arguments. One in 64 begins with a hyphen and must be taken as it is,
//! and a misspelt flag must not be taken for a name.

/// The shortest name that Russet draws: 16 bytes in base64url.
const SHORTEST: usize = 22;

/// `text`, unless it is rather a flag that there is not.
pub(super) fn drawn_name(text: &str) -> Result<String, String> {
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    // In 22 drawn characters there is a capital, a digit or a `_`.
    let is_word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if text.starts_with('-') && (is_word || name.len() < SHORTEST) {
        return Err(format!("{name} is no flag of this command; --help lists them"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_name_may_begin_with_hyphens_and_a_flag_is_none() {
        for name in ["shop", "--tQm0x7Zr1c9_aB-dEfGhI", "-9aaaaaaaaaaaaaaaaaaaaa", "a-b=c"] {
            assert_eq!(drawn_name(name).as_deref(), Ok(name));
        }
        for flag in
            ["-", "--", "-x", "--typo", "--Typo", "--dry-run=true", "--a-rather-long-flag-of-old"]
        {
            assert!(drawn_name(flag).is_err(), "{flag}");
        }
    }
}
