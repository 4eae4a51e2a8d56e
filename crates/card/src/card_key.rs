//! Keys as cards of this family use them: the length decides between DES and TDEA, a header names SM4.

use core::fmt;

use diversify::block::{BLOCK_LEN as SM4_BLOCK_LEN, Sm4Key};
use tdea::hazmat::{DesKey, DesMac};
use tdea::{BLOCK_LEN, KeyError, KeyLength, MacPadding, Mode, RetailMac, TdeaKey};
use zeroize::Zeroizing;

use crate::secure_messaging::MAC_LEN;

/// A key of 8 or 16 bytes. Wiped on drop.
///
/// # Source
/// FMCOS 2.0 user manual, 5.4: DES and DES-CBC-MAC with 8 bytes, TDEA and ISO 9797-1 MAC algorithm 3 with 16.
pub(crate) enum CardKey {
    Single(DesKey),
    Double(TdeaKey),
    /// Of 16 bytes; protects and proves only, see [`KeyKind::takes_sm4`](crate::key_record::KeyKind::takes_sm4).
    Sm4(Sm4Key),
}

impl CardKey {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Single(key) => key.expose_bytes().len(),
            Self::Double(key) => key.length().bytes(),
            Self::Sm4(key) => key.expose_bytes().len(),
        }
    }

    /// Shows the key, for what keeps it without power.
    pub(crate) fn expose_bytes(&self) -> &[u8] {
        match self {
            Self::Single(key) => key.expose_bytes(),
            Self::Double(key) => key.expose_bytes(),
            Self::Sm4(key) => key.expose_bytes(),
        }
    }

    /// Length of a block in bytes: 8 or 16.
    pub(crate) const fn block_len(&self) -> usize {
        match self {
            Self::Single(_) | Self::Double(_) => BLOCK_LEN,
            Self::Sm4(_) => SM4_BLOCK_LEN,
        }
    }

    /// Whether both keys are of one cipher and one length.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.len(), self.block_len()) == (other.len(), other.block_len())
    }

    /// Encrypts whole blocks in place, each by itself.
    pub(crate) fn encrypt(&self, blocks: &mut [u8]) {
        match self {
            Self::Single(key) => key.encrypt(Mode::Ecb, blocks),
            Self::Double(key) => key.cipher().encrypt(Mode::Ecb, blocks),
            Self::Sm4(key) => {
                return sm4_blocks(blocks).iter_mut().for_each(|block| key.encrypt_block(block));
            }
        }
        .expect("callers pass whole blocks");
    }

    /// Decrypts whole blocks in place, each by itself.
    pub(crate) fn decrypt(&self, blocks: &mut [u8]) {
        match self {
            Self::Single(key) => key.decrypt(Mode::Ecb, blocks),
            Self::Double(key) => key.cipher().decrypt(Mode::Ecb, blocks),
            Self::Sm4(key) => {
                return sm4_blocks(blocks).iter_mut().for_each(|block| key.decrypt_block(block));
            }
        }
        .expect("callers pass whole blocks");
    }

    /// The MAC over the concatenation of `parts`, padded with `80 00…`, chained from `iv`, which zeros complete to a block.
    pub(crate) fn mac(&self, iv: [u8; BLOCK_LEN], parts: &[&[u8]]) -> [u8; MAC_LEN] {
        match self {
            Self::Sm4(key) => return sm4_mac(key, iv, parts),
            Self::Single(key) => {
                let mut mac = DesMac::with_iv(key, MacPadding::OneAndZeros, iv);
                parts.iter().for_each(|part| mac.update(part));
                mac.finalize()
            }
            Self::Double(key) => {
                let mut mac = RetailMac::with_iv(key, MacPadding::OneAndZeros, iv)
                    .expect("a card key is of double length at most");
                parts.iter().for_each(|part| mac.update(part));
                mac.finalize()
            }
        }
        .expect("no message length was announced")
        .truncated()
    }

    /// The halves XORed: the key of the TAC and of RELOAD PIN. A key of 8 bytes is used as it is.
    pub(crate) fn folded(&self) -> DesKey {
        match self {
            Self::Single(key) => key.duplicate(),
            Self::Double(key) => DesKey::xor_of_halves(key).expect("a card key is of double length at most"),
            Self::Sm4(_) => unreachable!("keys of TAC and RELOAD PIN are never SM4 keys"),
        }
    }
}

/// CBC-MAC.
fn sm4_mac(key: &Sm4Key, iv: [u8; BLOCK_LEN], parts: &[&[u8]]) -> [u8; MAC_LEN] {
    let mut message = Zeroizing::new(parts.concat());
    message.push(0x80);
    let mut state = Zeroizing::new([0; SM4_BLOCK_LEN]);
    state.iter_mut().zip(iv).for_each(|(state, byte)| *state = byte);
    for block in message.chunks(SM4_BLOCK_LEN) {
        state.iter_mut().zip(block).for_each(|(state, byte)| *state ^= byte);
        key.encrypt_block(&mut state);
    }
    *state.first_chunk().expect("a block is longer than a MAC")
}

fn sm4_blocks(data: &mut [u8]) -> &mut [[u8; SM4_BLOCK_LEN]] {
    let (blocks, rest) = data.as_chunks_mut();
    assert!(rest.is_empty(), "callers pass whole blocks");
    blocks
}

impl TryFrom<&[u8]> for CardKey {
    type Error = KeyError;

    fn try_from(bytes: &[u8]) -> Result<Self, KeyError> {
        match bytes.len() {
            8 => DesKey::try_from(bytes).map(Self::Single),
            _ => TdeaKey::try_from(bytes)?.try_into(),
        }
    }
}

impl TryFrom<TdeaKey> for CardKey {
    type Error = KeyError;

    /// Refuses a triple-length key: cards of this family have none.
    fn try_from(key: TdeaKey) -> Result<Self, KeyError> {
        match key.length() {
            KeyLength::Double => Ok(Self::Double(key)),
            KeyLength::Triple => Err(KeyError::Length { found: KeyLength::Triple.bytes() }),
        }
    }
}

impl fmt::Debug for CardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardKey").field("len", &self.len()).finish_non_exhaustive()
    }
}
