//! Status words and what they mean.

use core::fmt;

use crate::le::Le;

/// Status word: SW1-SW2, the last two bytes of a response.
///
/// # Source
/// ISO/IEC 7816-4:2013 5.6, tables 5 and 6.
///
/// # Examples
/// ```
/// use cardroot_apdu::{StatusClass, StatusWord};
///
/// let status = StatusWord::try_from(0x63C2)?;
/// assert_eq!(status.class(), StatusClass::Warning);
/// assert_eq!(status.counter(), Some(2));
/// assert_eq!(StatusWord::SECURITY_STATUS.to_string(), "6982, security status not satisfied");
/// # Ok::<(), cardroot_apdu::InvalidStatusWord>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StatusWord(u16);

/// SW1 of a status word is `61`-`6F` or `90`-`9F`; `60` is a waiting byte of T=0.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{word:04X} is no status word")]
pub struct InvalidStatusWord {
    /// The two bytes.
    pub word: u16,
}

/// The card answered with another status than the one that was needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the card answered {0}")]
pub struct UnexpectedStatus(pub StatusWord);

/// What a status word says about the command.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StatusClass {
    /// `9000`: done.
    Normal,
    /// `61XX`: done, more response data waits for GET RESPONSE.
    MoreData {
        /// Bytes that wait; 256 means 256 or more.
        available: Le,
    },
    /// `62XX`, `63XX`: done, with a remark. Data is to be delivered.
    Warning,
    /// `64XX`, `65XX`, `66XX`: failed while it was carried out.
    ExecutionError,
    /// `67XX` to `6FXX` except `6CXX`: refused.
    CheckingError,
    /// `6CXX`: refused, Le does not suit the data.
    WrongLe {
        /// The Le that does.
        available: Le,
    },
    /// `9XXX` except `9000`: the card maker's.
    Proprietary,
}

/// One place for the names, values and meanings of status words.
macro_rules! status_words {
    ($($name:ident = $value:literal, $meaning:literal;)+) => {
        impl StatusWord {
            $(#[doc = concat!("`", stringify!($value), "`: ", $meaning, ".")]
            pub const $name: Self = Self($value);)+

            const fn exact_meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($meaning),)+
                    _ => None,
                }
            }
        }
    };
}

status_words! {
    OK = 0x9000, "normal completion";
    NO_INFORMATION_UNCHANGED = 0x6200, "state unchanged, no detail";
    DATA_MAY_BE_DAMAGED = 0x6281, "returned data may be damaged";
    END_OF_FILE = 0x6282, "end of file or record before Le bytes";
    FILE_DEACTIVATED = 0x6283, "selected file deactivated";
    CONTROL_INFORMATION_FORMAT = 0x6284, "control information not in the standard format";
    FILE_TERMINATED = 0x6285, "selected file is terminated";
    NO_SENSOR_INPUT = 0x6286, "no input from a sensor";
    NO_INFORMATION_CHANGED = 0x6300, "state changed, no detail";
    FILE_FILLED = 0x6381, "file filled by last write";
    EXECUTION_UNCHANGED = 0x6400, "failed, state unchanged";
    IMMEDIATE_ANSWER_NEEDED = 0x6401, "card needs an immediate answer";
    EXECUTION_CHANGED = 0x6500, "failed, state changed";
    MEMORY_FAILURE = 0x6581, "memory failure";
    WRONG_LENGTH = 0x6700, "wrong length";
    CLASS_FUNCTION_NOT_SUPPORTED = 0x6800, "CLA function not supported";
    CHANNEL_NOT_SUPPORTED = 0x6881, "logical channel not supported";
    SECURE_MESSAGING_NOT_SUPPORTED = 0x6882, "secure messaging not supported";
    LAST_OF_CHAIN_EXPECTED = 0x6883, "last command of a chain expected";
    CHAINING_NOT_SUPPORTED = 0x6884, "command chaining not supported";
    COMMAND_NOT_ALLOWED = 0x6900, "command not allowed";
    FILE_STRUCTURE = 0x6981, "wrong file structure for the command";
    SECURITY_STATUS = 0x6982, "security status not satisfied";
    AUTHENTICATION_BLOCKED = 0x6983, "authentication method blocked";
    REFERENCE_DATA_NOT_USABLE = 0x6984, "reference data not usable";
    CONDITIONS_OF_USE = 0x6985, "conditions of use not satisfied";
    NO_CURRENT_FILE = 0x6986, "no current EF";
    SM_OBJECT_MISSING = 0x6987, "expected secure-messaging object missing";
    SM_OBJECT_WRONG = 0x6988, "secure-messaging object wrong";
    WRONG_P1_P2_NO_DETAIL = 0x6A00, "wrong P1-P2";
    WRONG_DATA = 0x6A80, "wrong data field";
    FUNCTION_NOT_SUPPORTED = 0x6A81, "function not supported";
    FILE_NOT_FOUND = 0x6A82, "file or application not found";
    RECORD_NOT_FOUND = 0x6A83, "record not found";
    NOT_ENOUGH_MEMORY = 0x6A84, "not enough memory";
    LC_AGAINST_TLV = 0x6A85, "Lc does not fit the TLV structure";
    WRONG_P1_P2 = 0x6A86, "wrong P1-P2";
    LC_AGAINST_P1_P2 = 0x6A87, "Lc does not fit P1-P2";
    REFERENCED_DATA_NOT_FOUND = 0x6A88, "referenced data or key not found";
    FILE_EXISTS = 0x6A89, "file exists";
    NAME_EXISTS = 0x6A8A, "DF name exists";
    WRONG_OFFSET = 0x6B00, "wrong P1-P2";
    INSTRUCTION_NOT_SUPPORTED = 0x6D00, "instruction unknown or not allowed in this state";
    CLASS_NOT_SUPPORTED = 0x6E00, "class not supported";
    NO_DIAGNOSIS = 0x6F00, "no diagnosis";
}

impl StatusWord {
    /// Length in bytes.
    pub const LEN: usize = 2;

    /// Reads SW1-SW2.
    ///
    /// # Errors
    /// Returns [`InvalidStatusWord`] unless SW1 is `61`-`6F` or `90`-`9F`.
    pub const fn from_word(word: u16) -> Result<Self, InvalidStatusWord> {
        match word {
            0x6100..=0x6FFF | 0x9000..=0x9FFF => Ok(Self(word)),
            _ => Err(InvalidStatusWord { word }),
        }
    }

    /// `61XX`: `available` bytes of response data wait.
    #[must_use]
    pub const fn more_data(available: u8) -> Self {
        Self(u16::from_be_bytes([0x61, available]))
    }

    /// `6CXX`: `available` is the Le to ask with.
    #[must_use]
    pub const fn wrong_le(available: u8) -> Self {
        Self(u16::from_be_bytes([0x6C, available]))
    }

    /// `63CX`: `counter` tries are left, at most 15.
    #[must_use]
    pub const fn tries_left(counter: u8) -> Self {
        let counter = if counter < 0x0F { counter } else { 0x0F };
        Self(u16::from_be_bytes([0x63, 0xC0 | counter]))
    }

    /// SW1-SW2 as a number.
    #[must_use]
    pub const fn word(self) -> u16 {
        self.0
    }

    /// SW1 and SW2.
    #[must_use]
    pub const fn bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// What it says about the command.
    #[must_use]
    pub const fn class(self) -> StatusClass {
        let [sw1, sw2] = self.bytes();
        match sw1 {
            0x61 => StatusClass::MoreData { available: Le::from_short_byte(sw2) },
            0x62 | 0x63 => StatusClass::Warning,
            0x64..=0x66 => StatusClass::ExecutionError,
            0x6C => StatusClass::WrongLe { available: Le::from_short_byte(sw2) },
            _ if self.0 == Self::OK.0 => StatusClass::Normal,
            0x90.. => StatusClass::Proprietary,
            _ => StatusClass::CheckingError,
        }
    }

    /// The counter of `63CX`: after VERIFY or EXTERNAL AUTHENTICATE the tries that are left.
    #[must_use]
    pub const fn counter(self) -> Option<u8> {
        match self.bytes() {
            [0x63, sw2 @ 0xC0..=0xCF] => Some(sw2 & 0x0F),
            _ => None,
        }
    }

    /// What ISO 7816-4 says it means, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        if let Some(meaning) = self.exact_meaning() {
            return meaning;
        }
        match self.bytes() {
            [0x61, _] => "XX bytes wait",
            [0x62, 0x02..=0x80] => "card wants to be queried for XX bytes",
            [0x62, _] => "warning, state unchanged",
            [0x63, 0xC0..=0xCF] => "counter X",
            [0x63, _] => "warning, state changed",
            [0x64, 0x02..=0x80] => "card wants to be queried",
            [0x64, _] => "failed, state unchanged",
            [0x65, _] => "failed, state changed",
            [0x66, _] => "security issue",
            [0x6C, _] => "wrong Le, XX bytes are available",
            [0x90..=0x9F, _] => "application-specific",
            _ => "refused",
        }
    }
}

impl TryFrom<u16> for StatusWord {
    type Error = InvalidStatusWord;

    fn try_from(word: u16) -> Result<Self, InvalidStatusWord> {
        Self::from_word(word)
    }
}

impl TryFrom<[u8; 2]> for StatusWord {
    type Error = InvalidStatusWord;

    fn try_from(bytes: [u8; 2]) -> Result<Self, InvalidStatusWord> {
        Self::from_word(u16::from_be_bytes(bytes))
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}, {}", self.0, self.meaning())
    }
}
