//! What a card holds, beside what the plan says.

use core::fmt;

use apdu::commands::pboc::{KeyUse, init_for_descrypt};
use apdu::commands::{
    FileId, InternalOperation, Record, RecordAddress, internal_authenticate, read_binary, read_record,
    select_file,
};
use apdu::secure::pboc::{ExternalAuthKey, InternalAuthKey, MasterKey};
use apdu::{CardTransport, Channel, Le, ResponseApdu, StatusClass, StatusWord};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::script::{Action, Content, LoadedKey, LoadedSamKey, Script};
use super::station::{MASTER_ID, Station, StepError, StepResult, pieces};

/// One step of the plan, and what the card shows of it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// Place in the plan.
    pub place: String,
    /// What the step does, as in the dry run.
    pub what: String,
    /// What the card shows.
    pub verdict: Verdict,
}

/// What a card shows of one step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It holds what the plan says.
    Same,
    /// It does not hold it.
    Missing,
    /// It holds something else.
    Differs(&'static str),
    /// It does not show it.
    Unproven(&'static str),
}

impl Script {
    /// Compares a card with the plan, step by step, and changes nothing on it that lasts.
    ///
    /// Masters and external authentication keys are proven to the card: a key that is another one costs a try, which the next
    /// success gives back. A card of other keys loses two tries of its master, and no second one where the first left it hardly
    /// any; a master that has one try left loses that. Do not compare such a card again and again. Internal authentication keys are made to prove themselves. Files are read back where they are
    /// readable. For other keys, for PINs and for protected content there is no command that would prove them and change
    /// nothing: those are [`Verdict::Unproven`].
    ///
    /// # Errors
    /// Returns [`StepError`] if the link fails.
    pub fn compare<T: CardTransport>(
        &self,
        channel: &mut Channel<T>,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Comparison>, StepError<T::Error>>
    where
        T::Error: 'static,
    {
        let mut station = Station::new(channel);
        let mut comparisons = Vec::new();
        // Where the way to what follows is barred, and what follows is then called.
        let mut barred: Option<Verdict> = None;
        super::station::walk(self, |step| {
            if matches!(step.action, Action::Select(FileId::MASTER)) && barred == Some(Verdict::Missing) {
                barred = None;
            }
            let verdict = match barred {
                Some(verdict) => verdict,
                None => station.probe(&step.action, rng)?,
            };
            if matches!(step.action, Action::TakeOver { .. } | Action::CreateDirectory(_))
                && verdict != Verdict::Same
                && barred.is_none()
            {
                barred = Some(match (&step.action, verdict) {
                    (Action::CreateDirectory(_), Verdict::Missing) => Verdict::Missing,
                    _ => Verdict::Unproven("the card is not under the master of the plan"),
                });
            }
            if !matches!(step.action, Action::Select(_) | Action::Prove(_) | Action::CreateKeyFile(_)) {
                let (place, what) = (step.place.clone(), step.action.to_string());
                comparisons.push(Comparison { place, what, verdict });
            }
            Ok(())
        })?;
        Ok(comparisons)
    }
}

impl<T: CardTransport> Station<'_, T>
where
    T::Error: 'static,
{
    /// What the card shows of a step, and nothing changed but the session.
    pub(super) fn probe(
        &mut self,
        action: &Action,
        rng: &mut impl CryptoRng,
    ) -> StepResult<Verdict, T::Error> {
        match action {
            Action::Select(id) => self.probe_file(*id),
            Action::Prove(key) => self.probe_master(key),
            Action::TakeOver { transport, master } => match self.probe_master(&master.key)? {
                Verdict::Differs(OTHER_KEY) => match self.probe_master(transport)? {
                    Verdict::Same => Ok(Verdict::Missing),
                    verdict => Ok(verdict),
                },
                verdict => Ok(verdict),
            },
            Action::CreateDirectory(directory) => {
                let response = self.ask(&select_file(directory.id))?;
                let is_named = names(response.data(), directory.name.as_bytes());
                match presence(response.status()) {
                    Verdict::Same if !is_named => Ok(Verdict::Differs("the directory has another name")),
                    verdict => Ok(verdict),
                }
            }
            Action::CreateKeyFile(_) => Ok(Verdict::Unproven("its keys show it")),
            Action::LoadMaster { master, .. } => self.probe_master(&master.key),
            Action::LoadKey { key, under } => self.probe_key(key, under, rng),
            Action::LoadSamKey { key, .. } => self.probe_sam_key(key),
            Action::LoadPin { .. } => Ok(Verdict::Unproven("VERIFY would send the PIN in the clear")),
            Action::CreateFile(file) => self.probe_file(file.id),
            Action::CreateWallet(account) => self.probe_file(account.wallet.file()),
            Action::WriteBinary(content) => self.probe_binary(content),
            Action::AppendRecord { number, content } => self.probe_record(*number, content),
        }
    }

    fn probe_file(&mut self, id: FileId) -> StepResult<Verdict, T::Error> {
        Ok(presence(self.ask(&select_file(id))?.status()))
    }

    fn probe_master(&mut self, key: &MasterKey) -> StepResult<Verdict, T::Error> {
        Ok(proof(self.prove(MASTER_ID, key)?))
    }

    fn probe_key(
        &mut self,
        key: &LoadedKey,
        master: &MasterKey,
        rng: &mut impl CryptoRng,
    ) -> StepResult<Verdict, T::Error> {
        let operation = match key.key_use {
            KeyUse::DesEncrypt(_) => InternalOperation::Encrypt,
            KeyUse::DesDecrypt(_) => InternalOperation::Decrypt,
            KeyUse::DesMac(_) => InternalOperation::Mac,
            KeyUse::ExternalAuthenticate { .. } => {
                let external = ExternalAuthKey::from_key(key.key.duplicate());
                let verdict = proof(self.prove(key.id, &external)?);
                // The proof has changed the security state of the directory.
                self.prove(MASTER_ID, master)?;
                return Ok(verdict);
            }
            _ => return Ok(Verdict::Unproven("no command proves this key")),
        };
        let mut challenge = [0; 8];
        rng.fill_bytes(&mut challenge);
        let command = internal_authenticate(operation, key.id, &challenge).expect("8 bytes fit a command");
        let response = self.ask(&command)?;
        Ok(match presence(response.status()) {
            Verdict::Same => {
                let key = InternalAuthKey::from_key(key.key.duplicate());
                match key.verify_answer(operation, &challenge, response.data()) {
                    Ok(()) => Verdict::Same,
                    Err(_) => Verdict::Differs(OTHER_KEY),
                }
            }
            verdict => verdict,
        })
    }

    fn probe_sam_key(&mut self, key: &LoadedSamKey) -> StepResult<Verdict, T::Error> {
        let factors = vec![[0; 8]; usize::from(key.usage.byte() >> 5)];
        let command =
            init_for_descrypt(key.usage, key.slot, &factors).expect("7 factors at most fit a command");
        let status = self.ask(&command)?.status();
        if status == StatusWord::INSTRUCTION_NOT_SUPPORTED {
            return Ok(Verdict::Unproven("a key card does not use its keys"));
        }
        Ok(match presence(status) {
            Verdict::Same => Verdict::Unproven("there is a key of this name; which one, it does not say"),
            verdict => verdict,
        })
    }

    fn probe_binary(&mut self, content: &Content) -> StepResult<Verdict, T::Error> {
        if !content.readable {
            return Ok(NOT_READABLE);
        }
        let selected = self.probe_file(content.file)?;
        if selected != Verdict::Same {
            return Ok(selected);
        }
        for (offset, piece) in pieces(&content.bytes) {
            let verdict = compared(&self.ask(&read_binary(offset, le(piece)))?, piece);
            if verdict != Verdict::Same {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Same)
    }

    fn probe_record(&mut self, number: u8, content: &Content) -> StepResult<Verdict, T::Error> {
        if !content.readable {
            return Ok(NOT_READABLE);
        }
        let selected = self.probe_file(content.file)?;
        if selected != Verdict::Same {
            return Ok(selected);
        }
        let address = RecordAddress { file: None, record: Record::Number(number) };
        let response = self.ask(&read_record(address, le(&content.bytes)))?;
        Ok(compared(&response, &content.bytes))
    }
}

const OTHER_KEY: &str = "another key";
const NOT_READABLE: Verdict = Verdict::Unproven("it is read under line protection only");

fn le(bytes: &[u8]) -> Le {
    u32::try_from(bytes.len()).ok().and_then(Le::new).unwrap_or(Le::MAX_SHORT)
}

fn compared(response: &ResponseApdu, expected: &[u8]) -> Verdict {
    match presence(response.status()) {
        Verdict::Same if bool::from(response.data().ct_eq(expected)) => Verdict::Same,
        Verdict::Same => Verdict::Differs("other content"),
        verdict => verdict,
    }
}

/// What a status says of a thing that was asked for.
const fn presence(status: StatusWord) -> Verdict {
    match status {
        StatusWord::FILE_NOT_FOUND | StatusWord::RECORD_NOT_FOUND | StatusWord::REFERENCED_DATA_NOT_FOUND => {
            Verdict::Missing
        }
        StatusWord::SECURITY_STATUS => Verdict::Unproven("the access rules do not let it be asked for"),
        StatusWord::FILE_DEACTIVATED => Verdict::Differs("blocked"),
        _ => match status.class() {
            StatusClass::Normal | StatusClass::Warning => Verdict::Same,
            _ => Verdict::Differs("the card refuses it"),
        },
    }
}

/// What a status says of a key that was proven to the card.
fn proof(status: StatusWord) -> Verdict {
    match (status, status.counter()) {
        (StatusWord::AUTHENTICATION_BLOCKED, _) => Verdict::Differs("locked"),
        // One more wrong try may be the last of all.
        (_, Some(0 | 1)) => Verdict::Differs("another key, and hardly any tries left"),
        (_, Some(_)) => Verdict::Differs(OTHER_KEY),
        _ => presence(status),
    }
}

/// Whether control information `6F {84 name …}` has this name.
fn names(information: &[u8], name: &[u8]) -> bool {
    match information {
        [0x6F, _, 0x84, len, rest @ ..] => rest.get(..usize::from(*len)) == Some(name),
        _ => false,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("same"),
            Self::Missing => f.write_str("missing"),
            Self::Differs(how) => write!(f, "differs: {how}"),
            Self::Unproven(why) => write!(f, "unproven: {why}"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<32} {:<52} {}", self.place, self.what, self.verdict)
    }
}
