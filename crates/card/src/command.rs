//! One command on its way through the card.

use apdu::{Header, Le, StatusWord};
use tdea::BLOCK_LEN;

use crate::session::Challenge;
use crate::status::require;

/// A command, its length fields checked.
#[derive(Clone, Copy)]
pub(crate) struct Command<'a> {
    pub(crate) header: Header,
    /// 0 to 255 bytes.
    pub(crate) data: &'a [u8],
    pub(crate) le: Option<Le>,
    /// The challenge that the command before this one drew.
    pub(crate) challenge: Option<Challenge>,
}

impl Command<'_> {
    /// Whether the class announces the card maker's secure messaging.
    pub(crate) const fn is_protected(&self) -> bool {
        self.header.class.without_proprietary_sm().is_some()
    }

    /// The challenge as what the MAC of this command chains from.
    pub(crate) fn iv(&self) -> Option<[u8; BLOCK_LEN]> {
        self.challenge?.block()
    }

    /// Demands these parameters.
    pub(crate) fn expect_parameters(&self, p1: u8, p2: u8) -> Result<(), StatusWord> {
        require((self.header.p1, self.header.p2) == (p1, p2), StatusWord::WRONG_P1_P2)
    }

    /// Demands a first parameter.
    pub(crate) fn expect_p1(&self, p1: u8) -> Result<(), StatusWord> {
        require(self.header.p1 == p1, StatusWord::WRONG_P1_P2)
    }

    /// Demands that there is no data.
    pub(crate) fn expect_no_data(&self) -> Result<(), StatusWord> {
        require(self.data.is_empty(), StatusWord::WRONG_LENGTH)
    }

    /// How many of `available` bytes to answer: all if Le is `00`, else as many as Le says.
    pub(crate) fn answer_len(&self, available: usize) -> Result<usize, StatusWord> {
        let le = self.le.ok_or(StatusWord::WRONG_LENGTH)?;
        let asked = usize::try_from(le.bytes()).expect("Le is at most 65536");
        let most = available.min(LE_ZERO);
        match asked {
            LE_ZERO => Ok(most),
            _ if asked <= most => Ok(asked),
            _ => Err(StatusWord::wrong_le(u8::try_from(most).expect("less than Le, which is less than 256"))),
        }
    }

    /// Demands that Le, if there is one, is not less than the `len` bytes of an answer whose length the host can't know.
    pub(crate) fn expect_no_cut(&self, len: usize) -> Result<(), StatusWord> {
        match self.le.map(|le| usize::try_from(le.bytes()).expect("Le is at most 65536")) {
            Some(asked) if asked < len => {
                Err(StatusWord::wrong_le(u8::try_from(len).expect("answers are shorter than 256 bytes")))
            }
            _ => Ok(()),
        }
    }

    /// Demands that Le, if there is one, is `00` or the `len` bytes of the answer.
    pub(crate) fn expect_room(&self, len: usize) -> Result<(), StatusWord> {
        match self.le {
            Some(_) if self.answer_len(len)? < len => {
                Err(StatusWord::wrong_le(u8::try_from(len).expect("answers are shorter than 256 bytes")))
            }
            _ => Ok(()),
        }
    }
}

/// What an Le of `00` asks for, in bytes.
const LE_ZERO: usize = 256;
