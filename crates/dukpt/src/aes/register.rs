//! One intermediate derivation key register of the originator.

use aeskey::{AesKey, AesKeyLength};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::register::check_byte;

/// An AES key of up to 256 bits, zeros behind it, and a check byte. Erased, it is zeros with a wrong check byte.
///
/// The standard has a flag there that says whether the register is in use. The check byte says that and more: it is wrong
/// for an erased register, and for one that was damaged. It is that of the TDES registers, so
/// memory that is all `00` or all `FF` does not pass for a key.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Register {
    key: [u8; AesKeyLength::Aes256.bytes()],
    check: u8,
}

impl Register {
    /// Bytes of a register: the key, then its check byte.
    pub(super) const LEN: usize = AesKeyLength::Aes256.bytes() + 1;

    pub(super) const ERASED: Self = Self { key: [0; AesKeyLength::Aes256.bytes()], check: 0 };

    /// Stores a key with its check byte.
    pub(super) fn store(&mut self, key: &AesKey) {
        self.key.fill(0);
        for (byte, key) in self.key.iter_mut().zip(key.expose_bytes()) {
            *byte = *key;
        }
        self.check = self.expected_check();
    }

    /// The key, or `None` if the check byte is wrong: the register was erased or has been damaged.
    pub(super) fn read(&self, length: AesKeyLength) -> Option<AesKey> {
        (self.check == self.expected_check()).then(|| {
            AesKey::from_fill(length, |key| {
                for (byte, stored) in key.iter_mut().zip(&self.key) {
                    *byte = *stored;
                }
            })
        })
    }

    /// Wipes the key and leaves a wrong check byte.
    pub(super) fn erase(&mut self) {
        self.zeroize();
    }

    /// Writes the register as it is, right or damaged.
    pub(super) fn write(&self, bytes: &mut [u8; Self::LEN]) {
        let [key @ .., check] = bytes;
        key.copy_from_slice(&self.key);
        *check = self.check;
    }

    /// Takes what [`write`](Self::write) wrote.
    pub(super) fn fill(&mut self, bytes: &[u8; Self::LEN]) {
        let [key @ .., check] = bytes;
        self.key.copy_from_slice(key);
        self.check = *check;
    }

    fn expected_check(&self) -> u8 {
        check_byte(&self.key)
    }

    /// Damages the stored key by one bit.
    #[cfg(test)]
    pub(super) fn spoil(&mut self) {
        self.key[0] ^= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    fn stored(length: AesKeyLength) -> Register {
        let mut register = Register::ERASED;
        register.store(&AesKey::from_fill(length, |key| key.copy_from_slice(&[0x5A; 32][..length.bytes()])));
        register
    }

    #[test]
    fn a_stored_key_is_read_and_an_erased_one_is_gone() {
        for length in [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256] {
            let mut register = stored(length);
            is_wiped_on_drop(&register);
            let key = register.read(length).unwrap();
            assert_eq!(key.expose_bytes(), &[0x5A; 32][..length.bytes()]);
            register.erase();
            assert!(register.read(length).is_none());
            assert_eq!(register.key, [0; 32]);
            assert!(Register::ERASED.read(length).is_none());
        }
    }

    #[test]
    fn any_damaged_bit_is_noticed() {
        for bit in 0..8 {
            for byte in 0..Register::LEN {
                let mut bytes = [0; Register::LEN];
                stored(AesKeyLength::Aes192).write(&mut bytes);
                bytes[byte] ^= 1 << bit;
                let mut register = Register::ERASED;
                register.fill(&bytes);
                assert!(register.read(AesKeyLength::Aes192).is_none());
            }
        }
    }

    #[test]
    fn blank_memory_is_no_key() {
        for blank in [0x00, 0xFF] {
            let mut register = Register::ERASED;
            register.fill(&[blank; Register::LEN]);
            assert!(register.read(AesKeyLength::Aes256).is_none());
        }
    }
}
