//! Many keys at once: all cards of a city, all cards of many cities, all cards of an issuer.
//!
//! A cohort is a list of cards and the rule that makes a key for each; TDEA runs on the [bulk engine](tdea::bulk). The keys
//! are those of the one-by-one road, bit for bit, in the order of the list.
//!
//! | cohort | under | one by one |
//! |---|---|---|
//! | [`CityKey::card_keys`], [`card_keys_for`](crate::tree::CityKey::card_keys_for) | a city's key | [`CityKey::card_key`] |
//! | [`ProvinceKey::city_keys`], [`city_keys_for`](crate::tree::ProvinceKey::city_keys_for) | a key of the province | [`ProvinceKey::city_key`] |
//! | [`ProvinceKey::card_keys`], [`card_keys_for`](crate::tree::ProvinceKey::card_keys_for) | a key of the province, two levels | [`ProvinceKey::city_key`], [`CityKey::card_key`] |
//! | [`pboc::cohort`], [`pboc::cohort_paths`] | any key, any number of levels | [`pboc::derive_path`] |
//! | [`MdkAc::cohort_a`], [`MdkAc::cohort_b`]; other purposes have the same | an issuer's key | [`MdkAc::diversify_a`] |
//! | [`Kmc::cohort`] | an issuer's personalisation key | [`Kmc::diversify`] |
//! | [`cohort_c`](crate::emv::aes::MdkAc::cohort_c), [`cohort_kdf3`](crate::gp::aes::Kmc::cohort_kdf3), [`sm4::cohort_paths`] | AES and SM4 keys, one after another | |
//!
//! A row that is no card does not lose the others: lists hold `Result`s, and what is wrong with a row comes back in its
//! place, as an [`ItemError`] that names it.
//!
//! ```
//! use cardroot_diversify::cohort::ItemError;
//! use cardroot_diversify::emv::{MdkAc, PanPsn, PanPsnError};
//!
//! # fn issuer_key() -> tdea::TdeaKey { 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128.to_be_bytes().into() }
//! let master = MdkAc::from_key(issuer_key());
//! let rows = [("12345678901234567", "45"), ("12345678901234X67", "00"), ("1234567890123456", "00")];
//! let cards = rows.iter().map(|(pan, psn)| PanPsn::new(pan, Some(psn)));
//! let (mut values, mut refused) = (Vec::new(), Vec::new());
//! master.cohort_a(cards)?.for_each(|row, key| match key {
//!     Ok(key) => values.push((row, key.kcv().to_string())),
//!     Err(error) => refused.push(error),
//! })?;
//! assert_eq!(values, [(0, "FF089D".into()), (2, "BAB02F".into())]);
//! assert_eq!(refused, [ItemError { index: 1, fault: PanPsnError::NotADigit { position: 14 } }]);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! Threads are the caller's choice: the parts of a list give what the whole gives.
//!
//! ```
//! # use cardroot_diversify::cohort::EmptyCohort;
//! use cardroot_diversify::{Factor, FactorLengthError, pboc};
//! # use tdea::{Kcv, TdeaKey};
//!
//! # let parent = TdeaKey::from(0x4C1F_0B7E_25D3_9A68_F280_3D51_C6EA_9713_u128.to_be_bytes());
//! let numbers: Vec<[u8; 8]> = (0..5000_u64).map(u64::to_be_bytes).collect();
//! // The check values of a part, or which row is no factor.
//! let check_values = |part: &[[u8; 8]]| {
//!     let mut values: Vec<Result<Kcv, FactorLengthError>> = Vec::new();
//!     let factors = part.iter().map(|number| Factor::try_from(&number[..]));
//!     let cohort = pboc::cohort(&parent, factors).expect("the parent is of double length");
//!     cohort.for_each(|_, key| values.push(key.map(|key| key.kcv()).map_err(|error| error.fault)))?;
//!     Ok::<_, EmptyCohort>(values)
//! };
//!
//! let (left, right) = numbers.split_at(1700);
//! let (left, right) = std::thread::scope(|scope| {
//!     let [left, right] = [left, right].map(|part| scope.spawn(|| check_values(part)));
//!     (left.join().expect("it does not panic"), right.join().expect("it does not panic"))
//! });
//! assert_eq!([left?, right?].concat(), check_values(&numbers)?);
//! # Ok::<(), EmptyCohort>(())
//! ```
//!
//! Nothing is allocated; a call takes less than 300 KiB of stack, whatever the length of the list. Children that were derived and
//! not handed on yet are wiped.
//!
//! [`CityKey::card_keys`]: crate::tree::CityKey::card_keys
//! [`CityKey::card_key`]: crate::tree::CityKey::card_key
//! [`ProvinceKey::card_keys`]: crate::tree::ProvinceKey::card_keys
//! [`ProvinceKey::city_keys`]: crate::tree::ProvinceKey::city_keys
//! [`ProvinceKey::city_key`]: crate::tree::ProvinceKey::city_key
//! [`pboc::cohort`]: crate::pboc::cohort
//! [`pboc::cohort_paths`]: crate::pboc::cohort_paths
//! [`pboc::derive_path`]: crate::pboc::derive_path
//! [`sm4::cohort_paths`]: crate::sm4::cohort_paths
//! [`MdkAc::cohort_a`]: crate::emv::MdkAc::cohort_a
//! [`MdkAc::cohort_b`]: crate::emv::MdkAc::cohort_b
//! [`MdkAc::diversify_a`]: crate::emv::MdkAc::diversify_a
//! [`Kmc::cohort`]: crate::gp::Kmc::cohort
//! [`Kmc::diversify`]: crate::gp::Kmc::diversify

mod members;
mod rules;

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;

use tdea::bulk::Engine;

pub use crate::cohort::members::Members;
pub(crate) use crate::cohort::members::of;
pub(crate) use crate::cohort::rules::{OneByOne, Paths, Personalisation};

/// Cards whose keys are about to be derived, all under one key. Nothing is derived before it is asked for.
#[must_use = "a cohort derives nothing until its keys are asked for"]
pub struct Cohort<M> {
    engine: Engine,
    members: M,
}

/// What is wrong with one item of a cohort; the others are as if it were not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("item {index} of the cohort: {fault}")]
pub struct ItemError<E> {
    /// Position in the list, from 0.
    pub index: usize,
    /// What is wrong with it.
    #[source]
    pub fault: E,
}

/// A cohort without items: a list that was not read, or a file without rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the cohort is empty")]
pub struct EmptyCohort;

impl<M: Members> Cohort<M> {
    /// Derives on another engine than the widest one of this processor: for tests and measurements. The keys are the same.
    pub fn on(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }

    /// Derives the keys and hands each to `each`, with its position in the list, from 0, and in its order.
    ///
    /// # Errors
    /// Returns [`EmptyCohort`] if the list is empty. An item that has no key is an [`ItemError`] in its place.
    pub fn for_each(
        self,
        each: impl FnMut(usize, Result<M::Key, ItemError<M::Fault>>),
    ) -> Result<(), EmptyCohort> {
        match self.members.derive(self.engine, each) {
            0 => Err(EmptyCohort),
            _ => Ok(()),
        }
    }

    /// Derives the keys into a vector, in the order of the list.
    ///
    /// # Errors
    /// As [`for_each`](Self::for_each).
    #[cfg(feature = "alloc")]
    #[allow(clippy::type_complexity, reason = "it is what for_each hands out")]
    pub fn into_vec(self) -> Result<Vec<Result<M::Key, ItemError<M::Fault>>>, EmptyCohort> {
        let mut keys = Vec::with_capacity(self.members.at_least());
        self.for_each(|_, key| keys.push(key))?;
        Ok(keys)
    }
}

impl<M> fmt::Debug for Cohort<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cohort").field("engine", &self.engine).finish_non_exhaustive()
    }
}
