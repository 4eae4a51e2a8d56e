//! Raw single DES, for the standards that build on it. Nothing else may use it: its keys have 56 bits, which anybody
//! can search.

use core::fmt;

use cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

use crate::BLOCK_LEN;
use crate::bulk::KeyBits;
use crate::key::{KeyError, TdeaKey};
use crate::mac::{Chain, Mac, MacError, MacPadding};
use crate::modes::{self, Mode};
use crate::padding::{Padding, PaddingError};
use crate::schedule::{self, Des};

/// A single DES key. Wiped on drop; `Debug` shows no key bytes. Parity bits are kept as they come.
#[derive(ZeroizeOnDrop)]
pub struct DesKey([u8; BLOCK_LEN]);

impl DesKey {
    /// Builds a key in place, so that no copy stays in the caller's frame.
    pub fn from_fill(fill: impl FnOnce(&mut [u8; BLOCK_LEN])) -> Self {
        let mut key = Self([0; BLOCK_LEN]);
        fill(&mut key.0);
        key
    }

    /// The left half (first part) of a TDEA key.
    #[must_use]
    pub fn left_half(key: &TdeaKey) -> Self {
        Self::part(key, 0)
    }

    /// The right half (second part) of a TDEA key.
    #[must_use]
    pub fn right_half(key: &TdeaKey) -> Self {
        Self::part(key, 1)
    }

    fn part(key: &TdeaKey, index: usize) -> Self {
        Self(*key.parts().get(index).expect("a TDEA key has at least two parts"))
    }

    /// XOR of the two halves of a double-length key, as the TAC and PIN reload of the PBOC wallet use it.
    ///
    /// # Errors
    /// Returns [`KeyError::TripleLength`] for a triple-length key.
    pub fn xor_of_halves(key: &TdeaKey) -> Result<Self, KeyError> {
        let [left, right] = key.parts() else {
            return Err(KeyError::TripleLength);
        };
        Ok(Self::from_fill(|out| {
            for ((out, left), right) in out.iter_mut().zip(left).zip(right) {
                *out = left ^ right;
            }
        }))
    }

    /// Shows the key bytes.
    #[must_use]
    pub const fn expose_bytes(&self) -> &[u8; BLOCK_LEN] {
        &self.0
    }

    /// Compares in constant time, parity bits included.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Makes a second copy of the key.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self(self.0)
    }

    fn cipher(&self) -> Des {
        schedule::des(&self.0)
    }

    /// Encrypts one block in place.
    pub fn encrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        self.cipher().encrypt_block(block.into());
    }

    /// Decrypts one block in place.
    pub fn decrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        self.cipher().decrypt_block(block.into());
    }

    /// Encrypts two blocks in place under a key each, in the time of little more than one.
    pub fn encrypt_pair(keys: [&Self; 2], blocks: &mut [[u8; BLOCK_LEN]; 2]) {
        let [first, second] = keys.map(Self::cipher);
        schedule::encrypt_pair([&first, &second], blocks);
    }

    /// Encrypts two blocks in place, the first under this key, the second under this key XOR `mask`, in the time of little more
    /// than one: a step of DUKPT makes the halves of a key so.
    ///
    /// # Examples
    /// ```
    /// use cardroot_tdea::hazmat::{DesKey, KeyMask};
    ///
    /// const MASK: KeyMask = KeyMask::new([0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0]);
    /// let (mut pair, mut one) = ([[0x11; 8]; 2], [0x11; 8]);
    /// DesKey::from_fill(|key| key.fill(0x25)).encrypt_masked(&MASK, &mut pair);
    /// DesKey::from_fill(|key| *key = [0xE5, 0xE5, 0xE5, 0xE5, 0x25, 0x25, 0x25, 0x25]).encrypt_block(&mut one);
    /// assert_eq!(pair[1], one);
    /// ```
    pub fn encrypt_masked(&self, mask: &KeyMask, blocks: &mut [[u8; BLOCK_LEN]; 2]) {
        schedule::encrypt_pair(schedule::des_masked(&self.0, &mask.schedule).each_ref(), blocks);
    }

    /// Encrypts whole blocks in place.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`].
    pub fn encrypt(&self, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError> {
        modes::encrypt(&self.cipher(), mode, data)
    }

    /// Decrypts whole blocks in place.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`].
    pub fn decrypt(&self, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError> {
        modes::decrypt(&self.cipher(), mode, data)
    }
}

/// A public constant to XOR onto keys, expanded by the compiler for single blocks and for batches.
pub struct KeyMask {
    schedule: schedule::Mask,
    bits: KeyBits,
}

impl KeyMask {
    /// Takes what is XORed onto each part of a key.
    #[must_use]
    pub const fn new(mask: [u8; BLOCK_LEN]) -> Self {
        Self { schedule: schedule::Mask::new(mask), bits: KeyBits::of(mask) }
    }

    pub(crate) fn bits(&self) -> &[u8] {
        self.bits.as_slice()
    }
}

impl fmt::Debug for KeyMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyMask").finish_non_exhaustive()
    }
}

impl TdeaKey {
    /// As [`DesKey::encrypt_masked`], with TDEA and `mask` on every part of the key.
    pub fn encrypt_masked(&self, mask: &KeyMask, blocks: &mut [[u8; BLOCK_LEN]; 2]) {
        schedule::encrypt_pair(schedule::tdes_masked(self, &mask.schedule).each_ref(), blocks);
    }
}

impl TryFrom<&[u8]> for DesKey {
    type Error = KeyError;

    /// Copies a key of 8 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes =
            <&[u8; BLOCK_LEN]>::try_from(bytes).map_err(|_| KeyError::DesLength { found: bytes.len() })?;
        Ok(Self(*bytes))
    }
}

impl fmt::Debug for DesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesKey").finish_non_exhaustive()
    }
}

/// ISO 9797-1 MAC algorithm 1 over single DES: as [`CbcMac`](crate::CbcMac), and as weak as the key.
///
/// # Source
/// ISO/IEC 9797-1, MAC algorithm 1; ANS X9.9; FIPS 113.
#[doc(alias = "X9.9")]
pub struct DesMac {
    cipher: Des,
    chain: Chain,
}

impl DesMac {
    /// Starts a message.
    #[must_use]
    pub fn new(key: &DesKey, padding: MacPadding) -> Self {
        Self::with_iv(key, padding, [0; BLOCK_LEN])
    }

    /// Starts a message from the chaining value `iv`: secure messaging of the PBOC family starts from a challenge.
    #[must_use]
    pub fn with_iv(key: &DesKey, padding: MacPadding, iv: [u8; BLOCK_LEN]) -> Self {
        Self { cipher: key.cipher(), chain: Chain::new(padding, iv) }
    }

    /// The code of a whole message.
    ///
    /// # Errors
    /// Returns [`MacError::NotWholeBlocks`] if [`Padding::None`] does not suit the message.
    pub fn compute(key: &DesKey, padding: Padding, message: &[u8]) -> Result<Mac, MacError> {
        let mut mac = Self::new(key, MacPadding::for_message(padding, message)?);
        mac.update(message);
        mac.finalize()
    }

    /// Takes the next piece of the message.
    pub fn update(&mut self, data: &[u8]) {
        self.chain.update(&self.cipher, data);
    }

    /// Ends the message.
    ///
    /// # Errors
    /// Returns [`MacError::MessageLength`] if another length was announced.
    pub fn finalize(self) -> Result<Mac, MacError> {
        Ok(Mac::new(*self.chain.close(&self.cipher)?))
    }
}

impl fmt::Debug for DesMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesMac").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiping::is_wiped_on_drop;

    #[test]
    fn a_key_and_a_code_in_progress_are_wiped_on_drop() {
        let key = DesKey::from_fill(|bytes| bytes.fill(0x25));
        is_wiped_on_drop(&key);
        let DesMac { cipher, chain: _ } = DesMac::new(&key, MacPadding::Zeros);
        is_wiped_on_drop(&cipher);
    }
}
