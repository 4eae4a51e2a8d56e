//! The key serial number.

use core::fmt;

use crate::counter::{Counter, CounterError};

/// Key Serial Number (KSN): the public name of one transaction key.
///
/// `59 bits key set identifier and TRSM identifier || 21 bits transaction counter`, 10 bytes. Where the key set
/// identifier ends is agreed between the parties; note that the counter's top bit shares byte 7 with the identifiers.
///
/// # Source
/// ANS X9.24-1:2009 8.7 and A.1; 8.7.1 for the KEY NAME that carries it.
///
/// # Examples
/// ```
/// use cardroot_dukpt::{Counter, Ksn};
///
/// let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x08]);
/// assert_eq!(ksn.counter(), Counter::try_from(8));
/// assert_eq!(ksn.initial().to_string(), "FFFF9876543210E00000");
/// ```
#[doc(alias = "SMID")]
#[doc(alias = "key name")]
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Ksn([u8; Ksn::LEN]);

/// A byte string that is not a key serial number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KsnError {
    /// The input is not [`Ksn::LEN`] bytes long.
    #[error("a key serial number is 10 bytes, found {found}")]
    Length {
        /** Bytes supplied. */
        found: usize,
    },
    /// The field of a message is shorter than [`Ksn::MIN_WIRE_LEN`] or longer than [`Ksn::LEN`].
    #[error("a key serial number in a message is 5 to 10 bytes, found {found}")]
    WireLength {
        /** Bytes supplied. */
        found: usize,
    },
}

/// Bits of byte 7 that belong to the counter.
const COUNTER_BITS_OF_BYTE_7: u8 = 0x1F;
/// What the left of a short key serial number is filled with.
const PADDING: u8 = 0xFF;

impl Ksn {
    /// Length in bytes.
    pub const LEN: usize = 10;
    /// Shortest form in a message: a KEY NAME has 5 bytes or more.
    pub const MIN_WIRE_LEN: usize = 5;

    /// Takes the key serial number of a message, 5 to 10 bytes: what is missing on the left is `FF`.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.7.1 (length of a KEY NAME) and A.2 (leading `F` may be left out).
    ///
    /// # Errors
    /// Returns [`KsnError::WireLength`] for any other length.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, KsnError> {
        let error = KsnError::WireLength { found: bytes.len() };
        if bytes.len() < Self::MIN_WIRE_LEN {
            return Err(error);
        }
        let mut ksn = [PADDING; Self::LEN];
        let padding = Self::LEN.checked_sub(bytes.len()).ok_or(error)?;
        ksn.get_mut(padding..).ok_or(error)?.copy_from_slice(bytes);
        Ok(Self(ksn))
    }

    /// All 10 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The bytes without leading `FF`, but at least 5: the short form that some message formats use.
    #[must_use]
    pub fn without_padding(&self) -> &[u8] {
        let padding = self.0.iter().take_while(|byte| **byte == PADDING).count();
        self.0.get(padding.min(Self::LEN - Self::MIN_WIRE_LEN)..).expect("at least 5 bytes are kept")
    }

    /// Key set identifier and TRSM identifier: the 59 bits that name the originator.
    #[must_use]
    pub fn id(&self) -> u64 {
        u64::from_be_bytes(self.leftmost_64_bits()) >> COUNTER_BITS_OF_BYTE_7.count_ones()
    }

    /// The key serial number of the initial key: the counter cleared.
    #[doc(alias = "IKSN")]
    #[must_use]
    pub const fn initial(&self) -> Self {
        self.with_counter_bits(0)
    }

    /// The transaction counter.
    ///
    /// # Errors
    /// Returns [`CounterError`] if no transaction may carry it, as in the number of an initial key.
    pub fn counter(&self) -> Result<Counter, CounterError> {
        Counter::try_from(self.counter_bits())
    }

    /// The same originator at another transaction.
    #[must_use]
    pub const fn with_counter(&self, counter: Counter) -> Self {
        self.with_counter_bits(counter.value())
    }

    /// The counter field, whatever it holds.
    pub(crate) const fn counter_bits(&self) -> u32 {
        let [.., byte_7, byte_8, byte_9] = self.0;
        u32::from_be_bytes([0, byte_7 & COUNTER_BITS_OF_BYTE_7, byte_8, byte_9])
    }

    /// The same originator with any 21 bits in the counter field: what derivation steps over on its way.
    pub(crate) const fn with_counter_bits(&self, bits: u32) -> Self {
        let [a, b, c, d, e, f, g, byte_7, _, _] = self.0;
        let [_, high, byte_8, byte_9] = bits.to_be_bytes();
        let byte_7 = byte_7 & !COUNTER_BITS_OF_BYTE_7 | high & COUNTER_BITS_OF_BYTE_7;
        Self([a, b, c, d, e, f, g, byte_7, byte_8, byte_9])
    }

    /// Input of the initial key derivation.
    pub(crate) const fn leftmost_64_bits(&self) -> [u8; 8] {
        let [left @ .., _, _] = self.0;
        left
    }

    /// Input of the non-reversible step.
    pub(crate) const fn rightmost_64_bits(&self) -> [u8; 8] {
        let [_, _, right @ ..] = self.0;
        right
    }
}

impl From<[u8; Ksn::LEN]> for Ksn {
    fn from(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Ksn {
    type Error = KsnError;

    /// Takes exactly 10 bytes; see [`Ksn::from_wire`] for shorter ones.
    fn try_from(bytes: &[u8]) -> Result<Self, KsnError> {
        bytes.try_into().map(Self).map_err(|_| KsnError::Length { found: bytes.len() })
    }
}

impl fmt::Display for Ksn {
    /// 20 upper-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Ksn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ksn({self})")
    }
}
