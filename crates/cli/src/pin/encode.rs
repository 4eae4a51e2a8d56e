//! `pin encode`.

use cardroot::pin::{CardPinBlock, ClearPinBlock, Iso4PanField, Iso4PinField, Pan, Pin, PinBlockFormat};
use clap::Args;

use super::block::{Agreed, PAN_IS_THERE};
use super::keys::{OneKey, PinKey};
use crate::error::Failure;
use crate::hex;
use crate::key::system_rng;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot pin encode --format 0 --pin ask --pan ask --key @zone.hex
  cardroot pin encode --format 4 --pin ask --pan ask --bdk @bdk-aes.hex --ksn 123456789012345600000001
  cardroot pin encode --format 2 --pin ask --show-pin";

#[derive(Args)]
pub(crate) struct Encode {
    /// The PIN: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    pin: Source,
    #[command(flatten)]
    agreed: Agreed,
    #[command(flatten)]
    key: OneKey,
    /// Shows the clear block, which shows the PIN; without a key alone
    #[arg(long)]
    show_pin: bool,
}

pub(super) fn run(arguments: &Encode) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let format = arguments.agreed.format();
    let key = arguments.key.key().read(format, &mut secrets)?;
    match (&key, format) {
        (Some(_), PinBlockFormat::Iso2) => {
            return Err(Failure::usage(
                "--format: a block of format 2 goes to the card in clear, or under the card's own keys; leave the key out",
            ));
        }
        (Some(_), _) if arguments.show_pin => {
            return Err(Failure::usage("--show-pin is for blocks in clear; leave it out, or the key"));
        }
        (None, _) if !arguments.show_pin => {
            return Err(Failure::usage(
                "a block in clear shows the PIN: give --key, or --bdk with --ksn, or say --show-pin",
            ));
        }
        _ => {}
    }
    let pin = secrets.pin("--pin", &arguments.pin)?;
    let pan = arguments.agreed.pan(format.binds_pan(), &mut secrets)?;
    let record = Record::new()
        .with("format", format.number())
        .with("pan", pan.as_ref().map(ToString::to_string))
        .with("enciphered", key.is_some());
    Ok(match key {
        Some(key) => record.with("block", encipher(&key, format, &pin, pan.as_ref())?),
        None => clear(record, format, &pin, pan.as_ref())?,
    }
    .into())
}

/// The clear block of 8 bytes.
fn short(format: PinBlockFormat, pin: &Pin, pan: Option<&Pan>) -> Result<ClearPinBlock, Failure> {
    Ok(match format {
        PinBlockFormat::Iso1 => ClearPinBlock::encode_iso1(pin, &mut system_rng()?),
        PinBlockFormat::Iso3 => ClearPinBlock::encode_iso3(pin, pan.expect(PAN_IS_THERE), &mut system_rng()?),
        _ => ClearPinBlock::encode_iso0(pin, pan.expect(PAN_IS_THERE)),
    })
}

/// Both fields of format 4.
fn long(pin: &Pin, pan: Option<&Pan>) -> Result<(Iso4PinField, Iso4PanField), Failure> {
    let pan = Iso4PanField::encode(pan.expect(PAN_IS_THERE));
    Ok((Iso4PinField::encode(pin, &mut system_rng()?), pan))
}

fn encipher(key: &PinKey, format: PinBlockFormat, pin: &Pin, pan: Option<&Pan>) -> Result<String, Failure> {
    match key {
        PinKey::Tdea(key) => {
            let Ok(block) = key.encrypt_pin_block(&short(format, pin, pan)?);
            Ok(hex::encode(&block.to_bytes()))
        }
        PinKey::Aes(key) => {
            let (pin, pan) = long(pin, pan)?;
            let Ok(block) = key.encrypt_iso4_pin_block(&pin, &pan);
            Ok(hex::encode(&block.to_bytes()))
        }
    }
}

fn clear(record: Record, format: PinBlockFormat, pin: &Pin, pan: Option<&Pan>) -> Result<Record, Failure> {
    Ok(match format {
        PinBlockFormat::Iso2 => {
            record.with("block", hex::encode_secret(CardPinBlock::encode(pin).expose_bytes()))
        }
        PinBlockFormat::Iso4 => {
            let (pin, pan) = long(pin, pan)?;
            record
                .with("pin_field", hex::encode_secret(pin.expose_bytes()))
                .with("pan_field", hex::encode_secret(pan.expose_bytes()))
        }
        _ => record.with("block", hex::encode_secret(short(format, pin, pan)?.expose_bytes())),
    })
}
