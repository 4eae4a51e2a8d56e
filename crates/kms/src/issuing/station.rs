//! One card at the desk: commands out, what the card says in.

use apdu::commands::pboc::{KeyType, WriteKeyAction};
use apdu::commands::{BinaryAddress, ChallengeLength, FileId, append_record, select_file, update_binary};
use apdu::secure::pboc::{AuthenticationKey, Challenged, MasterKey, ProtectionKey, SessionError};
use apdu::{CardTransport, Channel, ChannelError, CommandApdu, ResponseApdu, StatusWord};

use super::script::{Action, Content, LoadedKey, LoadedPin, Script, Step};

/// A card that is issued.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Issued {
    /// Commands that it took.
    pub commands: usize,
}

/// A step that the card did not carry out. Those before it are done; [`Script::resume`] goes on from there.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("step {step}, {place}: {fault}")]
pub struct StepError<E: core::error::Error + 'static> {
    /// Number of the step, from 1, as the dry run counts.
    pub step: usize,
    /// Place in the plan.
    pub place: String,
    /// What went wrong.
    pub fault: StepFault<E>,
}

/// Why a step was not carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StepFault<E: core::error::Error + 'static> {
    /// The link failed, or the card refused.
    #[error(transparent)]
    Session(#[from] SessionError<E>),
    /// The card holds something else there than the plan says.
    #[error("the card holds something else there: {0}")]
    Differs(&'static str),
    /// What is on the card can't be told from what should be.
    #[error("the card does not show what it holds there, and it can't be written a second time")]
    InDoubt,
}

impl<E: core::error::Error + 'static> From<ChannelError<E>> for StepFault<E> {
    fn from(error: ChannelError<E>) -> Self {
        Self::Session(error.into())
    }
}

pub(super) type StepResult<T, E> = Result<T, StepFault<E>>;

/// A card, and how many commands it has had.
pub(super) struct Station<'c, T> {
    channel: &'c mut Channel<T>,
    pub(super) commands: usize,
}

/// Most bytes of a file in one command, so that it has room for a MAC and padding: cards of this family take 239 at most.
pub(super) const PIECE: usize = 200;

impl<'c, T: CardTransport> Station<'c, T>
where
    T::Error: 'static,
{
    pub(super) const fn new(channel: &'c mut Channel<T>) -> Self {
        Self { channel, commands: 0 }
    }

    /// Sends a command; a refusal is an answer.
    pub(super) fn ask(&mut self, command: &CommandApdu) -> StepResult<ResponseApdu, T::Error> {
        self.commands += 1;
        Ok(self.channel.transmit(command)?)
    }

    pub(super) fn send(&mut self, command: &CommandApdu) -> StepResult<ResponseApdu, T::Error> {
        accepted(self.ask(command)?)
    }

    pub(super) fn challenged(&mut self, length: ChallengeLength) -> StepResult<Challenged<'_, T>, T::Error> {
        // The challenge and the command that it is for.
        self.commands += 2;
        Ok(Challenged::request(self.channel, length)?)
    }

    pub(super) fn prove(&mut self, id: u8, key: &impl AuthenticationKey) -> StepResult<StatusWord, T::Error> {
        Ok(self.challenged(ChallengeLength::Eight)?.external_authenticate(id, key)?.status())
    }

    pub(super) fn write_key(
        &mut self,
        key: &LoadedKey,
        action: WriteKeyAction,
        under: &MasterKey,
    ) -> StepResult<ResponseApdu, T::Error> {
        Ok(self.challenged(ChallengeLength::Four)?.write_key(&key.write(action), under)?)
    }

    pub(super) fn write_pin(
        &mut self,
        pin: &LoadedPin,
        under: &MasterKey,
    ) -> StepResult<ResponseApdu, T::Error> {
        let command =
            pin.record().plain(WriteKeyAction::Add, pin.id).expect("the planner checked the length");
        self.protected(&command, apdu::secure::pboc::Protection::CipherAndMac, under)
    }

    fn protected(
        &mut self,
        command: &CommandApdu,
        protection: apdu::secure::pboc::Protection,
        key: &impl ProtectionKey,
    ) -> StepResult<ResponseApdu, T::Error> {
        Ok(self.challenged(ChallengeLength::Four)?.write(command, protection, key)?)
    }

    fn write(&mut self, command: &CommandApdu, content: &Content) -> StepResult<(), T::Error> {
        let response = match &content.protection {
            None => self.ask(command)?,
            Some((protection, line)) => self.protected(command, *protection, line)?,
        };
        accepted(response).map(drop)
    }

    pub(super) fn select(&mut self, id: FileId) -> StepResult<ResponseApdu, T::Error> {
        self.send(&select_file(id))
    }

    /// Carries out a step on a card on which the steps before it are done and this one is not.
    pub(super) fn carry_out(&mut self, action: &Action) -> StepResult<(), T::Error> {
        match action {
            Action::Select(id) => self.select(*id).map(drop),
            Action::Prove(key) => self.expect_proof(key),
            Action::TakeOver { transport, master } => {
                self.expect_proof(transport)?;
                let action = WriteKeyAction::Update { current: KeyType::EXTERNAL_AUTHENTICATE };
                accepted(self.write_key(&master.record, action, transport)?).map(drop)
            }
            Action::CreateDirectory(directory) => self.send(&directory.command()).map(drop),
            Action::CreateKeyFile(file) => self.send(&file.command()).map(drop),
            Action::CreateFile(file) => self.send(&file.command()).map(drop),
            Action::CreateWallet(account) => self.send(&account.command()).map(drop),
            Action::LoadMaster { master, under } => {
                accepted(self.write_key(&master.record, WriteKeyAction::Add, under)?).map(drop)
            }
            Action::LoadKey { key, under } => {
                accepted(self.write_key(key, WriteKeyAction::Add, under)?).map(drop)
            }
            Action::LoadSamKey { key, under } => {
                let challenge = self.send(&apdu::commands::get_challenge(ChallengeLength::Four))?;
                let challenge = challenge.data().try_into().map_err(SessionError::Challenge)?;
                self.send(&key.write().protected(under, challenge)).map(drop)
            }
            Action::LoadPin { pin, under } => accepted(self.write_pin(pin, under)?).map(drop),
            Action::WriteBinary(content) => self.write_binary(content),
            Action::AppendRecord { content, .. } => {
                self.select(content.file)?;
                let command = append_record(None, &content.bytes).expect("the planner checked the length");
                self.write(&command, content)
            }
        }
    }

    fn expect_proof(&mut self, key: &MasterKey) -> StepResult<(), T::Error> {
        let response = self.challenged(ChallengeLength::Eight)?.external_authenticate(MASTER_ID, key)?;
        accepted(response).map(drop)
    }

    fn write_binary(&mut self, content: &Content) -> StepResult<(), T::Error> {
        self.select(content.file)?;
        for (offset, piece) in pieces(&content.bytes) {
            let command = update_binary(offset, piece).expect("a piece fits a command");
            self.write(&command, content)?;
        }
        Ok(())
    }
}

/// Identifier of masters.
pub(super) const MASTER_ID: u8 = 0x00;

/// The pieces of a binary file, and where each begins.
pub(super) fn pieces(bytes: &[u8]) -> impl Iterator<Item = (BinaryAddress, &[u8])> {
    let address = |offset: u16| BinaryAddress::current(offset).expect("files have at most 32 KiB");
    (0..).step_by(PIECE).map(address).zip(bytes.chunks(PIECE))
}

pub(super) fn accepted<E: core::error::Error + 'static>(
    response: ResponseApdu,
) -> StepResult<ResponseApdu, E> {
    Ok(response.into_ok().map_err(SessionError::Status)?)
}

/// Carries out `act` for every step; the first failure says which one it was.
pub(super) fn walk<E: core::error::Error + 'static>(
    script: &Script,
    mut act: impl FnMut(&Step) -> StepResult<(), E>,
) -> Result<(), StepError<E>> {
    for (step, number) in script.steps.iter().zip(1..) {
        act(step).map_err(|fault| StepError { step: number, place: step.place.clone(), fault })?;
    }
    Ok(())
}
