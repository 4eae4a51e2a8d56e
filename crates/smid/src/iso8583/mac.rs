//! Which bytes a message authentication code covers. Computing it needs a key, so the caller does.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroize;

use super::{Content, DecodeError, Dialect, EncodeError, Length, Message, encode::push_value};

/// Length of the field that carries a message authentication code.
const MAC_LEN: usize = 8;
const PRIMARY: u8 = 64;
const SECONDARY: u8 = 128;

/// What a message authentication code (MAC) is computed over, and which field carries it.
///
/// Wiped on drop, since a message has cardholder data; `Debug` shows the length only.
pub struct MacInput {
    field: u8,
    covered: Vec<u8>,
}

/// A message cannot be given a message authentication code.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MacError {
    /// The message cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The dialect has something else than 8 bytes of fixed length in the field.
    #[error("field {field} of the dialect is not 8 bytes of fixed length")]
    Shape {
        /// Number of the field.
        field: u8,
    },
}

/// A message is not authentic, or has no place for a message authentication code to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError<E> {
    /// The bytes are not a message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Neither field 64 nor field 128 is present.
    #[error("the message has no message authentication code")]
    Missing,
    /// Field 64 is present, but fields follow it.
    #[error("the message authentication code is not the last field")]
    NotLast,
    /// Fields 64 and 128 are both present.
    #[error("the message has two message authentication codes")]
    Two,
    /// The dialect has something else than 8 bytes of fixed length in the field.
    #[error("field {field} of the dialect is not 8 bytes of fixed length")]
    Shape {
        /// Number of the field.
        field: u8,
    },
    /// The caller's check refused the code.
    #[error("the message authentication code was refused")]
    Refused(E),
}

/// A key, or whatever stands for one, that computes and checks message authentication codes.
///
/// This crate has no keys: the caller implements it, for a key type of its own or around one of another crate.
/// [`Message::seal_with`] and [`Message::verify_with`] take closures instead.
///
/// # Examples
/// ```
/// use cardroot_smid::iso8583::{Dialect, MacKey, Message};
///
/// struct Toy(u8); // a checksum, not a code: real ones compare in constant time
///
/// impl MacKey for Toy {
///     type Error = &'static str;
///     fn compute(&self, covered: &[u8]) -> Result<[u8; 8], Self::Error> {
///         Ok([covered.iter().fold(self.0, |sum, byte| sum.wrapping_add(*byte)); 8])
///     }
///     fn verify(&self, covered: &[u8], mac: &[u8; 8]) -> Result<(), Self::Error> {
///         if self.compute(covered)? == *mac { Ok(()) } else { Err("wrong code") }
///     }
/// }
///
/// let dialect = Dialect::ISO1993_BINARY;
/// let mut message = Message::new("1804".parse()?);
/// message.set_text(dialect, 11, "000042")?;
/// let sealed = message.seal(dialect, &Toy(7))?;
/// assert!(Message::verify(dialect, &sealed, &Toy(7)).is_ok());
/// assert!(Message::verify(dialect, &sealed, &Toy(8)).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub trait MacKey {
    /// Why a code cannot be computed, or is wrong.
    type Error;

    /// Computes the code of `covered`.
    ///
    /// # Errors
    /// Returns why it cannot.
    fn compute(&self, covered: &[u8]) -> Result<[u8; MAC_LEN], Self::Error>;

    /// Checks the code of `covered`, comparing in constant time.
    ///
    /// # Errors
    /// Returns the same error whatever byte of `mac` is wrong.
    fn verify(&self, covered: &[u8], mac: &[u8; MAC_LEN]) -> Result<(), Self::Error>;
}

/// A message cannot be sealed with a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError<E> {
    /// The message has no place for a code, or cannot be encoded.
    #[error(transparent)]
    Message(#[from] MacError),
    /// The key computed no code.
    #[error("the key computed no message authentication code")]
    Key(E),
}

impl MacInput {
    /// Returns the field that carries the code: 128 if the message has a field above 64, else 64.
    pub const fn field(&self) -> u8 {
        self.field
    }

    /// Returns the bytes that the code covers: the encoded message with that field announced in the bitmap, up to but
    /// without the code.
    pub fn covered(&self) -> &[u8] {
        &self.covered
    }
}

impl Message {
    /// Returns what a message authentication code of this message covers; fields 64 and 128 do not matter.
    ///
    /// For codes whose computation can fail. The code is then set as the field that [`MacInput::field`] names.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.4: bits 64 and 128, 8 bytes binary. That the code is the last field and covers all before it
    /// is the usage of ISO 8583.
    ///
    /// # Errors
    /// Returns [`MacError`] if the message does not fit `dialect`, or if `dialect` has no room for a code.
    pub fn mac_input(&self, dialect: &Dialect) -> Result<MacInput, MacError> {
        let mut values = self.bitmap();
        values.remove(PRIMARY);
        values.remove(SECONDARY);
        let field = if values.has_secondary() { SECONDARY } else { PRIMARY };
        let mut announced = values;
        announced.insert(field).expect("64 and 128 are fields");
        let spare = encoded_mac_len(dialect, field).ok_or(MacError::Shape { field })?;
        let covered = self.encode_values(dialect, announced, values, spare)?;
        Ok(MacInput { field, covered })
    }

    /// Computes the message authentication code with `mac`, sets it as the last field and returns the encoded message.
    ///
    /// The field is 128 if the message has another field above 64, else 64; a code from before is dropped.
    ///
    /// # Errors
    /// Returns [`MacError`] as [`mac_input`](Self::mac_input) does; the message is then unchanged.
    pub fn seal_with(
        &mut self,
        dialect: &Dialect,
        mac: impl FnOnce(&[u8]) -> [u8; MAC_LEN],
    ) -> Result<Vec<u8>, MacError> {
        let input = self.mac_input(dialect)?;
        let mac = mac(input.covered());
        self.append_mac(dialect, input, &mac)
    }

    /// Computes the message authentication code with `key`, sets it as the last field and returns the encoded message.
    ///
    /// # Errors
    /// Returns [`SealError`] if the message does not fit `dialect`, or `key` computes no code; the message is then
    /// unchanged.
    pub fn seal<K: MacKey>(&mut self, dialect: &Dialect, key: &K) -> Result<Vec<u8>, SealError<K::Error>> {
        let input = self.mac_input(dialect)?;
        let mac = key.compute(input.covered()).map_err(SealError::Key)?;
        Ok(self.append_mac(dialect, input, &mac)?)
    }

    fn append_mac(
        &mut self,
        dialect: &Dialect,
        mut input: MacInput,
        mac: &[u8; MAC_LEN],
    ) -> Result<Vec<u8>, MacError> {
        self.remove(PRIMARY);
        self.remove(SECONDARY);
        self.set_bytes(dialect, input.field, mac).map_err(EncodeError::Field)?;
        let mut sealed = core::mem::take(&mut input.covered);
        if let Some(field) = dialect.field(input.field) {
            push_value(field.coding.value, mac, &mut sealed);
        }
        Ok(sealed)
    }

    /// Decodes a message and lets `key` judge its message authentication code, as [`verify_with`](Self::verify_with) does.
    ///
    /// # Errors
    /// Returns [`VerifyError`]; what `key` said is in [`VerifyError::Refused`].
    pub fn verify<K: MacKey>(
        dialect: &Dialect,
        bytes: &[u8],
        key: &K,
    ) -> Result<Self, VerifyError<K::Error>> {
        Self::verify_with(dialect, bytes, |covered, mac| key.verify(covered, mac))
    }

    /// Decodes a message and lets `check` judge its message authentication code over the bytes that it covers.
    ///
    /// The message comes back only if `check` accepts. The code has to be the last field: 64 in a message without
    /// fields above 64, else 128.
    ///
    /// # Errors
    /// Returns [`VerifyError`]; what `check` said is in [`VerifyError::Refused`].
    pub fn verify_with<E>(
        dialect: &Dialect,
        bytes: &[u8],
        check: impl FnOnce(&[u8], &[u8; MAC_LEN]) -> Result<(), E>,
    ) -> Result<Self, VerifyError<E>> {
        let message = Self::decode(dialect, bytes)?;
        let field = match (message.contains(PRIMARY), message.contains(SECONDARY)) {
            (false, false) => return Err(VerifyError::Missing),
            (true, true) => return Err(VerifyError::Two),
            (true, false) if message.bitmap().has_secondary() => return Err(VerifyError::NotLast),
            (true, false) => PRIMARY,
            (false, true) => SECONDARY,
        };
        let shape = VerifyError::Shape { field };
        let mac = message.bytes(field).and_then(|mac| mac.try_into().ok());
        let covered = encoded_mac_len(dialect, field)
            .and_then(|len| bytes.len().checked_sub(len))
            .and_then(|end| bytes.get(..end));
        let (Some(mac), Some(covered)) = (mac, covered) else { return Err(shape) };
        check(covered, mac).map_err(VerifyError::Refused)?;
        Ok(message)
    }
}

/// Length of an encoded code, if the dialect has eight bytes of fixed length there.
fn encoded_mac_len(dialect: &Dialect, number: u8) -> Option<usize> {
    let field = dialect.field(number)?;
    let fits = field.spec.content == Content::B && field.spec.length == Length::Fixed(8);
    fits.then(|| field.encoded_len(MAC_LEN))
}

impl fmt::Debug for MacInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacInput {{ field: {}, covered: <{} bytes> }}", self.field, self.covered.len())
    }
}

impl Drop for MacInput {
    fn drop(&mut self) {
        self.covered.zeroize();
    }
}
