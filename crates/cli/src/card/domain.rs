//! `cardroot card serve --profile gp`: a security domain of GlobalPlatform.

use core::str::FromStr;

use cardroot::aeskey::AesKey;
use cardroot::apdu::commands::gp::KeyVersion;
use cardroot::apdu::secure::{scp02, scp03};
use cardroot::card::CardProfile;
use cardroot::card::gp::{DomainKeys, DomainProfile, SecurityDomain};
use cardroot::card::vpcd::Atr;
use cardroot::diversify::gp;
use cardroot::tdea::TdeaKey;
use clap::Args;
use zeroize::Zeroizing;

use super::{Serve, plug_in};
use crate::error::{Failure, with_cause};
use crate::key::system_rng;
use crate::output::Report;
use crate::secret::{Secrets, Source};

#[derive(Args)]
pub(super) struct Options {
    /// With --profile gp: the key of the domain, for ENC, MAC and DEK alike; 16 bytes, and 24 or 32 of AES
    #[arg(long, value_name = "K", conflicts_with = "known_domain_key")]
    domain_key: Option<Source>,
    /// With --profile gp: takes 40 41 42 and so on for it, so many bytes, which all the world knows: for tests
    #[arg(long, value_name = "BYTES", value_parser = ["16", "24", "32"])]
    known_domain_key: Option<String>,
    /// With --profile gp: the variant (i) of protocol 02, TDEA: 15, 55; or of protocol 03, AES: 00, 10, 30, 60, 70
    #[arg(long, value_name = "I", default_value = "70")]
    variant: Variant,
}

/// A variant of either protocol.
#[derive(Clone, Copy)]
enum Variant {
    Scp02(scp02::Implementation),
    Scp03(scp03::Implementation),
}

impl FromStr for Variant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use scp02::Implementation::{I15, I55};
        match text {
            "15" => Ok(Self::Scp02(I15)),
            "55" => Ok(Self::Scp02(I55)),
            _ => u8::from_str_radix(text, 16)
                .ok()
                .and_then(scp03::Implementation::from_byte)
                .map(Self::Scp03)
                .ok_or("the variants are 15 and 55 of protocol 02, and 00, 10, 30, 60 and 70 of protocol 03"),
        }
    }
}

/// Serves a domain whose only key set has version 01. Its key data is the serial number after two zeros.
pub(super) fn serve(arguments: &Serve) -> Result<Report, Failure> {
    let Options { variant, .. } = arguments.domain;
    let key = read_key(&arguments.domain)?;
    let keys = match variant {
        Variant::Scp02(_) => TdeaKey::try_from(key.as_slice()).map(tdea_keys).map_err(unfit),
        Variant::Scp03(_) => AesKey::try_from(key.as_slice()).map(aes_keys).map_err(unfit),
    }?;
    let [a, b, c, d, e, f, g, h]: [u8; CardProfile::SERIAL_LEN] = arguments.serial;
    let mut profile = DomainProfile::new([0, 0, a, b, c, d, e, f, g, h]);
    match variant {
        Variant::Scp02(implementation) => profile.scp02 = implementation,
        Variant::Scp03(implementation) => profile.scp03 = implementation,
    }
    let version = KeyVersion::new(0x01).expect("a version");
    let mut domain = SecurityDomain::new(profile, version, keys, system_rng()?).map_err(unfit)?;
    plug_in(arguments, Atr::bare, &mut domain)
}

fn read_key(options: &Options) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if let Some(length) = &options.known_domain_key {
        let length = length.parse().expect("the parser takes three numbers");
        return Ok(Zeroizing::new((0x40..).take(length).collect()));
    }
    let source = options
        .domain_key
        .as_ref()
        .ok_or_else(|| Failure::usage("--profile gp takes --domain-key, or --known-domain-key for tests"))?;
    let key = Secrets::default().bytes("--domain-key", source)?;
    // Whatever the parity bits are.
    if key.iter().zip(0x40..).all(|(byte, known): (_, u8)| byte | 1 == known | 1) {
        return Err(Failure::refused(
            "--domain-key: all the world knows 40 41 42 and so on; say --known-domain-key if it is a test",
        ));
    }
    Ok(key)
}

fn tdea_keys(key: TdeaKey) -> DomainKeys {
    DomainKeys::Tdea(gp::CardKeys {
        enc: gp::Kenc::from_key(key.duplicate()),
        mac: gp::Kmac::from_key(key.duplicate()),
        dek: gp::Kdek::from_key(key),
    })
}

fn aes_keys(key: AesKey) -> DomainKeys {
    DomainKeys::Aes(gp::aes::CardKeys {
        enc: gp::aes::Kenc::from_key(key.duplicate()),
        mac: gp::aes::Kmac::from_key(key.duplicate()),
        dek: gp::aes::Kdek::from_key(key),
    })
}

fn unfit(error: impl core::error::Error) -> Failure {
    Failure::refused(format!("the key of the domain is refused: {}", with_cause(&error)))
}
