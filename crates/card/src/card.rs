//! A card with its source of challenges, as the reader sees it.

use core::fmt;

use apdu::CardTransport;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::life_cycle::LifeCycle;
use crate::os::Os;
use crate::profile::CardProfile;
use crate::state::{CardStore, OpenError};
use crate::transport_key::TransportKey;

/// Length of the longest response in bytes: 256 of data, the status word.
pub const MAX_RESPONSE_LEN: usize = 258;

/// A CPU card in software: takes commands, gives responses, keeps keys and files.
///
/// Its keys are wiped when it is dropped; `Debug` shows none of them. There is no way to read a key, neither by a
/// command nor by a method.
///
/// # Examples
/// ```
/// use cardroot_card::{Card, CardProfile, LifeCycle, TransportKey};
///
/// let rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let profile = CardProfile::user([0x86, 0x60, 0, 0, 0, 0, 0, 1]);
/// let mut card = Card::blank(profile, TransportKey::fmcos_default(), rng);
/// assert_eq!(card.life_cycle(), LifeCycle::Blank);
///
/// // SELECT MF: file control information and 9000.
/// let response = card.process(&[0x00, 0xA4, 0x00, 0x00, 0x02, 0x3F, 0x00]);
/// assert_eq!(response.last_chunk(), Some(&[0x90, 0x00]));
/// ```
pub struct Card<R> {
    os: Os,
    rng: R,
    response: Zeroizing<Vec<u8>>,
}

impl<R: CryptoRng> Card<R> {
    /// A card as it leaves the factory: a master file `3F00` whose key file holds the transport key as its master,
    /// key type `39`, identifier `00`. Challenges are drawn from `rng`.
    #[must_use]
    pub fn blank(profile: CardProfile, transport: TransportKey, rng: R) -> Self {
        Self::new(Os::blank(profile, transport), rng)
    }

    /// The same, kept in a store: the card is there when this returns, and each change before its answer leaves.
    ///
    /// # Errors
    /// Returns [`OpenError::Occupied`] if there is a card in the store, [`OpenError::Store`] if it fails.
    pub fn blank_in(
        store: impl CardStore + 'static,
        profile: CardProfile,
        transport: TransportKey,
        rng: R,
    ) -> Result<Self, OpenError> {
        Os::blank_in(Box::new(store), profile, transport).map(|os| Self::new(os, rng))
    }

    /// The card in the store, as after a reset.
    ///
    /// # Errors
    /// Returns [`OpenError::Empty`] if there is none, [`OpenError::OtherCard`] if it does not have this profile,
    /// [`OpenError::OtherFormat`] or [`OpenError::Damaged`] if the state can't be read, [`OpenError::Store`] if the store fails.
    pub fn open(store: impl CardStore + 'static, profile: CardProfile, rng: R) -> Result<Self, OpenError> {
        Os::open(Box::new(store), profile).map(|os| Self::new(os, rng))
    }

    fn new(os: Os, rng: R) -> Self {
        Self { os, rng, response: Zeroizing::new(Vec::with_capacity(MAX_RESPONSE_LEN)) }
    }

    /// Answers one command; any bytes get an answer of at least a status word.
    ///
    /// The response is kept until the next command, so nothing is allocated for it.
    pub fn process(&mut self, command: &[u8]) -> &[u8] {
        self.response.clear();
        let status = self.os.answer(command, &mut self.rng, &mut self.response);
        self.response.extend_from_slice(&status.bytes());
        &self.response
    }

    /// Resets the card, as power does: security states, challenge and derived keys are gone, the master file is
    /// selected. Files, keys, counters and locks stay, and a card whose store has failed stays dead.
    pub fn reset(&mut self) {
        self.os.reset();
    }

    /// How far the card has come.
    #[must_use]
    pub fn life_cycle(&self) -> LifeCycle {
        self.os.life_cycle()
    }

    /// What the factory decided about the card.
    #[must_use]
    pub const fn profile(&self) -> &CardProfile {
        &self.os.profile
    }
}

/// The response does not fit into the buffer. The card has carried out the command all the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the response is {needed} bytes, the buffer takes {found}")]
pub struct ShortBuffer {
    /// Length of the response in bytes.
    pub needed: usize,
    /// Length of the buffer in bytes.
    pub found: usize,
}

impl<R: CryptoRng> CardTransport for Card<R> {
    type Error = ShortBuffer;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, ShortBuffer> {
        let found = response.len();
        let answer = self.process(command);
        let needed = answer.len();
        response.get_mut(..needed).ok_or(ShortBuffer { needed, found })?.copy_from_slice(answer);
        Ok(needed)
    }
}

impl<R> fmt::Debug for Card<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card")
            .field("profile", &self.os.profile)
            .field("life_cycle", &self.os.life_cycle())
            .finish_non_exhaustive()
    }
}
