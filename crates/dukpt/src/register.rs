//! One future key register of the originator.

use tdea::{KeyLength, TdeaKey};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A double-length key and its check byte. Erased, it is zeros with a wrong check byte.
///
/// The standard asks for a longitudinal redundancy check and leaves its formula open. Here it is the XOR of all key bytes
/// and a seed, chosen so that memory that is all `00` or all `FF` does not pass for a key.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Register {
    key: [u8; KeyLength::Double.bytes()],
    check: u8,
}

const CHECK_SEED: u8 = 0xA5;

impl Register {
    /// Bytes of a register: the key, then its check byte.
    pub(crate) const LEN: usize = KeyLength::Double.bytes() + 1;

    pub(crate) const ERASED: Self = Self { key: [0; KeyLength::Double.bytes()], check: 0 };

    /// Stores a double-length key with its check byte.
    pub(crate) fn store(&mut self, key: &TdeaKey) {
        self.key.copy_from_slice(key.expose_bytes());
        self.check = self.expected_check();
    }

    /// The key, or `None` if the check byte is wrong: the register was erased or has been damaged.
    pub(crate) fn read(&self) -> Option<TdeaKey> {
        (self.check == self.expected_check())
            .then(|| TdeaKey::from_fill(KeyLength::Double, |key| key.copy_from_slice(&self.key)))
    }

    /// Wipes the key and leaves a wrong check byte.
    pub(crate) fn erase(&mut self) {
        self.zeroize();
    }

    /// Writes the register as it is, right or damaged.
    pub(crate) fn write(&self, bytes: &mut [u8; Self::LEN]) {
        let [key @ .., check] = bytes;
        key.copy_from_slice(&self.key);
        *check = self.check;
    }

    /// Takes what [`write`](Self::write) wrote.
    pub(crate) fn fill(&mut self, bytes: &[u8; Self::LEN]) {
        let [key @ .., check] = bytes;
        self.key.copy_from_slice(key);
        self.check = *check;
    }

    fn expected_check(&self) -> u8 {
        check_byte(&self.key)
    }

    /// Damages the stored key by one bit.
    #[cfg(test)]
    pub(crate) fn spoil(&mut self) {
        self.key[0] ^= 1;
    }
}

/// The check byte of a register, of either scheme: the XOR of the key bytes and the seed.
pub(crate) fn check_byte(key: &[u8]) -> u8 {
    key.iter().fold(CHECK_SEED, |check, byte| check ^ byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    fn stored() -> Register {
        let mut register = Register::ERASED;
        register.store(&TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
        register
    }

    #[test]
    fn a_stored_key_is_read_and_an_erased_one_is_gone() {
        let mut register = stored();
        is_wiped_on_drop(&register);
        let key = register.read().unwrap();
        assert_eq!(key.expose_bytes(), 0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes());
        register.erase();
        assert!(register.read().is_none());
        assert_eq!(register.key, [0; 16]);
        assert!(Register::ERASED.read().is_none());
    }

    #[test]
    fn any_damaged_bit_is_noticed() {
        for bit in 0..8 {
            for byte in 0..16 {
                let mut register = stored();
                register.key[byte] ^= 1 << bit;
                assert!(register.read().is_none());
            }
            let mut register = stored();
            register.check ^= 1 << bit;
            assert!(register.read().is_none());
        }
    }

    #[test]
    fn blank_memory_is_no_key() {
        for blank in [0x00, 0xFF] {
            assert!(Register { key: [blank; 16], check: blank }.read().is_none());
        }
    }
}
