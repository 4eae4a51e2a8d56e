//! A message for people: one line a field, with cardholder data masked unless asked for.

use core::fmt::{self, Write};

use super::{Dialect, FieldValue, Message, Sensitivity};

/// A message as text, by [`Message::display`] or [`Message::display_exposed`].
pub struct MessageDisplay<'a> {
    message: &'a Message,
    dialect: &'a Dialect,
    exposure: Exposure,
}

/// How much of a message is shown.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Exposure {
    Masked,
    Full,
}

impl Message {
    /// Shows the message type and one line a field, `number, name, value`, masked where `dialect` or
    /// [`MASKED_FIELDS`](super::MASKED_FIELDS) says so: of a PAN at most the first six and the last
    /// four digits, of others the length.
    ///
    /// # Examples
    /// ```
    /// use cardroot_smid::iso8583::{Dialect, Message};
    ///
    /// let dialect = Dialect::ISO1987_ASCII;
    /// let message = Message::decode(dialect, b"01007000000000000000164242424242424242123456000000000100")?;
    /// let shown = message.display(dialect).to_string();
    /// assert!(shown.contains("  2 Primary account number: 424242******4242\n"));
    /// assert!(message.display_exposed(dialect).to_string().contains("4242424242424242"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub const fn display<'a>(&'a self, dialect: &'a Dialect) -> MessageDisplay<'a> {
        MessageDisplay { message: self, dialect, exposure: Exposure::Masked }
    }

    /// The same with all values in full: cardholder data and PIN data are then yours to protect.
    pub const fn display_exposed<'a>(&'a self, dialect: &'a Dialect) -> MessageDisplay<'a> {
        MessageDisplay { message: self, dialect, exposure: Exposure::Full }
    }

    /// Tells whether [`display`](Self::display) hides the value of a field: it is one of
    /// [`MASKED_FIELDS`](super::MASKED_FIELDS), or it is masked by `dialect` or the dialect in which it was set or decoded.
    pub fn is_masked(&self, dialect: &Dialect, field: u8) -> bool {
        let said = dialect.field(field).map_or(Sensitivity::Public, |field| field.spec.sensitivity);
        said == Sensitivity::Masked || self.is_marked(field)
    }

    /// The same without a dialect at hand.
    pub(super) fn is_marked(&self, field: u8) -> bool {
        self.store.masks(field) || Sensitivity::of(field) == Sensitivity::Masked
    }
}

impl fmt::Display for MessageDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message.mti())?;
        for (field, value) in self.message.fields() {
            let name = self.dialect.field(field).map_or("", |field| &field.spec.name);
            write!(f, "{field:3} {name}: ")?;
            match value {
                _ if self.exposure == Exposure::Full || !self.message.is_masked(self.dialect, field) => {
                    write!(f, "{}", Full(value))?;
                }
                FieldValue::Text(pan) if field == PAN => write!(f, "{}", MaskedPan(pan))?,
                masked => write!(f, "{masked:?}")?,
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for MessageDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

const PAN: u8 = 2;

/// At most the first six and the last four digits; at least six are hidden.
struct MaskedPan<'a>(&'a str);

impl fmt::Display for MaskedPan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HIDDEN_AT_LEAST: usize = 6;
        let shown = self.0.len().saturating_sub(HIDDEN_AT_LEAST).min(6 + 4);
        let last = shown.min(4);
        let hidden = (shown - last)..(self.0.len() - last);
        self.0
            .chars()
            .enumerate()
            .try_for_each(|(index, digit)| f.write_char(if hidden.contains(&index) { '*' } else { digit }))
    }
}

/// Text as it is, bytes in hex.
pub(super) struct Full<'a>(pub(super) FieldValue<'a>);

impl fmt::Display for Full<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            FieldValue::Text(text) => f.write_str(text),
            FieldValue::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}")),
        }
    }
}
