//! `dukpt derive`.

use clap::Args;

use super::names::{Names, TransactionRef};
use super::value_name;
use super::working_key::{Edition, Kind, Usage};
use crate::error::Failure;
use crate::key_options::KeyOptions;
use crate::output::{Record, Report};
use crate::secret::Secrets;

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot dukpt derive --bdk @bdk.hex --ksn FFFF9876543210E00001 --use pin
  cardroot dukpt derive --bdk @bdk.hex --ksn 9876543210E00001 --use mac-request --edition 2004 --show-key
  cardroot dukpt derive --aes --bdk @bdk-aes.hex --ksn 123456789012345600000001 --use data-both --key-type aes-128
  cardroot dukpt derive --aes --bdk @bdk-aes.hex --ksn 1234567890123456 --use update";

#[derive(Args)]
pub(crate) struct Derive {
    #[command(flatten)]
    names: Names,
    /// What the key is for
    #[arg(long = "use", value_enum, value_name = "USE")]
    usage: Usage,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    options: KeyOptions,
}

pub(super) fn run(arguments: &Derive) -> Result<Report, Failure> {
    let Derive { names, usage, kind, options } = arguments;
    let mut secrets = Secrets::default();
    if *usage == Usage::Update && names.scheme.aes {
        let update_key = names.initial_key_aes(&mut secrets)?.derive_update_key();
        let key = kind.choose_update(&update_key)?.under(&update_key);
        let record = Record::new().with("ksn", update_key.ksn().to_string()).with("use", value_name(*usage));
        return Ok(key.finish(options, record)?.into());
    }
    let transaction = names.transaction(&mut secrets)?;
    let transaction = transaction.as_ref();
    let key = kind.choose(transaction.parent(), *usage)?.key(transaction);
    Ok(key.finish(options, kind.record(transaction, *usage))?.into())
}

impl Kind {
    /// What may be said of a key but for its bytes.
    pub(super) fn record(&self, transaction: TransactionRef<'_>, usage: Usage) -> Record {
        let edition = match transaction {
            TransactionRef::Tdes(_) => Some(value_name(self.edition.unwrap_or(Edition::E2009))),
            TransactionRef::Aes(_) => None,
        };
        Record::new()
            .with("ksn", transaction.ksn())
            .with("use", value_name(usage))
            .with_some("edition", edition)
    }
}
