//! A card whose issuing was broken off, whenever that was.

use apdu::commands::pboc::WriteKeyAction;
use apdu::commands::verify;
use apdu::{CardTransport, Channel, StatusWord};
use rand_core::CryptoRng;

use super::compare::Verdict;
use super::script::{Action, LoadedKey, LoadedPin, Script};
use super::station::{Issued, Station, StepError, StepFault, StepResult, accepted, walk};

impl Script {
    /// Finishes a card whose issuing was broken off: by a removed card, a power cut, a lost answer. The card alone says how far it came, so
    /// nothing needs to have been written down; a blank card and a finished one will do too.
    ///
    /// What the card shows to hold is left alone. Keys that it can't show are written once more, as updates; a PIN that is there is verified,
    /// which sends it in the clear, as a terminal would.
    ///
    /// # Errors
    /// Returns [`StepError`] at the first step that fails, with [`StepFault::Differs`] where the card holds something that this
    /// plan, with these keys and data, did not make, which may cost two tries of its master. One moment can't be mended: a directory that was left before it had its key file takes
    /// no files any more. The card says `6982` or `6A82` then, and its directory has to be erased if its rules allow it.
    pub fn resume<T: CardTransport>(
        &self,
        channel: &mut Channel<T>,
        rng: &mut impl CryptoRng,
    ) -> Result<Issued, StepError<T::Error>>
    where
        T::Error: 'static,
    {
        let mut station = Station::new(channel);
        walk(self, |step| station.ensure(&step.action, rng))?;
        Ok(Issued { commands: station.commands })
    }
}

impl<T: CardTransport> Station<'_, T>
where
    T::Error: 'static,
{
    /// Carries out a step that may have been carried out before.
    fn ensure(&mut self, action: &Action, rng: &mut impl CryptoRng) -> StepResult<(), T::Error> {
        match action {
            Action::Select(_) | Action::Prove(_) => return self.carry_out(action),
            // Where there is one, the card refuses a second. The key that comes next tells one refusal from another.
            Action::CreateKeyFile(file) => return self.ask(&file.command()).map(drop),
            _ => {}
        }
        match (self.probe(action, rng)?, action) {
            (Verdict::Same, _) => Ok(()),
            (Verdict::Missing, _) => self.carry_out(action),
            // The card may have lost its power in the middle of it.
            (_, Action::WriteBinary(_)) => self.carry_out(action),
            // The same key in the same place.
            (Verdict::Unproven(_), Action::LoadSamKey { .. }) => self.carry_out(action),
            (Verdict::Unproven(_), Action::LoadKey { key, under }) => self.put_key(key, under),
            (Verdict::Unproven(_), Action::LoadPin { pin, under }) => self.put_pin(pin, under),
            (Verdict::Unproven(_), _) => Err(StepFault::InDoubt),
            (Verdict::Differs(how), _) => Err(StepFault::Differs(how)),
        }
    }

    fn put_key(
        &mut self,
        key: &LoadedKey,
        under: &apdu::secure::pboc::MasterKey,
    ) -> StepResult<(), T::Error> {
        let update = WriteKeyAction::Update { current: key.card_type() };
        let response = self.write_key(key, update, under)?;
        let response = match response.status() {
            StatusWord::REFERENCED_DATA_NOT_FOUND => self.write_key(key, WriteKeyAction::Add, under)?,
            _ => response,
        };
        accepted(response).map(drop)
    }

    fn put_pin(
        &mut self,
        pin: &LoadedPin,
        under: &apdu::secure::pboc::MasterKey,
    ) -> StepResult<(), T::Error> {
        let response = self.write_pin(pin, under)?;
        if response.status() != StatusWord::WRONG_DATA {
            return accepted(response).map(drop);
        }
        let command = verify(pin.id, &pin.pin).expect("the planner checked the length");
        match self.ask(&command)?.status() {
            // The proof has changed the security state of the directory.
            StatusWord::OK => self.prove(super::station::MASTER_ID, under).map(drop),
            _ => Err(StepFault::Differs("another PIN")),
        }
    }
}
