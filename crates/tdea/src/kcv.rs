//! Check values: public fingerprints of keys.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::BLOCK_LEN;
use crate::cmac::Cmac;
use crate::key::TdeaKey;

/// How a check value is computed. It is part of the value: values of different methods never compare equal.
///
/// The methods of other ciphers are named here so that one type serves all; they are computed where those keys live.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KcvMethod {
    /// The TDEA key encrypts a block of zeros (ANS X9.24-1:2009 7.4).
    ///
    /// All 8 bytes of it are what CMAC makes its subkeys from: show few of them, or [`TdeaCmac`](Self::TdeaCmac),
    /// of a key that computes CMACs.
    TdeaZeros,
    /// CMAC under the TDEA key over a block of zeros.
    TdeaCmac,
    /// The AES key encrypts a block of zeros.
    AesZeros,
    /// The AES key encrypts a block of `01` bytes (GlobalPlatform).
    AesOnes,
    /// CMAC under the AES key over a block of zeros (ANS X9.24-1:2017, X9.143).
    AesCmac,
    /// The SM4 key encrypts a block of zeros.
    Sm4Zeros,
}

impl KcvMethod {
    /// The longest value the method has: one block of its cipher, in bytes.
    #[must_use]
    pub const fn max_len(self) -> usize {
        match self {
            Self::TdeaZeros | Self::TdeaCmac => 8,
            Self::AesZeros | Self::AesOnes | Self::AesCmac | Self::Sm4Zeros => 16,
        }
    }
}

/// Key Check Value (KCV): lets two parties see that they hold the same key without showing it.
///
/// A value over 2 to [`KcvMethod::max_len`] bytes. It never proves that the bytes are the same: parity bits of a
/// TDEA key do not show in it.
#[doc(alias = "check digits")]
#[derive(Clone, Copy)]
pub struct Kcv {
    method: KcvMethod,
    bytes: [u8; 16],
    len: usize,
}

/// A check value that can't exist.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KcvError {
    /// The method does not allow this many bytes.
    #[error("a check value of this method is 2 to {max} bytes, {found} asked for")]
    Length {
        /** The most bytes the method has. */
        max: usize,
        /** Bytes asked for or supplied. */
        found: usize,
    },
    /// The method belongs to another cipher than the key.
    #[error("the check value method belongs to another cipher")]
    Cipher,
}

/// The check values are of different keys, methods or lengths.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("check value mismatch")]
pub struct KcvMismatch;

impl Kcv {
    /// Fewest bytes shown.
    pub const MIN_LEN: usize = 2;
    /// Bytes shown where nothing else is agreed.
    pub const USUAL_LEN: usize = 3;

    /// Takes a check value that was received or is expected.
    ///
    /// # Errors
    /// Returns [`KcvError::Length`] if `bytes` is shorter than 2 bytes or longer than the method allows.
    pub fn new(method: KcvMethod, bytes: &[u8]) -> Result<Self, KcvError> {
        let (max, found) = (method.max_len(), bytes.len());
        if !(Self::MIN_LEN..=max).contains(&found) {
            return Err(KcvError::Length { max, found });
        }
        let mut kcv = Self { method, bytes: [0; 16], len: found };
        kcv.bytes.get_mut(..found).expect("no method has more than 16 bytes").copy_from_slice(bytes);
        Ok(kcv)
    }

    /// Computes the check value of a TDEA key over the whole key.
    pub(crate) fn of_tdea(key: &TdeaKey, method: KcvMethod, len: usize) -> Result<Self, KcvError> {
        // What is not shown of the block stays secret: CMAC makes its subkeys from the same encryption.
        let mut block = Zeroizing::new([0; BLOCK_LEN]);
        match method {
            KcvMethod::TdeaZeros => key.cipher().encrypt_block(&mut block),
            KcvMethod::TdeaCmac => *block = *Cmac::compute(key, &[0; BLOCK_LEN]).as_bytes(),
            KcvMethod::AesZeros | KcvMethod::AesOnes | KcvMethod::AesCmac | KcvMethod::Sm4Zeros => {
                return Err(KcvError::Cipher);
            }
        }
        let shown = block.get(..len).ok_or(KcvError::Length { max: method.max_len(), found: len })?;
        Self::new(method, shown)
    }

    /// How the value was computed.
    #[must_use]
    pub const fn method(&self) -> KcvMethod {
        self.method
    }

    /// The bytes shown.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).expect("a check value is at most 16 bytes")
    }

    /// Compares method, length and bytes, the bytes in constant time.
    ///
    /// # Errors
    /// Returns [`KcvMismatch`] if anything differs.
    pub fn verify(&self, other: &Self) -> Result<(), KcvMismatch> {
        let bytes = bool::from(self.as_bytes().ct_eq(other.as_bytes()));
        if self.method == other.method && bytes { Ok(()) } else { Err(KcvMismatch) }
    }
}

impl PartialEq for Kcv {
    fn eq(&self, other: &Self) -> bool {
        self.verify(other).is_ok()
    }
}

impl Eq for Kcv {}

impl fmt::Display for Kcv {
    /// Upper-case hex without separators.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Kcv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kcv({:?}, {self})", self.method)
    }
}
