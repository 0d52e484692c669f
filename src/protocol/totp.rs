//! One-time codes by time — RFC 6238 over RFC 4226, with SHA-1, six digits and thirty seconds: what
//! every authenticator app speaks. And recovery codes, for the day the app is lost.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::ambient::{Entropy, Timestamp, random};
use crate::secret::{Secret, SecretString, constant_time_eq};

/// Seconds that a code is shown for.
const PERIOD: i64 = 30;
/// A code of the step before or after is taken too: clocks differ (RFC 6238 §5.2).
const SKEW: i64 = 1;
/// What a code is the remainder by: six digits.
const MODULUS: u32 = 1_000_000;
/// RFC 4226 §4 R6 recommends 160 bits.
const SECRET_BYTES: usize = 20;
/// RFC 4648 §6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// How many recovery codes are handed out.
pub const RECOVERY_CODES: usize = 10;
/// 80 bits: more than can be guessed, little enough to write down.
const RECOVERY_BYTES: usize = 10;

/// What an authenticator app and we both know.
pub struct TotpSecret(Secret<Vec<u8>>);

impl TotpSecret {
    /// Draws a new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(random::<SECRET_BYTES>(entropy).to_vec()))
    }

    /// One read back from where it was sealed.
    pub fn new(bytes: Secret<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes to seal.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// The key as people type it who cannot scan: base32.
    pub fn to_text(&self) -> SecretString {
        SecretString::new(base32(self.0.expose()))
    }

    /// What the QR code holds. `issuer` and `account` are shown by the app.
    pub fn uri(&self, issuer: &str, account: &str) -> SecretString {
        let escaped = |text: &str| {
            url::form_urlencoded::byte_serialize(text.as_bytes())
                .collect::<String>()
                .replace('+', "%20")
        };
        SecretString::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={PERIOD}",
            self.to_text().expose(),
            issuer = escaped(issuer),
            account = escaped(account),
        ))
    }

    /// The code of a time step (RFC 4226 §5.3).
    pub fn code(&self, step: i64) -> SecretString {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.expose());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
        let word = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>());
        let word = u32::from_be_bytes(word.copied().unwrap_or_default()) & 0x7fff_ffff;
        SecretString::new(format!("{:06}", word % MODULUS))
    }

    /// The step that `code` is of, if it is one that counts now. Whoever accepts it remembers the
    /// step, for it counts once.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let current = now.secs().div_euclid(PERIOD);
        // All are compared, so that the time tells nothing.
        (current.saturating_sub(SKEW)..=current.saturating_add(SKEW)).fold(None, |found, step| {
            let same = constant_time_eq(self.code(step).expose().as_bytes(), code.as_bytes());
            if same { Some(step) } else { found }
        })
    }
}

/// What was typed as a second factor.
pub enum TypedCode {
    /// Six digits.
    Totp(SecretString),
    /// Anything else, as recovery codes are hashed.
    Recovery(SecretString),
}

impl TypedCode {
    /// Tells one from the other; blanks and hyphens do not count, nor does case.
    pub fn read(typed: &str) -> Self {
        let plain: Zeroizing<String> =
            Zeroizing::new(typed.chars().filter(char::is_ascii_alphanumeric).collect());
        if plain.len() == 6 && plain.bytes().all(|byte| byte.is_ascii_digit()) {
            Self::Totp(SecretString::new(plain.to_string()))
        } else {
            Self::Recovery(SecretString::new(plain.to_ascii_uppercase()))
        }
    }
}

/// A new set of recovery codes, as they are shown: `ABCD-EFGH-JKLM-NPQR`.
pub fn recovery_codes(entropy: &dyn Entropy) -> Vec<SecretString> {
    let code = || {
        let text = Zeroizing::new(base32(&random::<RECOVERY_BYTES>(entropy)));
        let groups: Vec<&str> =
            (0..4).filter_map(|group| text.get(group * 4..group * 4 + 4)).collect();
        SecretString::new(groups.join("-"))
    };
    (0..RECOVERY_CODES).map(|_| code()).collect()
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(8).div_ceil(5));
    let (mut held, mut bits) = (0_u32, 0_u32);
    let letter = |index: u32| {
        BASE32.get(usize::try_from(index & 31).unwrap_or_default()).copied().map(char::from)
    };
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.extend(letter(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.extend(letter(held << (5 - bits)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SeededEntropy;

    fn rfc() -> TotpSecret {
        TotpSecret::new(Secret::new(b"12345678901234567890".to_vec()))
    }

    #[test]
    fn codes_are_those_of_rfc_6238_appendix_b() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(rfc().code(seconds / PERIOD).expose(), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_counts_in_its_step_and_the_ones_beside_it() {
        let (secret, now) = (rfc(), Timestamp::from_secs(59));
        for (step, counts) in [(-1, false), (0, true), (1, true), (2, true), (3, false)] {
            let found = secret.step_of(secret.code(step).expose(), now);
            assert_eq!(found, counts.then_some(step), "{step}");
        }
        for wrong in ["", "287083", "28708", "2870820", "２８７０８２"] {
            assert_eq!(secret.step_of(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648_without_padding() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), text);
        }
    }

    #[test]
    fn the_uri_escapes_what_it_names() {
        let uri = rfc().uri("id.example.com", "a&b c");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/id.example.com:a%26b%20c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=id.example.com&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn recovery_codes_are_ten_and_read_back_however_they_are_typed() {
        let codes = recovery_codes(&SeededEntropy::new(1));
        assert_eq!(codes.len(), RECOVERY_CODES);
        let first = codes.first().map(|code| code.expose().clone()).unwrap_or_default();
        assert_eq!(first.len(), 19, "{first}");
        let read = |text: &str| match TypedCode::read(text) {
            TypedCode::Totp(_) => String::new(),
            TypedCode::Recovery(code) => code.expose().clone(),
        };
        assert_eq!(read(&first), first.replace('-', ""));
        assert_eq!(read(&format!(" {} ", first.to_lowercase().replace('-', " "))), read(&first));
        assert!(matches!(TypedCode::read("123 456"), TypedCode::Totp(_)));
        assert!(matches!(TypedCode::read("12345"), TypedCode::Recovery(_)));
    }
}
