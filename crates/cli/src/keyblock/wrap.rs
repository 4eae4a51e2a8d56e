//! `keyblock wrap`.

use cardroot::keyblock::{KeyContext, KeyVersion, ModeOfUse, Usage};
use clap::{Args, ValueEnum};

use super::block::{ExportabilityName, NewBlock, code};
use super::kbpk::Kbpk;
use super::new_key::{Plan, wrap_aes, wrap_tdea};
use crate::error::Failure;
use crate::key_options::KcvOptions;
use crate::output::Report;
use crate::secret::{Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot keyblock wrap --kbpk @kbpk.hex --key @pin-key.hex --usage P0 --algorithm T --mode E \\
    --exportability N --version B --out pin-key.tr31
  cardroot keyblock wrap --kbpk @kbpk-aes.hex --key ask --usage B0 --algorithm A --mode X \\
    --exportability N --version D --optional BI=0112345678 --check-values both";

#[derive(Args)]
pub(crate) struct Wrap {
    /// The Key Block Protection Key (KBPK): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    kbpk: Source,
    /// The key: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// What the key is for, such as P0 (PIN encryption), M3 (retail MAC), K0 (KEK) or B0 (BDK)
    #[arg(long, value_name = "CODE", value_parser = code::<2, Usage>)]
    usage: Usage,
    /// The algorithm of the key
    #[arg(long, value_enum, ignore_case = true)]
    algorithm: AlgorithmName,
    /// What may be done with it, such as B (encrypt and decrypt), E, D, C (generate and verify), G, V, X (derive) or N (any)
    #[arg(long, value_name = "CODE", value_parser = code::<1, ModeOfUse>)]
    mode: ModeOfUse,
    /// What the receiver may do
    #[arg(long, value_enum, ignore_case = true)]
    exportability: ExportabilityName,
    /// Which of several keys of one name it is; c1 and so on for components
    #[arg(long, value_name = "CODE", default_value = "00", value_parser = code::<2, KeyVersion>)]
    key_version: KeyVersion,
    /// Where the block may be used
    #[arg(long, value_enum, default_value = "any")]
    context: ContextName,
    #[command(flatten)]
    new: NewBlock,
    #[command(flatten)]
    kcv: KcvOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum AlgorithmName {
    /// TDEA
    #[value(name = "T", alias = "t")]
    Tdea,
    /// AES
    #[value(name = "A", alias = "a")]
    Aes,
}

#[derive(Clone, Copy, ValueEnum)]
enum ContextName {
    /// The protection key decides
    Any,
    /// Storage only
    Storage,
    /// Exchange only
    Exchange,
}

pub(super) fn run(arguments: Wrap) -> Result<Report, Failure> {
    let Wrap { kbpk, key, usage, algorithm, mode, exportability, key_version, context, new, kcv } = arguments;
    let mut secrets = Secrets::default();
    let kbpk = Kbpk::read("--kbpk", &kbpk, new.version.into(), &mut secrets)?;
    let context = match context {
        ContextName::Any => KeyContext::ByProtectionKey,
        ContextName::Storage => KeyContext::Storage,
        ContextName::Exchange => KeyContext::Exchange,
    };
    let form = new.form(exportability.into());
    let plan = Plan { usage, mode, key_version, context, form, kbpk: &kbpk };
    let (block, kcv) = match algorithm {
        AlgorithmName::Tdea => {
            let key = secrets.key("--key", &key)?;
            let kcv = kcv.of_key((&key).into())?;
            (wrap_tdea(key, &plan)?, kcv)
        }
        AlgorithmName::Aes => {
            let key = secrets.aes_key("--key", &key)?;
            let kcv = kcv.aes_by_cmac().of_key((&key).into())?;
            (wrap_aes(key, &plan)?, kcv)
        }
    };
    Ok(new.finish(&block)?.with("check_value", kcv.to_string()).into())
}
