//! `keyblock inspect`.

use clap::Args;

use super::block::{BlockFile, described};
use crate::error::Failure;
use crate::output::Report;
use crate::secret::Secrets;

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot keyblock inspect pin-key.tr31
  cardroot --json keyblock inspect < pin-key.tr31";

#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    block: BlockFile,
}

pub(super) fn run(arguments: &Inspect) -> Result<Report, Failure> {
    Ok(described(&arguments.block.read(&mut Secrets::default())?).into())
}
