//! What cardroot is measured against: the crate `des`, and libraries of the system that are opened at run time, so that a build needs
//! none of them.
//!
//! Each is used in the way that takes it least time: contexts are kept, and where several interfaces do the same, the faster one is taken.

mod botan;
pub mod crate_des;
mod libgcrypt;
mod library;
mod nettle;
mod openssl;

pub use self::botan::Botan;
pub use self::libgcrypt::Libgcrypt;
pub use self::nettle::Nettle;
pub use self::openssl::{OpenSsl, OpenSslPeer, Tdes};

/// The libraries looked for, each with its version if it is here.
#[must_use]
pub fn found() -> Vec<(&'static str, Option<String>)> {
    vec![
        ("OpenSSL", OpenSsl::find().map(OpenSsl::version)),
        ("libgcrypt", Libgcrypt::find().map(|library| library.version())),
        ("Botan", Botan::find().map(|library| library.version())),
        ("nettle", Nettle::find().map(|library| library.version())),
    ]
}

/// A double-length key as the triple-length one that most libraries want.
fn triple(key: &[u8; 16]) -> [u8; 24] {
    let mut triple = [0; 24];
    triple.iter_mut().zip(key.iter().cycle()).for_each(|(out, byte)| *out = *byte);
    triple
}

/// A single DES key as a double-length one.
#[must_use]
pub fn twice(key: &[u8; 8]) -> [u8; 16] {
    let half = u128::from(u64::from_be_bytes(*key));
    (half << 64 | half).to_be_bytes()
}
