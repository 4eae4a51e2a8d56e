//! The service that has the readers.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::time::Instant;

use ::pcsc::{Context, Protocols, ReaderState, Scope, ShareMode, State};

use crate::pcsc::error::PcscError;
use crate::pcsc::reader::{ReaderName, choose};
use crate::pcsc::transport::PcscTransport;
use crate::transport::Protocol;

/// Whether other programs may use the card meanwhile.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Sharing {
    /// They may, between transactions.
    Shared,
    /// They may not.
    Exclusive,
}

/// The protocols that will do.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ProtocolChoice {
    /// T=0 or T=1, as card and reader prefer.
    Any,
    /// This one.
    Only(Protocol),
}

/// The service that all readers belong to.
///
/// # Examples
/// ```no_run
/// use cardroot_apdu::Channel;
/// use cardroot_apdu::commands::{FileId, select_file};
/// use cardroot_apdu::pcsc::{ProtocolChoice, ResourceManager, Sharing};
///
/// let manager = ResourceManager::connect()?;
/// let reader = manager.find("OMNIKEY")?;
/// let mut card = manager.open(&reader, Sharing::Shared, ProtocolChoice::Any)?;
/// // Nobody gets in between these commands.
/// let mut channel = Channel::new(card.transaction()?);
/// channel.transmit(&select_file(FileId::MASTER))?.into_ok()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ResourceManager {
    context: Context,
}

impl ResourceManager {
    /// Connects to the service.
    ///
    /// # Errors
    /// Returns [`PcscError::NoService`] if there is none.
    pub fn connect() -> Result<Self, PcscError> {
        Context::establish(Scope::User).map(|context| Self { context }).map_err(PcscError::of)
    }

    /// The readers that there are.
    ///
    /// # Errors
    /// Returns [`PcscError`] if the service does not tell; none at all is no error.
    pub fn readers(&self) -> Result<Vec<ReaderName>, PcscError> {
        match self.context.list_readers_owned() {
            Ok(names) => Ok(names.into_iter().map(ReaderName).collect()),
            Err(::pcsc::Error::NoReadersAvailable) => Ok(Vec::new()),
            Err(error) => Err(PcscError::of(error)),
        }
    }

    /// The reader called `wanted`, or else the only one that has `wanted` in its name.
    ///
    /// # Errors
    /// Returns [`PcscError::UnknownReader`] and [`PcscError::AmbiguousReader`], which list readers.
    pub fn find(&self, wanted: &str) -> Result<ReaderName, PcscError> {
        choose(self.readers()?, wanted)
    }

    /// Opens the card in `reader`.
    ///
    /// # Errors
    /// Returns [`PcscError::NoCard`], [`PcscError::SharingViolation`], [`PcscError::ProtocolMismatch`] and others.
    pub fn open(
        &self,
        reader: &ReaderName,
        sharing: Sharing,
        protocols: ProtocolChoice,
    ) -> Result<PcscTransport, PcscError> {
        let mode = match sharing {
            Sharing::Shared => ShareMode::Shared,
            Sharing::Exclusive => ShareMode::Exclusive,
        };
        let protocols = match protocols {
            ProtocolChoice::Any => Protocols::ANY,
            ProtocolChoice::Only(Protocol::T0) => Protocols::T0,
            ProtocolChoice::Only(Protocol::T1) => Protocols::T1,
        };
        let card = self.context.connect(&reader.0, mode, protocols).map_err(PcscError::of)?;
        PcscTransport::new(card, mode, protocols)
    }

    /// Waits until there is a card in `reader`.
    ///
    /// # Errors
    /// Returns [`PcscError::Timeout`] if there is none in time.
    pub fn wait_for_card(&self, reader: &ReaderName, at_most: Duration) -> Result<(), PcscError> {
        self.wait(reader, at_most, |state| state.contains(State::PRESENT) && !state.contains(State::MUTE))
    }

    /// Waits until there is no card in `reader`.
    ///
    /// # Errors
    /// Returns [`PcscError::Timeout`] if there still is one.
    pub fn wait_for_removal(&self, reader: &ReaderName, at_most: Duration) -> Result<(), PcscError> {
        self.wait(reader, at_most, |state| state.contains(State::EMPTY))
    }

    fn wait(
        &self,
        reader: &ReaderName,
        at_most: Duration,
        is_met: impl Fn(State) -> bool,
    ) -> Result<(), PcscError> {
        let start = Instant::now();
        let mut states = [ReaderState::new(reader.0.clone(), State::UNAWARE)];
        loop {
            let left = at_most.saturating_sub(start.elapsed());
            self.context.get_status_change(left, &mut states).map_err(PcscError::of)?;
            let [state] = &mut states;
            match state.event_state() {
                event if event.intersects(State::UNKNOWN | State::UNAVAILABLE) => {
                    return Err(PcscError::ReaderGone);
                }
                event if is_met(event) => return Ok(()),
                _ if left.is_zero() => return Err(PcscError::Timeout),
                _ => state.sync_current_state(),
            }
        }
    }
}

impl fmt::Debug for ResourceManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceManager").finish_non_exhaustive()
    }
}
