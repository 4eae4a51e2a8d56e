//! A key block as it travels.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::header::{DecodeError, Header, printable};

/// A key block: header, ciphertext and MAC. A public value, authentic only once it is [unwrapped](Self::unwrap).
///
/// Printable ASCII: the header, the ciphertext and the MAC in hexadecimal. The text is kept as it came.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct KeyBlock {
    text: String,
    header: Header,
    header_len: usize,
    ciphertext: Vec<u8>,
    mac: Vec<u8>,
}

impl KeyBlock {
    /// Reads a key block, all of it: nothing may stand behind it, not even the end of a line.
    ///
    /// Needs no key, and tells only what the block says of itself: anybody can write that.
    ///
    /// # Errors
    /// Returns the first [`DecodeError`].
    ///
    /// # Examples
    /// ```
    /// use cardroot_keyblock::{Exportability, KeyBlock, ModeOfUse, Usage, Version};
    ///
    /// // TR-31:2018 A.7.2.2
    /// let text = "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E";
    /// let block = KeyBlock::decode(text.as_bytes())?;
    /// let header = block.header();
    /// assert_eq!((header.version, header.attributes.usage), (Version::B, Usage::PIN_ENCRYPTION));
    /// assert_eq!(header.attributes.mode, ModeOfUse::ENCRYPT);
    /// assert_eq!(header.attributes.exportability, Exportability::Trusted);
    /// # Ok::<(), cardroot_keyblock::DecodeError>(())
    /// ```
    pub fn decode(text: &[u8]) -> Result<Self, DecodeError> {
        let text = printable(text)?;
        let (header, header_len) = Header::decode_prefix(text)?;
        let version = header.version;
        let rest = text.get(header_len..).expect("the header is within the text");

        let digits = rest.len().checked_sub(2 * version.mac_len()).ok_or(DecodeError::MacMissing)?;
        let (ciphertext, mac) = rest.split_at_checked(digits).ok_or(DecodeError::MacMissing)?;
        let mac = base16ct::mixed::decode_vec(mac).map_err(|_| DecodeError::MacDigits)?;
        if !ciphertext.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(DecodeError::CiphertextDigits);
        }
        let wrong_length = DecodeError::CiphertextLength { digits };
        let ciphertext = base16ct::mixed::decode_vec(ciphertext).map_err(|_| wrong_length)?;
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(version.payload_unit()) {
            return Err(wrong_length);
        }
        Ok(Self { text: text.to_owned(), header, header_len, ciphertext, mac })
    }

    /// What the block says of its key.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The text as it came or goes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The header as it stands in the text: what the MAC is computed over.
    pub(crate) fn header_text(&self) -> &[u8] {
        self.text.as_bytes().get(..self.header_len).expect("the header is within the text")
    }

    pub(crate) fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    pub(crate) fn mac(&self) -> &[u8] {
        &self.mac
    }
}

impl FromStr for KeyBlock {
    type Err = DecodeError;

    fn from_str(text: &str) -> Result<Self, DecodeError> {
        Self::decode(text.as_bytes())
    }
}

impl fmt::Display for KeyBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for KeyBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyBlock({self})")
    }
}
