//! Message authentication codes of ISO/IEC 9797-1.

use core::fmt;

use cipher::consts::U8;
use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key::{KeyLength, TdeaKey};
use crate::padding::length_block;
use crate::schedule::{self, Des, Tdes};
use crate::{BLOCK_LEN, Padding};

/// A message authentication code of `LEN` bytes, of which no fewer than `MIN` are sent: unless said otherwise 8, and 4 (as ANS
/// X9.24-1:2009 Annex A prints them). It is public once sent; compare it by [`verify`](Self::verify) only.
#[derive(Clone, Copy)]
pub struct Mac<const LEN: usize = BLOCK_LEN, const MIN: usize = 4>([u8; LEN]);

impl<const LEN: usize, const MIN: usize> Mac<LEN, MIN> {
    /// Shortest truncation that verifies, in bytes.
    pub const MIN_LEN: usize = MIN;

    /// A code that was computed here. One that was received stays bytes, for [`verify`](Self::verify).
    #[must_use]
    pub const fn new(bytes: [u8; LEN]) -> Self {
        const { assert!(1 <= MIN && MIN <= LEN, "no code is empty") };
        Self(bytes)
    }

    /// All bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; LEN] {
        &self.0
    }

    /// The leftmost `N` bytes, [`MIN_LEN`](Self::MIN_LEN) of them or more.
    ///
    /// # Examples
    /// ```
    /// # let key = [0x25; 16].into();
    /// let mac = cardroot_tdea::Cmac::compute(&key, b"message");
    /// let sent = mac.truncated::<4>();
    /// assert!(mac.verify(&sent).is_ok());
    /// ```
    /// Other lengths do not compile:
    /// ```compile_fail,E0080
    /// # let key = [0x25; 16].into();
    /// let mac = cardroot_tdea::Cmac::compute(&key, b"message");
    /// let sent = mac.truncated::<3>();
    /// ```
    #[must_use]
    pub fn truncated<const N: usize>(&self) -> [u8; N] {
        const { assert!(MIN <= N && N <= LEN, "a MAC is truncated to MIN_LEN..=LEN bytes") };
        *self.0.first_chunk().expect("N is at most LEN")
    }

    /// Compares with a received code of `MIN` to `LEN` bytes, in constant time for its length.
    ///
    /// # Security
    /// Who may send a code of 4 bytes finds one that fits in 2^31 tries: agree on a length and refuse others.
    ///
    /// # Errors
    /// Returns [`MacMismatch`] if the leftmost bytes differ, or `received` is shorter than `MIN` or longer than `LEN` bytes.
    pub fn verify(&self, received: &[u8]) -> Result<(), MacMismatch> {
        let ours = self.0.get(..received.len()).ok_or(MacMismatch)?;
        if received.len() >= MIN && bool::from(ours.ct_eq(received)) { Ok(()) } else { Err(MacMismatch) }
    }
}

impl<const LEN: usize, const MIN: usize> fmt::Debug for Mac<LEN, MIN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
        f.write_str(")")
    }
}

/// The code received is not the code of this message. Opaque: nothing says where they differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("message authentication code mismatch")]
pub struct MacMismatch;

/// A MAC that can't be computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MacError {
    /// MAC algorithm 3 has two keys; a triple-length key has no agreed meaning there.
    #[error("MAC algorithm 3 takes a double-length key")]
    TripleLengthKey,
    /// The message is not as long as [`MacPadding::LengthFirst`] announced.
    #[error("a message of {announced} bytes was announced, {found} bytes came")]
    MessageLength {
        /** Bytes announced. */
        announced: u64,
        /** Bytes that came. */
        found: u64,
    },
    /// [`Padding::None`] and a message that is empty or not whole blocks.
    #[error("a message of {found} bytes needs padding")]
    NotWholeBlocks {
        /** Bytes supplied. */
        found: usize,
    },
}

/// Padding of a message that arrives in pieces.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MacPadding {
    /// ISO 9797-1 method 1: zeros up to a whole block, one zero block for an empty message.
    Zeros,
    /// ISO 9797-1 method 2: one byte `80`, then zeros.
    OneAndZeros,
    /// ISO 9797-1 method 3: the length comes first, so it must be known first.
    LengthFirst {
        /** Length of the whole message, in bytes. */
        message_len: u64,
    },
}

impl MacPadding {
    /// The padding for a message that is here as a whole.
    pub(crate) fn for_message(padding: Padding, message: &[u8]) -> Result<Self, MacError> {
        match padding {
            Padding::None if message.is_empty() || !message.len().is_multiple_of(BLOCK_LEN) => {
                Err(MacError::NotWholeBlocks { found: message.len() })
            }
            Padding::None | Padding::Zeros => Ok(Self::Zeros),
            Padding::OneAndZeros => Ok(Self::OneAndZeros),
            Padding::LengthFirst => Ok(Self::LengthFirst { message_len: message.len() as u64 }),
        }
    }
}

/// The chain that algorithms 1 and 3 share: `H := E(H XOR block)`, the last block left open until more data or the
/// end comes.
pub(crate) struct Chain {
    state: Zeroizing<[u8; BLOCK_LEN]>,
    /// Bytes of the open block already XORed into `state`, 0 to 8.
    open: usize,
    taken: u64,
    padding: MacPadding,
}

impl Chain {
    /// Starts from the chaining value `iv`, which is zero in ISO 9797-1 itself.
    pub(crate) fn new(padding: MacPadding, iv: [u8; BLOCK_LEN]) -> Self {
        let mut chain = Self { state: Zeroizing::new(iv), open: 0, taken: 0, padding };
        if let MacPadding::LengthFirst { message_len } = padding {
            for (state, byte) in chain.state.iter_mut().zip(length_block(message_len)) {
                *state ^= byte;
            }
            chain.open = BLOCK_LEN;
        }
        chain
    }

    pub(crate) fn update<C>(&mut self, cipher: &C, data: &[u8])
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U8>,
    {
        self.taken = self.taken.wrapping_add(data.len() as u64);
        let mut data = data;
        while !data.is_empty() {
            self.make_room(cipher);
            let (head, tail) = data.split_at(data.len().min(BLOCK_LEN - self.open));
            for (state, byte) in self.state.iter_mut().skip(self.open).zip(head) {
                *state ^= byte;
            }
            self.open += head.len();
            data = tail;
        }
    }

    /// Encrypts the open block if it is full.
    fn make_room<C>(&mut self, cipher: &C)
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U8>,
    {
        if self.open == BLOCK_LEN {
            cipher.encrypt_block((&mut *self.state).into());
            self.open = 0;
        }
    }

    /// Pads, encrypts the last block and returns the chaining value.
    pub(crate) fn close<C>(mut self, cipher: &C) -> Result<Zeroizing<[u8; BLOCK_LEN]>, MacError>
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U8>,
    {
        match self.padding {
            // Zeros XORed in change nothing; an empty message is one zero block.
            MacPadding::Zeros => {}
            MacPadding::OneAndZeros => {
                self.make_room(cipher);
                if let Some(byte) = self.state.get_mut(self.open) {
                    *byte ^= 0x80;
                }
            }
            MacPadding::LengthFirst { message_len } if message_len == self.taken => {
                if message_len == 0 {
                    self.make_room(cipher);
                }
            }
            MacPadding::LengthFirst { message_len } => {
                return Err(MacError::MessageLength { announced: message_len, found: self.taken });
            }
        }
        cipher.encrypt_block((&mut *self.state).into());
        Ok(self.state)
    }
}

/// ISO 9797-1 MAC algorithm 1 with TDEA: CBC-MAC, every block under the whole key.
///
/// `H(i) = E(K, H(i-1) XOR D(i))` from `H(0) = 0` over the padded blocks `D`; the code is the last `H`.
/// For the algorithm over single DES (ANS X9.9) see `hazmat::DesMac`.
///
/// # Source
/// ISO/IEC 9797-1, MAC algorithm 1.
///
/// # Security
/// Codes of messages of different lengths under one key can be joined into the code of a longer message. Where the
/// length is not fixed take padding method 3, [`RetailMac`] or [`Cmac`](crate::Cmac).
pub struct CbcMac {
    keys: Tdes,
    chain: Chain,
}

impl CbcMac {
    /// Starts a message.
    #[must_use]
    pub fn new(key: &TdeaKey, padding: MacPadding) -> Self {
        Self::with_iv(key, padding, [0; BLOCK_LEN])
    }

    /// Starts from the chaining value `iv`.
    pub(crate) fn with_iv(key: &TdeaKey, padding: MacPadding, iv: [u8; BLOCK_LEN]) -> Self {
        Self { keys: schedule::tdes(key), chain: Chain::new(padding, iv) }
    }

    /// The code of a whole message.
    ///
    /// # Errors
    /// Returns [`MacError::NotWholeBlocks`] if [`Padding::None`] does not suit the message.
    pub fn compute(key: &TdeaKey, padding: Padding, message: &[u8]) -> Result<Mac, MacError> {
        let mut mac = Self::new(key, MacPadding::for_message(padding, message)?);
        mac.update(message);
        mac.finalize()
    }

    /// Takes the next piece of the message.
    pub fn update(&mut self, data: &[u8]) {
        self.chain.update(&self.keys, data);
    }

    /// Ends the message.
    ///
    /// # Errors
    /// Returns [`MacError::MessageLength`] if another length was announced.
    pub fn finalize(self) -> Result<Mac, MacError> {
        let last = self.chain.close(&self.keys)?;
        Ok(Mac::new(*last))
    }
}

/// ISO 9797-1 MAC algorithm 3, the retail MAC of ANS X9.19: a single-DES chain under the left half, the last block
/// also decrypted under the right half and encrypted under the left.
///
/// `H(i) = e(KL, H(i-1) XOR D(i))` from `H(0) = 0` over the padded blocks `D`; the code is `e(KL, d(KR, H))` of the
/// last `H`, with `e` and `d` single DES.
///
/// # Source
/// ISO/IEC 9797-1, MAC algorithm 3; ANS X9.19.
#[doc(alias = "X9.19")]
pub struct RetailMac {
    left: Des,
    right: Des,
    chain: Chain,
}

impl RetailMac {
    /// Starts a message.
    ///
    /// # Errors
    /// Returns [`MacError::TripleLengthKey`] unless the key is of double length.
    pub fn new(key: &TdeaKey, padding: MacPadding) -> Result<Self, MacError> {
        Self::with_iv(key, padding, [0; BLOCK_LEN])
    }

    /// Starts a message from the chaining value `iv`: secure messaging of the PBOC family starts from a challenge.
    ///
    /// # Errors
    /// Returns [`MacError::TripleLengthKey`] unless the key is of double length.
    pub fn with_iv(key: &TdeaKey, padding: MacPadding, iv: [u8; BLOCK_LEN]) -> Result<Self, MacError> {
        match (key.length(), key.parts()) {
            (KeyLength::Double, [left, right]) => Ok(Self {
                left: schedule::des(left),
                right: schedule::des(right),
                chain: Chain::new(padding, iv),
            }),
            _ => Err(MacError::TripleLengthKey),
        }
    }

    /// The code of a whole message.
    ///
    /// # Errors
    /// Returns [`MacError::TripleLengthKey`] unless the key is of double length, [`MacError::NotWholeBlocks`] if
    /// [`Padding::None`] does not suit the message.
    pub fn compute(key: &TdeaKey, padding: Padding, message: &[u8]) -> Result<Mac, MacError> {
        let mut mac = Self::new(key, MacPadding::for_message(padding, message)?)?;
        mac.update(message);
        mac.finalize()
    }

    /// Takes the next piece of the message.
    pub fn update(&mut self, data: &[u8]) {
        self.chain.update(&self.left, data);
    }

    /// Ends the message.
    ///
    /// # Errors
    /// Returns [`MacError::MessageLength`] if another length was announced.
    pub fn finalize(self) -> Result<Mac, MacError> {
        let mut last = self.chain.close(&self.left)?;
        self.right.decrypt_block((&mut *last).into());
        self.left.encrypt_block((&mut *last).into());
        Ok(Mac::new(*last))
    }
}

impl fmt::Debug for CbcMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CbcMac").finish_non_exhaustive()
    }
}

impl fmt::Debug for RetailMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetailMac").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiping::is_wiped_on_drop;

    #[test]
    fn a_code_in_progress_is_wiped_on_drop() {
        let key = TdeaKey::from([0x25; 16]);
        let CbcMac { keys, chain } = CbcMac::new(&key, MacPadding::Zeros);
        is_wiped_on_drop(&keys);
        let Chain { state, open: _, taken: _, padding: _ } = chain;
        is_wiped_on_drop(&state);

        let RetailMac { left, right, chain: _ } =
            RetailMac::new(&key, MacPadding::Zeros).expect("a double key");
        is_wiped_on_drop(&left);
        is_wiped_on_drop(&right);
    }
}
