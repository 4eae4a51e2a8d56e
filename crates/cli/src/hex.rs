//! Hexadecimal text, secret or not.

use core::error::Error;
use core::str::FromStr;

use base16ct::{mixed, upper};
use zeroize::Zeroizing;

/// Text that is not hexadecimal. It names offsets, never characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum HexError {
    #[error("there is nothing; hexadecimal digits are needed")]
    Empty,
    #[error("the character at offset {offset} is no hexadecimal digit")]
    Digit {
        /// Offset in the text, from 0, blanks counted.
        offset: usize,
    },
    #[error("{digits} hexadecimal digits are no whole number of bytes")]
    Odd { digits: usize },
}

/// Decodes hexadecimal digits of either case. Blanks and line ends between them don't matter.
///
/// Digits are converted without a branch or a table; only text that is refused is looked at any closer.
pub(crate) fn decode(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, HexError> {
    let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
    digits.extend(text.iter().filter(|c| !c.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; digits.len() / 2]);
    match mixed::decode(digits.as_slice(), &mut bytes) {
        Ok(_) if digits.is_empty() => Err(HexError::Empty),
        Ok(_) => Ok(bytes),
        Err(_) => Err(fault(text, digits.len())),
    }
}

fn fault(text: &[u8], digits: usize) -> HexError {
    match text.iter().position(|c| !c.is_ascii_hexdigit() && !c.is_ascii_whitespace()) {
        Some(offset) => HexError::Digit { offset },
        None => HexError::Odd { digits },
    }
}

/// Encodes public bytes in upper case.
pub(crate) fn encode(bytes: &[u8]) -> String {
    upper::encode_string(bytes)
}

/// Encodes secret bytes in upper case.
pub(crate) fn encode_secret(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(encode(bytes))
}

/// Reads a public argument of fixed meaning.
pub(crate) fn parse<T, E>(text: &str) -> Result<T, Box<dyn Error + Send + Sync>>
where
    T: for<'a> TryFrom<&'a [u8], Error = E>,
    E: Error + Send + Sync + 'static,
{
    Ok(T::try_from(&decode(text.as_bytes())?)?)
}

/// Reads a public argument of `N` bytes.
pub(crate) fn parse_array<const N: usize>(text: &str, what: &str) -> Result<[u8; N], String> {
    let bytes = decode(text.as_bytes()).map_err(|error| error.to_string())?;
    bytes.as_slice().try_into().map_err(|_| format!("{what} is {N} bytes, found {}", bytes.len()))
}

/// A public argument of any length.
#[derive(Clone)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl FromStr for Bytes {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        decode(text.as_bytes()).map(|bytes| Self(bytes.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_case_make_no_difference() {
        assert_eq!(decode(b" 01 aB\r\nCd\t").map(|b| b.to_vec()), Ok(vec![0x01, 0xAB, 0xCD]));
    }

    #[test]
    fn faults_are_named_by_offset() {
        assert_eq!(decode(b"01 2G 34"), Err(HexError::Digit { offset: 4 }));
        assert_eq!(decode("01é".as_bytes()), Err(HexError::Digit { offset: 2 }));
        assert_eq!(decode(b"01 234"), Err(HexError::Odd { digits: 5 }));
        assert_eq!(decode(b" \n"), Err(HexError::Empty));
        assert_eq!(decode(b""), Err(HexError::Empty));
    }
}
