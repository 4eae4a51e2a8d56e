//! The named fields of a card or a city.

use core::fmt;

use crate::profile::error::FactorFault;
use crate::profile::spec::Source;

/// The named fields of a card or a city.
///
/// It may hold more fields than a profile asks for, so one identity serves every profile.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    fields: &'a [Field<'a>],
}

/// One field of an identity.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Which field.
    pub source: Source,
    /// What it holds.
    pub value: Value<'a>,
}

/// What a field holds. `Debug` shows its length only: a card number is nobody's business.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Text: digits or characters.
    Text(&'a str),
    /// Bytes as they stand on the card.
    Bytes(&'a [u8]),
}

impl<'a> Identity<'a> {
    /// An identity of these fields.
    #[must_use]
    pub const fn new(fields: &'a [Field<'a>]) -> Self {
        Self { fields }
    }

    /// The one field of that name.
    pub(crate) fn value(&self, source: Source) -> Result<Value<'a>, FactorFault> {
        let mut found = self.fields.iter().filter(|field| field.source == source);
        match (found.next(), found.next()) {
            (Some(field), None) => Ok(field.value),
            (Some(_), Some(_)) => Err(FactorFault::Ambiguous),
            (None, _) => Err(FactorFault::Missing),
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
        }
    }
}
