//! The acquirer's host: opens a request by the key that it names, has its counter claimed, books it, answers.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use cardroot::dukpt::audit;
use cardroot::dukpt::guard::{Claim, Refusal, ReplayGuard, RequestId, Verdict, block_on};
use cardroot::dukpt::{AcceptError, Accepted, Authentication, ReceiveError, Receiver, TransactionKey};
use cardroot::smid::iso8583::{Message, RuleOptions, validate};

use crate::Failure;
use crate::bank::Bank;
use crate::ledger::{Judged, Outcome};
use crate::wire::{DIALECT, NOT_DONE, mac_of, name_key, named_key};

#[derive(Debug)]
pub struct Host<'a, G> {
    pub receiver: Receiver<G>,
    pub bank: &'a Bank,
    pub journal: &'a Journal,
}

/// What came of each message that named an originator, for the audit. It would be shipped to another machine.
#[derive(Debug)]
pub struct Journal {
    started: Instant,
    entries: Mutex<Vec<Entry>>,
}

#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub claim: Claim,
    pub outcome: audit::Outcome,
    pub line: u16,
    /// Milliseconds since the host went into service.
    pub time: u64,
}

/// Why a request is not answered.
enum Unanswered {
    /// Its sender learns no more than that.
    Refused(Outcome),
    /// Nothing is known of it: the line goes dead, and the terminal asks again.
    Failed(Failure),
}

use Unanswered::Refused;

impl<G: ReplayGuard> Host<'_, G> {
    /// What the host makes of a request that came in on `line`, and its response, empty if refused.
    pub fn answer(&self, line: u16, request: &[u8]) -> Result<(Judged, Vec<u8>), Failure> {
        match self.process(line, request) {
            Ok(answer) => Ok(answer),
            Err(Refused(outcome)) => Ok((Judged { outcome, skipped: 0 }, vec![])),
            Err(Unanswered::Failed(failure)) => Err(failure),
        }
    }

    fn process(&self, line: u16, request: &[u8]) -> Result<(Judged, Vec<u8>), Unanswered> {
        let message = Message::decode(DIALECT, request).map_err(|_| Refused(Outcome::Malformed))?;
        if !validate(&message, &RuleOptions::default()).is_empty() {
            return Err(Refused(Outcome::RuleBroken));
        }
        let ksn = named_key(&message).map_err(|_| Refused(Outcome::RuleBroken))?;

        // 1. The key that the message names. Anybody can send a name.
        let received = self.receiver.derive(&ksn).map_err(|error| match error {
            ReceiveError::UnknownKeySet => Refused(Outcome::UnknownKeySet),
            _ => Refused(Outcome::NoCounter),
        })?;

        // 2. Is it genuine? The MAC tells it from any other message under this counter, so it is the request's name too.
        let claim = received.claim(request_id(request));
        let verified = received.authenticate(|key| {
            Message::verify_with(DIALECT, request, |covered, mac| {
                key.mac_request_key().verify_mac(covered, mac)
            })
        });
        let (received, message) = verified.map_err(|_| {
            self.journal.enter(claim, audit::Outcome::NotAuthentic, line);
            Refused(Outcome::WrongMac)
        })?;

        // 3. Its counter, claimed for good before anything is done. All threads that wait here share one write to the disk.
        let accepted = block_on(self.receiver.accept(received, claim.request));
        let verdict = match &accepted {
            Ok(accepted) => accepted.verdict(),
            Err(AcceptError::Refused(refusal)) => Verdict::Refused(*refusal),
            Err(error) => return Err(Unanswered::Failed(Failure::from_chain(error))),
        };
        let authentication = Authentication::Verified;
        self.journal.enter(claim, audit::Outcome::Judged { verdict, authentication }, line);
        match accepted {
            Ok(Accepted::New { transaction, .. }) => {
                let code = self.bank.book(&claim, &message, transaction.key());
                let outcome = Outcome::of_action_code(code);
                let judged = Judged { outcome, skipped: transaction.skipped_counters() };
                Ok((judged, respond(&message, code, transaction.key())?))
            }
            Ok(Accepted::Repeated(repeat)) => {
                // Never a second booking: what the books say, or that they say nothing.
                let booked = self.bank.booked(&claim);
                let outcome = if booked.is_some() { Outcome::Repeated } else { Outcome::NotDone };
                let response = respond(&message, booked.unwrap_or(NOT_DONE), repeat.key())?;
                Ok((Judged { outcome, skipped: 0 }, response))
            }
            Err(AcceptError::Refused(Refusal::Replay { .. })) => Err(Refused(Outcome::Replay)),
            Err(_) => Err(Refused(Outcome::Below)),
        }
    }
}

/// The response: what the request said, the action code, and a MAC under the key for responses.
fn respond(request: &Message, action_code: &str, key: &TransactionKey) -> Result<Vec<u8>, Failure> {
    let mut response = Message::new("1210".parse()?);
    for field in [3, 4, 11, 12, 41, 49] {
        if let Some(text) = request.text(field) {
            response.set_text(DIALECT, field, text)?;
        }
    }
    response.set_text(DIALECT, 39, action_code)?;
    name_key(&mut response, key.ksn())?;
    Ok(response.seal_with(DIALECT, |covered| *key.mac_response_key().mac(covered).as_bytes())?)
}

fn request_id(request: &[u8]) -> RequestId {
    let mut id = [0; 16];
    id.iter_mut().zip(mac_of(request)).for_each(|(id, mac)| *id = mac);
    RequestId(id)
}

impl Journal {
    pub fn new() -> Self {
        Self { started: Instant::now(), entries: Mutex::default() }
    }

    fn enter(&self, claim: Claim, outcome: audit::Outcome, line: u16) {
        let time = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let entry = Entry { claim, outcome, line, time };
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    pub fn into_entries(self) -> Vec<Entry> {
        self.entries.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
