//! `cardroot card give`: a key from a key card to another card.

use cardroot::apdu::commands::FileId;
use cardroot::apdu::commands::pboc::{PsamKeyUsage, ReceiverKind};
use cardroot::apdu::secure::pboc::{CardKey, ExternalAuthKey, MasterKey};
use cardroot::apdu::{CardTransport, Channel};
use cardroot::card::CardProfile;
use cardroot::diversify::tree::FunctionLabels;
use cardroot::diversify::tree::purpose::{Function, FunctionVisitor, PurposeId};
use cardroot::kms::key_card::{KeyCard, KeyName, Receiver, function_path};
use cardroot::tdea::BLOCK_LEN;
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::apdu::readers::{self, Reader};
use crate::card::serial;
use crate::error::Failure;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};
use crate::{function, hex};

pub(crate) const EXAMPLE: &str = "\
Example:
  cardroot card give --key-card 'Reader 00' --pin ask --key @officer.hex --reader 'Reader 01' --kind sam
      --serial 53414D0000000001 --master @sam-master.hex --usage 22 --version 1";

#[derive(Args)]
pub(crate) struct Give {
    /// The reader of the key card
    #[arg(long, value_name = "READER")]
    key_card: Reader,
    /// Its PIN as it compares it, in hexadecimal digits
    #[arg(long, value_name = "K")]
    pin: Source,
    /// Identifier of the PIN
    #[arg(long, value_name = "N", default_value_t = 0)]
    pin_id: u8,
    /// The key that opens it with the PIN: external authentication key
    #[arg(long, value_name = "K")]
    key: Source,
    /// Identifier of that key
    #[arg(long, value_name = "N", default_value_t = 1)]
    key_id: u8,
    /// The reader of the card that gets the key
    #[arg(long)]
    reader: Reader,
    /// What that card is
    #[arg(long, value_enum)]
    kind: Kind,
    /// Its serial number, 8 bytes
    #[arg(long, value_name = "H", value_parser = serial)]
    serial: [u8; CardProfile::SERIAL_LEN],
    /// The master of its application
    #[arg(long, value_name = "K")]
    master: Source,
    /// Usage of the key, 1 byte: levels of dispersion in the high 3 bits, kind in the others
    #[arg(long, value_name = "H", value_parser = usage)]
    usage: PsamKeyUsage,
    /// Version of the key
    #[arg(long, value_name = "N")]
    version: u8,
    /// Version of the exchange key that both cards have
    #[arg(long, value_name = "N", default_value_t = 1)]
    exchange_version: u8,
    /// Function of the key of the province that a mother card makes of the parent key: its labels disperse that first
    #[arg(long, value_name = "NAME", value_parser = function::parser())]
    function: Option<PurposeId>,
    /// Disperses the key first, 8 bytes: once for each level
    #[arg(long, value_name = "H", value_parser = factor)]
    factor: Vec<[u8; BLOCK_LEN]>,
    /// Identifier of the application on either card, 2 bytes
    #[arg(long, value_name = "H", default_value = "3F01", value_parser = file_id)]
    application: FileId,
}

/// Cards that take keys.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Sam,
    Mother,
    Secondary,
    City,
}

/// What opens the two cards.
struct Opening {
    pin: Zeroizing<Vec<u8>>,
    key: ExternalAuthKey,
    master: MasterKey,
}

impl Give {
    pub(crate) fn run(&self) -> Result<Report, Failure> {
        let mut secrets = Secrets::default();
        let mut key = |argument: &str, source| -> Result<CardKey, Failure> {
            let key = secrets.key(argument, source)?;
            CardKey::try_from(key).map_err(|error| Failure::bad_key(argument, &error))
        };
        let (authentication, master) = (key("--key", &self.key)?, key("--master", &self.master)?);
        let opening = Opening {
            pin: secrets.bytes("--pin", &self.pin)?,
            key: ExternalAuthKey::from_key(authentication),
            master: MasterKey::from_key(master),
        };
        match &self.key_card {
            Reader::Simulated(_) => Err(blank("--key-card")),
            Reader::Replay(path) => self.from(&opening, readers::replay(path)?),
            Reader::Named(name) => self.from(&opening, readers::open(name)?),
        }
    }

    fn from(&self, opening: &Opening, giver: impl CardTransport<Error: 'static>) -> Result<Report, Failure> {
        match &self.reader {
            Reader::Simulated(_) => Err(blank("--reader")),
            Reader::Replay(path) => self.give(opening, giver, readers::replay(path)?),
            Reader::Named(name) => self.give(opening, giver, readers::open(name)?),
        }
    }

    fn give(
        &self,
        opening: &Opening,
        giver: impl CardTransport<Error: 'static>,
        receiver: impl CardTransport<Error: 'static>,
    ) -> Result<Report, Failure> {
        let (mut giver, mut receiver) = (Channel::new(giver), Channel::new(receiver));
        let kind = match self.kind {
            Kind::Sam => ReceiverKind::Sam,
            Kind::Mother => ReceiverKind::Mother,
            Kind::Secondary => ReceiverKind::Secondary,
            Kind::City => ReceiverKind::City,
        };
        // The card that gets the key first: a key card loses no try to one that is not its own.
        let mut receiver =
            Receiver::open(&mut receiver, kind, self.serial, self.application, &opening.master)
                .map_err(|error| refused(&format_args!("the receiving card: {error}")))?;
        let mut open = KeyCard::select(&mut giver, self.application)
            .and_then(|card| card.verify_pin(self.pin_id, &opening.pin))
            .and_then(|card| card.authenticate(self.key_id, &opening.key))
            .map_err(|error| refused(&error))?;
        let labels = self.function.and_then(|function| function.visit_function(Labels)).unwrap_or_default();
        let key = KeyName {
            usage: self.usage,
            version: self.version,
            exchange_version: self.exchange_version,
            factors: &[labels.as_slice(), &self.factor].concat(),
        };
        open.give(&key, &mut receiver).map_err(|error| refused(&error))?;
        Ok(Record::new()
            .with("given_to", hex::encode(&self.serial))
            .with("usage", hex::encode(&[self.usage.byte()]))
            .with("version", self.version)
            .into())
    }
}

/// Finds the labels of a function.
struct Labels;

impl FunctionVisitor for Labels {
    type Output = Vec<[u8; BLOCK_LEN]>;

    fn visit<F: Function>(self) -> Self::Output {
        function_path::<F>(&FunctionLabels::V1).into()
    }
}

fn blank(argument: &str) -> Failure {
    Failure::usage(format!("{argument}: a blank card in software has no keys: name a reader, or replay:FILE"))
}

fn refused(error: &impl core::fmt::Display) -> Failure {
    Failure::refused(error.to_string())
}

fn usage(text: &str) -> Result<PsamKeyUsage, String> {
    let [byte] = hex::parse_array(text, "a usage")?;
    Ok(PsamKeyUsage::new(byte >> 5, byte & 0x1F).expect("3 bits and 5"))
}

fn factor(text: &str) -> Result<[u8; BLOCK_LEN], String> {
    hex::parse_array(text, "a factor")
}

fn file_id(text: &str) -> Result<FileId, String> {
    hex::parse_array(text, "a file identifier").map(|bytes| FileId(u16::from_be_bytes(bytes)))
}
