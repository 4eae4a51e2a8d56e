//! Commands of GlobalPlatform card management and of card personalisation (CPS).
//!
//! EXTERNAL AUTHENTICATE is not here: only a session makes it, see [`secure::gp`](crate::secure::gp).
//!
//! # Source
//! GlobalPlatform Card Specification 2.3, chapter 11; EMV Card Personalization Specification 1.1.

mod manage;
mod store_data;

pub use manage::{
    KeyReceipt, KeyReceiptError, KeyVersion, PutKeyError, StatusScope, get_data, get_status,
    initialize_update, put_key, select_security_domain,
};
pub(crate) use store_data::EncodeError;
pub use store_data::{Confidentiality, Dgi, DgiFormat, Last, StoreData};
