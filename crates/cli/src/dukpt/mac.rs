//! `dukpt mac`.

use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use super::names::{Names, TransactionRef};
use super::value_name;
use super::working_key::{Answer2004, AnyMac, Chosen, Direction, Kind, MacMethod, Parent};
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
    #[command(flatten)]
    answer: Answer2004,
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

/// All that a MAC needs but its key.
pub(super) struct Prepared {
    direction: Direction,
    key: Chosen,
    method: MacMethod,
    message: Zeroizing<Vec<u8>>,
}

impl Message {
    /// Reads and checks all that is needed, so that nothing can fail after a key was used.
    pub(super) fn read(
        &self,
        parent: Parent,
        kind: &Kind,
        direction: Direction,
        secrets: &mut Secrets,
    ) -> Result<Prepared, Failure> {
        let usual = match parent {
            Parent::Tdes => MacMethod::Retail,
            Parent::Aes(_) => MacMethod::Cmac,
        };
        let (key, method) = (kind.choose(parent, direction.mac())?, self.method.unwrap_or(usual));
        key.check_method(method)?;
        Ok(Prepared { direction, key, method, message: secrets.message(self.file.as_deref(), self.raw)? })
    }
}

impl Prepared {
    pub(super) const fn key(&self) -> Chosen {
        self.key
    }

    /// Computes the MAC; the record says what of.
    pub(super) fn compute(&self, transaction: TransactionRef<'_>) -> (Record, AnyMac) {
        let (method, mac) = self.key.key(transaction).mac(self.method, &self.message);
        let record = Record::new()
            .with("ksn", transaction.ksn())
            .with("use", value_name(self.direction))
            .with("method", method)
            .with("message_length", self.message.len());
        (record, mac)
    }

    /// Whether `received` is the MAC of the message, or enough of it.
    pub(super) fn verifies(&self, transaction: TransactionRef<'_>, received: &[u8]) -> bool {
        self.key.key(transaction).mac(self.method, &self.message).1.verifies(received)
    }
}

pub(super) fn run(arguments: &Mac) -> Result<Report, Failure> {
    let Mac { names, direction, kind, message: input, expect, answer } = arguments;
    let mut secrets = Secrets::default();
    let transaction = names.transaction(&mut secrets)?;
    let transaction = transaction.as_ref();
    let input = input.read(transaction.parent(), kind, *direction, &mut secrets)?;
    if expect.is_none() {
        answer.check(input.key())?;
    }
    let (record, mac) = input.compute(transaction);
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
