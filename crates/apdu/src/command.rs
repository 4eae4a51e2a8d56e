//! Commands in all cases, short and extended.

use crate::bytes::SecretBytes;
use crate::class::ClassError;
use crate::header::{Header, InvalidInstruction};
use crate::le::Le;
use crate::status::StatusWord;

/// A command APDU: header, data, expected length. Its data is wiped on drop; `Debug` shows lengths only.
///
/// It is encoded short if data and Le allow it and extended otherwise; the two forms are never mixed:
///
/// ```text
/// case 1   header
/// case 2S  header Le                    2E  header 00 Le Le
/// case 3S  header Lc data               3E  header 00 Lc Lc data
/// case 4S  header Lc data Le            4E  header 00 Lc Lc data Le Le
/// ```
///
/// # Source
/// ISO/IEC 7816-4:2013 5.2; ISO/IEC 7816-3:2006 12.1.
///
/// # Examples
/// ```
/// use cardroot_apdu::{Case, CommandApdu, Header, Instruction, Le};
///
/// let read = CommandApdu::new(Header::iso(Instruction::READ_BINARY, 0x95, 0)).with_le(Le::MAX_SHORT);
/// assert_eq!(read.case(), Case::TwoShort);
/// assert_eq!(read.encode().expose_bytes(), [0x00, 0xB0, 0x95, 0x00, 0x00]);
/// ```
#[derive(Debug)]
pub struct CommandApdu {
    header: Header,
    data: SecretBytes,
    le: Option<Le>,
    /// The form asked for. A body too long for the short form is extended all the same.
    form: LengthForm,
    repetition: Repetition,
}

/// Form of the length fields.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LengthForm {
    /// One byte each: data up to 255 bytes, Le up to 256.
    Short,
    /// Two bytes each, marked by `00`: data up to 65535 bytes, Le up to 65536.
    Extended,
}

/// Whether a command may be sent again when the card answers `6CXX`, wrong Le.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Repetition {
    /// Send it once: it changes the card, or carries a MAC over a challenge that is used up.
    Never,
    /// It only reads; sending it twice is the same as sending it once.
    Allowed,
}

/// Case of a command: which of data and Le it has, in which form.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Case {
    /// Case 1: neither data nor Le.
    One,
    /// Case 2S: Le.
    TwoShort,
    /// Case 3S: data.
    ThreeShort,
    /// Case 4S: data and Le.
    FourShort,
    /// Case 2E: Le, extended.
    TwoExtended,
    /// Case 3E: data, extended.
    ThreeExtended,
    /// Case 4E: data and Le, extended.
    FourExtended,
}

/// More than 65535 bytes of command data.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("command data is at most 65535 bytes, found {found}")]
pub struct DataTooLong {
    /// Bytes supplied.
    pub found: usize,
}

/// Bytes that are no command.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Less than a header.
    #[error("a command is at least 4 bytes, found {found}")]
    TooShort {
        /** Bytes supplied. */
        found: usize,
    },
    /// CLA is no class.
    #[error(transparent)]
    Class(#[from] ClassError),
    /// INS is no instruction.
    #[error(transparent)]
    Instruction(#[from] InvalidInstruction),
    /// What follows the header fits no case.
    #[error("a body of {found} bytes does not fit its length fields")]
    Body {
        /** Bytes after the header. */
        found: usize,
    },
}

impl CommandError {
    /// What a card answers to such bytes.
    #[must_use]
    pub const fn status(self) -> StatusWord {
        match self {
            Self::Class(_) => StatusWord::CLASS_NOT_SUPPORTED,
            Self::Instruction(_) => StatusWord::INSTRUCTION_NOT_SUPPORTED,
            Self::TooShort { .. } | Self::Body { .. } => StatusWord::WRONG_LENGTH,
        }
    }
}

impl CommandApdu {
    /// Most bytes of data in a short command.
    pub const MAX_SHORT_DATA: usize = 255;
    /// Most bytes of data in an extended command.
    pub const MAX_DATA: usize = 65535;
    /// Length of the longest command in bytes: header, `00 FFFF`, data, `0000`.
    pub const MAX_LEN: usize = Header::LEN + 3 + Self::MAX_DATA + 2;

    /// A command of case 1: only the header. It is not to be repeated unless it is said so.
    #[must_use]
    pub fn new(header: Header) -> Self {
        let data = SecretBytes::default();
        Self { header, data, le: None, form: LengthForm::Short, repetition: Repetition::Never }
    }

    /// The same with a copy of `data`; empty data is no data.
    ///
    /// # Errors
    /// Returns [`DataTooLong`] over 65535 bytes.
    pub fn with_data(self, data: &[u8]) -> Result<Self, DataTooLong> {
        self.with_secret_data(data.into())
    }

    /// The same with `data` itself.
    pub(crate) fn with_secret_data(self, data: SecretBytes) -> Result<Self, DataTooLong> {
        match data.len() {
            0..=Self::MAX_DATA => Ok(Self { data, ..self }),
            found => Err(DataTooLong { found }),
        }
    }

    /// The same with an expected length.
    #[must_use]
    pub fn with_le(self, le: Le) -> Self {
        Self { le: Some(le), ..self }
    }

    pub(crate) fn with_le_field(self, le: Option<Le>) -> Self {
        Self { le, ..self }
    }

    /// The same under another header.
    #[must_use]
    pub fn with_header(self, header: Header) -> Self {
        Self { header, ..self }
    }

    /// The same, extended even where the short form would do. Without data and Le there is nothing to extend.
    #[must_use]
    pub fn extended(self) -> Self {
        Self { form: LengthForm::Extended, ..self }
    }

    /// The same, saying whether it may be sent again after `6CXX`.
    #[must_use]
    pub fn with_repetition(self, repetition: Repetition) -> Self {
        Self { repetition, ..self }
    }

    /// Its header.
    #[must_use]
    pub const fn header(&self) -> Header {
        self.header
    }

    /// Shows its data.
    #[must_use]
    pub fn expose_data(&self) -> &[u8] {
        self.data.expose_bytes()
    }

    /// Its expected length.
    #[must_use]
    pub const fn le(&self) -> Option<Le> {
        self.le
    }

    /// Whether it may be sent again after `6CXX`.
    #[must_use]
    pub const fn repetition(&self) -> Repetition {
        self.repetition
    }

    /// The form in which it is encoded.
    #[must_use]
    pub fn form(&self) -> LengthForm {
        self.as_parts().form()
    }

    /// Its case.
    #[must_use]
    pub fn case(&self) -> Case {
        self.as_parts().case()
    }

    /// Reads a command; all of `bytes` is used. It is not to be repeated.
    ///
    /// # Errors
    /// Returns [`CommandError`] for anything that is no command.
    pub fn decode(bytes: &[u8]) -> Result<Self, CommandError> {
        let Parts { header, data, le, form } = Parts::decode(bytes)?;
        Ok(Self { header, data: data.into(), le, form, repetition: Repetition::Never })
    }

    /// Length in bytes once encoded.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.as_parts().encoded_len()
    }

    /// Encodes the command.
    #[must_use]
    pub fn encode(&self) -> SecretBytes {
        self.as_parts().encode()
    }

    /// Encodes the command with another expected length.
    pub(crate) fn encode_with_le(&self, le: Le) -> SecretBytes {
        Parts { le: Some(le), ..self.as_parts() }.encode()
    }

    pub(crate) fn as_parts(&self) -> Parts<'_> {
        Parts { header: self.header, data: self.expose_data(), le: self.le, form: self.form }
    }
}

/// A command whose data is borrowed, so that looking at one copies nothing. `data` is at most 65535 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) header: Header,
    pub(crate) data: &'a [u8],
    pub(crate) le: Option<Le>,
    /// The form asked for.
    pub(crate) form: LengthForm,
}

impl<'a> Parts<'a> {
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, CommandError> {
        let (header, body) =
            bytes.split_first_chunk().ok_or(CommandError::TooShort { found: bytes.len() })?;
        let header = Header::try_from(*header)?;
        let (data, le, form) = match body {
            [] => (body, None, LengthForm::Short),
            [le] => (&[][..], Some(Le::from_short_byte(*le)), LengthForm::Short),
            [0, a, b] => (&[][..], Some(Le::from_extended_bytes([*a, *b])), LengthForm::Extended),
            [0, a, b, rest @ ..] => {
                let (data, le) = split_data(rest, usize::from(u16::from_be_bytes([*a, *b])), body)?;
                let le = match le {
                    [] => None,
                    [a, b] => Some(Le::from_extended_bytes([*a, *b])),
                    _ => return Err(CommandError::Body { found: body.len() }),
                };
                (data, le, LengthForm::Extended)
            }
            [lc, rest @ ..] => {
                let (data, le) = split_data(rest, usize::from(*lc), body)?;
                let le = match le {
                    [] => None,
                    [le] => Some(Le::from_short_byte(*le)),
                    _ => return Err(CommandError::Body { found: body.len() }),
                };
                (data, le, LengthForm::Short)
            }
        };
        Ok(Self { header, data, le, form })
    }

    fn fits_short(&self) -> bool {
        // An absent Le is less than any other.
        self.data.len() <= CommandApdu::MAX_SHORT_DATA && self.le <= Some(Le::MAX_SHORT)
    }

    pub(crate) fn form(&self) -> LengthForm {
        match (self.form, self.data, self.le) {
            (LengthForm::Extended, [], None) => LengthForm::Short,
            (LengthForm::Short, ..) if self.fits_short() => LengthForm::Short,
            _ => LengthForm::Extended,
        }
    }

    pub(crate) fn case(&self) -> Case {
        match (self.form(), self.data, self.le) {
            (_, [], None) => Case::One,
            (LengthForm::Short, [], Some(_)) => Case::TwoShort,
            (LengthForm::Short, _, None) => Case::ThreeShort,
            (LengthForm::Short, _, Some(_)) => Case::FourShort,
            (LengthForm::Extended, [], Some(_)) => Case::TwoExtended,
            (LengthForm::Extended, _, None) => Case::ThreeExtended,
            (LengthForm::Extended, _, Some(_)) => Case::FourExtended,
        }
    }

    pub(crate) fn encoded_len(&self) -> usize {
        let (mark, field) = match self.form() {
            LengthForm::Short => (0, 1),
            LengthForm::Extended => (1, 2),
        };
        let lc = if self.data.is_empty() { 0 } else { field };
        let le = if self.le.is_none() { 0 } else { field };
        Header::LEN + mark + lc + self.data.len() + le
    }

    pub(crate) fn encode(&self) -> SecretBytes {
        let mut out = SecretBytes::with_capacity(self.encoded_len());
        out.extend(&self.header.bytes());
        match self.form() {
            LengthForm::Short => self.encode_short(&mut out),
            LengthForm::Extended => self.encode_extended(&mut out),
        }
        out
    }

    fn encode_short(&self, out: &mut SecretBytes) {
        if !self.data.is_empty() {
            out.extend(&[u8::try_from(self.data.len()).expect("short form: data is at most 255 bytes")]);
            out.extend(self.data);
        }
        if let Some(le) = self.le {
            out.extend(&[le.to_short_byte().expect("short form: Le is at most 256")]);
        }
    }

    fn encode_extended(&self, out: &mut SecretBytes) {
        out.extend(&[0]);
        if !self.data.is_empty() {
            let lc = u16::try_from(self.data.len()).expect("data is at most 65535 bytes");
            out.extend(&lc.to_be_bytes());
            out.extend(self.data);
        }
        if let Some(le) = self.le {
            out.extend(&le.to_extended_bytes());
        }
    }
}

/// Splits `lc` bytes of data from what follows them. No data has no length field.
fn split_data<'a>(rest: &'a [u8], lc: usize, body: &[u8]) -> Result<(&'a [u8], &'a [u8]), CommandError> {
    match rest.split_at_checked(lc) {
        Some((data @ [_, ..], le)) => Ok((data, le)),
        _ => Err(CommandError::Body { found: body.len() }),
    }
}
