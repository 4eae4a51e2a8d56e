//! Which commands a session takes, and their headers under the MAC.

use super::MAC_LEN;
use crate::class::{Chaining, Class};
use crate::header::Header;

/// Most bytes of plain data that fit a short command: one byte of padding up to whole blocks, then the MAC.
pub(super) const fn max_data(is_enciphered: bool) -> usize {
    match is_enciphered {
        // 240 bytes are whole blocks of 8 and of 16.
        true => 239,
        false => 255 - MAC_LEN,
    }
}

/// Most bytes of plain data that fit a short response.
pub(super) const fn max_reply(is_enciphered: bool) -> usize {
    match is_enciphered {
        true => 239,
        false => 256 - MAC_LEN,
    }
}

/// The class of a protected command: `04`, `84` and the like. `None` if there is none, or the command is part of a chain.
pub(super) fn protected_class(class: Class) -> Option<Class> {
    match class.chaining() {
        Some(Chaining::MoreToCome) => None,
        _ => class.with_proprietary_sm(),
    }
}

/// The header as the MAC takes it: the logical channel is not under it.
pub(in crate::secure) fn line(header: Header) -> Header {
    let byte = header.class.byte() & !0x03;
    Header { class: Class::from_byte(byte).expect("a class on channel 0 is one"), ..header }
}
