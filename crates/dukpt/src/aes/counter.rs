//! The transaction counter of AES DUKPT and its rules.

use core::fmt;

use crate::counter::EndOfLife;

/// How many ones a receiver takes in a counter.
///
/// The text of the standard says 16. Its pseudo code goes up to 17, and so do devices built from it: a receiver that
/// keeps to the text refuses genuine messages of theirs. The supplement with test vectors lists such a counter,
/// `0001FFFF`. Originators of this crate never exceed 16.
///
/// # Source
/// ANS X9.24-3:2017 6.1 (text), B.6.3 (pseudo code), and the supplement of test vectors.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum OnesLimit {
    /// As the text has it.
    #[default]
    Sixteen,
    /// As the pseudo code has it: for receivers that serve devices built from it.
    Seventeen,
}

impl OnesLimit {
    /// The most ones a counter may have.
    #[must_use]
    pub const fn max_ones(self) -> u32 {
        match self {
            Self::Sixteen => 16,
            Self::Seventeen => 17,
        }
    }

    /// How many counters there are: sums of 32 over 1 to the limit.
    #[must_use]
    pub const fn transactions(self) -> u32 {
        match self {
            Self::Sixteen => Counter::TRANSACTIONS,
            Self::Seventeen => 3_013_746_562,
        }
    }
}

/// Transaction counter of 32 bits: always one that a transaction may carry, so not zero and with at most 16 ones, or 17
/// where a receiver [said so](OnesLimit).
///
/// # Source
/// ANS X9.24-3:2017 6.1.
///
/// # Examples
/// ```
/// use cardroot_dukpt::EndOfLife;
/// use cardroot_dukpt::aes::{Counter, CounterError, OnesLimit};
///
/// assert_eq!(Counter::try_from(0x1_FFFE)?.next(OnesLimit::Sixteen), Ok(Counter::try_from(0x2_0000)?));
/// assert_eq!(Counter::try_from(0x1_FFFF), Err(CounterError::TooManyOnes { ones: 17, max: 16 }));
/// assert!(Counter::within(0x1_FFFF, OnesLimit::Seventeen).is_ok());
/// assert_eq!(Counter::LAST.next(OnesLimit::Sixteen), Err(EndOfLife));
/// # Ok::<(), CounterError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Counter(u32);

/// A number that no transaction may carry as its counter.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CounterError {
    /// The counter is zero: its key would be the initial key itself. An originator never sends it.
    #[error("transaction counter is zero")]
    Zero,
    /// The counter has more ones than the limit: an originator skips it. `FFFFFFFF`, which names the
    /// [update key](crate::aes::UpdateKey), is among them.
    #[error("transaction counter has {ones} ones, at most {max} are allowed")]
    TooManyOnes {
        /** Ones in the counter. */
        ones: u32,
        /** The limit. */
        max: u32,
    },
}

/// The counter has not increased: the message is a copy of an old one, or comes from a cloned originator.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("transaction counter {found} is not above {last}")]
pub struct ReplayError {
    /// The counter accepted last.
    pub last: Counter,
    /// The counter of the message refused.
    pub found: Counter,
}

impl Counter {
    /// Bits of the counter field in the key serial number.
    pub const BITS: u32 = 32;
    /// Counter of the first transaction after an initial key was loaded.
    pub const FIRST: Self = Self(1);
    /// Counter of the last transaction of an originator of this crate: the 16 highest bits.
    pub const LAST: Self = Self(0xFFFF_0000);
    /// Transactions in the life of an originator of this crate: sums of 32 over 1 to 16.
    pub const TRANSACTIONS: u32 = 2_448_023_842;
    /// What the counter field holds where the update key is meant.
    pub(super) const UPDATE: u32 = 0xFFFF_FFFF;

    /// Takes a number that a transaction may carry within `limit`.
    ///
    /// # Errors
    /// Returns [`CounterError`] if it is zero or has too many ones.
    pub const fn within(found: u32, limit: OnesLimit) -> Result<Self, CounterError> {
        let (ones, max) = (found.count_ones(), limit.max_ones());
        if ones == 0 {
            Err(CounterError::Zero)
        } else if ones > max {
            Err(CounterError::TooManyOnes { ones, max })
        } else {
            Ok(Self(found))
        }
    }

    /// The counter as a number.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// How many bits are set.
    #[must_use]
    pub const fn ones(self) -> u32 {
        self.0.count_ones()
    }

    /// The next higher counter within `limit`.
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.1 and B.6.3.
    ///
    /// # Errors
    /// Returns [`EndOfLife`] after the last one: [`LAST`](Self::LAST) if the limit is 16, `FFFF8000` if it is 17.
    pub const fn next(self, limit: OnesLimit) -> Result<Self, EndOfLife> {
        let max = limit.max_ones();
        if self.ones() < max {
            return Ok(Self(self.0 + 1));
        }
        let mut next = self.beyond_register();
        // Only a counter of 17 ones under a limit of 16 goes round again.
        while let Ok(counter) = next
            && counter.ones() > max
        {
            next = counter.beyond_register();
        }
        next
    }

    /// Verifies that this counter is above the one accepted `last` from the same originator, and returns how many
    /// counters within `limit` lie between that no message came with. `None` says that nothing was accepted yet.
    ///
    /// A gap is legal: messages get lost and originators skip what they can't use. The rule keeps no state; whoever does
    /// must make this counter durable as the new `last` before anything is answered.
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.1; ANS X9.24-1:2009 8.7.
    ///
    /// # Errors
    /// Returns [`ReplayError`] if this counter is equal to `last` or below it.
    pub fn follows(self, last: Option<Self>, limit: OnesLimit) -> Result<u32, ReplayError> {
        let before = match last {
            None => 0,
            Some(last) if self <= last => return Err(ReplayError { last, found: self }),
            Some(last) => last.ordinal(limit),
        };
        // Where both have 17 ones under a limit of 16, no counter of the limit may be between them.
        Ok(self.ordinal(limit).saturating_sub(before + 1))
    }

    /// Which counter within `limit` this is: 1 for [`FIRST`](Self::FIRST). A counter beyond the limit counts as the one
    /// below it.
    #[must_use]
    pub fn ordinal(self, limit: OnesLimit) -> u32 {
        let mut below = 0;
        let mut ones_left = limit.max_ones();
        for bit in (0..Self::BITS).rev().filter(|bit| self.0 & 1 << bit != 0) {
            // With this bit clear, the bits below may hold any pattern that keeps to the ones left.
            below += patterns(bit, ones_left);
            match ones_left.checked_sub(1) {
                Some(left) => ones_left = left,
                // Zero is one of the patterns and no transaction; no counter itself makes up for it.
                None => return below - 1,
            }
        }
        // Zero is one of the patterns and no transaction; this counter itself makes up for it.
        below
    }

    /// The lowest set bit: it selects the register of the transaction.
    pub(super) const fn lowest_bit(self) -> u32 {
        1 << self.0.trailing_zeros()
    }

    /// The first counter beyond all those whose keys come from the register of this one.
    pub(super) const fn beyond_register(self) -> Result<Self, EndOfLife> {
        match self.0.checked_add(self.lowest_bit()) {
            Some(value) => Ok(Self(value)),
            None => Err(EndOfLife),
        }
    }
}

/// How many patterns of `bits` bits have at most `ones` ones: sum of C(`bits`, k) for k from 0 to `ones`.
fn patterns(bits: u32, ones: u32) -> u32 {
    let mut binomial: u64 = 1;
    let mut sum = 1;
    for k in 0..ones.min(bits) {
        binomial = binomial * u64::from(bits - k) / u64::from(k + 1);
        sum += binomial;
    }
    sum.try_into().expect("31 bits have at most 2^31 patterns")
}

impl TryFrom<u32> for Counter {
    type Error = CounterError;

    /// Takes a number that a transaction may carry by the text of the standard: at most 16 ones.
    fn try_from(found: u32) -> Result<Self, CounterError> {
        Self::within(found, OnesLimit::Sixteen)
    }
}

impl From<Counter> for u32 {
    fn from(counter: Counter) -> Self {
        counter.0
    }
}

impl fmt::Display for Counter {
    /// Eight upper-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Counter({self})")
    }
}
