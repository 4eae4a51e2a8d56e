//! What a working key is for, and of which kind it is.

use cardroot::aeskey::{self, AesKey, AesKeyLength, KcvMethod};
use cardroot::dukpt::aes::hmac_keys::{self, HmacCode, HmacKeyLength};
use cardroot::dukpt::{TransactionKey, aes};
use cardroot::tdea::{self, KeyLength, Padding, TdeaKey};
use clap::{Args, ValueEnum};

use super::names::TransactionRef;
use crate::error::Failure;
use crate::file::NewLine;
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
    /// What kind of key it is, with --aes: an AES key as long as the BDK unless given
    #[arg(long, value_enum, value_name = "TYPE")]
    pub(super) key_type: Option<KeyType>,
}

/// Whether something is made under a key of the 2004 edition.
#[derive(Args)]
pub(super) struct Answer2004 {
    /// Makes it under the key of edition 2004, which serves both directions: for answers to terminals of that edition. Nothing in
    /// it tells an answer from a request; the message must
    #[arg(long)]
    answer_2004: bool,
}

impl Answer2004 {
    pub(super) fn check(&self, key: Chosen) -> Result<(), Failure> {
        if self.answer_2004 { Ok(()) } else { key.check_makes() }
    }
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

/// What the transaction key is that a working key comes from.
#[derive(Clone, Copy)]
pub(super) enum Parent {
    Tdes,
    Aes(AesKeyLength),
}

/// A working key that there is: chosen before a terminal gives up a counter for it.
#[derive(Clone, Copy)]
pub(super) struct Chosen {
    usage: Usage,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Tdes(Edition),
    Aes(AesKeyLength),
    Tdea(KeyLength),
    Hmac(HmacKeyLength),
}

/// What a PIN key is.
#[derive(Clone, Copy)]
pub(super) enum PinForm {
    Tdes,
    Tdea(KeyLength),
    Aes(AesKeyLength),
}

impl Kind {
    /// Finds out which key is meant, or why there is none.
    pub(super) fn choose(&self, parent: Parent, usage: Usage) -> Result<Chosen, Failure> {
        let form = match parent {
            Parent::Tdes => Form::Tdes(self.tdes_edition(usage)?),
            Parent::Aes(_) if usage == Usage::Update => {
                return Err(Failure::usage(
                    "--use: the update key is of no transaction; see dukpt terminal update-key",
                ));
            }
            Parent::Aes(length) => self.form_under(length, usage)?,
        };
        Ok(Chosen { usage, form })
    }

    /// The same for the key under an update key.
    pub(super) fn choose_update(&self, update_key: &aes::UpdateKey) -> Result<Chosen, Failure> {
        let usage = Usage::Update;
        Ok(Chosen { usage, form: self.form_under(update_key.length(), usage)? })
    }

    /// The same for a PIN key.
    pub(super) fn choose_pin_key(&self, parent: Parent) -> Result<PinForm, Failure> {
        Ok(match self.choose(parent, Usage::Pin)?.form {
            Form::Tdes(_) => PinForm::Tdes,
            Form::Aes(length) => PinForm::Aes(length),
            Form::Tdea(length) => PinForm::Tdea(length),
            Form::Hmac(_) => return Err(no_hmac()),
        })
    }

    fn tdes_edition(&self, usage: Usage) -> Result<Edition, Failure> {
        if self.key_type.is_some() {
            return Err(Failure::usage(
                "--key-type: all keys of TDES DUKPT are TDEA keys; leave it out, or give --aes",
            ));
        }
        let edition = self.edition.unwrap_or(Edition::E2009);
        match (usage, edition) {
            (Usage::MacBoth | Usage::DataBoth, Edition::E2009) => Err(Failure::usage(
                "--use: edition 2009 has a key for each direction; say request or response, or --edition 2004",
            )),
            (Usage::KeyEncryption | Usage::Update, _) => {
                Err(Failure::usage("--use: TDES DUKPT has no key for other keys; give --aes"))
            }
            _ => Ok(edition),
        }
    }

    /// What kind of key it is under a derivation key of `length`.
    fn form_under(&self, parent: AesKeyLength, usage: Usage) -> Result<Form, Failure> {
        if self.edition.is_some() {
            return Err(Failure::usage("--edition: the editions differ in TDES DUKPT only; leave it out"));
        }
        let form = match self.key_type {
            None => Form::Aes(parent),
            Some(_) if usage == Usage::Transaction => {
                return Err(Failure::usage(
                    "--key-type: a transaction key is as long as its BDK; leave it out",
                ));
            }
            Some(KeyType::Aes128) => Form::Aes(AesKeyLength::Aes128),
            Some(KeyType::Aes192) => Form::Aes(AesKeyLength::Aes192),
            Some(KeyType::Aes256) => Form::Aes(AesKeyLength::Aes256),
            Some(KeyType::Tdea2) => Form::Tdea(KeyLength::Double),
            Some(KeyType::Tdea3) => Form::Tdea(KeyLength::Triple),
            Some(KeyType::Hmac128) => Form::Hmac(HmacKeyLength::Hmac128),
            Some(KeyType::Hmac192) => Form::Hmac(HmacKeyLength::Hmac192),
            Some(KeyType::Hmac256) => Form::Hmac(HmacKeyLength::Hmac256),
        };
        let is_mac = matches!(usage, Usage::MacRequest | Usage::MacResponse | Usage::MacBoth);
        let bits = match form {
            Form::Aes(length) => length.bits(),
            Form::Hmac(HmacKeyLength::Hmac128) if is_mac => 128,
            Form::Hmac(HmacKeyLength::Hmac192) if is_mac => 192,
            Form::Hmac(HmacKeyLength::Hmac256) if is_mac => 256,
            Form::Hmac(_) => return Err(no_hmac()),
            // Of less strength than any AES key.
            Form::Tdes(_) | Form::Tdea(_) => 0,
        };
        if bits > parent.bits() {
            let error = aes::StrongerThanParent { parent, bits };
            return Err(Failure::refused(format!("--key-type: {error}")));
        }
        Ok(form)
    }
}

fn no_hmac() -> Failure {
    Failure::usage("--key-type: an HMAC key computes MACs and nothing else")
}

impl Chosen {
    /// The key, under a transaction key of the kind that it was chosen for.
    pub(super) fn key(self, transaction: TransactionRef<'_>) -> WorkingKey {
        match (self.form, transaction) {
            (Form::Tdes(edition), TransactionRef::Tdes(key)) => {
                WorkingKey::Tdea(tdes_key(key, self.usage, edition))
            }
            (Form::Aes(length), TransactionRef::Aes(key)) => {
                WorkingKey::Aes(aes_key(key, self.usage, length).expect(LENGTH_CHECKED))
            }
            (Form::Tdea(length), TransactionRef::Aes(key)) => {
                WorkingKey::Tdea(tdea_key(key, self.usage, length))
            }
            (Form::Hmac(length), TransactionRef::Aes(key)) => {
                WorkingKey::Hmac(hmac_key(key, self.usage, length).expect(LENGTH_CHECKED))
            }
            _ => unreachable!("a key is chosen by the scheme of its transaction"),
        }
    }

    /// Refuses to make MACs or data under a key of the 2004 edition.
    pub(super) fn check_makes(self) -> Result<(), Failure> {
        if matches!(self.form, Form::Tdes(Edition::E2004)) {
            return Err(Failure::usage(
                "--edition: the keys of 2004 are for reading; to answer a terminal of that edition all the same, give \
                 --answer-2004 to dukpt mac or dukpt encrypt-data",
            ));
        }
        Ok(())
    }

    /// Whether it is an AES key.
    pub(super) const fn is_aes(self) -> bool {
        matches!(self.form, Form::Aes(_))
    }

    /// The key for a new initial key.
    pub(super) fn under(self, update_key: &aes::UpdateKey) -> WorkingKey {
        match self.form {
            Form::Tdea(length) => {
                WorkingKey::Tdea(update_key.key_encryption_key_tdea(length).expose_key().duplicate())
            }
            Form::Aes(length) => {
                let key = update_key.key_encryption_key(length).expect(LENGTH_CHECKED);
                WorkingKey::Aes(key.expose_key().duplicate())
            }
            Form::Tdes(_) | Form::Hmac(_) => unreachable!("an update key is an AES key, and none for MACs"),
        }
    }

    /// Refuses a MAC method that the key is not for.
    pub(super) fn check_method(self, method: MacMethod) -> Result<(), Failure> {
        match (self.form, method) {
            (Form::Tdes(_) | Form::Tdea(KeyLength::Double), _) | (_, MacMethod::Cmac) => Ok(()),
            (_, MacMethod::Retail) => Err(Failure::usage(
                "--method: algorithm 3 is for double-length TDEA keys; give --key-type tdea-2, or leave it out",
            )),
        }
    }
}

const LENGTH_CHECKED: &str = "the length was checked when the key was chosen";

fn tdes_key(key: &TransactionKey, usage: Usage, edition: Edition) -> TdeaKey {
    match (usage, edition) {
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
        _ => key.expose_key().duplicate(),
    }
}

fn aes_key(
    key: &aes::TransactionKey,
    usage: Usage,
    length: AesKeyLength,
) -> Result<AesKey, aes::StrongerThanParent> {
    Ok(match usage {
        Usage::Pin => key.pin_key(length)?.expose_key().duplicate(),
        Usage::MacRequest => key.mac_request_key(length)?.expose_key().duplicate(),
        Usage::MacResponse => key.mac_response_key(length)?.expose_key().duplicate(),
        Usage::MacBoth => key.mac_both_key(length)?.expose_key().duplicate(),
        Usage::DataRequest => key.data_request_key(length)?.expose_key().duplicate(),
        Usage::DataResponse => key.data_response_key(length)?.expose_key().duplicate(),
        Usage::DataBoth => key.data_both_key(length)?.expose_key().duplicate(),
        Usage::KeyEncryption | Usage::Update => key.key_encryption_key(length)?.expose_key().duplicate(),
        Usage::Transaction => key.expose_key().duplicate(),
    })
}

fn tdea_key(key: &aes::TransactionKey, usage: Usage, length: KeyLength) -> TdeaKey {
    match usage {
        Usage::Pin => key.pin_key_tdea(length).expose_key().duplicate(),
        Usage::MacRequest => key.mac_request_key_tdea(length).expose_key().duplicate(),
        Usage::MacResponse => key.mac_response_key_tdea(length).expose_key().duplicate(),
        Usage::MacBoth => key.mac_both_key_tdea(length).expose_key().duplicate(),
        Usage::DataRequest => key.data_request_key_tdea(length).expose_key().duplicate(),
        Usage::DataResponse => key.data_response_key_tdea(length).expose_key().duplicate(),
        Usage::DataBoth => key.data_both_key_tdea(length).expose_key().duplicate(),
        Usage::KeyEncryption | Usage::Update | Usage::Transaction => {
            key.key_encryption_key_tdea(length).expose_key().duplicate()
        }
    }
}

fn hmac_key(
    key: &aes::TransactionKey,
    usage: Usage,
    length: HmacKeyLength,
) -> Result<HmacKey, aes::StrongerThanParent> {
    Ok(match usage {
        Usage::MacRequest => HmacKey::Request(key.mac_request_key_hmac(length)?),
        Usage::MacResponse => HmacKey::Response(key.mac_response_key_hmac(length)?),
        _ => HmacKey::Both(key.mac_both_key_hmac(length)?),
    })
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
    /// The code of `message`, and what it is called. [`Chosen::check_method`] says whether the method is for the key.
    pub(super) fn mac(&self, method: MacMethod, message: &[u8]) -> (&'static str, AnyMac) {
        match (self, method) {
            (Self::Tdea(key), MacMethod::Retail) => {
                let mac = tdea::RetailMac::compute(key, Padding::Zeros, message);
                ("ISO 9797-1 algorithm 3", AnyMac::Tdea(mac.expect("the method was found to be for the key")))
            }
            (Self::Tdea(key), MacMethod::Cmac) => {
                ("TDEA-CMAC", AnyMac::Tdea(tdea::Cmac::compute(key, message)))
            }
            (Self::Aes(key), _) => ("AES-CMAC", AnyMac::Aes(aeskey::Cmac::compute(key, message))),
            (Self::Hmac(key), _) => ("HMAC-SHA-256", AnyMac::Hmac(key.mac(message))),
        }
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
    /// Makes the file that the key is to be stored in, if that was asked for: before a key is used up for it. It is gone
    /// again unless the key comes.
    pub(super) fn make_out(&self) -> Result<Option<NewLine>, Failure> {
        self.out.as_deref().map(NewLine::make).transpose()
    }

    /// Adds to `record` what may be said of `key`, and stores it if that was asked for.
    pub(super) fn finish(&self, record: Record, key: &WorkingKey) -> Result<Record, Failure> {
        self.finish_into(self.make_out()?, record, key)
    }

    /// The same with a file that is made already.
    pub(super) fn finish_into(
        &self,
        out: Option<NewLine>,
        record: Record,
        key: &WorkingKey,
    ) -> Result<Record, Failure> {
        let shown = hex::encode_secret(key.expose_bytes());
        if let Some(out) = out {
            out.store(&shown)?;
        }
        let length = match key {
            WorkingKey::Tdea(key) => length_name(key.length()).to_owned(),
            WorkingKey::Aes(key) => format!("aes-{}", key.length().bits()),
            WorkingKey::Hmac(key) => format!("hmac-{}", 8 * key.expose_bytes().len()),
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
