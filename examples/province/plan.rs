//! The input files of the province: plan, cards, terminals, mischief.

use std::fs;
use std::path::{Path, PathBuf};

use cardroot::diversify::profile::{BUILT_IN, DispersionProfile};
use cardroot::kms::issuing::Plan as CardPlan;
use cardroot::smid::SmidProfile;
use cardroot::smid::iso8583::Dialect;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Failure;

/// All that the run reads, but the components: those are read when a custodian enters them.
#[derive(Debug)]
pub struct Inputs {
    pub folder: PathBuf,
    pub plan: Plan,
    pub user_card: CardPlan,
    pub sam_card: CardPlan,
    pub key_card: CardPlan,
    pub secondary_card: CardPlan,
    pub mother_card: CardPlan,
    pub transport_card: CardPlan,
    pub authentication_card: CardPlan,
    pub cards: Vec<CardRow>,
    pub terminals: Vec<TerminalRow>,
    pub mischief: Vec<MischiefRow>,
    pub expected: Vec<ExpectedRefusal>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub province: Province,
    pub city: Vec<City>,
    pub ceremony: Vec<Root>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Province {
    pub name: String,
    pub key_version: u8,
    pub currency: String,
    dialect: String,
    smid_profile: String,
    dispersion_profile: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct City {
    pub code: String,
    pub name: String,
}

/// A key that comes from custodians.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    pub key: String,
    pub label: String,
    pub kcv: String,
    pub attempts: Vec<Attempt>,
}

/// One custodian at the keyboard.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    pub custodian: String,
    pub file: PathBuf,
    pub kcv: String,
}

/// A user card to be issued.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardRow {
    pub chip_serial: String,
    pub city: String,
    pub application_serial: String,
    pub pan: String,
    pub holder: String,
    pub pin: String,
}

/// A terminal, and how many sales it makes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalRow {
    pub terminal: String,
    pub city: String,
    pub initial_ksn: String,
    pub sales: usize,
}

/// A sale that goes wrong on purpose.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MischiefRow {
    pub terminal: String,
    pub sale: usize,
    pub mischief: Mischief,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Mischief {
    /// The message of the sale before is sent again, byte for byte.
    Replay,
    /// The amount is changed on the way.
    AlteredAmount,
    /// The message comes from another line, of a second terminal that the same initial key was loaded into.
    LoadedTwice,
    /// The customer types another PIN.
    WrongPin,
    /// The message claims a terminal of another key set.
    ForeignKeySet,
    /// The message claims the counter that no message may have.
    CounterZero,
    /// The PIN key is not named.
    NoSmid,
    /// The message ends too early.
    CutShort,
    /// The card is a copy that does not have the keys.
    ForgedCard,
    /// The card is from another city than the terminal's SAM.
    ForeignCard,
}

/// A refusal that the bad input must lead to.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRefusal {
    pub stage: String,
    pub subject: String,
    pub reason: String,
}

impl Inputs {
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let text = read_text(&folder.join("plan.toml"))?;
        let plan: Plan = toml::from_str(&text).map_err(|error| Failure(format!("plan.toml: {error}")))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            plan,
            user_card: card_plan(folder, "user-card.toml")?,
            sam_card: card_plan(folder, "sam-card.toml")?,
            key_card: card_plan(folder, "key-card.toml")?,
            secondary_card: card_plan(folder, "secondary-card.toml")?,
            mother_card: card_plan(folder, "mother-card.toml")?,
            transport_card: card_plan(folder, "transport-card.toml")?,
            authentication_card: card_plan(folder, "authentication-card.toml")?,
            cards: read_rows(&folder.join("cards.csv"))?,
            terminals: read_rows(&folder.join("terminals.csv"))?,
            mischief: read_rows(&folder.join("mischief.csv"))?,
            expected: read_rows(&folder.join("expected-refusals.csv"))?,
        })
    }
}

impl Province {
    pub fn dialect(&self) -> Result<&'static Dialect, Failure> {
        Dialect::named(&self.dialect).ok_or_else(|| Failure(format!("no dialect is called {}", self.dialect)))
    }

    pub fn smid_profile(&self) -> Result<&'static SmidProfile, Failure> {
        SmidProfile::named(&self.smid_profile)
            .ok_or_else(|| Failure(format!("no SMID profile is called {}", self.smid_profile)))
    }

    pub fn dispersion_profile(&self) -> Result<DispersionProfile<'static>, Failure> {
        BUILT_IN
            .into_iter()
            .find(|profile| profile.name.as_str() == self.dispersion_profile)
            .ok_or_else(|| Failure(format!("no dispersion profile is called {}", self.dispersion_profile)))
    }
}

fn card_plan(folder: &Path, name: &str) -> Result<CardPlan, Failure> {
    read_text(&folder.join(name))?.parse().map_err(|error| Failure(format!("{name}: {error}")))
}

pub fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure(format!("{}: {error}", path.display())))
}

fn read_rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Failure> {
    let named = |error: csv::Error| Failure(format!("{}: {error}", path.display()));
    csv::Reader::from_path(path).map_err(named)?.deserialize().collect::<Result<_, _>>().map_err(named)
}
