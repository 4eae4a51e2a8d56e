//! One intermediate derivation key register of the originator.

use aeskey::{AesKey, AesKeyLength};

use crate::register::Register;

/// A register of AES DUKPT: a key of up to 256 bits, zeros behind it, and a check byte.
///
/// The standard has a flag there that says whether the register is in use. The check byte says that and more: it is wrong
/// for an erased register, and for one that was damaged.
pub(super) type AesRegister = Register<{ AesKeyLength::Aes256.bytes() + 1 }>;

impl AesRegister {
    pub(super) fn store(&mut self, key: &AesKey) {
        self.put(key.expose_bytes());
    }

    pub(super) fn read(&self, length: AesKeyLength) -> Option<AesKey> {
        let stored = self.get()?;
        Some(AesKey::from_fill(length, |key| {
            for (byte, stored) in key.iter_mut().zip(stored) {
                *byte = *stored;
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    fn stored(length: AesKeyLength) -> AesRegister {
        let mut register = AesRegister::ERASED;
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
            let mut bytes = [0xFF; AesRegister::LEN];
            register.write(&mut bytes);
            assert_eq!(bytes, [0; AesRegister::LEN]);
            assert!(AesRegister::ERASED.read(length).is_none());
        }
    }

    #[test]
    fn any_damaged_bit_is_noticed() {
        for bit in 0..8 {
            for byte in 0..AesRegister::LEN {
                let mut bytes = [0; AesRegister::LEN];
                stored(AesKeyLength::Aes192).write(&mut bytes);
                bytes[byte] ^= 1 << bit;
                let mut register = AesRegister::ERASED;
                register.fill(&bytes);
                assert!(register.read(AesKeyLength::Aes192).is_none());
            }
        }
    }

    #[test]
    fn blank_memory_is_no_key() {
        for blank in [0x00, 0xFF] {
            let mut register = AesRegister::ERASED;
            register.fill(&[blank; AesRegister::LEN]);
            assert!(register.read(AesKeyLength::Aes256).is_none());
        }
    }
}
