//! The key tree: parent, secondary masters, province, city, card. Level and purpose of a key are its type.
//!
//! | key | type | made from | by the factor |
//! |---|---|---|---|
//! | parent key | [`ParentKey`] | the ceremony | |
//! | secondary masters | [`IssuanceMaster`], [`MunicipalMaster`], [`ProvincialApplicationMaster`] | parent key | label of the master |
//! | keys of the province | [`ProvinceKey<F>`] | the master of function `F` | label of the function |
//! | keys of a city | [`CityKey<F>`] | the province's key | city factor |
//! | keys of a card | [`CardKey<F>`] | the city's key | card factor |
//!
//! Labels are [`FunctionLabels`], city and card factors come from a
//! [`DispersionProfile`](crate::profile::DispersionProfile). Every step is [`pboc::derive`](crate::pboc::derive).

mod cohort;
mod derive;
mod key;
mod labels;
mod level;
mod origin;
pub mod purpose;
mod wallet;

pub use cohort::CardPath;
pub use derive::CardKeyError;
pub use key::{
    CardKey, CityKey, IssuanceMaster, MunicipalMaster, ParentKey, ProvinceKey, ProvincialApplicationMaster,
    SecondaryKey, TreeKey, TreeKeyError,
};
pub use labels::{FunctionLabels, LabelError};
pub use level::{Card, City, Level, Parent, Province, Secondary};
pub use origin::{Origin, Place};
