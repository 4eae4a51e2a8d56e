//! Dialects as TOML.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{
    BcdPad, BitmapCoding, CodePage, Coding, Content, DateCheck, DateFormat, Dialect, Field, FieldSpec,
    Length, LengthCoding, MtiCoding, Sensitivity, SubfieldLength, SubfieldSpec, Subfields, ValueCoding,
    Version,
};
use crate::SmidProfile;
use crate::toml_text::{Entry, Table, TomlError, TomlReason, Words, quoted, read, word_for};

const KEYS: &[&str] =
    &["name", "based-on", "version", "mti", "bitmap", "dates", "length-coding", "smid", "fields"];
const FIELD_KEYS: &[&str] = &[
    "name",
    "content",
    "fixed",
    "llvar",
    "lllvar",
    "length-coding",
    "value-coding",
    "pad",
    "date",
    "masked",
    "subfields",
    "remove",
];
const SUBFIELD_KEYS: &[&str] = &["name", "content", "fixed"];

const VERSIONS: [(u16, Version); 3] =
    [(1987, Version::Iso1987), (1993, Version::Iso1993), (2003, Version::Iso2003)];
const MTI: Words<MtiCoding> =
    &[("ascii", MtiCoding::Ascii), ("ebcdic", MtiCoding::Ebcdic), ("bcd", MtiCoding::Bcd)];
const BITMAP: Words<BitmapCoding> =
    &[("binary", BitmapCoding::Binary), ("hex", BitmapCoding::Hex), ("ebcdic-hex", BitmapCoding::EbcdicHex)];
const DATES: Words<DateCheck> = &[("digits", DateCheck::Digits), ("calendar", DateCheck::Calendar)];
const CONTENT: Words<Content> = &[
    ("n", Content::N),
    ("a", Content::A),
    ("an", Content::An),
    ("anp", Content::Anp),
    ("ns", Content::Ns),
    ("ans", Content::Ans),
    ("a or n", Content::AOrN),
    ("x+n", Content::XN),
    ("z", Content::Z),
    ("b", Content::B),
];
const LENGTH_CODING: Words<LengthCoding> = &[
    ("ascii", LengthCoding::Ascii),
    ("ebcdic", LengthCoding::Ebcdic),
    ("bcd", LengthCoding::Bcd),
    ("binary", LengthCoding::Binary),
];
const PAD: Words<BcdPad> = &[
    ("leading-zero", BcdPad::LeadingZero),
    ("leading-f", BcdPad::LeadingF),
    ("trailing-zero", BcdPad::TrailingZero),
    ("trailing-f", BcdPad::TrailingF),
];
const DATE: Words<DateFormat> = &[
    ("MMDD", DateFormat::Mmdd),
    ("YYMM", DateFormat::Yymm),
    ("YYMMDD", DateFormat::Yymmdd),
    ("hhmmss", DateFormat::Hhmmss),
    ("MMDDhhmmss", DateFormat::Mmddhhmmss),
    ("YYMMDDhhmmss", DateFormat::Yymmddhhmmss),
];
const BER_TLV: Words<()> = &[("ber-tlv", ())];

/// The keys of lengths, and what makes a length of their numbers.
const LENGTHS: Words<fn(u16) -> Length> =
    &[("fixed", Length::Fixed), ("llvar", Length::LlVar), ("lllvar", Length::LllVar)];

/// A value coding without its pad, which is a key of its own.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Family {
    Bcd,
    SignThenBcd,
    Other(ValueCoding),
}

const VALUE_CODING: Words<Family> = &[
    ("ascii", Family::Other(ValueCoding::Ascii)),
    ("ebcdic-037", Family::Other(ValueCoding::Ebcdic(CodePage::Cp037))),
    ("ebcdic-1047", Family::Other(ValueCoding::Ebcdic(CodePage::Cp1047))),
    ("bcd", Family::Bcd),
    ("sign-then-bcd", Family::SignThenBcd),
    ("raw", Family::Other(ValueCoding::Raw)),
    ("hex", Family::Other(ValueCoding::Hex)),
    ("ebcdic-hex", Family::Other(ValueCoding::EbcdicHex)),
];

impl Family {
    const fn of(coding: ValueCoding) -> (Self, Option<BcdPad>) {
        match coding {
            ValueCoding::Bcd(pad) => (Self::Bcd, Some(pad)),
            ValueCoding::SignThenBcd(pad) => (Self::SignThenBcd, Some(pad)),
            other => (Self::Other(other), None),
        }
    }
}

impl Dialect {
    /// Reads a dialect from TOML. The files of the built-in dialects, in the folder `dialects` of this crate, show every
    /// key.
    ///
    /// `name` is a string, `version` 1987, 1993 or 2003, `mti`, `bitmap`, `dates` and `length-coding` (of all
    /// fields) words; the table
    /// `smid`, optional, is a profile as [`SmidProfile::from_toml`] reads it; each key of the table `fields` is the number
    /// of a field. A field has `name`, `content` as in the standard, one of `fixed`, `llvar` and `lllvar`, `value-coding`,
    /// `pad` if that is a BCD coding, and as options `length-coding`, `date`, `masked` and `subfields`.
    ///
    /// With `based-on`, the name of a built-in dialect, only what differs is written, field by field and key by key;
    /// `remove = true` takes a field out.
    ///
    /// # Errors
    /// Returns [`TomlError`] with line, field and reason.
    ///
    /// # Examples
    /// ```
    /// use cardroot_smid::iso8583::{Dialect, Length, ValueCoding};
    ///
    /// let dialect = Dialect::from_toml(r#"
    ///     name = "our-network"
    ///     based-on = "iso8583-1987-ascii"
    ///     bitmap = "binary"
    ///     dates = "calendar"
    ///     [fields]
    ///     48 = { lllvar = 120, masked = true }
    ///     52 = { value-coding = "raw" }
    ///     127 = { remove = true }
    /// "#)?;
    /// assert_eq!(dialect.field(48).map(|field| field.spec.length), Some(Length::LllVar(120)));
    /// assert_eq!(dialect.field(52).map(|field| field.coding.value), Some(ValueCoding::Raw));
    ///
    /// let error = Dialect::from_toml("name = 'x'\nbased-on = 'iso8583-1987-ascii'\n[fields]\n3 = { fixed = 0 }");
    /// assert_eq!(error.unwrap_err().to_string(), "line 4, field 3: a length of Fixed(0) is not possible");
    /// # Ok::<(), cardroot_smid::TomlError>(())
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, TomlError> {
        read(text, dialect)
    }

    /// Writes the dialect as TOML that [`from_toml`](Self::from_toml) reads as the same, every field on a line of its own.
    pub fn to_toml(&self) -> String {
        let default = self.fields().next().map_or(LengthCoding::Ascii, |field| field.coding.length);
        let version =
            VERSIONS.iter().find(|(_, version)| *version == self.version()).map_or(0, |(year, _)| *year);
        let mut out = format!(
            "name = {}\nversion = {version}\nmti = \"{}\"\nbitmap = \"{}\"\ndates = \"{}\"\nlength-coding = \"{}\"\n",
            quoted(self.name()),
            word_for(MTI, &self.mti()),
            word_for(BITMAP, &self.bitmap()),
            word_for(DATES, &self.dates()),
            word_for(LENGTH_CODING, &default),
        );
        if let Some(profile) = self.smid_profile() {
            out.push_str("\n[smid]\n");
            out.push_str(&profile.to_toml());
        }
        out.push_str("\n[fields]\n");
        for field in self.fields() {
            let keys = field_keys(field, default).join(", ");
            out.push_str(&format!("{} = {{ {keys} }}\n", field.spec.number));
        }
        out
    }
}

fn dialect(table: Table<'_, '_>) -> Result<Dialect, TomlError> {
    table.only(KEYS)?;
    let name = table.need("name")?.string()?.to_string();
    let mut dialect = match table.get("based-on") {
        None => {
            let mut empty = Dialect::empty(name, version(table.need("version")?)?);
            empty.set_mti(table.need("mti")?.word(MTI)?);
            empty.set_bitmap(table.need("bitmap")?.word(BITMAP)?);
            empty
        }
        Some(base) => {
            let derived = built_in(base)?.derive(name);
            if let Some(entry) = table.get("version")
                && version(entry)? != derived.version()
            {
                return Err(entry.error(TomlReason::Conflict("a version other than that of the base")));
            }
            derived
        }
    };
    if let Some(entry) = table.get("mti") {
        dialect.set_mti(entry.word(MTI)?);
    }
    if let Some(entry) = table.get("bitmap") {
        dialect.set_bitmap(entry.word(BITMAP)?);
    }
    if let Some(entry) = table.get("dates") {
        dialect.set_dates(entry.word(DATES)?);
    }
    if let Some(entry) = table.get("smid") {
        let profile = SmidProfile::from_table(entry.table()?)?;
        dialect.set_smid_profile(Some(profile)).map_err(|error| entry.error(error))?;
    }
    let default = table.get("length-coding").map(|entry| entry.word(LENGTH_CODING)).transpose()?;
    if let Some(coding) = default {
        dialect.set_length_coding(coding);
    }
    if let Some(fields) = table.get("fields") {
        for field in fields.table()?.fields() {
            let (number, entry) = field?;
            set_field(&mut dialect, number, entry, default)?;
        }
    }
    Ok(dialect)
}

fn version(entry: Entry<'_, '_>) -> Result<Version, TomlError> {
    let year = entry.number()?;
    let found = VERSIONS.iter().find(|(known, _)| *known == year);
    found.map(|(_, version)| *version).ok_or_else(|| entry.error(TomlReason::Type("1987, 1993 or 2003")))
}

fn built_in(entry: Entry<'_, '_>) -> Result<&'static Dialect, TomlError> {
    Dialect::named(entry.string()?).ok_or_else(|| {
        entry.error(TomlReason::Word(Dialect::BUILT_IN.into_iter().map(Dialect::name).collect()))
    })
}

fn set_field(
    dialect: &mut Dialect,
    number: u8,
    entry: Entry<'_, '_>,
    default: Option<LengthCoding>,
) -> Result<(), TomlError> {
    let table = entry.table()?;
    table.only(FIELD_KEYS)?;
    if let Some(remove) = table.get("remove") {
        table.only(&["remove"])?;
        if !remove.flag()? || dialect.field(number).is_none() {
            return Err(remove.error(TomlReason::Conflict("remove")));
        }
        dialect.remove_field(number);
        return Ok(());
    }
    let base = dialect.field(number);
    let spec = spec(number, table, base.map(|field| &field.spec))?;
    let coding = coding(table, base.map(|field| field.coding), default)?;
    dialect.set_field(spec, coding).map_err(|error| entry.error(error.fault))
}

fn spec(number: u8, table: Table<'_, '_>, base: Option<&FieldSpec>) -> Result<FieldSpec, TomlError> {
    let missing = |key| table.error(TomlReason::Missing(key));
    let content = table.get("content").map(|entry| entry.word(CONTENT)).transpose()?;
    let length = length(table)?;
    let date = table.get("date").map(|entry| entry.word(DATE)).transpose()?;
    let subfields = table.get("subfields").map(subfields).transpose()?;
    // A date or subfields of the base do not survive another content or length.
    let kept = base.filter(|base| {
        content.is_none_or(|content| content == base.content)
            && length.is_none_or(|length| length == base.length)
    });
    let sensitivity = match table.get("masked").map(|entry| entry.flag()).transpose()? {
        Some(true) => Sensitivity::Masked,
        Some(false) => Sensitivity::Public,
        None => base.map_or(Sensitivity::of(number), |base| base.sensitivity),
    };
    Ok(FieldSpec {
        number,
        name: match (table.get("name"), base) {
            (Some(entry), _) => Cow::Owned(entry.string()?.to_string()),
            (None, Some(base)) => base.name.clone(),
            (None, None) => return Err(missing("name")),
        },
        content: content.or(base.map(|base| base.content)).ok_or_else(|| missing("content"))?,
        length: length
            .or(base.map(|base| base.length))
            .ok_or_else(|| missing("one of fixed, llvar and lllvar"))?,
        date: date.or(kept.and_then(|base| base.date)),
        sensitivity,
        subfields: subfields.or_else(|| kept.and_then(|base| base.subfields.clone())),
    })
}

fn length(table: Table<'_, '_>) -> Result<Option<Length>, TomlError> {
    let mut found = None;
    for (key, length) in LENGTHS {
        let Some(entry) = table.get(key) else { continue };
        if found.is_some() {
            return Err(entry.error(TomlReason::Conflict(key)));
        }
        found = Some(length(entry.number()?));
    }
    Ok(found)
}

fn coding(
    table: Table<'_, '_>,
    base: Option<Coding>,
    default: Option<LengthCoding>,
) -> Result<Coding, TomlError> {
    let length = match table.get("length-coding") {
        Some(entry) => entry.word(LENGTH_CODING)?,
        None => default.or(base.map(|base| base.length)).unwrap_or(LengthCoding::Ascii),
    };
    let (base_family, base_pad) = base.map(|base| Family::of(base.value)).unzip();
    let family = match table.get("value-coding") {
        Some(entry) => entry.word(VALUE_CODING)?,
        None => base_family.ok_or_else(|| table.error(TomlReason::Missing("value-coding")))?,
    };
    let pad = match table.get("pad") {
        Some(entry) => {
            if matches!(family, Family::Other(_)) {
                return Err(entry.error(TomlReason::Conflict("pad")));
            }
            Some(entry.word(PAD)?)
        }
        None => base_pad.flatten(),
    };
    let pad = || pad.ok_or_else(|| table.error(TomlReason::Missing("pad")));
    let value = match family {
        Family::Bcd => ValueCoding::Bcd(pad()?),
        Family::SignThenBcd => ValueCoding::SignThenBcd(pad()?),
        Family::Other(coding) => coding,
    };
    Ok(Coding { length, value })
}

fn subfields(entry: Entry<'_, '_>) -> Result<Subfields, TomlError> {
    if entry.string().is_ok() {
        return entry.word(BER_TLV).map(|()| Subfields::BerTlv);
    }
    let specs: Result<Vec<_>, _> = entry.list()?.iter().map(|entry| subfield(entry.table()?)).collect();
    specs.map(Subfields::Positional)
}

fn subfield(table: Table<'_, '_>) -> Result<SubfieldSpec, TomlError> {
    table.only(SUBFIELD_KEYS)?;
    Ok(SubfieldSpec {
        name: Cow::Owned(table.need("name")?.string()?.to_string()),
        content: table.need("content")?.word(CONTENT)?,
        length: match table.get("fixed") {
            Some(entry) => SubfieldLength::Fixed(entry.number()?),
            None => SubfieldLength::Rest,
        },
    })
}

/// The keys of a field with their values.
fn field_keys(field: &Field, default: LengthCoding) -> Vec<String> {
    let Field { spec, coding } = field;
    let word = |key: &str, word: &str| format!("{key} = \"{word}\"");
    let (family, pad) = Family::of(coding.value);
    let (length, max) = match spec.length {
        Length::Fixed(max) => ("fixed", max),
        Length::LlVar(max) => ("llvar", max),
        Length::LllVar(max) => ("lllvar", max),
    };
    let mut keys = Vec::from([
        format!("name = {}", quoted(&spec.name)),
        word("content", word_for(CONTENT, &spec.content)),
        format!("{length} = {max}"),
        word("value-coding", word_for(VALUE_CODING, &family)),
    ]);
    keys.extend(pad.map(|pad| word("pad", word_for(PAD, &pad))));
    if coding.length != default {
        keys.push(word("length-coding", word_for(LENGTH_CODING, &coding.length)));
    }
    keys.extend(spec.date.map(|date| word("date", date.pattern())));
    if spec.sensitivity != Sensitivity::of(spec.number) {
        keys.push("masked = true".to_string());
    }
    keys.extend(spec.subfields.as_ref().map(subfields_key));
    keys
}

fn subfields_key(subfields: &Subfields) -> String {
    let Subfields::Positional(specs) = subfields else { return "subfields = \"ber-tlv\"".to_string() };
    let specs: Vec<String> = specs
        .iter()
        .map(|spec| {
            let fixed = match spec.length {
                SubfieldLength::Fixed(len) => format!(", fixed = {len}"),
                SubfieldLength::Rest => String::new(),
            };
            let content = word_for(CONTENT, &spec.content);
            format!("{{ name = {}, content = \"{content}\"{fixed} }}", quoted(&spec.name))
        })
        .collect();
    format!("subfields = [{}]", specs.join(", "))
}
