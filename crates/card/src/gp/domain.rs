//! The domain as the reader sees it.

use core::fmt;

use apdu::commands::gp::KeyVersion;
use apdu::secure::gp::{CardSession, Protocol, SecurityLevel, UnwrapError};
use apdu::{CardTransport, CommandApdu, Instruction, LengthForm, ResponseApdu, StatusWord};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::channel::Channel;
use super::keys::{DomainKeys, DomainKeysError, KeySet};
use super::memory::DomainMemory;
use super::profile::DomainProfile;
use super::store_data::Blocks;
use crate::ShortBuffer;
use crate::state::{CardStore, Kept, OpenError};
use crate::status::require;

/// A security domain in software: takes commands, gives responses, keeps key sets and data groupings, in a
/// [store](crate::state) if it is given one.
///
/// Its keys are wiped when it is dropped; `Debug` shows none of them, and no command reads one.
///
/// # Examples
/// ```
/// use apdu::commands::gp::{KeyVersion, initialize_update};
/// use apdu::secure::gp::HostChallenge;
/// use apdu::secure::scp03::{self, Answer, CardKeys, SecurityLevel};
/// use apdu::Channel;
/// use cardroot_card::gp::{DomainKeys, DomainProfile, SecurityDomain};
/// use diversify::block::{AesKey, AesKeyLength};
/// use diversify::gp::aes::{Kdek, Kenc, Kmac};
///
/// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let mut key = || AesKey::generate(AesKeyLength::Aes256, &mut rng);
/// let (enc, mac, dek) = (key(), key(), key());
/// let keys = || CardKeys {
///     enc: Kenc::from_key(enc.duplicate()),
///     mac: Kmac::from_key(mac.duplicate()),
///     dek: Kdek::from_key(dek.duplicate()),
/// };
/// let version = KeyVersion::new(0x01).ok_or("a version")?;
/// let profile = DomainProfile::new([0x4B, 0x52, 0, 0, 0, 0, 0, 0, 0, 1]);
/// let domain = SecurityDomain::new(profile, version, DomainKeys::Aes(keys()), rng)?;
///
/// let mut channel = Channel::new(domain);
/// let challenge = HostChallenge::generate(&mut rng);
/// let answer = channel.transmit(&initialize_update(0, &challenge))?.into_ok()?;
/// let initialised = scp03::initialise(challenge, &Answer::decode(answer.data())?, &keys());
/// let card = initialised.verify_card()?.open(&mut channel, SecurityLevel::MacAndCipherBothWays)?;
/// assert!(!card.session().is_closed());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SecurityDomain<R> {
    pub(super) profile: DomainProfile,
    pub(super) memory: Kept<DomainMemory>,
    pub(super) channel: Channel,
    pub(super) blocks: Blocks,
    pub(super) rng: R,
    response: Zeroizing<Vec<u8>>,
}

/// A command's answer: data and a status of success, or a refusal.
pub(super) type Answer = Result<Zeroizing<Vec<u8>>, StatusWord>;

/// What a command may do within its session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Authority {
    /// There is no session.
    Nobody,
    /// The host has authenticated itself, but commands have no MAC.
    Authenticated,
    /// The command has a MAC.
    Verified,
}

impl<R: CryptoRng> SecurityDomain<R> {
    /// A domain with its first set of keys.
    ///
    /// # Errors
    /// Returns [`DomainKeysError`] for TDEA keys of 24 bytes.
    pub fn new(
        profile: DomainProfile,
        version: KeyVersion,
        keys: DomainKeys,
        rng: R,
    ) -> Result<Self, DomainKeysError> {
        let memory = DomainMemory::new(KeySet::new(version, keys)?);
        Ok(Self::with(profile, Kept::in_memory(memory), rng))
    }

    /// The same, kept in a store: the domain is there when this returns, and each change before its answer leaves.
    ///
    /// # Errors
    /// Returns [`OpenError::DomainKeys`] for TDEA keys of 24 bytes, [`OpenError::Occupied`] if there is a card in the store,
    /// [`OpenError::Store`] if it fails.
    pub fn new_in(
        store: impl CardStore + 'static,
        profile: DomainProfile,
        version: KeyVersion,
        keys: DomainKeys,
        rng: R,
    ) -> Result<Self, OpenError> {
        let memory = DomainMemory::new(KeySet::new(version, keys)?);
        Ok(Self::with(profile, Kept::create(Box::new(store), profile.identity(), memory)?, rng))
    }

    /// The domain in the store, as after a reset.
    ///
    /// # Errors
    /// Returns [`OpenError::Empty`] if there is none, [`OpenError::OtherKind`] if it is a [`Card`](crate::Card),
    /// [`OpenError::OtherDomain`] if it does not have this profile, [`OpenError::OtherFormat`] or [`OpenError::Damaged`] if the
    /// state can't be read, [`OpenError::Store`] if the store fails.
    ///
    /// # Examples
    /// ```
    /// use apdu::commands::gp::KeyVersion;
    /// use cardroot_card::gp::{DomainKeys, DomainProfile, SecurityDomain};
    /// use cardroot_card::state::{FileStore, StorageKey};
    /// use diversify::block::{AesKey, AesKeyLength};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("domain.card");
    /// let store = || FileStore::open(&path, StorageKey::from_fill(|key| key.fill(0x3C)));
    /// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    /// let keys = [(); 3].map(|()| AesKey::generate(AesKeyLength::Aes256, &mut rng));
    /// let version = KeyVersion::new(0x01).ok_or("a version")?;
    /// let profile = DomainProfile::new([0x4B, 0x52, 0, 0, 0, 0, 0, 0, 0, 1]);
    ///
    /// // INITIALIZE UPDATE; the answer ends with the number of the session.
    /// let begin = [0x80, 0x50, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0];
    /// let mut domain = SecurityDomain::new_in(store()?, profile, version, DomainKeys::from(keys), rng)?;
    /// assert!(domain.process(&begin).ends_with(&[0, 0, 0, 0x90, 0x00]));
    ///
    /// // The power fails, and comes back.
    /// drop(domain);
    /// let mut domain = SecurityDomain::open(store()?, profile, rng)?;
    /// assert!(domain.process(&begin).ends_with(&[0, 0, 1, 0x90, 0x00]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(store: impl CardStore + 'static, profile: DomainProfile, rng: R) -> Result<Self, OpenError> {
        Ok(Self::with(profile, Kept::open(Box::new(store), profile.identity())?, rng))
    }

    fn with(profile: DomainProfile, memory: Kept<DomainMemory>, rng: R) -> Self {
        Self {
            profile,
            memory,
            channel: Channel::Closed,
            blocks: Blocks::default(),
            rng,
            response: Zeroizing::new(Vec::with_capacity(crate::MAX_RESPONSE_LEN)),
        }
    }

    /// Answers one command; any bytes get an answer of at least a status word.
    pub fn process(&mut self, command: &[u8]) -> &[u8] {
        let response = self.answer(command);
        self.response.zeroize();
        self.response.extend_from_slice(response.data());
        self.response.extend_from_slice(&response.status().bytes());
        &self.response
    }

    /// Resets the card, as power does: the session is gone and a data grouping under way with it. Keys, counters and data
    /// groupings stay, and a domain whose store has failed stays dead.
    pub fn reset(&mut self) {
        self.channel = Channel::Closed;
        self.blocks = Blocks::default();
    }

    /// What the factory decided.
    #[must_use]
    pub const fn profile(&self) -> &DomainProfile {
        &self.profile
    }

    /// Failed authentications that are still allowed; at none the domain is locked for good.
    #[must_use]
    pub const fn tries_left(&self) -> u8 {
        self.memory.get().tries_left(&self.profile)
    }

    /// Whether the last block of STORE DATA has come.
    #[must_use]
    pub const fn is_personalised(&self) -> bool {
        self.memory.get().groupings.are_complete()
    }

    /// Shows what STORE DATA brought under the identifier `id`, decrypted. Keys of applications are among it.
    #[must_use]
    pub fn expose_grouping(&self, id: u16) -> Option<&[u8]> {
        self.memory.get().groupings.find(id)
    }

    fn answer(&mut self, command: &[u8]) -> ResponseApdu {
        if self.memory.is_dead() {
            return refusal(StatusWord::MEMORY_FAILURE);
        }
        let outcome = match CommandApdu::decode(command) {
            Ok(command) => self.route(&command),
            Err(error) => Err(error.status()),
        };
        // Whatever it was to be: no answer leaves that tells of a change which may not last.
        match outcome {
            _ if self.memory.is_dead() => refusal(StatusWord::MEMORY_FAILURE),
            Ok(response) => response,
            Err(status) => refusal(status),
        }
    }

    /// Picks the command that opens, closes or needs no session, or hands it to the session.
    fn route(&mut self, command: &CommandApdu) -> Result<ResponseApdu, StatusWord> {
        let header = command.header();
        let class = header.class.byte();
        require(
            !matches!(class, 0x01..=0x03 | 0x05..=0x07 | 0x81..=0x83 | 0x85..=0x87),
            StatusWord::CHANNEL_NOT_SUPPORTED,
        )?;
        require(matches!(class, 0x00 | 0x04 | 0x80 | 0x84), StatusWord::CLASS_NOT_SUPPORTED)?;
        require(command.form() == LengthForm::Short, StatusWord::WRONG_LENGTH)?;
        let is_protected = header.class.without_proprietary_sm().is_some();
        match header.instruction {
            Instruction::SELECT if !is_protected => self.select(command).map(success),
            Instruction::INITIALIZE_UPDATE if !is_protected => self.initialize_update(command).map(success),
            Instruction::EXTERNAL_AUTHENTICATE if is_protected => {
                self.external_authenticate(command).map(success)
            }
            _ => self.within_channel(command),
        }
    }

    fn within_channel(&mut self, command: &CommandApdu) -> Result<ResponseApdu, StatusWord> {
        match core::mem::take(&mut self.channel) {
            Channel::Open02(session) => self.within(session, command, Channel::Open02),
            Channel::Open03(session) => self.within(session, command, Channel::Open03),
            other => {
                self.channel = other;
                let is_protected = command.header().class.without_proprietary_sm().is_some();
                require(!is_protected, StatusWord::SECURITY_STATUS)?;
                self.carry_out(command, Authority::Nobody, None).map(success)
            }
        }
    }

    /// Unwraps a command, carries it out, and protects the answer. The session stays closed unless all of it went well.
    fn within<P: Protocol>(
        &mut self,
        mut session: CardSession<P>,
        command: &CommandApdu,
        open: fn(CardSession<P>) -> Channel,
    ) -> Result<ResponseApdu, StatusWord> {
        let has_mac = session.level().byte() & 0x01 != 0;
        let is_protected = command.header().class.without_proprietary_sm().is_some();
        let unwrapped = session.unwrap(command).map_err(|error| match error {
            UnwrapError::Rejected(_) if has_mac && is_protected => StatusWord::SM_OBJECT_WRONG,
            _ => StatusWord::SECURITY_STATUS,
        })?;
        let authority = if has_mac { Authority::Verified } else { Authority::Authenticated };
        let answer = self.carry_out(&unwrapped.command, authority, Some(unwrapped.reply.data_key()));
        let response = answer.map_or_else(refusal, success);
        let sealed = unwrapped.reply.seal(response).map_err(|_| StatusWord::NO_DIAGNOSIS)?;
        self.channel = open(session);
        Ok(sealed)
    }
}

fn refusal(status: StatusWord) -> ResponseApdu {
    ResponseApdu::new(&[], status).expect("no data")
}

#[expect(clippy::needless_pass_by_value, reason = "the data is to be wiped here")]
fn success(data: Zeroizing<Vec<u8>>) -> ResponseApdu {
    ResponseApdu::new(&data, StatusWord::OK).expect("answers are short")
}

impl<R: CryptoRng> CardTransport for SecurityDomain<R> {
    type Error = ShortBuffer;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, ShortBuffer> {
        let found = response.len();
        let answer = self.process(command);
        let needed = answer.len();
        response.get_mut(..needed).ok_or(ShortBuffer { needed, found })?.copy_from_slice(answer);
        Ok(needed)
    }
}

impl<R> fmt::Debug for SecurityDomain<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityDomain")
            .field("profile", &self.profile)
            .field("tries_left", &self.memory.get().tries_left(&self.profile))
            .finish_non_exhaustive()
    }
}
