//! `dukpt encrypt-data` and `dukpt decrypt-data`.

use std::path::PathBuf;

use cardroot::aeskey;
use cardroot::tdea::{self, Mode};
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use super::names::{Names, TransactionRef};
use super::value_name;
use super::working_key::{Answer2004, Chosen, Direction, Kind, Parent, WorkingKey};
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

/// Which key it is.
#[derive(Args)]
struct DataKey {
    #[command(flatten)]
    names: Names,
    /// What the data is to the terminal
    #[arg(long = "use", value_enum, value_name = "USE")]
    direction: Direction,
    #[command(flatten)]
    kind: Kind,
}

/// Data and how it is encrypted.
#[derive(Args)]
pub(super) struct DataOptions {
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
    key: DataKey,
    #[command(flatten)]
    data: DataOptions,
    #[command(flatten)]
    answer: Answer2004,
}

#[derive(Args)]
pub(crate) struct DecryptData {
    #[command(flatten)]
    key: DataKey,
    #[command(flatten)]
    data: DataOptions,
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

/// All that a cipher needs but its key.
pub(super) struct Prepared<'a> {
    direction: Direction,
    options: &'a DataOptions,
    key: Chosen,
    iv: Iv,
    data: Zeroizing<Vec<u8>>,
}

/// An initial vector, by the cipher that takes it.
#[derive(Clone, Copy)]
enum Iv {
    Tdea([u8; tdea::BLOCK_LEN]),
    Aes([u8; aeskey::BLOCK_LEN]),
}

pub(super) fn encrypt(arguments: &EncryptData) -> Result<Report, Failure> {
    let EncryptData { key, data, answer } = arguments;
    let mut secrets = Secrets::default();
    let transaction = key.names.transaction(&mut secrets)?;
    let transaction = transaction.as_ref();
    let mut prepared = data.read(transaction.parent(), &key.kind, key.direction, &mut secrets)?;
    answer.check(prepared.key())?;
    prepared.pad()?;
    Ok(prepared.encrypt(transaction).into())
}

pub(super) fn decrypt(arguments: &DecryptData) -> Result<Report, Failure> {
    let DecryptData { key, data, show_data } = arguments;
    let mut secrets = Secrets::default();
    let transaction = key.names.transaction(&mut secrets)?;
    let transaction = transaction.as_ref();
    let prepared = data.read(transaction.parent(), &key.kind, key.direction, &mut secrets)?;
    prepared.check_blocks()?;
    prepared.decrypt(transaction, *show_data).map(Report::from)
}

impl DataOptions {
    /// Reads and checks all that is needed, so that nothing can fail after a key was used.
    pub(super) fn read(
        &self,
        parent: Parent,
        kind: &Kind,
        direction: Direction,
        secrets: &mut Secrets,
    ) -> Result<Prepared<'_>, Failure> {
        let key = kind.choose(parent, direction.data())?;
        let iv = if key.is_aes() { Iv::Aes(self.iv()?) } else { Iv::Tdea(self.iv()?) };
        let data = secrets.message(self.file.as_deref(), self.raw)?;
        Ok(Prepared { direction, options: self, key, iv, data })
    }

    fn iv<const N: usize>(&self) -> Result<[u8; N], Failure> {
        let Some(hex::Bytes(iv)) = &self.iv else { return Ok([0; N]) };
        iv.as_slice().try_into().map_err(|_| {
            Failure::usage(format!("--iv: the initial vector of this key is {N} bytes, found {}", iv.len()))
        })
    }
}

impl Prepared<'_> {
    pub(super) const fn key(&self) -> Chosen {
        self.key
    }

    /// Pads what is to be encrypted.
    pub(super) fn pad(&mut self) -> Result<(), Failure> {
        self.options.padding.pad(&mut self.data, self.iv.block_len());
        self.check_blocks()
    }

    fn check_blocks(&self) -> Result<(), Failure> {
        let (len, block_len) = (self.data.len(), self.iv.block_len());
        if len.is_multiple_of(block_len) {
            return Ok(());
        }
        let place = crate::file::place(self.options.file.as_deref());
        Err(Failure::refused(format!(
            "{place}: data of {len} bytes is not a whole number of {block_len}-byte blocks"
        )))
    }

    /// Encrypts what was padded.
    pub(super) fn encrypt(&self, transaction: TransactionRef<'_>) -> Record {
        let mut data = self.data.clone();
        let done = match (self.key.key(transaction), self.iv) {
            (WorkingKey::Tdea(key), Iv::Tdea(iv)) => {
                key.cipher().encrypt(Mode::Cbc { iv }, &mut data).is_ok()
            }
            (WorkingKey::Aes(key), Iv::Aes(iv)) => key.encrypt_cbc(iv, &mut data).is_ok(),
            _ => false,
        };
        assert!(done, "blocks are whole, and the initial vector is by the key");
        self.record(transaction).with("length", data.len()).with("data", hex::encode(&data))
    }

    fn decrypt(mut self, transaction: TransactionRef<'_>, show_data: bool) -> Result<Record, Failure> {
        let data = &mut self.data;
        let done = match (self.key.key(transaction), self.iv) {
            (WorkingKey::Tdea(key), Iv::Tdea(iv)) => key.cipher().decrypt(Mode::Cbc { iv }, data).is_ok(),
            (WorkingKey::Aes(key), Iv::Aes(iv)) => key.decrypt_cbc(iv, data).is_ok(),
            _ => false,
        };
        assert!(done, "blocks are whole, and the initial vector is by the key");
        let len = self.options.padding.data_len(data, self.iv.block_len()).ok_or_else(|| {
            Failure::refused(
                "the data does not end as --padding 80 says: another key, edition or padding; dukpt diagnose data looks for the reason",
            )
        })?;
        self.data.truncate(len);
        Ok(shown(self.record(transaction).with("length", len), &self.data, show_data))
    }

    fn record(&self, transaction: TransactionRef<'_>) -> Record {
        Record::new().with("ksn", transaction.ksn()).with("use", value_name(self.direction))
    }
}

impl Iv {
    const fn block_len(self) -> usize {
        match self {
            Self::Tdea(_) => tdea::BLOCK_LEN,
            Self::Aes(_) => aeskey::BLOCK_LEN,
        }
    }
}

/// Adds decrypted data to a record, if that was asked for: as digits, and as text if it is text.
pub(super) fn shown(record: Record, data: &[u8], show_data: bool) -> Record {
    let text = core::str::from_utf8(data).ok().filter(|text| !text.contains(|c: char| c.is_control()));
    record
        .with_some("data", show_data.then(|| hex::encode_secret(data)))
        .with_some("text", show_data.then(|| text.map(|text| Zeroizing::new(text.to_owned()))))
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
