//! Keys of several ciphers: their names, their check values, and what is done with one that was made.

use alloc::borrow::Cow;
use std::path::PathBuf;

use cardroot::diversify::block::{AesKey, AesKeyLength, Sm4Key};
use cardroot::tdea::hazmat::DesKey;
use cardroot::tdea::{BLOCK_LEN, Kcv, KcvMethod, KeyLength, TdeaKey};
use clap::{Args, ValueEnum};

use crate::error::Failure;
use crate::file::NewFiles;
use crate::hex;
use crate::key_options::{KcvLength, length_name};
use crate::output::{Record, Value};

/// A key of any cipher, whatever it is for.
#[derive(Clone, Copy)]
pub(crate) enum AnyKey<'a> {
    Tdea(&'a TdeaKey),
    Aes(&'a AesKey),
    Sm4(&'a Sm4Key),
    Des(&'a DesKey),
    /// Of an algorithm that has no check values here.
    Other(&'a [u8]),
}

/// Declares what counts as [`AnyKey`].
macro_rules! any_key {
    ($($cipher:ident: $key:ty;)*) => {$(
        impl<'a> From<&'a $key> for AnyKey<'a> {
            fn from(key: &'a $key) -> Self {
                Self::$cipher(key)
            }
        }
    )*};
}

any_key! {
    Tdea: TdeaKey;
    Aes: AesKey;
    Sm4: Sm4Key;
    Des: DesKey;
}

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

/// How check values are computed.
#[derive(Args)]
pub(crate) struct KcvOptions {
    /// How check values are computed; if not given, by ones for AES keys, cmac for those of key blocks, and zeros for others
    #[arg(long, value_enum)]
    kcv_method: Option<Method>,
    #[command(flatten)]
    length: KcvLength,
}

/// What is done with a key that was made.
#[derive(Args)]
pub(crate) struct KeyOptions {
    /// Shows the key, in upper-case hexadecimal
    #[arg(long)]
    show_key: bool,
    /// Stores the key in FILE, which must not exist; only its owner can read it (mode 0600)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kcv: KcvOptions,
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

impl AnyKey<'_> {
    pub(crate) fn expose_bytes(&self) -> &[u8] {
        match self {
            Self::Tdea(key) => key.expose_bytes(),
            Self::Aes(key) => key.expose_bytes(),
            Self::Sm4(key) => key.expose_bytes(),
            Self::Des(key) => key.expose_bytes(),
            Self::Other(bytes) => bytes,
        }
    }

    fn length_name(&self) -> Cow<'static, str> {
        let name = match self {
            Self::Tdea(key) => length_name(key.length()),
            Self::Aes(key) => match key.length() {
                AesKeyLength::Aes128 => "aes-128",
                AesKeyLength::Aes192 => "aes-192",
                AesKeyLength::Aes256 => "aes-256",
            },
            Self::Sm4(_) => "sm4-128",
            Self::Des(_) => "single",
            Self::Other(bytes) => return format!("{} bytes", bytes.len()).into(),
        };
        name.into()
    }
}

impl KcvOptions {
    /// The same with `method` if none was asked for.
    pub(crate) fn or_method(self, method: Method) -> Self {
        Self { kcv_method: self.kcv_method.or(Some(method)), ..self }
    }

    /// The method for `key`: GlobalPlatform's for AES unless another was asked for.
    pub(crate) fn method(&self, key: AnyKey<'_>) -> Method {
        self.kcv_method.unwrap_or(match key {
            AnyKey::Aes(_) => Method::Ones,
            AnyKey::Tdea(_) | AnyKey::Sm4(_) | AnyKey::Des(_) | AnyKey::Other(_) => Method::Zeros,
        })
    }

    /// The check value of `key`; a method of another cipher is wrong usage.
    pub(crate) fn of_key(&self, key: AnyKey<'_>) -> Result<Kcv, Failure> {
        let (method, length) = (self.method(key), self.length.bytes);
        let of_tdea = |key: &TdeaKey| match method {
            Method::Zeros => key.kcv_by(KcvMethod::TdeaZeros, length).ok(),
            Method::Cmac => key.kcv_by(KcvMethod::TdeaCmac, length).ok(),
            Method::Ones => None,
        };
        let kcv = match key {
            AnyKey::Tdea(key) => of_tdea(key),
            AnyKey::Des(key) => of_tdea(&repeated(key)),
            AnyKey::Aes(key) => {
                let method = match method {
                    Method::Zeros => KcvMethod::AesZeros,
                    Method::Ones => KcvMethod::AesOnes,
                    Method::Cmac => KcvMethod::AesCmac,
                };
                key.kcv_by(method, length).ok()
            }
            AnyKey::Sm4(key) if method == Method::Zeros => key.kcv_by(KcvMethod::Sm4Zeros, length).ok(),
            AnyKey::Sm4(_) | AnyKey::Other(_) => None,
        };
        kcv.ok_or_else(|| {
            Failure::usage(format!("--kcv-method {} is not for keys of this cipher", method.name()))
        })
    }
}

impl Method {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Zeros => "zeros",
            Self::Ones => "ones",
            Self::Cmac => "cmac",
        }
    }
}

impl KeyOptions {
    /// The same with check values by `method` if none was asked for.
    pub(crate) fn or_method(self, method: Method) -> Self {
        Self { kcv: self.kcv.or_method(method), ..self }
    }

    /// Adds to `record` what may be said of `key`, and stores it if that was asked for.
    pub(crate) fn finish(&self, record: Record, key: AnyKey<'_>) -> Result<Record, Failure> {
        let kcv = match key {
            AnyKey::Other(_) => None,
            key => Some((self.kcv.method(key).name(), self.kcv.of_key(key)?.to_string())),
        };
        let (method, kcv) = kcv.unzip();
        let shown = hex::encode_secret(key.expose_bytes());
        if let Some(path) = &self.out {
            NewFiles::store_line(path, &shown)?;
        }
        Ok(record
            .with("length", key.length_name().into_owned())
            .with("check_value_method", method)
            .with("check_value", kcv)
            .with_some("key", self.show_key.then_some(shown))
            .with_some("file", self.out.as_ref().map(|path| path.display().to_string())))
    }
}

impl KeysOptions {
    /// Adds to `record` what may be said of named keys, which are of one cipher, and stores them if that was asked for.
    pub(crate) fn finish(
        &self,
        record: Record,
        keys: &[(&'static str, AnyKey<'_>)],
    ) -> Result<Record, Failure> {
        let method = keys.first().map(|(_, key)| self.kcv.method(*key).name());
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

/// TDEA with one key for all its parts is DES.
pub(crate) fn repeated(key: &DesKey) -> TdeaKey {
    TdeaKey::from_fill(KeyLength::Double, |both| {
        let (left, right) = both.split_at_mut(BLOCK_LEN);
        left.copy_from_slice(key.expose_bytes());
        right.copy_from_slice(key.expose_bytes());
    })
}
