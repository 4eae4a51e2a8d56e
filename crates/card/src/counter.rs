//! Error counters of keys and PINs.

use apdu::StatusWord;

/// Error counter: upper nibble the tries after a success, lower nibble the tries left. At zero the key is locked,
/// and nothing brings it back.
///
/// # Source
/// FMCOS 2.0 user manual, 7.12; the rule that an attack locks the key is section 3.3 of the provincial system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ErrorCounter(u8);

/// Why a try came to nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// No try was left: nothing was looked at.
    Locked,
    /// The check failed.
    Failed {
        /** Tries left. */
        left: u8,
    },
}

impl Refusal {
    /// What EXTERNAL AUTHENTICATE and VERIFY answer.
    pub(crate) const fn status(self) -> StatusWord {
        match self {
            Self::Locked => StatusWord::AUTHENTICATION_BLOCKED,
            Self::Failed { left } => StatusWord::tries_left(left),
        }
    }
}

impl ErrorCounter {
    pub(crate) const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    pub(crate) const fn byte(self) -> u8 {
        self.0
    }

    pub(crate) const fn left(self) -> u8 {
        self.0 & 0x0F
    }

    /// Takes one try away, before anything is looked at. Returns how many are left.
    pub(crate) fn spend(&mut self) -> Result<u8, Refusal> {
        let left = self.left().checked_sub(1).ok_or(Refusal::Locked)?;
        self.0 = (self.0 & 0xF0) | left;
        Ok(left)
    }

    /// Gives all tries back, after a success.
    pub(crate) const fn restore(&mut self) {
        self.0 = (self.0 & 0xF0) | (self.0 >> 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_restores_and_failures_lock_for_good() {
        let mut counter = ErrorCounter::from_byte(0x33);
        assert_eq!(counter.spend(), Ok(2));
        counter.restore();
        assert_eq!(counter.left(), 3);
        for left in [2, 1, 0] {
            assert_eq!(counter.spend(), Ok(left));
        }
        assert_eq!(counter.spend(), Err(Refusal::Locked));
        assert_eq!(counter.left(), 0);
    }
}
