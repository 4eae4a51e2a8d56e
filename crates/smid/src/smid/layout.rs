//! The three parts of a key name, by a layout that the caller chooses.

use super::KeyName;

/// Widths of the three parts of a key name, in bits: key set identifier || TRSM (device) identifier || counter.
///
/// The standard fixes the order of the parts and leaves their widths to the parties.
///
/// # Source
/// ANS X9.24-1:2009 8.7.
///
/// # Examples
/// ```
/// use cardroot_smid::{KeyName, NameLayout};
///
/// let name = KeyName::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01]);
/// let parts = NameLayout::ANNEX_A.split(&name)?;
/// assert_eq!(parts.key_set_id, 0xFF_FF98_7654);
/// assert_eq!(parts.device_id, 0x32_10E0 >> 5);
/// assert_eq!(parts.counter, 1);
/// # Ok::<(), cardroot_smid::LayoutError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NameLayout {
    key_set_id_bits: u8,
    device_id_bits: u8,
    counter_bits: u8,
}

/// Parts of a key name, each right-aligned in its integer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NameParts {
    /// Key set identifier: selects the base derivation key.
    pub key_set_id: u128,
    /// TRSM identifier: tells the devices of one key set apart.
    pub device_id: u64,
    /// Transaction counter.
    pub counter: u64,
}

/// A layout and a key name, or its parts, do not fit together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A part has no bits, or the device identifier or counter has more than 64.
    #[error("each part of a key name has at least one bit, device identifier and counter at most 64")]
    PartWidth,
    /// The widths do not add up to 5 to 16 whole bytes.
    #[error("the parts add up to {bits} bits, not to 5 to 16 whole bytes")]
    TotalWidth {
        /// Sum of the three widths.
        bits: u16,
    },
    /// The key name is not as long as the layout.
    #[error("the layout is of {expected} bytes, the key name has {found}")]
    NameLength {
        /// Bytes of the layout.
        expected: usize,
        /// Bytes of the name.
        found: usize,
    },
    /// A part does not fit in its bits.
    #[error("a part of the key name does not fit in its {bits} bits")]
    PartTooLarge {
        /// Width of that part.
        bits: u8,
    },
}

impl NameLayout {
    /// 10 bytes: key set 40 bits, device 19 bits, counter 21 bits.
    ///
    /// Annex A of ANS X9.24-1 fixes 59 bits before a counter of 21. The cut after bit 40 is the example of
    /// AS 2805.6.7 (issuer number 3 bytes, customer 1, group 1), not of Annex A: agree on it with your partner.
    pub const ANNEX_A: Self = Self { key_set_id_bits: 40, device_id_bits: 19, counter_bits: 21 };

    /// 8 bytes: key set 24 bits, device 19 bits, counter 21 bits.
    ///
    /// The name of [`ANNEX_A`](Self::ANNEX_A) without its two fill bytes. Inferred from one library that sends eight
    /// bytes; no standard we could read says so.
    pub const ANNEX_A_WITHOUT_FILL: Self = Self { key_set_id_bits: 24, device_id_bits: 19, counter_bits: 21 };

    /// Builds a layout from widths in bits.
    ///
    /// # Errors
    /// Returns [`LayoutError::PartWidth`] if a part is empty or device or counter exceed 64 bits, and
    /// [`LayoutError::TotalWidth`] unless the sum is 5 to 16 whole bytes.
    pub const fn new(key_set_id_bits: u8, device_id_bits: u8, counter_bits: u8) -> Result<Self, LayoutError> {
        if key_set_id_bits == 0
            || device_id_bits == 0
            || counter_bits == 0
            || device_id_bits > 64
            || counter_bits > 64
        {
            return Err(LayoutError::PartWidth);
        }
        let layout = Self { key_set_id_bits, device_id_bits, counter_bits };
        let bits = layout.total_bits();
        if !bits.is_multiple_of(8) || bits < 40 || bits > 128 {
            return Err(LayoutError::TotalWidth { bits });
        }
        Ok(layout)
    }

    /// Returns the widths of key set identifier, device identifier and counter, in bits.
    pub const fn widths(&self) -> [u8; 3] {
        [self.key_set_id_bits, self.device_id_bits, self.counter_bits]
    }

    /// Returns the length of the key names of this layout, in bytes.
    pub const fn name_len(&self) -> usize {
        (self.total_bits() / 8) as usize
    }

    /// Cuts `name` into its parts.
    ///
    /// # Errors
    /// Returns [`LayoutError::NameLength`] if `name` is not as long as the layout.
    pub fn split(&self, name: &KeyName) -> Result<NameParts, LayoutError> {
        let bytes = name.as_bytes();
        if bytes.len() != self.name_len() {
            return Err(LayoutError::NameLength { expected: self.name_len(), found: bytes.len() });
        }
        let value = bytes.iter().fold(0u128, |value, &byte| (value << 8) | u128::from(byte));
        Ok(NameParts {
            key_set_id: value >> (self.device_id_bits + self.counter_bits),
            device_id: low_bits(value >> self.counter_bits, self.device_id_bits),
            counter: low_bits(value, self.counter_bits),
        })
    }

    /// Joins `parts` into a key name.
    ///
    /// # Errors
    /// Returns [`LayoutError::PartTooLarge`] if a part does not fit in its bits.
    pub fn join(&self, parts: &NameParts) -> Result<KeyName, LayoutError> {
        let widths = [self.key_set_id_bits, self.device_id_bits, self.counter_bits];
        let values = [parts.key_set_id, parts.device_id.into(), parts.counter.into()];
        let mut name = 0u128;
        for (bits, value) in widths.into_iter().zip(values) {
            if value >> bits != 0 {
                return Err(LayoutError::PartTooLarge { bits });
            }
            name = (name << bits) | value;
        }
        let bytes = name.to_be_bytes();
        let (_, name) = bytes.split_at(bytes.len() - self.name_len());
        Ok(KeyName::new(name).expect("a layout is 5 to 16 bytes"))
    }

    const fn total_bits(&self) -> u16 {
        self.key_set_id_bits as u16 + self.device_id_bits as u16 + self.counter_bits as u16
    }
}

/// The low `bits` (1 to 64) of `value`.
fn low_bits(value: u128, bits: u8) -> u64 {
    u64::try_from(value & (u128::MAX >> (128 - bits))).expect("at most 64 bits are kept")
}
