//! `cardroot diversify cohort pboc`.

use cardroot::diversify::block::Sm4Key;
use cardroot::diversify::profile::{DispersionProfile, FactorSpec, Field, Identity, Value};
use cardroot::diversify::{Factor, LevelId, pboc, sm4};
use cardroot::tdea::TdeaKey;
use clap::Args;

use super::results::Lines;
use super::rows::{Columns, Fault, Row, RowFault};
use super::wrap::{Wrap, WrapOptions};
use super::{Scheme, Table};
use crate::any_key::AnyKey;
use crate::diversify::pboc::Cipher;
use crate::diversify::{profiles, unfit_key};
use crate::error::Failure;
use crate::hex;
use crate::output::{Form, Report};
use crate::secret::Source;

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot diversify cohort pboc --key @city.hex cards.csv --out keys.csv
  cardroot diversify cohort pboc --key @province.hex --profile city-ff cards.csv
  cardroot diversify cohort pboc --key @city.hex --profile city-ff --city 3701FFFFFFFFFFFF cards.csv \\
      --wrap-under @transport.hex --function recharge --root-version 1";

/// Most levels of a table of factors.
const MAX_LEVELS: u8 = 4;

#[derive(Args)]
pub(crate) struct Pboc {
    /// The parent key, for TDEA of double length: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// The cipher
    #[arg(long, value_enum, default_value = "tdea")]
    cipher: Cipher,
    /// The dispersion profile that makes the factors; the key stands above its highest level
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The version of the profile that the other keys were made by
    #[arg(long, value_name = "N", requires = "profile", default_value_t = 1)]
    profile_version: u16,
    /// Levels of a table of factors, 1 to 4
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "profile")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_LEVELS)))]
    levels: u8,
    /// The factor of the city whose key --key is: cards of other cities are refused, and only the card's level is derived
    #[arg(long, value_name = "H", value_parser = hex::parse::<Factor, _>)]
    city: Option<Factor>,
    #[command(flatten)]
    wrap: WrapOptions,
    #[command(flatten)]
    table: Table,
}

struct Cards {
    columns: Columns,
    extras: Vec<&'static str>,
    root: Root,
    /// What factors are made by; if there is none, the table has them.
    profile: Option<DispersionProfile<'static>>,
    city: Option<Factor>,
    /// Levels from the key down to the cards.
    levels: usize,
    wrap: Option<Wrap>,
}

enum Root {
    Tdea(TdeaKey),
    Sm4(Sm4Key),
}

impl Pboc {
    pub(super) fn run(self, form: Form) -> Result<Report, Failure> {
        let profile = self.profile()?;
        let levels = self.levels_below_the_key(profile.as_ref())?;
        self.check_city(profile.as_ref())?;
        let mut secrets = self.table.secrets()?;
        let root = match self.cipher {
            Cipher::Tdea => Root::Tdea(secrets.key("--key", &self.key)?),
            Cipher::Sm4 => Root::Sm4(secrets.typed_key("--key", &self.key)?),
        };
        let wrap = self.wrap.read(&mut secrets)?;
        if wrap.is_some() {
            self.check_wrapping(profile.as_ref())?;
        }
        let columns = match (&profile, levels) {
            (Some(profile), _) => Columns::all(levels_used(profile, self.city).map(profiles::column)),
            (None, 1) => Columns::all(["factor"]),
            (None, levels) => Columns::all((1..=levels).map(|level| format!("factor{level}"))),
        };
        let extras = [profile.map(|_| "factors"), wrap.as_ref().map(|_| "wrapped")];
        let extras = extras.into_iter().flatten().collect();
        self.table.run(&Cards { columns, extras, root, profile, city: self.city, levels, wrap }, form)
    }

    fn profile(&self) -> Result<Option<DispersionProfile<'static>>, Failure> {
        let built_in = |name: &String| {
            DispersionProfile::built_in(name, self.profile_version).map_err(|error| {
                Failure::usage(format!(
                    "--profile and --profile-version: {error}; see cardroot diversify profiles"
                ))
            })
        };
        self.profile.as_ref().map(built_in).transpose()
    }

    /// A city's key is to derive that city's cards: where neither factors nor wrapped keys say a city, nothing would check it.
    fn check_city(&self, profile: Option<&DispersionProfile<'_>>) -> Result<(), Failure> {
        let upper_levels = profile.is_some_and(|profile| profile.levels.len() > 1);
        if self.city.is_some() && !upper_levels && !self.wrap.is_wanted() {
            return Err(Failure::usage(
                "--city is not used: the table does not say which city a card belongs to; give a --profile that has cities, \
                 or --wrap-under",
            ));
        }
        Ok(())
    }

    fn levels_below_the_key(&self, profile: Option<&DispersionProfile<'_>>) -> Result<usize, Failure> {
        match (profile, self.city) {
            (_, Some(_)) if self.levels > 1 => {
                Err(Failure::usage("--levels is not used: --city leaves the card's level alone"))
            }
            (_, Some(_)) => Ok(1),
            (Some(profile), None) => Ok(profile.levels.len()),
            (None, None) => Ok(self.levels.into()),
        }
    }

    /// A wrapped key says which city's and card's it is, so both must be known.
    fn check_wrapping(&self, profile: Option<&DispersionProfile<'_>>) -> Result<(), Failure> {
        if self.cipher != Cipher::Tdea {
            return Err(Failure::usage("--wrap-under: keys of TDEA alone are wrapped"));
        }
        let levels_are_city_and_card = match profile {
            Some(profile) => profile.levels.iter().map(|spec| spec.level).eq([LevelId::City, LevelId::Card]),
            None => self.levels == 2,
        };
        if self.city.is_none() && !levels_are_city_and_card {
            return Err(Failure::usage(
                "--wrap-under: a wrapped key names its city and its card; give --city, or a profile or --levels 2 that \
                 has both",
            ));
        }
        Ok(())
    }
}

impl Scheme for Cards {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn extras(&self) -> &[&'static str] {
        &self.extras
    }

    fn derive(&self, rows: &[Row<'_>], lines: &mut Lines<'_>) -> Result<(), Failure> {
        match self.levels {
            1 => self.descend::<1>(rows, lines),
            2 => self.descend::<2>(rows, lines),
            3 => self.descend::<3>(rows, lines),
            _ => self.descend::<{ MAX_LEVELS as usize }>(rows, lines),
        }
    }
}

impl Cards {
    fn descend<const LEVELS: usize>(&self, rows: &[Row<'_>], lines: &mut Lines<'_>) -> Result<(), Failure> {
        let paths: Vec<Result<[Factor; LEVELS], RowFault>> = rows.iter().map(|row| self.path(row)).collect();
        // The paths of the rows that have a key, in their order.
        let mut derived = paths.iter().flatten();
        let mut path = || *derived.next().expect("a key was derived by its path");
        match &self.root {
            Root::Tdea(root) => {
                let cohort =
                    pboc::cohort_paths(root, paths.iter().copied()).map_err(|error| unfit_key(&error))?;
                lines.take(rows, cohort, |lines, row, key| {
                    let path = path();
                    match self.wrapped(&path, &key) {
                        Ok(wrapped) => self.add(lines, row, &path, wrapped, AnyKey::Tdea(&key)),
                        Err(fault) => {
                            lines.refuse(row, fault);
                            Ok(())
                        }
                    }
                })
            }
            Root::Sm4(root) => {
                lines.take(rows, sm4::cohort_paths(root, paths.iter().copied()), |lines, row, key| {
                    self.add(lines, row, &path(), None, AnyKey::Sm4(&key))
                })
            }
        }
    }

    fn add(
        &self,
        lines: &mut Lines<'_>,
        row: &Row<'_>,
        path: &[Factor],
        wrapped: Option<String>,
        key: AnyKey<'_>,
    ) -> Result<(), Failure> {
        let card: Vec<&str> = (0..self.columns.names().len()).map(|column| row.shown(column)).collect();
        let factors = self.profile.map(|_| {
            let factors: Vec<String> = path.iter().map(ToString::to_string).collect();
            factors.join("/")
        });
        let extras: Vec<String> = [factors, wrapped].into_iter().flatten().collect();
        lines.add(row, &card, &extras, &[key])
    }

    /// The factors from the key down to the card.
    fn path<const LEVELS: usize>(&self, row: &Row<'_>) -> Result<[Factor; LEVELS], RowFault> {
        let Some(profile) = &self.profile else {
            let mut path = [Factor::from([0; Factor::LEN]); LEVELS];
            for (column, factor) in path.iter_mut().enumerate() {
                *factor = row.bytes(column, |bytes| Factor::try_from(bytes))?;
            }
            return Ok(path);
        };
        let held =
            levels_used(profile, self.city).enumerate().map(|(column, spec)| Held::read(row, column, spec));
        let held = held.collect::<Result<Vec<_>, RowFault>>()?;
        let fields: Vec<Field<'_>> = levels_used(profile, self.city)
            .zip(&held)
            .map(|(spec, held)| Field { source: spec.source, value: held.as_value() })
            .collect();
        let identity = Identity::new(&fields);
        let Some(city) = self.city else {
            let factors = profile.factors(&identity)?;
            return Ok(factors.path().expect("there are as many levels as the profile has"));
        };
        if profile.spec(LevelId::City).is_some() && profile.factor(LevelId::City, &identity)? != city {
            return Err(Fault::OtherCity.into());
        }
        // Below a city there is one level.
        Ok([profile.factor(LevelId::Card, &identity)?; LEVELS])
    }

    /// The key under the transport key, if that is asked for.
    fn wrapped(&self, path: &[Factor], key: &TdeaKey) -> Result<Option<String>, RowFault> {
        let Some(wrap) = &self.wrap else { return Ok(None) };
        let (first, last) = path.first().zip(path.last()).expect("a path has at least one level");
        let wrapped = wrap.wrap(key, self.city.unwrap_or(*first), *last)?;
        Ok(Some(hex::encode(&wrapped.to_bytes())))
    }
}

/// The levels whose fields a table needs: those below the province if the key is a city's.
fn levels_used(
    profile: &DispersionProfile<'static>,
    city: Option<Factor>,
) -> impl Iterator<Item = &'static FactorSpec> {
    profile.levels.iter().filter(move |spec| city.is_none() || spec.level >= LevelId::City)
}

/// A field of a row, decoded.
enum Held<'a> {
    Text(&'a str),
    Bytes(Vec<u8>),
}

impl<'a> Held<'a> {
    fn read(row: &Row<'a>, column: usize, spec: &FactorSpec) -> Result<Self, RowFault> {
        if profiles::is_bytes(spec) {
            row.bytes(column, |bytes| Ok::<_, Fault>(bytes.to_vec())).map(Self::Bytes)
        } else {
            row.text(column).map(Self::Text)
        }
    }

    fn as_value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}
