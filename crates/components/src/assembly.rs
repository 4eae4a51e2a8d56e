//! The one place where components become a key, and the rules they must keep.

use aeskey::{AesKey, AesKeyLength};
use tdea::{Kcv, KcvMethod, KeyError, StrengthError};

use crate::component::KeyComponent;
use crate::key::{ComponentKey, xor};
use crate::parts::Parts;

/// A component that can't be one of its key. Parity bits are left out of account.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentFault {
    /// The component is not as long as the key.
    #[error("the component is {found} bytes long, the key {expected}")]
    Length {
        /** Length of the key, in bytes. */
        expected: usize,
        /** Length of the component, in bytes. */
        found: usize,
    },
    /// The component is zero: the key would be the XOR of the others.
    #[error("the component is zero")]
    Zero,
    /// The component is the same as an earlier one: both would cancel out.
    #[error("the component is equal to component {earlier}")]
    Equal {
        /** Number of the earlier one, from 1. */
        earlier: u8,
    },
}

/// A key that must not come of components, although each of them may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// The key is zero, parity bits left out of account.
    #[error("the key is zero")]
    Zero,
    /// The key has equal parts or a weak one.
    #[error(transparent)]
    Weak(#[from] StrengthError),
    /// The key is one of its own components: the others cancel out, so one custodian holds the key.
    #[error("the key is equal to component {number}")]
    EqualsComponent {
        /** Number of that component, from 1. */
        number: u8,
    },
    /// Odd parity was required.
    #[error(transparent)]
    Parity(#[from] KeyError),
}

/// The XOR of the components so far. A component is not kept: what stays is a fingerprint, to know it again.
pub(crate) struct Assembly<K> {
    sum: K,
    seen: [Option<Kcv>; Parts::MAX],
}

impl<K: ComponentKey> Assembly<K> {
    /// Starts without components.
    pub(crate) fn new(length: K::Length) -> Self {
        Self { sum: K::from_fill(length, |_| ()), seen: [None; Parts::MAX] }
    }

    /// Says whether `component` may be the next one.
    pub(crate) fn check(&self, component: &KeyComponent<K>) -> Result<(), ComponentFault> {
        if component.length() != self.sum.length() {
            let (expected, found) = (self.sum.expose_bytes().len(), component.expose_bytes().len());
            return Err(ComponentFault::Length { expected, found });
        }
        if is_zero(&component.0) {
            return Err(ComponentFault::Zero);
        }
        match self.number_of(&component.0) {
            Some(earlier) => Err(ComponentFault::Equal { earlier }),
            None => Ok(()),
        }
    }

    /// XORs a component that [`check`](Self::check) let pass.
    pub(crate) fn add(&mut self, component: &KeyComponent<K>) {
        let free = self.seen.iter_mut().find(|seen| seen.is_none()).expect("the callers count to Parts::MAX");
        *free = Some(fingerprint(&component.0));
        self.sum = xor(&self.sum, &component.0);
    }

    /// The XOR so far, which is a key only after the last component.
    pub(crate) const fn sum(&self) -> &K {
        &self.sum
    }

    /// Says whether the sum may be a key.
    pub(crate) fn check_key(&self) -> Result<(), KeyFault> {
        check_key(&self.sum)?;
        match self.number_of(&self.sum) {
            Some(number) => Err(KeyFault::EqualsComponent { number }),
            None => Ok(()),
        }
    }

    /// Ends with the key.
    pub(crate) fn into_key(self, parity: K::Parity) -> Result<K, KeyFault> {
        self.check_key()?;
        Ok(self.sum.apply_parity(parity)?)
    }

    /// The number, from 1, of the component that was `bytes`.
    fn number_of(&self, bytes: &K) -> Option<u8> {
        let wanted = fingerprint(bytes);
        (1..).zip(self.seen.iter().flatten()).find(|(_, seen)| **seen == wanted).map(|(number, _)| number)
    }
}

/// Says whether `key` may be a key at all.
pub(crate) fn check_key<K: ComponentKey>(key: &K) -> Result<(), KeyFault> {
    if is_zero(key) {
        return Err(KeyFault::Zero);
    }
    Ok(key.check_strength()?)
}

/// Looks at every byte, whatever the earlier ones hold.
fn is_zero<K: ComponentKey>(bytes: &K) -> bool {
    bytes.expose_bytes().iter().fold(0, |found, byte| found | byte & K::USED_BITS) == 0
}

/// A one-way image of the bits that count: the whole AES check value of the bytes taken as an AES key,
/// whatever cipher they are for. A TDEA check value would not do: many TDEA keys encrypt alike (K1 = K2,
/// for any K1).
fn fingerprint<K: ComponentKey>(bytes: &K) -> Kcv {
    const METHOD: KcvMethod = KcvMethod::AesZeros;
    let bytes = bytes.expose_bytes();
    let length = AesKeyLength::try_from(bytes.len()).expect("TDEA keys, too, are 16 or 24 bytes long");
    let key = AesKey::from_fill(length, |out| {
        for (out, byte) in out.iter_mut().zip(bytes) {
            *out = byte & K::USED_BITS;
        }
    });
    key.kcv_by(METHOD, METHOD.max_len()).expect("a method has as many bytes as it says")
}
