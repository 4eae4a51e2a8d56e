//! The keys from which one card is made.

use core::fmt;

use diversify::LevelId;
use diversify::tree::purpose::{ExternalAuthentication, Function, PurposeId};
use diversify::tree::{Card, City, Level, ParentKey, Place, Province, TreeKey};
use tdea::{Kcv, TdeaKey};

/// Whose keys a plan names: those of the card itself, those of its city or province, which only a SAM or a key card takes, the one
/// under which such cards give keys to each other, or the one that an authentication card has of the key card that it opens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyScope {
    /// The card's own.
    Card,
    /// The city's.
    City,
    /// The province's.
    Province,
    /// Of a family of key cards and SAMs.
    Family,
    /// Of another card: the key card that this one opens.
    OpenedCard,
}

/// The keys for one card, each under the name of its function. What a key is for comes from its type, so a plan that asks for
/// the purchase key gets the purchase key, and this card's.
///
/// # Examples
/// ```
/// use cardroot_kms::issuing::KeyRing;
/// use diversify::Factor;
/// use diversify::tree::purpose::{Issuing, Purchase};
/// use diversify::tree::{CityKey, Origin};
/// use tdea::{KeyLength, TdeaKey};
///
/// let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let origin = Origin::city(1, Factor::from(*b"3701\xFF\xFF\xFF\xFF"));
/// let issuing = CityKey::<Issuing>::from_key(TdeaKey::generate(KeyLength::Double, &mut rng), origin)?;
/// let purchase = CityKey::<Purchase>::from_key(TdeaKey::generate(KeyLength::Double, &mut rng), origin)?;
///
/// let card = Factor::from([0x37, 0x01, 0x00, 0x26, 0, 0, 0, 0x01]);
/// let mut keys = KeyRing::new();
/// keys.insert_card_key(&issuing.card_key(card))?;
/// keys.insert_card_key(&purchase.card_key(card))?;
/// // The next card's keys do not go onto this one.
/// let next = Factor::from([0x37, 0x01, 0x00, 0x26, 0, 0, 0, 0x02]);
/// assert!(keys.insert_card_key(&purchase.card_key(next)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct KeyRing(Vec<RingKey>);

/// A key of the ring.
pub(super) struct RingKey {
    pub(super) role: Role,
    scope: KeyScope,
    place: Option<Place>,
    pub(super) version: u8,
    pub(super) key: TdeaKey,
}

/// What a key of the ring is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// A function of cards.
    Function(PurposeId),
    /// The root of the tree: it makes the keys of all functions.
    Parent,
    /// Key cards and SAMs give keys to each other under it. It has no place in the tree.
    Exchange,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Function(purpose) => purpose.name(),
            Self::Parent => PARENT,
            Self::Exchange => EXCHANGE,
        }
    }

    /// Types that such a key may have on a card that uses it as its own.
    pub(super) const fn card_types(self) -> &'static [u8] {
        match self {
            Self::Function(purpose) => purpose.card_key_types().fmcos,
            Self::Parent | Self::Exchange => &[],
        }
    }
}

impl RingKey {
    pub(super) const fn name(&self) -> &'static str {
        self.role.name()
    }

    /// Whether a key of that place can be on one ring with this one.
    fn goes_with(&self, scope: KeyScope, place: Place) -> Result<(), KeyRingError> {
        let Some(own) = self.place else { return Ok(()) };
        let opens = |scope| scope == KeyScope::OpenedCard;
        if opens(self.scope) != opens(scope) {
            // Cards of any two places open one another, and no card itself.
            return if own == place { Err(KeyRingError::OpensItself) } else { Ok(()) };
        }
        let cities = own.city().zip(place.city());
        let fits = cities.is_none_or(|(own, city)| own == city) && (self.scope != scope || own == place);
        if fits { Ok(()) } else { Err(KeyRingError::OtherPlace) }
    }
}

/// Name of the parent key.
pub(super) const PARENT: &str = "parent";
/// Name of the exchange key of a family.
pub(super) const EXCHANGE: &str = "exchange";

/// A key that does not go onto the ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// The ring has keys of another card or city.
    #[error("the key is of another card or city than those before it")]
    OtherPlace,
    /// The ring has the same key for another function: one key, one purpose.
    #[error("the same key is on the ring for `{0}`: one key, one purpose")]
    SecondPurpose(&'static str),
    /// The card opens another card, not itself.
    #[error("the key is of the card itself, which opens another one")]
    OpensItself,
    /// The ring has this version of the key.
    #[error("the ring has this version of the key already")]
    Twice,
}

impl KeyRing {
    /// A ring without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a copy of a key of the card.
    ///
    /// # Errors
    /// Returns [`KeyRingError`] if the ring has keys of another card, or this key.
    pub fn insert_card_key<F: Function>(&mut self, key: &TreeKey<Card, F>) -> Result<(), KeyRingError> {
        self.insert(key, KeyScope::Card)
    }

    /// Adds a copy of a key of the card's city: for SAMs and key cards.
    ///
    /// # Errors
    /// Returns [`KeyRingError`] if the ring has keys of another city, or this key.
    pub fn insert_city_key<F: Function>(&mut self, key: &TreeKey<City, F>) -> Result<(), KeyRingError> {
        self.insert(key, KeyScope::City)
    }

    /// Adds a copy of a key of the province: for secondary key cards, and SAMs that serve every city.
    ///
    /// # Errors
    /// Returns [`KeyRingError`] if the ring has this key.
    pub fn insert_province_key<F: Function>(
        &mut self,
        key: &TreeKey<Province, F>,
    ) -> Result<(), KeyRingError> {
        self.insert(key, KeyScope::Province)
    }

    /// Adds a copy of the parent key of the province: for mother cards, under the name `parent` of the province.
    ///
    /// # Errors
    /// Returns [`KeyRingError`] if the ring has this version of it, or has the key for a function.
    pub fn insert_parent_key(&mut self, key: &ParentKey) -> Result<(), KeyRingError> {
        let (place, version, key) = (Some(key.place()), key.version(), key.expose_key().duplicate());
        self.push(RingKey { role: Role::Parent, scope: KeyScope::Province, place, version, key })
    }

    /// Adds a copy of a key of another card, and of no other function than this: the external authentication key of the key card
    /// that this card, an authentication card, opens. It does not make the ring one of that card or its city.
    ///
    /// # Errors
    /// Returns [`KeyRingError`] if it is a key of the ring's own card, or if the ring has such a key of a third card, or this version.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_kms::issuing::{KeyRing, KeyRingError};
    /// # use diversify::tree::{CardKey, purpose::ExternalAuthentication};
    /// fn opens(ring: &mut KeyRing, key: &CardKey<ExternalAuthentication>) -> Result<(), KeyRingError> {
    ///     ring.insert_opened_card_key(key)
    /// }
    /// ```
    /// No other key of another card goes onto the ring:
    /// ```compile_fail,E0308
    /// # use cardroot_kms::issuing::{KeyRing, KeyRingError};
    /// # use diversify::tree::{CardKey, purpose::Purchase};
    /// fn opens(ring: &mut KeyRing, key: &CardKey<Purchase>) -> Result<(), KeyRingError> {
    ///     ring.insert_opened_card_key(key)
    /// }
    /// ```
    pub fn insert_opened_card_key(
        &mut self,
        key: &TreeKey<Card, ExternalAuthentication>,
    ) -> Result<(), KeyRingError> {
        self.insert(key, KeyScope::OpenedCard)
    }

    fn insert<L: Level<F>, F: Function>(
        &mut self,
        key: &TreeKey<L, F>,
        scope: KeyScope,
    ) -> Result<(), KeyRingError> {
        debug_assert!(
            matches!(L::ID, LevelId::Province | LevelId::City | LevelId::Card),
            "the callers above see to it"
        );
        let place = key.place();
        self.0.iter().try_for_each(|other| other.goes_with(scope, place))?;
        let (version, key) = (key.version(), key.expose_key().duplicate());
        self.push(RingKey { role: Role::Function(F::ID), scope, place: Some(place), version, key })
    }

    /// Adds a copy of the key under which key cards and SAMs of one family give keys to each other.
    ///
    /// # Errors
    /// Returns [`KeyRingError`] if the ring has this version of it, or has the key for a function.
    pub fn insert_exchange_key(&mut self, version: u8, key: &TdeaKey) -> Result<(), KeyRingError> {
        let key = key.duplicate();
        self.push(RingKey { role: Role::Exchange, scope: KeyScope::Family, place: None, version, key })
    }

    fn push(&mut self, key: RingKey) -> Result<(), KeyRingError> {
        let same = self.0.iter().find(|other| other.role != key.role && other.key.ct_eq(&key.key));
        if let Some(same) = same {
            return Err(KeyRingError::SecondPurpose(same.name()));
        }
        if self.find_all(key.name(), key.scope, Some(key.version)).next().is_some() {
            return Err(KeyRingError::Twice);
        }
        self.0.push(key);
        Ok(())
    }

    /// Name, scope, version and check value of every key.
    pub fn check_values(&self) -> impl Iterator<Item = (&'static str, KeyScope, u8, Kcv)> {
        self.0.iter().map(|key| (key.name(), key.scope, key.version, key.key.kcv()))
    }

    /// The keys of a name and scope, of one version if one is asked for.
    pub(super) fn find_all(
        &self,
        name: &str,
        scope: KeyScope,
        version: Option<u8>,
    ) -> impl Iterator<Item = &RingKey> {
        let is_it = move |key: &&RingKey| {
            key.scope == scope && key.name() == name && version.is_none_or(|version| key.version == version)
        };
        self.0.iter().filter(is_it)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| (key.name(), key.scope))).finish()
    }
}
