//! Key block protection keys, one type for each way of protecting.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::binding::{Refused, Sealed, aes_derivation, tdea_derivation, variant};
use crate::block_key::{BlockKey, block_key};
use crate::version::Version;

mod sealed {
    use super::{Refused, Sealed, Vec, Version, Zeroizing};

    pub trait Protect {
        /// Encrypts and authenticates; `version` is one of the key's.
        fn seal(&self, version: Version, header: &[u8], payload: Zeroizing<Vec<u8>>) -> Sealed;

        /// Decrypts what is authentic; `version` is one of the key's.
        fn open(
            &self,
            version: Version,
            header: &[u8],
            ciphertext: &[u8],
            mac: &[u8],
        ) -> Result<Zeroizing<Vec<u8>>, Refused>;
    }
}
pub(crate) use sealed::Protect;

/// A key block protection key (KBPK). Sealed: the four types of this crate have it.
///
/// A protection key serves one method of protection. Which versions that are is a matter of its type; a block of another version
/// is refused before anything is computed.
pub trait ProtectionKey: Protect + BlockKey {
    /// The versions that the key serves.
    const VERSIONS: &'static [Version];
}

/// Declares a protection key over `$base`, with its usage, its versions and what they are bound by.
macro_rules! protection_key {
    (
        $(#[$meta:meta])*
        pub struct $name:ident($krate:ident::$base:ident): $usage:ident, [$($version:ident)*] by $binding:ident;
    ) => {
        block_key! {
            $(#[$meta])*
            #[doc(alias = "KBPK")]
            pub struct $name($krate::$base): $usage, both_ciphers;
        }

        impl Protect for $name {
            fn seal(&self, version: Version, header: &[u8], payload: Zeroizing<Vec<u8>>) -> Sealed {
                $binding::seal(&self.0, version, header, payload)
            }

            fn open(
                &self,
                version: Version,
                header: &[u8],
                ciphertext: &[u8],
                mac: &[u8],
            ) -> Result<Zeroizing<Vec<u8>>, Refused> {
                $binding::open(&self.0, version, header, ciphertext, mac)
            }
        }

        impl ProtectionKey for $name {
            const VERSIONS: &'static [Version] = &[$(Version::$version),*];
        }
    };
}

protection_key! {
    /// Protection key of versions A and C: its variants encrypt and authenticate.
    ///
    /// # Source
    /// TR-31:2018, Key Variant Binding Method; X9.24-1:2009 7.1.10 for its strength.
    ///
    /// # Examples
    /// It is no protection key of version B, not even with the same bytes:
    /// ```compile_fail,E0308
    /// use cardroot_keyblock::{DerivationKbpk, VariantKbpk, tdea::TdeaKey};
    /// let kbpk: DerivationKbpk = VariantKbpk::from_key(TdeaKey::from([0x25; 16]));
    /// ```
    pub struct VariantKbpk(tdea::TdeaKey): KEY_BLOCK_PROTECTION, [A C] by variant;
}

protection_key! {
    /// Protection key of version B: keys that encrypt and authenticate are derived from it by TDEA-CMAC.
    ///
    /// # Source
    /// ANS X9.143:2021, TDEA Key Derivation Binding Method.
    pub struct DerivationKbpk(tdea::TdeaKey): KEY_BLOCK_PROTECTION, [B] by tdea_derivation;
}

protection_key! {
    /// Protection key of version D: keys that encrypt and authenticate are derived from it by AES-CMAC.
    ///
    /// # Source
    /// ANS X9.143:2021, AES Key Derivation Binding Method.
    pub struct AesKbpk(aeskey::AesKey): KEY_BLOCK_PROTECTION, [D] by aes_derivation;
}

protection_key! {
    /// Protection key of ISO 20038, versions D and E.
    ///
    /// # Source
    /// ISO 20038:2017.
    pub struct Iso20038Kbpk(aeskey::AesKey): ISO_20038_PROTECTION, [D E] by aes_derivation;
}
