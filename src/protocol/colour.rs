//! Colours, and how far one stands out from another (WCAG 2.2 §1.4.3).

use std::fmt;

/// Text must stand out at least so much.
pub const ENOUGH: f64 = 4.5;

/// A colour of the sRGB space, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The lightest.
pub(crate) const WHITE: Colour = Colour([0xff; 3]);
/// The darkest.
pub(crate) const BLACK: Colour = Colour([0; 3]);

/// What a colour is seen against, in one of the two schemes, as `static/russet.css` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark text on a light page.
    Light,
    /// Light text on a dark page.
    Dark,
}

impl Scheme {
    /// The grounds that accented text stands on.
    pub(crate) const fn surfaces(self) -> [Colour; 2] {
        match self {
            Self::Light => [WHITE, Colour([0xf3, 0xee, 0xea])],
            Self::Dark => [Colour([0x1f, 0x1b, 0x18]), Colour([0x28, 0x23, 0x20])],
        }
    }

    /// The faintest text that stands on the page's own ground.
    pub(crate) const fn soft(self) -> Colour {
        match self {
            Self::Light => Colour([0x62, 0x57, 0x4f]),
            Self::Dark => Colour([0xb8, 0xac, 0xa3]),
        }
    }

    /// What makes an accent stand out more, and a ground less.
    pub(crate) const fn away(self) -> Colour {
        match self {
            Self::Light => BLACK,
            Self::Dark => WHITE,
        }
    }

    pub(crate) const fn towards(self) -> Colour {
        match self {
            Self::Light => WHITE,
            Self::Dark => BLACK,
        }
    }
}

impl Colour {
    /// Reads `#rrggbb`, or the same without the hash.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        let hex = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| hex)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast of two colours, from 1 to 21 (WCAG 2.2).
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// This colour with so many 256ths of another in it.
    pub(crate) fn mixed(self, other: Self, parts: u16) -> Self {
        let mut mixed = self.0;
        for (channel, to) in mixed.iter_mut().zip(other.0) {
            let sum =
                u32::from(*channel) * u32::from(256 - parts) + u32::from(to) * u32::from(parts);
            *channel = u8::try_from(sum / 256).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// The worst contrast with any of these.
    pub(crate) fn worst(self, others: &[Self]) -> f64 {
        others.iter().map(|other| self.contrast(*other)).fold(f64::INFINITY, f64::min)
    }

    /// The nearest colour on the way to `end` that stands out enough from all of these.
    pub(crate) fn nearest(self, end: Self, others: &[Self]) -> Self {
        let tried = (0..=256).map(|parts| self.mixed(end, parts));
        tried.into_iter().find(|colour| colour.worst(others) >= ENOUGH).unwrap_or(end)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::parse(text).unwrap()
    }

    #[test]
    fn contrast_is_what_wcag_says() {
        assert!((WHITE.contrast(BLACK) - 21.0).abs() < 0.001);
        assert!((colour("#777777").contrast(WHITE) - 4.48).abs() < 0.01);
        assert!((colour("#767676").contrast(WHITE) - 4.54).abs() < 0.01);
        for not in ["", "#fff", "#12345g", "red", "#1234567", "+12345"] {
            assert_eq!(Colour::parse(not), None, "{not}");
        }
    }
}
