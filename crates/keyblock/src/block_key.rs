//! What a key type says of itself to come out of a block, or go into one.

use aeskey::{AesKey, AesKeyLength};
use rand_core::CryptoRng;
use tdea::{Kcv, KcvError, KcvMethod, KeyLength, StrengthError, TdeaKey};

use crate::attributes::{Algorithm, ModeOfUse, Usage};
use crate::check_value::CheckMethod;
use crate::strength::Strength;

pub(crate) mod sealed {
    /// What is computed under a key to know it again: its own message, so that the code is no check value.
    const LABEL: &[u8] = b"cardroot: this key was here before";

    pub trait Sealed {
        /// A code that two keys share only if they are the same key; parity bits are none of the key.
        fn fingerprint(&self) -> [u8; 16];

        /// Whether it has the check value, of whatever method.
        fn has_kcv(&self, kcv: &tdea::Kcv) -> bool;
    }

    impl Sealed for tdea::TdeaKey {
        fn fingerprint(&self) -> [u8; 16] {
            let mut fingerprint = [0; 16];
            for (number, half) in (1..).zip(fingerprint.chunks_mut(tdea::BLOCK_LEN)) {
                let mut cmac = tdea::Cmac::new(self);
                cmac.update(&[number]);
                cmac.update(LABEL);
                half.copy_from_slice(cmac.finalize().as_bytes());
            }
            fingerprint
        }

        fn has_kcv(&self, kcv: &tdea::Kcv) -> bool {
            self.kcv_by(kcv.method(), kcv.as_bytes().len()).is_ok_and(|own| own == *kcv)
        }
    }

    impl Sealed for aeskey::AesKey {
        fn fingerprint(&self) -> [u8; 16] {
            *aeskey::Cmac::compute(self, LABEL).as_bytes()
        }

        fn has_kcv(&self, kcv: &tdea::Kcv) -> bool {
            self.kcv_by(kcv.method(), kcv.as_bytes().len()).is_ok_and(|own| own == *kcv)
        }
    }
}

/// A key without purpose: [`TdeaKey`] or [`AesKey`]. Sealed.
pub trait BaseKey: sealed::Sealed + Sized {
    /// The algorithm that a header must name.
    const ALGORITHM: Algorithm;
    /// Length of the longest key of the algorithm, in bytes: what shorter ones are made to look like.
    const LONGEST: usize;
    /// The lengths that keys of the algorithm have.
    type Length: Copy;

    /// Makes a random key; not a weak one.
    fn generate(length: Self::Length, rng: &mut impl CryptoRng) -> Self;

    /// Copies a key of a length that the algorithm has. Parity bits are kept as they come.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;

    /// Shows the key bytes.
    fn expose_bytes(&self) -> &[u8];

    /// How strong the key is.
    fn strength(&self) -> Strength;

    /// Judges the key: weak keys, and keys weaker than their length says.
    ///
    /// # Errors
    /// Returns the first fault found.
    fn check_strength(&self) -> Result<(), StrengthError>;

    /// The check value of the key by a method of key blocks, `len` bytes of it.
    ///
    /// # Errors
    /// Returns [`KcvError::Length`] for a length that the method does not have.
    fn check_value(&self, method: CheckMethod, len: usize) -> Result<Kcv, KcvError>;
}

impl BaseKey for TdeaKey {
    const ALGORITHM: Algorithm = Algorithm::TDEA;
    const LONGEST: usize = KeyLength::Triple.bytes();
    type Length = KeyLength;

    fn generate(length: KeyLength, rng: &mut impl CryptoRng) -> Self {
        Self::generate(length, rng)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::try_from(bytes).ok()
    }

    fn expose_bytes(&self) -> &[u8] {
        self.expose_bytes()
    }

    fn strength(&self) -> Strength {
        Strength::of_tdea(self)
    }

    fn check_strength(&self) -> Result<(), StrengthError> {
        self.check_strength()
    }

    fn check_value(&self, method: CheckMethod, len: usize) -> Result<Kcv, KcvError> {
        let method = match method {
            CheckMethod::Legacy => KcvMethod::TdeaZeros,
            CheckMethod::Cmac => KcvMethod::TdeaCmac,
        };
        self.kcv_by(method, len)
    }
}

impl BaseKey for AesKey {
    const ALGORITHM: Algorithm = Algorithm::AES;
    const LONGEST: usize = AesKeyLength::Aes256.bytes();
    type Length = AesKeyLength;

    fn generate(length: AesKeyLength, rng: &mut impl CryptoRng) -> Self {
        Self::generate(length, rng)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::try_from(bytes).ok()
    }

    fn expose_bytes(&self) -> &[u8] {
        self.expose_bytes()
    }

    fn strength(&self) -> Strength {
        Strength::of_aes(self)
    }

    /// AES has no weak keys.
    fn check_strength(&self) -> Result<(), StrengthError> {
        Ok(())
    }

    fn check_value(&self, method: CheckMethod, len: usize) -> Result<Kcv, KcvError> {
        let method = match method {
            CheckMethod::Legacy => KcvMethod::AesZeros,
            CheckMethod::Cmac => KcvMethod::AesCmac,
        };
        self.kcv_by(method, len)
    }
}

/// A key type that says which blocks hold its keys: usage, algorithm (by its base) and modes of use.
///
/// The types of [`tdea_keys`](crate::tdea_keys) and [`aes_keys`](crate::aes_keys) have it. A type of your own takes part by
/// implementing it; whoever implements it promises that the type does what its usage says and no more than its modes allow.
///
/// # Examples
/// ```
/// use cardroot_keyblock::{BlockKey, ModeOfUse, Usage, tdea::{self, TdeaKey}};
///
/// tdea::key_type! {
///     /// Computes and verifies card verification values.
///     pub struct CardVerificationKey;
/// }
///
/// impl BlockKey for CardVerificationKey {
///     type Base = TdeaKey;
///     const USAGE: Usage = Usage::CARD_VERIFICATION;
///     const TAKES: &'static [ModeOfUse] = &[ModeOfUse::GENERATE_AND_VERIFY, ModeOfUse::ANY];
///     const GIVES: &'static [ModeOfUse] = &[ModeOfUse::GENERATE_AND_VERIFY, ModeOfUse::GENERATE, ModeOfUse::VERIFY];
///
///     fn from_base(key: TdeaKey) -> Self { Self::from_key(key) }
///     fn base(&self) -> &TdeaKey { self.expose_key() }
///     fn into_base(self) -> TdeaKey { self.0 }
/// }
/// ```
pub trait BlockKey: Sized + 'static {
    /// The key without purpose that is inside.
    type Base: BaseKey;
    /// The one usage of its blocks.
    const USAGE: Usage;
    /// The modes of use that allow everything the type does: only from blocks of these can it be made.
    const TAKES: &'static [ModeOfUse];
    /// The modes of use that allow no more than the type does: only into blocks of these does a new key go.
    const GIVES: &'static [ModeOfUse];

    /// Gives `key` the purpose.
    fn from_base(key: Self::Base) -> Self;

    /// Shows the key without its purpose.
    fn base(&self) -> &Self::Base;

    /// Takes the purpose away, to give the key to the type of another crate that stands for the same.
    fn into_base(self) -> Self::Base;
}

/// Declares key types of blocks: the base inside, the usage, and the directions that fix the modes of use.
macro_rules! block_key {
    ($($(#[$meta:meta])* pub struct $name:ident($krate:ident::$base:ident): $usage:ident, $direction:ident;)*) => {$(
        $krate::key_type! { $(#[$meta])* pub struct $name; }

        impl $crate::BlockKey for $name {
            type Base = $krate::$base;
            const USAGE: $crate::Usage = $crate::Usage::$usage;
            const TAKES: &'static [$crate::ModeOfUse] = $crate::block_key::directions::$direction.0;
            const GIVES: &'static [$crate::ModeOfUse] = $crate::block_key::directions::$direction.1;

            fn from_base(key: $krate::$base) -> Self {
                Self(key)
            }

            fn base(&self) -> &$krate::$base {
                &self.0
            }

            fn into_base(self) -> $krate::$base {
                self.0
            }
        }
    )*};
}
pub(crate) use block_key;

/// Gives keys over the keys of a crate CMAC, in their directions.
macro_rules! cmac_keys {
    ($krate:ident: generate $($generates:ident)*; verify $($verifies:ident)*) => {
        $(impl $generates {
            /// CMAC of a whole message.
            ///
            /// # Source
            /// NIST SP 800-38B.
            #[must_use]
            pub fn mac(&self, message: &[u8]) -> $krate::Mac {
                $krate::Cmac::compute(&self.0, message)
            }
        })*

        $(impl $verifies {
            /// Verifies a received code of 4 bytes or more, in constant time.
            ///
            /// # Errors
            /// Returns [`MacMismatch`](tdea::MacMismatch) if it is not the code of `message`.
            pub fn verify_mac(&self, message: &[u8], received: &[u8]) -> Result<(), tdea::MacMismatch> {
                $krate::Cmac::compute(&self.0, message).verify(received)
            }
        })*
    };
}
pub(crate) use cmac_keys;

/// The modes of use that keys come out of and go into, by what they do.
#[allow(non_upper_case_globals, reason = "named by the declarations of key types")]
pub(crate) mod directions {
    use crate::attributes::ModeOfUse;

    type Modes = (&'static [ModeOfUse], &'static [ModeOfUse]);

    const B: ModeOfUse = ModeOfUse::ENCRYPT_AND_DECRYPT;
    const C: ModeOfUse = ModeOfUse::GENERATE_AND_VERIFY;
    const D: ModeOfUse = ModeOfUse::DECRYPT;
    const E: ModeOfUse = ModeOfUse::ENCRYPT;
    const G: ModeOfUse = ModeOfUse::GENERATE;
    const N: ModeOfUse = ModeOfUse::ANY;
    const V: ModeOfUse = ModeOfUse::VERIFY;
    const X: ModeOfUse = ModeOfUse::DERIVE;

    pub(crate) const both_ciphers: Modes = (&[B, N], &[B, E, D, N]);
    pub(crate) const encryption: Modes = (&[E, B, N], &[E]);
    pub(crate) const decryption: Modes = (&[D, B, N], &[D]);
    pub(crate) const both_macs: Modes = (&[C, N], &[C, G, V, N]);
    pub(crate) const generation: Modes = (&[G, C, N], &[G]);
    pub(crate) const verification: Modes = (&[V, C, N], &[V]);
    pub(crate) const derivation: Modes = (&[X, N], &[X, N]);
}
