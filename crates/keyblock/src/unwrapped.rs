//! Keys that came out of blocks.

use alloc::vec::Vec;
use core::fmt;

use rand_core::CryptoRng;
use tdea::StrengthError;
use zeroize::Zeroizing;

use crate::attributes::{Algorithm, Exportability, ModeOfUse, Usage};
use crate::block::KeyBlock;
use crate::block_key::{BaseKey, BlockKey};
use crate::header::Header;
use crate::kbpk::ProtectionKey;
use crate::optional::{BlockId, Content, OptionalBlock};
use crate::payload;
use crate::strength::Strength;
use crate::version::Version;
use crate::wrap::{self, Form, Material, WrapError};

/// The key of a block, with its purpose still to be claimed. Wiped on drop; `Debug` shows its length only.
pub struct KeyBytes(Zeroizing<Vec<u8>>);

impl KeyBytes {
    /// Shows the bytes: the key itself, or the structure that algorithms with key pairs have.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBytes").field("len", &self.0.len()).finish_non_exhaustive()
    }
}

mod sealed {
    /// A key of an unwrapped block: bytes without a purpose, or a key that has claimed its own.
    pub trait Held {
        fn key_bytes(&self) -> &[u8];
    }

    impl Held for super::KeyBytes {
        fn key_bytes(&self) -> &[u8] {
            self.expose_bytes()
        }
    }

    impl<K: super::BlockKey> Held for K {
        fn key_bytes(&self) -> &[u8] {
            super::BaseKey::expose_bytes(self.base())
        }
    }
}
use sealed::Held;

/// A block that can't be unwrapped.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnwrapError {
    /// Protection keys of this type do not serve the version of the block.
    #[error("the protection key does not serve version {found}")]
    Version {
        /** Version of the block. */
        found: Version,
    },
    /// The block was altered, or is under another key. Opaque on purpose: MAC, payload and check values say no more than this.
    #[error("the key block can't be unwrapped")]
    Refused,
}

/// A key that is not what the caller asked for. The block is authentic: all this stands in its header or in the length of its key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotThisKey {
    /// The key is for another purpose.
    #[error("the key is for usage {found}, asked for was {expected}")]
    Usage {
        /** Usage of the type. */
        expected: Usage,
        /** Usage of the block. */
        found: Usage,
    },
    /// The key belongs to another algorithm.
    #[error("the key is for algorithm {found}, asked for was {expected}")]
    Algorithm {
        /** Algorithm of the type. */
        expected: Algorithm,
        /** Algorithm of the block. */
        found: Algorithm,
    },
    /// The mode of use does not allow everything that the type does.
    #[error("mode of use {found} does not allow what was asked for")]
    Mode {
        /** Mode of use of the block. */
        found: ModeOfUse,
    },
    /// The block holds a component of a key, and no key.
    #[error("the block holds a key component")]
    Component,
    /// No key of the algorithm has this many bytes.
    #[error("no key of the algorithm has {found} bytes")]
    Length {
        /** Bytes found. */
        found: usize,
    },
    /// The key is weak, or weaker than its length says.
    #[error("key refused")]
    Strength(#[from] StrengthError),
    /// The protection key is weaker than the key that it should protect.
    #[error("the key is of {key} strength, its protection key of {protection} only")]
    Protection {
        /** Strength of the protection key. */
        protection: Strength,
        /** Strength of the key. */
        key: Strength,
    },
}

/// The key of an authentic block with its header: with its purpose still to be claimed, or as a `K`. Wiped on drop; `Debug` shows
/// the header alone.
///
/// It can be sent on as its header allows: by [`rewrap`](Self::rewrap).
pub struct Unwrapped<K = KeyBytes> {
    header: Header,
    key: K,
    /// Length of the payload without the two bytes of the length: the key looked as long as this.
    shown_len: usize,
    protection: Strength,
}

impl KeyBlock {
    /// Verifies the block and opens it. Nothing of it is believed before its MAC is verified: in versions A and C before anything
    /// is decrypted, in the others as soon as the payload is, for the MAC is over the clear payload.
    ///
    /// Check values in the header are verified too. The strength of `kbpk` is not judged here, so that blocks of old systems can be
    /// read; [`into_key`](Unwrapped::into_key) judges it.
    ///
    /// # Source
    /// ANS X9.143:2021; ISO 20038:2017 for version E.
    ///
    /// # Errors
    /// Returns [`UnwrapError::Version`] if keys like `kbpk` do not serve the version, [`UnwrapError::Refused`] for everything else.
    ///
    /// # Examples
    /// ```
    /// use cardroot_keyblock::tdea::TdeaKey;
    /// use cardroot_keyblock::tdea_keys::{PinEncryptionKey, PinKey};
    /// use cardroot_keyblock::{DerivationKbpk, KeyBlock, ModeOfUse, NotThisKey};
    ///
    /// // TR-31:2018 A.7.2.2
    /// let kbpk = TdeaKey::from(0xDD7515F2BFC17F85_CE48F3CA25CB21F6_u128.to_be_bytes());
    /// let kbpk = DerivationKbpk::from_key(kbpk);
    /// let block: KeyBlock =
    ///     "B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E".parse()?;
    ///
    /// let pin_key = block.unwrap(&kbpk)?.into_key::<PinEncryptionKey>()?;
    /// assert_eq!(pin_key.key().kcv().to_string(), "57C409");
    ///
    /// // The mode of use is E: the key may encrypt PIN blocks, and not decrypt them.
    /// let refused = block.unwrap(&kbpk)?.into_key::<PinKey>().unwrap_err();
    /// assert_eq!(refused, NotThisKey::Mode { found: ModeOfUse::ENCRYPT });
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn unwrap<P: ProtectionKey>(&self, kbpk: &P) -> Result<Unwrapped, UnwrapError> {
        let header = self.header();
        if !P::VERSIONS.contains(&header.version) {
            return Err(UnwrapError::Version { found: header.version });
        }
        let clear = kbpk
            .open(header.version, self.header_text(), self.ciphertext(), self.mac())
            .map_err(|_| UnwrapError::Refused)?;
        let key = payload::key(&clear).ok_or(UnwrapError::Refused)?;
        check_values_agree(header, key, kbpk.base())?;
        Ok(Unwrapped {
            header: header.clone(),
            key: KeyBytes(Zeroizing::new(key.to_vec())),
            shown_len: payload::room(clear.len()),
            protection: kbpk.base().strength(),
        })
    }
}

/// Verifies the check values that the header has. One that can't be read is as good as a wrong one.
fn check_values_agree(header: &Header, key: &[u8], kbpk: &impl BaseKey) -> Result<(), UnwrapError> {
    let agrees = |block: &OptionalBlock| match (block.id(), block.content()) {
        (_, Content::KeyCheckValue(value)) => value.may_be_of(header.attributes.algorithm, key),
        (_, Content::ProtectionKeyCheckValue(value)) => value.is_of(kbpk),
        (BlockId::KEY_CHECK_VALUE | BlockId::PROTECTION_KEY_CHECK_VALUE, _) => false,
        _ => true,
    };
    if header.optional_blocks.iter().all(agrees) { Ok(()) } else { Err(UnwrapError::Refused) }
}

impl Unwrapped {
    /// Claims the purpose: the key becomes a `K` if usage, algorithm and mode of use say that it is one.
    ///
    /// The key and its protection are judged too: no weak key, none weaker than its length says, and no key under a weaker one.
    ///
    /// # Source
    /// ANS X9.24-1:2009 7.6 (one purpose), 7.1.7, 7.1.8 and 7.1.10 (strength).
    ///
    /// # Errors
    /// Returns the first fault as [`NotThisKey`].
    ///
    /// # Examples
    /// What came out as a PIN key computes no MAC:
    /// ```
    /// # use cardroot_keyblock::{NotThisKey, Unwrapped, pin::{ClearPinBlock, EncryptPinBlock}, tdea_keys::PinKey};
    /// fn encipher(block: Unwrapped, clear: &ClearPinBlock) -> Result<(), NotThisKey> {
    ///     let Ok(_) = block.into_key::<PinKey>()?.key().encrypt_pin_block(clear);
    ///     Ok(())
    /// }
    /// ```
    /// ```compile_fail,E0599
    /// # use cardroot_keyblock::{NotThisKey, Unwrapped, tdea_keys::PinKey};
    /// fn authenticate(block: Unwrapped, message: &[u8]) -> Result<(), NotThisKey> {
    ///     let _ = block.into_key::<PinKey>()?.key().mac(message);
    ///     Ok(())
    /// }
    /// ```
    pub fn into_key<K: BlockKey>(self) -> Result<Unwrapped<K>, NotThisKey> {
        let attributes = self.header.attributes;
        let (expected, found) = (K::USAGE, attributes.usage);
        if expected != found {
            return Err(NotThisKey::Usage { expected, found });
        }
        let (expected, found) = (K::Base::ALGORITHM, attributes.algorithm);
        if expected != found {
            return Err(NotThisKey::Algorithm { expected, found });
        }
        if !K::TAKES.contains(&attributes.mode) {
            return Err(NotThisKey::Mode { found: attributes.mode });
        }
        if attributes.key_version.component().is_some() {
            return Err(NotThisKey::Component);
        }
        let bytes = self.key.expose_bytes();
        let base = K::Base::from_bytes(bytes).ok_or(NotThisKey::Length { found: bytes.len() })?;
        base.check_strength()?;
        let (protection, key) = (self.protection, base.strength());
        if protection < key {
            return Err(NotThisKey::Protection { protection, key });
        }
        let Self { header, key: _, shown_len, protection } = self;
        Ok(Unwrapped { header, key: K::from_base(base), shown_len, protection })
    }
}

impl<K> Unwrapped<K> {
    /// The header of the block, authentic.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// Takes the key from its header: from here on, nothing knows whether it may be sent on.
    #[must_use]
    pub fn into_unbound_key(self) -> K {
        self.key
    }
}

impl<K: Held> Unwrapped<K> {
    /// Sends the key on under another protection key, with the exportability that `form` gives to the next holder.
    ///
    /// Everything that the header says of the key stays, optional blocks included, those not known here too. What speaks of the old
    /// block goes: padding, time stamp, check values of protection keys.
    ///
    /// # Source
    /// ANS X9.143:2021 6.3.5, table 6; ANS X9.24-1:2009 7.1.10 (strength).
    ///
    /// # Errors
    /// Returns [`WrapError::NotExportable`] for a key that may not be sent on, [`WrapError::WiderExport`] if the next holder would be
    /// allowed more than this one, or another [`WrapError`]. A key pair, whose strength is not known here, may only go under a key at
    /// least as strong as the one it came under.
    pub fn rewrap<P: ProtectionKey>(
        &self,
        kbpk: &P,
        form: &Form,
        rng: &mut impl CryptoRng,
    ) -> Result<KeyBlock, WrapError> {
        let allowed = self.header.attributes.exportability;
        if allowed == Exportability::None {
            return Err(WrapError::NotExportable);
        }
        if form.exportability > allowed {
            return Err(WrapError::WiderExport);
        }
        let kept = self.header.optional_blocks.iter().filter(|block| speaks_of_the_key(block.id())).cloned();
        let attributes = self.header.attributes;
        let key = self.key.key_bytes();
        let material = Material {
            attributes,
            optional_blocks: kept.collect(),
            key,
            shown_len: self.shown_len,
            strength: Strength::of_bytes(attributes.algorithm, key).unwrap_or(self.protection),
        };
        wrap::wrap(kbpk, form, material, rng)
    }
}

/// Whether an optional block is still true in another block under another protection key.
const fn speaks_of_the_key(id: BlockId) -> bool {
    !matches!(
        id,
        BlockId::PADDING
            | BlockId::TIME_STAMP
            | BlockId::PROTECTION_KEY_CHECK_VALUE
            | BlockId::EXPORT_KEY_CHECK_VALUE
    )
}

impl<K> fmt::Debug for Unwrapped<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unwrapped").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// Compiles only for a value that wipes itself when it is dropped.
    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    #[test]
    fn key_bytes_are_wiped_on_drop() {
        let KeyBytes(bytes) = KeyBytes(Zeroizing::new(Vec::new()));
        is_wiped_on_drop(&bytes);
    }
}
