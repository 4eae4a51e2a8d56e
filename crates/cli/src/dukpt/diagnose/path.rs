//! How a key was come by, and how far that is from the standard.

use crate::dukpt::working_key::WorkingKey;

/// What is looked into. It says which keys are the usual ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Problem {
    Pin,
    Mac,
    Data,
}

/// The way to a key.
#[derive(Clone, Debug)]
pub(super) struct Path {
    /// TDES or AES.
    pub(super) scheme: &'static str,
    /// The key serial number as it was used.
    pub(super) ksn: String,
    /// What the key is for.
    pub(super) key: String,
    /// Where the way leaves the standard.
    pub(super) departures: Vec<String>,
    cost: u32,
}

impl Path {
    /// Farther off nothing is looked for: what fits there is more likely chance than cause.
    pub(super) const MAX_COST: u32 = 3;

    pub(super) const fn new(scheme: &'static str) -> Self {
        Self { scheme, ksn: String::new(), key: String::new(), departures: Vec::new(), cost: 0 }
    }

    /// The way with one more departure, none if it gets too far off. What costs nothing is a remark.
    pub(super) fn departing(&self, cost: u32, departure: impl Into<String>) -> Option<Self> {
        let cost = self.cost + cost;
        if cost > Self::MAX_COST {
            return None;
        }
        let mut path = self.clone();
        path.cost = cost;
        path.departures.push(departure.into());
        Some(path)
    }

    pub(super) fn with_ksn(&self, ksn: impl ToString) -> Self {
        Self { ksn: ksn.to_string(), ..self.clone() }
    }

    pub(super) fn with_key(&self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self.clone() }
    }

    /// What kind of key it is, the same for all types of an AES DUKPT key.
    pub(super) fn what(&self) -> String {
        let key = match self.key.split_once(" key, ") {
            Some((usage, _)) if self.scheme == "AES" => format!("{usage} key of any type"),
            _ => self.key.clone(),
        };
        format!("{} {key}", self.scheme)
    }

    pub(super) const fn cost(&self) -> u32 {
        self.cost
    }
}

/// A key that may be the one.
pub(super) struct Candidate {
    pub(super) key: WorkingKey,
    pub(super) path: Path,
}

/// A choice with its way: as the standard has it, or departing from it.
pub(super) fn ways<T>(path: &Path, choices: impl IntoIterator<Item = Way<T>>) -> Vec<(T, Path)> {
    choices
        .into_iter()
        .filter_map(|Way { value, departure }| {
            let path = match departure {
                None => path.clone(),
                Some((cost, departure)) => path.departing(cost, departure)?,
            };
            Some((value, path))
        })
        .collect()
}

/// One of several choices.
pub(super) struct Way<T> {
    value: T,
    departure: Option<(u32, String)>,
}

impl<T> Way<T> {
    pub(super) const fn standard(value: T) -> Self {
        Self { value, departure: None }
    }

    /// The same choice in another form.
    pub(super) fn map<'a, U>(&'a self, form: impl FnOnce(&'a T) -> U) -> Way<U> {
        Way { value: form(&self.value), departure: self.departure.clone() }
    }

    pub(super) fn off(cost: u32, departure: impl Into<String>, value: T) -> Self {
        Self { value, departure: Some((cost, departure.into())) }
    }
}
