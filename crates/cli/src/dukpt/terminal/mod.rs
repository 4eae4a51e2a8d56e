//! `dukpt terminal`: an originator whose state is in a file, written before anything is printed.

mod counter_file;
mod originator;
mod sentence;

use std::path::PathBuf;

use cardroot::dukpt::durable::DeviceKey;
use clap::{Args, Subcommand};

use self::originator::{AnyInitialKey, Expected, Files, Terminal};
use self::sentence::Sentences;
use super::data::DataOptions;
use super::mac::Message;
use super::names::{BaseKey, aes_name, tdes_ksn};
use super::pin::Entry;
use super::working_key::{Direction, Kind, Usage};
use crate::error::Failure;
use crate::file::NewFiles;
use crate::hex;
use crate::key::system_rng;
use crate::key_options::KeyOptions;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes the key that a device seals its state under
    #[command(after_help = "Example:\n  cardroot dukpt terminal device-key --out device.hex")]
    DeviceKey(NewDeviceKey),
    /// Loads an initial key into a new state file
    ///
    /// An initial key is loaded once, into one terminal: loaded twice, it uses every key twice.
    #[command(after_help = LOAD_EXAMPLES)]
    Load(Load),
    /// Says which terminal it is, and how many transactions it has left
    #[command(
        after_help = "Example:\n  cardroot dukpt terminal status --state pos1.state --device-key @device.hex"
    )]
    Status(Place),
    /// Takes the next transaction and derives a key from it
    #[command(
        after_help = "Example:\n  cardroot dukpt terminal next --state pos1.state --device-key @device.hex --use data-request --out key.hex"
    )]
    Next(Next),
    /// Takes the next transaction and encrypts a PIN block
    #[command(
        after_help = "Example:\n  cardroot dukpt terminal encrypt-pin --state pos1.state --device-key @device.hex --pin ask --pan ask"
    )]
    EncryptPin(EncryptPin),
    /// Takes the next transaction and computes the MAC of a message that the terminal sends
    #[command(
        after_help = "Example:\n  cardroot dukpt terminal mac --state pos1.state --device-key @device.hex --raw message.txt"
    )]
    Mac(Mac),
    /// Takes the next transaction and encrypts data that the terminal sends
    #[command(
        after_help = "Example:\n  cardroot dukpt terminal encrypt-data --state pos1.state --device-key @device.hex --padding zeros track2.hex"
    )]
    EncryptData(EncryptData),
    /// Puts a new initial key, with a new name, in the place of the old one
    #[command(
        after_help = "Example:\n  cardroot dukpt terminal renew --state pos1.state --device-key @device.hex --ik @new.hex --new-ksn FFFF9876543211000000"
    )]
    Renew(Renew),
    /// Derives the key under which a new initial key comes to a terminal of AES DUKPT; no transaction is taken
    #[command(
        after_help = "Example:\n  cardroot dukpt terminal update-key --state pos1.state --device-key @device.hex --out kek.hex"
    )]
    UpdateKey(UpdateKey),
    /// Ceases operation for good and destroys all keys
    #[command(
        after_help = "Example:\n  cardroot dukpt terminal cease --state pos1.state --device-key @device.hex"
    )]
    Cease(Place),
}

const LOAD_EXAMPLES: &str = "\
Examples:
  cardroot dukpt terminal load --state pos1.state --device-key @device.hex --ik @ik.hex --ksn FFFF9876543210E00000
  cardroot dukpt terminal load --state pos1.state --device-key @device.hex --rollback-counter pos1.count --ik @ik.hex --ksn FFFF9876543210E00000
  cardroot dukpt terminal load --state pos2.state --device-key @device.hex --aes --ik @ik2.hex --ksn 1234567890123456";

#[derive(Args)]
pub(crate) struct NewDeviceKey {
    /// Stores the key in FILE, which must not exist; only its owner can read it (mode 0600)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Where the state is and what opens it.
#[derive(Args)]
struct StateOptions {
    /// The file of the terminal's state
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// The key that the device seals its state under, 64 bytes: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    device_key: Source,
    /// A file that counts the states, so that an old copy of the state file alone is noticed. Give it with each command on the
    /// state: the state does not know that it is counted, and without this option it is used unprotected, after which the
    /// counter refuses it for good. Weaker than a counter in hardware: whoever puts old copies of both back is not noticed
    #[arg(long, value_name = "FILE")]
    rollback_counter: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Place {
    #[command(flatten)]
    options: StateOptions,
    /// The Key Serial Number (KSN) of the terminal that it should be, whatever its counter
    #[arg(long, value_name = "H")]
    ksn: Option<hex::Bytes>,
}

#[derive(Args)]
pub(crate) struct Load {
    #[command(flatten)]
    options: StateOptions,
    #[command(flatten)]
    base: BaseKey,
    /// The Key Serial Number (KSN) of the terminal, whatever its counter: 5 to 10 bytes, what is missing on the left is FF.
    /// With --aes the initial key identifier of 8 bytes, or a KSN of 12
    #[arg(long, value_name = "H")]
    ksn: hex::Bytes,
    /// DUKPT with AES, X9.24-3:2017
    #[arg(long)]
    aes: bool,
}

#[derive(Args)]
pub(crate) struct Next {
    #[command(flatten)]
    place: Place,
    /// What the key is for
    #[arg(long = "use", value_enum, value_name = "USE")]
    usage: Usage,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Args)]
pub(crate) struct EncryptPin {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    entry: Entry,
    #[command(flatten)]
    kind: Kind,
}

#[derive(Args)]
pub(crate) struct Mac {
    #[command(flatten)]
    place: Place,
    /// Which MAC key: that of requests, or the one for both directions
    #[arg(long = "use", value_enum, value_name = "USE", default_value = "request")]
    direction: Direction,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    message: Message,
}

#[derive(Args)]
pub(crate) struct EncryptData {
    #[command(flatten)]
    place: Place,
    /// Which data key: that of requests, or the one for both directions
    #[arg(long = "use", value_enum, value_name = "USE", default_value = "request")]
    direction: Direction,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    data: DataOptions,
}

#[derive(Args)]
pub(crate) struct Renew {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    base: BaseKey,
    /// The Key Serial Number (KSN) under which the new key is loaded: never one that was used before
    #[arg(long, value_name = "H")]
    new_ksn: hex::Bytes,
    /// The new key is of DUKPT with AES, as the old one
    #[arg(long)]
    aes: bool,
}

#[derive(Args)]
pub(crate) struct UpdateKey {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    kind: Kind,
    #[command(flatten)]
    options: KeyOptions,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::DeviceKey(arguments) => new_device_key(&arguments),
            Self::Load(arguments) => load(&arguments),
            Self::Status(place) => status(&place),
            Self::Next(arguments) => next(&arguments),
            Self::EncryptPin(arguments) => encrypt_pin(&arguments),
            Self::Mac(arguments) => mac(&arguments),
            Self::EncryptData(arguments) => encrypt_data(&arguments),
            Self::Renew(arguments) => renew(&arguments),
            Self::UpdateKey(arguments) => update_key(&arguments),
            Self::Cease(place) => cease(&place),
        }
    }
}

fn new_device_key(arguments: &NewDeviceKey) -> Result<Report, Failure> {
    let key = DeviceKey::generate(&mut system_rng()?);
    NewFiles::store_line(&arguments.out, &hex::encode_secret(key.expose_bytes()))?;
    Ok(Record::new().with("file", arguments.out.display().to_string()).into())
}

impl StateOptions {
    fn files(&self, secrets: &mut Secrets) -> Result<Files, Failure> {
        Ok(Files {
            sentences: Sentences { state: self.state.clone(), counter: self.rollback_counter.clone() },
            device_key: secrets.typed_key("--device-key", &self.device_key)?,
        })
    }
}

impl Place {
    fn open(&self, secrets: &mut Secrets) -> Result<Box<dyn Terminal>, Failure> {
        let expected = self.ksn.as_ref().map(|ksn| Expected::name(&ksn.0)).transpose()?;
        self.options.files(secrets)?.open(expected)
    }
}

fn initial_key(
    base: &BaseKey,
    ksn: &hex::Bytes,
    is_aes: bool,
    secrets: &mut Secrets,
) -> Result<AnyInitialKey, Failure> {
    if is_aes {
        return base.initial_key_aes(secrets, &aes_name(&ksn.0)?).map(AnyInitialKey::Aes);
    }
    base.initial_key(secrets, &tdes_ksn(&ksn.0)?).map(AnyInitialKey::Tdes)
}

fn load(arguments: &Load) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let initial_key = initial_key(&arguments.base, &arguments.ksn, arguments.aes, &mut secrets)?;
    let terminal = arguments.options.files(&mut secrets)?.load(initial_key)?;
    Ok(describe(&*terminal, &arguments.options).into())
}

fn status(place: &Place) -> Result<Report, Failure> {
    let terminal = place.open(&mut Secrets::default())?;
    Ok(describe(&*terminal, &place.options).into())
}

fn describe(terminal: &dyn Terminal, options: &StateOptions) -> Record {
    let shown = |path: &PathBuf| path.display().to_string();
    Record::new()
        .with("state", shown(&options.state))
        .with("scheme", terminal.scheme())
        .with("ksn", terminal.name())
        .with("left", terminal.remaining())
        .with("ceased", terminal.remaining() == 0)
        .with("rollback_counter", options.rollback_counter.as_ref().map(shown))
}

fn next(arguments: &Next) -> Result<Report, Failure> {
    let Next { place, usage, kind, options } = arguments;
    let mut terminal = place.open(&mut Secrets::default())?;
    let key = kind.choose(terminal.parent(), *usage)?;
    key.check_kcv(&options.kcv)?;
    let mut out = options.make_out()?;
    terminal
        .with_next(&mut |transaction| {
            let record = kind.record(transaction, *usage);
            key.key(transaction).finish_into(options, out.take(), record)
        })
        .map(Report::from)
}

fn encrypt_pin(arguments: &EncryptPin) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let mut terminal = arguments.place.open(&mut secrets)?;
    let form = arguments.kind.choose_pin_key(terminal.parent())?;
    let entered = arguments.entry.read(form, &mut secrets)?;
    terminal.with_next(&mut |transaction| Ok(entered.encrypt(form, transaction))).map(Report::from)
}

fn mac(arguments: &Mac) -> Result<Report, Failure> {
    let Mac { place, direction, kind, message } = arguments;
    let mut secrets = Secrets::default();
    let mut terminal = place.open(&mut secrets)?;
    let prepared = message.read(terminal.parent(), kind, *direction, &mut secrets)?;
    prepared.key().check_makes()?;
    terminal
        .with_next(&mut |transaction| {
            let (record, mac) = prepared.compute(transaction);
            Ok(record.with("mac", hex::encode(mac.as_bytes())))
        })
        .map(Report::from)
}

fn encrypt_data(arguments: &EncryptData) -> Result<Report, Failure> {
    let EncryptData { place, direction, kind, data } = arguments;
    let mut secrets = Secrets::default();
    let mut terminal = place.open(&mut secrets)?;
    let mut prepared = data.read(terminal.parent(), kind, *direction, &mut secrets)?;
    prepared.key().check_makes()?;
    prepared.pad()?;
    terminal.with_next(&mut |transaction| Ok(prepared.encrypt(transaction))).map(Report::from)
}

fn renew(arguments: &Renew) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    let initial_key = initial_key(&arguments.base, &arguments.new_ksn, arguments.aes, &mut secrets)?;
    let mut terminal = arguments.place.open(&mut secrets)?;
    terminal.renew(initial_key)?;
    Ok(describe(&*terminal, &arguments.place.options).into())
}

fn update_key(arguments: &UpdateKey) -> Result<Report, Failure> {
    let UpdateKey { place, kind, options } = arguments;
    let update_key = place.open(&mut Secrets::default())?.update_key()?;
    let key = kind.choose_update(&update_key)?.under(&update_key);
    Ok(key.finish(options, Record::new().with("ksn", update_key.ksn().to_string()))?.into())
}

fn cease(place: &Place) -> Result<Report, Failure> {
    let mut terminal = place.open(&mut Secrets::default())?;
    terminal.cease()?;
    Ok(describe(&*terminal, &place.options).into())
}
