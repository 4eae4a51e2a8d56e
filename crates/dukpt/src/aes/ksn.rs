//! The key serial number of AES DUKPT, and the name of an initial key in it.

use core::fmt;

use crate::aes::counter::{Counter, CounterError, OnesLimit};
use crate::ksn::Ksn as TdesKsn;

/// Base Derivation Key identifier: the first 4 bytes of the names of all originators whose keys come from it. In the words
/// of TDES DUKPT, a key set identifier.
///
/// # Source
/// ANS X9.24-3:2017 6.3.3.
#[doc(alias = "key set identifier")]
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BdkId([u8; BdkId::LEN]);

/// Initial Key Identifier: the public name of one originator, and of the initial key loaded into it.
///
/// `4 bytes BDK identifier || 4 bytes derivation identifier`.
///
/// # Source
/// ANS X9.24-3:2017 6.3.3.
#[doc(alias = "IKID")]
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct InitialKeyId([u8; InitialKeyId::LEN]);

/// Key Serial Number (KSN): the public name of one transaction key of AES DUKPT.
///
/// `8 bytes initial key identifier || 4 bytes transaction counter`, 12 bytes, never shortened.
///
/// # Source
/// ANS X9.24-3:2017 6.3.3.
///
/// # Examples
/// ```
/// use cardroot_dukpt::aes::{Counter, Ksn};
///
/// let ksn = Ksn::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x00, 0x00, 0x00, 0x08]);
/// assert_eq!(ksn.counter(), Counter::try_from(8));
/// assert_eq!(ksn.id().to_string(), "1234567890123456");
/// ```
/// It is not the key serial number of TDES DUKPT:
/// ```compile_fail,E0308
/// use cardroot_dukpt::{Ksn, aes};
/// let ksn: aes::Ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x08]);
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Ksn([u8; Ksn::LEN]);

/// A byte string that is not a key serial number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a key serial number of AES DUKPT is 12 bytes, found {found}")]
pub struct KsnLengthError {
    /// Bytes supplied.
    pub found: usize,
}

impl BdkId {
    /// Length in bytes.
    pub const LEN: usize = 4;

    /// All 4 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl InitialKeyId {
    /// Length in bytes.
    pub const LEN: usize = 8;

    /// The name of one of the originators of a base derivation key.
    #[must_use]
    pub const fn new(bdk_id: BdkId, derivation_id: [u8; 4]) -> Self {
        let (BdkId([a, b, c, d]), [e, f, g, h]) = (bdk_id, derivation_id);
        Self([a, b, c, d, e, f, g, h])
    }

    /// All 8 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Which base derivation key the initial key comes from.
    #[must_use]
    pub const fn bdk_id(&self) -> BdkId {
        let [a, b, c, d, ..] = self.0;
        BdkId([a, b, c, d])
    }

    /// Which of that key's originators this is.
    #[must_use]
    pub const fn derivation_id(&self) -> [u8; 4] {
        let [.., a, b, c, d] = self.0;
        [a, b, c, d]
    }

    /// The initial key identifier that "KSN compatibility mode" makes of a key serial number of TDES DUKPT: its first
    /// 8 bytes with the counter cleared, shifted right by 4 bits.
    ///
    /// For hosts and networks whose messages have room for 10 bytes only. Such identifiers begin with a zero digit.
    ///
    /// # Source
    /// A single public implementation (joyner-perez/aes_dukpt_x9.24-3-2017); no second one and no published text was at
    /// hand. Confirm it with the other side before use.
    #[must_use]
    pub const fn from_compatibility_mode(ksn: &TdesKsn) -> Self {
        Self((u64::from_be_bytes(ksn.initial().leftmost_64_bits()) >> 4).to_be_bytes())
    }
}

impl Ksn {
    /// Length in bytes.
    pub const LEN: usize = 12;

    /// The name of one transaction of an originator.
    #[must_use]
    pub const fn new(id: InitialKeyId, counter: Counter) -> Self {
        Self::with_counter_bits(id, counter.value())
    }

    /// The key serial number that "KSN compatibility mode" makes of a key serial number of TDES DUKPT:
    /// [`InitialKeyId::from_compatibility_mode`], and its 21-bit counter.
    ///
    /// # Source
    /// One public implementation only: see there.
    #[must_use]
    pub const fn from_compatibility_mode(ksn: &TdesKsn) -> Self {
        Self::with_counter_bits(InitialKeyId::from_compatibility_mode(ksn), ksn.counter_bits())
    }

    /// All 12 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The name of the originator.
    #[must_use]
    pub const fn id(&self) -> InitialKeyId {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        InitialKeyId([a, b, c, d, e, f, g, h])
    }

    /// The transaction counter of an originator that keeps to the standard's text.
    ///
    /// # Errors
    /// Returns [`CounterError`] if no transaction may carry it.
    pub const fn counter(&self) -> Result<Counter, CounterError> {
        self.counter_within(OnesLimit::Sixteen)
    }

    /// The transaction counter, within a limit that the receiver chose.
    ///
    /// # Errors
    /// Returns [`CounterError`] if no transaction may carry it.
    pub const fn counter_within(&self, limit: OnesLimit) -> Result<Counter, CounterError> {
        let [.., a, b, c, d] = self.0;
        Counter::within(u32::from_be_bytes([a, b, c, d]), limit)
    }

    /// Any 32 bits in the counter field: what derivation steps over on its way.
    pub(super) const fn with_counter_bits(id: InitialKeyId, bits: u32) -> Self {
        let InitialKeyId([a, b, c, d, e, f, g, h]) = id;
        let [i, j, k, l] = bits.to_be_bytes();
        Self([a, b, c, d, e, f, g, h, i, j, k, l])
    }

    /// Derivation identifier and counter: how derivations below the initial key name their result.
    pub(super) const fn context(&self) -> [u8; 8] {
        let [_, _, _, _, context @ ..] = self.0;
        context
    }
}

impl From<[u8; BdkId::LEN]> for BdkId {
    fn from(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

impl From<[u8; InitialKeyId::LEN]> for InitialKeyId {
    fn from(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

impl From<[u8; Ksn::LEN]> for Ksn {
    fn from(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Ksn {
    type Error = KsnLengthError;

    /// Takes exactly 12 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, KsnLengthError> {
        bytes.try_into().map(Self).map_err(|_| KsnLengthError { found: bytes.len() })
    }
}

/// Upper-case hex digits, for `Display` and `Debug`.
macro_rules! shown_in_hex {
    ($name:ident) => {
        impl fmt::Display for $name {
            /// Upper-case hex digits.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

shown_in_hex!(BdkId);
shown_in_hex!(InitialKeyId);
shown_in_hex!(Ksn);
