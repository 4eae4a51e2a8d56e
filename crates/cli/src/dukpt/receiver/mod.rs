//! `dukpt receiver`: a receiver whose memory of counters is in a file.

mod accept;
mod sentence;

use std::path::{Path, PathBuf};

use cardroot::dukpt::guard::{Memory, Policy, Window};
use cardroot::store::{Error, RedbGuard};
use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand};

use self::sentence::Sentences;
use crate::error::Failure;
use crate::output::{Record, Report};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes an empty store: once, when the first terminal of the keys goes into service
    ///
    /// An empty store accepts every old message once more. What exists is never replaced.
    #[command(
        after_help = "Examples:\n  cardroot dukpt receiver create counters\n  cardroot dukpt receiver create counters --window 8"
    )]
    Create(Create),
    /// Judges one message: its MAC first, then its counter by the memory
    ///
    /// Exit status 0 if the counter is accepted, for the first and only time, and if this is the last accepted message of its
    /// terminal once more: the verdict says which, and a repeated one is answered as before and never done again. Exit status 1
    /// if the message is refused. After a failure repeat the command as it was: what was accepted is then repeated.
    #[command(after_help = accept::EXAMPLES)]
    Accept(accept::Accept),
    /// Changes which counters may follow those accepted
    ///
    /// No counter is accepted twice through any change.
    #[command(
        after_help = "Examples:\n  cardroot dukpt receiver policy counters --window 8\n  cardroot dukpt receiver policy counters --strict"
    )]
    Policy(Change),
    /// Brings a store that an older program made to the layout of this one; what was accepted stays accepted
    ///
    /// Older programs refuse the store from then on.
    #[command(after_help = "Example:\n  cardroot dukpt receiver migrate counters")]
    Migrate(Migrate),
}

/// Which counters may follow those accepted.
#[derive(Args)]
struct PolicyOption {
    /// A counter may be below the highest one by at most N, 1 to 63, if it was not accepted itself: for networks that change
    /// the order of messages. Each counter is above all before it unless given
    #[arg(long, value_name = "N", value_parser = width())]
    window: Option<u8>,
}

#[derive(Args)]
pub(crate) struct Create {
    /// The store to make
    file: PathBuf,
    #[command(flatten)]
    policy: PolicyOption,
}

#[derive(Args)]
pub(crate) struct Change {
    /// The store
    file: PathBuf,
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct To {
    /// A counter may be below the highest one by at most N, 1 to 63, if it was not accepted itself
    #[arg(long, value_name = "N", value_parser = width())]
    window: Option<u8>,
    /// Each counter is above all before it
    #[arg(long)]
    strict: bool,
}

#[derive(Args)]
pub(crate) struct Migrate {
    /// The store
    file: PathBuf,
}

fn width() -> RangedU64ValueParser<u8> {
    RangedU64ValueParser::new().range(1..=Memory::WINDOW.into())
}

impl PolicyOption {
    fn policy(&self) -> Policy {
        policy(self.window)
    }
}

fn policy(width: Option<u8>) -> Policy {
    let window = |width| Window::new(width).expect("the parser takes widths of windows alone");
    width.map_or(Policy::Strict, |width| Policy::Window(window(width)))
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Create(arguments) => create(&arguments.file, arguments.policy.policy()),
            Self::Accept(arguments) => accept::run(&arguments),
            // `--strict` says what no window means: the parser asks for one of the two.
            Self::Policy(arguments) => change_policy(&arguments.file, policy(arguments.to.window)),
            Self::Migrate(arguments) => migrate(&arguments.file),
        }
    }
}

fn create(path: &Path, policy: Policy) -> Result<Report, Failure> {
    let guard = RedbGuard::create(path, policy).map_err(|error| Sentences::of(path).not_made(&error))?;
    Ok(stored(path).with("policy", sentence::policy(guard.policy())).into())
}

fn change_policy(path: &Path, to: Policy) -> Result<Report, Failure> {
    let before = match RedbGuard::open(path, to) {
        Ok(_) => Ok(to),
        Err(Error::Policy { stored, .. }) => RedbGuard::change_policy(path, stored, to).map(|_| stored),
        Err(error) => Err(error),
    };
    let before = before.map_err(|error| Sentences::of(path).store(&error))?;
    Ok(stored(path)
        .with("policy_before", sentence::policy(before))
        .with("policy", sentence::policy(to))
        .into())
}

fn migrate(path: &Path) -> Result<Report, Failure> {
    let migrate = || RedbGuard::migrate(path).map_err(|error| Sentences::of(path).store(&error));
    // Asked once more, the store says what version it has now.
    let (before, version) = (migrate()?, migrate()?);
    Ok(stored(path).with("version_before", before).with("version", version).into())
}

fn stored(path: &Path) -> Record {
    Record::new().with("store", path.display().to_string())
}
