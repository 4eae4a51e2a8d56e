//! Bytes to nibbles and back, high nibble first. Nothing here branches on a value.

/// Puts the two nibbles of each byte into `nibbles`; both stop at the shorter side.
pub(crate) fn split(bytes: &[u8], nibbles: &mut [u8]) {
    for (byte, pair) in bytes.iter().zip(nibbles.as_chunks_mut().0) {
        *pair = [byte >> 4, byte & 0x0F];
    }
}

/// Puts each two `nibbles`, all below 16, into one byte; both stop at the shorter side.
pub(crate) fn join(nibbles: &[u8], bytes: &mut [u8]) {
    for (&[high, low], byte) in nibbles.as_chunks().0.iter().zip(bytes) {
        *byte = high << 4 | low;
    }
}
