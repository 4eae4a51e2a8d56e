//! What the test files share: vector rows and a generator that repeats itself.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic here is the report of a broken vector file"
)]

pub(crate) mod keys;

use core::convert::Infallible;

use cardroot_pin::{Pan, Pin};
use rand_core::{TryCryptoRng, TryRng};

/// Rows of a vector file by column, without comments and heading.
pub(crate) fn rows<'a, const COLUMNS: usize>(file: &'a str, heading: &str) -> Vec<[&'a str; COLUMNS]> {
    let mut lines = file.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some(heading));
    lines.map(|line| line.split(',').collect::<Vec<_>>().try_into().unwrap()).collect()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(text).unwrap()
}

pub(crate) fn hex_array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

pub(crate) fn pin(digits: &str) -> Pin {
    Pin::from_ascii_digits(digits.as_bytes()).unwrap()
}

pub(crate) fn pan(digits: &str) -> Pan {
    Pan::from_ascii_digits(digits.as_bytes()).unwrap()
}

/// A generator of known numbers (splitmix64), a stand-in for a cryptographic one.
pub(crate) struct KnownRng(pub(crate) u64);

impl TryRng for KnownRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|wide| (wide >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let random = self.try_next_u64()?.to_be_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for KnownRng {}
