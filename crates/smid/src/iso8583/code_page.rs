//! EBCDIC, in the two code pages that payment hosts use.

/// Code page of EBCDIC text. Among printable ASCII characters the two differ in `[`, `]` and `^` only.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CodePage {
    /// IBM 037.
    Cp037,
    /// IBM 1047, of open systems on mainframes.
    Cp1047,
}

/// The characters ` ` to `~` in IBM 1047.
const CP1047: [u8; 95] = [
    0x40, 0x5A, 0x7F, 0x7B, 0x5B, 0x6C, 0x50, 0x7D, 0x4D, 0x5D, 0x5C, 0x4E, 0x6B, 0x60, 0x4B, 0x61, 0xF0,
    0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x7A, 0x5E, 0x4C, 0x7E, 0x6E, 0x6F, 0x7C, 0xC1,
    0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9,
    0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xAD, 0xE0, 0xBD, 0x5F, 0x6D, 0x79, 0x81, 0x82, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0xA2, 0xA3,
    0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xC0, 0x4F, 0xD0, 0xA1,
];

/// What stands for an EBCDIC byte that is no printable ASCII character, and the other way round: of no content class.
const NONE: u8 = 0;

/// Both directions of a code page.
struct Tables {
    to_ascii: [u8; 256],
    from_ascii: [u8; 256],
}

static TABLES_037: Tables = tables(CodePage::Cp037);
static TABLES_1047: Tables = tables(CodePage::Cp1047);

impl CodePage {
    const fn tables(self) -> &'static Tables {
        match self {
            Self::Cp037 => &TABLES_037,
            Self::Cp1047 => &TABLES_1047,
        }
    }

    /// Returns the EBCDIC byte of a printable ASCII character.
    pub(super) fn encode(self, c: u8) -> u8 {
        self.tables().from_ascii.get(usize::from(c)).copied().unwrap_or(NONE)
    }

    /// Returns the ASCII character of an EBCDIC byte, NUL if it has none that is printable.
    pub(super) fn decode(self, byte: u8) -> u8 {
        self.tables().to_ascii.get(usize::from(byte)).copied().unwrap_or(NONE)
    }
}

#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time, where an index out of range is an error; the characters are below 127"
)]
const fn tables(page: CodePage) -> Tables {
    let (mut to_ascii, mut from_ascii) = ([NONE; 256], [NONE; 256]);
    let mut index = 0;
    while index < CP1047.len() {
        let c = b' ' + index as u8;
        let byte = match (page, c) {
            (CodePage::Cp037, b'[') => 0xBA,
            (CodePage::Cp037, b']') => 0xBB,
            (CodePage::Cp037, b'^') => 0xB0,
            _ => CP1047[index],
        };
        from_ascii[c as usize] = byte;
        to_ascii[byte as usize] = c;
        index += 1;
    }
    Tables { to_ascii, from_ascii }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn characters_have_the_bytes_of_the_c_library_both_ways() {
        let rows: Vec<Vec<u8>> = include_str!("../../tests/data/ebcdic.csv")
            .lines()
            .skip(2)
            .map(|row| row.split(',').map(|hex| u8::from_str_radix(hex, 16).unwrap()).collect())
            .collect();
        for row in &rows {
            for (page, byte) in [(CodePage::Cp037, row[1]), (CodePage::Cp1047, row[2])] {
                assert_eq!((page.encode(row[0]), page.decode(byte)), (byte, row[0]));
            }
        }
        assert_eq!(rows.len(), 95);
    }

    #[test]
    fn bytes_without_a_printable_character_are_of_no_class() {
        for page in [CodePage::Cp037, CodePage::Cp1047] {
            assert_eq!((0..=u8::MAX).filter(|&byte| page.decode(byte) != NONE).count(), 95);
        }
    }
}
