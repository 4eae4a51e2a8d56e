//! `dukpt derive`.

use clap::Args;

use super::names::{Names, Transaction};
use super::value_name;
use super::working_key::{DerivedKeyOptions, Edition, Kind, Usage};
use crate::error::Failure;
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
    options: DerivedKeyOptions,
}

pub(super) fn run(arguments: &Derive) -> Result<Report, Failure> {
    let Derive { names, usage, kind, options } = arguments;
    let mut secrets = Secrets::default();
    if *usage == Usage::Update && names.scheme.aes {
        let update_key = names.initial_key_aes(&mut secrets)?.derive_update_key();
        let record = Record::new().with("ksn", update_key.ksn().to_string()).with("use", value_name(*usage));
        return Ok(options.finish(record, &kind.update(&update_key)?)?.into());
    }
    let transaction = names.transaction(&mut secrets)?;
    let edition = match transaction {
        Transaction::Tdes(_) => Some(value_name(kind.edition.unwrap_or(Edition::E2009))),
        Transaction::Aes(_) => None,
    };
    let record = Record::new()
        .with("ksn", transaction.ksn())
        .with("use", value_name(*usage))
        .with_some("edition", edition);
    Ok(options.finish(record, &kind.key(&transaction, *usage)?)?.into())
}
