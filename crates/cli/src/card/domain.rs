//! `cardroot card serve --profile gp`: a security domain of GlobalPlatform.

use core::str::FromStr;

use cardroot::aeskey::AesKey;
use cardroot::apdu::commands::gp::KeyVersion;
use cardroot::apdu::secure::{scp02, scp03};
use cardroot::card::CardProfile;
use cardroot::card::gp::{DomainKeys, DomainProfile, SecurityDomain};
use cardroot::card::vpcd::Atr;
use cardroot::tdea::TdeaKey;
use clap::Args;
use zeroize::Zeroizing;

use super::{Place, Serve, plug_in};
use crate::error::{Failure, with_cause};
use crate::key::system_rng;
use crate::output::Report;
use crate::secret::{Secrets, Source};

#[derive(Args)]
pub(super) struct Options {
    /// With --profile gp: the first key of the domain, for ENC, MAC and DEK alike; 16 bytes, and 24 or 32 of AES. A domain that is in
    /// its file needs none
    #[arg(long, value_name = "K", conflicts_with = "known_domain_key")]
    domain_key: Option<Source>,
    /// With --profile gp: takes 40 41 42 and so on for it, so many bytes, which all the world knows: for tests
    #[arg(long, value_name = "BYTES", value_parser = ["16", "24", "32"])]
    known_domain_key: Option<String>,
    /// With --profile gp: the variant (i) of protocol 02, TDEA: 15, 55; or of protocol 03, AES: 00, 10, 30, 60, 70. A domain that is in
    /// its file speaks the protocol of its keys. By default 70
    #[arg(long, value_name = "I")]
    variant: Option<Variant>,
}

impl Options {
    /// Whether anything was said that other cards have no use for.
    pub(super) const fn are_given(&self) -> bool {
        self.domain_key.is_some() || self.known_domain_key.is_some() || self.variant.is_some()
    }

    fn variant(&self) -> Variant {
        self.variant.unwrap_or(Variant::Scp03(scp03::Implementation::I70))
    }
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
            _ => Some(text)
                .filter(|text| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit()))
                .and_then(|text| u8::from_str_radix(text, 16).ok())
                .and_then(scp03::Implementation::from_byte)
                .map(Self::Scp03)
                .ok_or("the variants are 15 and 55 of protocol 02, and 00, 10, 30, 60 and 70 of protocol 03"),
        }
    }
}

/// Serves the domain in its file, or one whose only key set has version 01. Its key data is the serial number after two zeros.
pub(super) fn serve(arguments: &Serve) -> Result<Report, Failure> {
    let missing = || Failure::usage("--profile gp takes --domain-key, or --known-domain-key for tests");
    if arguments.has_transport_key() {
        return Err(missing());
    }
    let mut secrets = Secrets::default();
    let keys = keys(&arguments.domain, &mut secrets)?;
    if keys.is_none() && !arguments.has_file() {
        return Err(missing());
    }
    let (profile, rng) = (profile(arguments), system_rng()?);
    let version = KeyVersion::new(0x01).expect("a version");
    let mut domain = match arguments.place(&mut secrets)? {
        Place::Memory => {
            SecurityDomain::new(profile, version, keys.ok_or_else(missing)?, rng).map_err(unfit)?
        }
        Place::New(store) => {
            let keys = keys.ok_or_else(missing)?;
            arguments.kept(SecurityDomain::new_in(store, profile, version, keys, rng))?
        }
        Place::Kept(store) => arguments.kept(SecurityDomain::open(store, profile, rng))?,
    };
    plug_in(arguments, Atr::bare, &mut domain)
}

fn profile(arguments: &Serve) -> DomainProfile {
    let [a, b, c, d, e, f, g, h]: [u8; CardProfile::SERIAL_LEN] = arguments.serial;
    let mut profile = DomainProfile::new([0, 0, a, b, c, d, e, f, g, h]);
    match arguments.domain.variant() {
        Variant::Scp02(implementation) => profile.scp02 = implementation,
        Variant::Scp03(implementation) => profile.scp03 = implementation,
    }
    profile
}

/// The keys of a new domain, of the variant's cipher, if they are given.
fn keys(options: &Options, secrets: &mut Secrets) -> Result<Option<DomainKeys>, Failure> {
    let Some(key) = read_key(options, secrets)? else { return Ok(None) };
    let keys = match options.variant() {
        Variant::Scp02(_) => TdeaKey::try_from(key.as_slice())
            .map(|key| DomainKeys::from([key.duplicate(), key.duplicate(), key]))
            .map_err(unfit),
        Variant::Scp03(_) => AesKey::try_from(key.as_slice())
            .map(|key| DomainKeys::from([key.duplicate(), key.duplicate(), key]))
            .map_err(unfit),
    };
    keys.map(Some)
}

fn read_key(options: &Options, secrets: &mut Secrets) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    if let Some(length) = &options.known_domain_key {
        let length = length.parse().expect("the parser takes three numbers");
        return Ok(Some(Zeroizing::new((0x40..).take(length).collect())));
    }
    let Some(source) = &options.domain_key else { return Ok(None) };
    let key = secrets.bytes("--domain-key", source)?;
    // Whatever the parity bits are.
    if key.iter().zip(0x40..).all(|(byte, known): (_, u8)| byte | 1 == known | 1) {
        return Err(Failure::refused(
            "--domain-key: all the world knows 40 41 42 and so on; say --known-domain-key if it is a test",
        ));
    }
    Ok(Some(key))
}

fn unfit(error: impl core::error::Error) -> Failure {
    Failure::refused(format!("the key of the domain is refused: {}", with_cause(&error)))
}
