//! A personalisation station: one blank card in its reader, from transport key to a master of its own.

use cardroot::apdu::commands::pboc::{
    Access, CreateDf, CreateKeyFile, KeyAttributes, KeyLoading, KeyRecord, KeyType, KeyUse, Tries, WriteKey,
    WriteKeyAction,
};
use cardroot::apdu::commands::{ChallengeLength, DfName, FileId, select_file};
use cardroot::apdu::secure::pboc::{CardKey, Challenged, MasterKey, Protection, ProtectionKey};
use cardroot::apdu::{Channel, CommandApdu, ResponseApdu};
use cardroot::card::{Card, CardProfile, TransportKey};
use cardroot::diversify::tree::purpose::Function;
use cardroot::diversify::tree::{self};
use cardroot::diversify::{Factor, pboc};
use cardroot::tdea::TdeaKey;
use getrandom::SysRng;
use rand_core::UnwrapErr;

use crate::Failure;

/// A card of the software kind, in a reader.
pub type Reader = Channel<Card<UnwrapErr<SysRng>>>;

/// The directory of the application, on user cards and SAMs alike.
pub const APPLICATION: FileId = FileId(0x3F01);
const APPLICATION_NAME: [u8; 9] = [0xA0, 0x00, 0x00, 0x00, 0x03, 0x86, 0x98, 0x07, 0x01];
/// What a proven master gives: level A of its directory.
const MASTER_LEVEL: u8 = 0x0A;
const UNDER_MASTER: Access = Access::from_byte(0xAA);
const MASTER_ID: u8 = 0x00;

/// What the card maker puts into a box: a blank card under the maker's transport key for its chip.
pub fn deliver(profile: CardProfile, transport: TransportKey) -> Reader {
    Channel::new(Card::blank(profile, transport, UnwrapErr(SysRng)))
}

/// The transport key of one chip.
pub fn transport_key(master: &TdeaKey, chip: [u8; 8]) -> Result<TdeaKey, Failure> {
    Ok(pboc::derive(master, Factor::from(chip))?)
}

/// A key of the tree as a card takes it.
pub fn card_key<F: Function>(key: &tree::CardKey<F>) -> Result<CardKey, Failure> {
    Ok(CardKey::try_from(key.expose_key().duplicate())?)
}

/// The station with a card in it. Every command that the card does not carry out ends the card's issue.
#[derive(Debug)]
pub struct Station<'r> {
    reader: &'r mut Reader,
    pub commands: usize,
}

impl<'r> Station<'r> {
    /// Proves the card by its transport key, and puts the card master in that key's place, encrypted under it.
    pub fn take_over(
        reader: &'r mut Reader,
        transport: TdeaKey,
        card_master: CardKey,
    ) -> Result<(Self, MasterKey), Failure> {
        let mut station = Self { reader, commands: 0 };
        let transport = MasterKey::from_key(CardKey::try_from(transport)?);
        station.send(&select_file(FileId::MASTER))?;
        station.authenticate(&transport)?;
        let action = WriteKeyAction::Update { current: KeyType::EXTERNAL_AUTHENTICATE };
        station.write(action, MASTER_ID, master_use()?, &card_master, &transport)?;
        let card_master = MasterKey::from_key(card_master);
        station.authenticate(&card_master)?;
        Ok((station, card_master))
    }

    /// Makes the application's directory with its key file, and loads its master under the card master.
    pub fn open_application(
        &mut self,
        card_master: &MasterKey,
        master: CardKey,
    ) -> Result<MasterKey, Failure> {
        let name = DfName::try_from(APPLICATION_NAME.as_slice())?;
        let directory = CreateDf {
            id: APPLICATION,
            size: 0x0300,
            create: UNDER_MASTER,
            erase: Access::NEVER,
            short_id: 0x95,
            name,
        };
        self.send(&directory.command())?;
        self.send(&select_file(APPLICATION))?;
        let keys = CreateKeyFile { id: FileId(0x0000), size: 0x0180, short_id: 0x95, add: UNDER_MASTER };
        self.send(&keys.command())?;
        self.write(WriteKeyAction::Add, MASTER_ID, master_use()?, &master, card_master)?;
        let master = MasterKey::from_key(master);
        self.authenticate(&master)?;
        Ok(master)
    }

    /// Adds a key to the current directory, under its master.
    pub fn add_key(
        &mut self,
        id: u8,
        key_use: KeyUse,
        key: &CardKey,
        master: &MasterKey,
    ) -> Result<(), Failure> {
        self.write(WriteKeyAction::Add, id, key_use, key, master)
    }

    pub fn authenticate(&mut self, key: &MasterKey) -> Result<(), Failure> {
        self.commands += 2;
        let challenged = Challenged::request(self.reader, ChallengeLength::Eight)?;
        challenged.external_authenticate(MASTER_ID, key)?.into_ok()?;
        Ok(())
    }

    pub fn send(&mut self, command: &CommandApdu) -> Result<ResponseApdu, Failure> {
        self.commands += 1;
        Ok(self.reader.transmit(command)?.into_ok()?)
    }

    /// Sends a command protected under a key of the card and a fresh challenge.
    pub fn send_protected(
        &mut self,
        command: &CommandApdu,
        protection: Protection,
        key: &impl ProtectionKey,
    ) -> Result<(), Failure> {
        self.commands += 2;
        let challenged = Challenged::request(self.reader, ChallengeLength::Four)?;
        challenged.write(command, protection, key)?.into_ok()?;
        Ok(())
    }

    /// Sends a command that is protected by itself, made from a fresh challenge.
    pub fn send_for_challenge(
        &mut self,
        make: impl FnOnce(cardroot::apdu::secure::pboc::Challenge) -> Result<CommandApdu, Failure>,
    ) -> Result<(), Failure> {
        let challenge = self.send(&cardroot::apdu::commands::get_challenge(ChallengeLength::Four))?;
        let command = make(challenge.data().try_into()?)?;
        self.send(&command)?;
        Ok(())
    }

    fn write(
        &mut self,
        action: WriteKeyAction,
        id: u8,
        key_use: KeyUse,
        key: &CardKey,
        master: &MasterKey,
    ) -> Result<(), Failure> {
        self.commands += 2;

        let record = KeyRecord {
            key_use,
            loading: KeyLoading::Protected,
            usage: Access::ALWAYS,
            change: UNDER_MASTER,
            key,
        };
        let challenged = Challenged::request(self.reader, ChallengeLength::Four)?;
        challenged.write_key(&WriteKey { action, id, record }, master)?.into_ok()?;
        Ok(())
    }
}

fn master_use() -> Result<KeyUse, Failure> {
    Ok(KeyUse::ExternalAuthenticate { follow_state: MASTER_LEVEL, tries: tries(3)? })
}

pub fn tries(number: u8) -> Result<Tries, Failure> {
    Tries::new(number).ok_or_else(|| Failure(format!("{number} tries do not fit a key record")))
}

/// Version of the tree, algorithm TDEA.
pub const fn attributes(version: u8) -> KeyAttributes {
    KeyAttributes { version, algorithm: 0x00 }
}
