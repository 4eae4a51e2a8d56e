//! What comes of a message.

use alloc::string::String;
use alloc::vec::Vec;

use smid::csm::{Class, Count, DecodeError, EncodeError, ErrorCodes, Finding, KeyId, ServiceRequest};
use tdea::StrengthError;

use super::data_key::Iv;
use super::state::Purpose;

/// What a message was, and the answer to it, if there is one. The state is durable: the answer may leave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// What happened.
    pub event: Event,
    /// The message that goes back to the peer.
    pub reply: Option<String>,
}

/// What happened.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The peer asks for keys: [`Party::send_keys`](super::Party::send_keys) is the answer.
    KeysRequested(ServiceRequest),
    /// Keys came and are in use.
    KeysReceived(ReceivedKeys),
    /// The peer has the keys of the last KSM, which are in use.
    KeysAcknowledged {
        /// Count of the KSM.
        count: Count,
    },
    /// The peer put keys out of use.
    KeysDiscontinued {
        /// What it named; nothing stands for all keys.
        named: Vec<Option<KeyId>>,
        /// How many keys that were; none if they were out of use before, and the peer asks for the answer once more.
        keys: usize,
    },
    /// The peer has put the keys of the last DSM out of use.
    DiscontinuationAcknowledged,
    /// The peer refused the count of the last KSM, and the count was moved up: keys can be sent again. To be logged.
    CountAdjusted {
        /// The count refused.
        from: Count,
        /// The count of the next message.
        to: Count,
    },
    /// The peer refused the count once more than may be adjusted, or by too much: the `*KK` has to be replaced. To be logged.
    KekMustBeReplaced {
        /// Name of the `*KK`.
        name: Option<KeyId>,
        /// The count that the peer expects.
        expected: Count,
    },
    /// The peer could not take a message. Nothing has changed here.
    PeerReported {
        /// What was wrong.
        codes: ErrorCodes,
        /// The count that it expects, if it says so.
        expected: Option<Count>,
    },
    /// The message was not accepted. Nothing has changed here.
    Refused(Refusal),
}

/// Keys that came in a KSM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceivedKeys {
    /// Count of the message.
    pub count: Count,
    /// Counts that were left out: messages that got lost. To be logged if it is not zero.
    pub skipped: u64,
    /// Name of the `*KK` that came.
    pub kek: Option<KeyId>,
    /// Names of the data keys that came, that of the authentication key first.
    pub data_keys: Vec<Option<KeyId>>,
    /// The initialization vector that came, decrypted; it goes with the last data key.
    pub iv: Option<Iv>,
    /// The effective date that came.
    pub effective: Option<String>,
}

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It can't be read.
    #[error("not a message: {0}")]
    Format(#[from] DecodeError),
    /// It is not for this party, or not of the peer. It was not processed.
    #[error("the message is for somebody else or of somebody else")]
    Misrouted,
    /// It breaks a rule, or several.
    #[error("the message breaks a rule: {0}")]
    Rule(Finding),
    /// It is of the environment with a centre.
    #[error("messages of class {0} are for centres")]
    CentreClass(Class),
    /// It has a field of an option that is not implemented or not agreed on.
    #[error("the message uses an option that is not implemented")]
    Option,
    /// It asks for a key that can't be had.
    #[error("the message asks for what can't be sent")]
    Request,
    /// Keys are named or not named against the agreement, two have one name, or the name is that of a key installed by hand.
    #[error("the names of the keys are not as agreed")]
    Naming,
    /// Keys of the same name are on their way to the peer.
    #[error("keys of the same name are on their way in the other direction")]
    Crossing,
    /// The key encrypting key is not known, not the only one, or may not encrypt what it did.
    #[error("no such key encrypting key")]
    UnknownKek,
    /// Data keys are not of the form agreed on.
    #[error("the data keys have another length")]
    KeyLength,
    /// The count is below the one expected: an old message, or a sender that has lost its count. To be logged.
    #[error("count {received} where {expected} is expected")]
    CountTooLow {
        /// The least count that is accepted.
        expected: Count,
        /// The count received.
        received: Count,
    },
    /// All counts of the key encrypting key are used up.
    #[error("no counts are left")]
    CountsUsedUp,
    /// The MAC or the error detection code is wrong: another key, another message. Opaque on purpose.
    #[error("the code over the message is wrong")]
    NotAuthentic,
    /// A key of the message has even parity, is weak, or is there twice. The code over the message is right.
    #[error("the message has a key that can't be used")]
    UnsoundKey,
    /// A key of the message is in use here, on its way to the peer or in the archive. The code over the message is right: somebody may
    /// know an old key and send it again. To be logged.
    #[error("the message has a key that is or was here")]
    KnownKey,
    /// It answers nothing that was sent.
    #[error("nothing was sent that the message could answer")]
    Unexpected,
    /// A key to discontinue, or the key that authenticates it, is not known.
    #[error("a key that the message names is not known")]
    UnknownKey,
    /// An RSM names other keys than the DSM that it answers, or in another order.
    #[error("the answer names other keys than were to be discontinued")]
    Mismatch,
}

/// A message that can't be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError<E: core::error::Error + 'static> {
    /// Names against the agreement, two keys with one name, or the name of a key that was installed by hand.
    #[error("the names of the keys are not as agreed")]
    Naming,
    /// No such key encrypting key, or more than one where none is named, or one that may not encrypt key encrypting keys.
    #[error("no such key encrypting key")]
    UnknownKek,
    /// All counts of the key encrypting key are used up; it has to be replaced.
    #[error("no counts are left; the key encrypting key has to be replaced")]
    CountsUsedUp,
    /// A key to discontinue, or the key to authenticate with, is not known, or there is none to discontinue.
    #[error("no such key")]
    UnknownKey,
    /// Even parity.
    #[error("the key has a byte of even parity")]
    Parity,
    /// A key that can't protect others.
    #[error("the key encrypting key is refused: {0}")]
    Strength(#[from] StrengthError),
    /// A key that is in use here, on its way or in the archive: its counts would begin again, and old messages be accepted.
    #[error("the key encrypting key is or was here, as it is or for another purpose")]
    NotNew,
    /// A key encrypting key of another length than a pair has.
    #[error("a key encrypting key pair has 16 bytes")]
    NotAPair,
    /// A text that has no place in a message.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The state could not be stored: nothing has left.
    #[error("the state could not be stored")]
    Store(#[source] E),
}

/// A data key that can't be used so.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError<E: core::error::Error + 'static> {
    /// No key of that name is in use.
    #[error("no such data key")]
    Unknown,
    /// The key has another purpose.
    #[error("the key is for {0:?}")]
    Purpose(Purpose),
    /// The purpose, which this use decides, could not be stored.
    #[error("the state could not be stored")]
    Store(#[source] E),
}
