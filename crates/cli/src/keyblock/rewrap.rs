//! `keyblock rewrap`.

use clap::Args;

use super::block::{BlockFile, ExportabilityName, NewBlock};
use super::kbpk::Kbpk;
use crate::error::Failure;
use crate::output::Report;
use crate::secret::{Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Example:
  cardroot keyblock rewrap --kbpk @ours.hex --to-kbpk @theirs.hex --version D --exportability N pin-key.tr31";

#[derive(Args)]
pub(crate) struct Rewrap {
    /// The Key Block Protection Key (KBPK) that the key came under: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    kbpk: Source,
    /// The protection key that it goes under
    #[arg(long, value_name = "K")]
    to_kbpk: Source,
    /// What the next holder may do; what this one may do if not given
    #[arg(long, value_enum, ignore_case = true)]
    exportability: Option<ExportabilityName>,
    #[command(flatten)]
    new: NewBlock,
    #[command(flatten)]
    block: BlockFile,
}

pub(super) fn run(arguments: &Rewrap) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let block = arguments.block.read(&mut secrets)?;
    let header = block.header();
    let kbpk = Kbpk::read("--kbpk", &arguments.kbpk, header.version, &mut secrets)?;
    let version = arguments.new.version.into();
    let to_kbpk = Kbpk::read("--to-kbpk", &arguments.to_kbpk, version, &mut secrets)?;
    let opened = kbpk.unwrap(&block, &arguments.block.place())?;
    let exportability =
        arguments.exportability.map_or(header.attributes.exportability, core::convert::Into::into);
    let rewrapped = to_kbpk.rewrap(&opened, &arguments.new.form(exportability))?;
    Ok(arguments.new.finish(&rewrapped)?.into())
}
