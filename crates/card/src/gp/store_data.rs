//! STORE DATA.

use core::fmt;

use apdu::StatusWord;
use apdu::dgi::{DgiError, groupings};
use apdu::secure::gp::DataKey;
use zeroize::Zeroizing;

use crate::status::require;

/// Data groupings, decrypted, by identifier; and those under way.
#[derive(Default)]
pub(super) struct Groupings {
    stored: Vec<(u16, Zeroizing<Vec<u8>>)>,
    /// Number of the next block.
    next_block: u16,
    /// The beginning of a grouping that goes on in the next block, and how it is encrypted.
    part: Option<(Encryption, Zeroizing<Vec<u8>>)>,
    is_complete: bool,
}

/// Whether the groupings of a block are encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Encryption {
    None,
    All,
}

/// P1 of STORE DATA.
struct Control {
    is_last: bool,
    encryption: Encryption,
}

impl Control {
    fn from_byte(p1: u8) -> Result<Self, StatusWord> {
        // Bits 5 and 4: 00 as CPS leaves them, 01 data groupings; BER-TLV and the reserved value are refused.
        require(matches!(p1 & 0x18, 0x00 | 0x08) && p1 & 0x07 == 0, StatusWord::WRONG_P1_P2)?;
        let encryption = match p1 & 0x60 {
            0x00 => Encryption::None,
            0x60 => Encryption::All,
            _ => return Err(StatusWord::WRONG_P1_P2),
        };
        Ok(Self { is_last: p1 & 0x80 != 0, encryption })
    }
}

impl Groupings {
    /// Room for groupings, in bytes.
    const MEMORY: usize = 16 * 1024;

    pub(super) const fn are_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn find(&self, id: u16) -> Option<&[u8]> {
        self.stored.iter().find(|(stored, _)| *stored == id).map(|(_, content)| content.as_slice())
    }

    /// The session that a grouping was under way in is over: the next one starts with block 00.
    pub(super) fn break_off(&mut self) {
        self.part = None;
        self.next_block = 0;
    }

    /// Takes one block. Blocks come numbered from 00; what one of them brings is stored as a whole or not at all. The last
    /// one may leave no grouping unfinished, and after it none is taken.
    pub(super) fn store(&mut self, p1: u8, p2: u8, data: &[u8], key: &DataKey) -> Result<(), StatusWord> {
        require(!self.is_complete, StatusWord::CONDITIONS_OF_USE)?;
        let Control { is_last, encryption } = Control::from_byte(p1)?;
        require(u16::from(p2) == self.next_block, StatusWord::WRONG_P1_P2)?;
        let (begun, part) = match &self.part {
            Some((begun, part)) => (*begun, part.as_slice()),
            None => (encryption, &[][..]),
        };
        require(begun == encryption, StatusWord::WRONG_DATA)?;
        // An exact allocation: nothing moves out of it.
        let whole = Zeroizing::new([part, data].concat());
        let mut new = Vec::new();
        let mut rest = &[][..];
        for grouping in groupings(&whole) {
            let grouping = match grouping {
                Ok(grouping) => grouping,
                Err(DgiError::Truncated { position }) => {
                    rest = whole.get(position..).expect("a grouping begins within the bytes");
                    break;
                }
                Err(_) => return Err(StatusWord::WRONG_DATA),
            };
            let content = match encryption {
                Encryption::None => Zeroizing::new(grouping.value().to_vec()),
                Encryption::All => {
                    let plain = key.decrypt(grouping.value()).map_err(|_| StatusWord::WRONG_DATA)?;
                    Zeroizing::new(plain.expose_bytes().to_vec())
                }
            };
            new.push((grouping.id(), content));
        }
        require(!is_last || rest.is_empty(), StatusWord::WRONG_DATA)?;
        self.check_room(&new, rest.len())?;
        self.part = (!rest.is_empty()).then(|| (encryption, Zeroizing::new(rest.to_vec())));
        for (id, content) in new {
            self.stored.retain(|(stored, _)| *stored != id);
            self.stored.push((id, content));
        }
        self.next_block += 1;
        self.is_complete = is_last;
        Ok(())
    }

    /// Demands room for what is stored, what is new and what is under way, replaced groupings counted too.
    fn check_room(&self, new: &[(u16, Zeroizing<Vec<u8>>)], part: usize) -> Result<(), StatusWord> {
        let cost = |groupings: &[(u16, Zeroizing<Vec<u8>>)]| -> usize {
            groupings.iter().map(|(_, content)| 4 + content.len()).sum()
        };
        let needed = cost(&self.stored) + cost(new) + part;
        require(needed <= Self::MEMORY, StatusWord::NOT_ENOUGH_MEMORY)
    }
}

impl fmt::Debug for Groupings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groupings").field("stored", &self.stored.len()).finish_non_exhaustive()
    }
}
