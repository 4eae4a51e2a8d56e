//! Content of files, with blanks for what differs from card to card.

use core::fmt;
use core::str::FromStr;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::data::CardData;

/// Content of a file as the plan writes it: hexadecimal digits, and names of the card's data in braces.
///
/// ```text
/// 33373031 FFFFFFFF 01 01 {serial} 20261121 20361120 0000
/// ```
///
/// Blanks are for the eye. `{name}` stands for the bytes of that name, `{name:20}` for as many bytes, filled up by zeros on
/// the right.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    Bytes(Vec<u8>),
    Field { name: String, len: Option<usize> },
}

/// A template that can't be read, or card data that does not fit it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Neither pairs of hexadecimal digits nor a name in braces.
    #[error("`{0}` is neither pairs of hexadecimal digits nor a name in braces")]
    NotHex(String),
    /// A brace without its other half.
    #[error("a brace has no other half")]
    Brace,
    /// A name without letters, or a length that is no number.
    #[error("`{{{0}}}` is no name, or no name and a length")]
    Field(String),
    /// The card's data does not have it.
    #[error("the card's data has no `{0}`")]
    Missing(String),
    /// It has more bytes than there is room for.
    #[error("`{name}` has {found} bytes, there is room for {room}")]
    TooLong {
        /** Name in the card's data. */
        name: String,
        /** Bytes found. */
        found: usize,
        /** Bytes allowed. */
        room: usize,
    },
}

impl Template {
    /// The bytes for one card.
    ///
    /// # Errors
    /// Returns [`TemplateError::Missing`] or [`TemplateError::TooLong`].
    pub fn fill(&self, data: &CardData) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
        // Room for all of it at once: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.len(data)?));
        for piece in &self.0 {
            match piece {
                Piece::Bytes(fixed) => bytes.extend_from_slice(fixed),
                Piece::Field { name, len } => {
                    let value = data.expose(name).ok_or_else(|| TemplateError::Missing(name.clone()))?;
                    bytes.extend_from_slice(value);
                    let rest = len.map_or(0, |len| len - value.len());
                    bytes.extend(core::iter::repeat_n(0x00, rest));
                }
            }
        }
        Ok(bytes)
    }

    fn len(&self, data: &CardData) -> Result<usize, TemplateError> {
        self.0.iter().map(|piece| piece.len(data)).sum()
    }
}

impl Piece {
    fn len(&self, data: &CardData) -> Result<usize, TemplateError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len()),
            Self::Field { name, len } => {
                let missing = || TemplateError::Missing(name.clone());
                let found = data.expose(name).ok_or_else(missing)?.len();
                match *len {
                    Some(room) if found > room => {
                        Err(TemplateError::TooLong { name: name.clone(), found, room })
                    }
                    len => Ok(len.unwrap_or(found)),
                }
            }
        }
    }

    fn hex(text: &str) -> Result<Self, TemplateError> {
        let digits: String = text.chars().filter(|char| !char.is_whitespace()).collect();
        let bytes = base16ct::mixed::decode_vec(&digits)
            .map_err(|_| TemplateError::NotHex(text.trim().to_owned()))?;
        Ok(Self::Bytes(bytes))
    }

    fn field(text: &str) -> Result<Self, TemplateError> {
        let error = || TemplateError::Field(text.to_owned());
        let (name, len) = match text.split_once(':') {
            Some((name, len)) => (name, Some(len.parse::<u16>().map_err(|_| error())?)),
            None => (text, None),
        };
        let is_name =
            !name.is_empty() && name.chars().all(|char| char.is_alphanumeric() || "-_".contains(char));
        if !is_name {
            return Err(error());
        }
        Ok(Self::Field { name: name.to_owned(), len: len.map(usize::from) })
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((fixed, after)) = rest.split_once('{') {
            let (field, after) = after.split_once('}').ok_or(TemplateError::Brace)?;
            pieces.extend([Piece::hex(fixed)?, Piece::field(field)?]);
            rest = after;
        }
        if rest.contains('}') {
            return Err(TemplateError::Brace);
        }
        pieces.push(Piece::hex(rest)?);
        pieces.retain(|piece| !matches!(piece, Piece::Bytes(bytes) if bytes.is_empty()));
        Ok(Self(pieces))
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        text.parse()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Bytes(bytes) => f.write_str(&base16ct::upper::encode_string(bytes))?,
                Piece::Field { name, len: None } => write!(f, "{{{name}}}")?,
                Piece::Field { name, len: Some(len) } => write!(f, "{{{name}:{len}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> CardData {
        CardData::new().with("serial", &[0x37, 0x01]).with("holder", b"Ada")
    }

    #[test]
    fn names_give_way_to_the_bytes_of_the_card() {
        let template: Template = "0102 {serial} FF {holder:5}".parse().unwrap();
        let expected = [0x01, 0x02, 0x37, 0x01, 0xFF, b'A', b'd', b'a', 0x00, 0x00];
        assert_eq!(template.fill(&data()).unwrap().as_slice(), expected);
        assert_eq!(template.to_string(), "0102{serial}FF{holder:5}");
        assert_eq!(template.to_string().parse::<Template>().unwrap(), template);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        assert_eq!("0".parse::<Template>(), Err(TemplateError::NotHex("0".to_owned())));
        assert_eq!("{serial".parse::<Template>(), Err(TemplateError::Brace));
        assert_eq!("serial}".parse::<Template>(), Err(TemplateError::Brace));
        for field in ["", "a b", "a:", "a:x", ":3", "a:70000"] {
            let text = format!("{{{field}}}");
            assert_eq!(text.parse::<Template>(), Err(TemplateError::Field(field.to_owned())));
        }
    }

    #[test]
    fn data_that_does_not_fit_is_refused() {
        let missing: Template = "{pin}".parse().unwrap();
        assert_eq!(missing.fill(&data()), Err(TemplateError::Missing("pin".to_owned())));
        let short: Template = "{holder:2}".parse().unwrap();
        let error = TemplateError::TooLong { name: "holder".to_owned(), found: 3, room: 2 };
        assert_eq!(short.fill(&data()), Err(error));
    }
}
