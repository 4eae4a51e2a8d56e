#![doc = include_str!("../README.md")]
#![no_std]

mod assembly;
mod ceremony;
mod combine;
mod component;
mod key;
mod name;
mod parts;
mod record;
mod split;

pub use aeskey::{AesKey, AesKeyLength, KeyLengthError};

pub use crate::assembly::{ComponentFault, KeyFault};
pub use crate::ceremony::{Ceremony, CompleteCeremony, Outcome, Plan, PlanError, Step};
pub use crate::combine::{CombineError, combine};
pub use crate::component::{AesComponent, KeyComponent, TdeaComponent};
pub use crate::key::{ComponentKey, LengthError, NoParity, Parity};
pub use crate::name::{CustodianName, KeyLabel, NameError};
pub use crate::parts::{Parts, PartsError};
pub use crate::record::{CeremonyRecord, ConfirmError, Entry, EntryError, Refusal, Verdict};
pub use crate::split::{split, split_parts};
