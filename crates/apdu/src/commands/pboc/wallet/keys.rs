//! Keys of the wallet, by purpose, all of double length.

use core::fmt;

use diversify::pboc::{self, ProcessInput};
use tdea::hazmat::{DesKey, DesMac};
use tdea::{KeyLength, Mac, MacPadding, TdeaKey};

use crate::secure::pboc::TripleLengthKey;

macro_rules! wallet_key {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        pub struct $name(TdeaKey);

        impl $name {
            /// Compares in constant time.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0)
            }

            /// Makes a second copy of the key.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                Self(self.0.duplicate())
            }
        }

        impl TryFrom<TdeaKey> for $name {
            type Error = TripleLengthKey;

            fn try_from(key: TdeaKey) -> Result<Self, TripleLengthKey> {
                match key.length() {
                    KeyLength::Double => Ok(Self(key)),
                    KeyLength::Triple => Err(TripleLengthKey),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

wallet_key! {
    /// Load key, type 3F. Wiped on drop; `Debug` shows no key bytes.
    #[doc(alias = "DLK")]
    LoadKey
}
wallet_key! {
    /// Unload key, type 3D. Wiped on drop; `Debug` shows no key bytes.
    #[doc(alias = "DULK")]
    UnloadKey
}
wallet_key! {
    /// Key of the overdraft limit, type 3C. Wiped on drop; `Debug` shows no key bytes.
    #[doc(alias = "DUK")]
    OverdraftKey
}
wallet_key! {
    /// Purchase key, type 3E, also of cash and compound purchases. Wiped on drop; `Debug` shows no key bytes.
    #[doc(alias = "DPK")]
    PurchaseKey
}
wallet_key! {
    /// Key of the TAC, type 34. Wiped on drop; `Debug` shows no key bytes.
    #[doc(alias = "DTK")]
    TacKey
}
wallet_key! {
    /// PIN reload key, type 38. Wiped on drop; `Debug` shows no key bytes.
    PinReloadKey
}

/// The process key of one transaction: single DES, wiped on drop.
pub(super) struct ProcessKey(DesKey);

impl ProcessKey {
    pub(super) fn mac(&self, parts: &[&[u8]]) -> Mac {
        des_mac(&self.0, parts)
    }
}

impl fmt::Debug for ProcessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessKey").finish_non_exhaustive()
    }
}

/// A key from which process keys are derived.
pub trait TransactionKey: sealed::Derives {}

pub(super) mod sealed {
    /// The key within. Only this crate can reach it.
    pub trait Derives {
        /// The process key of one transaction.
        fn process_key(&self, input: &diversify::pboc::ProcessInput) -> tdea::hazmat::DesKey;
    }
}

macro_rules! derives {
    ($($name:ident),*) => {
        $(impl sealed::Derives for $name {
            fn process_key(&self, input: &ProcessInput) -> DesKey {
                pboc::process_key(&self.0, input).expect("wallet keys are of double length")
            }
        }
        impl TransactionKey for $name {})*
    };
}

derives!(LoadKey, UnloadKey, OverdraftKey, PurchaseKey);

pub(super) fn process_key(key: &impl TransactionKey, input: &ProcessInput) -> ProcessKey {
    ProcessKey(key.process_key(input))
}

impl TacKey {
    /// The MAC under the halves XORed.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> Mac {
        folded_mac(&self.0, parts)
    }
}

impl PinReloadKey {
    /// The MAC under the halves XORed.
    pub(in super::super) fn mac(&self, pin: &[u8]) -> Mac {
        folded_mac(&self.0, &[pin])
    }
}

fn folded_mac(key: &TdeaKey, parts: &[&[u8]]) -> Mac {
    des_mac(&DesKey::xor_of_halves(key).expect("wallet keys are of double length"), parts)
}

fn des_mac(key: &DesKey, parts: &[&[u8]]) -> Mac {
    let mut mac = DesMac::new(key, MacPadding::OneAndZeros);
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().expect("no length was announced")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A published value of the terminal's side alone: the card of that source used a reserved algorithm.
    #[test]
    fn mac1_of_row_19_is_met() {
        let key = DesKey::try_from(&[0x3F, 0xF2, 0x39, 0xBB, 0xDB, 0x26, 0x01, 0x8A][..]).unwrap();
        let message = [0, 0, 0, 0, 0, 0, 0x20, 0, 2, 0, 0x11, 0x22, 0x33, 0x44, 0x55];
        assert_eq!(ProcessKey(key).mac(&[&message]).truncated(), [0xC4, 0x73, 0x12, 0xE9]);
    }
}
