//! Reading TOML with errors that say where: line, field, reason.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use crate::iso8583::DialectFault;
use crate::{LayoutError, ProfileError};

/// A text is not a dialect or profile. Nothing of the text is quoted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}{}: {reason}", Of(*field))]
pub struct TomlError {
    /// Line in the text, from 1.
    pub line: usize,
    /// Number of the field that the line is about, if it is about one.
    pub field: Option<u8>,
    /// What is wrong.
    pub reason: TomlReason,
}

/// Why a text is not a dialect or profile.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TomlReason {
    /// The text is not TOML.
    #[error("not TOML")]
    Syntax,
    /// The key has no meaning here.
    #[error("unknown key; there are {}", Listed(_0))]
    UnknownKey(Vec<&'static str>),
    /// A key is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The value is of another type.
    #[error("{0} expected")]
    Type(&'static str),
    /// The value is not one of the words that are possible.
    #[error("expected one of {}", Listed(_0))]
    Word(Vec<&'static str>),
    /// The key does not go with another one.
    #[error("{0} does not go with the rest")]
    Conflict(&'static str),
    /// The key in the table of fields is not a number in its shortest form.
    #[error("not the number of a field")]
    FieldNumber,
    /// The field cannot be part of a dialect.
    #[error(transparent)]
    Dialect(#[from] DialectFault),
    /// The settings of the profile contradict each other.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The layout of key names is not possible.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// The field an error is about, if any.
struct Of(Option<u8>);

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |field| write!(f, ", field {field}"))
    }
}

/// Words with commas between.
struct Listed<'a>(&'a [&'static str]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, word)| {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{word}")
        })
    }
}

/// Words and what they mean, for reading and for writing.
pub(crate) type Words<T> = &'static [(&'static str, T)];

/// Returns the word for a meaning that has one.
pub(crate) fn word_for<T: PartialEq>(words: Words<T>, meaning: &T) -> &'static str {
    words.iter().find(|(_, found)| found == meaning).map_or("", |(word, _)| word)
}

/// Where in the text a value stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'t> {
    text: &'t str,
    offset: usize,
    field: Option<u8>,
}

impl Place<'_> {
    pub(crate) fn error(&self, reason: impl Into<TomlReason>) -> TomlError {
        let before = self.text.as_bytes().get(..self.offset).unwrap_or_default();
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        TomlError { line, field: self.field, reason: reason.into() }
    }
}

/// A table of the text.
#[derive(Clone, Copy)]
pub(crate) struct Table<'t, 'v> {
    place: Place<'t>,
    entries: &'v DeTable<'t>,
}

/// A value of the text.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'t, 'v> {
    pub(crate) place: Place<'t>,
    value: &'v DeValue<'t>,
}

/// Parses `text` and lets `read` make something of its top table.
pub(crate) fn read<'t, T>(
    text: &'t str,
    read: impl FnOnce(Table<'t, '_>) -> Result<T, TomlError>,
) -> Result<T, TomlError> {
    let place = |offset| Place { text, offset, field: None };
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        place(offset).error(TomlReason::Syntax)
    })?;
    read(Table { place: place(0), entries: table.get_ref() })
}

impl<'t, 'v> Table<'t, 'v> {
    pub(crate) fn error(&self, reason: impl Into<TomlReason>) -> TomlError {
        self.place.error(reason)
    }

    /// Checks that no key but `keys` is there.
    pub(crate) fn only(&self, keys: &[&'static str]) -> Result<(), TomlError> {
        match self.entries.iter().find(|(key, _)| !keys.contains(&&**key.get_ref())) {
            None => Ok(()),
            Some((key, _)) => Err(self.at(key.span().start).error(TomlReason::UnknownKey(keys.to_vec()))),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Entry<'t, 'v>> {
        self.entries.get(key).map(|value| self.entry(value))
    }

    pub(crate) fn need(&self, key: &'static str) -> Result<Entry<'t, 'v>, TomlError> {
        self.get(key).ok_or_else(|| self.error(TomlReason::Missing(key)))
    }

    /// Lists the entries whose keys are numbers of fields, each placed in its field.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Result<(u8, Entry<'t, 'v>), TomlError>> {
        self.entries.iter().map(|(key, value)| {
            let wrong = || self.at(key.span().start).error(TomlReason::FieldNumber);
            let number: u8 = key.get_ref().parse().map_err(|_| wrong())?;
            if key.get_ref().starts_with(['0', '+']) {
                return Err(wrong());
            }
            let mut entry = self.entry(value);
            entry.place.offset = key.span().start;
            entry.place.field = Some(number);
            Ok((number, entry))
        })
    }

    fn at(&self, offset: usize) -> Place<'t> {
        Place { offset, ..self.place }
    }

    fn entry(&self, value: &'v Spanned<DeValue<'t>>) -> Entry<'t, 'v> {
        Entry { place: self.at(value.span().start), value: value.get_ref() }
    }
}

impl<'t, 'v> Entry<'t, 'v> {
    pub(crate) fn error(&self, reason: impl Into<TomlReason>) -> TomlError {
        self.place.error(reason)
    }

    pub(crate) fn string(&self) -> Result<&'v str, TomlError> {
        match self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.error(TomlReason::Type("a string"))),
        }
    }

    pub(crate) fn number(&self) -> Result<u16, TomlError> {
        let number = match self.value {
            DeValue::Integer(digits) => u16::from_str_radix(digits.as_str(), digits.radix()).ok(),
            _ => None,
        };
        number.ok_or_else(|| self.error(TomlReason::Type("a number from 0 to 65535")))
    }

    pub(crate) fn small_number(&self) -> Result<u8, TomlError> {
        let number = self.number().ok().and_then(|number| u8::try_from(number).ok());
        number.ok_or_else(|| self.error(TomlReason::Type("a number from 0 to 255")))
    }

    pub(crate) fn flag(&self) -> Result<bool, TomlError> {
        match self.value {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.error(TomlReason::Type("true or false"))),
        }
    }

    pub(crate) fn word<T: Clone>(&self, words: Words<T>) -> Result<T, TomlError> {
        let found = self.string().ok().and_then(|text| words.iter().find(|(word, _)| *word == text));
        let all = || TomlReason::Word(words.iter().map(|(word, _)| *word).collect());
        found.map(|(_, meaning)| meaning.clone()).ok_or_else(|| self.error(all()))
    }

    pub(crate) fn table(&self) -> Result<Table<'t, 'v>, TomlError> {
        match self.value {
            DeValue::Table(entries) => Ok(Table { place: self.place, entries }),
            _ => Err(self.error(TomlReason::Type("a table"))),
        }
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>, TomlError> {
        let DeValue::Array(values) = self.value else {
            return Err(self.error(TomlReason::Type("a list")));
        };
        let entry = |value: &'v Spanned<DeValue<'t>>| Entry {
            place: Place { offset: value.span().start, ..self.place },
            value: value.get_ref(),
        };
        Ok(values.iter().map(entry).collect())
    }
}

/// Writes a basic string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&alloc::format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
