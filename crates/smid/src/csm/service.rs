//! What is asked for, and what was wrong.

use core::fmt;

/// Something that a request may ask for beyond the one data key that is always meant.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Service {
    /// A key encrypting key of single length.
    Kk,
    /// A key encrypting key pair.
    KkPair,
    /// A second data key.
    SecondKd,
    /// An initialization vector.
    Iv,
}

impl Service {
    /// All of them, in the order of messages.
    pub const ALL: [Self; 4] = [Self::Kk, Self::KkPair, Self::SecondKd, Self::Iv];

    /// The subfield.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Kk => "KK",
            Self::KkPair => "*KK",
            Self::SecondKd => "KD",
            Self::Iv => "IV",
        }
    }

    /// The one that messages call `text`.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.text() == text)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Content of `SVR`: subfields in the order `*KK.KD.IV`. Nothing means one data key.
///
/// # Source
/// FIPS PUB 171, option 3.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct ServiceRequest(u8);

impl ServiceRequest {
    /// One data key and nothing else.
    pub const DATA_KEY: Self = Self(0);

    /// The request with `service` too.
    #[must_use]
    pub const fn with(self, service: Service) -> Self {
        Self(self.0 | service.bit())
    }

    /// Whether `service` is asked for.
    #[must_use]
    pub const fn contains(self, service: Service) -> bool {
        self.0 & service.bit() != 0
    }

    /// What is asked for, in the order of messages.
    pub fn services(self) -> impl Iterator<Item = Service> {
        Service::ALL.into_iter().filter(move |service| self.contains(*service))
    }
}

impl FromIterator<Service> for ServiceRequest {
    fn from_iter<I: IntoIterator<Item = Service>>(services: I) -> Self {
        services.into_iter().fold(Self::DATA_KEY, Self::with)
    }
}

impl fmt::Display for ServiceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, service) in self.services().enumerate() {
            f.write_str(if index == 0 { "" } else { "." })?;
            f.write_str(service.text())?;
        }
        Ok(())
    }
}

/// Content of `ERF`: what was wrong with a message, one letter each, in alphabetical order, full stops between.
///
/// Letters beyond the four that FIPS PUB 171 names are kept as they come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ErrorCodes(u32);

impl ErrorCodes {
    /// The message can't be processed: every error without a code of its own.
    pub const CANNOT_PROCESS: Self = Self::letter(b'C');
    /// The format is wrong.
    pub const FORMAT: Self = Self::letter(b'F');
    /// The keys in the answer to a DSM are not those that it named, or a key to discontinue is unknown.
    pub const KEY_MISMATCH: Self = Self::letter(b'I');
    /// An option that is not implemented.
    pub const NOT_IMPLEMENTED: Self = Self::letter(b'O');

    const fn letter(letter: u8) -> Self {
        Self(1 << (letter - b'A'))
    }

    /// The code `letter`, `A` to `Z`.
    #[must_use]
    pub const fn from_letter(letter: char) -> Option<Self> {
        if letter.is_ascii_uppercase() { Some(Self::letter(letter as u8)) } else { None }
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `codes` are there.
    #[must_use]
    pub const fn contain(self, codes: Self) -> bool {
        self.0 & codes.0 == codes.0
    }
}

impl fmt::Display for ErrorCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters =
            ('A'..='Z').filter(|letter| Self::from_letter(*letter).is_some_and(|code| self.contain(code)));
        for (index, letter) in letters.enumerate() {
            f.write_str(if index == 0 { "" } else { "." })?;
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}
