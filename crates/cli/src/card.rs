//! `cardroot card`: cards in software, and cards that are made.

mod domain;

use core::time::Duration;
use std::path::PathBuf;

use cardroot::apdu::Protocol;
use cardroot::card::state::{CardStore, FileStore, OpenError, StorageKey};
use cardroot::card::vpcd::{self, Atr, T0Card, VirtualCard};
use cardroot::card::{Card, CardKind, CardProfile, KeyCard, TransportKey};
use cardroot::tdea::hazmat::DesKey;
use cardroot::tdea::{KeyError, TdeaKey};
use clap::{Args, Subcommand, ValueEnum};
use getrandom::rand_core::CryptoRng;

use crate::error::Failure;
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
    /// stays in a file: each change is in there before its answer leaves, so that no cut of the power brings a try or money back.
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
  cardroot card serve --profile gp --domain-key @domain.hex --variant 70";

#[derive(Args)]
pub(crate) struct Serve {
    /// What the card is for
    #[arg(long, value_enum)]
    profile: Profile,
    /// Serial number of the card, 8 bytes
    #[arg(long, value_name = "H", default_value = "8660000000000001", value_parser = serial)]
    serial: [u8; CardProfile::SERIAL_LEN],
    /// The key it leaves the factory with, 8 or 16 bytes. A card that is in its file already has it
    #[arg(long, value_name = "K", required_unless_present_any = ["known_transport_key", "domain_key", "known_domain_key"])]
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
        None if arguments.state.is_some() => {
            return Err(Failure::usage("a security domain is not kept in a file yet: leave --state out"));
        }
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
    let mut secrets = Secrets::default();
    let transport_key = match &arguments.transport_key {
        Some(source) => secrets.typed_key::<ReadKey, _>("--transport-key", source)?.0,
        None if arguments.known_transport_key => TransportKey::fmcos_default(),
        None => {
            return Err(Failure::usage(
                "this card takes --transport-key, or --known-transport-key for tests",
            ));
        }
    };
    let (Some(path), Some(key)) = (&arguments.state, &arguments.state_key) else {
        return Ok(Card::blank(profile, transport_key, system_rng()?));
    };
    let key = secrets.typed_key::<StorageKey, _>("--state-key", key)?;
    let refused = |error: &dyn core::error::Error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Failure::refused(format!("{}: {error}{cause}", path.display()))
    };
    let mut store = FileStore::open(path, key).map_err(|error| refused(&error))?;
    let is_new = store.load().map_err(|error| refused(&error))?.is_none();
    if is_new {
        Card::blank_in(store, profile, transport_key, system_rng()?)
    } else {
        Card::open(store, profile, system_rng()?)
    }
    .map_err(|error: OpenError| refused(&error))
}

/// A transport key of either length that not everybody knows.
struct ReadKey(TransportKey);

/// Why bytes are no such key.
#[derive(Debug, thiserror::Error)]
enum ReadKeyError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("all the world knows FFFFFFFFFFFFFFFF; say --known-transport-key if it is a test")]
    Known,
}

impl TryFrom<&[u8]> for ReadKey {
    type Error = ReadKeyError;

    fn try_from(bytes: &[u8]) -> Result<Self, ReadKeyError> {
        const SINGLE: usize = 8;
        let key = match bytes.len() {
            SINGLE => DesKey::try_from(bytes)?.into(),
            _ => TransportKey::try_from(TdeaKey::try_from(bytes)?)?,
        };
        // Whatever the parity bits are.
        if bytes.iter().all(|byte| byte | 1 == 0xFF) { Err(ReadKeyError::Known) } else { Ok(Self(key)) }
    }
}

pub(crate) fn serial(text: &str) -> Result<[u8; CardProfile::SERIAL_LEN], String> {
    hex::parse_array(text, "a serial number")
}
