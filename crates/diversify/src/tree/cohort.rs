//! From one key to the keys of many cities or cards.

use tdea::TdeaKey;

use crate::cohort::{self, Cohort, Members, Paths};
use crate::factor::Factor;
use crate::level::LevelId;
use crate::profile::{DispersionProfile, Identity, ProfileError};
use crate::tree::derive::CardKeyError;
use crate::tree::key::{CardKey, CityKey, ProvinceKey, TreeKey};
use crate::tree::level::Level;
use crate::tree::origin::{Origin, Place};
use crate::tree::purpose::{Function, Purpose};

/// The two factors between a key of the province and a card's key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct CardPath {
    /// Factor of the city.
    pub city: Factor,
    /// Factor of the card.
    pub card: Factor,
}

impl<L: Level<P>, P: Purpose> TreeKey<L, P> {
    /// The keys below this one at the ends of `paths`, each at its place.
    fn descendants<const LEVELS: usize, L2: Level<P2>, P2: Purpose, E>(
        &self,
        paths: impl Iterator<Item = Result<[Factor; LEVELS], E>>,
        place: impl Fn([Factor; LEVELS]) -> Place,
    ) -> Cohort<impl Members<Key = TreeKey<L2, P2>, Fault = E>> {
        let version = self.version();
        let finish = move |key: TdeaKey, path| TreeKey::new(key, Origin { version, place: place(path) });
        cohort::of(paths, Paths { parent: self.expose_key(), finish })
    }
}

impl<F: Function> ProvinceKey<F> {
    /// Derives the keys of many cities; see [`city_key`](Self::city_key) and [cohorts](crate::cohort).
    pub fn city_keys<E>(
        &self,
        cities: impl IntoIterator<Item = Result<Factor, E>>,
    ) -> Cohort<impl Members<Key = CityKey<F>, Fault = E>> {
        let paths = cities.into_iter().map(|city| city.map(|city| [city]));
        self.descendants(paths, |[city]| Place::City { city })
    }

    /// Derives the keys of many cities; see [`city_key_for`](Self::city_key_for) and [cohorts](crate::cohort).
    ///
    /// # Errors
    /// Returns [`ProfileError::Definition`] or [`ProfileError::NoLevel`] if `profile` makes no city's factor. A city whose
    /// factor can't be made is an error in its place.
    pub fn city_keys_for<'a>(
        &self,
        profile: &DispersionProfile<'_>,
        cities: impl IntoIterator<Item = Identity<'a>>,
    ) -> Result<Cohort<impl Members<Key = CityKey<F>, Fault = ProfileError>>, ProfileError> {
        let profile = with_level(profile, LevelId::City)?;
        Ok(self.city_keys(cities.into_iter().map(move |city| profile.factor(LevelId::City, &city))))
    }

    /// Derives the keys of many cards in many cities, two levels down; see [cohorts](crate::cohort). The cities' keys
    /// are written nowhere.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_diversify::FactorLengthError;
    /// # use cardroot_diversify::tree::{CardKey, CardPath, ProvinceKey, purpose::Purchase};
    /// fn purchase_keys(province: &ProvinceKey<Purchase>, cards: Vec<Result<CardPath, FactorLengthError>>) {
    ///     let _ = province.card_keys(cards).for_each(|_, key| store(key.unwrap()));
    /// }
    /// fn store(key: CardKey<Purchase>) {}
    /// ```
    /// They are keys of the same function:
    /// ```compile_fail,E0308
    /// # use cardroot_diversify::FactorLengthError;
    /// # use cardroot_diversify::tree::{CardKey, CardPath, ProvinceKey, purpose::{Purchase, Recharge}};
    /// fn purchase_keys(province: &ProvinceKey<Purchase>, cards: Vec<Result<CardPath, FactorLengthError>>) {
    ///     let _ = province.card_keys(cards).for_each(|_, key| store(key.unwrap()));
    /// }
    /// fn store(key: CardKey<Recharge>) {}
    /// ```
    pub fn card_keys<E>(
        &self,
        cards: impl IntoIterator<Item = Result<CardPath, E>>,
    ) -> Cohort<impl Members<Key = CardKey<F>, Fault = E>> {
        let paths = cards.into_iter().map(|card| card.map(|CardPath { city, card }| [city, card]));
        self.descendants(paths, |[city, card]| Place::Card { city, card })
    }

    /// Derives the keys of many cards in many cities from the fields of each card; see [cohorts](crate::cohort).
    ///
    /// # Errors
    /// Returns [`ProfileError::Definition`] or [`ProfileError::NoLevel`] if `profile` makes no factors of city and card. A
    /// card whose factors can't be made is an error in its place.
    pub fn card_keys_for<'a>(
        &self,
        profile: &DispersionProfile<'_>,
        cards: impl IntoIterator<Item = Identity<'a>>,
    ) -> Result<Cohort<impl Members<Key = CardKey<F>, Fault = ProfileError>>, ProfileError> {
        let profile = with_level(with_level(profile, LevelId::City)?, LevelId::Card)?;
        Ok(self.card_keys(cards.into_iter().map(move |card| {
            let factor = |level| profile.factor(level, &card);
            Ok(CardPath { city: factor(LevelId::City)?, card: factor(LevelId::Card)? })
        })))
    }
}

impl<F: Function> CityKey<F> {
    /// Derives the keys of many cards; see [`card_key`](Self::card_key) and [cohorts](crate::cohort).
    pub fn card_keys<E>(
        &self,
        cards: impl IntoIterator<Item = Result<Factor, E>>,
    ) -> Cohort<impl Members<Key = CardKey<F>, Fault = E>> {
        let city = self.city_factor();
        let paths = cards.into_iter().map(|card| card.map(|card| [card]));
        self.descendants(paths, move |[card]| Place::Card { city, card })
    }

    /// Derives the keys of many cards from the fields of each; see [`card_key_for`](Self::card_key_for) and
    /// [cohorts](crate::cohort).
    ///
    /// # Errors
    /// Returns [`ProfileError::Definition`] or [`ProfileError::NoLevel`] if `profile` makes no card's factor. A card whose
    /// factor can't be made, or that belongs to another city, is an error in its place.
    pub fn card_keys_for<'a>(
        &self,
        profile: &DispersionProfile<'_>,
        cards: impl IntoIterator<Item = Identity<'a>>,
    ) -> Result<Cohort<impl Members<Key = CardKey<F>, Fault = CardKeyError>>, ProfileError> {
        let profile = with_level(profile, LevelId::Card)?;
        Ok(self.card_keys(cards.into_iter().map(move |card| self.card_factor(profile, &card))))
    }
}

/// The profile, if it makes factors of `level`.
fn with_level<'p, 'l>(
    profile: &'p DispersionProfile<'l>,
    level: LevelId,
) -> Result<&'p DispersionProfile<'l>, ProfileError> {
    profile.check()?;
    profile.spec(level).map(|_| profile).ok_or(ProfileError::NoLevel { level })
}
