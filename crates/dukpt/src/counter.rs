//! The transaction counter and its rules.

use core::fmt;

/// Transaction counter of 21 bits: always one that a transaction may carry, so 1 to `1FF800` with at most ten ones.
///
/// The ones are what derivation pays for: each costs the receiver one step, so ten is the most it ever takes.
///
/// # Source
/// ANS X9.24-1:2009 8.7 and A.2 (counter skips values of more than ten ones).
///
/// # Examples
/// ```
/// use cardroot_dukpt::{Counter, CounterError, EndOfLife};
///
/// assert_eq!(Counter::try_from(0x7FE)?.next(), Ok(Counter::try_from(0x800)?));
/// assert_eq!(Counter::try_from(0x7FF), Err(CounterError::TooManyOnes { ones: 11 }));
/// assert_eq!(Counter::LAST.next(), Err(EndOfLife));
/// # Ok::<(), CounterError>(())
/// ```
#[doc(alias = "encryption counter")]
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Counter(u32);

/// A number that no transaction may carry as its counter.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CounterError {
    /// The counter is zero: its key would be the initial key itself. An originator never sends it.
    #[error("transaction counter is zero")]
    Zero,
    /// The counter has more ones than [`Counter::MAX_ONES`]: an originator skips it.
    #[error("transaction counter has {ones} ones, at most 10 are allowed")]
    TooManyOnes {
        /** Ones in the counter. */
        ones: u32,
    },
    /// The number has more than 21 bits.
    #[error("a transaction counter has 21 bits, found {found:#X}")]
    TooLarge {
        /** The number supplied. */
        found: u32,
    },
}

/// The originator has used its last counter, or can't read any register that is left. There is no way back but to load
/// a new initial key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no transaction key is left: the originator has ceased operation")]
pub struct EndOfLife;

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
    pub const BITS: u32 = 21;
    /// The most ones a counter may have.
    pub const MAX_ONES: u32 = 10;
    /// Counter of the first transaction after an initial key was loaded.
    pub const FIRST: Self = Self(1);
    /// Counter of the last transaction: the ten highest bits.
    pub const LAST: Self = Self(0x1F_F800);
    /// Transactions in the life of an originator: sums of 21 over 1 to 10.
    pub const TRANSACTIONS: u32 = 1_048_575;

    /// The counter as a number.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// How many bits are set: 1 to 10.
    #[must_use]
    pub const fn ones(self) -> u32 {
        self.0.count_ones()
    }

    /// The next higher counter: one more if this one has fewer than ten ones, else the lowest set bit more.
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.2, "New Key" and "New Key-4".
    ///
    /// # Errors
    /// Returns [`EndOfLife`] after [`Counter::LAST`].
    pub const fn next(self) -> Result<Self, EndOfLife> {
        Self::in_life(if self.ones() < Self::MAX_ONES { self.0 + 1 } else { self.0 + self.lowest_bit() })
    }

    /// Verifies that this counter is above the one accepted `last` from the same originator, and returns how many
    /// counters lie between that no message came with. `None` says that nothing was accepted yet.
    ///
    /// A gap is legal: messages get lost and originators skip what they can't use. The rule keeps no state; whoever does
    /// must make this counter durable as the new `last` before anything is answered.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.7: the receiver verifies that the counter has increased.
    ///
    /// # Errors
    /// Returns [`ReplayError`] if this counter is equal to `last` or below it.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_dukpt::{Counter, CounterError};
    /// let (seven, ten) = (Counter::try_from(7)?, Counter::try_from(10)?);
    /// assert_eq!(ten.follows(Some(seven)), Ok(2));
    /// assert!(seven.follows(Some(seven)).is_err());
    /// # Ok::<(), CounterError>(())
    /// ```
    pub fn follows(self, last: Option<Self>) -> Result<u32, ReplayError> {
        match last {
            None => Ok(self.ordinal() - 1),
            Some(last) if self <= last => Err(ReplayError { last, found: self }),
            Some(last) => Ok(self.ordinal() - last.ordinal() - 1),
        }
    }

    /// Which transaction in the life of an originator this is: 1 for [`Counter::FIRST`],
    /// [`TRANSACTIONS`](Self::TRANSACTIONS) for [`Counter::LAST`].
    #[must_use]
    pub fn ordinal(self) -> u32 {
        let mut at_most = 0;
        let mut ones_left = Self::MAX_ONES;
        for bit in (0..Self::BITS).rev().filter(|bit| self.0 & 1 << bit != 0) {
            // With this bit clear, the bits below may hold any pattern that keeps to the ones left.
            at_most += patterns(bit, ones_left);
            ones_left -= 1;
        }
        // Zero is one of the patterns below and no transaction; this counter itself makes up for it.
        at_most
    }

    /// The lowest set bit: it selects the register of the transaction.
    pub(crate) const fn lowest_bit(self) -> u32 {
        1 << self.0.trailing_zeros()
    }

    /// The first counter beyond all those whose keys come from the register of this one.
    pub(crate) const fn beyond_register(self) -> Result<Self, EndOfLife> {
        Self::in_life(self.0 + self.lowest_bit())
    }

    /// Takes a sum that keeps to the ten ones by the way it was made, but may have run over the 21 bits.
    const fn in_life(value: u32) -> Result<Self, EndOfLife> {
        if value >> Self::BITS == 0 { Ok(Self(value)) } else { Err(EndOfLife) }
    }
}

/// How many patterns of `bits` bits have at most `ones` ones: sum of C(`bits`, k) for k from 0 to `ones`.
fn patterns(bits: u32, ones: u32) -> u32 {
    let mut binomial = 1;
    let mut sum = 1;
    for k in 0..ones.min(bits) {
        binomial = binomial * (bits - k) / (k + 1);
        sum += binomial;
    }
    sum
}

impl TryFrom<u32> for Counter {
    type Error = CounterError;

    /// Takes a number that a transaction may carry.
    fn try_from(found: u32) -> Result<Self, CounterError> {
        match found.count_ones() {
            _ if found >> Self::BITS != 0 => Err(CounterError::TooLarge { found }),
            0 => Err(CounterError::Zero),
            1..=Self::MAX_ONES => Ok(Self(found)),
            ones => Err(CounterError::TooManyOnes { ones }),
        }
    }
}

impl From<Counter> for u32 {
    fn from(counter: Counter) -> Self {
        counter.0
    }
}

impl fmt::Display for Counter {
    /// Six upper-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06X}", self.0)
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Counter({self})")
    }
}
