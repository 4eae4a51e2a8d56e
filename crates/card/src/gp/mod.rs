//! A security domain of GlobalPlatform in software: the card that personalisation by CPS meets, and the issuer's key sets.
//!
//! | command | bytes | remarks |
//! |---|---|---|
//! | SELECT | `00 A4 04 00` name | the whole name, its first 5 bytes or more, or none; closes a session |
//! | INITIALIZE UPDATE | `80 50` version `00` | version `00`: the first set. The set's keys pick the protocol; closes a session |
//! | EXTERNAL AUTHENTICATE | `84 82` level `00` | `6300` and a try less; at none `6983` to INITIALIZE UPDATE, for good |
//! | GET DATA | `80 CA` `0066`, `00E0`, `9F7F` | recognition data, key information, life cycle data; also without a session |
//! | GET STATUS | `80 F2 80` `00`\|`02` | the issuer's domain; there is nothing else on the card: `6A88` |
//! | PUT KEY | `80 D8` replaced `81` | three keys, type `80` or `88`, under the session's data key; each check value must fit |
//! | STORE DATA | `80 E2` P1 block | data groupings, plain or encrypted (`60`); format bits `00` and `01`; bit 8 ends it |
//!
//! What a domain keeps without power are its key sets with their counters, the failures since the last success, the data groupings
//! that are whole, and whether the last block has come. A session, its number of the next block and a grouping that it has begun end
//! with it.
//!
//! PUT KEY and STORE DATA need a session with MACs (`6982`). A command that does not verify closes the session: `6988`, or `6982`
//! for one without secure messaging.

mod channel;
mod commands;
mod domain;
mod keys;
mod memory;
mod objects;
mod profile;
mod put_key;
mod store_data;

pub use domain::SecurityDomain;
pub use keys::{DomainKeys, DomainKeysError};
pub use profile::{DomainName, DomainNameError, DomainProfile};
