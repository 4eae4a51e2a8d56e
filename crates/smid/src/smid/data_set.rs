//! Data sets: a purpose, a length and TLVs, as AS 2805 carries key names and key data.

use alloc::vec::Vec;
use core::fmt;

use super::{Control, KeyName, Smid};

/// Key management data in data sets, each `purpose || length || TLVs`; at most one of each purpose.
///
/// Purpose 1 byte, length of the TLVs in 2 bytes of BCD, and each TLV `tag || length || value` with 1 byte each for
/// tag and length. A set with a key set identifier and derived information names a key: `81` (4 bytes) || `82` (8 bytes).
///
/// # Source
/// Second-hand: purposes, tags and the lengths of `81` and `82` are those of a draft of AS 2805.2 (field 111) as public
/// code quotes it. That the length of a TLV is one byte below `80` is our reading. ISO 13492:2019 has data sets of this
/// kind; whether they are written so, no source we could read says.
///
/// # Examples
/// ```
/// use cardroot_smid::{DataSet, DataSets, KeyName, Purpose, Smid};
///
/// let name = KeyName::new(b"\x01\x23\x45\x67\xFF\x98\x76\x54\x32\x10\xE0\x01")?;
/// let sets = DataSets::from_iter([DataSet::naming(Purpose::Pin, &Smid::new(name))?]);
/// let bytes = sets.encode()?;
/// assert_eq!(bytes, b"\x01\x00\x16\x81\x04\x01\x23\x45\x67\x82\x08\xFF\x98\x76\x54\x32\x10\xE0\x01");
/// let received = DataSets::decode(&bytes)?;
/// assert_eq!(received.get(Purpose::Pin).map(DataSet::smid), Some(Ok(Smid::new(name))));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DataSets(Vec<DataSet>);

/// One data set. `Debug` shows the lengths of its values only: one may be an enciphered PIN block.
#[derive(Clone, Eq, PartialEq)]
pub struct DataSet {
    purpose: Purpose,
    elements: Vec<(DataTag, Vec<u8>)>,
}

/// Defines an enum of the bytes that a table has.
macro_rules! byte {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $byte:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them, lowest byte first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the one that `byte` encodes, if it does.
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Returns the byte sent.
            pub const fn byte(self) -> u8 {
                match self {
                    $(Self::$variant => $byte,)+
                }
            }
        }
    };
}

byte! {
    /// What a data set is about.
    Purpose {
        /// The PIN and its key.
        Pin = 0x01,
        /// The key of the message authentication code.
        Mac = 0x02,
        /// The key of enciphered data.
        Data = 0x03,
        /// An exchange of keys.
        KeyExchange = 0x04,
    }
}

byte! {
    /// What a TLV of a data set holds.
    DataTag {
        /// Control: key management method and structure of the rest.
        Control = 0x80,
        /// Key set identifier, 4 bytes.
        KeySetId = 0x81,
        /// Derived information: device identifier and counter, 8 bytes.
        DerivedInfo = 0x82,
        /// Algorithm.
        Algorithm = 0x83,
        /// Length of the key.
        KeyLength = 0x84,
        /// How the key is protected.
        Protection = 0x85,
        /// Index of the key.
        KeyIndex = 0x86,
        /// Format of the PIN block.
        PinBlockFormat = 0x87,
        /// Enciphered PIN block, or check value.
        Cryptogram = 0x88,
        /// Anything else.
        Additional = 0x89,
    }
}

impl DataTag {
    /// Returns the only length that values may have, where one is known.
    const fn len(self) -> Option<usize> {
        match self {
            Self::Control => Some(1),
            Self::KeySetId => Some(KEY_SET_ID_LEN),
            Self::DerivedInfo => Some(DERIVED_INFO_LEN),
            _ => None,
        }
    }
}

const KEY_SET_ID_LEN: usize = 4;
const DERIVED_INFO_LEN: usize = 8;
/// The longest field of an ISO 8583 message.
const MAX_LEN: usize = 999;
const MAX_VALUE_LEN: usize = 0x7F;

/// Bytes are no data sets, or a data set cannot be built. `at` is an offset in the bytes, from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataSetError {
    /// There are no bytes, or no sets.
    #[error("no data set")]
    Empty,
    /// All sets together are longer than a field.
    #[error("a field holds 999 bytes, the data sets take {found}")]
    TooLong {
        /// Length of the encoding.
        found: usize,
    },
    /// The bytes end within a set, or a set within a TLV.
    #[error("byte {at}: the data end within a data set")]
    Truncated {
        /// Where the missing part starts.
        at: usize,
    },
    /// The purpose is unknown.
    #[error("byte {at}: {found:02X} is not the purpose of a data set")]
    UnknownPurpose {
        /// Where it stands.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// The length of a set is not decimal.
    #[error("byte {at}: not a length in BCD")]
    SetLength {
        /// Where it starts.
        at: usize,
    },
    /// The tag is unknown.
    #[error("byte {at}: {found:02X} is not a tag of a data set")]
    UnknownTag {
        /// Where it stands.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// A value is empty, longer than 127 bytes, or not of the length of its tag.
    #[error("a value of {found} bytes is not possible for tag {:02X}", tag.byte())]
    ValueLength {
        /// The tag.
        tag: DataTag,
        /// Length of the value.
        found: usize,
    },
    /// A set of this purpose is there already.
    #[error("two data sets of purpose {:02X}", purpose.byte())]
    TwoSets {
        /// The purpose.
        purpose: Purpose,
    },
    /// A value of this tag is there already.
    #[error("tag {:02X} twice in a data set", tag.byte())]
    TwoValues {
        /// The tag.
        tag: DataTag,
    },
    /// The set names no key: key set identifier or derived information is missing.
    #[error("the data set names no key")]
    NoKeyName,
    /// The control byte is neither `A5` nor `B5`, so that it is not that of a SMID.
    #[error("the control {found:02X} is not that of a SMID")]
    UnknownControl {
        /// The byte.
        found: u8,
    },
    /// A key name of another length than 12 bytes does not fit a data set.
    #[error("a key name in a data set is 12 bytes, found {found}")]
    NameLength {
        /// Its length.
        found: usize,
    },
}

impl DataSets {
    /// Returns the set of a purpose, if there is one.
    pub fn get(&self, purpose: Purpose) -> Option<&DataSet> {
        self.0.iter().find(|set| set.purpose == purpose)
    }

    /// Returns all sets, in the order sent.
    pub fn as_slice(&self) -> &[DataSet] {
        &self.0
    }

    /// Encodes the sets in their order.
    ///
    /// # Errors
    /// Returns [`DataSetError`] if there is none, two are of one purpose, or they exceed 999 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, DataSetError> {
        if self.0.is_empty() {
            return Err(DataSetError::Empty);
        }
        let found: usize = self.0.iter().map(|set| 3 + set.len()).sum();
        if found > MAX_LEN {
            return Err(DataSetError::TooLong { found });
        }
        let mut out = Vec::with_capacity(found);
        for (index, set) in self.0.iter().enumerate() {
            if self.0.iter().skip(index + 1).any(|other| other.purpose == set.purpose) {
                return Err(DataSetError::TwoSets { purpose: set.purpose });
            }
            set.encode_into(&mut out);
        }
        Ok(out)
    }

    /// Decodes all of `bytes`. What is accepted encodes to the same bytes.
    ///
    /// # Errors
    /// Returns [`DataSetError`] with the first offset that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, DataSetError> {
        if bytes.is_empty() {
            return Err(DataSetError::Empty);
        }
        if bytes.len() > MAX_LEN {
            return Err(DataSetError::TooLong { found: bytes.len() });
        }
        let mut sets = Self::default();
        let mut at = 0;
        while at < bytes.len() {
            let (set, end) = DataSet::decode_at(bytes, at)?;
            if sets.get(set.purpose).is_some() {
                return Err(DataSetError::TwoSets { purpose: set.purpose });
            }
            sets.0.push(set);
            at = end;
        }
        Ok(sets)
    }
}

impl FromIterator<DataSet> for DataSets {
    fn from_iter<I: IntoIterator<Item = DataSet>>(sets: I) -> Self {
        Self(sets.into_iter().collect())
    }
}

impl DataSet {
    /// Starts a set without values.
    pub const fn new(purpose: Purpose) -> Self {
        Self { purpose, elements: Vec::new() }
    }

    /// Builds a set that names a key.
    ///
    /// # Errors
    /// Returns [`DataSetError::NameLength`] unless the key name is of 12 bytes.
    pub fn naming(purpose: Purpose, smid: &Smid) -> Result<Self, DataSetError> {
        let name = smid.key_name.as_bytes();
        let wrong = DataSetError::NameLength { found: name.len() };
        let (key_set, derived) = name.split_at_checked(KEY_SET_ID_LEN).ok_or(wrong)?;
        if derived.len() != DERIVED_INFO_LEN {
            return Err(wrong);
        }
        let mut set = Self::new(purpose);
        if let Some(control) = smid.control {
            set.add(DataTag::Control, &[control.byte()])?;
        }
        set.add(DataTag::KeySetId, key_set)?;
        set.add(DataTag::DerivedInfo, derived)?;
        Ok(set)
    }

    /// Adds a value behind the others.
    ///
    /// # Errors
    /// Returns [`DataSetError`] if the tag is there already or the value is not of its length.
    pub fn add(&mut self, tag: DataTag, value: &[u8]) -> Result<(), DataSetError> {
        let found = value.len();
        if !(1..=MAX_VALUE_LEN).contains(&found) || tag.len().is_some_and(|len| len != found) {
            return Err(DataSetError::ValueLength { tag, found });
        }
        if self.value(tag).is_some() {
            return Err(DataSetError::TwoValues { tag });
        }
        self.elements.push((tag, value.to_vec()));
        Ok(())
    }

    /// Returns what the set is about.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Returns the value of a tag, if it is there.
    pub fn value(&self, tag: DataTag) -> Option<&[u8]> {
        self.elements.iter().find(|(found, _)| *found == tag).map(|(_, value)| value.as_slice())
    }

    /// Returns the key that the set names: control, if present, and key set identifier || derived information.
    ///
    /// # Errors
    /// Returns [`DataSetError`] if one of the two is missing, or the control is none of [`Control`].
    pub fn smid(&self) -> Result<Smid, DataSetError> {
        let part = |tag| self.value(tag).ok_or(DataSetError::NoKeyName);
        let (key_set, derived) = (part(DataTag::KeySetId)?, part(DataTag::DerivedInfo)?);
        let key_name = KeyName::joined(key_set, derived).expect("4 and 8 bytes, as the tags demand");
        let control = match self.value(DataTag::Control) {
            Some(&[found]) => Some(Control::from_byte(found).ok_or(DataSetError::UnknownControl { found })?),
            _ => None,
        };
        Ok(Smid { control, key_name })
    }

    /// Length of the TLVs.
    fn len(&self) -> usize {
        self.elements.iter().map(|(_, value)| 2 + value.len()).sum()
    }

    fn encode_into(&self, out: &mut Vec<u8>) {
        let len = self.len();
        let byte = |digits: usize| {
            let digits = u8::try_from(digits % 100).expect("two digits are a byte");
            ((digits / 10) << 4) | (digits % 10)
        };
        out.extend([self.purpose.byte(), byte(len / 100), byte(len)]);
        for (tag, value) in &self.elements {
            let len = u8::try_from(value.len()).expect("values are at most 127 bytes");
            out.extend([tag.byte(), len]);
            out.extend_from_slice(value);
        }
    }

    /// Decodes the set at `start`; returns where it ends, too.
    fn decode_at(bytes: &[u8], start: usize) -> Result<(Self, usize), DataSetError> {
        let byte = |at: usize| bytes.get(at).copied().ok_or(DataSetError::Truncated { at });
        let found = byte(start)?;
        let purpose = Purpose::from_byte(found).ok_or(DataSetError::UnknownPurpose { at: start, found })?;
        let mut len = 0;
        for at in [start + 1, start + 2] {
            let pair = byte(at)?;
            let [tens, ones] = [pair >> 4, pair & 0xF];
            if tens > 9 || ones > 9 {
                return Err(DataSetError::SetLength { at });
            }
            len = 100 * len + usize::from(10 * tens + ones);
        }
        let mut at = start + 3;
        let end = at + len;
        let tlvs = bytes.get(..end).ok_or(DataSetError::Truncated { at: bytes.len() })?;
        let mut set = Self::new(purpose);
        while at < end {
            let found = *tlvs.get(at).ok_or(DataSetError::Truncated { at })?;
            let tag = DataTag::from_byte(found).ok_or(DataSetError::UnknownTag { at, found })?;
            let len = usize::from(*tlvs.get(at + 1).ok_or(DataSetError::Truncated { at: at + 1 })?);
            let value = tlvs.get(at + 2..at + 2 + len).ok_or(DataSetError::Truncated { at: end })?;
            set.add(tag, value)?;
            at += 2 + len;
        }
        Ok((set, end))
    }
}

impl fmt::Debug for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_struct("DataSet");
        set.field("purpose", &self.purpose);
        for (tag, value) in &self.elements {
            set.field(tag_name(*tag), &format_args!("<{} bytes>", value.len()));
        }
        set.finish()
    }
}

const fn tag_name(tag: DataTag) -> &'static str {
    match tag {
        DataTag::Control => "control",
        DataTag::KeySetId => "key_set_id",
        DataTag::DerivedInfo => "derived_info",
        DataTag::Algorithm => "algorithm",
        DataTag::KeyLength => "key_length",
        DataTag::Protection => "protection",
        DataTag::KeyIndex => "key_index",
        DataTag::PinBlockFormat => "pin_block_format",
        DataTag::Cryptogram => "cryptogram",
        DataTag::Additional => "additional",
    }
}
