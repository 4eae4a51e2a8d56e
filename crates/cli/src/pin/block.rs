//! What all commands say of a block: its format, its PAN, and where it is.

use cardroot::pin::{BlockLengthError, Pan, PinBlockFormat};
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::hex;
use crate::input::Input;
use crate::secret::{PanArgument, Secrets};

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// PIN and PAN, filled with F
    #[value(name = "0")]
    Iso0,
    /// PIN and random digits, without PAN
    #[value(name = "1")]
    Iso1,
    /// PIN alone, for chip cards; in clear only
    #[value(name = "2")]
    Iso2,
    /// As 0 with random fill
    #[value(name = "3")]
    Iso3,
    /// PIN and PAN under AES
    #[value(name = "4")]
    Iso4,
}

impl From<Format> for PinBlockFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Iso0 => Self::Iso0,
            Format::Iso1 => Self::Iso1,
            Format::Iso2 => Self::Iso2,
            Format::Iso3 => Self::Iso3,
            Format::Iso4 => Self::Iso4,
        }
    }
}

/// Why a PAN can be expected: see [`Agreed::pan`].
pub(super) const PAN_IS_THERE: &str = "a format that binds the PAN was refused without it";

/// The format that was agreed on, and the PAN.
#[derive(Args)]
pub(super) struct Agreed {
    /// The format of ISO 9564-1 that was agreed on
    #[arg(long, value_enum)]
    format: Format,
    /// The Primary Account Number (PAN), for formats 0, 3 and 4: digits, @FILE, env:NAME, - or ask
    #[arg(long, value_name = "D")]
    pan: Option<PanArgument>,
}

impl Agreed {
    pub(super) fn format(&self) -> PinBlockFormat {
        self.format.into()
    }

    /// The PAN, which is there if `is_needed`.
    pub(super) fn pan(&self, is_needed: bool, secrets: &mut Secrets) -> Result<Option<Pan>, Failure> {
        if self.pan.is_none() && is_needed {
            return Err(pan_missing(self.format()));
        }
        self.pan.as_ref().map(|pan| secrets.pan("--pan", pan)).transpose()
    }
}

/// An enciphered block: an argument, or in a file.
#[derive(Args)]
pub(super) struct Sent {
    /// The enciphered PIN block, in place of FILE: 8 bytes, or 16 in format 4
    #[arg(long, value_name = "H", conflicts_with_all = ["file", "input", "raw"])]
    block: Option<hex::Bytes>,
    #[command(flatten)]
    input: Input,
}

impl Sent {
    pub(super) const fn is_argument(&self) -> bool {
        self.block.is_some()
    }

    /// What is read, in words.
    pub(super) fn place(&self) -> String {
        if self.is_argument() { "--block".into() } else { self.input.place() }
    }

    pub(super) fn read(&self, secrets: &mut Secrets) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match &self.block {
            Some(block) => Ok(Zeroizing::new(block.0.clone())),
            None => self.input.read(secrets),
        }
    }

    /// Reads a block of the length that `B` has.
    pub(super) fn read_as<B>(&self, secrets: &mut Secrets) -> Result<B, Failure>
    where
        B: for<'a> TryFrom<&'a [u8], Error = BlockLengthError>,
    {
        let bytes = self.read(secrets)?;
        B::try_from(&bytes).map_err(|error| Failure::refused(format!("{}: {error}", self.place())))
    }
}

pub(super) fn pan_missing(format: PinBlockFormat) -> Failure {
    Failure::usage(format!("--pan is missing: a block of format {} is bound to its PAN", format.number()))
}
