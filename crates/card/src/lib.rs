#![doc = include_str!("../README.md")]

extern crate alloc;

mod access;
mod authenticate;
mod binary;
mod block;
mod card;
mod card_key;
mod command;
mod counter;
mod create;
mod directory;
mod dispatch;
mod file;
pub mod gp;
mod key_card;
mod key_file;
mod key_record;
mod life_cycle;
mod line;
mod memory;
mod os;
mod pin;
mod profile;
mod record;
mod sam;
mod sam_key;
mod sam_purchase;
mod secure_messaging;
mod select;
mod session;
pub mod state;
mod status;
mod system;
mod transport_key;
pub mod vpcd;
mod wallet;
mod write_key;

pub use crate::card::{Card, MAX_RESPONSE_LEN, ShortBuffer};
pub use crate::life_cycle::LifeCycle;
pub use crate::profile::{CardKind, CardProfile, KeyCard};
pub use crate::system::{AuthenticationForm, CardSystem, FactorOrder, LogSequence};
pub use crate::transport_key::TransportKey;
