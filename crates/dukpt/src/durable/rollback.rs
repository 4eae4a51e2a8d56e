//! The device's own count of states, which an old copy of the store can't turn back.

use core::convert::Infallible;

use super::error::{OriginatorError, StateError};

/// A counter of the device's secure hardware that can only grow, one for each originator.
///
/// It holds the generation of the current state. A copy of an older state put back into the store is then refused, where
/// without it an attacker (or a restored backup) makes the originator use its counters a second time.
pub trait MonotonicCounter {
    /// Why the counter could not be read or stepped.
    type Error: core::error::Error + 'static;

    /// What the counter says.
    ///
    /// # Errors
    /// Returns the hardware's error.
    fn value(&mut self) -> Result<u64, Self::Error>;

    /// Adds one, durably.
    ///
    /// # Errors
    /// Returns the hardware's error. Whether the counter has stepped is found out by [`value`](Self::value) later.
    fn increment(&mut self) -> Result<(), Self::Error>;
}

impl<C: MonotonicCounter + ?Sized> MonotonicCounter for &mut C {
    type Error = C::Error;

    fn value(&mut self) -> Result<u64, Self::Error> {
        (**self).value()
    }

    fn increment(&mut self) -> Result<(), Self::Error> {
        (**self).increment()
    }
}

/// Protection against rollback by a counter of the hardware.
#[derive(Debug)]
pub struct RollbackProtection<C>(pub(super) C);

/// The device has no counter of its own: an old copy of the store opens like the current one, and uses its counters again.
/// For stores that nobody but the device can write.
#[derive(Clone, Copy, Debug)]
pub struct NoRollbackProtection;

/// Either of the two. `pub` in a private module: there is no third.
pub trait Rollback {
    /// Why the counter failed.
    type Error: core::error::Error + 'static;

    /// Generation of the current state, if the device knows it.
    fn generation(&mut self) -> Result<Option<u64>, Self::Error>;

    /// Makes it one more.
    fn step(&mut self) -> Result<(), Self::Error>;
}

impl<C: MonotonicCounter> Rollback for RollbackProtection<C> {
    type Error = C::Error;

    fn generation(&mut self) -> Result<Option<u64>, C::Error> {
        self.0.value().map(Some)
    }

    fn step(&mut self) -> Result<(), C::Error> {
        self.0.increment()
    }
}

impl Rollback for NoRollbackProtection {
    type Error = Infallible;

    fn generation(&mut self) -> Result<Option<u64>, Infallible> {
        Ok(None)
    }

    fn step(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Makes the state of `generation`, which is durable, the device's current one. It is that already, or comes right after:
/// a cut, or a failure, may have come between the two steps.
pub(super) fn confirm<S, R: Rollback>(
    rollback: &mut R,
    generation: u64,
) -> Result<(), OriginatorError<S, R::Error>> {
    let Some(counter) = rollback.generation().map_err(OriginatorError::RollbackCounter)? else {
        return Ok(());
    };
    if counter == generation {
        Ok(())
    } else if counter.checked_add(1) == Some(generation) {
        rollback.step().map_err(OriginatorError::RollbackCounter)
    } else {
        Err(StateError::Rollback { generation, counter }.into())
    }
}
