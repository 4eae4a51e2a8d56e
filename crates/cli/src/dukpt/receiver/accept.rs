//! `dukpt receiver accept`: one message, from its name to the verdict on it.

use std::path::PathBuf;

use cardroot::dukpt::guard::{Refusal, RequestId, Verdict, block_on};
use cardroot::dukpt::{
    AcceptError, Accepted, Bdk, GuardError, KeySetError, KeySetId, KeySets, Ksn, ReceiveError, Receiver, aes,
};
use cardroot::store::RedbGuard;
use clap::Args;

use super::PolicyOption;
use super::sentence::{self, Sentences};
use crate::dukpt::journal::{self, Journal, Line, MacName, OutcomeName, request_id};
use crate::dukpt::mac::{Message, Prepared};
use crate::dukpt::names::{
    Compatibility, Scheme, TransactionRef, bad_aes_ksn, bad_ksn, bdk_refused, tdes_ksn,
};
use crate::dukpt::working_key::{Direction, Kind, Parent};
use crate::error::{Failure, with_cause};
use crate::hex;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot dukpt receiver accept --store counters --bdk @bdk.hex --ksn FFFF9876543210E00001 --expect 9CCC7817 --raw message.txt
  cardroot dukpt receiver accept --store counters --record record.csv --source harbour --aes --bdk @bdk-aes.hex --ksn 123456789012345600000001 --expect A2EB5C1C35809E58 --raw message.txt
  cardroot dukpt receiver accept --store counters --bdk @bdk.hex --ksn FFFF9876543210E00001 --no-mac --request 1B9C1845EB993A7A";

#[derive(Args)]
pub(crate) struct Accept {
    /// The file of the memory, which dukpt receiver create made
    #[arg(long, value_name = "FILE")]
    store: PathBuf,
    /// The policy that the store must keep
    #[command(flatten)]
    policy: PolicyOption,
    /// The Base Derivation Key (BDK): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    bdk: Source,
    /// The Key Serial Number (KSN): 5 to 10 bytes, what is missing on the left is FF; 12 bytes with --aes
    #[arg(long, value_name = "H")]
    ksn: hex::Bytes,
    #[command(flatten)]
    scheme: Scheme,
    #[command(flatten)]
    compatibility: Compatibility,
    /// The MAC that came with the message, or its leftmost 4 bytes or more (8 of an HMAC): verified before the memory is asked
    #[arg(long, value_name = "H", required_unless_present = "no_mac")]
    expect: Option<hex::Bytes>,
    /// Takes a message without proof, where the network has no MACs: whoever knows the name of a terminal can then use up its
    /// counters, and lock it out
    #[arg(long, requires = "request")]
    #[arg(conflicts_with_all = ["expect", "direction", "edition", "key_type", "method", "raw", "file"])]
    no_mac: bool,
    /// Which MAC key: that of requests, or the one for both directions
    #[arg(long = "use", value_enum, value_name = "USE", default_value = "request")]
    direction: Direction,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    message: Message,
    /// What tells the message from others under its counter: a digest of it, of which the first 16 bytes count; its MAC unless given
    #[arg(long, value_name = "H")]
    request: Option<hex::Bytes>,
    /// Adds a line to FILE, in the form that dukpt audit reads: CSV, or JSON lines if it is named so
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Where the message came from, for the record
    #[arg(long, value_name = "TEXT", requires = "record", default_value = "")]
    source: String,
}

/// What proves a message.
enum Proof<'a> {
    Mac { message: Prepared, received: &'a [u8] },
    Absent,
}

/// The receiver's keys, and the name of the message.
enum Named {
    Tdes(KeySets, Ksn),
    Aes(aes::KeySets, aes::Ksn, Parent),
}

/// What came of a message.
struct Judged {
    /// `None` if its MAC does not hold: the memory was not asked.
    verdict: Option<Verdict>,
    skipped_counters: u32,
}

/// It does not come from the terminal that it names, or has changed on its way.
struct NotAuthentic;

pub(super) fn run(arguments: &Accept) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let named = arguments.named(&mut secrets)?;
    let proof = arguments.proof(named.parent(), &mut secrets)?;
    let request = arguments.request();
    let sentences = Sentences::of(&arguments.store);
    let guard = RedbGuard::open(&arguments.store, arguments.policy.policy())
        .map_err(|error| sentences.store(&error))?;
    // All that may fail before a verdict fails before it.
    let journal = arguments.record.as_deref().map(Journal::open).transpose()?;
    let ksn = named.ksn();
    let judged = named.judge(guard, &proof, request, &sentences)?;
    let report = judged.report(&ksn, &proof, request);
    let Some(journal) = journal else { return Ok(report) };
    let line = Line {
        time: journal::now(),
        source: arguments.source.clone(),
        ksn,
        request: hex::encode(&request.0),
        outcome: judged.outcome(),
        mac: judged.verdict.map(|_| proof.name()),
    };
    Ok(match journal.add(&line) {
        Ok(()) => report,
        Err(failure) => report.unless(Some(format!("the verdict stands, and is not recorded: {failure}"))),
    })
}

impl Accept {
    /// The base key as the one of the set that the message names.
    fn named(&self, secrets: &mut Secrets) -> Result<Named, Failure> {
        if self.scheme.aes {
            let ksn = self.compatibility.ksn(&self.ksn.0)?;
            let key = secrets.aes_key("--bdk", &self.bdk)?;
            let parent = Parent::Aes(key.length());
            let mut key_sets = aes::KeySets::with_ones_limit(self.scheme.ones_limit());
            key_sets.insert(ksn.id().bdk_id(), aes::Bdk::from_key(key)).expect("it is the only one");
            return Ok(Named::Aes(key_sets, ksn, parent));
        }
        let ksn = tdes_ksn(&self.ksn.0)?;
        let id = KeySetId::of(&ksn, KeySetId::MAX_BITS).expect("the longest identifier is one");
        let mut key_sets = KeySets::new();
        match key_sets.insert(id, Bdk::from_key(secrets.key("--bdk", &self.bdk)?)) {
            Err(KeySetError::Strength(fault)) => Err(bdk_refused(&fault)),
            inserted => {
                inserted.expect("it is the only one");
                Ok(Named::Tdes(key_sets, ksn))
            }
        }
    }

    fn proof(&self, parent: Parent, secrets: &mut Secrets) -> Result<Proof<'_>, Failure> {
        let Some(received) = &self.expect else { return Ok(Proof::Absent) };
        if matches!(self.direction, Direction::Response) {
            return Err(Failure::usage("--use: a receiver gets requests; responses are what it sends"));
        }
        let message = self.message.read(parent, &self.kind, self.direction, secrets)?;
        Ok(Proof::Mac { message, received: &received.0 })
    }

    fn request(&self) -> RequestId {
        let digest = self.request.as_ref().or(self.expect.as_ref());
        request_id(&digest.expect("the parser asks for one of the two").0)
    }
}

impl Proof<'_> {
    fn check(&self, transaction: TransactionRef<'_>) -> Result<(), NotAuthentic> {
        match self {
            Self::Mac { message, received } if !message.verifies(transaction, received) => Err(NotAuthentic),
            _ => Ok(()),
        }
    }

    const fn name(&self) -> MacName {
        match self {
            Self::Mac { .. } => MacName::Verified,
            Self::Absent => MacName::Absent,
        }
    }
}

/// Derives, authenticates, accepts: the same text for the types of both schemes.
macro_rules! judge {
    ($scheme:ident, $key_sets:expr, $ksn:expr, $bad_ksn:expr, $guard:expr, $proof:expr, $request:expr, $sentences:expr) => {{
        let receiver = Receiver::new($key_sets, $guard);
        let message = receiver.derive($ksn).map_err(|error| match error {
            ReceiveError::Counter(fault) => $bad_ksn(fault),
            error => Failure::refused(error.to_string()),
        })?;
        let message = match $proof {
            Proof::Absent => message.without_mac(),
            proof => match message.authenticate(|key| proof.check(TransactionRef::$scheme(key))) {
                Ok((message, ())) => message,
                Err(NotAuthentic) => return Ok(Judged { verdict: None, skipped_counters: 0 }),
            },
        };
        let (verdict, skipped_counters) = match block_on(receiver.accept(message, $request)) {
            Ok(accepted) => match &accepted {
                Accepted::New { transaction, .. } => (accepted.verdict(), transaction.skipped_counters()),
                Accepted::Repeated(_) => (accepted.verdict(), 0),
            },
            Err(AcceptError::Refused(refusal)) => (Verdict::Refused(refusal), 0),
            Err(AcceptError::Guard(GuardError::Failed(error))) => return Err($sentences.store(&error)),
            Err(error) => return Err(Failure::refused(with_cause(&error))),
        };
        Ok(Judged { verdict: Some(verdict), skipped_counters })
    }};
}

impl Named {
    const fn parent(&self) -> Parent {
        match self {
            Self::Tdes(..) => Parent::Tdes,
            Self::Aes(_, _, parent) => *parent,
        }
    }

    fn ksn(&self) -> String {
        match self {
            Self::Tdes(_, ksn) => ksn.to_string(),
            Self::Aes(_, ksn, _) => ksn.to_string(),
        }
    }

    fn judge(
        self,
        guard: RedbGuard,
        proof: &Proof<'_>,
        request: RequestId,
        sentences: &Sentences<'_>,
    ) -> Result<Judged, Failure> {
        match self {
            Self::Tdes(key_sets, ksn) => {
                judge!(Tdes, key_sets, &ksn, |fault| bad_ksn(&fault), guard, proof, request, sentences)
            }
            Self::Aes(key_sets, ksn, _) => {
                judge!(
                    Aes,
                    key_sets,
                    &ksn,
                    |fault| bad_aes_ksn(&ksn, fault),
                    guard,
                    proof,
                    request,
                    sentences
                )
            }
        }
    }
}

impl Judged {
    const fn outcome(&self) -> OutcomeName {
        match self.verdict {
            Some(Verdict::Accepted { .. }) => OutcomeName::Accepted,
            Some(Verdict::Repeated) => OutcomeName::Repeated,
            Some(Verdict::Refused(_)) => OutcomeName::Refused,
            None => OutcomeName::NotAuthentic,
        }
    }

    fn report(&self, ksn: &str, proof: &Proof<'_>, request: RequestId) -> Report {
        let last = match self.verdict {
            Some(Verdict::Accepted { previous }) => previous,
            Some(Verdict::Refused(Refusal::Below { last, .. })) => Some(last),
            _ => None,
        };
        let is_new = self.outcome() == OutcomeName::Accepted;
        let record = Record::new()
            .with("ksn", ksn)
            .with("verdict", self.outcome().name())
            .with("reason", self.reason())
            .with("mac", self.verdict.map(|_| proof.name().name()))
            .with("request", hex::encode(&request.0))
            .with("highest_before", last.map(|counter| format!("{counter:X}")))
            .with("skipped_counters", is_new.then_some(self.skipped_counters));
        match self.verdict {
            Some(Verdict::Refused(refusal)) => Report::refused(record, sentence::refusal(refusal)),
            Some(_) => record.into(),
            None => Report::refused(
                record,
                "--expect is not the MAC of this message under this key, and the memory was not asked; dukpt diagnose mac looks for the reason",
            ),
        }
    }

    /// Why it is refused, in a word.
    const fn reason(&self) -> Option<&'static str> {
        match self.verdict {
            Some(Verdict::Refused(Refusal::Replay { .. })) => Some("replay"),
            Some(Verdict::Refused(Refusal::Below { .. })) => Some("below"),
            Some(_) => None,
            None => Some("mac"),
        }
    }
}
