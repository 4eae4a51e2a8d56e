//! The content of one field.

use super::field::cryptogram_lengths;
use super::{
    Class, Code, Count, Cryptogram, DecodeError, ErrorCodes, Field, KeyField, KeyId, NameError, Part,
    PartyId, Reason, Service, ServiceRequest, Strictness, Tag,
};

/// Tag and content of one field.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) part: Part,
    /// Where the tag begins.
    pub(super) offset: usize,
    pub(super) content: &'a str,
    pub(super) content_offset: usize,
    pub(super) strictness: Strictness,
}

pub(super) const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\r' | '\n')
}

impl<'a> Token<'a> {
    pub(super) const fn error(&self, reason: Reason) -> DecodeError {
        DecodeError { part: self.part, offset: self.offset, reason }
    }

    /// An error at a position of the content.
    const fn at(&self, position: usize, reason: Reason) -> DecodeError {
        DecodeError { part: self.part, offset: self.content_offset + position, reason }
    }

    pub(super) fn field(&self) -> Result<Field<'a>, DecodeError> {
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

    const fn name_error(&self, start: usize, error: NameError) -> DecodeError {
        let position = if let NameError::Character { position } = error { position } else { 0 };
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

    /// The content, without full stops after the last subfield if the reader is lenient.
    fn without_last_stops(&self) -> &'a str {
        match self.strictness {
            Strictness::Strict => self.content,
            Strictness::Lenient => self.content.trim_end_matches('.'),
        }
    }

    fn key(&self, tag: Tag) -> Result<KeyField<'a>, DecodeError> {
        let content = self.without_last_stops();
        let mut parts = content.splitn(4, '.');
        let mut next = || parts.next().unwrap_or_default();
        let (digits, name, under, more) = (next(), next(), next(), next());
        let key = self.cryptogram(tag, digits)?;
        let name_at = digits.len() + 1;
        let under_at = name_at + name.len() + 1;
        if content.matches('.').count() > 2 {
            return Err(self.at(content.len() - more.len(), Reason::TooManySubfields));
        }
        if content.ends_with('.') {
            return Err(self.at(content.len(), Reason::EmptySubfield));
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
        let content = self.without_last_stops();
        if content.is_empty() {
            return Ok(());
        }
        let mut position = 0;
        for subfield in content.split('.') {
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
