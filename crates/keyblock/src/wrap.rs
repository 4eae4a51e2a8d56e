//! Putting keys into blocks.

use alloc::vec::Vec;

use rand_core::CryptoRng;
use tdea::StrengthError;

use crate::attributes::{Algorithm, Attributes, Exportability, KeyContext, KeyVersion, ModeOfUse};
use crate::binding::Sealed;
use crate::block::KeyBlock;
use crate::block_key::{BaseKey, BlockKey};
use crate::check_value::CheckValue;
use crate::header::Header;
use crate::kbpk::ProtectionKey;
use crate::optional::{BlockId, OptionalBlock};
use crate::payload;
use crate::strength::Strength;
use crate::version::Version;

/// How long a key is made to look in the ciphertext: random bytes stand behind it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Masking {
    /// As long as the longest key of its algorithm; a key pair that is sent on, as long as it looked before.
    Longest,
    /// As long as it is, up to whole blocks.
    None,
}

/// Which check values a new block tells in clear.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CheckValues {
    /// None.
    None,
    /// That of the key, `KC`; none for a key whose check values are not known here.
    Key,
    /// That of the protection key, `KP`.
    ProtectionKey,
    /// Both.
    Both,
}

/// How a new block is made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Form {
    /// Version of the block, one that the protection key serves.
    pub version: Version,
    /// What the receiver may do with the key.
    pub exportability: Exportability,
    /// How long the key is made to look.
    pub masking: Masking,
    /// Check values in the header.
    pub check_values: CheckValues,
    /// Optional blocks in their order. Check values and padding come behind them.
    pub optional_blocks: Vec<OptionalBlock>,
}

impl Form {
    /// A block with hidden key length, without check values and optional blocks.
    #[must_use]
    pub const fn new(version: Version, exportability: Exportability) -> Self {
        Self {
            version,
            exportability,
            masking: Masking::Longest,
            check_values: CheckValues::None,
            optional_blocks: Vec::new(),
        }
    }
}

/// A key that can't be wrapped so.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// Protection keys of this type do not serve the version asked for.
    #[error("the protection key does not serve version {found}")]
    Version {
        /** Version asked for. */
        found: Version,
    },
    /// The protection key is weak, or weaker than its length says.
    #[error("protection key refused")]
    ProtectionKey(#[source] StrengthError),
    /// The protection key is weaker than the key.
    #[error("a key of {key} strength can't be under a protection key of {protection}")]
    Weaker {
        /** Strength of the protection key. */
        protection: Strength,
        /** Strength of the key. */
        key: Strength,
    },
    /// The key came in a block that does not allow to send it on.
    #[error("the key is not exportable")]
    NotExportable,
    /// The next holder would be allowed more than this one.
    #[error("the block would allow more export than the one that the key came in")]
    WiderExport,
    /// Two optional blocks are of the same kind.
    #[error("there are two optional blocks {id}")]
    Duplicate {
        /** Their identifier. */
        id: BlockId,
    },
    /// Padding and check values are written with the block: see [`Form::check_values`].
    #[error("optional blocks {id} are written with the key block")]
    Reserved {
        /** The identifier. */
        id: BlockId,
    },
    /// The block would have more than 99 optional blocks or 9999 characters.
    #[error("the key block would be too long")]
    TooLong,
}

/// A new key that can't go into a block of this mode of use, or into none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NewKeyError {
    /// The mode of use allows more than keys of this type do.
    #[error("mode of use {found} allows more than keys of this type do")]
    Mode {
        /** Mode of use asked for. */
        found: ModeOfUse,
    },
    /// The key is weak, or weaker than its length says.
    #[error("key refused")]
    Strength(#[from] StrengthError),
}

/// A key that did not come in a block, with what its header will say: usage and algorithm by its type.
///
/// It takes the key by value: a key that came in a block stays in its [`Unwrapped`](crate::Unwrapped), which knows whether it may
/// be sent on.
#[derive(Debug)]
pub struct NewKey<K> {
    key: K,
    mode: ModeOfUse,
    key_version: KeyVersion,
    context: KeyContext,
}

impl<K: BlockKey> NewKey<K> {
    /// Takes a key that was generated or put together here.
    ///
    /// # Errors
    /// Returns [`NewKeyError::Mode`] for a mode of use that allows the receiver more than a `K` does, [`NewKeyError::Strength`] for
    /// a weak key.
    pub fn new(key: K, mode: ModeOfUse) -> Result<Self, NewKeyError> {
        if !K::GIVES.contains(&mode) {
            return Err(NewKeyError::Mode { found: mode });
        }
        key.base().check_strength()?;
        Ok(Self { key, mode, key_version: KeyVersion::UNUSED, context: KeyContext::ByProtectionKey })
    }

    /// Says which of several keys of one name it is.
    #[must_use]
    pub fn with_key_version(self, key_version: KeyVersion) -> Self {
        Self { key_version, ..self }
    }

    /// Says where its blocks may be used.
    #[must_use]
    pub fn with_context(self, context: KeyContext) -> Self {
        Self { context, ..self }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// What the header of a block with this exportability says.
    pub(crate) const fn attributes(&self, exportability: Exportability) -> Attributes {
        Attributes {
            usage: K::USAGE,
            algorithm: K::Base::ALGORITHM,
            mode: self.mode,
            key_version: self.key_version,
            exportability,
            context: self.context,
        }
    }

    /// Wraps the key. `rng` fills the payload behind it.
    ///
    /// # Source
    /// ANS X9.143:2021; ISO 20038:2017 for version E; ANS X9.24-1:2009 7.1.10 (strength).
    ///
    /// # Errors
    /// Returns [`WrapError`].
    pub fn wrap<P: ProtectionKey>(
        &self,
        kbpk: &P,
        form: &Form,
        rng: &mut impl CryptoRng,
    ) -> Result<KeyBlock, WrapError> {
        let base = self.key.base();
        let key = base.expose_bytes();
        let material = Material {
            attributes: self.attributes(form.exportability),
            optional_blocks: Vec::new(),
            key,
            shown_len: key.len(),
            strength: base.strength(),
        };
        wrap(kbpk, form, material, rng)
    }
}

/// What goes into a block.
pub(crate) struct Material<'a> {
    pub(crate) attributes: Attributes,
    /// Those that the key brings along.
    pub(crate) optional_blocks: Vec<OptionalBlock>,
    pub(crate) key: &'a [u8],
    /// As many bytes as it looked long where it came from, for keys whose longest is not known.
    pub(crate) shown_len: usize,
    pub(crate) strength: Strength,
}

pub(crate) fn wrap<P: ProtectionKey>(
    kbpk: &P,
    form: &Form,
    material: Material<'_>,
    rng: &mut impl CryptoRng,
) -> Result<KeyBlock, WrapError> {
    let version = form.version;
    check(kbpk, version, material.strength)?;

    let payload_len = payload::len(version, shown_len(form.masking, &material));
    let payload = payload::encode(payload_len, material.key, rng).ok_or(WrapError::TooLong)?;
    let mut header = header(kbpk, form, &material)?;
    header.pad();
    let rest = 2 * (payload_len + version.mac_len());
    let mut text = header.encode(rest).ok_or(WrapError::TooLong)?;

    let Sealed { ciphertext, mac } = kbpk.seal(version, &text, payload);
    for bytes in [ciphertext, mac] {
        text.extend_from_slice(base16ct::upper::encode_string(&bytes).as_bytes());
    }
    Ok(KeyBlock::decode(&text).expect("what is written here can be read"))
}

/// Whether keys like `kbpk` serve the version, and this one is strong enough.
fn check<P: ProtectionKey>(kbpk: &P, version: Version, key: Strength) -> Result<(), WrapError> {
    if !P::VERSIONS.contains(&version) {
        return Err(WrapError::Version { found: version });
    }
    kbpk.base().check_strength().map_err(WrapError::ProtectionKey)?;
    let protection = kbpk.base().strength();
    if protection < key { Err(WrapError::Weaker { protection, key }) } else { Ok(()) }
}

/// How many bytes the key is made to look long.
fn shown_len(masking: Masking, material: &Material<'_>) -> usize {
    let len = material.key.len();
    match (masking, material.attributes.algorithm) {
        (Masking::None, _) => len,
        (Masking::Longest, Algorithm::TDEA | Algorithm::DES) => len.max(tdea::TdeaKey::LONGEST),
        (Masking::Longest, Algorithm::AES) => len.max(aeskey::AesKey::LONGEST),
        (Masking::Longest, _) => len.max(material.shown_len),
    }
}

/// The header without its padding.
fn header(kbpk: &impl BlockKey, form: &Form, material: &Material<'_>) -> Result<Header, WrapError> {
    let attributes = Attributes { exportability: form.exportability, ..material.attributes };
    let mut header = Header { version: form.version, attributes, optional_blocks: Vec::new() };
    let mut add = |block: OptionalBlock| {
        let id = block.id();
        if header.optional_block(id).is_some() {
            return Err(WrapError::Duplicate { id });
        }
        header.optional_blocks.push(block);
        Ok(())
    };

    material.optional_blocks.iter().cloned().try_for_each(&mut add)?;
    for block in &form.optional_blocks {
        if block.id().is_reserved() {
            return Err(WrapError::Reserved { id: block.id() });
        }
        add(block.clone())?;
    }
    let has_check_value = header.optional_block(BlockId::KEY_CHECK_VALUE).is_some();
    if matches!(form.check_values, CheckValues::Key | CheckValues::Both) && !has_check_value {
        let value = CheckValue::encode_bytes(attributes.algorithm, material.key);
        header
            .optional_blocks
            .extend(value.map(|value| OptionalBlock::written(BlockId::KEY_CHECK_VALUE, value)));
    }
    if matches!(form.check_values, CheckValues::ProtectionKey | CheckValues::Both) {
        let value = CheckValue::encode(kbpk.base());
        header.optional_blocks.push(OptionalBlock::written(BlockId::PROTECTION_KEY_CHECK_VALUE, value));
    }
    Ok(header)
}
