//! Which type a new key has by its usage. The types hold mode of use and algorithm to it.

use cardroot::aeskey::AesKey;
use cardroot::keyblock::{
    AesKbpk, Algorithm, BlockKey, DerivationKbpk, Form, Iso20038Kbpk, KeyBlock, KeyContext, KeyVersion,
    ModeOfUse, NewKey, Usage, aes_keys, tdea_keys,
};
use cardroot::tdea::TdeaKey;

use super::kbpk::Kbpk;
use crate::error::{Failure, with_cause};

/// What the header of a new block says, and what it goes under.
pub(super) struct Plan<'a> {
    pub(super) usage: Usage,
    pub(super) mode: ModeOfUse,
    pub(super) key_version: KeyVersion,
    pub(super) context: KeyContext,
    pub(super) form: Form,
    pub(super) kbpk: &'a Kbpk,
}

impl Plan<'_> {
    fn wrap<K: BlockKey>(&self, key: K::Base) -> Result<KeyBlock, Failure> {
        let key = NewKey::new(K::from_base(key), self.mode).map_err(|error| {
            let modes: Vec<String> = K::GIVES.iter().map(ToString::to_string).collect();
            Failure::refused(format!(
                "no key block is made: {}; modes of usage {} are {}",
                with_cause(&error),
                self.usage,
                modes.join(", ")
            ))
        })?;
        let key = key.with_key_version(self.key_version).with_context(self.context);
        self.kbpk.wrap(&key, &self.form)
    }
}

/// Declares keys of usages that the library has no type for. They do nothing but go into blocks.
macro_rules! carried {
    ($($name:ident($base:ty): $usage:ident, $modes:ident;)*) => {$(
        struct $name($base);

        impl BlockKey for $name {
            type Base = $base;
            const USAGE: Usage = Usage::$usage;
            const TAKES: &'static [ModeOfUse] = &[ModeOfUse::ANY];
            const GIVES: &'static [ModeOfUse] = $modes;

            fn from_base(key: $base) -> Self {
                Self(key)
            }

            fn base(&self) -> &$base {
                &self.0
            }

            fn into_base(self) -> $base {
                self.0
            }
        }
    )*};
}

const CHECKS: &[ModeOfUse] =
    &[ModeOfUse::GENERATE_AND_VERIFY, ModeOfUse::GENERATE, ModeOfUse::VERIFY, ModeOfUse::ANY];
const DERIVES: &[ModeOfUse] = &[ModeOfUse::DERIVE, ModeOfUse::ANY];

carried! {
    CardVerification(TdeaKey): CARD_VERIFICATION, CHECKS;
    Mac0(TdeaKey): ISO_16609_MAC_1, CHECKS;
    Mac1(TdeaKey): MAC_1, CHECKS;
    PinVerification(TdeaKey): PIN_VERIFICATION, CHECKS;
    PinVerificationIbm(TdeaKey): PIN_VERIFICATION_IBM_3624, CHECKS;
    PinVerificationVisa(TdeaKey): PIN_VERIFICATION_VISA, CHECKS;
    DataAuthenticationCode(TdeaKey): EMV_DATA_AUTHENTICATION_CODE, DERIVES;
    DynamicNumbers(TdeaKey): EMV_DYNAMIC_NUMBERS, DERIVES;
    Personalisation(TdeaKey): EMV_PERSONALISATION, DERIVES;
    EmvOther(TdeaKey): EMV_OTHER, DERIVES;
    CryptogramAes(AesKey): EMV_CRYPTOGRAM, DERIVES;
    ConfidentialityAes(AesKey): EMV_CONFIDENTIALITY, DERIVES;
    IntegrityAes(AesKey): EMV_INTEGRITY, DERIVES;
    DataAuthenticationCodeAes(AesKey): EMV_DATA_AUTHENTICATION_CODE, DERIVES;
    DynamicNumbersAes(AesKey): EMV_DYNAMIC_NUMBERS, DERIVES;
    PersonalisationAes(AesKey): EMV_PERSONALISATION, DERIVES;
    EmvOtherAes(AesKey): EMV_OTHER, DERIVES;
}

/// Declares the function that finds the type of a usage.
macro_rules! by_usage {
    ($name:ident($base:ty): $algorithm:ident, $($key:ty),*) => {
        pub(super) fn $name(key: $base, plan: &Plan<'_>) -> Result<KeyBlock, Failure> {
            match plan.usage {
                $(<$key as BlockKey>::USAGE => plan.wrap::<$key>(key),)*
                usage => Err(no_such_key(usage, Algorithm::$algorithm, &[$(<$key as BlockKey>::USAGE),*])),
            }
        }
    };
}

by_usage! {
    wrap_tdea(TdeaKey): TDEA,
    tdea_keys::PinKey, tdea_keys::DataKey, tdea_keys::RetailMacKey, tdea_keys::CmacKey, Mac0, Mac1, tdea_keys::Kek,
    DerivationKbpk, tdea_keys::Bdk, tdea_keys::InitialKey, tdea_keys::DerivationKey, tdea_keys::CryptogramMasterKey,
    tdea_keys::ConfidentialityMasterKey, tdea_keys::IntegrityMasterKey, DataAuthenticationCode, DynamicNumbers,
    Personalisation, EmvOther, CardVerification, PinVerification, PinVerificationIbm, PinVerificationVisa
}

by_usage! {
    wrap_aes(AesKey): AES,
    aes_keys::PinKey, aes_keys::DataKey, aes_keys::CmacKey, aes_keys::Kek, AesKbpk, Iso20038Kbpk, aes_keys::Bdk,
    aes_keys::InitialKey, aes_keys::DerivationKey, CryptogramAes, ConfidentialityAes, IntegrityAes,
    DataAuthenticationCodeAes, DynamicNumbersAes, PersonalisationAes, EmvOtherAes
}

fn no_such_key(usage: Usage, algorithm: Algorithm, known: &[Usage]) -> Failure {
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    let name = algorithm.name().unwrap_or("other");
    Failure::usage(format!(
        "--usage: no {name} keys of usage {usage} are wrapped here; there are {}",
        known.join(", ")
    ))
}
