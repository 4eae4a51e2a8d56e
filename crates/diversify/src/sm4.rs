//! PBOC dispersion with SM4: the counterpart of [`pboc`](crate::pboc), with the same factors.

use tdea::{Kcv, KcvError, KcvMethod};
use zeroize::Zeroizing;

use crate::block::{BLOCK_LEN, Sm4Key};
use crate::cohort::{self, Cohort, Members, OneByOne};
use crate::factor::{Factor, NoFactor};
use crate::pboc::{AtcFactors, ProcessInput};

/// Derives the child of `parent` that belongs to `factor`.
///
/// `child = SM4(parent, F || ~F)`: the two blocks of the TDEA rule are one block of SM4. SM4 keys have no parity.
///
/// # Source
/// Cards of two algorithms (toll collection), as their public code agrees. For the issuing centre, a SAM or an HSM.
///
/// # Examples
/// ```
/// # use cardroot_diversify::{Factor, block::Sm4Key, sm4};
/// let parent = Sm4Key::from_fill(|key| *key = 0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF_u128.to_be_bytes());
/// let card = sm4::derive(&parent, Factor::from([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]));
/// assert_eq!(card.kcv().as_bytes(), [0x65, 0x15, 0x17]);
/// ```
#[doc(alias = "disperse")]
#[must_use]
pub fn derive(parent: &Sm4Key, factor: Factor) -> Sm4Key {
    encrypt_pair(parent, factor, factor.complement())
}

/// Derives through many levels: the child of one factor is the parent of the next. The order of factors matters.
///
/// # Errors
/// Returns [`NoFactor`] if there is no factor at all.
pub fn derive_path(root: &Sm4Key, path: impl IntoIterator<Item = Factor>) -> Result<Sm4Key, NoFactor> {
    let mut path = path.into_iter();
    let first = derive(root, path.next().ok_or(NoFactor)?);
    Ok(path.fold(first, |parent, factor| derive(&parent, factor)))
}

/// Derives through `LEVELS` levels to the keys of many paths, one after another; see [`derive_path`] and
/// [cohorts](crate::cohort).
pub fn cohort_paths<const LEVELS: usize, E>(
    root: &Sm4Key,
    paths: impl IntoIterator<Item = Result<[Factor; LEVELS], E>>,
) -> Cohort<impl Members<Key = Sm4Key, Fault = E>> {
    const { assert!(LEVELS > 0, "a path has at least one level") };
    let derive = |path: [Factor; LEVELS]| derive_path(root, path).expect("a path has at least one level");
    cohort::of(paths, OneByOne(derive))
}

/// Derives the process key of one transaction: one more level of dispersion, by the block that makes the TDEA
/// [process key](crate::pboc::process_key).
///
/// # Source
/// Toll collection cards, as their public code reads; no published value at hand.
#[doc(alias = "session key")]
#[must_use]
pub fn process_key(card_key: &Sm4Key, input: &ProcessInput) -> Sm4Key {
    derive(card_key, Factor::from(input.block()))
}

/// Derives the session key of a credit or debit card by its transaction counter (ATC), in a form that no public text
/// confirms; see [`pboc::unconfirmed_session_key`](crate::pboc::unconfirmed_session_key).
///
/// `SM4(card key, 00*6 || ATC || 00*6 || ~ATC)`.
#[must_use]
pub fn unconfirmed_session_key(card_key: &Sm4Key, atc: u16) -> Sm4Key {
    let AtcFactors { left, right } = AtcFactors::new(atc);
    encrypt_pair(card_key, left, right)
}

impl Sm4Key {
    /// The check value by `method`, `len` bytes of it.
    ///
    /// # Errors
    /// Returns [`KcvError::Cipher`] if the method belongs to another cipher, [`KcvError::Length`] if it can't have `len`
    /// bytes.
    pub fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
        if method != KcvMethod::Sm4Zeros {
            return Err(KcvError::Cipher);
        }
        let block = self.encrypt([0; BLOCK_LEN]);
        Kcv::new(method, block.get(..len).ok_or(KcvError::Length { max: method.max_len(), found: len })?)
    }
}

/// `SM4(parent, left || right)`.
fn encrypt_pair(parent: &Sm4Key, left: Factor, right: Factor) -> Sm4Key {
    let mut block = [0; BLOCK_LEN];
    let (first, second) = block.split_at_mut(Factor::LEN);
    first.copy_from_slice(left.as_bytes());
    second.copy_from_slice(right.as_bytes());
    let child: Zeroizing<_> = parent.encrypt(block);
    Sm4Key::from_fill(|key| *key = *child)
}
