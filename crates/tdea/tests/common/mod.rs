//! What several test files share.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod reference;
pub(crate) mod rsp;

use cardroot_tdea::{Mode, Padding, TdeaKey};

/// Reads hex of either case.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(digits).expect("hex")
}

/// Reads a key of 16 or 24 bytes.
pub(crate) fn key(bytes: &[u8]) -> TdeaKey {
    TdeaKey::try_from(bytes).expect("16 or 24 bytes")
}

/// All paddings that need not know the data.
pub(crate) const PADDINGS: [Padding; 3] = [Padding::Zeros, Padding::OneAndZeros, Padding::LengthFirst];

/// Both modes, CBC under a vector that is not zero.
pub(crate) const MODES: [Mode; 2] =
    [Mode::Ecb, Mode::Cbc { iv: [0xF6, 0x9F, 0x24, 0x45, 0xDF, 0x4F, 0x9B, 0x17] }];

/// `len` bytes, no two neighbours alike, none of them zero.
pub(crate) fn message(len: usize) -> Vec<u8> {
    (1..=u8::MAX).cycle().take(len).collect()
}

/// Fails if a value made of `A5` bytes shows one of them, in hex or decimal; it must name its type.
pub(crate) fn assert_silent(name: &str, secret: &impl core::fmt::Debug) {
    for shown in [format!("{secret:?}"), format!("{secret:#?}"), format!("{secret:#x?}")] {
        assert!(shown.starts_with(name), "{shown}");
        let shown = shown.to_lowercase();
        assert!(!shown.contains("a5") && !shown.contains("165"), "{shown}");
    }
}
