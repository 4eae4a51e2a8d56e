//! `cardroot card`: cards in software, and cards that are made.

pub(crate) mod blank_key;
mod domain;

use core::time::Duration;
use std::path::{Path, PathBuf};

use cardroot::apdu::Protocol;
use cardroot::card::state::{CardStore, FileStore, StorageKey};
use cardroot::card::vpcd::{self, Atr, T0Card, VirtualCard};
use cardroot::card::{Card, CardKind, CardProfile, KeyCard, TransportKey};
use clap::{Args, Subcommand, ValueEnum};
use getrandom::rand_core::CryptoRng;

use self::blank_key::BlankKey;
use crate::error::{Failure, with_cause};
use crate::hex;
use crate::key::system_rng;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};
use crate::{card_give, card_issue};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Plugs a card in software into a virtual reader of pcscd (vpcd), so that any program finds it
    ///
    /// It answers until the reader closes the connection. It is a blank card whose memory goes with it, or with --state one that
    /// stays in a file: each change is in there before its answer leaves, so that no cut of the power brings a try, a counter or
    /// money back.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Serve),
    #[command(flatten)]
    Make(card_issue::Command),
    /// Has a key card give a key to a SAM or another key card, each in a reader
    ///
    /// The key goes as ciphertext for that one card. The key card gives it after its PIN and the proof of a key.
    #[command(after_help = card_give::EXAMPLE)]
    Give(card_give::Give),
}

const SERVE_EXAMPLES: &str = "\
Examples:
  cardroot card serve --profile user --known-transport-key
  cardroot card serve --profile sam --transport-key @transport.hex --port 35964 --protocol t0
  cardroot card serve --profile user --transport-key @transport.hex --state user.card --state-key @card.hex
  cardroot card serve --profile gp --domain-key @domain.hex --variant 70
  cardroot card serve --profile gp --state domain.card --state-key @card.hex";

#[derive(Args)]
pub(crate) struct Serve {
    /// What the card is for
    #[arg(long, value_enum)]
    profile: Profile,
    /// Serial number of the card, 8 bytes
    #[arg(long, value_name = "H", default_value = "8660000000000001", value_parser = serial)]
    serial: [u8; CardProfile::SERIAL_LEN],
    /// The key it leaves the factory with, 8 or 16 bytes. A card that is in its file needs none
    #[arg(long, value_name = "K", required_unless_present_any = ["known_transport_key", "domain_key", "known_domain_key", "state"])]
    transport_key: Option<Source>,
    /// Takes FFFFFFFFFFFFFFFF for it, which all the world knows: for tests
    #[arg(long, conflicts_with = "transport_key")]
    known_transport_key: bool,
    /// The file that keeps the card; one that does not exist is made, with a blank card
    #[arg(long, value_name = "FILE", requires = "state_key")]
    state: Option<PathBuf>,
    /// The key that the file is sealed under, 64 bytes: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K", requires = "state")]
    state_key: Option<Source>,
    #[command(flatten)]
    domain: domain::Options,
    /// Where the virtual reader listens
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// On which port
    #[arg(long, default_value_t = vpcd::PORT)]
    port: u16,
    /// Which protocol the card speaks
    #[arg(long, value_enum, default_value = "t1")]
    protocol: ProtocolName,
    /// For how many seconds it looks for the reader
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    patience: u64,
}

/// What a card in software is.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Profile {
    /// A user card
    User,
    /// A secure access module (SAM)
    Sam,
    /// The parent key card
    Mother,
    /// The secondary key card of a province
    Secondary,
    /// The key card of a city
    City,
    /// The card that brings exchange keys
    Transport,
    /// The card that proves its officer to a key card
    Authentication,
    /// A security domain of GlobalPlatform
    Gp,
}

impl Profile {
    /// The kind of card; none for a security domain, which is another card.
    pub(crate) const fn kind(self) -> Option<CardKind> {
        match self {
            Self::User => Some(CardKind::User),
            Self::Sam => Some(CardKind::Sam),
            Self::Mother => Some(CardKind::KeyCard(KeyCard::Mother)),
            Self::Secondary => Some(CardKind::KeyCard(KeyCard::Secondary)),
            Self::City => Some(CardKind::KeyCard(KeyCard::City)),
            Self::Transport => Some(CardKind::KeyCard(KeyCard::Transport)),
            Self::Authentication => Some(CardKind::KeyCard(KeyCard::ExternalAuthentication)),
            Self::Gp => None,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum ProtocolName {
    T0,
    T1,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Serve(arguments) => serve(&arguments),
            Self::Make(command) => command.run(),
            Self::Give(arguments) => arguments.run(),
        }
    }
}

fn serve(arguments: &Serve) -> Result<Report, Failure> {
    let profile = match arguments.profile.kind() {
        Some(kind) => CardProfile::new(kind, arguments.serial),
        None => return domain::serve(arguments),
    };
    let mut card = card(arguments, profile)?;
    plug_in(arguments, |protocol| Atr::of(&profile, protocol), &mut card)
}

/// Connects to the reader and answers it.
fn plug_in(
    arguments: &Serve,
    atr: impl Fn(Protocol) -> Atr,
    card: &mut impl VirtualCard,
) -> Result<Report, Failure> {
    let Serve { host, port, .. } = arguments;
    let failed = |error: std::io::Error| Failure::refused(format!("the reader at {host}:{port}: {error}"));
    let patience = Duration::from_secs(arguments.patience);
    let reader = vpcd::connect((host.as_str(), *port), patience).map_err(failed)?;
    let (protocol, atr) = match arguments.protocol {
        ProtocolName::T0 => ("t0", atr(Protocol::T0)),
        ProtocolName::T1 => ("t1", atr(Protocol::T1)),
    };
    match arguments.protocol {
        ProtocolName::T0 => vpcd::serve(&reader, &atr, &mut T0Card::new(card)),
        ProtocolName::T1 => vpcd::serve(&reader, &atr, card),
    }
    .map_err(failed)?;
    Ok(Record::new()
        .with("reader", format!("{host}:{port}"))
        .with("protocol", protocol)
        .with("atr", hex::encode(atr.bytes()))
        .with("ended", "the reader closed the connection")
        .into())
}

/// A blank card, or the one in its file.
fn card(arguments: &Serve, profile: CardProfile) -> Result<Card<impl CryptoRng>, Failure> {
    let missing = || Failure::usage("this card takes --transport-key, or --known-transport-key for tests");
    if arguments.domain.are_given() {
        return Err(missing());
    }
    let mut secrets = Secrets::default();
    let key = transport_key(arguments, &mut secrets)?;
    if key.is_none() && !arguments.has_file() {
        return Err(missing());
    }
    let rng = system_rng()?;
    match arguments.place(&mut secrets)? {
        Place::Memory => Ok(Card::blank(profile, key.ok_or_else(missing)?, rng)),
        Place::New(store) => arguments.kept(Card::blank_in(store, profile, key.ok_or_else(missing)?, rng)),
        Place::Kept(store) => arguments.kept(Card::open(store, profile, rng)),
    }
}

fn transport_key(arguments: &Serve, secrets: &mut Secrets) -> Result<Option<TransportKey>, Failure> {
    if arguments.known_transport_key {
        return Ok(Some(TransportKey::fmcos_default()));
    }
    let Some(source) = &arguments.transport_key else { return Ok(None) };
    let key: BlankKey = secrets.typed_key("--transport-key", source)?;
    if key.is_known() {
        return Err(Failure::refused(format!(
            "--transport-key: {source} is refused: all the world knows FFFFFFFFFFFFFFFF; say --known-transport-key if it is a test"
        )));
    }
    Ok(Some(key.card))
}

/// Where a card is to be.
enum Place {
    /// Nowhere but here.
    Memory,
    /// In a file that has none yet.
    New(FileStore),
    /// In its file already.
    Kept(FileStore),
}

impl Serve {
    fn has_transport_key(&self) -> bool {
        self.transport_key.is_some() || self.known_transport_key
    }

    /// Whether --state names a file that is there, so that no key may be needed.
    fn has_file(&self) -> bool {
        self.state.as_ref().is_some_and(|path| path.exists())
    }

    /// The file that --state names, opened.
    fn place(&self, secrets: &mut Secrets) -> Result<Place, Failure> {
        let (Some(path), Some(key)) = (&self.state, &self.state_key) else { return Ok(Place::Memory) };
        let key: StorageKey = secrets.typed_key("--state-key", key)?;
        let mut store = self.kept(FileStore::open(path, key))?;
        let is_new = self.kept(store.load())?.is_none();
        Ok(if is_new { Place::New(store) } else { Place::Kept(store) })
    }

    /// What came of the file that --state names.
    fn kept<T>(&self, outcome: Result<T, impl core::error::Error>) -> Result<T, Failure> {
        outcome.map_err(|error| {
            let file = self.state.as_deref().unwrap_or(Path::new("--state")).display();
            Failure::refused(format!("{file}: {}", with_cause(&error)))
        })
    }
}

pub(crate) fn serial(text: &str) -> Result<[u8; CardProfile::SERIAL_LEN], String> {
    hex::parse_array(text, "a serial number")
}
