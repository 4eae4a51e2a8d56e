//! A blank card becomes the card of a plan.

use apdu::{CardTransport, Channel};

use super::script::Script;
use super::station::{Issued, Station, StepError, walk};

impl Script {
    /// Makes a blank card the card of the plan. It must be the blank card that the transport key is for: a card that is not costs one of
    /// that key's tries.
    ///
    /// # Errors
    /// Returns [`StepError`] at the first step that fails. The card then holds what the steps before it made, and
    /// [`resume`](Self::resume) finishes it.
    pub fn issue<T: CardTransport>(&self, channel: &mut Channel<T>) -> Result<Issued, StepError<T::Error>>
    where
        T::Error: 'static,
    {
        let mut station = Station::new(channel);
        walk(self, |step| station.carry_out(&step.action))?;
        Ok(Issued { commands: station.commands })
    }
}
