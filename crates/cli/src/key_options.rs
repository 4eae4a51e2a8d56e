//! Options that many commands have: how check values are computed, and what is done with keys that were made.

use std::path::PathBuf;

use cardroot::tdea::{Kcv, KcvError, KcvMethod, KcvMismatch};
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};

use crate::any_key::{AnyKey, Cipher};
use crate::error::Failure;
use crate::file::{NewFiles, NewLine};
use crate::hex;
use crate::output::{Record, Value};

/// Method of a check value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Method {
    /// The key encrypts one block of zeros
    Zeros,
    /// The AES key encrypts one block of bytes 01
    Ones,
    /// CMAC under the key over one block of zeros
    Cmac,
}

impl Method {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Ones => "ones",
            Self::Cmac => "cmac",
        }
    }

    /// The same for keys of `cipher`; one that they do not have is wrong usage.
    pub(crate) fn of(self, cipher: Cipher) -> Result<KcvMethod, Failure> {
        match (cipher, self) {
            (Cipher::Tdea, Self::Zeros) => Ok(KcvMethod::TdeaZeros),
            (Cipher::Tdea, Self::Cmac) => Ok(KcvMethod::TdeaCmac),
            (Cipher::Aes, Self::Zeros) => Ok(KcvMethod::AesZeros),
            (Cipher::Aes, Self::Ones) => Ok(KcvMethod::AesOnes),
            (Cipher::Aes, Self::Cmac) => Ok(KcvMethod::AesCmac),
            (Cipher::Sm4, Self::Zeros) => Ok(KcvMethod::Sm4Zeros),
            _ => {
                let name = self.name();
                Err(Failure::usage(format!("--kcv-method {name} is not for keys of this cipher")))
            }
        }
    }
}

/// Length of a check value: what all methods have.
#[derive(Args, Clone, Copy)]
pub(crate) struct KcvLength {
    /// Bytes of each check value, 2 to 8
    #[arg(long = "kcv-len", value_name = "N", default_value_t = Kcv::USUAL_LEN)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(2..=8))]
    pub(crate) bytes: usize,
}

/// How check values are computed.
#[derive(Args, Clone, Copy)]
pub(crate) struct KcvOptions {
    /// How check values are computed; if not given, by zeros, but for AES keys by cmac (DUKPT, key blocks) or ones (others)
    #[arg(long, value_enum)]
    kcv_method: Option<Method>,
    #[arg(skip = Method::Ones)]
    usual_for_aes: Method,
    #[command(flatten)]
    length: KcvLength,
}

impl KcvOptions {
    /// The same with CMAC for AES keys if nothing else was asked for: GlobalPlatform has ones.
    pub(crate) fn aes_by_cmac(self) -> Self {
        Self { usual_for_aes: Method::Cmac, ..self }
    }

    /// The method for keys of `cipher`.
    pub(crate) fn method(&self, cipher: Cipher) -> Method {
        self.kcv_method.unwrap_or(match cipher {
            Cipher::Aes => self.usual_for_aes,
            Cipher::Tdea | Cipher::Sm4 | Cipher::Other => Method::Zeros,
        })
    }

    /// The same; one that they do not have is wrong usage.
    pub(crate) fn check(&self, cipher: Cipher) -> Result<KcvMethod, Failure> {
        self.method(cipher).of(cipher)
    }

    /// The check value of `key`.
    pub(crate) fn of_key(&self, key: AnyKey<'_>) -> Result<Kcv, Failure> {
        self.by(key.cipher(), |method, len| key.kcv_by(method, len))
    }

    /// What `kcv_by` computes for a key, or a component, of `cipher`.
    pub(crate) fn by(
        &self,
        cipher: Cipher,
        kcv_by: impl FnOnce(KcvMethod, usize) -> Result<Kcv, KcvError>,
    ) -> Result<Kcv, Failure> {
        let method = self.check(cipher)?;
        Ok(kcv_by(method, self.length.bytes).expect("every method has 2 to 8 bytes"))
    }
}

/// A check value to compare with, by any method and of 2 to 8 bytes. Its length decides how much is compared.
#[derive(Clone)]
pub(crate) struct ExpectedKcv(Vec<u8>);

impl ExpectedKcv {
    /// Compares with the check value that `kcv_by` computes by `method`.
    pub(crate) fn verify(
        &self,
        what: &str,
        method: KcvMethod,
        kcv_by: impl FnOnce(KcvMethod, usize) -> Result<Kcv, KcvError>,
    ) -> Result<(), Failure> {
        let expected = Kcv::new(method, &self.0).expect("every method has 2 to 8 bytes");
        let found = kcv_by(method, self.0.len()).expect("every method has 2 to 8 bytes");
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
#[derive(Args, Clone)]
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
    /// The same with check values of AES keys by CMAC if nothing else was asked for.
    pub(crate) fn aes_by_cmac(&self) -> Self {
        Self { kcv: self.kcv.aes_by_cmac(), ..self.clone() }
    }

    /// Makes the file that the key is to be stored in, if that was asked for: before a key is used up for it. It is gone
    /// again unless the key comes.
    pub(crate) fn make_out(&self) -> Result<Option<NewLine>, Failure> {
        self.out.as_deref().map(NewLine::make).transpose()
    }

    /// Adds to `record` what may be said of `key`, and stores it if that was asked for.
    pub(crate) fn finish(&self, record: Record, key: AnyKey<'_>) -> Result<Record, Failure> {
        self.finish_into(self.make_out()?, record, key)
    }

    /// The same with a file that is made already.
    pub(crate) fn finish_into(
        &self,
        out: Option<NewLine>,
        record: Record,
        key: AnyKey<'_>,
    ) -> Result<Record, Failure> {
        let kcv = match key.cipher() {
            Cipher::Other => None,
            cipher => Some((self.kcv.method(cipher).name(), self.kcv.of_key(key)?.to_string())),
        };
        let (method, kcv) = kcv.unzip();
        let shown = hex::encode_secret(key.expose_bytes());
        if let Some(out) = out {
            out.store(&shown)?;
        }
        Ok(record
            .with("length", key.length_name().into_owned())
            .with("check_value_method", method)
            .with("check_value", kcv)
            .with_some("key", self.show_key.then_some(shown))
            .with_some("file", self.out.as_ref().map(|path| path.display().to_string())))
    }
}

/// What is done with several keys that were made at once.
#[derive(Args)]
pub(crate) struct KeysOptions {
    /// Shows the keys, in upper-case hexadecimal
    #[arg(long)]
    show_key: bool,
    /// Stores each key in DIR, in a new file with its name, which only its owner can read; DIR is made if it is not there
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kcv: KcvOptions,
}

impl KeysOptions {
    /// Adds to `record` what may be said of named keys, which are of one cipher, and stores them if that was asked for.
    pub(crate) fn finish(
        &self,
        record: Record,
        keys: &[(&'static str, AnyKey<'_>)],
    ) -> Result<Record, Failure> {
        let method = keys.first().map(|(_, key)| self.kcv.method(key.cipher()).name());
        let mut files = NewFiles::default();
        let mut rows = Vec::new();
        for (name, key) in keys {
            let kcv = self.kcv.of_key(*key)?;
            let shown = hex::encode_secret(key.expose_bytes());
            let path = self.out_dir.as_ref().map(|folder| folder.join(format!("{name}.hex")));
            if let (Some(folder), Some(path)) = (&self.out_dir, &path) {
                files.folder(folder)?;
                files.write_line(path, &shown)?;
            }
            rows.push(
                Record::new()
                    .with("name", *name)
                    .with("check_value", kcv.to_string())
                    .with_some("key", self.show_key.then_some(shown))
                    .with_some("file", path.map(|path| path.display().to_string())),
            );
        }
        files.keep();
        Ok(record.with("check_value_method", method).with("keys", Value::Table(rows)))
    }
}
