//! Reading: a message is checked once and then viewed.

use core::fmt;
use core::ops::Range;

use super::token::{Token, is_blank};
use super::{Class, Code, Count, DecodeError, Field, Part, PartyId, Reason, Tag};

/// What a reader lets pass.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Strictness {
    /// The one way of writing a message: writing what was read gives the bytes received.
    Strict,
    /// What samples in the field have besides: several blanks or line ends between fields, so that names seem padded; blanks around the
    /// message; no blank before `)`; hexadecimal digits in lower case, and in groups in a MAC; subfields in any order, and full
    /// stops after the last one. [`Csm::rewrite`](super::Csm::rewrite) writes the message strictly.
    Lenient,
}

/// A message that was read: a view of its text.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Csm<'a> {
    text: &'a str,
    class: Class,
    /// Where the fields stand: from `MCL` to the last blank.
    body: Body<'a>,
    /// From `MCL` to the code, if there is one.
    covered: Option<usize>,
}

/// Text of fields and where it begins in the message.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Body<'a> {
    text: &'a str,
    offset: usize,
    strictness: Strictness,
}

const HEADER: &str = "CSM(";

impl<'a> Csm<'a> {
    /// Reads a message, strictly.
    ///
    /// # Errors
    /// Returns [`DecodeError`] with the field, the offset and the reason.
    pub fn decode(text: &'a [u8]) -> Result<Self, DecodeError> {
        Self::read(text, Strictness::Strict)
    }

    /// Reads a message and lets pass what [`Strictness::Lenient`] says.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    ///
    /// # Examples
    /// ```
    /// use cardroot_smid::csm::Csm;
    ///
    /// let padded = b"CSM(MCL/RSI RCV/BANKB            ORG/BANKA            SVR/ )    ";
    /// assert!(Csm::decode(padded).is_err());
    /// assert_eq!(Csm::decode_lenient(padded)?.rewrite(), "CSM(MCL/RSI RCV/BANKB ORG/BANKA SVR/ )");
    /// # Ok::<(), cardroot_smid::csm::DecodeError>(())
    /// ```
    pub fn decode_lenient(text: &'a [u8]) -> Result<Self, DecodeError> {
        Self::read(text, Strictness::Lenient)
    }

    /// Reads a message as strictly as the caller chooses.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn read(text: &'a [u8], strictness: Strictness) -> Result<Self, DecodeError> {
        let (text, body) = Body::of(text, strictness)?;
        let mut tokens = Tokens::new(body);
        let class = match tokens.next().transpose()? {
            Some((_, Field::Mcl(class))) => class,
            Some((token, _)) => return Err(token.error(Reason::NoClass)),
            None => {
                return Err(DecodeError { part: Part::End, offset: body.offset, reason: Reason::NoClass });
            }
        };
        let mut covered = None;
        for token in tokens {
            let (token, field) = token?;
            if covered.is_some() {
                return Err(token.error(Reason::AfterCode));
            }
            match field.tag() {
                Tag::Mcl => return Err(token.error(Reason::SecondClass)),
                Tag::Mac | Tag::Edc => covered = Some(token.offset),
                _ => {}
            }
        }
        Ok(Self { text, class, body, covered })
    }

    /// The class.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The text as it was received.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// All fields in their order, `MCL` first.
    #[must_use]
    pub const fn fields(&self) -> Fields<'a> {
        Fields(Tokens::new(self.body))
    }

    /// What a code covers, in the text received: from the `M` of `MCL` up to and including the blank before `MAC` or `EDC`.
    ///
    /// # Source
    /// FIPS PUB 171, A.14. `CSM(`, the tag of the code and `)` are outside; reading has verified that they are as they should be.
    #[must_use]
    pub fn coverage(&self) -> Option<Range<usize>> {
        Some(self.body.offset..self.covered?)
    }

    /// The bytes that the MAC covers, and the MAC.
    #[must_use]
    pub fn mac(&self) -> Option<(&'a [u8], Code)> {
        match self.code()? {
            (covered, Field::Mac(code)) => Some((covered, code)),
            _ => None,
        }
    }

    /// The bytes that the error detection code covers, and the code.
    #[must_use]
    pub fn edc(&self) -> Option<(&'a [u8], Code)> {
        match self.code()? {
            (covered, Field::Edc(code)) => Some((covered, code)),
            _ => None,
        }
    }

    fn code(&self) -> Option<(&'a [u8], Field<'a>)> {
        let covered = self.text.as_bytes().get(self.coverage()?)?;
        Some((covered, self.fields().last()?))
    }

    /// The first receiver named.
    #[must_use]
    pub fn receiver(&self) -> Option<PartyId> {
        self.fields().find_map(|field| if let Field::Rcv(party) = field { Some(party) } else { None })
    }

    /// The first originator named.
    #[must_use]
    pub fn originator(&self) -> Option<PartyId> {
        self.fields().find_map(|field| if let Field::Org(party) = field { Some(party) } else { None })
    }

    /// The count between two parties, if it is there and not empty.
    #[must_use]
    pub fn count_p(&self) -> Option<Count> {
        self.fields().find_map(|field| if let Field::Ctp(count) = field { count } else { None })
    }
}

impl fmt::Debug for Csm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Csm").field(&self.text).finish()
    }
}

/// Class, receiver and originator of a text whose other fields can't be read, if these can: to know whether, and to whom, an ESM may go.
#[must_use]
pub fn peek(text: &[u8], strictness: Strictness) -> Option<(Class, PartyId, PartyId)> {
    let (_, body) = Body::of(text, strictness).ok()?;
    let mut fields = Tokens::new(body).flatten().map(|(_, field)| field);
    let Some(Field::Mcl(class)) = fields.next() else { return None };
    let (mut receiver, mut originator) = (None, None);
    for field in fields {
        match field {
            Field::Rcv(party) => receiver = receiver.or(Some(party)),
            Field::Org(party) => originator = originator.or(Some(party)),
            _ => {}
        }
    }
    Some((class, receiver?, originator?))
}

/// The fields of a message.
#[derive(Clone, Debug)]
pub struct Fields<'a>(Tokens<'a>);

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let (_, field) = self.0.next()?.expect("every field was read when the message was");
        Some(field)
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl<'a> Body<'a> {
    /// Takes `CSM(` and `)` off.
    fn of(bytes: &'a [u8], strictness: Strictness) -> Result<(&'a str, Self), DecodeError> {
        let lenient = strictness == Strictness::Lenient;
        let printable = |c: &u8| matches!(c, b' '..=b'~') || (lenient && matches!(c, b'\r' | b'\n'));
        let end = |offset, reason| DecodeError { part: Part::End, offset, reason };
        let text = match (bytes.iter().position(|c| !printable(c)), str::from_utf8(bytes)) {
            (None, Ok(text)) => text,
            (position, _) => {
                let offset = position.unwrap_or_default();
                let part = if offset < HEADER.len() { Part::Header } else { Part::UnknownField };
                return Err(DecodeError { part, offset, reason: Reason::Character });
            }
        };
        let start = if lenient { text.len() - text.trim_start_matches(is_blank).len() } else { 0 };
        let inner = if lenient { text.trim_matches(is_blank) } else { text };
        let Some(inner) = inner.strip_prefix(HEADER) else {
            return Err(DecodeError { part: Part::Header, offset: start, reason: Reason::Header });
        };
        let offset = start + HEADER.len();
        let close = end(offset + inner.len(), Reason::Close);
        let fields = inner.strip_suffix(')').ok_or(close)?;
        if !lenient && !fields.ends_with(' ') {
            return Err(end(offset + fields.len(), Reason::Close));
        }
        let fields = if lenient { fields.trim_end_matches(is_blank) } else { fields };
        Ok((text, Self { text: fields, offset, strictness }))
    }
}

/// Fields with the place where they stand.
#[derive(Clone, Debug)]
struct Tokens<'a> {
    body: Body<'a>,
}

impl<'a> Tokens<'a> {
    const fn new(body: Body<'a>) -> Self {
        Self { body }
    }

    /// Takes the next field off the body.
    fn token(&mut self) -> Result<Token<'a>, DecodeError> {
        let Body { text, offset, strictness } = self.body;
        let codes = ["MAC/", "EDC/"].iter().any(|tag| text.starts_with(tag));
        let len = match strictness {
            // The groups of a code have blanks between them; it is the last field.
            Strictness::Lenient if codes => text.len(),
            Strictness::Lenient => text.find(is_blank).unwrap_or(text.len()),
            Strictness::Strict => text.find(' ').unwrap_or(text.len()),
        };
        let (field, rest) = text.split_at(len);
        let after = match strictness {
            Strictness::Lenient => rest.trim_start_matches(is_blank),
            Strictness::Strict => rest.strip_prefix(' ').unwrap_or(rest),
        };
        self.body = Body { text: after, offset: offset + text.len() - after.len(), strictness };
        let unknown = |offset, reason| DecodeError { part: Part::UnknownField, offset, reason };
        if field.is_empty() {
            return Err(unknown(offset, Reason::Blank));
        }
        let Some((tag, content)) = field.split_once('/') else {
            return Err(unknown(offset + field.len(), Reason::NoSlash));
        };
        let part = Part::Field(Tag::named(tag).ok_or(unknown(offset, Reason::UnknownTag))?);
        Ok(Token { part, offset, content, content_offset: offset + tag.len() + 1, strictness })
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<(Token<'a>, Field<'a>), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.body.text.is_empty() {
            return None;
        }
        Some(self.token().and_then(|token| Ok((token, token.field()?))))
    }
}
