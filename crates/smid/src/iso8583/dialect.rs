//! How a network writes messages, as data.

use alloc::borrow::Cow;
use core::fmt;

use super::{BcdPad, Bitmap, Coding, Content, Field, FieldSpec, Length, LengthCoding, ValueCoding, Version};
use super::{DateFormat, FieldError, FieldReason, Sensitivity, fields_1987, fields_1993, store::Kind};
use crate::{ProfileError, SmidProfile};

/// Fields 2 to 128, field 2 first.
pub(super) const FIELDS: usize = 127;

/// How messages are written: version, coding of message type and bitmap, and each field with its coding.
///
/// The four built-in dialects write as the generic ASCII and binary packagers of jPOS do; a network's own dialect is
/// one of them with changes.
///
/// # Examples
/// ```
/// use cardroot_smid::iso8583::{BitmapCoding, Coding, Dialect, LengthCoding, ValueCoding};
///
/// // ASCII throughout, but a binary bitmap and raw PIN data.
/// let mut dialect = Dialect::ISO1987_ASCII.derive("our-network");
/// dialect.set_bitmap(BitmapCoding::Binary);
/// let pin_data = dialect.field(52).expect("52 is a field").spec.clone();
/// dialect.set_field(pin_data, Coding { length: LengthCoding::Ascii, value: ValueCoding::Raw })?;
/// # Ok::<(), cardroot_smid::iso8583::DialectError>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct Dialect {
    name: Cow<'static, str>,
    version: Version,
    mti: MtiCoding,
    bitmap: BitmapCoding,
    dates: DateCheck,
    smids: Option<SmidProfile>,
    fields: [Option<Field>; FIELDS],
}

/// How the message type indicator is written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MtiCoding {
    /// Four ASCII digits.
    Ascii,
    /// Four EBCDIC digits.
    Ebcdic,
    /// Two bytes, two digits each.
    Bcd,
}

/// How the bitmaps are written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum BitmapCoding {
    /// 8 or 16 bytes.
    Binary,
    /// 16 or 32 upper-case hex digits.
    Hex,
    /// 16 or 32 upper-case hex digits in EBCDIC.
    EbcdicHex,
}

/// Whether fields that are dates or times are held against the calendar.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DateCheck {
    /// Any digits are accepted.
    Digits,
    /// Only days of the calendar and times of the day are accepted; see [`DateFormat::check`].
    Calendar,
}

/// A field cannot be part of a dialect.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("field {field}: {fault}")]
pub struct DialectError {
    /// Number of the field.
    pub field: u8,
    /// What is wrong.
    pub fault: DialectFault,
}

/// Why a field cannot be part of a dialect.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DialectFault {
    /// The number is not 2 to 128, or it is 65, which would announce a third bitmap.
    #[error("not the number of a field (2 to 128 without 65)")]
    NotAField,
    /// A length is zero, above 999, or has more digits than are sent.
    #[error("a length of {0:?} is not possible")]
    Length(Length),
    /// A date is another number of digits, or the field is not `n` of fixed length.
    #[error("{} is not the form of this field", _0.pattern())]
    Date(DateFormat),
    /// The subfields are of another kind than the field, do not fit its length, or have no names of their own.
    #[error("the subfields do not fit the field")]
    Subfields,
    /// The field is one of [`MASKED_FIELDS`](super::MASKED_FIELDS) and cannot be shown.
    #[error("the field is always masked")]
    AlwaysMasked,
    /// The value coding cannot write the content.
    #[error("{coding:?} cannot write content {content}")]
    Coding {
        /// The value coding.
        coding: ValueCoding,
        /// The content.
        content: Content,
    },
}

static ISO1987_ASCII: Dialect = Dialect::ascii("iso8583-1987-ascii", Version::Iso1987, &fields_1987::FIELDS);
static ISO1987_BINARY: Dialect =
    Dialect::binary("iso8583-1987-binary", Version::Iso1987, &fields_1987::FIELDS)
        .with(fields_1987::BINARY_TRACK_2)
        .with(fields_1987::BINARY_RESERVED_55);
static ISO1993_ASCII: Dialect = Dialect::ascii("iso8583-1993-ascii", Version::Iso1993, &fields_1993::FIELDS);
static ISO1993_BINARY: Dialect =
    Dialect::binary("iso8583-1993-binary", Version::Iso1993, &fields_1993::FIELDS);

impl Dialect {
    /// ISO 8583:1987, text: ASCII lengths and values, hex bitmap, hex for binary fields of fixed length.
    pub const ISO1987_ASCII: &'static Self = &ISO1987_ASCII;
    /// ISO 8583:1987, packed: BCD lengths and digits, binary bitmap and binary fields, ASCII for other text.
    pub const ISO1987_BINARY: &'static Self = &ISO1987_BINARY;
    /// ISO 8583:1993, text. Bits 53, 55 and 96 have an ASCII length and then raw bytes, while 52, 64 and 128 are hex.
    pub const ISO1993_ASCII: &'static Self = &ISO1993_ASCII;
    /// ISO 8583:1993, packed.
    pub const ISO1993_BINARY: &'static Self = &ISO1993_BINARY;

    /// All dialects above, for programs that offer a choice.
    pub const BUILT_IN: [&'static Self; 4] =
        [Self::ISO1987_ASCII, Self::ISO1987_BINARY, Self::ISO1993_ASCII, Self::ISO1993_BINARY];

    /// Returns the built-in dialect called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::BUILT_IN.into_iter().find(|dialect| dialect.name == name)
    }

    /// Copies this dialect under another name, to be changed.
    #[must_use]
    pub fn derive(&self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), ..self.clone() }
    }

    /// Returns the name by which people and files refer to the dialect.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the version of ISO 8583; messages of other versions are refused.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns how the message type indicator is written.
    pub const fn mti(&self) -> MtiCoding {
        self.mti
    }

    /// Returns how the bitmaps are written.
    pub const fn bitmap(&self) -> BitmapCoding {
        self.bitmap
    }

    /// Returns whether dates and times are held against the calendar; the built-in dialects do not.
    pub const fn dates(&self) -> DateCheck {
        self.dates
    }

    /// Returns how SMIDs stand in bits 53 and 96, if the dialect says so; the built-in dialects do not.
    pub const fn smid_profile(&self) -> Option<&SmidProfile> {
        self.smids.as_ref()
    }

    /// Returns a field, unless the dialect has none of that number.
    pub fn field(&self, number: u8) -> Option<&Field> {
        if Bitmap::is_field(number) { self.fields.get(slot(number))?.as_ref() } else { None }
    }

    /// Lists the fields, lowest number first.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().flatten()
    }

    /// Returns field `number`, having checked that a value fits it.
    pub(super) fn field_for(&self, number: u8, kind: Kind, value: &[u8]) -> Result<&Field, FieldError> {
        let fail = |position, reason| Err(FieldError { field: number, position, reason });
        let Some(field) = self.field(number) else {
            let reason =
                if Bitmap::is_field(number) { FieldReason::NotInDialect } else { FieldReason::NotAField };
            return fail(0, reason);
        };
        let spec = &field.spec;
        match (kind, spec.content.kind()) {
            (Kind::Text, Kind::Bytes) => return fail(0, FieldReason::TextForBytes),
            (Kind::Bytes, Kind::Text) => return fail(0, FieldReason::BytesForText),
            _ => {}
        }
        let (max, found) = (usize::from(spec.length.max()), value.len());
        match spec.length {
            Length::Fixed(_) if found != max => {
                return fail(max.min(found), FieldReason::FixedLength { expected: max, found });
            }
            _ if found > max => return fail(max, FieldReason::TooLong { max, found }),
            _ => {}
        }
        match self.check_value(spec, value) {
            Ok(()) => Ok(field),
            Err((position, ValueFault::Character)) => fail(position, FieldReason::Character(spec.content)),
            Err((position, ValueFault::Date(format))) => fail(position, FieldReason::Date(format)),
        }
    }

    /// Checks the characters of a value of the right length, and its date.
    pub(super) fn check_value(&self, spec: &FieldSpec, value: &[u8]) -> Result<(), (usize, ValueFault)> {
        spec.content.check(value).map_err(|position| (position, ValueFault::Character))?;
        match spec.date {
            Some(format) if self.dates == DateCheck::Calendar => {
                format.check(value).map_err(|position| (position, ValueFault::Date(format)))
            }
            _ => Ok(()),
        }
    }

    /// Sets how the message type indicator is written.
    pub const fn set_mti(&mut self, coding: MtiCoding) {
        self.mti = coding;
    }

    /// Sets how the bitmaps are written.
    pub const fn set_bitmap(&mut self, coding: BitmapCoding) {
        self.bitmap = coding;
    }

    /// Sets whether dates and times are held against the calendar.
    pub const fn set_dates(&mut self, check: DateCheck) {
        self.dates = check;
    }

    /// Sets how SMIDs stand in bits 53 and 96.
    ///
    /// # Errors
    /// Returns [`ProfileError`] if `profile` contradicts itself.
    pub fn set_smid_profile(&mut self, profile: Option<SmidProfile>) -> Result<(), ProfileError> {
        profile.as_ref().map_or(Ok(()), SmidProfile::check)?;
        self.smids = profile;
        Ok(())
    }

    /// Takes a field out of the dialect: messages that have it are refused.
    pub fn remove_field(&mut self, number: u8) {
        if let Some(field) = self.fields.get_mut(slot(number)) {
            *field = None;
        }
    }

    /// Adds the field that has the number of `spec`, or replaces it.
    ///
    /// # Errors
    /// Returns [`DialectError`] if there is no such field, if its length is zero or beyond what is sent of it, if
    /// `coding` cannot write its content, if date or subfields do not fit it, or if it would be shown and must not be.
    pub fn set_field(&mut self, spec: FieldSpec, coding: Coding) -> Result<(), DialectError> {
        let fail = |fault| Err(DialectError { field: spec.number, fault });
        let limit = match spec.length {
            Length::LlVar(_) => 99,
            Length::Fixed(_) | Length::LllVar(_) => 999,
        };
        if !(1..=limit).contains(&spec.length.max()) {
            return fail(DialectFault::Length(spec.length));
        }
        if !coding.value.suits(spec.content) {
            return fail(DialectFault::Coding { coding: coding.value, content: spec.content });
        }
        if let Some(format) = spec.date
            && (spec.content, spec.length) != (Content::N, Length::Fixed(format.digits()))
        {
            return fail(DialectFault::Date(format));
        }
        if spec.subfields.as_ref().is_some_and(|subfields| !subfields.suit(spec.content, spec.length)) {
            return fail(DialectFault::Subfields);
        }
        if spec.sensitivity == Sensitivity::Public && Sensitivity::of(spec.number) == Sensitivity::Masked {
            return fail(DialectFault::AlwaysMasked);
        }
        match self.fields.get_mut(slot(spec.number)) {
            Some(field) if Bitmap::is_field(spec.number) => *field = Some(Field { spec, coding }),
            _ => return fail(DialectFault::NotAField),
        }
        Ok(())
    }

    /// Sets how the lengths of all fields are written.
    pub fn set_length_coding(&mut self, coding: LengthCoding) {
        for field in self.fields.iter_mut().flatten() {
            field.coding.length = coding;
        }
    }

    /// Sets what fills an odd number of digits in all fields written as BCD, those of fixed and those of variable length.
    pub fn set_bcd_pads(&mut self, fixed: BcdPad, variable: BcdPad) {
        for field in self.fields.iter_mut().flatten() {
            let new = if matches!(field.spec.length, Length::Fixed(_)) { fixed } else { variable };
            if let ValueCoding::Bcd(pad) | ValueCoding::SignThenBcd(pad) = &mut field.coding.value {
                *pad = new;
            }
        }
    }

    /// Starts a dialect without fields.
    #[cfg(feature = "toml")]
    pub(super) fn empty(name: alloc::string::String, version: Version) -> Self {
        let (mti, bitmap, dates) = (MtiCoding::Ascii, BitmapCoding::Hex, DateCheck::Digits);
        let fields = [const { None }; FIELDS];
        Self { name: Cow::Owned(name), version, mti, bitmap, dates, smids: None, fields }
    }

    const fn ascii(name: &'static str, version: Version, specs: &[FieldSpec; FIELDS]) -> Self {
        let fields = coded(specs, Family::Ascii);
        let (name, mti, bitmap) = (Cow::Borrowed(name), MtiCoding::Ascii, BitmapCoding::Hex);
        Self { name, version, mti, bitmap, dates: DateCheck::Digits, smids: None, fields }
    }

    const fn binary(name: &'static str, version: Version, specs: &[FieldSpec; FIELDS]) -> Self {
        let fields = coded(specs, Family::Binary);
        let (name, mti, bitmap) = (Cow::Borrowed(name), MtiCoding::Bcd, BitmapCoding::Binary);
        Self { name, version, mti, bitmap, dates: DateCheck::Digits, smids: None, fields }
    }

    /// Replaces one field of a built-in dialect.
    #[allow(
        clippy::indexing_slicing,
        reason = "evaluated at compile time, where an index out of range is an error"
    )]
    const fn with(mut self, field: Field) -> Self {
        let old = self.fields[slot(field.spec.number)].replace(field);
        // Nothing is allocated at compile time, where `drop` cannot run.
        core::mem::forget(old);
        self
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialect")
            .field("name", &self.name)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Index of a field in a table that starts with field 2; out of range for 0 and 1.
const fn slot(number: u8) -> usize {
    (number as usize).wrapping_sub(2)
}

/// Why characters of a value are wrong.
pub(super) enum ValueFault {
    Character,
    Date(DateFormat),
}

/// The two ways in which the generic packagers write fields.
#[derive(Clone, Copy)]
enum Family {
    Ascii,
    Binary,
}

#[allow(
    clippy::indexing_slicing,
    reason = "evaluated at compile time, where an index out of range is an error"
)]
const fn coded(specs: &[FieldSpec; FIELDS], family: Family) -> [Option<Field>; FIELDS] {
    let mut fields = [const { None }; FIELDS];
    let mut index = 0;
    while index < FIELDS {
        let spec = specs[index].constant();
        // Bit 65 is in the tables, and no field.
        if Bitmap::is_field(spec.number) {
            let coding = family.coding(&spec);
            core::mem::forget(fields[index].replace(Field { spec, coding }));
        } else {
            core::mem::forget(spec);
        }
        index += 1;
    }
    fields
}

impl Family {
    const fn coding(self, spec: &FieldSpec) -> Coding {
        match self {
            Self::Ascii => Coding { length: LengthCoding::Ascii, value: Self::ascii_value(spec) },
            Self::Binary => Coding { length: LengthCoding::Bcd, value: Self::binary_value(spec) },
        }
    }

    const fn ascii_value(spec: &FieldSpec) -> ValueCoding {
        match (spec.content, spec.length) {
            (Content::B, Length::Fixed(_)) => ValueCoding::Hex,
            (Content::B, _) => ValueCoding::Raw,
            _ => ValueCoding::Ascii,
        }
    }

    /// Odd numbers of digits: a fixed field leads with zero, a variable one trails with it, as the 1987 samples of jPOS do.
    /// Its 1993 sample trails in both; networks differ, which is what `set_bcd_pads` is for.
    const fn binary_value(spec: &FieldSpec) -> ValueCoding {
        match (spec.content, spec.length) {
            (Content::N, Length::Fixed(_)) => ValueCoding::Bcd(BcdPad::LeadingZero),
            (Content::N, _) => ValueCoding::Bcd(BcdPad::TrailingZero),
            (Content::XN, _) => ValueCoding::SignThenBcd(BcdPad::LeadingZero),
            (Content::B, _) => ValueCoding::Raw,
            _ => ValueCoding::Ascii,
        }
    }
}
