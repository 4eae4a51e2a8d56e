//! Cryptographic service messages (CSM): how keys under keys, their counts and the answers to them are written.
//!
//! A message is `CSM(` fields `)`. A field is `tag/content` and one blank, so the message ends in ` )`. The first field is the class
//! (`MCL`), the last one the MAC or the error detection code (EDC) if there is one. Parties and keys may have slashes and parentheses in
//! their names, so only a blank ends a field.
//!
//! ```
//! use cardroot_smid::csm::{Class, Csm, Field, check};
//!
//! let text = b"CSM(MCL/KSM RCV/BANKB ORG/BANKA KD/0123456789ABCDEF.DAY7.MASTER1 CTP/0000000000002A MAC/8F0E1D2C )";
//! let csm = Csm::decode(text)?;
//! assert_eq!(csm.class(), Class::Ksm);
//! assert!(check(&csm).is_empty());
//! assert_eq!(csm.count_p().map(|count| count.value()), Some(42));
//! let key = csm.fields().find_map(|field| if let Field::Kd(key) = field { Some(key) } else { None });
//! assert_eq!(key.and_then(|key| key.name).map(|name| name.to_string()).as_deref(), Some("DAY7"));
//!
//! // A MAC is computed over the bytes received, from `MCL` to the blank before `MAC`.
//! let (covered, _mac) = csm.mac().expect("the message has a MAC");
//! assert!(covered.starts_with(b"MCL/KSM") && covered.ends_with(b"0000000000002A "));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! Keys in a message are ciphertext, and nothing here decrypts them. Reading takes no memory beyond the text itself: a [`Csm`] is a view
//! of it, and its fields are read as they are asked for.
//!
//! # Source
//! ANS X9.17 as FIPS PUB 171 (1992) describes it: characters of names (option 8), order of `SVR` (3), null fields (A.15), what a MAC covers
//! (A.14), no CRLF between fields (21). That a blank stands before `)` is the habit of every sample we know. Tags `NOS` and `TID`
//! are known from an X12 list alone, and so their content is free here.

mod code;
mod decode;
mod draft;
mod error;
mod field;
mod key;
mod name;
mod rules;
mod service;
mod tag;
mod token;

pub use code::{Code, CodeError, Count, CountError};
pub use decode::{Csm, Fields, Strictness, peek};
pub use draft::Draft;
pub use error::{DecodeError, EncodeError, Part, Reason};
pub use field::Field;
pub use key::{Cryptogram, KeyField};
pub use name::{KeyId, NameError, PartyId};
pub use rules::{Finding, check};
pub use service::{ErrorCodes, Service, ServiceRequest};
pub use tag::{Class, Tag};
