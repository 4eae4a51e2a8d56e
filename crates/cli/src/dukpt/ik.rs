//! `dukpt ik`.

use cardroot::dukpt::{Bdk, aes};
use clap::Args;

use super::names::{Compatibility, bdk_refused, initial_key_id, tdes_ksn};
use super::working_key::WorkingKey;
use crate::error::Failure;
use crate::hex;
use crate::key_options::KeyOptions;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot dukpt ik --bdk @bdk.hex --ksn FFFF9876543210E00000 --out ik.hex
  cardroot dukpt ik --aes --bdk @bdk-aes.hex --ksn 1234567890123456 --out ik.hex";

#[derive(Args)]
pub(crate) struct Ik {
    /// The Base Derivation Key (BDK): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    bdk: Source,
    /// The Key Serial Number (KSN) of the terminal, whatever its counter: 5 to 10 bytes, what is missing on the left is FF.
    /// With --aes the initial key identifier of 8 bytes, or a KSN of 12
    #[arg(long, value_name = "H")]
    ksn: hex::Bytes,
    /// DUKPT with AES, X9.24-3:2017
    #[arg(long)]
    aes: bool,
    #[command(flatten)]
    compatibility: Compatibility,
    #[command(flatten)]
    options: KeyOptions,
}

pub(super) fn run(arguments: &Ik) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let (name, key) = if arguments.aes {
        let id = initial_key_id(&arguments.ksn.0, &arguments.compatibility)?;
        let bdk = aes::Bdk::from_key(secrets.aes_key("--bdk", &arguments.bdk)?);
        (id.to_string(), WorkingKey::Aes(bdk.derive_initial_key(&id).expose_key().duplicate()))
    } else {
        let ksn = tdes_ksn(&arguments.ksn.0)?;
        let bdk = Bdk::from_key(secrets.key("--bdk", &arguments.bdk)?);
        let key = bdk.derive_initial_key(&ksn).map_err(|fault| bdk_refused(&fault))?;
        (key.ksn().to_string(), WorkingKey::Tdea(key.expose_key().duplicate()))
    };
    Ok(key.finish(&arguments.options, Record::new().with("ksn", name))?.into())
}
