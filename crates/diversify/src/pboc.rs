//! PBOC dispersion with TDEA: one level, many levels, and the process keys of the wallet. No step adjusts parity: cards
//! and SAMs of the family use the raw bytes.

use core::fmt;

use tdea::hazmat::DesKey;
use tdea::{Tdea, TdeaKey};

use crate::cohort::{self, Cohort, Members, Paths};
use crate::factor::{Factor, NoFactor};
use crate::pair::{TripleLengthKey, check_double_length, double_length, encrypt_pair};

/// A path that leads to no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The root is of triple length.
    #[error(transparent)]
    TripleLengthKey(#[from] TripleLengthKey),
    /// There is no factor: the root itself would be handed out.
    #[error(transparent)]
    NoFactor(#[from] NoFactor),
}

/// Two halves that make no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PairError {
    /// The parent is of triple length.
    #[error(transparent)]
    TripleLengthKey(#[from] TripleLengthKey),
    /// Both factors are the same: so would be both halves of the key, and it would be a single DES key.
    #[error("the factors of the two halves are equal")]
    Equal,
}

/// A parent key made ready for many children: its key schedule is expanded once. Wiped on drop.
pub struct Diversifier {
    cipher: Tdea,
}

impl Diversifier {
    /// Makes `parent` ready.
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless `parent` is of double length.
    pub fn new(parent: &TdeaKey) -> Result<Self, TripleLengthKey> {
        Ok(Self { cipher: double_length(parent)? })
    }

    /// Derives one child; see [`derive()`].
    #[must_use]
    pub fn derive(&self, factor: Factor) -> TdeaKey {
        encrypt_pair(&self.cipher, factor.as_bytes(), factor.complement().as_bytes())
    }
}

impl fmt::Debug for Diversifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diversifier").finish_non_exhaustive()
    }
}

/// Derives the child of `parent` that belongs to `factor`.
///
/// `child = E(parent, F) || E(parent, ~F)`, `E` being TDEA with a double-length key. Parity is not adjusted: cards and
/// SAMs of the family use the raw bytes.
///
/// # Source
/// PBOC key dispersion as Chinese card systems and HSMs agree on it. For the issuing centre, a SAM or an HSM.
///
/// # Errors
/// Returns [`TripleLengthKey`] unless `parent` is of double length.
///
/// # Security
/// A factor and its complement give the same two halves in opposite order, so they must not both name something.
/// Factors of decimal digits or of ASCII text never do that.
///
/// # Examples
/// ```
/// # use cardroot_diversify::{Factor, pboc};
/// # use tdea::TdeaKey;
/// let parent = TdeaKey::from(0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF_u128.to_be_bytes());
/// let card = pboc::derive(&parent, Factor::from([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]))?;
/// assert_eq!(card.kcv().as_bytes(), [0x91, 0x3D, 0x30]);
/// # Ok::<(), cardroot_diversify::TripleLengthKey>(())
/// ```
#[doc(alias = "disperse")]
pub fn derive(parent: &TdeaKey, factor: Factor) -> Result<TdeaKey, TripleLengthKey> {
    Ok(Diversifier::new(parent)?.derive(factor))
}

/// Derives through many levels: the child of one factor is the parent of the next. The order of factors matters.
///
/// # Errors
/// Returns [`PathError::TripleLengthKey`] unless `root` is of double length, [`PathError::NoFactor`] if there is no
/// factor at all.
pub fn derive_path(root: &TdeaKey, path: impl IntoIterator<Item = Factor>) -> Result<TdeaKey, PathError> {
    let mut path = path.into_iter();
    let first = derive(root, path.next().ok_or(NoFactor)?)?;
    Ok(path.try_fold(first, |parent, factor| derive(&parent, factor))?)
}

/// Derives the children of `parent` that belong to many factors; see [`derive()`] and [cohorts](crate::cohort).
///
/// # Errors
/// Returns [`TripleLengthKey`] unless `parent` is of double length.
pub fn cohort<E>(
    parent: &TdeaKey,
    factors: impl IntoIterator<Item = Result<Factor, E>>,
) -> Result<Cohort<impl Members<Key = TdeaKey, Fault = E>>, TripleLengthKey> {
    cohort_paths(parent, factors.into_iter().map(|factor| factor.map(|factor| [factor])))
}

/// Derives through `LEVELS` levels to the keys of many paths; see [`derive_path`] and [cohorts](crate::cohort). No key but
/// the last of each path is written anywhere.
///
/// ```
/// # use cardroot_diversify::{Factor, FactorLengthError, pboc};
/// # let root = tdea::TdeaKey::from([0x25; 16]);
/// let paths: [Result<[Factor; 2], FactorLengthError>; 0] = [];
/// let _ = pboc::cohort_paths(&root, paths);
/// ```
/// The root itself is not handed out:
/// ```compile_fail,E0080
/// # use cardroot_diversify::{Factor, FactorLengthError, pboc};
/// # let root = tdea::TdeaKey::from([0x25; 16]);
/// let paths: [Result<[Factor; 0], FactorLengthError>; 0] = [];
/// let _ = pboc::cohort_paths(&root, paths);
/// ```
///
/// # Errors
/// Returns [`TripleLengthKey`] unless `root` is of double length.
pub fn cohort_paths<const LEVELS: usize, E>(
    root: &TdeaKey,
    paths: impl IntoIterator<Item = Result<[Factor; LEVELS], E>>,
) -> Result<Cohort<impl Members<Key = TdeaKey, Fault = E>>, TripleLengthKey> {
    const { assert!(LEVELS > 0, "a path has at least one level") };
    check_double_length(root)?;
    Ok(cohort::of(paths, Paths { parent: root, finish: |key, _: [Factor; LEVELS]| key }))
}

/// Derives a child whose halves have a factor each: `E(parent, left) || E(parent, right)`. Parity is not adjusted.
///
/// For schemes whose second factor is not the complement of the first; it goes one level, other levels follow from it.
///
/// # Source
/// Derivation by 16 given bytes (mode 1) of Chinese HSMs; maintenance keys of SAMs.
///
/// # Errors
/// Returns [`PairError::Equal`] for equal factors, [`PairError::TripleLengthKey`] unless `parent` is of double length.
pub fn derive_by_pair(parent: &TdeaKey, left: Factor, right: Factor) -> Result<TdeaKey, PairError> {
    if left == right {
        return Err(PairError::Equal);
    }
    Ok(encrypt_pair(&double_length(parent)?, left.as_bytes(), right.as_bytes()))
}

/// Derives the single DES child of a single DES parent: `DES(parent, F)`. To read cards of old systems, and nothing
/// else: such a key can be searched.
///
/// # Source
/// PBOC key dispersion for keys of 8 bytes.
#[must_use]
pub fn derive_single_des(parent: &DesKey, factor: Factor) -> DesKey {
    DesKey::from_fill(|child| {
        *child = *factor.as_bytes();
        parent.encrypt_block(child);
    })
}

/// What makes the process key of one wallet transaction unique.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProcessInput {
    /// The card's random number, from its answer to INITIALIZE.
    pub random: [u8; 4],
    /// The card's transaction counter from the same answer: online for [`Transaction::Host`], offline for
    /// [`Transaction::Terminal`].
    pub counter: u16,
    /// Who is on the other side.
    pub transaction: Transaction,
}

/// The two kinds of wallet transactions, which end the process key's input differently.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transaction {
    /// Load, unload, overdraft update: the host answers, the input ends in `8000`.
    Host,
    /// Purchase, cash withdrawal: a SAM answers, the input ends in the low two bytes of its sequence number.
    Terminal {
        /** Sequence number of the terminal's transaction. */
        sequence: u32,
    },
}

impl ProcessInput {
    /// The block to encrypt.
    pub(crate) const fn block(&self) -> [u8; Factor::LEN] {
        let [r0, r1, r2, r3] = self.random;
        let [c0, c1] = self.counter.to_be_bytes();
        let [x0, x1] = match self.transaction {
            Transaction::Host => [0x80, 0x00],
            Transaction::Terminal { sequence } => {
                let [.., x0, x1] = sequence.to_be_bytes();
                [x0, x1]
            }
        };
        [r0, r1, r2, r3, c0, c1, x0, x1]
    }
}

/// Derives the process key of one wallet transaction: a single DES key, for that transaction's MACs only.
///
/// `E(card key, random(4) || counter(2) || X(2))`, `X` being `8000` or the low bytes of the terminal's sequence number.
///
/// # Source
/// PBOC electronic purse and passbook; values agreed with FM1208 cards. For the SAM, the host or the card itself.
///
/// # Errors
/// Returns [`TripleLengthKey`] unless `card_key` is of double length.
#[doc(alias = "session key")]
pub fn process_key(card_key: &TdeaKey, input: &ProcessInput) -> Result<DesKey, TripleLengthKey> {
    let cipher = double_length(card_key)?;
    Ok(DesKey::from_fill(|key| {
        *key = input.block();
        cipher.encrypt_block(key);
    }))
}

/// Derives the process key of one grey-lock transaction (fuel cards), in two steps.
///
/// `DES(P, terminal random(4) || 80000000)`, `P` being the [process key](process_key) of `input`.
///
/// # Source
/// FMCOS 2.0 user manual, chapter 9; no published value at hand. For the SAM or the card itself.
///
/// # Errors
/// Returns [`TripleLengthKey`] unless `card_key` is of double length.
pub fn grey_lock_process_key(
    card_key: &TdeaKey,
    input: &ProcessInput,
    terminal_random: [u8; 4],
) -> Result<DesKey, TripleLengthKey> {
    let [r0, r1, r2, r3] = terminal_random;
    let factor = Factor::from([r0, r1, r2, r3, 0x80, 0x00, 0x00, 0x00]);
    Ok(derive_single_des(&process_key(card_key, input)?, factor))
}

/// Derives the session key of a credit or debit card by its transaction counter (ATC), in a form that **no public text
/// confirms**.
///
/// `E(card key, 00*6 || ATC) || E(card key, 00*6 || ~ATC)`. Parity is not adjusted.
///
/// # Source
/// JR/T 0025 as it is remembered; its text was not at hand. Agree on a value with the other side before use.
///
/// # Errors
/// Returns [`TripleLengthKey`] unless `card_key` is of double length.
pub fn unconfirmed_session_key(card_key: &TdeaKey, atc: u16) -> Result<TdeaKey, TripleLengthKey> {
    let AtcFactors { left, right } = AtcFactors::new(atc);
    Ok(encrypt_pair(&double_length(card_key)?, left.as_bytes(), right.as_bytes()))
}

/// The two blocks made from a transaction counter: only the counter is inverted, not what is in front of it.
pub(crate) struct AtcFactors {
    pub(crate) left: Factor,
    pub(crate) right: Factor,
}

impl AtcFactors {
    pub(crate) fn new(atc: u16) -> Self {
        let factor = |atc: u16| Factor::from(u64::from(atc).to_be_bytes());
        Self { left: factor(atc), right: factor(!atc) }
    }
}
