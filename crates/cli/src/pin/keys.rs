//! PIN encryption keys by any method of key management.

use core::convert::Infallible;

use cardroot::aeskey::AesKeyLength;
use cardroot::dukpt::{self, DeriveError, Ksn, aes};
use cardroot::keyblock::{aes_keys, tdea_keys};
use cardroot::pin::{
    DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock, EncryptPinBlock, PinBlockFormat,
};
use cardroot::tdea::KeyLength;
use clap::ValueEnum;

use crate::error::Failure;
use crate::hex;
use crate::secret::{Secrets, Source};

/// A key for blocks of 8 bytes.
pub(super) trait TdeaPinKey:
    EncryptPinBlock<Error = Infallible> + DecryptPinBlock<Error = Infallible>
{
}
impl<K: EncryptPinBlock<Error = Infallible> + DecryptPinBlock<Error = Infallible>> TdeaPinKey for K {}

/// A key for blocks of 16 bytes.
pub(super) trait AesPinKey:
    EncryptIso4PinBlock<Error = Infallible> + DecryptIso4PinBlock<Error = Infallible>
{
}
impl<K: EncryptIso4PinBlock<Error = Infallible> + DecryptIso4PinBlock<Error = Infallible>> AesPinKey for K {}

/// A PIN encryption key by the blocks that it takes.
pub(super) enum PinKey {
    Tdea(Box<dyn TdeaPinKey>),
    Aes(Box<dyn AesPinKey>),
}

/// Kind of a working key of AES DUKPT.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum KeyType {
    #[value(name = "aes-128")]
    Aes128,
    #[value(name = "aes-192")]
    Aes192,
    #[value(name = "aes-256")]
    Aes256,
    /// Double-length TDEA
    #[value(name = "tdea-2")]
    Tdea2,
    /// Triple-length TDEA
    #[value(name = "tdea-3")]
    Tdea3,
}

/// What the arguments of one key say; their names start with `prefix`.
pub(super) struct KeyArguments<'a> {
    pub(super) prefix: &'static str,
    pub(super) key: Option<&'a Source>,
    pub(super) bdk: Option<&'a Source>,
    pub(super) ik: Option<&'a Source>,
    pub(super) ksn: Option<&'a hex::Bytes>,
    pub(super) key_type: Option<KeyType>,
}

/// Declares the arguments of one key.
macro_rules! key_arguments {
    ($(#[$meta:meta])* $name:ident, $prefix:literal, $of:literal) => {
        $(#[$meta])*
        #[derive(clap::Args)]
        pub(super) struct $name {
            #[arg(id = concat!($prefix, "key"), long = concat!($prefix, "key"), value_name = "K")]
            #[arg(help = concat!("The PIN encryption key", $of, " itself, fixed or a transaction key: @FILE, env:NAME, - or ask"))]
            key: Option<crate::secret::Source>,
            #[arg(id = concat!($prefix, "bdk"), long = concat!($prefix, "bdk"), value_name = "K")]
            #[arg(help = concat!("In its place the Base Derivation Key (BDK) of DUKPT", $of))]
            bdk: Option<crate::secret::Source>,
            #[arg(id = concat!($prefix, "ik"), long = concat!($prefix, "ik"), value_name = "K")]
            #[arg(help = concat!("In its place the Initial Key (IK, IPEK) of the DUKPT terminal", $of))]
            ik: Option<crate::secret::Source>,
            #[arg(id = concat!($prefix, "ksn"), long = concat!($prefix, "ksn"), value_name = "H")]
            #[arg(help = "The Key Serial Number (KSN) of the message: 5 to 10 bytes for TDES DUKPT, 12 for AES DUKPT")]
            ksn: Option<crate::hex::Bytes>,
            #[arg(id = concat!($prefix, "key-type"), long = concat!($prefix, "key-type"), value_enum, value_name = "TYPE")]
            #[arg(help = "The kind of PIN key of AES DUKPT: for format 4 as long as the BDK, for others tdea-2, unless given")]
            key_type: Option<super::keys::KeyType>,
        }

        impl $name {
            pub(super) const fn key(&self) -> super::keys::KeyArguments<'_> {
                super::keys::KeyArguments {
                    prefix: concat!("--", $prefix),
                    key: self.key.as_ref(),
                    bdk: self.bdk.as_ref(),
                    ik: self.ik.as_ref(),
                    ksn: self.ksn.as_ref(),
                    key_type: self.key_type,
                }
            }
        }
    };
}
pub(super) use key_arguments;

key_arguments! {
    /// The one key of a command.
    OneKey, "", ""
}

impl KeyArguments<'_> {
    /// The key for blocks of `format`; nothing if no key is given.
    pub(super) fn read(
        &self,
        format: PinBlockFormat,
        secrets: &mut Secrets,
    ) -> Result<Option<PinKey>, Failure> {
        let prefix = self.prefix;
        if self.key_type.is_some() && self.ksn.is_none_or(|ksn| !is_aes(ksn)) {
            return Err(Failure::usage(format!(
                "{prefix}key-type is for keys of AES DUKPT, whose {prefix}ksn has 12 bytes; leave it out"
            )));
        }
        match (self.key, self.bdk, self.ik, self.ksn) {
            (None, None, None, None) => Ok(None),
            (Some(key), None, None, None) => fixed(&format!("{prefix}key"), key, format, secrets).map(Some),
            (None, Some(_), None, Some(ksn)) | (None, None, Some(_), Some(ksn)) => if is_aes(ksn) {
                self.aes_dukpt(ksn, format, secrets)
            } else {
                self.tdes_dukpt(ksn, format, secrets)
            }
            .map(Some),
            _ => Err(Failure::usage(format!(
                "a key is {prefix}key alone, or one of {prefix}bdk and {prefix}ik with {prefix}ksn"
            ))),
        }
    }

    /// The same, where there must be one.
    pub(super) fn required(&self, format: PinBlockFormat, secrets: &mut Secrets) -> Result<PinKey, Failure> {
        self.read(format, secrets)?.ok_or_else(|| {
            let prefix = self.prefix;
            Failure::usage(format!("a key is missing: give {prefix}key, or {prefix}bdk with {prefix}ksn"))
        })
    }

    fn tdes_dukpt(
        &self,
        ksn: &hex::Bytes,
        format: PinBlockFormat,
        secrets: &mut Secrets,
    ) -> Result<PinKey, Failure> {
        let prefix = self.prefix;
        if format == PinBlockFormat::Iso4 {
            return Err(Failure::usage(format!(
                "{prefix}ksn: a block of format 4 is under an AES key, and all keys of TDES DUKPT are TDEA keys"
            )));
        }
        let ksn = Ksn::from_wire(&ksn.0).map_err(|error| Failure::usage(format!("{prefix}ksn: {error}")))?;
        let initial_key = match (self.bdk, self.ik) {
            (Some(bdk), _) => {
                let bdk = dukpt::Bdk::from_key(secrets.key(&format!("{prefix}bdk"), bdk)?);
                bdk.derive_initial_key(&ksn)
                    .map_err(|fault| must_not_be_used(&format!("{prefix}bdk"), &fault))?
            }
            (None, ik) => {
                let ik = ik.expect("without a BDK there is an initial key");
                let key = secrets.key(&format!("{prefix}ik"), ik)?;
                dukpt::InitialKey::from_key(key, &ksn)
                    .map_err(|error| must_not_be_used(&format!("{prefix}ik"), &error))?
            }
        };
        let transaction = initial_key.derive_transaction_key(&ksn).map_err(|fault| match fault {
            DeriveError::Counter(fault) => bad_ksn(prefix, &fault),
            fault => must_not_be_used("the key", &fault),
        })?;
        Ok(PinKey::Tdea(Box::new(transaction.pin_key())))
    }

    fn aes_dukpt(
        &self,
        ksn: &hex::Bytes,
        format: PinBlockFormat,
        secrets: &mut Secrets,
    ) -> Result<PinKey, Failure> {
        let prefix = self.prefix;
        let ksn = aes::Ksn::try_from(ksn.0.as_slice())
            .map_err(|error| Failure::usage(format!("{prefix}ksn: {error}")))?;
        let initial_key = match (self.bdk, self.ik) {
            (Some(bdk), _) => aes::Bdk::from_key(secrets.aes_key(&format!("{prefix}bdk"), bdk)?)
                .derive_initial_key(&ksn.id()),
            (None, ik) => {
                let ik = ik.expect("without a BDK there is an initial key");
                aes::InitialKey::from_key(secrets.aes_key(&format!("{prefix}ik"), ik)?, ksn.id())
            }
        };
        let transaction = initial_key.derive_transaction_key(&ksn, aes::OnesLimit::Sixteen).map_err(
            |fault| match fault {
                aes::DeriveError::Counter(fault) => bad_ksn(prefix, &fault),
                fault => must_not_be_used("the key", &fault),
            },
        )?;
        let usual = if format == PinBlockFormat::Iso4 { None } else { Some(KeyType::Tdea2) };
        let aes_key = |length| match format {
            PinBlockFormat::Iso4 => transaction
                .pin_key(length)
                .map(|key| PinKey::Aes(Box::new(key)))
                .map_err(|error| Failure::refused(format!("{prefix}key-type: {error}"))),
            _ => Err(wrong_type(prefix, format, "a TDEA key, tdea-2 or tdea-3")),
        };
        let tdea_key = |length| match format {
            PinBlockFormat::Iso4 => Err(wrong_type(prefix, format, "an AES key")),
            _ => Ok(PinKey::Tdea(Box::new(transaction.pin_key_tdea(length)))),
        };
        match self.key_type.or(usual) {
            None => aes_key(transaction.length()),
            Some(KeyType::Aes128) => aes_key(AesKeyLength::Aes128),
            Some(KeyType::Aes192) => aes_key(AesKeyLength::Aes192),
            Some(KeyType::Aes256) => aes_key(AesKeyLength::Aes256),
            Some(KeyType::Tdea2) => tdea_key(KeyLength::Double),
            Some(KeyType::Tdea3) => tdea_key(KeyLength::Triple),
        }
    }
}

fn is_aes(ksn: &hex::Bytes) -> bool {
    ksn.0.len() == aes::Ksn::LEN
}

/// A key that is used as it is.
fn fixed(
    argument: &str,
    source: &Source,
    format: PinBlockFormat,
    secrets: &mut Secrets,
) -> Result<PinKey, Failure> {
    if format == PinBlockFormat::Iso4 {
        let key = aes_keys::PinKey::from_key(secrets.aes_key(argument, source)?);
        return Ok(PinKey::Aes(Box::new(key)));
    }
    let key = secrets.key(argument, source)?;
    key.check_strength().map_err(|fault| must_not_be_used(argument, &fault))?;
    Ok(PinKey::Tdea(Box::new(tdea_keys::PinKey::from_key(key))))
}

fn must_not_be_used(argument: &str, fault: &dyn core::error::Error) -> Failure {
    let cause = fault.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Failure::refused(format!("{argument} must not be used: {fault}{cause}"))
}

fn bad_ksn(prefix: &str, fault: &dyn core::error::Error) -> Failure {
    Failure::refused(format!("{prefix}ksn: {fault}; give the number that came with the message"))
}

fn wrong_type(prefix: &str, format: PinBlockFormat, right: &str) -> Failure {
    Failure::usage(format!("{prefix}key-type: a block of format {} is under {right}", format.number()))
}
