//! A card in a reader of `vpcd`, the driver of virtual readers for `pcscd`: any PC/SC program then sees a card.
//!
//! ```text
//! reader and card, over TCP:  length (2, high byte first) | bytes
//! one byte from the reader:   00 power off, 01 power on, 02 reset, 04 what is the answer to reset?
//! anything else from it:      a command, to be answered
//! ```
//!
//! What plugs in is a [`VirtualCard`]: [`Card`](crate::Card), [`SecurityDomain`](crate::gp::SecurityDomain), a pair of closures, or a
//! card of one's own. Under T=0 put
//! [`T0Card`] over it.
//!
//! # Examples
//! ```no_run
//! use std::time::Duration;
//!
//! use apdu::Protocol;
//! use cardroot_card::vpcd::{self, Atr};
//! use cardroot_card::{Card, CardProfile, TransportKey};
//!
//! let profile = CardProfile::user([0x86, 0x60, 0, 0, 0, 0, 0, 1]);
//! let rng = rand_core::UnwrapErr(getrandom::SysRng);
//! let mut card = Card::blank(profile, TransportKey::fmcos_default(), rng);
//! let reader = vpcd::connect(("127.0.0.1", vpcd::PORT), Duration::from_secs(5))?;
//! vpcd::serve(&reader, &Atr::of(&profile, Protocol::T1), &mut card)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Security
//! What goes over the connection is in the clear, PINs too: keep both ends on one machine.

mod atr;
mod frame;
mod serve;
mod t0;

pub use atr::{Atr, AtrError};
pub use frame::{Frame, FrameReader};
pub use serve::{PORT, VirtualCard, connect, serve, serve_over};
pub use t0::T0Card;
