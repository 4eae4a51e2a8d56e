//! Responses.

use crate::bytes::SecretBytes;
use crate::status::{InvalidStatusWord, StatusWord, UnexpectedStatus};

/// A response APDU: data, then SW1-SW2. Its data is wiped on drop; `Debug` shows its length only.
///
/// # Source
/// ISO/IEC 7816-4:2013 5.2 and 5.6.
#[derive(Debug)]
pub struct ResponseApdu {
    data: SecretBytes,
    status: StatusWord,
}

/// Bytes that are no response.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// No room for SW1-SW2. A card that was pulled out in the middle of a command often shows as an empty response.
    #[error("a response is at least 2 bytes, found {found}")]
    TooShort {
        /** Bytes supplied. */
        found: usize,
    },
    /// The last two bytes are no status word.
    #[error(transparent)]
    Status(#[from] InvalidStatusWord),
    /// More data than any command can ask for.
    #[error("response data is at most 65536 bytes, found {found}")]
    DataTooLong {
        /** Bytes supplied. */
        found: usize,
    },
}

impl ResponseApdu {
    /// Most bytes of data: what an extended Le can ask for.
    pub const MAX_DATA: usize = 65536;
    /// Length of the longest response in bytes.
    pub const MAX_LEN: usize = Self::MAX_DATA + 2;

    /// A response with a copy of `data`.
    ///
    /// # Errors
    /// Returns [`ResponseError::DataTooLong`] over 65536 bytes.
    pub fn new(data: &[u8], status: StatusWord) -> Result<Self, ResponseError> {
        Self::from_secret(data.into(), status)
    }

    /// A response with `data` itself.
    pub(crate) fn from_secret(data: SecretBytes, status: StatusWord) -> Result<Self, ResponseError> {
        match data.len() {
            0..=Self::MAX_DATA => Ok(Self { data, status }),
            found => Err(ResponseError::DataTooLong { found }),
        }
    }

    /// Its data.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.data.expose_bytes()
    }

    /// Its status word.
    #[must_use]
    pub const fn status(&self) -> StatusWord {
        self.status
    }

    pub(crate) fn into_parts(self) -> (SecretBytes, StatusWord) {
        (self.data, self.status)
    }

    /// The response if its status is `9000` and nothing else.
    ///
    /// # Errors
    /// Returns the status as an error otherwise: also for a warning, since `63CX` is a refused PIN.
    pub fn into_ok(self) -> Result<Self, UnexpectedStatus> {
        match self.status {
            StatusWord::OK => Ok(self),
            status => Err(UnexpectedStatus(status)),
        }
    }

    /// Reads a response; all of `bytes` is used.
    ///
    /// # Errors
    /// Returns [`ResponseError`] for anything that is no response.
    pub fn decode(bytes: &[u8]) -> Result<Self, ResponseError> {
        let (data, status) =
            bytes.split_last_chunk().ok_or(ResponseError::TooShort { found: bytes.len() })?;
        Self::new(data, StatusWord::try_from(*status)?)
    }

    /// Encodes the response.
    #[must_use]
    pub fn encode(&self) -> SecretBytes {
        let mut out = SecretBytes::with_capacity(self.data.len() + 2);
        out.extend(self.data());
        out.extend(&self.status.bytes());
        out
    }
}
