#![doc = include_str!("../README.md")]

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
mod key_file;
mod key_record;
mod life_cycle;
mod line;
mod os;
mod profile;
mod record;
mod sam;
mod secure_messaging;
mod select;
mod session;
mod status;
mod transport_key;
mod write_key;

pub use crate::card::{Card, MAX_RESPONSE_LEN, ShortBuffer};
pub use crate::life_cycle::LifeCycle;
pub use crate::profile::{CardKind, CardProfile};
pub use crate::transport_key::TransportKey;
