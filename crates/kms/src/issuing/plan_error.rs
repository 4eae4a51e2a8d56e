//! What can be wrong with a plan.

use tdea::StrengthError;

use super::plan::{System, Use};
use super::template::TemplateError;

/// A plan that can't be carried out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The text is no plan.
    #[error("line {line}: {reason}")]
    Toml {
        /// Line, from 1.
        line: usize,
        /// What is wrong there, in one line.
        reason: String,
    },
    /// Something in it is wrong, or does not go together with keys or data.
    #[error("{place}: {fault}")]
    At {
        /// Where in the plan: `application 3F01, key 1`.
        place: String,
        /// What is wrong.
        fault: PlanFault,
    },
}

/// What is wrong at one place of a plan.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanFault {
    /// A card operating system that plans can't be carried out on.
    #[error("how {0} cards are told the fields of a file is in no public source: plans are for FMCOS")]
    System(System),
    /// The same identifier twice.
    #[error("the identifier stands twice in its directory")]
    Twice,
    /// The master's place.
    #[error("external authentication key 0 is the master's place")]
    MastersPlace,
    /// Not 1 to 15 tries.
    #[error("1 to 15 tries are possible, found {0}")]
    Tries(u8),
    /// The use counts tries, and the plan gives none.
    #[error("use `{0}` needs `tries`")]
    NoTries(Use),
    /// The use counts no tries, or leads to no security state.
    #[error("use `{0}` takes no `{1}`")]
    NotForThisUse(Use, &'static str),
    /// External authentication without the state it leads to.
    #[error("external authentication needs `follow`")]
    NoFollow,
    /// Not 0 to 15.
    #[error("security states are 0 to 15, found {0}")]
    Follow(u8),
    /// A PIN or key that leads to the state of the directory's master: who has it passes for the master.
    #[error("state {0} is the master's own")]
    MastersState(u8),
    /// A rule that asks for nothing, in production.
    #[error("the rule for `{0}` lets everybody: its low nibble is 0")]
    OpenRule(&'static str),
    /// Levels 1 to 7, from 2 on for a key of the province, from 4 on for its parent key; kinds 2 to 31. With a level less than there
    /// is, the key would show keys of cards, cities or functions, and kinds 0 and 1 are no parent keys.
    #[error(
        "a SAM key has 1 to 7 levels, 2 at least if it is the province's and 4 if it is the parent key, and a kind of 2 to 31"
    )]
    SamUsage,
    /// The key's function is another one.
    #[error("a key of the function `{function}` is not for kind {kind} in a SAM")]
    NotForThisKind {
        /** Function of the key. */
        function: &'static str,
        /** Kind in the plan. */
        kind: u8,
    },
    /// A protected file, and no line protection key in its directory.
    #[error("the file is protected, and its directory has no key 0 of use `line`")]
    NoLineKey,
    /// A file that anybody could write.
    #[error("a file without line protection needs a rule for `write`")]
    NoWriteRule,
    /// `protect-reading` without `protection`.
    #[error("reading can be protected as writing is, and writing is not")]
    NoProtection,
    /// `content` in a file of records, `record` in a binary one, or either in a cyclic one.
    #[error("binary files have `content`, files of records have `record`, cyclic files have neither")]
    ContentKind,
    /// More content than there is room for.
    #[error("the content has {found} bytes, there is room for {room}")]
    TooLong {
        /** Bytes of the content. */
        found: usize,
        /** Bytes of the file or record. */
        room: usize,
    },
    /// A fixed record of another length.
    #[error("a record has {found} bytes instead of {expected}")]
    RecordLength {
        /** Bytes of the record. */
        found: usize,
        /** Bytes of every record of the file. */
        expected: usize,
    },
    /// A record of variable length that is no tag, length and value.
    #[error("a record of variable length is a tag, a length and as many bytes")]
    NoTlv,
    /// Keys and files that the memory of their directory has no room for.
    #[error("{what} needs {needed} bytes, and the plan gives it {room}")]
    NoRoom {
        /** What is too small. */
        what: &'static str,
        /** Bytes needed, as the card counts them, at the least. */
        needed: usize,
        /** Bytes in the plan. */
        room: u16,
    },
    /// More records than the file takes.
    #[error("the file takes {room} records, the plan has {found}")]
    TooManyRecords {
        /** Records in the plan. */
        found: usize,
        /** Records in the file. */
        room: usize,
    },
    /// A wallet without a file for its transactions.
    #[error("the log of a wallet is a cyclic file of its directory, 0001 to 001E, with records of 23 bytes")]
    NoLog,
    /// A wallet that could not sign a transaction.
    #[error("a wallet needs a key of use `tac` in its directory")]
    NoTac,
    /// A PIN of another length.
    #[error("a PIN is 2 to 8 bytes, found {0}")]
    PinLength(usize),
    /// The card's data does not fit a template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The ring has no such key.
    #[error("there is no key `{0}` for this card")]
    NoKey(String),
    /// The ring has several versions of it.
    #[error("there are several versions of key `{0}`: the plan must name one")]
    SeveralVersions(String),
    /// The key's function is another one.
    #[error("a key of the function `{function}` is not for use `{used}`")]
    NotForThisFunction {
        /** Function of the key. */
        function: &'static str,
        /** Use in the plan. */
        used: Use,
    },
    /// The key of the card that this one opens, in another use than its proof: as external authentication key it would open this card
    /// too.
    #[error("the key of the card that this one opens is for use `encrypt` alone, not for `{0}`")]
    OpensOnly(Use),
    /// One key, two uses.
    #[error("the key `{0}` is on the card already: one key, one purpose")]
    SecondPurpose(String),
    /// A key that the world knows.
    #[error("a test key that everybody knows ({0}) does not go onto a card in production")]
    TestKey(&'static str),
    /// A weak key.
    #[error(transparent)]
    Weak(#[from] StrengthError),
    /// A key of 24 bytes.
    #[error("these cards take no keys of triple length")]
    TripleLength,
}

pub(super) type Result<T, E = PlanFault> = core::result::Result<T, E>;

/// Puts the place to a fault.
pub(super) trait At<T> {
    fn at(self, place: &str) -> Result<T, PlanError>;
}

impl<T> At<T> for Result<T> {
    fn at(self, place: &str) -> Result<T, PlanError> {
        self.map_err(|fault| PlanError::At { place: place.to_owned(), fault })
    }
}
