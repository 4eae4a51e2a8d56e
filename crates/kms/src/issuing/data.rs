//! What differs from card to card.

use alloc::collections::BTreeMap;
use core::fmt;
use core::str::FromStr;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::plan::line_of;

/// What one card gets besides keys, by name: serial numbers, the holder, the PIN as the card compares it.
///
/// Wiped on drop; `Debug` shows the names alone. In a file it is TOML:
///
/// ```
/// use cardroot_kms::issuing::CardData;
///
/// let data: CardData = r#"
///     [text]
///     holder = "Ada"
///     [hex]
///     serial = "3701 0026 0000 0000 0001"
/// "#
/// .parse()?;
/// assert_eq!(data.expose("holder"), Some(&b"Ada"[..]));
/// assert_eq!(data.expose("serial"), Some(&[0x37, 0x01, 0, 0x26, 0, 0, 0, 0, 0, 1][..]));
/// # Ok::<(), cardroot_kms::issuing::CardDataError>(())
/// ```
///
/// PINs are better added from where secrets come from: not all of what reads TOML is wiped.
#[derive(Default)]
pub struct CardData(BTreeMap<String, Zeroizing<Vec<u8>>>);

/// Text that is no card data. It never quotes what stands there.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CardDataError {
    /// Not TOML, or TOML of something else.
    #[error("line {line}: card data is tables `text` and `hex` of names with strings")]
    Toml {
        /// Line, from 1.
        line: usize,
    },
    /// Not pairs of hexadecimal digits.
    #[error("`{name}` is not pairs of hexadecimal digits")]
    NotHex {
        /// Name of the entry.
        name: String,
    },
    /// One name in both tables.
    #[error("`{name}` stands twice")]
    Twice {
        /// Name of the entry.
        name: String,
    },
}

/// Card data as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    text: BTreeMap<String, String>,
    #[serde(default)]
    hex: BTreeMap<String, String>,
}

impl FromStr for CardData {
    type Err = CardDataError;

    fn from_str(text: &str) -> Result<Self, CardDataError> {
        let tables: Tables =
            toml::from_str(text).map_err(|error| CardDataError::Toml { line: line_of(text, &error) })?;
        let mut data = Self::new();
        for (name, text) in tables.text {
            let text = Zeroizing::new(text);
            data = data.with(&name, text.as_bytes());
        }
        for (name, digits) in tables.hex {
            let digits = Zeroizing::new(digits);
            if data.expose(&name).is_some() {
                return Err(CardDataError::Twice { name });
            }
            let digits: Zeroizing<Vec<u8>> =
                Zeroizing::new(digits.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect());
            let mut bytes = Zeroizing::new(vec![0; digits.len() / 2]);
            if base16ct::mixed::decode(digits.as_slice(), &mut bytes).is_err() {
                return Err(CardDataError::NotHex { name });
            }
            data = data.with(&name, &bytes);
        }
        Ok(data)
    }
}

impl CardData {
    /// No data.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With `bytes` under `name`, in the place of those that it had.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: &[u8]) -> Self {
        self.0.insert(name.to_owned(), Zeroizing::new(bytes.to_vec()));
        self
    }

    /// The bytes of a name.
    #[must_use]
    pub fn expose(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(|bytes| bytes.as_slice())
    }
}

impl fmt::Debug for CardData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_card_data_is_refused_and_not_quoted() {
        let error = |text: &str| text.parse::<CardData>().unwrap_err();
        for (text, line) in
            [("[hex", 1), ("[hex]\npin = 1234", 2), ("[text]\na = \"b\"\n[bin]\nc = \"d\"", 3)]
        {
            assert_eq!(error(text), CardDataError::Toml { line }, "{text}");
            assert!(!error(text).to_string().contains("1234"));
        }
        let name = || "pin".to_owned();
        assert_eq!(error("[hex]\npin = \"123\""), CardDataError::NotHex { name: name() });
        assert_eq!(error("[hex]\npin = \"12\"\n[text]\npin = \"12\""), CardDataError::Twice { name: name() });
        assert!("".parse::<CardData>().unwrap().expose("pin").is_none());
    }

    #[test]
    fn debug_shows_names_alone() {
        let data = CardData::new().with("pin", &[0xA5; 4]);
        for text in [format!("{data:?}"), format!("{data:#?}")] {
            assert!(
                text.contains("pin") && !text.to_lowercase().contains("a5") && !text.contains("165"),
                "{text}"
            );
        }
    }
}
