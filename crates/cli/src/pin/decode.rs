//! `pin decode`.

use cardroot::pin::{
    CardPinBlock, ClearPinBlock, EncryptedIso4PinBlock, EncryptedPinBlock, InvalidPinBlock, Iso4PanField,
    Iso4PinField, Pan, Pin, PinBlockFormat,
};
use clap::Args;

use super::block::{Agreed, PAN_IS_THERE, Sent};
use super::keys::{OneKey, PinKey};
use crate::error::Failure;
use crate::output::{Record, Report};
use crate::secret::{Secrets, digits};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot pin decode --format 0 --pan ask --key @zone.hex --block 1B9C1845EB993A7A
  cardroot pin decode --format 4 --pan ask --bdk @bdk-aes.hex --ksn 123456789012345600000001 --input base64 block.txt
  cardroot pin decode --format 2 --show-pin clear-block.hex";

#[derive(Args)]
pub(crate) struct Decode {
    #[command(flatten)]
    agreed: Agreed,
    #[command(flatten)]
    key: OneKey,
    #[command(flatten)]
    sent: Sent,
    /// Shows the PIN
    #[arg(long)]
    show_pin: bool,
}

pub(super) fn run(arguments: &Decode) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let (format, sent) = (arguments.agreed.format(), &arguments.sent);
    let key = arguments.key.key().read(format, &mut secrets)?;
    match (&key, format) {
        (Some(_), PinBlockFormat::Iso2) => {
            return Err(Failure::usage("--format: a block of format 2 is in clear; leave the key out"));
        }
        (None, _) if sent.is_argument() => {
            return Err(Failure::usage(
                "--block: a block in clear is as secret as the PIN; give it in a file or on standard input, or give the key",
            ));
        }
        _ => {}
    }
    // The clear PIN field of format 4 has nothing of the PAN in it.
    let needs_pan = format.binds_pan() && !(key.is_none() && format == PinBlockFormat::Iso4);
    let pan = arguments.agreed.pan(needs_pan, &mut secrets)?;
    let opened = match &key {
        Some(key) => decipher(key, sent, format, pan.as_ref(), &mut secrets)?,
        None => clear(sent, format, pan.as_ref(), &mut secrets)?,
    };
    let pin = opened.map_err(|InvalidPinBlock| {
        let of = if key.is_some() { "this key, PAN and format" } else { "this PAN and format" };
        Failure::refused(format!("{} is no PIN block of {of}", sent.place()))
    })?;
    Ok(Record::new()
        .with("format", format.number())
        .with("pan", pan.as_ref().map(ToString::to_string))
        .with("valid", true)
        .with_some("pin", arguments.show_pin.then(|| digits(&pin)))
        .into())
}

type Opened = Result<Pin, InvalidPinBlock>;

fn decipher(
    key: &PinKey,
    sent: &Sent,
    format: PinBlockFormat,
    pan: Option<&Pan>,
    secrets: &mut Secrets,
) -> Result<Opened, Failure> {
    Ok(match key {
        PinKey::Tdea(key) => {
            let Ok(clear) = key.decrypt_pin_block(sent.read_as::<EncryptedPinBlock>(secrets)?);
            short(&clear, format, pan)
        }
        PinKey::Aes(key) => {
            let block = sent.read_as::<EncryptedIso4PinBlock>(secrets)?;
            let Ok(field) =
                key.decrypt_iso4_pin_block(block, &Iso4PanField::encode(pan.expect(PAN_IS_THERE)));
            field.decode()
        }
    })
}

fn short(clear: &ClearPinBlock, format: PinBlockFormat, pan: Option<&Pan>) -> Opened {
    match pan {
        Some(pan) => clear.decode(format, pan),
        None => clear.decode_iso1(),
    }
}

/// Opens a block that is in clear.
fn clear(
    sent: &Sent,
    format: PinBlockFormat,
    pan: Option<&Pan>,
    secrets: &mut Secrets,
) -> Result<Opened, Failure> {
    let bytes = sent.read(secrets)?;
    let wrong_length = |expected: usize| {
        let (place, number, found) = (sent.place(), format.number(), bytes.len());
        Failure::refused(format!(
            "{place}: a clear block of format {number} is {expected} bytes, found {found}"
        ))
    };
    if format == PinBlockFormat::Iso4 {
        let field: &[u8; Iso4PinField::LEN] =
            bytes.as_slice().try_into().map_err(|_| wrong_length(Iso4PinField::LEN))?;
        return Ok(Iso4PinField::from_fill(|out| *out = *field).decode());
    }
    let block: &[u8; ClearPinBlock::LEN] =
        bytes.as_slice().try_into().map_err(|_| wrong_length(ClearPinBlock::LEN))?;
    Ok(if format == PinBlockFormat::Iso2 {
        CardPinBlock::from_fill(|out| *out = *block).decode()
    } else {
        short(&ClearPinBlock::from_fill(|out| *out = *block), format, pan)
    })
}
