//! Messages as JSON objects: `{"mti": "0100", "fields": {"2": "…", "52": "0123456789ABCDEF"}}`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use zeroize::Zeroizing;

use super::show::Full;
use super::{Dialect, FieldError, FieldValue, Message, Mti, Version};

/// A text is not the JSON of a message. Nothing of the text is quoted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON, or not an object with the members `mti` and `fields`, each once.
    #[error("line {line}, column {column}: not the JSON of a message")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The member `mti` is not four decimal digits.
    #[error("mti: not four decimal digits")]
    Mti,
    /// The message is of another version of ISO 8583.
    #[error("mti: the dialect is of version {expected:?}, the message of {found:?}")]
    Version {
        /// Version of the dialect.
        expected: Version,
        /// Version of the message.
        found: Version,
    },
    /// A member of `fields`, counted from 1, is not called by a number from 0 to 255 in its shortest form.
    #[error("member {member} of fields is not the number of a field")]
    FieldNumber {
        /// Which member.
        member: usize,
    },
    /// A field is there twice.
    #[error("field {field} is there twice")]
    Twice {
        /// Number of the field.
        field: u8,
    },
    /// The value of a field is masked: it was shown, not meant to be read back.
    #[error("field {field} is masked")]
    Masked {
        /// Number of the field.
        field: u8,
    },
    /// A field of bytes is not an even number of hex digits.
    #[error("field {field}, position {position}: not a pair of hex digits")]
    Hex {
        /// Number of the field.
        field: u8,
        /// Position in the value, from 0.
        position: usize,
    },
    /// The value does not fit the field.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Message {
    /// Shows the message as JSON, the values that [`display`](Self::display) masks as `{"masked": length}`, which
    /// [`from_json`](Self::from_json) refuses.
    pub fn to_json(&self, dialect: &Dialect) -> String {
        self.json(|field| self.is_masked(dialect, field))
    }

    /// Writes the message as JSON with all values in full: cardholder data and PIN data are then yours to protect.
    ///
    /// Text is as it is, bytes are upper-case hex.
    ///
    /// # Examples
    /// ```
    /// use cardroot_smid::iso8583::{Dialect, Message};
    ///
    /// let dialect = Dialect::ISO1993_BINARY;
    /// let json = r#"{"mti":"1200","fields":{"11":"000042","52":"1B9C1845EB993A7A"}}"#;
    /// let message = Message::from_json(dialect, json)?;
    /// assert_eq!(message.to_json_exposed(), json);
    /// assert_eq!(message.to_json(dialect), r#"{"mti":"1200","fields":{"11":"000042","52":{"masked":8}}}"#);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn to_json_exposed(&self) -> String {
        self.json(|_| false)
    }

    /// Reads a message from JSON; values of fields of bytes are hex in either case, and fields stand in any order.
    ///
    /// Whatever `text` is, the answer is a message or an error; memory is at most a small multiple of the text.
    ///
    /// # Errors
    /// Returns [`JsonError`] with line and column, or field and position.
    pub fn from_json(dialect: &Dialect, text: &str) -> Result<Self, JsonError> {
        let json: MessageJson<'_> = serde_json::from_str(text)
            .map_err(|error| JsonError::Syntax { line: error.line(), column: error.column() })?;
        let mti: Mti = json.mti.parse().map_err(|_| JsonError::Mti)?;
        let (expected, found) = (dialect.version(), mti.version());
        if expected != found {
            return Err(JsonError::Version { expected, found });
        }
        let mut message = Self::new(mti);
        for (index, (name, value)) in json.fields.0.iter().enumerate() {
            let field: u8 = name.parse().map_err(|_| JsonError::FieldNumber { member: index + 1 })?;
            if name.starts_with(['0', '+']) && name != "0" {
                return Err(JsonError::FieldNumber { member: index + 1 });
            }
            if message.contains(field) {
                return Err(JsonError::Twice { field });
            }
            let ValueJson::Text(value) = value else { return Err(JsonError::Masked { field }) };
            if dialect.field(field).is_some_and(|field| field.spec.content.is_binary()) {
                let bytes = unhex(value).map_err(|position| JsonError::Hex { field, position })?;
                message.set_bytes(dialect, field, &bytes)?;
            } else {
                message.set_text(dialect, field, value)?;
            }
        }
        Ok(message)
    }

    fn json(&self, masked: impl Fn(u8) -> bool) -> String {
        // Room for all, so that no copy of a value stays behind: every character may need an escape.
        let room: usize = self.fields().map(|(_, value)| 2 * value.raw().1.len() + MEMBER).sum();
        let mut out = String::with_capacity(room + MEMBER);
        write_json(self, masked, &mut out).expect("a string takes all that is written");
        out
    }
}

/// More than the characters of a member around its value.
const MEMBER: usize = 40;

fn write_json(message: &Message, masked: impl Fn(u8) -> bool, out: &mut String) -> fmt::Result {
    write!(out, "{{\"mti\":\"{}\",\"fields\":{{", message.mti())?;
    for (index, (field, value)) in message.fields().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(out, "{comma}\"{field}\":")?;
        match value {
            _ if masked(field) => write!(out, "{{\"masked\":{}}}", value.raw().1.len())?,
            FieldValue::Text(text) => write_string(text, out)?,
            FieldValue::Bytes(_) => write!(out, "\"{}\"", Full(value))?,
        }
    }
    out.write_str("}}")
}

/// Writes printable ASCII, in which only two characters need an escape.
fn write_string(text: &str, out: &mut String) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.write_char('\\')?;
        }
        out.write_char(c)?;
    }
    out.write_char('"')
}

fn unhex(text: &str) -> Result<Zeroizing<Vec<u8>>, usize> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    for (index, pair) in text.as_bytes().chunks(2).enumerate() {
        let mut byte = 0;
        for half in 0..2 {
            let digit =
                pair.get(half).and_then(|&c| char::from(c).to_digit(16)).and_then(|d| u8::try_from(d).ok());
            byte = byte << 4 | digit.ok_or(2 * index + half)?;
        }
        bytes.push(byte);
    }
    Ok(bytes)
}

/// The text of a message, borrowed where no escape stands in it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageJson<'a> {
    #[serde(borrow)]
    mti: Cow<'a, str>,
    #[serde(borrow)]
    fields: FieldsJson<'a>,
}

/// Members in their order, so that a field that is there twice is seen.
struct FieldsJson<'a>(Vec<(Cow<'a, str>, ValueJson<'a>)>);

enum ValueJson<'a> {
    Text(Cow<'a, str>),
    Masked,
}

impl Drop for ValueJson<'_> {
    fn drop(&mut self) {
        if let Self::Text(Cow::Owned(text)) = self {
            zeroize::Zeroize::zeroize(text);
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for FieldsJson<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Cow<'de, str>, ValueJson<'de>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((TextJson(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(FieldsJson)
    }
}

/// A string, borrowed where possible: `Cow` as a member of a tuple would always be copied.
struct TextJson<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for TextJson<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
        Borrowed::deserialize(deserializer).map(|Borrowed(text)| Self(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ValueJson<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = ValueJson<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(ValueJson::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(ValueJson::Text(Cow::Owned(text.into())))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(ValueJson::Masked)
            }
        }
        deserializer.deserialize_any(Value)
    }
}
