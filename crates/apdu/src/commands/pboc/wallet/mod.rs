//! Transactions with the wallet of a PBOC card, from the host's and the terminal's side.
//!
//! A transaction is a chain of types. What follows from a step takes the step away, and the money only moves once the other
//! side has been checked: a [`LoadAnswer`] has no way to a credit but through [`verify`](HostAnswer::verify).
//!
//! ```text
//! Load ─ initialize ─▶ card ─▶ LoadAnswer ─ verify (MAC1) ─▶ LoadInitiated ─ credit (MAC2) ─▶ card ─▶ verify_tac
//! Purchase ─ initialize ─▶ card ─▶ PurchaseAnswer ─ debit | ask_sam (MAC1) ─▶ card ─▶ verify (MAC2)
//! ```
//!
//! # Source
//! PBOC electronic purse and passbook as FMCOS 2.0 has it; transcripts of FM1208 cards.
//!
//! # Examples
//! The load of a published transcript:
//! ```
//! use cardroot_apdu::commands::pboc::Wallet;
//! use cardroot_apdu::commands::pboc::wallet::{Load, LoadKey, TacKey, TransactionTime};
//! use tdea::TdeaKey;
//!
//! let key = TdeaKey::from(*b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF");
//! let (load_key, tac_key) = (LoadKey::try_from(key.duplicate())?, TacKey::try_from(key)?);
//! let terminal = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55];
//! let load = Load { wallet: Wallet::Purse, key_id: 0x01, amount: 0x2000, terminal };
//! assert_eq!(load.initialize().encode().expose_bytes()[..5], [0x80, 0x50, 0x00, 0x02, 0x0B]);
//!
//! let answer = [0, 0, 0, 0, 0, 0, 1, 0, 0xC9, 0x03, 0x81, 0x4D, 0x03, 0x97, 0x6C, 0x22];
//! let initiated = load.answer(&answer)?.verify(&load_key)?;
//! let time = TransactionTime::from([0x20, 0x16, 0x12, 0x16, 0x10, 0x58, 0x00]);
//! let (credit, sent) = initiated.credit(time);
//! assert_eq!(credit.expose_data()[7..], [0x8A, 0xFA, 0x57, 0x18]);
//! sent.verify_tac(&[0xFA, 0x00, 0x06, 0x6D], &tac_key)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! A host that has not checked MAC1 can't credit:
//! ```compile_fail,E0599
//! # use cardroot_apdu::commands::pboc::wallet::{LoadAnswer, TransactionTime};
//! fn careless(answer: LoadAnswer, time: TransactionTime) {
//!     let _ = answer.credit(time);
//! }
//! ```
//! ```
//! # use cardroot_apdu::commands::pboc::wallet::{LoadAnswer, LoadKey, TransactionTime};
//! # use cardroot_apdu::secure::Rejected;
//! fn careful(answer: LoadAnswer, key: &LoadKey, time: TransactionTime) -> Result<(), Rejected> {
//!     let _ = answer.verify(key)?.credit(time);
//!     Ok(())
//! }
//! ```

mod host;
mod inquiry;
mod keys;
mod purchase;

pub use host::{
    HostAnswer, HostInitiated, HostSent, HostTransaction, Load, LoadAnswer, LoadInitiated, LoadSent,
    Overdraft, OverdraftAnswer, OverdraftInitiated, OverdraftSent, Unload, UnloadAnswer, UnloadInitiated,
    UnloadSent,
};
pub use inquiry::{get_balance, transaction_proof, update_compound_cache};
pub use keys::{LoadKey, OverdraftKey, PinReloadKey, PurchaseKey, TacKey, UnloadKey};
pub use purchase::{
    Purchase, PurchaseAnswer, PurchaseKind, PurchaseSent, PurchaseStatement, SamAsked, SamDebit,
};

use super::create::Wallet;
use crate::secure::Rejected;

/// Number of a terminal.
pub type TerminalId = [u8; 6];

/// Length of a MAC or TAC in bytes.
const MAC_LEN: usize = 4;

/// Date and time of a transaction, `YYYYMMDD HHMMSS` in BCD. The card takes them as they are.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TransactionTime([u8; 7]);

impl TransactionTime {
    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 7] {
        &self.0
    }
}

impl From<[u8; 7]> for TransactionTime {
    fn from(bytes: [u8; 7]) -> Self {
        Self(bytes)
    }
}

/// Transaction authorisation cryptogram (TAC): the card's signature for the clearing. It is public.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Tac([u8; MAC_LEN]);

impl Tac {
    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; MAC_LEN] {
        &self.0
    }
}

/// What a transaction does, as it stands in MACs and in the log.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TransactionType {
    /// `01`: load of the deposit.
    DepositLoad,
    /// `02`: load of the purse.
    PurseLoad,
    /// `03`: unload.
    Unload,
    /// `04`: cash.
    Cash,
    /// `05`: purchase from the deposit.
    DepositPurchase,
    /// `06`: purchase from the purse.
    PursePurchase,
    /// `07`: change of the overdraft limit.
    Overdraft,
    /// `09`: compound purchase.
    Compound,
}

impl TransactionType {
    /// Its byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::DepositLoad => 0x01,
            Self::PurseLoad => 0x02,
            Self::Unload => 0x03,
            Self::Cash => 0x04,
            Self::DepositPurchase => 0x05,
            Self::PursePurchase => 0x06,
            Self::Overdraft => 0x07,
            Self::Compound => 0x09,
        }
    }
}

/// An answer of another length than the command has.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the answer has {expected} bytes, found {found}")]
pub struct AnswerLengthError {
    /// Bytes that the command's answer has.
    pub expected: usize,
    /// Bytes found.
    pub found: usize,
}

/// Reads an answer of fixed length.
fn fixed<const N: usize>(data: &[u8]) -> Result<[u8; N], AnswerLengthError> {
    data.try_into().map_err(|_| AnswerLengthError { expected: N, found: data.len() })
}

/// Verifies a MAC of 4 bytes.
fn expect_mac(expected: &tdea::Mac, received: &[u8]) -> Result<(), Rejected> {
    if received.len() != MAC_LEN {
        return Err(Rejected);
    }
    expected.verify(received).map_err(|_| Rejected)
}

impl Wallet {
    const fn p2(self) -> u8 {
        match self {
            Self::Deposit => 0x01,
            Self::Purse => 0x02,
        }
    }
}
