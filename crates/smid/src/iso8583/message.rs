//! A message: its type and the values of its fields.

use core::fmt;

use super::{
    Bitmap, Dialect, FieldError, Mti,
    show::Full,
    store::{Kind, Store},
};

/// Fields whose content `Debug` replaces by its length: PAN, extended PAN, tracks 2, 3 and 1, PIN data, ICC data,
/// key management data and the account identifications.
///
/// Bit 53 is shown: a key name is public. Private fields are shown unless the dialect masks them, since what they hold
/// differs by network.
pub const MASKED_FIELDS: [u8; 10] = [2, 34, 35, 36, 45, 52, 55, 96, 102, 103];

/// An ISO 8583 message: message type indicator and values of fields.
///
/// Values are checked against a [`Dialect`] when they are set, and again when the message is encoded. All values are
/// wiped on drop, and `Debug` hides those of [`MASKED_FIELDS`] and those that the dialect in which they were set or
/// decoded masks.
///
/// # Examples
/// ```
/// use cardroot_smid::iso8583::{Dialect, Message};
///
/// let dialect = Dialect::ISO1987_ASCII;
/// let mut message = Message::new("0100".parse()?);
/// message.set_text(dialect, 2, "4242424242424242")?;
/// message.set_text(dialect, 3, "123456")?;
/// message.set_text(dialect, 4, "000000000100")?;
///
/// let bytes = message.encode(dialect)?;
/// assert_eq!(bytes, b"01007000000000000000164242424242424242123456000000000100");
/// assert_eq!(Message::decode(dialect, &bytes)?.text(3), Some("123456"));
/// assert!(!format!("{message:?}").contains("4242"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Message {
    mti: Mti,
    pub(super) store: Store,
}

/// Value of a field. `Debug` shows its length only.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum FieldValue<'a> {
    /// Text, printable ASCII.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Message {
    /// Starts a message without fields.
    pub fn new(mti: Mti) -> Self {
        Self::with_store(mti, Store::default())
    }

    pub(super) const fn with_store(mti: Mti, store: Store) -> Self {
        Self { mti, store }
    }

    /// Copies the message.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { mti: self.mti, store: self.store.clone() }
    }

    /// Returns the message type indicator.
    pub const fn mti(&self) -> Mti {
        self.mti
    }

    /// Changes the message type indicator, as in making a request the base of its response.
    pub const fn set_mti(&mut self, mti: Mti) {
        self.mti = mti;
    }

    /// Returns which fields are present.
    pub const fn bitmap(&self) -> Bitmap {
        self.store.present()
    }

    /// Tells whether a field is present.
    pub const fn contains(&self, field: u8) -> bool {
        self.bitmap().contains(field)
    }

    /// Returns the value of a field, if present.
    pub fn get(&self, field: u8) -> Option<FieldValue<'_>> {
        self.store.get(field).map(|(kind, raw)| FieldValue::new(kind, raw))
    }

    /// Returns the text of a field; nothing if it is absent or holds bytes.
    pub fn text(&self, field: u8) -> Option<&str> {
        match self.get(field)? {
            FieldValue::Text(text) => Some(text),
            FieldValue::Bytes(_) => None,
        }
    }

    /// Returns the bytes of a field; nothing if it is absent or holds text.
    pub fn bytes(&self, field: u8) -> Option<&[u8]> {
        match self.get(field)? {
            FieldValue::Text(_) => None,
            FieldValue::Bytes(bytes) => Some(bytes),
        }
    }

    /// Lists the fields with their values, lowest number first.
    pub fn fields(&self) -> impl Iterator<Item = (u8, FieldValue<'_>)> {
        self.store.iter().map(|(field, kind, raw)| (field, FieldValue::new(kind, raw)))
    }

    /// Sets a field to `text`.
    ///
    /// # Errors
    /// Returns [`FieldError`] with the first wrong position if `text` is not what `dialect` has in that field.
    pub fn set_text(&mut self, dialect: &Dialect, field: u8, text: &str) -> Result<(), FieldError> {
        self.set(dialect, field, FieldValue::Text(text))
    }

    /// Sets a field to `bytes`.
    ///
    /// # Errors
    /// Returns [`FieldError`] with the first wrong position if `bytes` are not what `dialect` has in that field.
    pub fn set_bytes(&mut self, dialect: &Dialect, field: u8, bytes: &[u8]) -> Result<(), FieldError> {
        self.set(dialect, field, FieldValue::Bytes(bytes))
    }

    /// Sets a field to `value`.
    ///
    /// # Errors
    /// Returns [`FieldError`] with the first wrong position if `value` is not what `dialect` has in that field.
    pub fn set(&mut self, dialect: &Dialect, field: u8, value: FieldValue<'_>) -> Result<(), FieldError> {
        let (kind, raw) = value.raw();
        let sensitivity = dialect.field_for(field, kind, raw)?.spec.sensitivity;
        self.store.put(field, kind, sensitivity, raw);
        Ok(())
    }

    /// Removes a field, if present.
    pub fn remove(&mut self, field: u8) {
        self.store.remove(field);
    }
}

impl<'a> FieldValue<'a> {
    pub(super) fn new(kind: Kind, raw: &'a [u8]) -> Self {
        match kind {
            Kind::Text => Self::Text(core::str::from_utf8(raw).expect("text was checked to be ASCII")),
            Kind::Bytes => Self::Bytes(raw),
        }
    }

    pub(super) const fn raw(self) -> (Kind, &'a [u8]) {
        match self {
            Self::Text(text) => (Kind::Text, text.as_bytes()),
            Self::Bytes(bytes) => (Kind::Bytes, bytes),
        }
    }
}

impl fmt::Debug for FieldValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text(<{} characters>)", text.len()),
            Self::Bytes(bytes) => write!(f, "Bytes(<{} bytes>)", bytes.len()),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("mti", &self.mti).field("fields", &Shown(self)).finish()
    }
}

/// The fields of a message, masked where need be.
struct Shown<'a>(&'a Message);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (field, value) in self.0.fields() {
            match value {
                masked if self.0.is_marked(field) => map.entry(&field, &masked),
                FieldValue::Text(text) => map.entry(&field, &text),
                bytes => map.entry(&field, &format_args!("{}", Full(bytes))),
            };
        }
        map.finish()
    }
}
