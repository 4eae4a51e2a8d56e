//! What a field is made of: subfields by position, or TLVs.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::{Content, Dialect, FieldError, FieldValue, Length, Message, store::Kind};
use crate::tlv::{self, Tag, TlvError};

/// How the content of a field is cut into subfields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subfields {
    /// One after the other, each of its length.
    Positional(Vec<SubfieldSpec>),
    /// BER-TLV, as in ICC data: tag, length, value. For fields of bytes; constructed values are not opened.
    BerTlv,
}

/// A subfield by position.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SubfieldSpec {
    /// Name by which it is found.
    pub name: Cow<'static, str>,
    /// Which characters it may hold: [`Content::B`] in fields of bytes, any other in fields of text.
    pub content: Content,
    /// How long it is.
    pub length: SubfieldLength,
}

/// How long a subfield is, in characters or bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SubfieldLength {
    /// Always this long.
    Fixed(u16),
    /// All that is left; only the last subfield can be so.
    Rest,
}

/// A subfield of a message. `Debug` shows the length of the value only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Subfield<'a> {
    /// Which one.
    pub key: SubfieldKey<'a>,
    /// What it holds.
    pub value: FieldValue<'a>,
}

/// Which subfield.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SubfieldKey<'a> {
    /// By its name in the dialect.
    Name(&'a str),
    /// By its tag.
    Tag(Tag),
}

impl fmt::Display for SubfieldKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Tag(tag) => tag.fmt(f),
        }
    }
}

/// The content of a field is not cut as its dialect says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("field {field}, position {position}: {reason}")]
pub struct SubfieldError {
    /// Number of the field.
    pub field: u8,
    /// Position in the value, from 0, of what is wrong.
    pub position: usize,
    /// What is wrong.
    pub reason: SubfieldReason,
}

/// Why the content of a field is not cut as its dialect says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubfieldReason {
    /// The dialect has no subfields there.
    #[error("the dialect has no subfields in this field")]
    None,
    /// The message lacks the field.
    #[error("the field is absent")]
    Absent,
    /// The value ends within a subfield.
    #[error("the value ends, {missing} more needed")]
    Truncated {
        /// Characters or bytes missing.
        missing: usize,
    },
    /// Something follows the last subfield.
    #[error("{count} left over")]
    Leftover {
        /// Characters or bytes left.
        count: usize,
    },
    /// The character is not of the class of the subfield.
    #[error("the character is not of class {0}")]
    Character(Content),
    /// The bytes are no TLV.
    #[error(transparent)]
    Tlv(#[from] TlvError),
    /// What is to be written is not the subfield that comes here, or is of another kind or length.
    #[error("not the subfield that the dialect has here")]
    Mismatch,
    /// What is to be written does not fit the field.
    #[error(transparent)]
    Field(FieldError),
}

impl Subfields {
    /// Tells whether a field of `content` and `length` can be cut so.
    pub(super) fn suit(&self, content: Content, length: Length) -> bool {
        let Self::Positional(specs) = self else { return content.is_binary() };
        let max = length.max();
        // More subfields than characters do not fit, however long their list: comparing names takes its square.
        if specs.len() > usize::from(max) + 1 {
            return false;
        }
        let (mut total, mut open) = (0u32, false);
        for (index, spec) in specs.iter().enumerate() {
            let SubfieldLength::Fixed(len) = spec.length else {
                open = true;
                if index + 1 == specs.len() { continue } else { return false }
            };
            total += u32::from(len);
            if len == 0 {
                return false;
            }
        }
        let kinds = specs.iter().all(|spec| spec.content.kind() == content.kind());
        let names = specs.iter().enumerate().all(|(index, spec)| {
            !spec.name.is_empty() && specs.iter().skip(index + 1).all(|other| other.name != spec.name)
        });
        let max = u32::from(max);
        let fits = match length {
            Length::Fixed(_) if !open => total == max,
            _ => total <= max,
        };
        !specs.is_empty() && kinds && names && fits
    }
}

impl Message {
    /// Cuts a field into its subfields, in their order.
    ///
    /// # Errors
    /// Returns [`SubfieldError`] with the first wrong position if `dialect` has no subfields there or the value is cut
    /// otherwise.
    ///
    /// # Examples
    /// ```
    /// use cardroot_smid::iso8583::{Dialect, FieldValue, Message, Subfields};
    ///
    /// let mut dialect = Dialect::ISO1993_BINARY.derive("with ICC data");
    /// let mut icc = dialect.field(55).expect("55 is a field").clone();
    /// icc.spec.subfields = Some(Subfields::BerTlv);
    /// dialect.set_field(icc.spec, icc.coding)?;
    ///
    /// let mut message = Message::new("1200".parse()?);
    /// message.set_bytes(&dialect, 55, b"\x9A\x03\x26\x11\x22\x9C\x01\x00")?;
    /// let subfields = message.subfields(&dialect, 55)?;
    /// assert_eq!(subfields[0].key.to_string(), "9A");
    /// assert_eq!(subfields[1].value, FieldValue::Bytes(b"\x00"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn subfields<'a>(
        &'a self,
        dialect: &'a Dialect,
        field: u8,
    ) -> Result<Vec<Subfield<'a>>, SubfieldError> {
        let fail = |position, reason| SubfieldError { field, position, reason };
        let subfields = subfields_of(dialect, field)?;
        let (kind, value) = self.store.get(field).ok_or(fail(0, SubfieldReason::Absent))?;
        let cut = match subfields {
            Subfields::BerTlv => cut_tlvs(value),
            Subfields::Positional(specs) => cut_positional(specs, kind, value),
        };
        cut.map_err(|(position, reason)| fail(position, reason))
    }

    /// Sets a field to its subfields, all of them in the order of the dialect; TLVs in the order given.
    ///
    /// # Errors
    /// Returns [`SubfieldError`] if `dialect` has others there; the position is that in the value being put together.
    pub fn set_subfields(
        &mut self,
        dialect: &Dialect,
        field: u8,
        subfields: &[Subfield<'_>],
    ) -> Result<(), SubfieldError> {
        // Room for all, so that no copy of a value stays behind.
        let room = subfields.iter().map(|subfield| subfield.value.raw().1.len() + TLV_HEADER).sum();
        let mut out = Zeroizing::new(Vec::with_capacity(room));
        let fail = |position, reason| SubfieldError { field, position, reason };
        let kind = match subfields_of(dialect, field)? {
            Subfields::BerTlv => join_tlvs(subfields, &mut out).map(|()| Kind::Bytes),
            Subfields::Positional(specs) => join_positional(specs, subfields, &mut out),
        }
        .map_err(|reason| fail(out.len(), reason))?;
        let spec = &dialect
            .field_for(field, kind, &out)
            .map_err(|error| fail(error.position, SubfieldReason::Field(error)))?
            .spec;
        self.store.put(field, kind, spec.sensitivity, &out);
        Ok(())
    }
}

/// The longest tag and length.
const TLV_HEADER: usize = 6;

fn subfields_of(dialect: &Dialect, field: u8) -> Result<&Subfields, SubfieldError> {
    let subfields = dialect.field(field).and_then(|field| field.spec.subfields.as_ref());
    subfields.ok_or(SubfieldError { field, position: 0, reason: SubfieldReason::None })
}

/// Where in a value something is wrong, and what.
type Wrong = (usize, SubfieldReason);

fn cut_tlvs(value: &[u8]) -> Result<Vec<Subfield<'_>>, Wrong> {
    tlv::read(value)
        .map(|read| match read {
            Ok((tag, _, value)) => {
                Ok(Subfield { key: SubfieldKey::Tag(tag), value: FieldValue::Bytes(value) })
            }
            Err(error) => {
                let (TlvError::Truncated { at } | TlvError::Tag { at } | TlvError::Length { at }) = error;
                Err((at, error.into()))
            }
        })
        .collect()
}

fn cut_positional<'a>(
    specs: &'a [SubfieldSpec],
    kind: Kind,
    value: &'a [u8],
) -> Result<Vec<Subfield<'a>>, Wrong> {
    let mut rest = value;
    let mut cut = Vec::with_capacity(specs.len());
    for spec in specs {
        let at = value.len() - rest.len();
        let len = match spec.length {
            SubfieldLength::Fixed(len) => len.into(),
            SubfieldLength::Rest => rest.len(),
        };
        let Some((part, others)) = rest.split_at_checked(len) else {
            return Err((value.len(), SubfieldReason::Truncated { missing: len - rest.len() }));
        };
        spec.content.check(part).map_err(|index| (at + index, SubfieldReason::Character(spec.content)))?;
        cut.push(Subfield { key: SubfieldKey::Name(&spec.name), value: FieldValue::new(kind, part) });
        rest = others;
    }
    match rest.len() {
        0 => Ok(cut),
        count => Err((value.len() - count, SubfieldReason::Leftover { count })),
    }
}

fn join_tlvs(subfields: &[Subfield<'_>], out: &mut Vec<u8>) -> Result<(), SubfieldReason> {
    for subfield in subfields {
        let (SubfieldKey::Tag(tag), FieldValue::Bytes(value)) = (subfield.key, subfield.value) else {
            return Err(SubfieldReason::Mismatch);
        };
        if !tlv::push(tag, value, out) {
            return Err(SubfieldReason::Mismatch);
        }
    }
    Ok(())
}

fn join_positional(
    specs: &[SubfieldSpec],
    subfields: &[Subfield<'_>],
    out: &mut Vec<u8>,
) -> Result<Kind, SubfieldReason> {
    let mut joined = Kind::Text;
    let mut given = subfields.iter();
    for spec in specs {
        let Some(subfield) = given.next() else { return Err(SubfieldReason::Mismatch) };
        let (kind, value) = subfield.value.raw();
        let fits = match spec.length {
            SubfieldLength::Fixed(len) => value.len() == usize::from(len),
            SubfieldLength::Rest => true,
        };
        if subfield.key != SubfieldKey::Name(&spec.name) || kind != spec.content.kind() || !fits {
            return Err(SubfieldReason::Mismatch);
        }
        if spec.content.check(value).is_err() {
            return Err(SubfieldReason::Character(spec.content));
        }
        out.extend_from_slice(value);
        joined = kind;
    }
    if given.next().is_some() { Err(SubfieldReason::Mismatch) } else { Ok(joined) }
}
