//! HMAC working keys of AES DUKPT.
//!
//! The derivation says how long the key is and not which hash it is for. Here it is SHA-256, as the published values have
//! it.

use core::fmt;

use aeskey::AesKeyLength;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tdea::MacMismatch;
use zeroize::ZeroizeOnDrop;

/// Length of an HMAC key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum HmacKeyLength {
    /// 128 bits, 16 bytes.
    Hmac128,
    /// 192 bits, 24 bytes.
    Hmac192,
    /// 256 bits, 32 bytes.
    Hmac256,
}

impl HmacKeyLength {
    /// Length in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Hmac128 => 16,
            Self::Hmac192 => 24,
            Self::Hmac256 => 32,
        }
    }

    pub(super) const fn bits(self) -> u16 {
        match self {
            Self::Hmac128 => 128,
            Self::Hmac192 => 192,
            Self::Hmac256 => 256,
        }
    }
}

const MAX_LEN: usize = AesKeyLength::Aes256.bytes();

/// What the HMAC keys of all uses hold.
#[derive(ZeroizeOnDrop)]
pub(super) struct HmacKey {
    bytes: [u8; MAX_LEN],
    #[zeroize(skip)]
    length: HmacKeyLength,
}

impl HmacKey {
    pub(super) fn from_fill(length: HmacKeyLength, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut key = Self { bytes: [0; MAX_LEN], length };
        fill(key.bytes.get_mut(..length.bytes()).expect("a key is at most 32 bytes"));
        key
    }

    fn expose_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.bytes()).expect("a key is at most 32 bytes")
    }

    fn hmac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(self.expose_bytes()).expect("HMAC takes keys of any length")
    }
}

/// A keyed hash of 32 bytes, of which 8 or more are sent.
///
/// # Examples
/// ```
/// # use cardroot_dukpt::{aes::hmac_keys::MacRequestKey, tdea::MacMismatch};
/// fn send(key: &MacRequestKey) -> [u8; 8] { key.mac(b"message").truncated() }
/// fn receive(key: &MacRequestKey, sent: [u8; 8]) -> Result<(), MacMismatch> { key.verify_mac(b"message", &sent) }
/// ```
/// Other lengths do not compile:
/// ```compile_fail,E0080
/// # use cardroot_dukpt::aes::{Bdk, InitialKeyId, VolatileOriginator, hmac_keys::HmacKeyLength};
/// # use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
/// # let bdk = Bdk::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0x25)));
/// # let mut terminal = VolatileOriginator::load(bdk.derive_initial_key(&InitialKeyId::from([0x11; 8])));
/// # let transaction = terminal.next_transaction().unwrap();
/// # let key = transaction.key().mac_request_key_hmac(HmacKeyLength::Hmac128).unwrap();
/// let sent = key.mac(b"message").truncated::<7>();
/// ```
pub type HmacCode = tdea::Mac<32, 8>;

/// A keyed hash of a message that comes in pieces. Wiped on drop; `Debug` shows nothing.
pub struct HmacInProgress(Hmac<Sha256>);

impl HmacInProgress {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The code of all pieces.
    #[must_use]
    pub fn finalize(self) -> HmacCode {
        HmacCode::new(self.0.finalize().into_bytes().into())
    }
}

impl fmt::Debug for HmacInProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacInProgress").finish_non_exhaustive()
    }
}

/// Declares an HMAC key for one use.
macro_rules! hmac_key_type {
    ($(#[$meta:meta])* pub struct $name:ident;) => {
        $(#[$meta])*
        pub struct $name(HmacKey);

        impl $name {
            pub(super) const fn from_key(key: HmacKey) -> Self {
                Self(key)
            }

            /// Length of the key.
            #[must_use]
            pub const fn length(&self) -> HmacKeyLength {
                self.0.length
            }

            /// HMAC-SHA-256 of a whole message.
            ///
            /// # Source
            /// FIPS 198-1, FIPS 180-4.
            #[must_use]
            pub fn mac(&self, message: &[u8]) -> HmacCode {
                let mut mac = self.start_mac();
                mac.update(message);
                mac.finalize()
            }

            /// Starts the code of a message that comes in pieces, as [`mac`](Self::mac) computes it.
            #[must_use]
            pub fn start_mac(&self) -> HmacInProgress {
                HmacInProgress(self.0.hmac())
            }

            /// Verifies a received code of 8 to 32 bytes as [`mac`](Self::mac) computes it, in constant time.
            ///
            /// # Errors
            /// Returns [`MacMismatch`] if it is not the code of `message`.
            pub fn verify_mac(&self, message: &[u8], received: &[u8]) -> Result<(), MacMismatch> {
                self.mac(message).verify(received)
            }

            /// Compares in constant time.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                self.0.expose_bytes().ct_eq(other.0.expose_bytes()).into()
            }

            /// Shows the key bytes.
            #[must_use]
            pub fn expose_bytes(&self) -> &[u8] {
                self.0.expose_bytes()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

hmac_key_type! {
    /// HMAC key for what the originator sends (usage 2000).
    pub struct MacRequestKey;
}

hmac_key_type! {
    /// HMAC key for what the receiver answers (usage 2001).
    pub struct MacResponseKey;
}

hmac_key_type! {
    /// HMAC key for both directions (usage 2002).
    pub struct MacBothKey;
}

#[cfg(test)]
mod tests {
    use hmac::digest::block_api::{Buffer, CoreProxy};

    use super::*;

    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    /// HMAC's core holds two of these and a buffer, and does not say it of itself.
    fn hash_is_wiped_on_drop<C: CoreProxy>(_: &C)
    where
        C::Core: ZeroizeOnDrop,
        Buffer<C::Core>: ZeroizeOnDrop,
    {
    }

    #[test]
    fn a_message_in_pieces_has_the_code_of_the_whole() {
        let key = MacBothKey(HmacKey::from_fill(HmacKeyLength::Hmac192, |key| key.fill(0x25)));
        let message = [0x5C; 150];
        for cut in [0, 1, 63, 64, 65, 150] {
            let (start, end) = message.split_at(cut);
            let mut mac = key.start_mac();
            mac.update(start);
            mac.update(end);
            assert_eq!(mac.finalize().as_bytes(), key.mac(&message).as_bytes());
        }
        assert_eq!(std::format!("{:?}", key.start_mac()), "HmacInProgress { .. }");
    }

    #[test]
    fn keys_and_hashes_in_progress_are_wiped_on_drop() {
        is_wiped_on_drop(&HmacKey::from_fill(HmacKeyLength::Hmac256, |key| key.fill(7)));
        hash_is_wiped_on_drop(&Sha256::default());
    }
}
