//! Secure messaging, one module for each family: so far [`pboc`]. SCP02 and SCP03 will stand beside it.

pub mod pboc;

/// A code, cryptogram or ciphertext from the other side is not what it must be.
///
/// Opaque on purpose: whether length, code or padding was wrong would help an attacker only.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("secure messaging rejected")]
pub struct Rejected;
