//! From level to level.

use crate::factor::Factor;
use crate::level::LevelId;
use crate::pboc::Diversifier;
use crate::profile::{DispersionProfile, Identity, ProfileError};
use crate::tree::key::{
    CardKey, CityKey, IssuanceMaster, MunicipalMaster, ParentKey, ProvinceKey, ProvincialApplicationMaster,
    SecondaryKey, TreeKey,
};
use crate::tree::labels::FunctionLabels;
use crate::tree::level::Level;
use crate::tree::origin::{Origin, Place};
use crate::tree::purpose::{Function, Master, Purpose};

impl<L: Level<P>, P: Purpose> TreeKey<L, P> {
    /// This key, ready to derive.
    fn diversifier(&self) -> Diversifier {
        Diversifier::new(self.expose_key()).expect("keys of the tree are of double length")
    }

    /// The child of this key that belongs to `factor`, at `place`.
    fn child<L2: Level<P2>, P2: Purpose>(&self, factor: Factor, place: Place) -> TreeKey<L2, P2> {
        TreeKey::new(self.diversifier().derive(factor), Origin { version: self.version(), place })
    }
}

impl ParentKey {
    /// Derives a secondary master, by its label.
    #[must_use]
    pub fn master<M: Master>(&self, labels: &FunctionLabels) -> SecondaryKey<M> {
        self.child(labels.of(M::ID), Place::Province)
    }

    /// Derives the master of issuing, loss, re-issue, deregistration, recharge, inquiry and what belongs to them.
    #[must_use]
    pub fn issuance_master(&self, labels: &FunctionLabels) -> IssuanceMaster {
        self.master(labels)
    }

    /// Derives the master of the cities' own applications.
    #[must_use]
    pub fn municipal_master(&self, labels: &FunctionLabels) -> MunicipalMaster {
        self.master(labels)
    }

    /// Derives the master of the applications that work in every city.
    #[must_use]
    pub fn provincial_application_master(&self, labels: &FunctionLabels) -> ProvincialApplicationMaster {
        self.master(labels)
    }
}

impl<M: Master> SecondaryKey<M> {
    /// Derives the province's key of one of this master's functions, by the function's label.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_diversify::tree::{FunctionLabels, IssuanceMaster, purpose::Recharge};
    /// fn recharge(master: &IssuanceMaster) {
    ///     let _ = master.function_key::<Recharge>(&FunctionLabels::V1);
    /// }
    /// ```
    /// A function of another master is refused:
    /// ```compile_fail,E0271
    /// # use cardroot_diversify::tree::{FunctionLabels, IssuanceMaster, purpose::Purchase};
    /// fn purchase(master: &IssuanceMaster) {
    ///     let _ = master.function_key::<Purchase>(&FunctionLabels::V1);
    /// }
    /// ```
    #[must_use]
    pub fn function_key<F: Function<Master = M>>(&self, labels: &FunctionLabels) -> ProvinceKey<F> {
        self.child(labels.of(F::ID), Place::Province)
    }
}

impl<F: Function> ProvinceKey<F> {
    /// Derives the key of the city that `factor` names.
    #[must_use]
    pub fn city_key(&self, factor: Factor) -> CityKey<F> {
        self.child(factor, Place::City { city: factor })
    }

    /// Derives the key of the city that `identity` describes.
    ///
    /// # Errors
    /// Returns [`ProfileError`] if `profile` makes no city factor of `identity`.
    pub fn city_key_for(
        &self,
        profile: &DispersionProfile<'_>,
        identity: &Identity<'_>,
    ) -> Result<CityKey<F>, ProfileError> {
        Ok(self.city_key(profile.factor(LevelId::City, identity)?))
    }
}

/// A card whose key can't be derived from this city key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CardKeyError {
    /// The profile makes no factors of the card's fields.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The card belongs to another city than the key.
    #[error("the card belongs to another city than the key")]
    OtherCity,
}

impl<F: Function> CityKey<F> {
    /// Derives the key of the card that `factor` names.
    #[must_use]
    pub fn card_key(&self, factor: Factor) -> CardKey<F> {
        self.child(factor, Place::Card { city: self.city_factor(), card: factor })
    }

    /// Derives the key of the card that `identity` describes.
    ///
    /// Where `profile` has a city level, the card's city must be the key's. A province level plays no part here: it is
    /// for roots above the province.
    ///
    /// # Errors
    /// Returns [`CardKeyError::Profile`] if `profile` does not make the factors, [`CardKeyError::OtherCity`] if they
    /// name another city.
    pub fn card_key_for(
        &self,
        profile: &DispersionProfile<'_>,
        identity: &Identity<'_>,
    ) -> Result<CardKey<F>, CardKeyError> {
        Ok(self.card_key(self.card_factor(profile, identity)?))
    }

    /// The factor of a card of this city.
    pub(super) fn card_factor(
        &self,
        profile: &DispersionProfile<'_>,
        identity: &Identity<'_>,
    ) -> Result<Factor, CardKeyError> {
        if profile.spec(LevelId::City).is_some()
            && profile.factor(LevelId::City, identity)? != self.city_factor()
        {
            return Err(CardKeyError::OtherCity);
        }
        Ok(profile.factor(LevelId::Card, identity)?)
    }

    pub(super) fn city_factor(&self) -> Factor {
        self.place().city().expect("a city key belongs to a city")
    }
}
