//! Keys under keys without a block, as ANS X9.17 had them: for systems that know nothing else.
//!
//! Nothing in such a cryptogram says what its key is for, and nothing tells whether it was altered: halves of keys can be exchanged,
//! and a key of one purpose be passed off as one of another. The variant is the only thing that keeps purposes apart, if both sides keep
//! to it. A check value that came by another way is the only sign that the key is the one that was sent, so opening demands it.
//!
//! Keys that came in blocks go out in this form only if their block says `S`, and new keys are the caller's own.
//!
//! # Examples
//! ```
//! use cardroot_keyblock::hazmat::{self, Mode};
//! use cardroot_keyblock::tdea::TdeaKey;
//! use cardroot_keyblock::tdea_keys::{Kek, PinKey};
//! use cardroot_keyblock::{ModeOfUse, NewKey};
//!
//! let kek = Kek::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
//! let pin_key = PinKey::from_key(TdeaKey::from(0x5DB50B454F8389AD_CE573BE50861F2BF_u128.to_be_bytes()));
//! let kcv = pin_key.kcv();
//!
//! let variant = hazmat::variant_of_first_byte(0x08);
//! let pin_key = NewKey::new(pin_key, ModeOfUse::ENCRYPT_AND_DECRYPT)?;
//! let cryptogram = hazmat::wrap(&kek, &variant, Mode::Ecb, &pin_key)?;
//! let opened: PinKey = hazmat::unwrap(&kek, &variant, Mode::Ecb, &cryptogram, &kcv)?;
//! assert!(opened.ct_eq(pin_key.key()));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

use alloc::vec::Vec;

use tdea::{BLOCK_LEN, Kcv, StrengthError, TdeaKey};

use crate::attributes::Exportability;
use crate::block_key::BlockKey;
use crate::strength::Strength;
use crate::tdea_keys::Kek;
use crate::unwrapped::Unwrapped;
use crate::wrap::NewKey;

/// How the parts of the key are encrypted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Mode {
    /// Every part by itself: parts can be exchanged without anybody noticing.
    Ecb,
    /// Chained, from the zero vector.
    Cbc,
}

impl Mode {
    const fn tdea(self) -> tdea::Mode {
        match self {
            Self::Ecb => tdea::Mode::Ecb,
            Self::Cbc => tdea::Mode::CBC_ZERO_IV,
        }
    }
}

/// A key that can't be wrapped so.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// The key encrypting key is weak, or weaker than its length says.
    #[error("key encrypting key refused")]
    Kek(#[from] StrengthError),
    /// The key encrypting key is weaker than the key.
    #[error("a key of {key} strength can't be under a key of {kek}")]
    Weaker {
        /** Strength of the key encrypting key. */
        kek: Strength,
        /** Strength of the key. */
        key: Strength,
    },
    /// The key came in a block that does not allow this form.
    #[error("the key may not be exported in this form")]
    NotExportable,
}

/// The cryptogram is of another key, or has no length that keys have. Opaque on purpose.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the cryptogram can't be opened as the key expected")]
pub struct UnwrapError;

/// The variant that changes the first byte of every part of the key encrypting key.
#[must_use]
pub const fn variant_of_first_byte(mask: u8) -> [u8; BLOCK_LEN] {
    [mask, 0, 0, 0, 0, 0, 0, 0]
}

/// Encrypts a key that did not come in a block under the variant of `kek` that XOR with `variant` makes; zeros are no variant.
///
/// # Errors
/// Returns [`WrapError::Kek`] or [`WrapError::Weaker`].
pub fn wrap<K: BlockKey<Base = TdeaKey>>(
    kek: &Kek,
    variant: &[u8; BLOCK_LEN],
    mode: Mode,
    key: &NewKey<K>,
) -> Result<Vec<u8>, WrapError> {
    encrypt(kek, variant, mode, key.key().base())
}

/// As [`wrap`], for a key that came in a block.
///
/// # Source
/// ANS X9.143:2021 6.3.5, table 6.
///
/// # Errors
/// Returns [`WrapError::NotExportable`] unless the block says `S`, or as [`wrap`].
pub fn rewrap<K: BlockKey<Base = TdeaKey>>(
    kek: &Kek,
    variant: &[u8; BLOCK_LEN],
    mode: Mode,
    key: &Unwrapped<K>,
) -> Result<Vec<u8>, WrapError> {
    if key.header().attributes.exportability != Exportability::Sensitive {
        return Err(WrapError::NotExportable);
    }
    encrypt(kek, variant, mode, key.key().base())
}

/// Decrypts a key as the `K` that the caller knows it to be, and verifies its check value. Parity bits are kept as they come.
///
/// # Errors
/// Returns [`UnwrapError`] if the check value differs, the key is weak or the length is none of a key's.
pub fn unwrap<K: BlockKey<Base = TdeaKey>>(
    kek: &Kek,
    variant: &[u8; BLOCK_LEN],
    mode: Mode,
    cryptogram: &[u8],
    expected: &Kcv,
) -> Result<K, UnwrapError> {
    let length = cryptogram.len().try_into().map_err(|_| UnwrapError)?;
    let key = TdeaKey::from_fill(length, |key| {
        key.copy_from_slice(cryptogram);
        kek.expose_key().variant(variant).cipher().decrypt(mode.tdea(), key).expect("keys are whole blocks");
    });
    let kcv = key.kcv_by(expected.method(), expected.as_bytes().len()).map_err(|_| UnwrapError)?;
    kcv.verify(expected).map_err(|_| UnwrapError)?;
    key.check_strength().map_err(|_| UnwrapError)?;
    Ok(K::from_base(key))
}

fn encrypt(kek: &Kek, variant: &[u8; BLOCK_LEN], mode: Mode, key: &TdeaKey) -> Result<Vec<u8>, WrapError> {
    let kek = kek.expose_key();
    kek.check_strength()?;
    let (protection, strength) = (Strength::of_tdea(kek), Strength::of_tdea(key));
    if protection < strength {
        return Err(WrapError::Weaker { kek: protection, key: strength });
    }
    // Encrypted in place: no clear copy is left on the heap.
    let mut cryptogram = key.expose_bytes().to_vec();
    kek.variant(variant).cipher().encrypt(mode.tdea(), &mut cryptogram).expect("keys are whole blocks");
    Ok(cryptogram)
}
