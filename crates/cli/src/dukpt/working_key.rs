//! What a working key is for, and of which kind it is.

use cardroot::aeskey::{self, AesKey, AesKeyLength, KcvMethod};
use cardroot::dukpt::aes::hmac_keys::{self, HmacCode, HmacKeyLength};
use cardroot::dukpt::{PinKey, TransactionKey, aes};
use cardroot::tdea::{self, KeyLength, Padding, TdeaKey};
use clap::{Args, ValueEnum};

use super::names::Transaction;
use crate::error::Failure;
use crate::file::NewFiles;
use crate::hex;
use crate::key_options::{KcvLength, Method, length_name};
use crate::output::Record;

/// What a key is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Usage {
    /// The transaction key itself, from which the others come
    Transaction,
    /// PIN encryption
    Pin,
    /// MACs of what the terminal sends
    MacRequest,
    /// MACs of what the host answers
    MacResponse,
    /// MACs of both (--aes, or --edition 2004)
    MacBoth,
    /// Encryption of what the terminal sends
    DataRequest,
    /// Encryption of what the host answers
    DataResponse,
    /// Encryption of both (--aes, or --edition 2004)
    DataBoth,
    /// Encryption of other keys (--aes)
    KeyEncryption,
    /// The key under which a new initial key travels (--aes); the counter of the KSN plays no part
    Update,
}

/// What a message is to the terminal.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Direction {
    /// What the terminal sends
    Request,
    /// What the host answers
    Response,
    /// One key for both directions: --aes, or --edition 2004
    Both,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Edition {
    /// One MAC key and one data key for both directions
    #[value(name = "2004")]
    E2004,
    /// A key for each direction
    #[value(name = "2009")]
    E2009,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
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
    #[value(name = "hmac-128")]
    Hmac128,
    #[value(name = "hmac-192")]
    Hmac192,
    #[value(name = "hmac-256")]
    Hmac256,
}

/// Which of several keys of one use.
#[derive(Args)]
pub(super) struct Kind {
    /// The edition of ANS X9.24-1 that defines the keys for MACs and data: 2009 unless given; not with --aes
    #[arg(long, value_enum)]
    pub(super) edition: Option<Edition>,
    /// What the key is for with --aes: an AES key as long as the BDK unless given
    #[arg(long, value_enum, value_name = "TYPE")]
    pub(super) key_type: Option<KeyType>,
}

/// What is done with a key that was derived.
#[derive(Args)]
pub(super) struct DerivedKeyOptions {
    /// Shows the key, in upper-case hexadecimal
    #[arg(long)]
    show_key: bool,
    /// Stores the key in FILE, which must not exist; only its owner can read it (mode 0600)
    #[arg(long, value_name = "FILE")]
    out: Option<std::path::PathBuf>,
    /// How check values are computed: zeros for TDEA and cmac for AES unless given
    #[arg(long, value_enum)]
    kcv_method: Option<Method>,
    #[command(flatten)]
    kcv_length: KcvLength,
}

/// A key of one use.
pub(super) enum WorkingKey {
    Tdea(TdeaKey),
    Aes(AesKey),
    Hmac(HmacKey),
}

/// HMAC keys compute for themselves; they are of a type for each use.
pub(super) enum HmacKey {
    Request(hmac_keys::MacRequestKey),
    Response(hmac_keys::MacResponseKey),
    Both(hmac_keys::MacBothKey),
}

/// A message authentication code of any kind.
pub(super) enum AnyMac {
    Tdea(tdea::Mac),
    Aes(aeskey::Mac),
    Hmac(HmacCode),
}

impl Direction {
    pub(super) const fn mac(self) -> Usage {
        match self {
            Self::Request => Usage::MacRequest,
            Self::Response => Usage::MacResponse,
            Self::Both => Usage::MacBoth,
        }
    }

    pub(super) const fn data(self) -> Usage {
        match self {
            Self::Request => Usage::DataRequest,
            Self::Response => Usage::DataResponse,
            Self::Both => Usage::DataBoth,
        }
    }
}

impl Kind {
    /// The key of `usage` under a transaction key.
    pub(super) fn key(&self, transaction: &Transaction, usage: Usage) -> Result<WorkingKey, Failure> {
        match transaction {
            Transaction::Tdes(key) => self.tdes(key, usage).map(WorkingKey::Tdea),
            Transaction::Aes(key) => self.aes(key, usage),
        }
    }

    /// The key of `usage` under a transaction key of TDES DUKPT.
    pub(super) fn tdes(&self, key: &TransactionKey, usage: Usage) -> Result<TdeaKey, Failure> {
        self.refuse_key_type()?;
        let edition = self.edition.unwrap_or(Edition::E2009);
        Ok(match (usage, edition) {
            (Usage::Transaction, _) => key.expose_key().duplicate(),
            (Usage::Pin, _) => key.pin_key().expose_key().duplicate(),
            (Usage::MacRequest | Usage::MacResponse | Usage::MacBoth, Edition::E2004) => {
                key.mac_key_2004().expose_key().duplicate()
            }
            (Usage::DataRequest | Usage::DataResponse | Usage::DataBoth, Edition::E2004) => {
                key.data_key_2004().expose_key().duplicate()
            }
            (Usage::MacRequest, Edition::E2009) => key.mac_request_key().expose_key().duplicate(),
            (Usage::MacResponse, Edition::E2009) => key.mac_response_key().expose_key().duplicate(),
            (Usage::DataRequest, Edition::E2009) => key.data_request_key().expose_key().duplicate(),
            (Usage::DataResponse, Edition::E2009) => key.data_response_key().expose_key().duplicate(),
            (Usage::MacBoth | Usage::DataBoth, Edition::E2009) => {
                return Err(Failure::usage(
                    "--use: edition 2009 has a key for each direction; say request or response, or --edition 2004",
                ));
            }
            (Usage::KeyEncryption | Usage::Update, _) => {
                return Err(Failure::usage("--use: TDES DUKPT has no key for other keys; give --aes"));
            }
        })
    }

    /// The PIN key under a transaction key of TDES DUKPT: the same in all editions.
    pub(super) fn tdes_pin_key(&self, key: &TransactionKey) -> Result<PinKey, Failure> {
        self.refuse_key_type()?;
        Ok(key.pin_key())
    }

    /// The key of `usage` under a transaction key of AES DUKPT.
    pub(super) fn aes(&self, key: &aes::TransactionKey, usage: Usage) -> Result<WorkingKey, Failure> {
        self.refuse_edition()?;
        if usage == Usage::Transaction {
            if self.key_type.is_some() {
                return Err(Failure::usage(
                    "--key-type: a transaction key is as long as its BDK; leave it out",
                ));
            }
            return Ok(WorkingKey::Aes(key.expose_key().duplicate()));
        }
        match self.type_under(key.length()) {
            Form::Aes(length) => aes_key(key, usage, length).map(WorkingKey::Aes),
            Form::Tdea(length) => tdea_key(key, usage, length).map(WorkingKey::Tdea),
            Form::Hmac(length) => hmac_key(key, usage, length).map(WorkingKey::Hmac),
        }
    }

    /// The key for a new initial key.
    pub(super) fn update(&self, key: &aes::UpdateKey) -> Result<WorkingKey, Failure> {
        self.refuse_edition()?;
        match self.type_under(key.length()) {
            Form::Aes(length) => match key.key_encryption_key(length) {
                Ok(key) => Ok(WorkingKey::Aes(key.expose_key().duplicate())),
                Err(error) => Err(too_strong(error)),
            },
            Form::Tdea(length) => {
                Ok(WorkingKey::Tdea(key.key_encryption_key_tdea(length).expose_key().duplicate()))
            }
            Form::Hmac(_) => Err(no_hmac()),
        }
    }

    fn refuse_key_type(&self) -> Result<(), Failure> {
        match self.key_type {
            None => Ok(()),
            Some(_) => Err(Failure::usage(
                "--key-type: all keys of TDES DUKPT are TDEA keys; leave it out, or give --aes",
            )),
        }
    }

    fn refuse_edition(&self) -> Result<(), Failure> {
        match self.edition {
            None => Ok(()),
            Some(_) => Err(Failure::usage("--edition: the editions differ in TDES DUKPT only; leave it out")),
        }
    }

    /// What kind of key it is under a derivation key of `length`.
    fn type_under(&self, length: AesKeyLength) -> Form {
        match self.key_type {
            None => Form::Aes(length),
            Some(KeyType::Aes128) => Form::Aes(AesKeyLength::Aes128),
            Some(KeyType::Aes192) => Form::Aes(AesKeyLength::Aes192),
            Some(KeyType::Aes256) => Form::Aes(AesKeyLength::Aes256),
            Some(KeyType::Tdea2) => Form::Tdea(KeyLength::Double),
            Some(KeyType::Tdea3) => Form::Tdea(KeyLength::Triple),
            Some(KeyType::Hmac128) => Form::Hmac(HmacKeyLength::Hmac128),
            Some(KeyType::Hmac192) => Form::Hmac(HmacKeyLength::Hmac192),
            Some(KeyType::Hmac256) => Form::Hmac(HmacKeyLength::Hmac256),
        }
    }

    /// What a PIN key under a derivation key of `length` would be.
    pub(super) fn pin_form(&self, length: AesKeyLength) -> Result<PinForm, Failure> {
        self.refuse_edition()?;
        match self.type_under(length) {
            Form::Aes(length) => Ok(PinForm::Aes(length)),
            Form::Tdea(length) => Ok(PinForm::Tdea(length)),
            Form::Hmac(_) => Err(no_hmac()),
        }
    }
}

enum Form {
    Aes(AesKeyLength),
    Tdea(KeyLength),
    Hmac(HmacKeyLength),
}

/// What a PIN key may be.
pub(super) enum PinForm {
    Aes(AesKeyLength),
    Tdea(KeyLength),
}

pub(super) fn too_strong(error: aes::StrongerThanParent) -> Failure {
    Failure::refused(format!("--key-type: {error}"))
}

fn no_hmac() -> Failure {
    Failure::usage("--key-type: an HMAC key computes MACs and nothing else")
}

fn no_update() -> Failure {
    Failure::usage("--use: the update key belongs to no transaction; see derive --use update")
}

fn aes_key(key: &aes::TransactionKey, usage: Usage, length: AesKeyLength) -> Result<AesKey, Failure> {
    let derived = match usage {
        Usage::Pin => key.pin_key(length).map(|key| key.expose_key().duplicate()),
        Usage::MacRequest => key.mac_request_key(length).map(|key| key.expose_key().duplicate()),
        Usage::MacResponse => key.mac_response_key(length).map(|key| key.expose_key().duplicate()),
        Usage::MacBoth => key.mac_both_key(length).map(|key| key.expose_key().duplicate()),
        Usage::DataRequest => key.data_request_key(length).map(|key| key.expose_key().duplicate()),
        Usage::DataResponse => key.data_response_key(length).map(|key| key.expose_key().duplicate()),
        Usage::DataBoth => key.data_both_key(length).map(|key| key.expose_key().duplicate()),
        Usage::KeyEncryption => key.key_encryption_key(length).map(|key| key.expose_key().duplicate()),
        Usage::Transaction | Usage::Update => return Err(no_update()),
    };
    derived.map_err(too_strong)
}

fn tdea_key(key: &aes::TransactionKey, usage: Usage, length: KeyLength) -> Result<TdeaKey, Failure> {
    Ok(match usage {
        Usage::Pin => key.pin_key_tdea(length).expose_key().duplicate(),
        Usage::MacRequest => key.mac_request_key_tdea(length).expose_key().duplicate(),
        Usage::MacResponse => key.mac_response_key_tdea(length).expose_key().duplicate(),
        Usage::MacBoth => key.mac_both_key_tdea(length).expose_key().duplicate(),
        Usage::DataRequest => key.data_request_key_tdea(length).expose_key().duplicate(),
        Usage::DataResponse => key.data_response_key_tdea(length).expose_key().duplicate(),
        Usage::DataBoth => key.data_both_key_tdea(length).expose_key().duplicate(),
        Usage::KeyEncryption => key.key_encryption_key_tdea(length).expose_key().duplicate(),
        Usage::Transaction | Usage::Update => return Err(no_update()),
    })
}

fn hmac_key(key: &aes::TransactionKey, usage: Usage, length: HmacKeyLength) -> Result<HmacKey, Failure> {
    let derived = match usage {
        Usage::MacRequest => key.mac_request_key_hmac(length).map(HmacKey::Request),
        Usage::MacResponse => key.mac_response_key_hmac(length).map(HmacKey::Response),
        Usage::MacBoth => key.mac_both_key_hmac(length).map(HmacKey::Both),
        _ => return Err(no_hmac()),
    };
    derived.map_err(too_strong)
}

impl HmacKey {
    pub(super) fn mac(&self, message: &[u8]) -> HmacCode {
        match self {
            Self::Request(key) => key.mac(message),
            Self::Response(key) => key.mac(message),
            Self::Both(key) => key.mac(message),
        }
    }

    fn expose_bytes(&self) -> &[u8] {
        match self {
            Self::Request(key) => key.expose_bytes(),
            Self::Response(key) => key.expose_bytes(),
            Self::Both(key) => key.expose_bytes(),
        }
    }
}

/// How a MAC is computed with TDEA.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum MacMethod {
    /// ISO 9797-1 algorithm 3 over zero padding, X9.19: what TDES DUKPT has
    #[value(name = "3")]
    Retail,
    /// CMAC: what AES DUKPT has; between some parties in TDES DUKPT, too
    Cmac,
}

impl WorkingKey {
    /// The code of `message`, and what it is called.
    pub(super) fn mac(&self, method: MacMethod, message: &[u8]) -> Result<(&'static str, AnyMac), Failure> {
        Ok(match (self, method) {
            (Self::Tdea(key), MacMethod::Retail) => {
                let mac = tdea::RetailMac::compute(key, Padding::Zeros, message).map_err(|error| {
                    Failure::usage(format!("--method: {error}; say cmac for a key of triple length"))
                })?;
                ("ISO 9797-1 algorithm 3", AnyMac::Tdea(mac))
            }
            (Self::Tdea(key), MacMethod::Cmac) => {
                ("TDEA-CMAC", AnyMac::Tdea(tdea::Cmac::compute(key, message)))
            }
            (Self::Aes(key), MacMethod::Cmac) => {
                ("AES-CMAC", AnyMac::Aes(aeskey::Cmac::compute(key, message)))
            }
            (Self::Hmac(key), MacMethod::Cmac) => ("HMAC-SHA-256", AnyMac::Hmac(key.mac(message))),
            (Self::Aes(_) | Self::Hmac(_), MacMethod::Retail) => {
                return Err(Failure::usage(
                    "--method: algorithm 3 is for TDEA keys; give --key-type tdea-2, or leave it out",
                ));
            }
        })
    }

    pub(super) fn expose_bytes(&self) -> &[u8] {
        match self {
            Self::Tdea(key) => key.expose_bytes(),
            Self::Aes(key) => key.expose_bytes(),
            Self::Hmac(key) => key.expose_bytes(),
        }
    }
}

impl AnyMac {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Tdea(mac) => mac.as_bytes(),
            Self::Aes(mac) => mac.as_bytes(),
            Self::Hmac(mac) => mac.as_bytes(),
        }
    }

    /// Whether `received` is the code or the left part of it, long enough to count.
    pub(super) fn verifies(&self, received: &[u8]) -> bool {
        match self {
            Self::Tdea(mac) => mac.verify(received).is_ok(),
            Self::Aes(mac) => mac.verify(received).is_ok(),
            Self::Hmac(mac) => mac.verify(received).is_ok(),
        }
    }
}

impl DerivedKeyOptions {
    /// Adds to `record` what may be said of `key`, and stores it if that was asked for.
    pub(super) fn finish(&self, record: Record, key: &WorkingKey) -> Result<Record, Failure> {
        let shown = hex::encode_secret(key.expose_bytes());
        if let Some(path) = &self.out {
            NewFiles::store_line(path, &shown)?;
        }
        let length = match key {
            WorkingKey::Tdea(key) => length_name(key.length()).to_owned(),
            WorkingKey::Aes(key) => format!("AES-{}", key.length().bits()),
            WorkingKey::Hmac(key) => format!("HMAC-{}", 8 * key.expose_bytes().len()),
        };
        let (method, check_value) = self.check_value(key);
        Ok(record
            .with("length", length)
            .with("check_value_method", method)
            .with("check_value", check_value)
            .with_some("key", self.show_key.then_some(shown))
            .with_some("file", self.out.as_ref().map(|path| path.display().to_string())))
    }

    /// HMAC keys have no check value that parties agree on.
    fn check_value(&self, key: &WorkingKey) -> (Option<&'static str>, Option<String>) {
        let (method, value) = match key {
            WorkingKey::Tdea(key) => {
                let method = self.kcv_method.unwrap_or(Method::Zeros);
                (method, self.kcv_length.of_key(method, key))
            }
            WorkingKey::Aes(key) => {
                let method = self.kcv_method.unwrap_or(Method::Cmac);
                let by = match method {
                    Method::Zeros => KcvMethod::AesZeros,
                    Method::Cmac => KcvMethod::AesCmac,
                };
                (method, key.kcv_by(by, self.kcv_length.bytes).expect("both methods have 2 to 8 bytes"))
            }
            WorkingKey::Hmac(_) => return (None, None),
        };
        (Some(method.name()), Some(value.to_string()))
    }
}
