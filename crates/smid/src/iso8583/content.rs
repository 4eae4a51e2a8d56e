//! The character classes of ISO 8583.

use core::fmt;

use super::store::Kind;

/// Which characters a field may hold.
///
/// Text is printable ASCII; letters are `A`-`Z` and `a`-`z`, special characters all others but the space.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// `n`: digits.
    N,
    /// `a`: letters.
    A,
    /// `an`: letters and digits.
    An,
    /// `anp`: letters, digits and the space.
    Anp,
    /// `ns`: digits and special characters.
    Ns,
    /// `ans`: letters, digits, special characters and the space.
    Ans,
    /// `a or n`: all letters or all digits, as in currency codes.
    AOrN,
    /// `x+n`: `C` (credit) or `D` (debit), then digits.
    XN,
    /// `z`: the code set of tracks 2 and 3, digits and `:;<=>?`, `=` being the separator.
    Z,
    /// `b`: bytes.
    B,
}

impl Content {
    /// Finds the first byte of `value` that is not of this class.
    ///
    /// # Errors
    /// Returns its position; that is the length of `value` where something is missing (the sign of `x+n`).
    pub fn check(self, value: &[u8]) -> Result<(), usize> {
        let odd_one_out = match self {
            Self::N => position(value, u8::is_ascii_digit),
            Self::A => position(value, u8::is_ascii_alphabetic),
            Self::An => position(value, u8::is_ascii_alphanumeric),
            Self::Anp => position(value, |&c| c.is_ascii_alphanumeric() || c == b' '),
            Self::Ns => position(value, |&c| c.is_ascii_graphic() && !c.is_ascii_alphabetic()),
            Self::Ans => position(value, |&c| matches!(c, b' '..=b'~')),
            Self::Z => position(value, |&c| matches!(c, b'0'..=b'?')),
            Self::B => None,
            Self::AOrN => match value.first() {
                Some(c) if c.is_ascii_alphabetic() => position(value, u8::is_ascii_alphabetic),
                _ => position(value, u8::is_ascii_digit),
            },
            Self::XN => match value.split_first() {
                Some((b'C' | b'D', digits)) => position(digits, u8::is_ascii_digit).map(|at| at + 1),
                _ => Some(0),
            },
        };
        odd_one_out.map_or(Ok(()), Err)
    }

    /// Tells whether values are bytes rather than text.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::B)
    }

    pub(super) const fn kind(self) -> Kind {
        if self.is_binary() { Kind::Bytes } else { Kind::Text }
    }
}

fn position(value: &[u8], allowed: impl Fn(&u8) -> bool) -> Option<usize> {
    value.iter().position(|c| !allowed(c))
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::N => "n",
            Self::A => "a",
            Self::An => "an",
            Self::Anp => "anp",
            Self::Ns => "ns",
            Self::Ans => "ans",
            Self::AOrN => "a or n",
            Self::XN => "x+n",
            Self::Z => "z",
            Self::B => "b",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::String, vec::Vec};

    /// The single characters that a class accepts.
    fn accepted(content: Content) -> String {
        (0..=u8::MAX).filter(|&c| content.check(&[c]).is_ok()).map(char::from).collect()
    }

    #[test]
    fn classes_accept_their_characters_and_no_others() {
        let digits = "0123456789";
        let letters: String = ('A'..='Z').chain('a'..='z').collect();
        let special: String = (0x21..=0x7E_u8).map(char::from).filter(|c| !c.is_alphanumeric()).collect();
        let sorted = |parts: &[&str]| {
            let mut all: Vec<char> = parts.concat().chars().collect();
            all.sort_unstable();
            all.into_iter().collect::<String>()
        };
        assert_eq!(accepted(Content::N), digits);
        assert_eq!(accepted(Content::A), letters);
        assert_eq!(accepted(Content::An), sorted(&[digits, &letters]));
        assert_eq!(accepted(Content::AOrN), sorted(&[digits, &letters]));
        assert_eq!(accepted(Content::Anp), sorted(&[digits, &letters, " "]));
        assert_eq!(accepted(Content::Ns), sorted(&[digits, &special]));
        assert_eq!(accepted(Content::Ans), sorted(&[digits, &letters, &special, " "]));
        assert_eq!(accepted(Content::Z), "0123456789:;<=>?");
        assert_eq!(accepted(Content::XN), "CD");
        assert_eq!(accepted(Content::B).chars().count(), 256);
    }

    #[test]
    fn first_wrong_character_is_located() {
        assert_eq!(Content::N.check(b"12A4B"), Err(2));
        assert_eq!(Content::XN.check(b"C12C4"), Err(3));
        assert_eq!(Content::XN.check(b"012"), Err(0));
        assert_eq!(Content::AOrN.check(b"EU9"), Err(2));
        assert_eq!(Content::AOrN.check(b"97R"), Err(2));
    }

    #[test]
    fn empty_value_fits_all_classes_but_the_signed_one() {
        use Content::*;
        for content in [N, A, An, Anp, Ns, Ans, AOrN, Z, B] {
            assert_eq!(content.check(b""), Ok(()), "{content}");
        }
        assert_eq!(XN.check(b""), Err(0));
    }
}
