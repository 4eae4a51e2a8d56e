//! `keyblock unwrap`.

use cardroot::aeskey::AesKey;
use cardroot::keyblock::Algorithm;
use cardroot::tdea::TdeaKey;
use cardroot::tdea::hazmat::DesKey;
use clap::Args;

use super::block::{BlockFile, described};
use super::kbpk::Kbpk;
use crate::any_key::AnyKey;
use crate::error::Failure;
use crate::key_options::KeyOptions;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot keyblock unwrap --kbpk @kbpk.hex pin-key.tr31
  cardroot keyblock unwrap --kbpk ask --out pin-key.hex pin-key.tr31";

#[derive(Args)]
pub(crate) struct Unwrap {
    /// The Key Block Protection Key (KBPK): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    kbpk: Source,
    #[command(flatten)]
    options: KeyOptions,
    #[command(flatten)]
    block: BlockFile,
}

pub(super) fn run(arguments: Unwrap) -> Result<Report, Failure> {
    let Unwrap { kbpk, options, block: file } = arguments;
    let mut secrets = Secrets::default();
    // The block first: its version says which cipher the protection key is of.
    let block = file.read(&mut secrets)?;
    let kbpk = Kbpk::read("--kbpk", &kbpk, block.header().version, &mut secrets)?;
    let opened = kbpk.unwrap(&block, &file.place())?;
    let record = described(&block).with("protection_key", kbpk.strength());
    finish(&options.aes_by_cmac(), record, opened.header().attributes.algorithm, opened.key().expose_bytes())
        .map(Into::into)
}

/// Adds what may be said of a key of any algorithm.
fn finish(
    options: &KeyOptions,
    record: Record,
    algorithm: Algorithm,
    bytes: &[u8],
) -> Result<Record, Failure> {
    match algorithm {
        Algorithm::AES => {
            if let Ok(key) = AesKey::try_from(bytes) {
                return options.finish(record, (&key).into());
            }
        }
        Algorithm::TDEA | Algorithm::DES => {
            if let Ok(key) = TdeaKey::try_from(bytes) {
                return options.finish(record, (&key).into());
            }
            if let Ok(key) = DesKey::try_from(bytes) {
                return options.finish(record, (&key).into());
            }
        }
        _ => {}
    }
    options.finish(record, AnyKey::Other(bytes))
}
