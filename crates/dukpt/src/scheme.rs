//! What TDES and AES DUKPT have in common, so that a transaction and a receiver are one text for both.
//!
//! The traits are `pub` in a private module: there is no third scheme.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
#[cfg(feature = "alloc")]
use core::error::Error;
use core::fmt;

#[cfg(feature = "alloc")]
use crate::guard::OriginatorId;
#[cfg(feature = "alloc")]
use crate::incoming::Unauthenticated;
#[cfg(feature = "alloc")]
use crate::key_sets::ReceiveError;

/// The transaction key of a scheme, with its name.
pub trait NamedKey: fmt::Debug {
    /// The name.
    type Ksn;
    /// A counter that a transaction may carry.
    type Counter: Copy + fmt::Debug + Into<u32>;

    /// The name of the key.
    fn ksn(&self) -> &Self::Ksn;

    /// Whose key it is.
    #[cfg(feature = "alloc")]
    fn originator(&self) -> OriginatorId;
}

/// The base derivation keys of a scheme that a receiver holds, each by its key set, and the scheme's rules for counters.
#[cfg(feature = "alloc")]
pub trait BaseKeys {
    /// What is derived.
    type Key: NamedKey;
    /// A counter that no transaction may carry.
    type CounterError: Error + 'static;

    /// Derives the key named `ksn`, whether or not its counter was seen before.
    fn derive(&self, ksn: &KsnOf<Self>) -> Derived<Self>;

    /// Derives many keys, each answered in its place as by [`derive`](Self::derive).
    fn derive_batch(&self, ksns: &[KsnOf<Self>]) -> Vec<Derived<Self>> {
        ksns.iter().map(|ksn| self.derive(ksn)).collect()
    }

    /// Takes the counter accepted last before, and tells how many between it and `counter` no message came with: none if
    /// `counter` is below.
    fn gap(&self, counter: CounterOf<Self>, previous: Option<u32>) -> (Option<CounterOf<Self>>, u32);
}

/// What becomes of a name: its key, still to be shown genuine.
#[cfg(feature = "alloc")]
type Derived<B> = Result<Unauthenticated<<B as BaseKeys>::Key>, ReceiveError<<B as BaseKeys>::CounterError>>;

/// The name of what base keys derive.
#[cfg(feature = "alloc")]
type KsnOf<B> = <<B as BaseKeys>::Key as NamedKey>::Ksn;

/// The counter in that name.
#[cfg(feature = "alloc")]
type CounterOf<B> = <<B as BaseKeys>::Key as NamedKey>::Counter;
