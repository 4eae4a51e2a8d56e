//! Keys in messages: ciphertext, a name, and the name of the key above.

use core::fmt;

use super::KeyId;

/// Bytes in hexadecimal as they stand in a message: encrypted keys and initialization vectors.
#[derive(Clone, Copy)]
pub struct Cryptogram<'a> {
    // An even number of hexadecimal digits.
    digits: &'a str,
}

impl<'a> Cryptogram<'a> {
    /// Takes hexadecimal digits of either case; they are written in upper case.
    ///
    /// Returns nothing if their number is odd or zero or one of them is none.
    #[must_use]
    pub fn new(digits: &'a str) -> Option<Self> {
        let hex = digits.bytes().all(|c| c.is_ascii_hexdigit());
        (hex && !digits.is_empty() && digits.len().is_multiple_of(2)).then_some(Self { digits })
    }

    /// Number of bytes.
    #[must_use]
    pub const fn byte_len(&self) -> usize {
        self.digits.len() / 2
    }

    /// The bytes.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        let (pairs, _) = self.digits.as_bytes().as_chunks();
        pairs.iter().map(|[high, low]| (digit(*high) << 4) | digit(*low))
    }

    /// The bytes if there are `N`.
    #[must_use]
    pub fn to_array<const N: usize>(&self) -> Option<[u8; N]> {
        let mut out = [0; N];
        out.iter_mut().zip(self.bytes()).for_each(|(out, byte)| *out = byte);
        (self.byte_len() == N).then_some(out)
    }
}

/// Value of a hexadecimal digit.
const fn digit(c: u8) -> u8 {
    match c {
        b'0'..=b'9' => c - b'0',
        _ => (c | 0x20) - b'a' + 10,
    }
}

/// Two are equal if their bytes are.
impl PartialEq for Cryptogram<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.digits.eq_ignore_ascii_case(other.digits)
    }
}

impl Eq for Cryptogram<'_> {}

impl fmt::Display for Cryptogram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Cryptogram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cryptogram({self})")
    }
}

/// Content of a key field: `key.IDK1.IDK2`. What is not named is left out, with its full stop if nothing follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyField<'a> {
    /// The encrypted key.
    pub key: Cryptogram<'a>,
    /// Name of the key (IDK1).
    pub name: Option<KeyId>,
    /// Name of the key that it is encrypted under (IDK2).
    pub under: Option<KeyId>,
}

impl fmt::Display for KeyField<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        match (self.name, self.under) {
            (None, None) => Ok(()),
            (Some(name), None) => write!(f, ".{name}"),
            (None, Some(under)) => write!(f, "..{under}"),
            (Some(name), Some(under)) => write!(f, ".{name}.{under}"),
        }
    }
}
