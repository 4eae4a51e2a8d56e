//! The working keys of AES DUKPT that are TDEA keys, for peers whose messages still have blocks of 8 bytes.
//!
//! They may come from derivation keys of any length: two-key TDEA has less than the strength of AES-128, and so has
//! three-key TDEA. Parity is left as it comes.

use crate::aes::working_keys::cmac_keys;
use crate::working_keys::{data_key, pin_key};

/// Declares the keys, in the words of their AES counterparts.
macro_rules! key_types {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        tdea::key_type! {
            $(#[$meta])*
            ///
            /// # Source
            /// ANS X9.24-3:2017 6.3.2.
            pub struct $name { pub(crate) from_key }
        }
    )*};
}

key_types! {
    /// PIN encryption key (usage 1000): encrypts and decrypts PIN blocks of formats 0, 1 and 3, and nothing else.
    PinKey
    /// MAC key for what the originator sends (usage 2000).
    MacRequestKey
    /// MAC key for what the receiver answers (usage 2001).
    MacResponseKey
    /// MAC key for both directions (usage 2002).
    MacBothKey
    /// Data encryption key for what the originator sends (usage 3000).
    DataRequestKey
    /// Data encryption key for what the receiver answers (usage 3001).
    DataResponseKey
    /// Data encryption key for both directions (usage 3002).
    DataBothKey
    /// Key Encryption Key (KEK, usage 0002): other keys travel under it. Key blocks are not here:
    /// [`expose_key`](Self::expose_key) hands the key to what makes them.
    KeyEncryptionKey
}

pin_key!(PinKey);
cmac_keys!(tdea: MacRequestKey MacResponseKey MacBothKey);
data_key!(DataRequestKey);
data_key!(DataResponseKey);
data_key!(DataBothKey);
