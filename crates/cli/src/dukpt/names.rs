//! Which key is meant: a base or initial key, the scheme, and a key serial number.

use core::fmt::Display;

use cardroot::dukpt::{Bdk, DeriveError, InitialKey, Ksn, TransactionKey, aes};
use cardroot::tdea::StrengthError;
use clap::{Args, ValueEnum};

use super::working_key::Parent;
use crate::error::Failure;
use crate::hex;
use crate::secret::{Secrets, Source};

/// Where the key comes from that all others come from.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct BaseKey {
    /// The Base Derivation Key (BDK): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    bdk: Option<Source>,
    /// The Initial Key (IK, IPEK) of this terminal, where the BDK is not at hand
    #[arg(long, value_name = "K")]
    ik: Option<Source>,
}

/// Which DUKPT it is.
#[derive(Args)]
pub(super) struct Scheme {
    /// DUKPT with AES, X9.24-3:2017
    #[arg(long)]
    pub(super) aes: bool,
    /// How many ones a counter may have: 17 if the terminal was built from the standard's pseudo code
    #[arg(long, value_enum, value_name = "N", requires = "aes", default_value = "16")]
    ones_limit: Ones,
}

/// What keeps an AES name to 10 bytes.
#[derive(Args)]
pub(super) struct Compatibility {
    /// The KSN is the 10-byte form of an AES name, "KSN compatibility mode": known from one implementation only, so confirm
    /// it with the other side
    #[arg(long, requires = "aes")]
    compatibility: bool,
}

/// A key above and the name of a transaction key under it.
#[derive(Args)]
pub(super) struct Names {
    #[command(flatten)]
    base: BaseKey,
    /// The Key Serial Number (KSN): 5 to 10 bytes, what is missing on the left is FF; 12 bytes with --aes
    #[arg(long, value_name = "H")]
    ksn: hex::Bytes,
    #[command(flatten)]
    pub(super) scheme: Scheme,
    #[command(flatten)]
    compatibility: Compatibility,
}

#[derive(Clone, Copy, ValueEnum)]
enum Ones {
    #[value(name = "16")]
    Sixteen,
    #[value(name = "17")]
    Seventeen,
}

/// The key of one transaction.
pub(super) enum Transaction {
    Tdes(TransactionKey),
    Aes(aes::TransactionKey),
}

/// The key of the transaction that a terminal is at, or of a message.
#[derive(Clone, Copy)]
pub(super) enum TransactionRef<'a> {
    Tdes(&'a TransactionKey),
    Aes(&'a aes::TransactionKey),
}

impl Scheme {
    pub(super) const fn ones_limit(&self) -> aes::OnesLimit {
        match self.ones_limit {
            Ones::Sixteen => aes::OnesLimit::Sixteen,
            Ones::Seventeen => aes::OnesLimit::Seventeen,
        }
    }
}

impl Compatibility {
    /// Reads an AES name of 12 bytes, or of 10 in the mode of this option.
    pub(super) fn ksn(&self, bytes: &[u8]) -> Result<aes::Ksn, Failure> {
        if !self.compatibility {
            return aes_ksn(bytes);
        }
        Ksn::try_from(bytes)
            .map(|ksn| aes::Ksn::from_compatibility_mode(&ksn))
            .map_err(|error| Failure::usage(format!("--ksn: in compatibility mode {error}")))
    }
}

impl BaseKey {
    /// The initial key of the originator that `ksn` names.
    pub(super) fn initial_key(&self, secrets: &mut Secrets, ksn: &Ksn) -> Result<InitialKey, Failure> {
        if let Some(ik) = &self.ik {
            let key = secrets.key("--ik", ik)?;
            return InitialKey::from_key(key, ksn).map_err(|error| Failure::bad_key("--ik", &error));
        }
        let bdk = Bdk::from_key(secrets.key("--bdk", self.bdk())?);
        bdk.derive_initial_key(ksn).map_err(|fault| bdk_refused(&fault))
    }

    /// The initial key of the originator that `id` names.
    pub(super) fn initial_key_aes(
        &self,
        secrets: &mut Secrets,
        id: &aes::InitialKeyId,
    ) -> Result<aes::InitialKey, Failure> {
        if let Some(ik) = &self.ik {
            return Ok(aes::InitialKey::from_key(secrets.aes_key("--ik", ik)?, *id));
        }
        let bdk = aes::Bdk::from_key(secrets.aes_key("--bdk", self.bdk())?);
        Ok(bdk.derive_initial_key(id))
    }

    fn bdk(&self) -> &Source {
        self.bdk.as_ref().expect("the parser asks for one of the two")
    }
}

impl Names {
    /// The initial key of an AES originator, whatever the counter in its name.
    pub(super) fn initial_key_aes(&self, secrets: &mut Secrets) -> Result<aes::InitialKey, Failure> {
        self.base.initial_key_aes(secrets, &initial_key_id(&self.ksn.0, &self.compatibility)?)
    }

    /// Derives the key.
    pub(super) fn transaction(&self, secrets: &mut Secrets) -> Result<Transaction, Failure> {
        if self.scheme.aes {
            return self.aes_transaction(secrets).map(Transaction::Aes);
        }
        let ksn = tdes_ksn(&self.ksn.0)?;
        let initial_key = self.base.initial_key(secrets, &ksn)?;
        initial_key.derive_transaction_key(&ksn).map(Transaction::Tdes).map_err(|fault| match fault {
            DeriveError::Counter(fault) => bad_ksn(&fault),
            fault => Failure::bad_key("the key", &fault),
        })
    }

    fn aes_transaction(&self, secrets: &mut Secrets) -> Result<aes::TransactionKey, Failure> {
        let ksn = self.compatibility.ksn(&self.ksn.0)?;
        let initial_key = self.base.initial_key_aes(secrets, &ksn.id())?;
        initial_key.derive_transaction_key(&ksn, self.scheme.ones_limit()).map_err(|fault| match fault {
            aes::DeriveError::Counter(fault) => bad_aes_ksn(&ksn, fault),
            fault => Failure::bad_key("the key", &fault),
        })
    }
}

impl Transaction {
    pub(super) const fn as_ref(&self) -> TransactionRef<'_> {
        match self {
            Self::Tdes(key) => TransactionRef::Tdes(key),
            Self::Aes(key) => TransactionRef::Aes(key),
        }
    }
}

impl TransactionRef<'_> {
    pub(super) fn ksn(self) -> String {
        match self {
            Self::Tdes(key) => key.ksn().to_string(),
            Self::Aes(key) => key.ksn().to_string(),
        }
    }

    /// What the key is to those that come from it.
    pub(super) const fn parent(self) -> Parent {
        match self {
            Self::Tdes(_) => Parent::Tdes,
            Self::Aes(key) => Parent::Aes(key.length()),
        }
    }
}

/// Reads a name of TDES DUKPT as messages carry it.
pub(super) fn tdes_ksn(bytes: &[u8]) -> Result<Ksn, Failure> {
    Ksn::from_wire(bytes).map_err(|error| {
        let hint =
            if bytes.len() == aes::Ksn::LEN { "; 12 bytes are a name of AES DUKPT: give --aes" } else { "" };
        Failure::usage(format!("--ksn: {error}{hint}"))
    })
}

/// Reads a name of AES DUKPT.
pub(super) fn aes_ksn(bytes: &[u8]) -> Result<aes::Ksn, Failure> {
    aes::Ksn::try_from(bytes).map_err(|error| {
        let hint =
            if bytes.len() == Ksn::LEN { "; 10 bytes are a name of TDES DUKPT: leave out --aes" } else { "" };
        Failure::usage(format!("--ksn: {error}{hint}"))
    })
}

/// The name of an AES originator: its 8 bytes alone, or what one of its transactions has.
pub(super) fn initial_key_id(
    bytes: &[u8],
    compatibility: &Compatibility,
) -> Result<aes::InitialKeyId, Failure> {
    match <[u8; aes::InitialKeyId::LEN]>::try_from(bytes) {
        Ok(id) => Ok(id.into()),
        Err(_) => Ok(compatibility.ksn(bytes)?.id()),
    }
}

/// The same without the mode for short names.
pub(super) fn aes_name(bytes: &[u8]) -> Result<aes::InitialKeyId, Failure> {
    initial_key_id(bytes, &Compatibility { compatibility: false })
}

pub(super) fn bdk_refused(fault: &StrengthError) -> Failure {
    Failure::bad_key("--bdk", fault)
}

pub(super) fn bad_ksn(fault: &impl Display) -> Failure {
    Failure::refused(format!("--ksn: {fault}; give the number that came with the message"))
}

pub(super) fn bad_aes_ksn(ksn: &aes::Ksn, fault: aes::CounterError) -> Failure {
    match fault {
        aes::CounterError::TooManyOnes { ones: 17, .. } => Failure::refused(format!(
            "--ksn: {fault}; if the terminal was built from the standard's pseudo code, give --ones-limit 17"
        )),
        _ if ksn.as_bytes().ends_with(&[0xFF; 4]) => Failure::refused(
            "--ksn: counter FFFFFFFF is of no transaction, it names the update key; see derive --use update",
        ),
        fault => bad_ksn(&fault),
    }
}
