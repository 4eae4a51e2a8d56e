//! The acquirer: opens a request by the key that its SMID names, judges it, answers.

use std::collections::HashMap;
use std::fmt;

use cardroot::dukpt::{AcceptError, Bdk, Counter, Ksn, KsnError, Receiver, TransactionKey};
use cardroot::pin::{DecryptPinBlock, EncryptedPinBlock, Pan, Pin, PinBlockFormat};
use cardroot::smid::iso8583::{Dialect, Finding, Message, RuleOptions, VerifyError, validate};
use cardroot::smid::{NameLayout, SmidProfile};
use cardroot::tdea::MacMismatch;

use crate::Failure;

/// Action codes in bit 39.
pub const APPROVED: &str = "000";
pub const WRONG_PIN: &str = "117";

/// The acquirer's host.
#[derive(Debug)]
pub struct Acquirer {
    receiver: Receiver,
    key_set_id: u128,
    dialect: &'static Dialect,
    profile: &'static SmidProfile,
    accounts: HashMap<String, Pin>,
    /// The last counter accepted from each terminal, by the name of its initial key.
    last: HashMap<Ksn, Counter>,
}

/// Why a request gets no answer. The sender learns none of it.
#[derive(Debug)]
pub enum Refusal {
    Message(VerifyError<MacMismatch>),
    Rules(Vec<Finding>),
    Smid(String),
    UnknownKeySet,
    Counter(AcceptError),
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
        key_set_id: u128,
        dialect: &'static Dialect,
        profile: &'static SmidProfile,
        accounts: HashMap<String, Pin>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            receiver: Receiver::new(bdk)?,
            key_set_id,
            dialect,
            profile,
            accounts,
            last: HashMap::new(),
        })
    }

    /// Opens a request and answers it. The counter counts as used once the MAC is right, and before anything else is done
    /// with the message.
    pub fn answer(&mut self, request: &[u8]) -> Result<Answer, Refusal> {
        let message =
            Message::decode(self.dialect, request).map_err(|error| Refusal::Message(error.into()))?;
        let findings = validate(&message, &RuleOptions::default());
        if !findings.is_empty() {
            return Err(Refusal::Rules(findings));
        }
        let ksn = self.key_serial_number(&message)?;
        let last = self.last.get(&ksn.initial()).copied();
        let transaction = self.receiver.accept(&ksn, last).map_err(Refusal::Counter)?;
        let key = transaction.key();
        let message = Message::verify_with(self.dialect, request, |covered, mac| {
            key.mac_request_key().verify_mac(covered, mac)
        })
        .map_err(Refusal::Message)?;
        let counter = ksn.counter().map_err(|error| Refusal::Counter(error.into()))?;
        self.last.insert(ksn.initial(), counter);

        let action_code = self.judge(&message, key)?;
        let response =
            self.respond(&message, action_code, key).map_err(|failure| Refusal::Smid(failure.to_string()))?;
        Ok(Answer { response, skipped_counters: transaction.skipped_counters() })
    }

    /// The key serial number that bit 53 names, if it is of our key set.
    fn key_serial_number(&self, message: &Message) -> Result<Ksn, Refusal> {
        let smid = |error: &dyn fmt::Display| Refusal::Smid(error.to_string());
        let smids = message.smids(self.profile).map_err(|error| smid(&error))?;
        let name = smids.as_ref().and_then(|smids| smids.mac(self.profile)).map(|smid| smid.key_name);
        let name = name.ok_or_else(|| smid(&"bit 53 names no key"))?;
        let parts = NameLayout::ANNEX_A.split(&name).map_err(|error| smid(&error))?;
        if parts.key_set_id != self.key_set_id {
            return Err(Refusal::UnknownKeySet);
        }
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

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(error) => error.fmt(f),
            Self::Rules(findings) => {
                let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
                f.write_str(&findings.join("; "))
            }
            Self::Smid(reason) => f.write_str(reason),
            Self::UnknownKeySet => f.write_str("the key set is not ours"),
            Self::Counter(error) => error.fmt(f),
            Self::NoAccount => f.write_str("no such account"),
            Self::PinBlock => f.write_str("invalid PIN block"),
        }
    }
}
