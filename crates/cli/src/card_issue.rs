//! `cardroot card issue` and `card inspect`: cards made by a plan, and compared with it.

use core::str::FromStr;
use std::path::{Path, PathBuf};

use cardroot::apdu::{CardReset, CardTransport, Channel};
use cardroot::card::{Card, CardProfile, TransportKey};
use cardroot::diversify::tree::purpose::{ExternalAuthentication, Function, FunctionVisitor, PurposeId};
use cardroot::diversify::tree::{CityKey, Origin, ParentKey};
use cardroot::diversify::{Factor, known_test_key};
use cardroot::kms::issuing::{
    CardData, Comparison, Issued, KeyRing, KeyRingError, KeyScope, Mode, Plan, Script, StepError, Verdict,
};
use cardroot::tdea::TdeaKey;
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use crate::apdu::readers::{self, Reader};
use crate::card::blank_key::BlankKey;
use crate::card::serial;
use crate::error::Failure;
use crate::function::{self, FUNCTIONS};
use crate::key::system_rng;
use crate::output::{Record, Report, Value};
use crate::secret::{Secrets, Source};
use crate::{file, hex};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes a blank card the card of a plan
    ///
    /// All that can be wrong with plan, keys and data is found before the card is touched.
    #[command(after_help = ISSUE_EXAMPLES)]
    Issue(Issue),
    /// Compares a card with a plan, step by step, and changes nothing on it that lasts
    ///
    /// What is missing or differs makes the exit status 1. A card of other keys loses two tries of its master.
    #[command(after_help = INSPECT_EXAMPLE)]
    Inspect(Inspect),
}

const ISSUE_EXAMPLES: &str = "\
Examples:
  cardroot card issue --plan user-card.toml --city-keys keys --city 3701FFFFFFFFFFFF --card 3701002600000001
      --data ada.toml --secret pin=ask --transport-key @transport.hex --reader sim:user --dry-run
  cardroot card issue --plan sam-card.toml --city-key purchase=@purchase.hex … --reader sim:sam --check";

const INSPECT_EXAMPLE: &str = "\
Example:
  cardroot card inspect --plan user-card.toml --city-keys keys --city 3701FFFFFFFFFFFF --card 3701002600000001
      --data ada.toml --secret pin=ask --transport-key @transport.hex --reader sim:user";

#[derive(Args)]
pub(crate) struct Issue {
    #[command(flatten)]
    order: Order,
    /// Shows the steps and touches no card
    #[arg(long, conflicts_with_all = ["resume", "check"])]
    dry_run: bool,
    /// Finishes a card whose issuing was broken off
    #[arg(long)]
    resume: bool,
    /// Compares the card with the plan when it is done
    #[arg(long)]
    check: bool,
}

#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    order: Order,
}

/// One card: its plan, its keys and its data.
#[derive(Args)]
struct Order {
    /// The plan, in TOML
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// A key of the city by its function, such as purchase=@purchase.hex; with a version of its own, purchase:2=@purchase-2.hex
    #[arg(long, value_name = "FUNCTION=K", value_parser = CityKeyArgument::from_str)]
    city_key: Vec<CityKeyArgument>,
    /// Keys of the city in files FUNCTION.hex of this folder
    #[arg(long, value_name = "DIR")]
    city_keys: Option<PathBuf>,
    /// The key under which key cards and SAMs give keys to each other, for plans that have it; with a version of its own, 2=@exchange-2.hex
    #[arg(long, value_name = "[N=]K", value_parser = ExchangeKeyArgument::from_str)]
    exchange_key: Vec<ExchangeKeyArgument>,
    /// The parent key of the province, for plans of mother cards
    #[arg(long, value_name = "K")]
    parent_key: Option<Source>,
    /// Factor of the key card that this card opens, 8 bytes, for plans of authentication cards: its key comes from that of the city for
    /// external authentication
    #[arg(long, value_name = "H", value_parser = hex::parse::<Factor, _>)]
    opens: Option<Factor>,
    /// Version of keys that are given without one
    #[arg(long, value_name = "N", default_value_t = 1)]
    key_version: u8,
    /// Factor of the city, 8 bytes
    #[arg(long, value_name = "H", value_parser = hex::parse::<Factor, _>)]
    city: Factor,
    /// Factor of the card, 8 bytes: the card's keys come from those of the city by it
    #[arg(long, value_name = "H", value_parser = hex::parse::<Factor, _>)]
    card: Factor,
    /// What the card gets besides keys, in TOML: tables text and hex, of names with strings
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// What it gets that is secret, such as pin=ask; hexadecimal digits
    #[arg(long, value_name = "NAME=K", value_parser = SecretArgument::from_str)]
    secret: Vec<SecretArgument>,
    /// The key that the blank card was delivered under, 8 or 16 bytes
    #[arg(long, value_name = "K")]
    transport_key: Source,
    /// The card: sim:user, sim:sam or a key card such as sim:city, a blank one in software under the transport key; replay:FILE, what a card answered once;
    /// or the name of a reader, or a part that no other has in its name
    #[arg(long)]
    reader: Reader,
    /// Serial number of the card in software, 8 bytes
    #[arg(long, value_name = "H", default_value = "8660000000000001", value_parser = serial)]
    serial: [u8; CardProfile::SERIAL_LEN],
    /// Takes keys that the whole world knows: for cards that stay in the laboratory
    #[arg(long)]
    test_keys: bool,
}

#[derive(Clone)]
struct CityKeyArgument {
    function: PurposeId,
    version: Option<u8>,
    source: Source,
}

#[derive(Clone)]
struct ExchangeKeyArgument {
    version: Option<u8>,
    source: Source,
}

#[derive(Clone)]
struct SecretArgument {
    name: String,
    source: Source,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Issue(arguments) => arguments.run(),
            Self::Inspect(arguments) => arguments.run(),
        }
    }
}

impl Issue {
    fn run(&self) -> Result<Report, Failure> {
        let job = self.order.read()?;
        if self.dry_run {
            return Ok(job.record().with("steps", steps(&job.script)).into());
        }
        let way = if self.resume { Way::Resume } else { Way::Issue };
        self.order.at_reader(&job, Task::Make { way, then_compare: self.check })
    }
}

impl Inspect {
    fn run(&self) -> Result<Report, Failure> {
        let job = self.order.read()?;
        self.order.at_reader(&job, Task::Compare)
    }
}

/// What is done to the card.
#[derive(Clone, Copy)]
enum Task {
    Make { way: Way, then_compare: bool },
    Compare,
}

#[derive(Clone, Copy)]
enum Way {
    Issue,
    Resume,
}

/// What was read for one card, and fits together.
struct Job {
    script: Script,
    keys: KeyRing,
    transport: TdeaKey,
}

impl Job {
    fn carry_out<T: CardReset>(&self, task: Task, mut card: T) -> Result<Report, Failure>
    where
        T::Error: 'static,
    {
        let Task::Make { way, then_compare } = task else {
            return compared(&self.script, &mut card, self.record());
        };
        let channel = &mut Channel::new(&mut card);
        let issued = match way {
            Way::Issue => self.script.issue(channel),
            Way::Resume => self.script.resume(channel, &mut system_rng()?),
        };
        let Issued { commands, .. } = issued.map_err(|error| unfinished(&error))?;
        let record = self.record().with("steps", self.script.len()).with("commands", commands);
        if !then_compare {
            return Ok(record.into());
        }
        card.reset()
            .map_err(|error| Failure::refused(format!("the card is made, and its reset failed: {error}")))?;
        compared(&self.script, &mut card, record)
    }

    fn record(&self) -> Record {
        let keys = self.keys.check_values().map(|(name, scope, version, kcv)| {
            Record::new()
                .with("key", name)
                .with(
                    "of",
                    match scope {
                        KeyScope::Card => "card",
                        KeyScope::City => "city",
                        KeyScope::Province => "province",
                        KeyScope::Family => "family",
                        KeyScope::OpenedCard => "opened card",
                    },
                )
                .with("version", version)
                .with("check_value", kcv.to_string())
        });
        Record::new()
            .with("plan", self.script.plan())
            .with("transport_key_check_value", self.transport.kcv().to_string())
            .with("keys", Value::Table(keys.collect()))
    }
}

impl Order {
    fn read(&self) -> Result<Job, Failure> {
        let mut secrets = Secrets::default();
        let plan: Plan = parse(&self.plan, &mut secrets)?;
        let mut data = match &self.data {
            Some(path) => parse(path, &mut secrets)?,
            None => CardData::new(),
        };
        for SecretArgument { name, source } in &self.secret {
            let argument = format!("--secret {name}");
            if data.expose(name).is_some() {
                return Err(Failure::usage(format!("{argument}: there is something of this name already")));
            }
            data = data.with(name, &secrets.bytes(&argument, source)?);
        }
        let transport = secrets.typed_key::<BlankKey, _>("--transport-key", &self.transport_key)?.host;
        let keys = self.keys(&mut secrets)?;
        let mode = if self.test_keys { Mode::Test } else { Mode::Production };
        let script = plan
            .script(&keys, &data, &transport, mode)
            .map_err(|error| Failure::refused(format!("{}: {error}", file::place(Some(&self.plan)))))?;
        Ok(Job { script, keys, transport })
    }

    /// The card's keys, and those of its city.
    fn keys(&self, secrets: &mut Secrets) -> Result<KeyRing, Failure> {
        let mut ring = KeyRing::new();
        for CityKeyArgument { function, version, source } in self.city_keys()?.iter().chain(&self.city_key) {
            let argument = format!("the city's key `{function}`");
            let key = secrets.key(&argument, source)?;
            if let Some(known) = known_test_key(&key).filter(|_| !self.test_keys) {
                return Err(Failure::refused(format!(
                    "{argument}: {source} is refused: it is {known}; say --test-keys if the card stays in the laboratory"
                )));
            }
            let origin = Origin::city(version.unwrap_or(self.key_version), self.city);
            if let (PurposeId::ExternalAuthentication, Some(opened)) = (*function, self.opens) {
                let city = CityKey::<ExternalAuthentication>::from_key(key.duplicate(), origin)
                    .map_err(|error| Failure::bad_key(&argument, &error))?;
                on_ring("--opens", ring.insert_opened_card_key(&city.card_key(opened)))?;
            }
            let insert = Insert { argument: &argument, ring: &mut ring, key, origin, card: self.card };
            function.visit_function(insert).expect("masters have no name here")?;
        }
        for ExchangeKeyArgument { version, source } in &self.exchange_key {
            let key = secrets.key("--exchange-key", source)?;
            let version = version.unwrap_or(self.key_version);
            on_ring("--exchange-key", ring.insert_exchange_key(version, &key))?;
        }
        if let Some(source) = &self.parent_key {
            let key = secrets.key("--parent-key", source)?;
            let parent = ParentKey::from_key(key, Origin::province(self.key_version))
                .map_err(|error| Failure::bad_key("--parent-key", &error))?;
            on_ring("--parent-key", ring.insert_parent_key(&parent))?;
        }
        Ok(ring)
    }

    /// The keys of the folder.
    fn city_keys(&self) -> Result<Vec<CityKeyArgument>, Failure> {
        let Some(folder) = &self.city_keys else { return Ok(Vec::new()) };
        let files = FUNCTIONS.map(|(name, function)| (function, folder.join(format!("{name}.hex"))));
        let keys: Vec<_> = files
            .into_iter()
            .filter(|(_, path)| path.exists())
            .map(|(function, path)| CityKeyArgument { function, version: None, source: Source::File(path) })
            .collect();
        if keys.is_empty() {
            return Err(Failure::refused(format!(
                "--city-keys: {} has no key; a file is named after a function, such as purchase.hex",
                folder.display()
            )));
        }
        Ok(keys)
    }

    fn at_reader(&self, job: &Job, task: Task) -> Result<Report, Failure> {
        match &self.reader {
            Reader::Simulated(kind) => {
                let transport = TransportKey::try_from(job.transport.duplicate())
                    .map_err(|error| Failure::bad_key("--transport-key", &error))?;
                let profile = CardProfile::new(*kind, self.serial);
                job.carry_out(task, Card::blank(profile, transport, system_rng()?))
            }
            Reader::Replay(path) => job.carry_out(task, readers::replay(path)?),
            Reader::Named(name) => job.carry_out(task, readers::open(name)?),
        }
    }
}

/// Puts a city's key and the card's key that comes from it onto the ring.
struct Insert<'a> {
    argument: &'a str,
    ring: &'a mut KeyRing,
    key: TdeaKey,
    origin: Origin,
    card: Factor,
}

impl FunctionVisitor for Insert<'_> {
    type Output = Result<(), Failure>;

    fn visit<F: Function>(self) -> Self::Output {
        let city = CityKey::<F>::from_key(self.key, self.origin)
            .map_err(|error| Failure::bad_key(self.argument, &error))?;
        let inserted = self.ring.insert_card_key(&city.card_key(self.card));
        on_ring(self.argument, inserted.and_then(|()| self.ring.insert_city_key(&city)))
    }
}

fn on_ring(argument: &str, inserted: Result<(), KeyRingError>) -> Result<(), Failure> {
    inserted.map_err(|error| Failure::refused(format!("{argument}: {error}")))
}

/// Reads what is text in a file.
fn parse<T: FromStr<Err: core::fmt::Display>>(path: &Path, secrets: &mut Secrets) -> Result<T, Failure> {
    let content: Zeroizing<Vec<u8>> = secrets.file(Some(path))?;
    let refused =
        |reason: &dyn core::fmt::Display| Failure::refused(format!("{}: {reason}", file::place(Some(path))));
    core::str::from_utf8(&content).map_err(|error| refused(&error))?.parse().map_err(|error| refused(&error))
}

fn steps(script: &Script) -> Value {
    let row = |(number, (place, what)): (usize, (&str, String))| {
        Record::new().with("step", number).with("place", place).with("what", what)
    };
    Value::Table((1..).zip(script.steps()).map(row).collect())
}

/// Adds what the card shows of each step.
fn compared<T: CardTransport>(script: &Script, card: &mut T, record: Record) -> Result<Report, Failure>
where
    T::Error: 'static,
{
    let comparisons = script
        .compare(&mut Channel::new(card), &mut system_rng()?)
        .map_err(|error| Failure::refused(format!("the comparison ended early: {error}")))?;
    let is_fault = |step: &&Comparison| matches!(step.verdict, Verdict::Missing | Verdict::Differs(_));
    let faults = comparisons.iter().filter(is_fault).count();
    let refusal = (faults > 0).then(|| {
        format!("{faults} of {} steps are missing on the card or differ: see comparison", comparisons.len())
    });
    let record = record.with("comparison", Value::Table(comparisons.into_iter().map(row).collect()));
    Ok(Report::from(record).unless(refusal))
}

fn row(step: Comparison) -> Record {
    let (verdict, remark) = match step.verdict {
        Verdict::Same => ("same", None),
        Verdict::Missing => ("missing", None),
        Verdict::Differs(how) => ("differs", Some(how)),
        Verdict::Unproven(why) => ("unproven", Some(why)),
    };
    Record::new()
        .with("place", step.place)
        .with("what", step.what)
        .with("verdict", verdict)
        .with("remark", remark)
}

fn unfinished<E: core::error::Error + 'static>(error: &StepError<E>) -> Failure {
    Failure::refused(format!("{error}; the card holds what the steps before made: finish it by --resume"))
}

impl FromStr for CityKeyArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, source) =
            text.split_once('=').ok_or("FUNCTION=K is needed, such as purchase=@purchase.hex")?;
        let (name, version) = match name.split_once(':') {
            Some((name, version)) => {
                (name, Some(version.parse().map_err(|_| "a version is a number from 0 to 255")?))
            }
            None => (name, None),
        };
        let function = function::find(name).ok_or_else(|| {
            let known = FUNCTIONS.map(|(known, _)| known).join(", ");
            format!("there is no such function; there are {known}")
        })?;
        Ok(Self { function, version, source: source.parse().map_err(|error| format!("{error}"))? })
    }
}

impl FromStr for ExchangeKeyArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let versioned =
            text.split_once('=').and_then(|(version, source)| Some((version.parse().ok()?, source)));
        let (version, source) = versioned.map_or((None, text), |(version, source)| (Some(version), source));
        Ok(Self { version, source: source.parse().map_err(|error| format!("{error}"))? })
    }
}

impl FromStr for SecretArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, source) = text.split_once('=').ok_or("NAME=K is needed, such as pin=ask")?;
        Ok(Self { name: name.into(), source: source.parse().map_err(|error| format!("{error}"))? })
    }
}
