//! `dukpt encrypt-data` and `dukpt decrypt-data`.

use std::path::PathBuf;

use cardroot::aeskey;
use cardroot::tdea::{self, Mode};
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use super::names::Names;
use super::value_name;
use super::working_key::{Direction, Kind, WorkingKey};
use crate::error::Failure;
use crate::hex;
use crate::output::{Record, Report};
use crate::secret::Secrets;

pub(super) const ENCRYPT_EXAMPLES: &str = "\
Examples:
  cardroot dukpt encrypt-data --bdk @bdk.hex --ksn FFFF9876543210E00001 --use request --padding zeros track2.hex
  cardroot dukpt encrypt-data --aes --bdk @bdk-aes.hex --ksn 123456789012345600000001 --use request --raw track2.txt";

pub(super) const DECRYPT_EXAMPLES: &str = "\
Examples:
  cardroot dukpt decrypt-data --bdk @bdk.hex --ksn FFFF9876543210E00001 --use request --show-data data.hex
  cardroot dukpt decrypt-data --bdk @bdk.hex --ksn FFFF9876543210E00001 --use request --edition 2004 --show-data data.hex";

/// How data is encrypted.
#[derive(Args)]
struct Data {
    #[command(flatten)]
    names: Names,
    /// What the data is to the terminal
    #[arg(long = "use", value_enum, value_name = "USE")]
    direction: Direction,
    #[command(flatten)]
    kind: Kind,
    /// The initial vector of CBC, one block: zeros unless given
    #[arg(long, value_name = "H")]
    iv: Option<hex::Bytes>,
    /// How data is brought to whole blocks
    #[arg(long, value_enum, default_value = "none")]
    padding: Padding,
    /// FILE holds the data itself, not its hexadecimal digits
    #[arg(long)]
    raw: bool,
    /// The data in hexadecimal; standard input if not given
    file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct EncryptData {
    #[command(flatten)]
    data: Data,
}

#[derive(Args)]
pub(crate) struct DecryptData {
    #[command(flatten)]
    data: Data,
    /// Shows the data
    #[arg(long)]
    show_data: bool,
}

/// Padding of ISO 9797-1, for blocks of either length.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Padding {
    /// None: the data is whole blocks
    None,
    /// Method 1: zeros; can't be told from data when decrypted, so they stay
    Zeros,
    /// Method 2: one byte 80, then zeros
    #[value(name = "80")]
    OneAndZeros,
}

impl Padding {
    fn pad(self, data: &mut Zeroizing<Vec<u8>>, block_len: usize) {
        let len = match self {
            Self::None => return,
            Self::Zeros => data.len().max(1),
            Self::OneAndZeros => data.len() + 1,
        };
        // One allocation of its own: growing would leave a copy behind.
        let mut padded = Zeroizing::new(Vec::with_capacity(len.next_multiple_of(block_len)));
        padded.extend_from_slice(data);
        if self == Self::OneAndZeros {
            padded.push(0x80);
        }
        padded.resize(len.next_multiple_of(block_len), 0);
        *data = padded;
    }

    /// How many bytes of decrypted data are data; none if the padding is wrong.
    fn data_len(self, padded: &[u8], block_len: usize) -> Option<usize> {
        if self != Self::OneAndZeros {
            return Some(padded.len());
        }
        let len = padded.iter().rposition(|byte| *byte != 0)?;
        (padded.get(len) == Some(&0x80) && padded.len() - len <= block_len).then_some(len)
    }
}

/// What a data key does.
#[derive(Clone, Copy)]
enum Way {
    Encrypt,
    Decrypt,
}

pub(super) fn encrypt(arguments: &EncryptData) -> Result<Report, Failure> {
    let arguments = &arguments.data;
    let (ksn, key, mut data) = arguments.read()?;
    arguments.padding.pad(&mut data, block_len(&key));
    arguments.run(&key, Way::Encrypt, &mut data)?;
    Ok(arguments.record(ksn).with("length", data.len()).with("data", hex::encode(&data)).into())
}

pub(super) fn decrypt(arguments: &DecryptData) -> Result<Report, Failure> {
    let DecryptData { data: arguments, show_data } = arguments;
    let (ksn, key, mut data) = arguments.read()?;
    arguments.run(&key, Way::Decrypt, &mut data)?;
    let len = arguments.padding.data_len(&data, block_len(&key)).ok_or_else(|| {
        Failure::refused("the data does not end as --padding 80 says: another key, edition or padding; dukpt diagnose data looks for the reason")
    })?;
    data.truncate(len);
    Ok(shown(arguments.record(ksn).with("length", len), &data, *show_data).into())
}

/// Adds decrypted data to a record, if that was asked for: as digits, and as text if it is text.
pub(super) fn shown(record: Record, data: &[u8], show_data: bool) -> Record {
    let text = core::str::from_utf8(data).ok().filter(|text| !text.contains(|c: char| c.is_control()));
    record
        .with_some("data", show_data.then(|| hex::encode_secret(data)))
        .with_some("text", show_data.then(|| text.map(|text| Zeroizing::new(text.to_owned()))))
}

impl Data {
    fn read(&self) -> Result<(String, WorkingKey, Zeroizing<Vec<u8>>), Failure> {
        let mut secrets = Secrets::default();
        let transaction = self.names.transaction(&mut secrets)?;
        let key = self.kind.key(&transaction, self.direction.data())?;
        Ok((transaction.ksn(), key, secrets.message(self.file.as_deref(), self.raw)?))
    }

    fn run(&self, key: &WorkingKey, way: Way, data: &mut [u8]) -> Result<(), Failure> {
        let unfit = |error: &dyn core::error::Error| {
            Failure::refused(format!("{}: {error}", crate::file::place(self.file.as_deref())))
        };
        match key {
            WorkingKey::Tdea(key) => {
                let mode = Mode::Cbc { iv: self.iv()? };
                match way {
                    Way::Encrypt => key.cipher().encrypt(mode, data),
                    Way::Decrypt => key.cipher().decrypt(mode, data),
                }
                .map_err(|error| unfit(&error))
            }
            WorkingKey::Aes(key) => {
                let iv = self.iv()?;
                match way {
                    Way::Encrypt => key.encrypt_cbc(iv, data),
                    Way::Decrypt => key.decrypt_cbc(iv, data),
                }
                .map_err(|error| unfit(&error))
            }
            WorkingKey::Hmac(_) => unreachable!("there are no HMAC keys for data"),
        }
    }

    fn iv<const N: usize>(&self) -> Result<[u8; N], Failure> {
        let Some(hex::Bytes(iv)) = &self.iv else { return Ok([0; N]) };
        iv.as_slice().try_into().map_err(|_| {
            Failure::usage(format!("--iv: the initial vector of this key is {N} bytes, found {}", iv.len()))
        })
    }

    fn record(&self, ksn: String) -> Record {
        Record::new().with("ksn", ksn).with("use", value_name(self.direction))
    }
}

const fn block_len(key: &WorkingKey) -> usize {
    match key {
        WorkingKey::Aes(_) => aeskey::BLOCK_LEN,
        WorkingKey::Tdea(_) | WorkingKey::Hmac(_) => tdea::BLOCK_LEN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_comes_off_as_it_went_on() {
        for len in 0..20 {
            let data = vec![0x80; len];
            for block_len in [8, 16] {
                let mut padded = Zeroizing::new(data.clone());
                Padding::OneAndZeros.pad(&mut padded, block_len);
                assert!(padded.len() > len && padded.len().is_multiple_of(block_len));
                assert_eq!(Padding::OneAndZeros.data_len(&padded, block_len), Some(len));
            }
        }
    }

    #[test]
    fn zeros_fill_up_and_stay() {
        let mut padded = Zeroizing::new(vec![1; 9]);
        Padding::Zeros.pad(&mut padded, 8);
        assert_eq!((padded.len(), Padding::Zeros.data_len(&padded, 8)), (16, Some(16)));
    }

    #[test]
    fn what_does_not_end_in_padding_is_refused() {
        for padded in [&[0; 8][..], &[1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x81; 8]] {
            assert_eq!(Padding::OneAndZeros.data_len(padded, 8), None);
        }
    }
}
