//! `dukpt legacy`: reads what no new system should send, each under a name that nobody takes by mistake.

use std::path::PathBuf;

use cardroot::dukpt::Bdk;
use cardroot::dukpt::legacy::edition_1992::SingleDesReceiver;
use cardroot::dukpt::legacy::pin_variant_data;
use cardroot::pin::{DecryptPinBlock, EncryptedPinBlock, InvalidPinBlock};
use clap::{Args, Subcommand};

use super::names::{bad_ksn, bdk_refused, tdes_ksn};
use super::{data, pin};
use crate::error::Failure;
use crate::hex;
use crate::output::{Record, Report};
use crate::secret::{PanArgument, Secrets, Source};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Decrypts a PIN block of the single-DES scheme of 1992: keys of 56 bits, which anybody can search
    #[command(
        name = "decrypt-pin-single-des-1992",
        after_help = "Example:\n  cardroot dukpt legacy decrypt-pin-single-des-1992 --bdk @bdk.hex --ksn FFFF9876543210E00002 --pan ask --block B76997F83C1479DB"
    )]
    PinSingleDes(PinSingleDes),
    /// Decrypts card data that a reader encrypted under the PIN key: whoever may ask for that can read PIN blocks, too
    ///
    /// By CBC from zero. What fills the last block up is left there.
    #[command(
        name = "decrypt-data-under-pin-key",
        after_help = "Example:\n  cardroot dukpt legacy decrypt-data-under-pin-key --bdk @bdk.hex --ksn FFFF9876543210E00008 --show-data track.hex"
    )]
    DataUnderPinKey(DataUnderPinKey),
}

/// A base derivation key and the name of a key under it.
#[derive(Args)]
struct Names {
    /// The Base Derivation Key (BDK): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    bdk: Source,
    /// The Key Serial Number (KSN), 5 to 10 bytes; what is missing on the left is FF
    #[arg(long, value_name = "H")]
    ksn: hex::Bytes,
}

#[derive(Args)]
pub(crate) struct PinSingleDes {
    #[command(flatten)]
    names: Names,
    /// The Primary Account Number (PAN): digits, @FILE, env:NAME, - or ask
    #[arg(long, value_name = "D")]
    pan: PanArgument,
    /// The encrypted PIN block, of format 0
    #[arg(long, value_name = "H", value_parser = hex::parse::<EncryptedPinBlock, _>)]
    block: EncryptedPinBlock,
    /// Shows the PIN
    #[arg(long)]
    show_pin: bool,
}

#[derive(Args)]
pub(crate) struct DataUnderPinKey {
    #[command(flatten)]
    names: Names,
    /// FILE holds the data itself, not its hexadecimal digits
    #[arg(long)]
    raw: bool,
    /// Shows the data
    #[arg(long)]
    show_data: bool,
    /// The data in hexadecimal; standard input if not given
    file: Option<PathBuf>,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::PinSingleDes(arguments) => decrypt_pin(&arguments),
            Self::DataUnderPinKey(arguments) => decrypt_data(&arguments),
        }
    }
}

fn decrypt_pin(arguments: &PinSingleDes) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let ksn = tdes_ksn(&arguments.names.ksn.0)?;
    let bdk = Bdk::from_key(secrets.key("--bdk", &arguments.names.bdk)?);
    let receiver = SingleDesReceiver::new(bdk).map_err(|fault| bdk_refused(&fault))?;
    let key = receiver.derive_pin_key(&ksn).map_err(|fault| bad_ksn(&fault))?;
    let pan = secrets.pan("--pan", &arguments.pan)?;
    let Ok(clear) = key.decrypt_pin_block(arguments.block);
    let pin = clear.decode_iso0(&pan).map_err(|InvalidPinBlock| {
        Failure::refused("--block is no PIN block of this key and PAN in format 0")
    })?;
    Ok(pin::opened(ksn.to_string(), Some(0), Some(&pan), &pin, arguments.show_pin).into())
}

fn decrypt_data(arguments: &DataUnderPinKey) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let ksn = tdes_ksn(&arguments.names.ksn.0)?;
    let bdk = Bdk::from_key(secrets.key("--bdk", &arguments.names.bdk)?);
    let initial_key = bdk.derive_initial_key(&ksn).map_err(|fault| bdk_refused(&fault))?;
    let key = initial_key.derive_transaction_key(&ksn).map_err(|fault| bad_ksn(&fault))?;
    let mut data = secrets.message(arguments.file.as_deref(), arguments.raw)?;
    pin_variant_data::DataKey::of(&key).decrypt(&mut data).map_err(|error| {
        Failure::refused(format!("{}: {error}", crate::file::place(arguments.file.as_deref())))
    })?;
    let record = Record::new().with("ksn", ksn.to_string()).with("length", data.len());
    Ok(data::shown(record, &data, arguments.show_data).into())
}
