//! One future key register of an originator, of either scheme.

use tdea::{KeyLength, TdeaKey};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A key, zeros behind it where there is room, and a check byte: `LEN` bytes. Erased, it is zeros, of which the last is a wrong
/// check byte.
///
/// The standard asks for a longitudinal redundancy check and leaves its formula open. Here it is the XOR of all key bytes
/// and a seed, chosen so that memory that is all `00` or all `FF` does not pass for a key.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Register<const LEN: usize>([u8; LEN]);

const CHECK_SEED: u8 = 0xA5;

impl<const LEN: usize> Register<LEN> {
    /// Bytes of a register: the key, then its check byte.
    pub(crate) const LEN: usize = LEN;

    pub(crate) const ERASED: Self = Self([0; LEN]);

    /// Stores a key with its check byte.
    pub(crate) fn put(&mut self, key: &[u8]) {
        debug_assert!(key.len() < LEN);
        self.erase();
        if let [stored @ .., check] = &mut self.0[..] {
            for (byte, key) in stored.iter_mut().zip(key) {
                *byte = *key;
            }
            *check = stored.iter().fold(CHECK_SEED, |check, byte| check ^ byte);
        }
    }

    /// The key and what is behind it, or `None` if the check byte is wrong: the register was erased or has been damaged.
    pub(crate) fn get(&self) -> Option<&[u8]> {
        let (check, key) = self.0.split_last()?;
        (*check == key.iter().fold(CHECK_SEED, |check, byte| check ^ byte)).then_some(key)
    }

    /// Wipes the key and leaves a wrong check byte.
    pub(crate) fn erase(&mut self) {
        self.zeroize();
    }

    /// Writes the register as it is, right or damaged.
    pub(crate) const fn write(&self, bytes: &mut [u8; LEN]) {
        *bytes = self.0;
    }

    /// Takes what [`write`](Self::write) wrote.
    pub(crate) const fn fill(&mut self, bytes: &[u8; LEN]) {
        self.0 = *bytes;
    }

    /// Damages the stored key by one bit.
    #[cfg(test)]
    pub(crate) fn spoil(&mut self) {
        self.0[0] ^= 1;
    }
}

/// A register of TDES DUKPT: a double-length key.
pub(crate) type TdeaRegister = Register<{ KeyLength::Double.bytes() + 1 }>;

impl TdeaRegister {
    pub(crate) fn store(&mut self, key: &TdeaKey) {
        self.put(key.expose_bytes());
    }

    pub(crate) fn read(&self) -> Option<TdeaKey> {
        let stored = self.get()?;
        Some(TdeaKey::from_fill(KeyLength::Double, |key| key.copy_from_slice(stored)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    fn stored() -> TdeaRegister {
        let mut register = TdeaRegister::ERASED;
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
        assert_eq!(register.0, [0; 17]);
        assert!(TdeaRegister::ERASED.read().is_none());
    }

    #[test]
    fn any_damaged_bit_is_noticed() {
        for bit in 0..8 {
            for byte in 0..TdeaRegister::LEN {
                let mut register = stored();
                register.0[byte] ^= 1 << bit;
                assert!(register.read().is_none());
            }
        }
    }

    #[test]
    fn blank_memory_is_no_key() {
        for blank in [0x00, 0xFF] {
            assert!(Register([blank; TdeaRegister::LEN]).read().is_none());
        }
    }
}
