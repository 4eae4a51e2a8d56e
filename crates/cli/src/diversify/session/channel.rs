//! `cardroot diversify session`: secure channels of GlobalPlatform, and card personalisation.

use cardroot::diversify::block::AesKey;
use cardroot::diversify::gp::{self, scp02, scp03};
use clap::Args;

use crate::any_key::AnyKey;
use crate::diversify::{counter, unfit};
use crate::error::Failure;
use crate::hex;
use crate::key_options::KeysOptions;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

pub(super) const CPS_EXAMPLE: &str = "\
Example:
  cardroot diversify session cps --kenc @kenc.hex --kmac @kmac.hex --kdek @kdek.hex --sequence 0001";

pub(super) const SCP02_EXAMPLE: &str = "\
Example:
  cardroot diversify session scp02 --kenc @enc.hex --kmac @mac.hex --kdek @dek.hex --sequence 0001 \\
      --host-challenge 40A62C37FA6304F8 --card-challenge 6B4524ABEE7C";

pub(super) const SCP03_EXAMPLE: &str = "\
Example:
  cardroot diversify session scp03 --kenc @enc.hex --kmac @mac.hex \\
      --host-challenge B13E5F938FC108C4 --card-challenge 3EB51047495B249F";

#[derive(Args)]
pub(crate) struct Scp02 {
    /// The card's key for encryption (KENC): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    kenc: Source,
    /// The card's key for MACs (KMAC)
    #[arg(long, value_name = "K")]
    kmac: Source,
    /// The card's key that encrypts keys (KDEK)
    #[arg(long, value_name = "K")]
    kdek: Source,
    /// The card's sequence counter, from its answer to INITIALIZE UPDATE: 2 bytes
    #[arg(long, value_name = "H", value_parser = counter)]
    sequence: u16,
    /// The host's challenge, 8 bytes
    #[arg(long, value_name = "H", value_parser = challenge::<8>, requires = "card_challenge")]
    host_challenge: Option<[u8; 8]>,
    /// The card's challenge, 6 bytes
    #[arg(long, value_name = "H", value_parser = challenge::<6>, requires = "host_challenge")]
    card_challenge: Option<[u8; 6]>,
    #[command(flatten)]
    options: KeysOptions,
}

#[derive(Args)]
pub(crate) struct Scp03 {
    /// The card's AES key for encryption (KENC): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    kenc: Source,
    /// The card's AES key for MACs (KMAC)
    #[arg(long, value_name = "K")]
    kmac: Source,
    /// The host's challenge, 8 bytes
    #[arg(long, value_name = "H", value_parser = challenge::<8>)]
    host_challenge: [u8; 8],
    /// The card's challenge, 8 bytes
    #[arg(long, value_name = "H", value_parser = challenge::<8>)]
    card_challenge: [u8; 8],
    #[command(flatten)]
    options: KeysOptions,
}

/// What the same session keys are called.
#[derive(Clone, Copy)]
pub(super) enum Names {
    Cps,
    GlobalPlatform,
}

impl Scp02 {
    pub(super) fn run(self, names: Names) -> Result<Report, Failure> {
        let mut secrets = Secrets::default();
        let enc = gp::Kenc::from_key(secrets.key("--kenc", &self.kenc)?);
        let mac = gp::Kmac::from_key(secrets.key("--kmac", &self.kmac)?);
        let dek = gp::Kdek::from_key(secrets.key("--kdek", &self.kdek)?);
        let senc = enc.scp02_session_key(self.sequence).map_err(|error| unfit("--kenc", &error))?;
        let smac = mac.scp02_session_key(self.sequence).map_err(|error| unfit("--kmac", &error))?;
        let srmac = mac.scp02_response_key(self.sequence).map_err(|error| unfit("--kmac", &error))?;
        let sdek = dek.scp02_session_key(self.sequence).map_err(|error| unfit("--kdek", &error))?;

        let mut record = Record::new().with("sequence", hex::encode(&self.sequence.to_be_bytes()));
        if let (Some(host), Some(card)) = (self.host_challenge, self.card_challenge) {
            let challenges = scp02::Challenges { host, sequence: self.sequence, card };
            record = with_cryptograms(
                record,
                &senc.card_cryptogram(&challenges),
                &senc.host_cryptogram(&challenges),
            );
        }
        let [senc, smac, srmac, sdek] =
            [senc.expose_key(), smac.expose_key(), srmac.expose_key(), sdek.expose_key()].map(AnyKey::Tdea);
        let keys: &[_] = match names {
            Names::Cps => &[("skuenc", senc), ("skumac", smac), ("skudek", sdek)],
            Names::GlobalPlatform => &[("s-enc", senc), ("s-mac", smac), ("s-rmac", srmac), ("s-dek", sdek)],
        };
        Ok(self.options.finish(record, keys)?.into())
    }
}

impl Scp03 {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let mut secrets = Secrets::default();
        let enc: AesKey = secrets.typed_key("--kenc", &self.kenc)?;
        let mac: AesKey = secrets.typed_key("--kmac", &self.kmac)?;
        let (enc, mac) = (gp::aes::Kenc::from_key(enc), gp::aes::Kmac::from_key(mac));
        let challenges = scp03::Challenges { host: self.host_challenge, card: self.card_challenge };
        let senc = enc.scp03_session_key(&challenges);
        let (smac, srmac) = (mac.scp03_session_key(&challenges), mac.scp03_response_key(&challenges));
        let record = with_cryptograms(
            Record::new(),
            &smac.card_cryptogram(&challenges),
            &smac.host_cryptogram(&challenges),
        );
        let keys = [
            ("s-enc", AnyKey::Aes(senc.expose_key())),
            ("s-mac", AnyKey::Aes(smac.expose_key())),
            ("s-rmac", AnyKey::Aes(srmac.expose_key())),
        ];
        Ok(self.options.finish(record, &keys)?.into())
    }
}

fn with_cryptograms(record: Record, card: &gp::CardCryptogram, host: &gp::HostCryptogram) -> Record {
    record
        .with("card_cryptogram", hex::encode(card.as_bytes()))
        .with("host_cryptogram", hex::encode(host.as_bytes()))
}

fn challenge<const N: usize>(text: &str) -> Result<[u8; N], String> {
    hex::parse_array(text, "this challenge")
}
