//! The places of keys in a hierarchy, as types.

use super::hierarchy::HierarchySlots;
use super::loaded::Loaded;
use super::slot::Slot;
use super::suite::KeySuite;
use crate::block_key::BlockKey;
use crate::kbpk::ProtectionKey;

pub(crate) mod sealed {
    use super::{BlockKey, HierarchySlots, KeySuite, Loaded, ProtectionKey, Slot};

    pub trait Place<P: ProtectionKey, S: KeySuite> {
        type Key: BlockKey;
        fn slot(slots: &HierarchySlots<P, S>) -> &Slot<Loaded<Self::Key>>;
        fn slot_mut(slots: &mut HierarchySlots<P, S>) -> &mut Slot<Loaded<Self::Key>>;
    }

    /// Which key protects the keys of a place on their way.
    pub trait Protected {
        const UNDER: super::Under;
    }
}
pub(crate) use sealed::{Place, Protected};

#[derive(Clone, Copy, Debug)]
pub enum Under {
    /// The master key.
    Master,
    /// The key encrypting key, or the master key where there is none.
    Lowest,
}

/// The place of a key in a hierarchy. Sealed: the types of this module have it.
pub trait Role<P: ProtectionKey, S: KeySuite>: Place<P, S> {}

/// The place of a key that is sent under the next above: every one but the [`Master`].
pub trait SentRole<P: ProtectionKey, S: KeySuite>: Role<P, S> + Protected {}

/// Declares a role: its key, its field.
macro_rules! role {
    ($(#[$meta:meta])* $name:ident: $key:ty, $field:ident $(, sent under $under:ident)?) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub enum $name {}

        impl<P: ProtectionKey, S: KeySuite> Place<P, S> for $name {
            type Key = $key;

            fn slot(slots: &HierarchySlots<P, S>) -> &Slot<Loaded<Self::Key>> {
                &slots.$field
            }

            fn slot_mut(slots: &mut HierarchySlots<P, S>) -> &mut Slot<Loaded<Self::Key>> {
                &mut slots.$field
            }
        }

        impl<P: ProtectionKey, S: KeySuite> Role<P, S> for $name {}

        $(
            impl Protected for $name {
                const UNDER: Under = Under::$under;
            }

            impl<P: ProtectionKey, S: KeySuite> SentRole<P, S> for $name {}
        )?
    };
}

role! {
    /// The highest key of a relation: custodians bring it, it is never sent.
    Master: P, master
}
role! {
    /// The Key Encrypting Key (KEK), sent under the master key.
    Kek: P, kek, sent under Master
}
role! {
    /// The transaction key for PIN blocks.
    Pin: S::Pin, pin, sent under Lowest
}
role! {
    /// The transaction key for message authentication.
    Mac: S::Mac, mac, sent under Lowest
}
role! {
    /// The transaction key for data.
    Data: S::Data, data, sent under Lowest
}
