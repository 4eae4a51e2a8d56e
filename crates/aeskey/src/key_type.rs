//! The macro that gives keys a purpose.

/// Declares a key type with one purpose over [`AesKey`](crate::AesKey), as `tdea::key_type!` does over TDEA keys.
///
/// The type is wiped on drop, shows nothing in `Debug`, compares in constant time and is not `Clone`. It has no
/// cipher operations: the crate that declares it adds the ones its purpose allows. Its own operations reach the key by
/// `self.0`; everybody else only by the loud [`expose_key`].
///
/// ```
/// # use cardroot_aeskey::{AesKey, AesKeyLength};
/// cardroot_aeskey::key_type! {
///     /// Key Encrypting Key (KEK).
///     pub struct Kek;
/// }
/// let kek = Kek::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0x25)));
/// assert!(kek.ct_eq(&kek.duplicate()));
/// ```
///
/// A key of one purpose is not a key of another:
/// ```compile_fail,E0308
/// # use cardroot_aeskey::{AesKey, AesKeyLength};
/// cardroot_aeskey::key_type! { /** Encrypts keys. */ pub struct Kek; }
/// cardroot_aeskey::key_type! { /** Encrypts PIN blocks. */ pub struct PinKey; }
/// let kek = Kek::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0x25)));
/// let pin_key: PinKey = kek;
/// ```
///
/// A key that only derivation may make names who may call its constructor:
/// ```
/// cardroot_aeskey::key_type! {
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
        $vis struct $name($crate::AesKey);

        impl $name {
            /// Gives `key` this purpose, for good.
            #[must_use]
            $from const fn from_key(key: $crate::AesKey) -> Self {
                Self(key)
            }

            /// Length of the key.
            #[must_use]
            pub const fn length(&self) -> $crate::AesKeyLength {
                self.0.length()
            }

            /// The check value by `method`, `len` bytes of it.
            ///
            /// # Errors
            /// As [`AesKey::kcv_by`]($crate::AesKey::kcv_by).
            pub fn kcv_by(&self, method: $crate::KcvMethod, len: usize) -> Result<$crate::Kcv, $crate::KcvError> {
                self.0.kcv_by(method, len)
            }

            /// Compares in constant time.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0)
            }

            /// Makes a second copy of the key.
            #[must_use]
            pub const fn duplicate(&self) -> Self {
                Self(self.0.duplicate())
            }

            /// Shows the key without its purpose: for wrapping, storage and tests.
            #[must_use]
            pub const fn expose_key(&self) -> &$crate::AesKey {
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
