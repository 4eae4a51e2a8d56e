//! Cards in readers, by way of PC/SC: `pcscd` on Unix, the smart card service of other systems.
//!
//! [`ResourceManager`] names readers and opens cards; a [`PcscTransport`] is a [`CardTransport`](crate::CardTransport) to one; a
//! [`PcscTransaction`] keeps every other program away from that card for as long as it lives.
//!
//! | what happens | what it shows as | what to do |
//! |---|---|---|
//! | another program resets the card | [`PcscError::CardReset`] for every command | [`PcscTransport::reconnect`], then open sessions anew |
//! | the card is pulled out, in mid-command too | [`PcscError::LinkBroken`], [`PcscError::ShortResponse`] or [`PcscError::CardReset`] at first, [`PcscError::CardRemoved`] from then on | whether the last command was carried out is not known: ask the card when it is back |
//! | the card is put back | [`PcscError::CardRemoved`] still | [`PcscTransport::reconnect`] |
//! | the service is not there, or ends | [`PcscError::NoService`]; [`PcscError::LinkBroken`] for a command under way | once it is back, [`ResourceManager::connect`] and open the card anew |
//! | another program has a transaction | the call waits | end transactions soon |
//!
//! No call has a time limit of its own: PC/SC has none.
//!
//! # Security
//! A service that was told to log commands (`pcscd --apdu`) has every PIN and key in its log.

mod error;
mod manager;
mod reader;
mod transport;

pub use error::PcscError;
pub use manager::{ProtocolChoice, ResourceManager, Sharing};
pub use reader::ReaderName;
pub use transport::{PcscTransaction, PcscTransport, Treatment};
