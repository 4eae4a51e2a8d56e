//! DUKPT with single DES, as ANS X9.24 of 1992 has it ("UKPT"): its keys have 56 bits, which anybody can search.

use core::convert::Infallible;
use core::fmt;

use pin::{ClearPinBlock, DecryptPinBlock, EncryptedPinBlock};
use tdea::StrengthError;
use tdea::hazmat::DesKey;

use crate::counter::{Counter, CounterError};
use crate::keys::Bdk;
use crate::ksn::Ksn;

/// Reads the PIN blocks of originators with single DES.
///
/// It keeps no state and **takes a replay like any other message**; hold counters against the last one accepted by
/// [`Counter::follows`].
///
/// # Source
/// The scheme as jPOS carries it; no text of the edition was at hand.
///
/// # Examples
/// ```
/// use cardroot_dukpt::legacy::edition_1992::SingleDesReceiver;
/// use cardroot_dukpt::pin::{DecryptPinBlock, EncryptedPinBlock, Pan, Pin};
/// use cardroot_dukpt::{Bdk, Ksn, tdea::TdeaKey};
///
/// let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
/// let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x02]);
/// let key = SingleDesReceiver::new(bdk)?.derive_pin_key(&ksn)?;
/// let block = EncryptedPinBlock::from([0xB7, 0x69, 0x97, 0xF8, 0x3C, 0x14, 0x79, 0xDB]);
/// let Ok(clear) = key.decrypt_pin_block(block);
/// let pin = clear.decode_iso0(&Pan::from_ascii_digits(b"4012345678909")?)?;
/// assert!(pin.ct_eq(&Pin::from_ascii_digits(b"1234")?));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
/// New blocks are not made:
/// ```compile_fail,E0599
/// use cardroot_dukpt::legacy::edition_1992::SingleDesPinKey;
/// use cardroot_dukpt::pin::{ClearPinBlock, EncryptPinBlock};
/// fn send(key: &SingleDesPinKey, block: &ClearPinBlock) { let _ = key.encrypt_pin_block(block); }
/// ```
#[derive(Debug)]
pub struct SingleDesReceiver {
    bdk: Bdk,
}

/// PIN encryption key of one transaction with single DES, for decryption. Wiped on drop; `Debug` shows no key bytes.
pub struct SingleDesPinKey(DesKey);

impl SingleDesReceiver {
    /// Takes the base derivation key of one key set: it is of double length even here.
    ///
    /// # Errors
    /// Returns [`StrengthError`] if two parts of `bdk` agree once parity is masked, or one is a weak DES key.
    pub fn new(bdk: Bdk) -> Result<Self, StrengthError> {
        bdk.expose_key().check_strength()?;
        Ok(Self { bdk })
    }

    /// Derives the PIN key of one transaction.
    ///
    /// The initial key is `E(BDK, id)`, the left half of today's. Each one in the counter, from the highest down, makes
    /// `DES(K, X ^ K) ^ K` of the key `K`, with `X` the rightmost 64 bits of the KSN with the ones gathered so far. The PIN
    /// key is the last `K ^ FF at byte 7`.
    ///
    /// # Errors
    /// Returns [`CounterError`] if the counter is zero or has more than ten ones.
    pub fn derive_pin_key(&self, ksn: &Ksn) -> Result<SingleDesPinKey, CounterError> {
        let counter = ksn.counter()?.value();
        let mut key = DesKey::left_half(self.bdk.initial_key(ksn).expose_key());
        let mut so_far = 0;
        for bit in (0..Counter::BITS).rev().map(|bit| 1 << bit).filter(|bit| counter & bit != 0) {
            so_far |= bit;
            key = step(&key, &ksn.with_counter_bits(so_far));
        }
        Ok(SingleDesPinKey(DesKey::from_fill(|pin_key| {
            *pin_key = *key.expose_bytes();
            let [.., last] = pin_key;
            *last ^= 0xFF;
        })))
    }
}

fn step(parent: &DesKey, child_ksn: &Ksn) -> DesKey {
    DesKey::from_fill(|child| {
        *child = child_ksn.rightmost_64_bits();
        add(child, parent);
        parent.encrypt_block(child);
        add(child, parent);
    })
}

fn add(block: &mut [u8; 8], key: &DesKey) {
    for (byte, key) in block.iter_mut().zip(key.expose_bytes()) {
        *byte ^= key;
    }
}

impl DecryptPinBlock for SingleDesPinKey {
    type Error = Infallible;

    /// `clear = D(K, block ^ K) ^ K`: the key serves as whitening, too.
    fn decrypt_pin_block(&self, block: EncryptedPinBlock) -> Result<ClearPinBlock, Infallible> {
        Ok(ClearPinBlock::from_fill(|clear| {
            *clear = block.to_bytes();
            add(clear, &self.0);
            self.0.decrypt_block(clear);
            add(clear, &self.0);
        }))
    }
}

impl fmt::Debug for SingleDesPinKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleDesPinKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn debug_shows_no_key_bytes() {
        let key = SingleDesPinKey(DesKey::from_fill(|key| key.fill(0xA5)));
        for shown in [format!("{key:?}"), format!("{key:#?}"), format!("{key:#x?}")] {
            assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
        }
    }

    #[test]
    fn keys_are_wiped_on_drop() {
        fn is_wiped_on_drop(_: &impl zeroize::ZeroizeOnDrop) {}
        let SingleDesPinKey(key) = SingleDesPinKey(DesKey::from_fill(|key| key.fill(0xA5)));
        is_wiped_on_drop(&key);
    }
}
