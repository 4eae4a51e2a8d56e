//! Personalisation commands of the PBOC family: FMCOS, and TimeCOS, whose type codes it shares.
//!
//! # Source
//! FMCOS 2.0 user manual, chapters 4 and 7. Other makers' systems (SmartCOS, Tianyu) create files and load keys by
//! other layouts, which are not here.

mod create;
mod lock;
mod sam;
mod tianyu;
mod write_key;

pub use create::{
    Access, CreateDf, CreateEf, CreateKeyFile, CreateMf, CreateWallet, EfKind, LineKeyIds, ReadProtection,
    Wallet, erase_df,
};
pub use lock::{Duration, application_block, application_unblock, card_block};
pub use sam::{DesCrypt, des_crypt, init_for_descrypt};
pub use tianyu::TianyuSm4Key;
pub use write_key::{
    KeyAttributes, KeyLoading, KeyRecord, KeyType, KeyUse, PinRecord, PsamKeyUsage, Tries, WriteKey,
    WriteKeyAction, WritePsamKey,
};
