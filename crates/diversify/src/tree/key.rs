//! The one secret type of the tree.

use core::fmt;
use core::marker::PhantomData;

use tdea::{Kcv, KeyLength, StrengthError, TdeaKey};

use crate::tree::level::{Card, City, Level, Parent, Province, Secondary};
use crate::tree::origin::{Origin, Place};
use crate::tree::purpose::{Issuance, Municipal, ProvincialApplication, Purpose, Secondaries};

/// A key of the tree: its level `L` and its purpose `P` are part of its type, whose it is goes with it as [`Origin`].
///
/// Wiped on drop; `Debug` shows no key bytes. Keys come from the level above, out of a
/// [wrapped key](crate::transport), or by [`from_key`](Self::from_key) from outside.
///
/// A key of one level is not a key of another:
/// ```
/// # use cardroot_diversify::tree::{CityKey, purpose::Recharge};
/// fn load(key: &CityKey<Recharge>) {}
/// fn city(key: CityKey<Recharge>) { load(&key) }
/// ```
/// ```compile_fail,E0308
/// # use cardroot_diversify::tree::{CardKey, CityKey, purpose::Recharge};
/// fn load(key: &CardKey<Recharge>) {}
/// fn city(key: CityKey<Recharge>) { load(&key) }
/// ```
///
/// A key of one function is not a key of another:
/// ```
/// # use cardroot_diversify::tree::{CardKey, purpose::Purchase};
/// fn purchase(key: &CardKey<Purchase>) {}
/// fn card(key: CardKey<Purchase>) { purchase(&key) }
/// ```
/// ```compile_fail,E0308
/// # use cardroot_diversify::tree::{CardKey, purpose::{Purchase, Recharge}};
/// fn purchase(key: &CardKey<Purchase>) {}
/// fn card(key: CardKey<Recharge>) { purchase(&key) }
/// ```
///
/// And a level that has no such keys has no type for them:
/// ```compile_fail,E0277
/// # use cardroot_diversify::tree::{City, TreeKey, purpose::Issuance};
/// fn master_of_a_city(key: TreeKey<City, Issuance>) {}
/// ```
pub struct TreeKey<L: Level<P>, P: Purpose> {
    /// Always of double length. Wipes itself.
    key: TdeaKey,
    origin: Origin,
    kind: PhantomData<fn() -> (L, P)>,
}

/// The root of the tree, from the ceremony. It makes the three secondary masters and nothing else.
#[doc(alias = "root key")]
pub type ParentKey = TreeKey<Parent, Secondaries>;
/// A secondary master.
pub type SecondaryKey<M> = TreeKey<Secondary, M>;
/// Makes the keys of everything that happens to a card from issue to end.
pub type IssuanceMaster = SecondaryKey<Issuance>;
/// Makes the keys of a city's own application.
pub type MunicipalMaster = SecondaryKey<Municipal>;
/// Makes the keys of applications that work in every city.
pub type ProvincialApplicationMaster = SecondaryKey<ProvincialApplication>;
/// The province's key of one function.
pub type ProvinceKey<F> = TreeKey<Province, F>;
/// One city's key of one function.
pub type CityKey<F> = TreeKey<City, F>;
/// One card's key of one function.
pub type CardKey<F> = TreeKey<Card, F>;

/// A key that has no place in the tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeKeyError {
    /// PBOC dispersion takes keys of 16 bytes.
    #[error("keys of the tree are of double length")]
    TripleLengthKey,
    /// The key is weaker than its length says.
    #[error(transparent)]
    Strength(#[from] StrengthError),
    /// The place is of another level: a city's place for a card key, or the like.
    #[error("the place does not belong to a key of this level")]
    Place,
}

impl<L: Level<P>, P: Purpose> TreeKey<L, P> {
    /// Gives a key from outside its level, purpose and origin, for good: a parent key from the ceremony, any other key
    /// from where it was stored. Nothing else proves that it is one, so this is for trusted sources only.
    ///
    /// # Errors
    /// Returns [`TreeKeyError::TripleLengthKey`], [`TreeKeyError::Strength`] for equal halves and weak keys, or
    /// [`TreeKeyError::Place`].
    pub fn from_key(key: TdeaKey, origin: Origin) -> Result<Self, TreeKeyError> {
        if key.length() != KeyLength::Double {
            return Err(TreeKeyError::TripleLengthKey);
        }
        key.check_strength()?;
        if !origin.place.suits(L::ID) {
            return Err(TreeKeyError::Place);
        }
        Ok(Self::new(key, origin))
    }

    /// `key` is of double length and `origin` suits the level.
    pub(crate) const fn new(key: TdeaKey, origin: Origin) -> Self {
        Self { key, origin, kind: PhantomData }
    }

    /// Whose key it is, and which version.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Version of the parent key that it comes from.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.origin.version
    }

    /// The place in the province that it belongs to.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.origin.place
    }

    /// The usual check value: 3 bytes of the zero block encrypted.
    #[must_use]
    pub fn kcv(&self) -> Kcv {
        self.key.kcv()
    }

    /// Compares the keys in constant time, parity bits included. Origins are public and left out.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.key.ct_eq(&other.key)
    }

    /// Makes a second copy of the key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(self.key.duplicate(), self.origin)
    }

    /// Shows the key without its level and purpose: for storage and tests. Between centres it travels
    /// [wrapped](crate::transport).
    #[must_use]
    pub const fn expose_key(&self) -> &TdeaKey {
        &self.key
    }
}

impl<L: Level<P>, P: Purpose> fmt::Debug for TreeKey<L, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeKey")
            .field("level", &L::ID)
            .field("purpose", &P::NAME)
            .field("version", &self.origin.version)
            .finish_non_exhaustive()
    }
}
