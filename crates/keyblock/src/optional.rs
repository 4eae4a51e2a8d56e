//! Optional blocks of the header.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::attributes::codes;
use crate::check_value::CheckValue;
use crate::header::DecodeError;

codes! {
    /// What an optional block is.
    ///
    /// # Source
    /// ANS X9.143:2021 6.3.6, table 7.
    pub struct BlockId([u8; 2]);
    ASYMMETRIC_KEY_LIFE = b"AL" "asymmetric key life";
    BASE_KEY_ID = b"BI" "base key identifier of DUKPT";
    CERTIFICATE = b"CT" "public key certificate";
    DERIVATIONS_ALLOWED = b"DA" "derivations allowed";
    FLAGS = b"FL" "flags";
    HASH = b"HM" "hash of an HMAC key";
    INITIAL_KEY_ID = b"IK" "initial key identifier of AES DUKPT";
    KEY_CHECK_VALUE = b"KC" "check value of the key";
    PROTECTION_KEY_CHECK_VALUE = b"KP" "check value of the protection key";
    KEY_SERIAL_NUMBER = b"KS" "initial key serial number of TDEA DUKPT";
    KEY_BLOCK_VALUES = b"KV" "key block values (deprecated)";
    LABEL = b"LB" "label";
    PADDING = b"PB" "padding of the header to whole blocks";
    EXPORT_KEY_CHECK_VALUE = b"PK" "check value of the protection key that the key was exported under";
    TIME_OF_CREATION = b"TC" "when the key was made";
    TIME_STAMP = b"TS" "when the block was made";
    WRAPPING_PEDIGREE = b"WP" "wrapping pedigree";
}

impl BlockId {
    /// Whether blocks of this kind are written with the key block and not brought by the caller.
    pub(crate) const fn is_reserved(self) -> bool {
        matches!(self, Self::PADDING | Self::KEY_CHECK_VALUE | Self::PROTECTION_KEY_CHECK_VALUE)
    }
}

/// An optional block that can't be in a header.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionalBlockError {
    /// The data has a character that is not printable ASCII.
    #[error("character {position} of an optional block is not printable ASCII")]
    Character {
        /** Position within the data, from 0. */
        position: usize,
    },
    /// Padding and check values are written with the block.
    #[error("optional blocks {id} are written with the key block")]
    Reserved {
        /** The identifier. */
        id: BlockId,
    },
}

/// An optional block: what it is, and printable ASCII characters. Those that this crate does not know are kept as they are.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct OptionalBlock {
    id: BlockId,
    data: String,
}

/// What an optional block says, if its kind is known here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Content<'a> {
    /// `BI` `00`: key set identifier of TDEA DUKPT.
    KeySetId([u8; 5]),
    /// `BI` `01`: base key identifier of AES DUKPT.
    BaseKeyId([u8; 4]),
    /// `HM`: code of the hash of an HMAC key, as `21` for SHA-256.
    Hash(u8),
    /// `IK`: initial key identifier of AES DUKPT.
    InitialKeyId([u8; 8]),
    /// `KC`: check value of the key. Verified when the block is opened.
    KeyCheckValue(CheckValue),
    /// `KP`: check value of the protection key. Verified when the block is opened.
    ProtectionKeyCheckValue(CheckValue),
    /// `KS`: initial key serial number of TDEA DUKPT, in hexadecimal. Some systems put other names here.
    KeySerialNumber(&'a str),
    /// `LB`: label.
    Label(&'a str),
    /// `PB`: padding.
    Padding,
    /// `TC`: when the key was made, in the forms of ISO 8601.
    TimeOfCreation(&'a str),
    /// `TS`: when the block was made, in the forms of ISO 8601.
    TimeStamp(&'a str),
    /// Of a kind that is proprietary or not known here.
    Other,
    /// Of a kind that is known here, and not as that kind must be.
    Malformed,
}

/// Longest block whose length is written with two digits.
const SHORT: usize = 0xFF;
/// Identifier and two digits of length.
const SHORT_HEAD: usize = 4;
/// Identifier, `00`, length of the length and four digits.
const LONG_HEAD: usize = 10;

impl OptionalBlock {
    /// Makes a block of any kind but those that are written with the key block: padding and check values.
    ///
    /// # Errors
    /// Returns [`OptionalBlockError`].
    pub fn new(id: BlockId, data: &str) -> Result<Self, OptionalBlockError> {
        if id.is_reserved() {
            return Err(OptionalBlockError::Reserved { id });
        }
        match data.bytes().position(|character| !is_printable(character)) {
            Some(position) => Err(OptionalBlockError::Character { position }),
            None => Ok(Self { id, data: data.to_owned() }),
        }
    }

    /// `KS`: the initial key serial number that goes with a key of TDEA DUKPT.
    #[must_use]
    pub fn key_serial_number(ksn: &[u8; 10]) -> Self {
        Self { id: BlockId::KEY_SERIAL_NUMBER, data: hex(ksn) }
    }

    /// `IK`: the identifier that goes with an initial key of AES DUKPT.
    #[must_use]
    pub fn initial_key_id(id: &[u8; 8]) -> Self {
        Self { id: BlockId::INITIAL_KEY_ID, data: hex(id) }
    }

    /// `BI` `00`: the key set identifier that goes with a base key of TDEA DUKPT.
    #[must_use]
    pub fn key_set_id(id: &[u8; 5]) -> Self {
        Self { id: BlockId::BASE_KEY_ID, data: format!("00{}", hex(id)) }
    }

    /// `BI` `01`: the identifier that goes with a base key of AES DUKPT.
    #[must_use]
    pub fn base_key_id(id: &[u8; 4]) -> Self {
        Self { id: BlockId::BASE_KEY_ID, data: format!("01{}", hex(id)) }
    }

    /// `HM`: the hash that an HMAC key is for, by its code in ANS X9.143:2021 table 13.
    #[must_use]
    pub fn hash(code: u8) -> Self {
        Self { id: BlockId::HASH, data: hex(&[code]) }
    }

    /// Writes a block of a kind that [`new`](Self::new) leaves to this crate. `data` is printable.
    pub(crate) const fn written(id: BlockId, data: String) -> Self {
        Self { id, data }
    }

    /// What the block is.
    #[must_use]
    pub const fn id(&self) -> BlockId {
        self.id
    }

    /// The characters as they stand in the header.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// What the block says.
    #[must_use]
    pub fn content(&self) -> Content<'_> {
        let data = self.data();
        match self.id {
            BlockId::KEY_SERIAL_NUMBER => Content::KeySerialNumber(data),
            BlockId::LABEL => Content::Label(data),
            BlockId::PADDING => Content::Padding,
            BlockId::TIME_OF_CREATION => Content::TimeOfCreation(data),
            BlockId::TIME_STAMP => Content::TimeStamp(data),
            id => self.parsed(id).unwrap_or(Content::Malformed),
        }
    }

    /// The kinds that have a form of their own; nothing if this one does not keep to it.
    fn parsed(&self, id: BlockId) -> Option<Content<'_>> {
        let data = self.data();
        Some(match id {
            BlockId::BASE_KEY_ID => match data.split_at_checked(2)? {
                ("00", id) => Content::KeySetId(bytes(id)?),
                ("01", id) => Content::BaseKeyId(bytes(id)?),
                _ => return None,
            },
            BlockId::HASH => Content::Hash(u8::from_be_bytes(bytes(data)?)),
            BlockId::INITIAL_KEY_ID => Content::InitialKeyId(bytes(data)?),
            BlockId::KEY_CHECK_VALUE => Content::KeyCheckValue(CheckValue::decode(data)?),
            BlockId::PROTECTION_KEY_CHECK_VALUE => {
                Content::ProtectionKeyCheckValue(CheckValue::decode(data)?)
            }
            _ => Content::Other,
        })
    }

    /// Length in the header, in characters.
    pub(crate) fn encoded_len(&self) -> usize {
        match SHORT_HEAD + self.data.len() {
            short @ ..=SHORT => short,
            _ => LONG_HEAD + self.data.len(),
        }
    }

    /// Writes the block. A length of more than two digits counts its own in bytes.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        let len = self.encoded_len();
        out.extend_from_slice(&self.id.code());
        let length = if len <= SHORT { format!("{len:02X}") } else { format!("0002{len:04X}") };
        out.extend_from_slice(length.as_bytes());
        out.extend_from_slice(self.data.as_bytes());
    }

    /// Reads the block at `start` of a header, and where it ends. All of `header` is printable ASCII.
    pub(crate) fn decode(header: &str, start: usize) -> Result<(Self, usize), DecodeError> {
        let error = DecodeError::OptionalBlock { position: start };
        let rest = header.get(start..).ok_or(error)?;
        let id = BlockId::try_from(*rest.as_bytes().first_chunk().ok_or(error)?).map_err(|_| error)?;
        let (head, len) = decode_length(rest).ok_or(error)?;
        let data = rest.get(head..len).ok_or(error)?.to_owned();
        Ok((Self { id, data }, start + len))
    }
}

/// Where the data of a block starts and ends.
fn decode_length(block: &str) -> Option<(usize, usize)> {
    match number(block.get(2..SHORT_HEAD)?)? {
        0 => decode_long_length(block),
        len => Some((SHORT_HEAD, len)),
    }
}

/// The length of a long block is counted in bytes, and by some software in characters: `02` and `04` for the same four digits.
/// The two can't be taken for each other: no key block has 10000 characters, so eight digits would start with `0000`, and those
/// alone are no length.
fn decode_long_length(block: &str) -> Option<(usize, usize)> {
    let digits = number(block.get(SHORT_HEAD..SHORT_HEAD + 2)?)?;
    let read = |digits: usize| {
        let head = SHORT_HEAD + 2 + digits;
        let len = number(block.get(SHORT_HEAD + 2..head)?)?;
        (head <= len && len <= block.len()).then_some((head, len))
    };
    read(2 * digits).or_else(|| if digits == 4 { read(digits) } else { None })
}

/// Reads hexadecimal digits, and no sign.
fn number(digits: &str) -> Option<usize> {
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if all { usize::from_str_radix(digits, 16).ok() } else { None }
}

pub(crate) const fn is_printable(character: u8) -> bool {
    matches!(character, b' '..=b'~')
}

fn hex(bytes: &[u8]) -> String {
    base16ct::upper::encode_string(bytes)
}

fn bytes<const N: usize>(data: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    let len = base16ct::mixed::decode(data, &mut out).ok()?.len();
    (len == N).then_some(out)
}
