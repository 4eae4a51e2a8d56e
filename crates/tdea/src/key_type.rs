//! The macro that gives keys a purpose.

/// Declares a key type with one purpose over [`TdeaKey`](crate::TdeaKey).
///
/// The type is wiped on drop, shows nothing in `Debug`, compares in constant time and is not `Clone`. It has no
/// cipher operations: the crate that declares it adds the ones its purpose allows. Its own operations reach the key by
/// `self.0`; everybody else only by the loud [`expose_key`].
///
/// ```
/// cardroot_tdea::key_type! {
///     /// Key Encrypting Key (KEK).
///     pub struct Kek;
/// }
/// let kek = Kek::from_key([0x25; 16].into());
/// assert_eq!(kek.kcv(), kek.duplicate().kcv());
/// ```
///
/// A key of one purpose is not a key of another:
/// ```compile_fail,E0308
/// cardroot_tdea::key_type! { /** Encrypts keys. */ pub struct Kek; }
/// cardroot_tdea::key_type! { /** Encrypts PIN blocks. */ pub struct PinKey; }
/// let pin_key: PinKey = Kek::from_key([0x25; 16].into());
/// ```
///
/// A key that only derivation may make names who may call its constructor:
/// ```
/// cardroot_tdea::key_type! {
///     /// PIN encryption key.
///     pub struct PinKey { pub(crate) from_key }
/// }
/// ```
///
/// [`expose_key`]: #method.expose_key
#[macro_export]
macro_rules! key_type {
    ($(#[$meta:meta])* $vis:vis struct $name:ident;) => {
        $crate::key_type! { $(#[$meta])* $vis struct $name { pub from_key } }
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $from:vis from_key }) => {
        $(#[$meta])*
        $vis struct $name($crate::TdeaKey);

        impl $name {
            /// Gives `key` this purpose, for good.
            #[must_use]
            $from const fn from_key(key: $crate::TdeaKey) -> Self {
                Self(key)
            }

            /// Length of the key.
            #[must_use]
            pub const fn length(&self) -> $crate::KeyLength {
                self.0.length()
            }

            /// The usual check value: 3 bytes of the zero block encrypted.
            #[must_use]
            pub fn kcv(&self) -> $crate::Kcv {
                self.0.kcv()
            }

            /// Compares in constant time, parity bits included.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0)
            }

            /// Makes a second copy of the key.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                Self(self.0.duplicate())
            }

            /// Shows the key without its purpose: for wrapping, storage and tests.
            #[must_use]
            pub const fn expose_key(&self) -> &$crate::TdeaKey {
                &self.0
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}
