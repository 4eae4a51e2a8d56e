//! Enciphered data on the line: `ECB(key, LD || data || 80 00..)`.

use super::line_cipher::LineCipher;
use crate::bytes::SecretBytes;
use crate::secure::Rejected;

/// Padding for as many bytes as a block lacks.
const PADDING: [u8; 16] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Enciphers `data`; `None` if its length does not fit the byte LD. No data stays no data.
pub(super) fn encipher(key: LineCipher<'_>, data: &[u8]) -> Option<SecretBytes> {
    if data.is_empty() {
        return Some(SecretBytes::default());
    }
    let len = 1 + data.len();
    let padding =
        PADDING.get(..len.next_multiple_of(key.block_len()) - len).expect("less than a block is missing");
    let mut out = SecretBytes::with_capacity(len + padding.len());
    out.extend(&[u8::try_from(data.len()).ok()?]);
    out.extend(data);
    out.extend(padding);
    key.encrypt(out.as_mut_slice());
    Some(out)
}

/// Deciphers data whose MAC was right. No data stays no data.
///
/// LD says how long the data is. Programs differ on whole blocks: some add no padding, some a block of it. Both are
/// taken.
pub(super) fn decipher(key: LineCipher<'_>, data: &[u8]) -> Result<SecretBytes, Rejected> {
    if data.is_empty() {
        return Ok(SecretBytes::default());
    }
    if !data.len().is_multiple_of(key.block_len()) {
        return Err(Rejected);
    }
    let mut out = SecretBytes::from(data);
    key.decrypt(out.as_mut_slice());
    let (len, rest) = out.expose_bytes().split_first().ok_or(Rejected)?;
    let (plain, padding) = rest.split_at_checked(usize::from(*len)).ok_or(Rejected)?;
    let is_padding = padding.len() <= key.block_len() && PADDING.get(..padding.len()) == Some(padding);
    if is_padding { Ok(plain.into()) } else { Err(Rejected) }
}

#[cfg(test)]
mod tests {
    use tdea::TdeaKey;

    use super::*;
    use crate::secure::pboc::CardKey;

    fn key() -> CardKey {
        CardKey::try_from(TdeaKey::from(*b"0123456789ABCDEF")).unwrap()
    }

    fn encrypted(block: &[u8]) -> SecretBytes {
        let mut out = SecretBytes::from(block);
        key().encrypt(out.as_mut_slice());
        out
    }

    fn opened(block: &[u8]) -> Result<usize, Rejected> {
        decipher(LineCipher::Des(&key()), encrypted(block).expose_bytes()).map(|plain| plain.len())
    }

    #[test]
    fn every_length_comes_back_and_is_padded_to_a_block_at_most() {
        for len in 0..=255 {
            let data = alloc::vec![0x80; len];
            let cipher = encipher(LineCipher::Des(&key()), &data).unwrap();
            let whole = if len == 0 { 0 } else { (len + 1).next_multiple_of(8) };
            assert_eq!(cipher.len(), whole);
            assert_eq!(
                decipher(LineCipher::Des(&key()), cipher.expose_bytes()).unwrap().expose_bytes(),
                data
            );
        }
        assert!(encipher(LineCipher::Des(&key()), &[0; 256]).is_none());
    }

    #[test]
    fn a_whole_block_may_have_a_block_of_padding() {
        assert_eq!(opened(&[7, 1, 2, 3, 4, 5, 6, 7]), Ok(7));
        assert_eq!(opened(&[7, 1, 2, 3, 4, 5, 6, 7, 0x80, 0, 0, 0, 0, 0, 0, 0]), Ok(7));
    }

    #[test]
    fn wrong_lengths_and_paddings_are_rejected() {
        for block in [
            [8, 1, 2, 3, 4, 5, 6, 7],
            [6, 1, 2, 3, 4, 5, 6, 0x81],
            [6, 1, 2, 3, 4, 5, 6, 0x00],
            [5, 1, 2, 3, 4, 5, 0x80, 0x80],
            [0xFF, 1, 2, 3, 4, 5, 6, 7],
        ] {
            assert_eq!(opened(&block), Err(Rejected), "{block:02X?}");
        }
        // Nine bytes of padding.
        assert_eq!(opened(&[6, 1, 2, 3, 4, 5, 6, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]), Err(Rejected));
        assert_eq!(decipher(LineCipher::Des(&key()), &[0; 7]).map(|_| ()), Err(Rejected));
    }
}
