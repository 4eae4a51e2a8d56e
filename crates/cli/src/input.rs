//! Binary input: what a message or a block is written as, in a file or on standard input.

use std::path::{Path, PathBuf};

use base64ct::{Base64, Base64Unpadded, Encoding};
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::secret::Secrets;
use crate::{file, hex};

/// How bytes are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// Hexadecimal digits; blanks and line ends between them don't matter
    Hex,
    /// Base64, padded or not; blanks and line ends don't matter
    Base64,
    /// The bytes themselves
    Raw,
    /// Hexadecimal if all characters are digits of it, else Base64 if all are of that, else the bytes themselves
    Auto,
}

/// How a file, or standard input, is written.
#[derive(Args)]
pub(crate) struct Written {
    /// How what is read is written
    #[arg(long, value_enum, value_name = "FORM", default_value = "hex")]
    input: Form,
    /// What is read are the bytes themselves: the same as --input raw
    #[arg(long, conflicts_with = "input")]
    raw: bool,
}

/// A file, or standard input, with bytes in some form.
#[derive(Args)]
pub(crate) struct Input {
    #[command(flatten)]
    written: Written,
    /// The file to read; standard input if not given
    file: Option<PathBuf>,
}

/// Text that is not Base64. It names offsets, never characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
enum Base64Error {
    #[error("there is nothing; Base64 is needed")]
    Empty,
    #[error("the character at offset {offset} is not of Base64")]
    Character {
        /// Offset in the text, from 0, blanks counted.
        offset: usize,
    },
    #[error("the Base64 is cut off, or padded wrongly at its end")]
    End,
}

impl Input {
    /// What is read, in words.
    pub(crate) fn place(&self) -> String {
        file::place(self.file.as_deref())
    }

    /// Reads the bytes.
    pub(crate) fn read(&self, secrets: &mut Secrets) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.written.read(self.file.as_deref(), secrets)
    }
}

impl Written {
    /// Reads the bytes of `path`, or of standard input.
    pub(crate) fn read(
        &self,
        path: Option<&Path>,
        secrets: &mut Secrets,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let content = secrets.file(path)?;
        let refused = |error: &dyn core::error::Error| {
            Failure::refused(format!("{}: {error}; other forms are read by --input", file::place(path)))
        };
        match if self.raw { Form::Raw } else { self.input } {
            Form::Hex => hex::decode(&content).map_err(|error| refused(&error)),
            Form::Base64 => decode_base64(&content).map_err(|error| refused(&error)),
            Form::Raw => Ok(content),
            Form::Auto => Ok(hex::decode(&content).or_else(|_| decode_base64(&content)).unwrap_or(content)),
        }
    }
}

fn decode_base64(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Base64Error> {
    let mut characters = Zeroizing::new(Vec::with_capacity(text.len()));
    characters.extend(text.iter().filter(|c| !c.is_ascii_whitespace()));
    if characters.is_empty() {
        return Err(Base64Error::Empty);
    }
    let mut bytes = Zeroizing::new(vec![0; characters.len()]);
    let decode = if characters.ends_with(b"=") { Base64::decode } else { Base64Unpadded::decode };
    let len = decode(characters.as_slice(), &mut bytes).map_err(|_| fault(text))?.len();
    bytes.truncate(len);
    Ok(bytes)
}

fn fault(text: &[u8]) -> Base64Error {
    let is_strange =
        |c: &u8| !c.is_ascii_alphanumeric() && !c.is_ascii_whitespace() && !matches!(c, b'+' | b'/' | b'=');
    text.iter().position(is_strange).map_or(Base64Error::End, |offset| Base64Error::Character { offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_taken_padded_or_not() {
        for text in ["G5wYReuZOno=", "G5wYReuZOno", " G5wY\r\nReuZ Ono=\n"] {
            let bytes = decode_base64(text.as_bytes()).map(|bytes| bytes.to_vec());
            assert_eq!(bytes, Ok(vec![0x1B, 0x9C, 0x18, 0x45, 0xEB, 0x99, 0x3A, 0x7A]));
        }
    }

    #[test]
    fn faults_of_base64_are_named_by_offset() {
        let fault = |text: &str| decode_base64(text.as_bytes()).map(|bytes| bytes.to_vec()).unwrap_err();
        assert_eq!(fault(" \n"), Base64Error::Empty);
        assert_eq!(fault("G5 wY!"), Base64Error::Character { offset: 5 });
        for end in ["G5wYR", "G5wYReuZOno==", "G5wYReuZOnp=", "G5=wY"] {
            assert_eq!(fault(end), Base64Error::End, "{end}");
        }
    }
}
