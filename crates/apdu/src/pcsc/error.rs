//! What goes wrong, by name.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::command::CommandError;
use crate::pcsc::reader::ReaderName;
use crate::response::ResponseError;
use crate::status::StatusWord;
use crate::t0::T0Error;

/// What goes wrong between a program and a card in a reader.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PcscError {
    /// The service does not run, or does not let this user in.
    #[error("the smart card service does not answer; is pcscd running, and may this user talk to it?")]
    NoService,
    /// No reader has this name, nor this text in its name.
    #[error("no reader is called {wanted:?}; there {}", Names(readers))]
    UnknownReader {
        /// The name that was asked for.
        wanted: String,
        /// The readers that there are.
        readers: Vec<ReaderName>,
    },
    /// Several readers have this text in their names.
    #[error("{wanted:?} is part of several names; there {}", Names(readers))]
    AmbiguousReader {
        /// The text that was asked for.
        wanted: String,
        /// The readers that have it.
        readers: Vec<ReaderName>,
    },
    /// The reader was unplugged.
    #[error("the reader is gone")]
    ReaderGone,
    /// There is no card in the reader.
    #[error("there is no card in the reader")]
    NoCard,
    /// The card speaks none of the protocols that were asked for.
    #[error("the card does not speak the protocol that was asked for")]
    ProtocolMismatch,
    /// Another program has the card to itself, or has it open while it was to be had alone.
    #[error("another program uses the card")]
    SharingViolation,
    /// The card does not answer to power or reset.
    #[error("the card does not answer")]
    Unresponsive,
    /// Somebody else has reset the card: what it knew of this session is gone. Nothing was sent.
    #[error("the card was reset by another program; connect anew and open the session again")]
    CardReset,
    /// The card was pulled out.
    #[error("the card was removed")]
    CardRemoved,
    /// The link broke off. Whether the card carried out the command is not known.
    #[error("the link to the card broke off")]
    LinkBroken,
    /// Less than a status word came back, as from a card that was pulled out in mid-command. Whether it carried out the
    /// command is not known.
    #[error("the answer has {found} bytes, less than a status word")]
    ShortResponse {
        /// Bytes that came.
        found: usize,
    },
    /// Bytes shorter than a header, which some readers take for something else than a command. Nothing was sent.
    #[error("a command is at least 4 bytes, found {found}")]
    ShortCommand {
        /// Bytes supplied.
        found: usize,
    },
    /// The caller's buffer is too small. The card has carried out the command all the same, and its answer is lost.
    #[error("an answer of {needed} bytes does not fit a buffer of {found}")]
    ShortBuffer {
        /// Bytes needed.
        needed: usize,
        /// Bytes supplied.
        found: usize,
    },
    /// Bytes that are no command, for a card that speaks T=0. Nothing was sent.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// What came back from a card that speaks T=0 is no response.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// A card that speaks T=0 refused a piece of a long command; nothing more was sent.
    #[error("the card refused piece {piece} of the command: {status}")]
    EnvelopeRefused {
        /// Piece refused, from 0.
        piece: usize,
        /// What the card answered.
        status: StatusWord,
    },
    /// Nothing came about in the time given.
    #[error("the time is over")]
    Timeout,
    /// Something else, by the number that PC/SC has for it.
    #[error("PC/SC reports {code:08X}")]
    Other {
        /// The number, as `80100001`.
        code: u32,
    },
}

impl PcscError {
    pub(super) fn of(error: ::pcsc::Error) -> Self {
        use ::pcsc::Error;
        match error {
            Error::NoService | Error::ServiceStopped | Error::SecurityViolation | Error::NoAccess => {
                Self::NoService
            }
            Error::UnknownReader | Error::ReaderUnavailable | Error::NoReadersAvailable => Self::ReaderGone,
            Error::NoSmartcard => Self::NoCard,
            Error::ProtoMismatch => Self::ProtocolMismatch,
            Error::SharingViolation => Self::SharingViolation,
            Error::UnresponsiveCard | Error::UnpoweredCard | Error::UnsupportedCard => Self::Unresponsive,
            Error::ResetCard => Self::CardReset,
            Error::RemovedCard => Self::CardRemoved,
            Error::NotTransacted | Error::CommError | Error::CommDataLost => Self::LinkBroken,
            Error::Timeout => Self::Timeout,
            other => Self::Other { code: other as u32 },
        }
    }
}

impl From<T0Error<Self>> for PcscError {
    fn from(error: T0Error<Self>) -> Self {
        match error {
            T0Error::Link(error) => error,
            T0Error::Command(error) => error.into(),
            T0Error::Response(error) => error.into(),
            T0Error::EnvelopeRefused { piece, status } => Self::EnvelopeRefused { piece, status },
        }
    }
}

/// Readers in a sentence.
struct Names<'a>(&'a [ReaderName]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.0.split_first() else { return f.write_str("is none") };
        write!(f, "{} {:?}", if others.is_empty() { "is" } else { "are" }, first.to_string())?;
        others.iter().try_for_each(|name| write!(f, ", {:?}", name.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_service_have_names() {
        use ::pcsc::Error as E;
        let table: [(PcscError, &[E]); 9] = [
            (PcscError::NoService, &[E::NoService, E::ServiceStopped, E::SecurityViolation, E::NoAccess]),
            (PcscError::ReaderGone, &[E::UnknownReader, E::ReaderUnavailable, E::NoReadersAvailable]),
            (PcscError::NoCard, &[E::NoSmartcard]),
            (PcscError::ProtocolMismatch, &[E::ProtoMismatch]),
            (PcscError::SharingViolation, &[E::SharingViolation]),
            (PcscError::Unresponsive, &[E::UnresponsiveCard, E::UnpoweredCard, E::UnsupportedCard]),
            (PcscError::CardReset, &[E::ResetCard]),
            (PcscError::CardRemoved, &[E::RemovedCard]),
            (PcscError::LinkBroken, &[E::NotTransacted, E::CommError, E::CommDataLost]),
        ];
        for (named, errors) in table {
            for error in errors {
                assert_eq!(PcscError::of(*error), named, "{error}");
            }
        }
        assert_eq!(PcscError::of(E::Timeout), PcscError::Timeout);
        assert_eq!(PcscError::of(E::InternalError), PcscError::Other { code: 0x8010_0001 });
    }

    #[test]
    fn what_went_wrong_behind_t0_keeps_its_name() {
        let refused = T0Error::EnvelopeRefused { piece: 1, status: StatusWord::SECURITY_STATUS };
        let named = PcscError::EnvelopeRefused { piece: 1, status: StatusWord::SECURITY_STATUS };
        assert_eq!(PcscError::from(refused), named);
        assert_eq!(PcscError::from(T0Error::Link(PcscError::CardRemoved)), PcscError::CardRemoved);
    }
}
