//! `dukpt encrypt-pin` and `dukpt decrypt-pin`.

use core::convert::Infallible;

use cardroot::dukpt::aes;
use cardroot::pin::{
    BlockLengthError, ClearPinBlock, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock,
    EncryptPinBlock, EncryptedIso4PinBlock, EncryptedPinBlock, InvalidPinBlock, Iso4PanField, Iso4PinField,
    Pan, Pin, PinBlockFormat,
};
use clap::{Args, ValueEnum};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

use super::names::{Names, TransactionRef};
use super::working_key::{Kind, PinForm};
use crate::error::Failure;
use crate::hex;
use crate::output::{Record, Report};
use crate::secret::{PanArgument, Secrets, Source, digits};

pub(super) const ENCRYPT_EXAMPLES: &str = "\
Examples:
  cardroot dukpt encrypt-pin --bdk @bdk.hex --ksn FFFF9876543210E00001 --pin ask --pan ask
  cardroot dukpt encrypt-pin --aes --bdk @bdk-aes.hex --ksn 123456789012345600000001 --pin ask --pan ask";

pub(super) const DECRYPT_EXAMPLES: &str = "\
Examples:
  cardroot dukpt decrypt-pin --bdk @bdk.hex --ksn FFFF9876543210E00001 --pan ask --block 1B9C1845EB993A7A
  cardroot dukpt decrypt-pin --bdk @bdk.hex --ksn FFFF9876543210E00001 --block 1B9C1845EB993A7A --format 1
  cardroot dukpt decrypt-pin --aes --bdk @bdk-aes.hex --ksn 123456789012345600000001 --pan ask --block @block.hex";

/// What goes into a PIN block.
#[derive(Args)]
pub(super) struct Entry {
    /// The PIN: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    pin: Source,
    #[command(flatten)]
    block: Block,
}

/// How a PIN block is made.
#[derive(Args)]
pub(super) struct Block {
    /// The Primary Account Number (PAN), for all formats but 1: digits, @FILE, env:NAME, - or ask
    #[arg(long, value_name = "D")]
    pan: Option<PanArgument>,
    /// The format of ISO 9564-1 that was agreed on: 4 for AES keys and 0 for TDEA keys unless given
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Args)]
pub(crate) struct EncryptPin {
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    entry: Entry,
    #[command(flatten)]
    kind: Kind,
}

#[derive(Args)]
pub(crate) struct DecryptPin {
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    agreed: Block,
    /// The encrypted PIN block: 8 bytes, or 16 in format 4
    #[arg(long, value_name = "H")]
    block: hex::Bytes,
    #[command(flatten)]
    kind: Kind,
    /// Shows the PIN
    #[arg(long)]
    show_pin: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    #[value(name = "0")]
    Iso0,
    #[value(name = "1")]
    Iso1,
    #[value(name = "3")]
    Iso3,
    /// For AES keys
    #[value(name = "4")]
    Iso4,
}

impl From<Format> for PinBlockFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Iso0 => Self::Iso0,
            Format::Iso1 => Self::Iso1,
            Format::Iso3 => Self::Iso3,
            Format::Iso4 => Self::Iso4,
        }
    }
}

/// A PIN encryption key by the blocks that it takes.
enum PinKey {
    /// Blocks of 8 bytes.
    Tdes(cardroot::dukpt::PinKey),
    /// Blocks of 8 bytes, in AES DUKPT.
    Tdea(aes::tdea_keys::PinKey),
    /// Blocks of 16 bytes.
    Aes(aes::PinKey),
}

/// A PIN to encrypt, with what it needs.
pub(super) struct Entered {
    pin: Pin,
    pan: Option<Pan>,
    format: PinBlockFormat,
}

impl Block {
    fn format(&self, key: PinForm) -> Result<PinBlockFormat, Failure> {
        let key_is_aes = matches!(key, PinForm::Aes(_));
        let usual = if key_is_aes { PinBlockFormat::Iso4 } else { PinBlockFormat::Iso0 };
        let format = self.format.map_or(usual, PinBlockFormat::from);
        match (key_is_aes, format) {
            (true, PinBlockFormat::Iso4) => {}
            (true, _) => {
                return Err(Failure::usage(format!(
                    "--format: a block of format {} is under a TDEA key; give --key-type tdea-2, or --format 4",
                    format.number()
                )));
            }
            (false, PinBlockFormat::Iso4) => {
                return Err(Failure::usage(
                    "--format: a block of format 4 is under an AES key; give --aes and an AES key type",
                ));
            }
            (false, _) => {}
        }
        if self.pan.is_none() && format.binds_pan() {
            return Err(Failure::usage(format!(
                "--pan is missing: a block of format {} is bound to its PAN",
                format.number()
            )));
        }
        Ok(format)
    }

    fn pan(&self, secrets: &mut Secrets) -> Result<Option<Pan>, Failure> {
        self.pan.as_ref().map(|pan| secrets.pan("--pan", pan)).transpose()
    }
}

impl Entry {
    /// Reads all that is needed, so that nothing can fail after a key was used.
    pub(super) fn read(&self, key: PinForm, secrets: &mut Secrets) -> Result<Entered, Failure> {
        let format = self.block.format(key)?;
        Ok(Entered { pin: secrets.pin("--pin", &self.pin)?, pan: self.block.pan(secrets)?, format })
    }
}

impl PinKey {
    /// The key, under a transaction key of the kind that it was chosen for.
    fn of(form: PinForm, transaction: TransactionRef<'_>) -> Self {
        match (form, transaction) {
            (PinForm::Tdes, TransactionRef::Tdes(key)) => Self::Tdes(key.pin_key()),
            (PinForm::Tdea(length), TransactionRef::Aes(key)) => Self::Tdea(key.pin_key_tdea(length)),
            (PinForm::Aes(length), TransactionRef::Aes(key)) => {
                Self::Aes(key.pin_key(length).expect("the length was checked when the key was chosen"))
            }
            _ => unreachable!("a key is chosen by the scheme of its transaction"),
        }
    }

    /// Encrypts a block of a format that the key takes, as hexadecimal digits.
    fn encrypt(&self, entered: &Entered) -> String {
        match self {
            Self::Tdes(key) => encrypt_8_bytes(key, entered),
            Self::Tdea(key) => encrypt_8_bytes(key, entered),
            Self::Aes(key) => {
                let pin = Iso4PinField::encode(&entered.pin, &mut UnwrapErr(SysRng));
                let Ok(block) = key.encrypt_iso4_pin_block(&pin, &Iso4PanField::encode(entered.bound_pan()));
                hex::encode(&block.to_bytes())
            }
        }
    }

    fn decrypt(&self, block: &[u8], format: PinBlockFormat, pan: Option<&Pan>) -> Result<Pin, Failure> {
        let opened = match self {
            Self::Aes(key) => {
                let block = EncryptedIso4PinBlock::try_from(block).map_err(bad_length)?;
                let pan = Iso4PanField::encode(pan.expect("format 4 was refused without a PAN"));
                let Ok(field) = key.decrypt_iso4_pin_block(block, &pan);
                field.decode()
            }
            Self::Tdes(key) => decrypt_8_bytes(key, block, format, pan)?,
            Self::Tdea(key) => decrypt_8_bytes(key, block, format, pan)?,
        };
        opened.map_err(|InvalidPinBlock| {
            Failure::refused("--block is no PIN block of this key, PAN and format; dukpt diagnose pin looks for the reason")
        })
    }
}

pub(super) fn encrypt(arguments: &EncryptPin) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let transaction = arguments.names.transaction(&mut secrets)?;
    let form = arguments.kind.choose_pin_key(transaction.as_ref().parent())?;
    let entered = arguments.entry.read(form, &mut secrets)?;
    Ok(entered.encrypt(form, transaction.as_ref()).into())
}

fn encrypt_8_bytes(key: &impl EncryptPinBlock<Error = Infallible>, entered: &Entered) -> String {
    let (pin, mut rng) = (&entered.pin, UnwrapErr(SysRng));
    let clear = match entered.format {
        PinBlockFormat::Iso1 => ClearPinBlock::encode_iso1(pin, &mut rng),
        PinBlockFormat::Iso3 => ClearPinBlock::encode_iso3(pin, entered.bound_pan(), &mut rng),
        _ => ClearPinBlock::encode_iso0(pin, entered.bound_pan()),
    };
    let Ok(block) = key.encrypt_pin_block(&clear);
    hex::encode(&block.to_bytes())
}

impl Entered {
    fn bound_pan(&self) -> &Pan {
        self.pan.as_ref().expect("formats that bind the PAN were refused without it")
    }

    /// Encrypts the PIN.
    pub(super) fn encrypt(&self, form: PinForm, transaction: TransactionRef<'_>) -> Record {
        Record::new()
            .with("ksn", transaction.ksn())
            .with("format", self.format.number())
            .with("pan", self.pan.as_ref().map(ToString::to_string))
            .with("block", PinKey::of(form, transaction).encrypt(self))
    }
}

pub(super) fn decrypt(arguments: &DecryptPin) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let transaction = arguments.names.transaction(&mut secrets)?;
    let transaction = transaction.as_ref();
    let form = arguments.kind.choose_pin_key(transaction.parent())?;
    let format = arguments.agreed.format(form)?;
    let pan = arguments.agreed.pan(&mut secrets)?;
    let pin = PinKey::of(form, transaction).decrypt(&arguments.block.0, format, pan.as_ref())?;
    Ok(opened(transaction.ksn(), Some(format.number()), pan.as_ref(), &pin, arguments.show_pin).into())
}

/// What is said of a block that was opened.
pub(super) fn opened(
    ksn: String,
    format: Option<u8>,
    pan: Option<&Pan>,
    pin: &Pin,
    show_pin: bool,
) -> Record {
    Record::new()
        .with("ksn", ksn)
        .with("format", format)
        .with("pan", pan.map(ToString::to_string))
        .with("valid", true)
        .with_some("pin", show_pin.then(|| digits(pin)))
}

fn decrypt_8_bytes(
    key: &impl DecryptPinBlock<Error = Infallible>,
    block: &[u8],
    format: PinBlockFormat,
    pan: Option<&Pan>,
) -> Result<Result<Pin, InvalidPinBlock>, Failure> {
    let Ok(clear) = key.decrypt_pin_block(EncryptedPinBlock::try_from(block).map_err(bad_length)?);
    Ok(match pan {
        Some(pan) => clear.decode(format, pan),
        None => clear.decode_iso1(),
    })
}

fn bad_length(error: BlockLengthError) -> Failure {
    Failure::usage(format!("--block: {error}"))
}
