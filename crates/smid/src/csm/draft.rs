//! Writing, strictly.

use alloc::string::String;
use core::fmt::Write as _;

use super::field::cryptogram_lengths;
use super::{Class, Code, Csm, EncodeError, Field, Tag};

/// A message that is being written: fields in the order in which they are pushed, the code over it last.
///
/// # Examples
/// ```
/// use cardroot_smid::csm::{Class, Code, Draft, Field};
///
/// let mut draft = Draft::new(Class::Rsm);
/// draft.push(Field::Rcv("BANKA".parse()?))?;
/// draft.push(Field::Org("BANKB".parse()?))?;
/// assert_eq!(draft.covered(), b"MCL/RSM RCV/BANKA ORG/BANKB ");
/// draft.push(Field::Mac(Code::new(&[0xF1, 0xD3, 0x0F, 0x68])?))?;
/// assert_eq!(draft.finish(), "CSM(MCL/RSM RCV/BANKA ORG/BANKB MAC/F1D30F68 )");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Draft {
    text: String,
    complete: bool,
}

impl Draft {
    /// Begins a message.
    #[must_use]
    pub fn new(class: Class) -> Self {
        Self { text: ["CSM(MCL/", class.text(), " "].concat(), complete: false }
    }

    /// Adds a field.
    ///
    /// # Errors
    /// Returns [`EncodeError`] after the code, for a second `MCL`, and for content that the field can't hold.
    pub fn push(&mut self, field: Field<'_>) -> Result<(), EncodeError> {
        let tag = field.tag();
        if self.complete {
            return Err(EncodeError::AfterCode(tag));
        }
        check(&field)?;
        self.complete = matches!(tag, Tag::Mac | Tag::Edc);
        write!(self.text, "{tag}/{field} ").expect("memory takes any text");
        Ok(())
    }

    /// Adds the MAC that `code` makes of the bytes that it covers, and ends the message.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn seal_with(mut self, code: impl FnOnce(&[u8]) -> Code) -> Result<String, EncodeError> {
        self.push(Field::Mac(code(self.covered())))?;
        Ok(self.finish())
    }

    /// The bytes that a code as the next field covers: from `MCL` to the last blank.
    #[must_use]
    pub fn covered(&self) -> &[u8] {
        self.text.as_bytes().get("CSM(".len()..).unwrap_or_default()
    }

    /// Ends the message.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push(')');
        self.text
    }
}

impl Csm<'_> {
    /// Writes the message strictly. If it was read leniently, its text may differ, and a code over it is no longer right.
    #[must_use]
    pub fn rewrite(&self) -> String {
        let mut draft = Draft::new(self.class());
        for field in self.fields().skip(1) {
            draft.push(field).expect("a field that was read can be written");
        }
        draft.finish()
    }
}

fn check(field: &Field<'_>) -> Result<(), EncodeError> {
    let tag = field.tag();
    let cryptogram = match field {
        Field::Mcl(_) => return Err(EncodeError::Text(tag)),
        Field::Edk(text) | Field::Nos(text) | Field::Tid(text) => {
            let empty = text.is_empty() && tag == Tag::Edk;
            let graphic = text.bytes().all(|c| c.is_ascii_graphic());
            return if graphic && !empty { Ok(()) } else { Err(EncodeError::Text(tag)) };
        }
        Field::Iv(iv) => iv,
        _ => match field.key() {
            Some(key) => &key.key,
            None => return Ok(()),
        },
    };
    let found = cryptogram.byte_len();
    if cryptogram_lengths(tag).contains(&found) { Ok(()) } else { Err(EncodeError::Length { tag, found }) }
}
