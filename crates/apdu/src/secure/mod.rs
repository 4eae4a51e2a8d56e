//! Secure messaging, one module for each family: [`pboc`] under a challenge for each command; [`scp02`] and [`scp03`] of
//! GlobalPlatform in sessions, whose common parts are in [`gp`].

pub mod gp;
pub mod pboc;
pub mod scp02;
pub mod scp03;

/// A code, cryptogram or ciphertext from the other side is not what it must be.
///
/// Opaque on purpose: whether length, code or padding was wrong would help an attacker only.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("secure messaging rejected")]
pub struct Rejected;
