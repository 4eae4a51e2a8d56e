//! The message type indicator: what a message is, in four digits.

use core::{fmt, str::FromStr};

/// Defines an enum over one digit of the message type indicator.
macro_rules! digit {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $digit:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A digit without a name here.
            Other(u8),
        }

        impl $name {
            /// Returns the meaning of `digit`.
            pub const fn from_digit(digit: u8) -> Self {
                match digit {
                    $($digit => Self::$variant,)+
                    other => Self::Other(other),
                }
            }

            /// Returns the digit sent, 0 to 9 unless it is an `Other` beyond.
            pub const fn digit(self) -> u8 {
                match self {
                    $(Self::$variant => $digit,)+
                    Self::Other(digit) => digit,
                }
            }
        }
    };
}

digit! {
    /// First digit: the version of ISO 8583.
    Version {
        /// ISO 8583:1987.
        Iso1987 = 0,
        /// ISO 8583:1993.
        Iso1993 = 1,
        /// ISO 8583:2003.
        Iso2003 = 2,
    }
}

digit! {
    /// Second digit: the message class.
    Class {
        /// Authorization.
        Authorization = 1,
        /// Financial transaction.
        Financial = 2,
        /// File action.
        FileAction = 3,
        /// Reversal.
        Reversal = 4,
        /// Reconciliation.
        Reconciliation = 5,
        /// Administrative.
        Administrative = 6,
        /// Fee collection.
        FeeCollection = 7,
        /// Network management, which includes key management.
        NetworkManagement = 8,
    }
}

digit! {
    /// Third digit: the function of the message.
    Function {
        /// Request.
        Request = 0,
        /// Response to a request.
        Response = 1,
        /// Advice.
        Advice = 2,
        /// Response to an advice.
        AdviceResponse = 3,
        /// Notification.
        Notification = 4,
    }
}

digit! {
    /// Fourth digit: who started the transaction.
    Origin {
        /// Acquirer.
        Acquirer = 0,
        /// Acquirer, repeated.
        AcquirerRepeat = 1,
        /// Issuer.
        Issuer = 2,
        /// Issuer, repeated.
        IssuerRepeat = 3,
        /// Neither acquirer nor issuer.
        Neither = 4,
    }
}

/// Message type indicator (MTI): version, class, function and origin, one digit each.
///
/// # Examples
/// ```
/// use cardroot_smid::iso8583::{Class, Mti, Version};
///
/// let mti: Mti = "1804".parse()?;
/// assert_eq!((mti.version(), mti.class()), (Version::Iso1993, Class::NetworkManagement));
/// assert_eq!(mti.to_string(), "1804");
/// # Ok::<(), cardroot_smid::iso8583::MtiError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mti([u8; 4]);

/// Not four decimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a message type indicator is four decimal digits")]
pub struct MtiError;

impl Mti {
    /// Builds an indicator from its four parts.
    ///
    /// # Errors
    /// Returns [`MtiError`] if a part is an `Other` above 9.
    pub fn new(version: Version, class: Class, function: Function, origin: Origin) -> Result<Self, MtiError> {
        Self::from_digits([version.digit(), class.digit(), function.digit(), origin.digit()])
    }

    /// Builds an indicator from four values of 0 to 9, version first.
    ///
    /// # Errors
    /// Returns [`MtiError`] if a value is above 9.
    pub fn from_digits(digits: [u8; 4]) -> Result<Self, MtiError> {
        if digits.iter().all(|&digit| digit <= 9) { Ok(Self(digits)) } else { Err(MtiError) }
    }

    /// Returns the four digits as values of 0 to 9, version first.
    pub const fn digits(self) -> [u8; 4] {
        self.0
    }

    /// Returns the version of ISO 8583.
    pub const fn version(self) -> Version {
        Version::from_digit(self.0[0])
    }

    /// Returns the message class.
    pub const fn class(self) -> Class {
        Class::from_digit(self.0[1])
    }

    /// Returns the function of the message.
    pub const fn function(self) -> Function {
        Function::from_digit(self.0[2])
    }

    /// Returns who started the transaction.
    pub const fn origin(self) -> Origin {
        Origin::from_digit(self.0[3])
    }
}

impl FromStr for Mti {
    type Err = MtiError;

    fn from_str(text: &str) -> Result<Self, MtiError> {
        let digits: [u8; 4] = text.as_bytes().try_into().map_err(|_| MtiError)?;
        Self::from_digits(digits.map(|digit| digit.wrapping_sub(b'0')))
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl fmt::Debug for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mti({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};

    #[test]
    fn all_ten_thousand_indicators_come_back() {
        for number in 0..10_000 {
            let text = format!("{number:04}");
            let mti: Mti = text.parse().unwrap();
            let rebuilt = Mti::new(mti.version(), mti.class(), mti.function(), mti.origin()).unwrap();
            assert_eq!(rebuilt, mti);
            assert_eq!(rebuilt.to_string(), text);
        }
    }

    #[test]
    fn anything_but_four_digits_is_an_error() {
        for text in ["", "180", "18040", "18O4", "-804", "１８０４", "180/", "180:"] {
            assert_eq!(text.parse::<Mti>(), Err(MtiError), "{text}");
        }
        let ten = Mti::new(Version::Other(10), Class::Financial, Function::Request, Origin::Acquirer);
        assert_eq!(ten, Err(MtiError));
    }
}
