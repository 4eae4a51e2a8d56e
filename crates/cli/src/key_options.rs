//! Options that many commands have: how check values are computed, and what is done with a key that was made.

use std::path::PathBuf;

use cardroot::components::TdeaComponent;
use cardroot::tdea::{Kcv, KcvError, KcvMethod, KcvMismatch, KeyLength, TdeaKey};
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};

use crate::error::Failure;
use crate::file::NewFiles;
use crate::hex;
use crate::output::Record;

/// Method of a check value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Method {
    /// The key encrypts one block of zeros
    Zeros,
    /// CMAC under the key over one block of zeros
    Cmac,
}

impl Method {
    pub(crate) const ALL: [Self; 2] = [Self::Zeros, Self::Cmac];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Cmac => "cmac",
        }
    }
}

impl From<Method> for KcvMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Zeros => Self::TdeaZeros,
            Method::Cmac => Self::TdeaCmac,
        }
    }
}

/// Length of a check value: what a TDEA method has.
#[derive(Args)]
pub(crate) struct KcvLength {
    /// Bytes of each check value, 2 to 8
    #[arg(long = "kcv-len", value_name = "N", default_value_t = Kcv::USUAL_LEN)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(2..=8))]
    pub(crate) bytes: usize,
}

impl KcvLength {
    pub(crate) fn of_key(&self, method: Method, key: &TdeaKey) -> Kcv {
        key.kcv_by(method.into(), self.bytes).expect("both methods have 2 to 8 bytes")
    }
}

/// How check values are computed.
#[derive(Args)]
pub(crate) struct KcvOptions {
    /// How check values are computed
    #[arg(long = "kcv-method", value_enum, default_value = "zeros")]
    pub(crate) method: Method,
    #[command(flatten)]
    pub(crate) length: KcvLength,
}

impl KcvOptions {
    pub(crate) fn of_key(&self, key: &TdeaKey) -> Kcv {
        self.length.of_key(self.method, key)
    }

    pub(crate) fn of_component(&self, component: &TdeaComponent) -> Kcv {
        component.kcv_by(self.method.into(), self.length.bytes).expect("both methods have 2 to 8 bytes")
    }
}

/// A check value to compare with, of either method and of 2 to 8 bytes. Its length decides how much is compared.
#[derive(Clone)]
pub(crate) struct ExpectedKcv(Vec<u8>);

impl ExpectedKcv {
    /// Compares with the check value that `kcv_by` computes by `method`.
    pub(crate) fn verify(
        &self,
        what: &str,
        method: Method,
        kcv_by: impl FnOnce(KcvMethod, usize) -> Result<Kcv, KcvError>,
    ) -> Result<(), Failure> {
        let expected = Kcv::new(method.into(), &self.0).expect("both methods have 2 to 8 bytes");
        let found = kcv_by(method.into(), self.0.len()).expect("both methods have 2 to 8 bytes");
        found.verify(&expected).map_err(|KcvMismatch| {
            Failure::refused(format!(
                "{what} has check value {found}, not {expected}: it is another one or mistyped"
            ))
        })
    }
}

impl TryFrom<&[u8]> for ExpectedKcv {
    type Error = KcvError;

    fn try_from(bytes: &[u8]) -> Result<Self, KcvError> {
        Kcv::new(KcvMethod::TdeaZeros, bytes).map(|_| Self(bytes.into()))
    }
}

/// What is done with a key that was made.
#[derive(Args)]
pub(crate) struct KeyOptions {
    /// Shows the key, in upper-case hexadecimal
    #[arg(long)]
    pub(crate) show_key: bool,
    /// Stores the key in FILE, which must not exist; only its owner can read it (mode 0600)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kcv: KcvOptions,
}

impl KeyOptions {
    /// Adds to `record` what may be said of `key`, and stores it if that was asked for.
    pub(crate) fn finish(&self, record: Record, key: &TdeaKey) -> Result<Record, Failure> {
        let shown = hex::encode_secret(key.expose_bytes());
        if let Some(path) = &self.out {
            NewFiles::store_line(path, &shown)?;
        }
        Ok(record
            .with("length", length_name(key.length()))
            .with("check_value_method", self.kcv.method.name())
            .with("check_value", self.kcv.of_key(key).to_string())
            .with_some("key", self.show_key.then_some(shown))
            .with_some("file", self.out.as_ref().map(|path| path.display().to_string())))
    }
}

pub(crate) const fn length_name(length: KeyLength) -> &'static str {
    match length {
        KeyLength::Double => "double",
        KeyLength::Triple => "triple",
    }
}
