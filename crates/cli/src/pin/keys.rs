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
        if self.key_type.is_some() && self.ksn.is_none_or(|ksn| ksn.0.len() != aes::Ksn::LEN) {
            return Err(Failure::usage(format!(
                "{prefix}key-type is for keys of AES DUKPT, whose {prefix}ksn has 12 bytes; leave it out"
            )));
        }
        let (base, ksn) = match (self.key, self.bdk, self.ik, self.ksn) {
            (None, None, None, None) => return Ok(None),
            (Some(key), None, None, None) => {
                return fixed(&format!("{prefix}key"), key, format, secrets).map(Some);
            }
            (None, Some(bdk), None, Some(ksn)) => (Base::Bdk(bdk), &ksn.0),
            (None, None, Some(ik), Some(ksn)) => (Base::Ik(ik), &ksn.0),
            _ => {
                return Err(Failure::usage(format!(
                    "a key is {prefix}key alone, or one of {prefix}bdk and {prefix}ik with {prefix}ksn"
                )));
            }
        };
        Ok(Some(if ksn.len() == aes::Ksn::LEN {
            self.aes_pin_key(&self.aes_transaction(base, ksn, secrets)?, format)?
        } else if format == PinBlockFormat::Iso4 {
            return Err(Failure::usage(format!(
                "{prefix}ksn: a block of format 4 is under an AES key, and all keys of TDES DUKPT are TDEA keys"
            )));
        } else {
            PinKey::Tdea(Box::new(self.tdes_transaction(base, ksn, secrets)?.pin_key()))
        }))
    }

    /// The same, where there must be one.
    pub(super) fn required(&self, format: PinBlockFormat, secrets: &mut Secrets) -> Result<PinKey, Failure> {
        self.read(format, secrets)?.ok_or_else(|| {
            let prefix = self.prefix;
            Failure::usage(format!("a key is missing: give {prefix}key, or {prefix}bdk with {prefix}ksn"))
        })
    }

    fn tdes_transaction(
        &self,
        base: Base<'_>,
        ksn: &[u8],
        secrets: &mut Secrets,
    ) -> Result<dukpt::TransactionKey, Failure> {
        let prefix = self.prefix;
        let argument = base.argument(prefix);
        let ksn = Ksn::from_wire(ksn).map_err(|error| Failure::usage(format!("{prefix}ksn: {error}")))?;
        let initial_key = match base {
            Base::Bdk(bdk) => dukpt::Bdk::from_key(secrets.key(&argument, bdk)?)
                .derive_initial_key(&ksn)
                .map_err(|fault| Failure::bad_key(&argument, &fault)),
            Base::Ik(ik) => dukpt::InitialKey::from_key(secrets.key(&argument, ik)?, &ksn)
                .map_err(|fault| Failure::bad_key(&argument, &fault)),
        }?;
        initial_key.derive_transaction_key(&ksn).map_err(|fault| match fault {
            DeriveError::Counter(fault) => bad_ksn(prefix, &fault),
            fault => Failure::bad_key("the key", &fault),
        })
    }

    fn aes_transaction(
        &self,
        base: Base<'_>,
        ksn: &[u8],
        secrets: &mut Secrets,
    ) -> Result<aes::TransactionKey, Failure> {
        let prefix = self.prefix;
        let ksn = aes::Ksn::try_from(ksn).map_err(|error| Failure::usage(format!("{prefix}ksn: {error}")))?;
        let mut key = |source| secrets.aes_key(&base.argument(prefix), source);
        let initial_key = match base {
            Base::Bdk(bdk) => aes::Bdk::from_key(key(bdk)?).derive_initial_key(&ksn.id()),
            Base::Ik(ik) => aes::InitialKey::from_key(key(ik)?, ksn.id()),
        };
        initial_key.derive_transaction_key(&ksn, aes::OnesLimit::Sixteen).map_err(|fault| match fault {
            aes::DeriveError::Counter(fault) => bad_ksn(prefix, &fault),
            fault => Failure::bad_key("the key", &fault),
        })
    }

    /// The working key of AES DUKPT that blocks of `format` are under.
    fn aes_pin_key(
        &self,
        transaction: &aes::TransactionKey,
        format: PinBlockFormat,
    ) -> Result<PinKey, Failure> {
        let prefix = self.prefix;
        let aes_key = |length| {
            let key = transaction.pin_key(length);
            key.map(|key| PinKey::Aes(Box::new(key)))
                .map_err(|error| Failure::refused(format!("{prefix}key-type: {error}")))
        };
        let tdea_key = |length| Ok(PinKey::Tdea(Box::new(transaction.pin_key_tdea(length))));
        match (format, self.key_type) {
            (PinBlockFormat::Iso4, None) => aes_key(transaction.length()),
            (PinBlockFormat::Iso4, Some(KeyType::Aes128)) => aes_key(AesKeyLength::Aes128),
            (PinBlockFormat::Iso4, Some(KeyType::Aes192)) => aes_key(AesKeyLength::Aes192),
            (PinBlockFormat::Iso4, Some(KeyType::Aes256)) => aes_key(AesKeyLength::Aes256),
            (PinBlockFormat::Iso4, Some(_)) => Err(wrong_type(prefix, format, "an AES key")),
            (_, None | Some(KeyType::Tdea2)) => tdea_key(KeyLength::Double),
            (_, Some(KeyType::Tdea3)) => tdea_key(KeyLength::Triple),
            (_, Some(_)) => Err(wrong_type(prefix, format, "a TDEA key, tdea-2 or tdea-3")),
        }
    }
}

/// The key above that of a transaction.
#[derive(Clone, Copy)]
enum Base<'a> {
    Bdk(&'a Source),
    Ik(&'a Source),
}

impl Base<'_> {
    fn argument(self, prefix: &str) -> String {
        match self {
            Self::Bdk(_) => format!("{prefix}bdk"),
            Self::Ik(_) => format!("{prefix}ik"),
        }
    }
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
    key.check_strength().map_err(|fault| Failure::bad_key(argument, &fault))?;
    Ok(PinKey::Tdea(Box::new(tdea_keys::PinKey::from_key(key))))
}

fn bad_ksn(prefix: &str, fault: &dyn core::error::Error) -> Failure {
    Failure::refused(format!("{prefix}ksn: {fault}; give the number that came with the message"))
}

fn wrong_type(prefix: &str, format: PinBlockFormat, right: &str) -> Failure {
    Failure::usage(format!("{prefix}key-type: a block of format {} is under {right}", format.number()))
}
