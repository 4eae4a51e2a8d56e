//! Reading: a message is checked once and then viewed.

use core::fmt;
use core::ops::Range;

use super::field::cryptogram_lengths;
use super::{
    Class, Code, Count, Cryptogram, DecodeError, ErrorCodes, Field, KeyField, KeyId, Part, PartyId, Reason,
    Service, ServiceRequest, Tag,
};

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

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\r' | '\n')
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

/// Tag and content of one field.
#[derive(Clone, Copy)]
struct Token<'a> {
    part: Part,
    /// Where the tag begins.
    offset: usize,
    content: &'a str,
    content_offset: usize,
    strictness: Strictness,
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

impl<'a> Token<'a> {
    const fn error(&self, reason: Reason) -> DecodeError {
        DecodeError { part: self.part, offset: self.offset, reason }
    }

    /// An error at a position of the content.
    const fn at(&self, position: usize, reason: Reason) -> DecodeError {
        DecodeError { part: self.part, offset: self.content_offset + position, reason }
    }

    fn field(&self) -> Result<Field<'a>, DecodeError> {
        let Part::Field(tag) = self.part else { return Err(self.error(Reason::UnknownTag)) };
        Ok(match tag {
            Tag::Mcl => Field::Mcl(Class::named(self.content).ok_or(self.at(0, Reason::UnknownClass))?),
            Tag::Rcv => Field::Rcv(self.party()?),
            Tag::Org => Field::Org(self.party()?),
            Tag::Idu => Field::Idu(self.party()?),
            Tag::Idc => Field::Idc(self.party()?),
            Tag::Svr => Field::Svr(self.service()?),
            Tag::Kd => Field::Kd(self.key(tag)?),
            Tag::Kdu => Field::Kdu(self.key(tag)?),
            Tag::Kk => Field::Kk(self.key(tag)?),
            Tag::KkPair => Field::KkPair(self.key(tag)?),
            Tag::Kku => Field::Kku(self.key(tag)?),
            Tag::KkuPair => Field::KkuPair(self.key(tag)?),
            Tag::Iv => Field::Iv(self.cryptogram(tag, self.content)?),
            Tag::Edk if self.content.is_empty() => return Err(self.at(0, Reason::Empty)),
            Tag::Edk => Field::Edk(self.content),
            Tag::Ctp => Field::Ctp(self.count()?),
            Tag::Cta => Field::Cta(self.count()?),
            Tag::Ctb => Field::Ctb(self.count()?),
            Tag::Ctr => Field::Ctr(self.count()?),
            Tag::Idd => Field::Idd(self.key_name(0, self.content)?),
            Tag::Ida => Field::Ida(self.key_name(0, self.content)?),
            Tag::Erf => Field::Erf(self.codes()?),
            Tag::Edc => Field::Edc(self.code()?),
            Tag::Mac => Field::Mac(self.code()?),
            Tag::Nos => Field::Nos(self.content),
            Tag::Tid => Field::Tid(self.content),
        })
    }

    fn party(&self) -> Result<PartyId, DecodeError> {
        PartyId::new(self.content).map_err(|error| self.name_error(0, error))
    }

    /// A name at `position` of the content, if there is one.
    fn key_name(&self, position: usize, name: &str) -> Result<Option<KeyId>, DecodeError> {
        if name.is_empty() {
            return Ok(None);
        }
        KeyId::new(name).map(Some).map_err(|error| self.name_error(position, error))
    }

    const fn name_error(&self, start: usize, error: super::NameError) -> DecodeError {
        let position = if let super::NameError::Character { position } = error { position } else { 0 };
        self.at(start + position, Reason::Name(error))
    }

    /// The digits at the start of the content, verified.
    fn digits(&self, digits: &'a str) -> Result<&'a str, DecodeError> {
        let lenient = self.strictness == Strictness::Lenient;
        let right = |c: u8| c.is_ascii_hexdigit() && (lenient || !c.is_ascii_lowercase());
        match digits.bytes().position(|c| !right(c)) {
            Some(position) => Err(self.at(position, Reason::HexDigit)),
            None => Ok(digits),
        }
    }

    fn cryptogram(&self, tag: Tag, digits: &'a str) -> Result<Cryptogram<'a>, DecodeError> {
        let cryptogram = Cryptogram::new(self.digits(digits)?);
        cryptogram
            .filter(|cryptogram| cryptogram_lengths(tag).contains(&cryptogram.byte_len()))
            .ok_or(self.at(0, Reason::HexLength { found: digits.len() }))
    }

    fn key(&self, tag: Tag) -> Result<KeyField<'a>, DecodeError> {
        let mut parts = self.content.splitn(4, '.');
        let mut next = || parts.next().unwrap_or_default();
        let (digits, name, under, more) = (next(), next(), next(), next());
        let key = self.cryptogram(tag, digits)?;
        let name_at = digits.len() + 1;
        let under_at = name_at + name.len() + 1;
        let stops = self.content.matches('.').count();
        if stops > 2 {
            return Err(self.at(self.content.len() - more.len(), Reason::TooManySubfields));
        }
        let ends_open = stops > 0 && self.content.ends_with('.');
        if ends_open && self.strictness == Strictness::Strict {
            return Err(self.at(self.content.len(), Reason::EmptySubfield));
        }
        Ok(KeyField { key, name: self.key_name(name_at, name)?, under: self.key_name(under_at, under)? })
    }

    fn count(&self) -> Result<Option<Count>, DecodeError> {
        if self.content.is_empty() {
            return Ok(None);
        }
        let digits = self.digits(self.content)?;
        let wrong = self.at(0, Reason::HexLength { found: digits.len() });
        if digits.len() != Count::DIGITS {
            return Err(wrong);
        }
        let value = u64::from_str_radix(digits, 16).map_err(|_| wrong)?;
        Count::new(value).map(Some).map_err(|_| wrong)
    }

    /// A code of 4 to 8 bytes; blanks between its digits only reach here if the reader is lenient.
    fn code(&self) -> Result<Code, DecodeError> {
        let mut bytes = [0; Code::MAX_LEN];
        let mut found = 0;
        for (position, c) in self.content.char_indices().filter(|(_, c)| !is_blank(*c)) {
            let lower = c.is_ascii_lowercase() && self.strictness == Strictness::Strict;
            let value = c.to_digit(16).filter(|_| !lower).ok_or(self.at(position, Reason::HexDigit))?;
            if let (Some(byte), Ok(value)) = (bytes.get_mut(found / 2), u8::try_from(value)) {
                *byte = (*byte << 4) | value;
            }
            found += 1;
        }
        let length = self.at(0, Reason::HexLength { found });
        match bytes.get(..found / 2) {
            Some(code) if found % 2 == 0 => Code::new(code).map_err(|_| length),
            _ => Err(length),
        }
    }

    fn service(&self) -> Result<ServiceRequest, DecodeError> {
        let mut request = ServiceRequest::DATA_KEY;
        let mut last = None;
        self.subfields(|position, subfield| {
            let service = Service::named(subfield).ok_or(self.at(position, Reason::UnknownSubfield))?;
            self.in_order(position, last >= Some(service), request.contains(service))?;
            (request, last) = (request.with(service), Some(service));
            Ok(())
        })?;
        Ok(request)
    }

    fn codes(&self) -> Result<ErrorCodes, DecodeError> {
        let mut codes: Option<ErrorCodes> = None;
        let mut last = '@';
        self.subfields(|position, subfield| {
            let mut letters = subfield.chars();
            let code =
                match (letters.next().and_then(|c| Some((c, ErrorCodes::from_letter(c)?))), letters.next()) {
                    (Some(code), None) => code,
                    _ => return Err(self.at(position, Reason::UnknownSubfield)),
                };
            let (letter, code) = code;
            self.in_order(position, last >= letter, codes.is_some_and(|codes| codes.contain(code)))?;
            codes = Some(codes.map_or(code, |codes| codes.and(code)));
            last = letter;
            Ok(())
        })?;
        codes.ok_or(self.at(0, Reason::Empty))
    }

    /// Calls `each` with the subfields and their positions; none if the content is empty.
    fn subfields(
        &self,
        mut each: impl FnMut(usize, &'a str) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        if self.content.is_empty() {
            return Ok(());
        }
        let mut position = 0;
        for subfield in self.content.split('.') {
            each(position, subfield)?;
            position += subfield.len() + 1;
        }
        Ok(())
    }

    fn in_order(&self, position: usize, too_late: bool, twice: bool) -> Result<(), DecodeError> {
        if twice || (too_late && self.strictness == Strictness::Strict) {
            return Err(self.at(position, Reason::SubfieldOrder));
        }
        Ok(())
    }
}
