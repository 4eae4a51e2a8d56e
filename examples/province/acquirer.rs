//! The acquirer: opens a request by the key that its SMID names, judges it, answers.

use std::collections::HashMap;
use std::fmt;

use cardroot::dukpt::audit::{self, Observation, Outcome, Thresholds};
use cardroot::dukpt::guard::{Claim, MemoryGuard, Policy, RequestId, Verdict, block_on};
use cardroot::dukpt::{
    AcceptError, Accepted, Bdk, KeySetId, KeySets, Ksn, KsnError, ReceiveError, Receiver, TransactionKey,
};
use cardroot::pin::{DecryptPinBlock, EncryptedPinBlock, Pan, Pin, PinBlockFormat};
use cardroot::smid::SmidProfile;
use cardroot::smid::iso8583::{Dialect, Finding, Message, RuleOptions, VerifyError, validate};
use cardroot::tdea::MacMismatch;

use crate::Failure;

/// Action codes in bit 39.
pub const APPROVED: &str = "000";
pub const WRONG_PIN: &str = "117";

/// The acquirer's host.
#[derive(Debug)]
pub struct Acquirer {
    receiver: Receiver<MemoryGuard>,
    dialect: &'static Dialect,
    profile: &'static SmidProfile,
    accounts: HashMap<String, Pin>,
    /// What came of every claim and forgery, and on which line, for the audit.
    journal: Vec<(Claim, Outcome, String)>,
}

/// Why a request gets no answer. The sender learns none of it.
#[derive(Debug)]
pub enum Refusal {
    Message(VerifyError<MacMismatch>),
    Rules(Vec<Finding>),
    Smid(String),
    Name(ReceiveError),
    Counter(String),
    Repeated,
    NoAccount,
    PinBlock,
}

/// What the host did with a request.
#[derive(Debug)]
pub struct Answer {
    pub response: Vec<u8>,
    pub skipped_counters: u32,
}

impl Acquirer {
    /// A host that holds one base derivation key, and knows the accounts and their PINs.
    pub fn new(
        bdk: Bdk,
        key_set_id: KeySetId,
        dialect: &'static Dialect,
        profile: &'static SmidProfile,
        accounts: HashMap<String, Pin>,
    ) -> Result<Self, Failure> {
        let mut key_sets = KeySets::new();
        key_sets.insert(key_set_id, bdk)?;
        let receiver = Receiver::new(key_sets, MemoryGuard::new(Policy::Strict));
        Ok(Self { receiver, dialect, profile, accounts, journal: vec![] })
    }

    /// Opens a request that came in on `line`, and answers it. The counter counts as used once the MAC is right, and
    /// before anything else is done with the message.
    pub fn answer(&mut self, line: &str, request: &[u8]) -> Result<Answer, Refusal> {
        let message =
            Message::decode(self.dialect, request).map_err(|error| Refusal::Message(error.into()))?;
        let findings = validate(&message, &RuleOptions::default());
        if !findings.is_empty() {
            return Err(Refusal::Rules(findings));
        }
        let ksn = self.key_serial_number(&message)?;
        let received = self.receiver.derive(&ksn).map_err(Refusal::Name)?;
        let mut claim = received.claim(RequestId([0; 16]));
        let verified = received.authenticate(|key| {
            Message::verify_with(self.dialect, request, |covered, mac| {
                claim.request = identify(mac);
                key.mac_request_key().verify_mac(covered, mac)
            })
        });
        let (received, message) = verified.map_err(|error| {
            self.journal.push((claim, Outcome::NotAuthentic, line.to_owned()));
            Refusal::Message(error)
        })?;

        let authentication = received.authentication();
        let accepted = block_on(self.receiver.accept(received, claim.request));
        let verdict = match &accepted {
            Ok(accepted) => accepted.verdict(),
            Err(AcceptError::Refused(refusal)) => Verdict::Refused(*refusal),
            Err(error) => return Err(Refusal::Counter(error.to_string())),
        };
        self.journal.push((claim, Outcome::Judged { verdict, authentication }, line.to_owned()));
        let transaction = match accepted.map_err(|error| Refusal::Counter(error.to_string()))? {
            Accepted::New { transaction, .. } => transaction,
            Accepted::Repeated(_) => return Err(Refusal::Repeated),
        };

        let key = transaction.key();
        let action_code = self.judge(&message, key)?;
        let response =
            self.respond(&message, action_code, key).map_err(|failure| Refusal::Smid(failure.to_string()))?;
        Ok(Answer { response, skipped_counters: transaction.skipped_counters() })
    }

    /// Looks for signs of two terminals under one name in all that came in.
    pub fn audit(&self) -> audit::Report<'_> {
        let observations = (0..).zip(&self.journal).map(|(time, (claim, outcome, line))| Observation {
            claim: *claim,
            outcome: *outcome,
            source: line,
            time,
        });
        audit::examine(observations, Thresholds::default())
    }

    /// The key serial number that bit 53 names.
    fn key_serial_number(&self, message: &Message) -> Result<Ksn, Refusal> {
        let smid = |error: &dyn fmt::Display| Refusal::Smid(error.to_string());
        let smids = message.smids(self.profile).map_err(|error| smid(&error))?;
        let name = smids.as_ref().and_then(|smids| smids.mac(self.profile)).map(|smid| smid.key_name);
        let name = name.ok_or_else(|| smid(&"bit 53 names no key"))?;
        Ksn::from_wire(name.as_bytes()).map_err(|error: KsnError| smid(&error))
    }

    fn judge(&self, message: &Message, key: &TransactionKey) -> Result<&'static str, Refusal> {
        let number = message.text(2).ok_or(Refusal::NoAccount)?;
        let account = self.accounts.get(number).ok_or(Refusal::NoAccount)?;
        let pan = Pan::from_ascii_digits(number.as_bytes()).map_err(|_| Refusal::NoAccount)?;
        let block = message.bytes(52).ok_or(Refusal::PinBlock)?;
        let block = EncryptedPinBlock::try_from(block).map_err(|_| Refusal::PinBlock)?;
        let Ok(clear) = key.pin_key().decrypt_pin_block(block);
        let pin = clear.decode(PinBlockFormat::Iso0, &pan).map_err(|_| Refusal::PinBlock)?;
        Ok(if pin.ct_eq(account) { APPROVED } else { WRONG_PIN })
    }

    /// The response: what the request said, the action code, and a MAC under the key for responses.
    fn respond(
        &self,
        request: &Message,
        action_code: &str,
        key: &TransactionKey,
    ) -> Result<Vec<u8>, Failure> {
        let mut response = Message::new("1210".parse()?);
        for field in [3, 4, 11, 12, 41, 49] {
            if let Some(text) = request.text(field) {
                response.set_text(self.dialect, field, text)?;
            }
        }
        response.set_text(self.dialect, 39, action_code)?;
        if let Some(smids) = request.smids(self.profile)? {
            response.set_smids(self.dialect, self.profile, &smids)?;
        }
        Ok(response.seal_with(self.dialect, |covered| *key.mac_response_key().mac(covered).as_bytes())?)
    }
}

/// The MAC is made with a key of this transaction alone, so it tells the request from any other under its counter.
fn identify(mac: &[u8]) -> RequestId {
    let mut id = [0; 16];
    id.iter_mut().zip(mac).for_each(|(id, mac)| *id = *mac);
    RequestId(id)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(error) => error.fmt(f),
            Self::Rules(findings) => {
                let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
                f.write_str(&findings.join("; "))
            }
            Self::Smid(reason) => f.write_str(reason),
            Self::Name(error) => error.fmt(f),
            Self::Counter(reason) => f.write_str(reason),
            Self::Repeated => f.write_str("this request was answered before"),
            Self::NoAccount => f.write_str("no such account"),
            Self::PinBlock => f.write_str("invalid PIN block"),
        }
    }
}
