//! Personalisation commands of the PBOC family: FMCOS, and TimeCOS, whose type codes it shares.
//!
//! # Source
//! FMCOS 2.0 user manual, chapters 4 and 7. Other makers' systems (SmartCOS, Tianyu) create files and load keys by other layouts:
//! [`KeyHeader`] loads keys, [`end_create`] closes what was created, and how a file is created is in no public source.

mod create;
mod header_key;
mod key_card;
mod lock;
mod pin;
mod sam;
pub mod wallet;
mod write_key;

pub use create::{
    Access, CreateDf, CreateEf, CreateKeyFile, CreateMf, CreateWallet, EfKind, LineKeyIds, ReadProtection,
    Wallet, erase_df,
};
pub use header_key::{EndCreate, HeaderKeyType, HeaderSystem, KeyHeader, end_create};
pub use key_card::{ExportKey, ReceiverKind, import_key};
pub use lock::{Duration, application_block, application_unblock, card_block};
pub use pin::{change_pin, reload_pin, unblock_pin};
pub use sam::{DesCrypt, des_crypt, init_for_descrypt};
pub use write_key::{
    KeyAttributes, KeyLoading, KeyRecord, KeyType, KeyUse, PinRecord, PsamKeyUsage, Tries, WriteKey,
    WriteKeyAction, WritePsamKey,
};

use crate::header::{Header, Instruction};

/// Header of a command in class 80.
fn header(instruction: u8, p1: u8, p2: u8) -> Header {
    let instruction = Instruction::from_byte(instruction).expect("callers name instructions");
    Header::proprietary(instruction, p1, p2)
}
