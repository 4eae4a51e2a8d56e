//! Status words of this family that ISO 7816-4 does not have, and the type that commands answer with.

use apdu::StatusWord;

/// What a command comes to: `Ok` with a status that goes with its response data, `Err` with one that goes alone.
pub(crate) type Outcome = Result<StatusWord, StatusWord>;

/// `9303`: application locked for good.
pub(crate) const APPLICATION_LOCKED: StatusWord = proprietary(0x9303);
/// `6901`: no INIT command before, or something came in between.
pub(crate) const NOT_INITIALISED: StatusWord = proprietary(0x6901);

/// `9302`: a MAC of a transaction, or of RELOAD PIN, is wrong.
pub(crate) const WRONG_MAC: StatusWord = proprietary(0x9302);
/// `9401`: not enough money.
pub(crate) const INSUFFICIENT_FUNDS: StatusWord = proprietary(0x9401);
/// `9402`: a transaction counter has come to its end.
pub(crate) const COUNTER_EXHAUSTED: StatusWord = proprietary(0x9402);
/// `9403`: no transaction key has that identifier.
pub(crate) const KEY_INDEX: StatusWord = proprietary(0x9403);
/// `9406`: the transaction asked for is not the last one.
pub(crate) const NO_PROOF: StatusWord = proprietary(0x9406);

const fn proprietary(word: u16) -> StatusWord {
    match StatusWord::from_word(word) {
        Ok(status) => status,
        Err(_) => panic!("the constants above are status words"),
    }
}

/// Turns a condition into the status of its failure.
pub(crate) const fn require(condition: bool, otherwise: StatusWord) -> Result<(), StatusWord> {
    if condition { Ok(()) } else { Err(otherwise) }
}
