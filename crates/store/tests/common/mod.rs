//! What the tests that kill things share.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "each test file uses a part; a panic is how a test reports"
)]

pub mod child;
#[cfg(feature = "postgres")]
pub mod cluster;
pub mod load;
