//! Keys that TDEA must not use: equal parts and the weak and semi-weak keys of DES.

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{BLOCK_LEN, parity};

/// A key that is weaker than its length says. Parity bits are left out of account.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StrengthError {
    /// Two parts are the same key. Parts 1 and 2, or 2 and 3: TDEA becomes single DES. Parts 1 and 3 of a
    /// triple-length key: it is a double-length key in disguise.
    #[error("key parts {first} and {second} are equal")]
    PartsEqual {
        /** The lower of the two, from 1. */
        first: u8,
        /** The higher of the two, from 1. */
        second: u8,
    },
    /// A part is one of the 4 weak DES keys: encrypting twice gives the plaintext back.
    #[error("key part {part} is a weak DES key")]
    Weak {
        /** Which part, from 1. */
        part: u8,
    },
    /// A part is one of the 12 semi-weak DES keys: another one of them undoes it.
    #[error("key part {part} is a semi-weak DES key")]
    SemiWeak {
        /** Which part, from 1. */
        part: u8,
    },
}

/// The weak keys of DES, odd parity. Source: NIST SP 800-67 Rev. 2, 3.3.2.
const WEAK: [u64; 4] =
    [0x0101_0101_0101_0101, 0xFEFE_FEFE_FEFE_FEFE, 0xE0E0_E0E0_F1F1_F1F1, 0x1F1F_1F1F_0E0E_0E0E];

/// The semi-weak keys of DES in pairs, odd parity. Source: NIST SP 800-67 Rev. 2, 3.3.2.
const SEMI_WEAK: [u64; 12] = [
    0x01FE_01FE_01FE_01FE,
    0xFE01_FE01_FE01_FE01,
    0x1FE0_1FE0_0EF1_0EF1,
    0xE01F_E01F_F10E_F10E,
    0x01E0_01E0_01F1_01F1,
    0xE001_E001_F101_F101,
    0x1FFE_1FFE_0EFE_0EFE,
    0xFE1F_FE1F_FE0E_FE0E,
    0x011F_011F_010E_010E,
    0x1F01_1F01_0E01_0E01,
    0xE0FE_E0FE_F1FE_F1FE,
    0xFEE0_FEE0_FEF1_FEF1,
];

/// Judges the parts of a TDEA key. Comparisons run in constant time; only the verdict is branched on.
pub(crate) fn check(parts: &[[u8; BLOCK_LEN]]) -> Result<(), StrengthError> {
    for (first, a) in numbered(parts) {
        for (second, b) in numbered(parts).skip(first.into()) {
            if bool::from(normal(a).ct_eq(&*normal(b))) {
                return Err(StrengthError::PartsEqual { first, second });
            }
        }
    }
    for (part, bytes) in numbered(parts) {
        if bool::from(is_one_of(bytes, &WEAK)) {
            return Err(StrengthError::Weak { part });
        }
        if bool::from(is_one_of(bytes, &SEMI_WEAK)) {
            return Err(StrengthError::SemiWeak { part });
        }
    }
    Ok(())
}

/// Each part with its number, from 1.
fn numbered(parts: &[[u8; BLOCK_LEN]]) -> impl Iterator<Item = (u8, &[u8; BLOCK_LEN])> {
    (1..).zip(parts)
}

fn is_one_of(part: &[u8; BLOCK_LEN], list: &[u64]) -> Choice {
    let part = normal(part);
    list.iter().fold(Choice::from(0), |found, key| found | part.ct_eq(&key.to_be_bytes()))
}

/// A part with its parity made odd, so that parity bits make no difference.
fn normal(part: &[u8; BLOCK_LEN]) -> Zeroizing<[u8; BLOCK_LEN]> {
    let mut normal = Zeroizing::new(*part);
    parity::adjust(&mut *normal);
    normal
}
