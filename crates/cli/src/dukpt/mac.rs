//! `dukpt mac`.

use std::path::PathBuf;

use clap::Args;

use super::names::Names;
use super::value_name;
use super::working_key::{Direction, Kind, MacMethod, WorkingKey};
use crate::error::Failure;
use crate::hex;
use crate::output::{Record, Report};
use crate::secret::Secrets;

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot dukpt mac --bdk @bdk.hex --ksn FFFF9876543210E00001 --use request --raw message.txt
  cardroot dukpt mac --bdk @bdk.hex --ksn FFFF9876543210E00001 --use request --expect 9CCC7817 message.hex
  cardroot dukpt mac --aes --bdk @bdk-aes.hex --ksn 123456789012345600000001 --use both --key-type hmac-256 message.hex";

#[derive(Args)]
pub(crate) struct Mac {
    #[command(flatten)]
    names: Names,
    /// What the message is to the terminal
    #[arg(long = "use", value_enum, value_name = "USE")]
    direction: Direction,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    message: Message,
    /// The MAC that came with the message, or its leftmost 4 bytes or more (8 of an HMAC): it is verified, and none is printed
    #[arg(long, value_name = "H")]
    expect: Option<hex::Bytes>,
}

/// A message and how its MAC is computed.
#[derive(Args)]
pub(super) struct Message {
    /// How the MAC is computed: 3 in TDES DUKPT, cmac with --aes, unless given; an HMAC key computes an HMAC
    #[arg(long, value_enum)]
    method: Option<MacMethod>,
    /// FILE holds the message itself, not its hexadecimal digits
    #[arg(long)]
    raw: bool,
    /// The message in hexadecimal; standard input if not given
    file: Option<PathBuf>,
}

impl Message {
    pub(super) fn read(
        &self,
        secrets: &mut Secrets,
    ) -> Result<impl core::ops::Deref<Target = Vec<u8>>, Failure> {
        secrets.message(self.file.as_deref(), self.raw)
    }

    pub(super) fn method(&self, scheme_is_aes: bool) -> MacMethod {
        self.method.unwrap_or(if scheme_is_aes { MacMethod::Cmac } else { MacMethod::Retail })
    }
}

pub(super) fn run(arguments: &Mac) -> Result<Report, Failure> {
    let Mac { names, direction, kind, message: input, expect } = arguments;
    let mut secrets = Secrets::default();
    let transaction = names.transaction(&mut secrets)?;
    let key: WorkingKey = kind.key(&transaction, direction.mac())?;
    let message = input.read(&mut secrets)?;
    let (method, mac) = key.mac(input.method(names.scheme.aes), &message)?;
    let record = Record::new()
        .with("ksn", transaction.ksn())
        .with("use", value_name(*direction))
        .with("method", method)
        .with("message_length", message.len());
    let Some(received) = expect else {
        return Ok(record.with("mac", hex::encode(mac.as_bytes())).into());
    };
    let valid = mac.verifies(&received.0);
    let record = record.with("valid", valid);
    if valid {
        return Ok(record.into());
    }
    Ok(Report::refused(
        record,
        "--expect is not the MAC of this message under this key; dukpt diagnose mac looks for the reason",
    ))
}
