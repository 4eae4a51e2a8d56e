//! STORE DATA.

use core::fmt;

use apdu::StatusWord;
use apdu::dgi::{DgiError, groupings};
use apdu::secure::gp::DataKey;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::domain::{Answer, SecurityDomain};
use crate::state::codec::{Reader, Stored, Writer};
use crate::status::require;

/// The content of a data grouping, after its identifier.
type Grouping = (u16, Zeroizing<Vec<u8>>);

/// Data groupings, decrypted.
#[derive(Default)]
pub(super) struct Groupings {
    stored: Vec<Grouping>,
    /// Whether the last block has come.
    is_complete: bool,
}

/// How far the blocks of a session have come.
#[derive(Default)]
pub(super) struct Blocks {
    /// Number of the next one.
    next: u16,
    part: Option<Part>,
}

/// The beginning of a grouping that goes on in the next block.
struct Part {
    encryption: Encryption,
    bytes: Zeroizing<Vec<u8>>,
}

/// What one block brings.
struct Block {
    groupings: Vec<Grouping>,
    part: Option<Part>,
    is_last: bool,
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

impl<R: CryptoRng> SecurityDomain<R> {
    /// Takes one block. Blocks come numbered from 00; what one of them brings is stored as a whole or not at all. The last
    /// one may leave no grouping unfinished, and after it none is taken.
    pub(super) fn store_data(&mut self, p1: u8, p2: u8, data: &[u8], key: &DataKey) -> Answer {
        let stored = &self.memory.get().groupings;
        require(!stored.is_complete, StatusWord::CONDITIONS_OF_USE)?;
        let Block { groupings, part, is_last } = self.blocks.read(p1, p2, data, key)?;
        stored.check_room(&groupings, part.as_ref())?;
        if is_last || !groupings.is_empty() {
            self.memory.try_commit(|memory| {
                memory.groupings.put(groupings, is_last);
                Ok(())
            })?;
        }
        self.blocks = Blocks { next: self.blocks.next + 1, part };
        Ok(Zeroizing::default())
    }
}

impl Blocks {
    /// Reads the block that comes next, together with the beginning of a grouping that the one before has left.
    fn read(&self, p1: u8, p2: u8, data: &[u8], key: &DataKey) -> Result<Block, StatusWord> {
        let Control { is_last, encryption } = Control::from_byte(p1)?;
        require(u16::from(p2) == self.next, StatusWord::WRONG_P1_P2)?;
        let (begun, part) = match &self.part {
            Some(part) => (part.encryption, part.bytes.as_slice()),
            None => (encryption, &[][..]),
        };
        require(begun == encryption, StatusWord::WRONG_DATA)?;
        // An exact allocation: nothing moves out of it.
        let whole = Zeroizing::new([part, data].concat());
        let mut found = Vec::new();
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
            found.push((grouping.id(), content));
        }
        require(!is_last || rest.is_empty(), StatusWord::WRONG_DATA)?;
        let part = (!rest.is_empty()).then(|| Part { encryption, bytes: Zeroizing::new(rest.to_vec()) });
        Ok(Block { groupings: found, part, is_last })
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

    /// Puts groupings in the place of those with their identifiers.
    fn put(&mut self, new: Vec<Grouping>, is_last: bool) {
        for (id, content) in new {
            self.stored.retain(|(stored, _)| *stored != id);
            self.stored.push((id, content));
        }
        self.is_complete = is_last;
    }

    /// Demands room for what is stored, what is new and what is under way, replaced groupings counted too.
    fn check_room(&self, new: &[Grouping], part: Option<&Part>) -> Result<(), StatusWord> {
        let part = part.map_or(0, |part| part.bytes.len());
        let needed = cost(&self.stored) + cost(new) + part;
        require(needed <= Self::MEMORY, StatusWord::NOT_ENOUGH_MEMORY)
    }
}

/// Memory that groupings take, in bytes.
fn cost(groupings: &[Grouping]) -> usize {
    groupings.iter().map(|(_, content)| 4 + content.len()).sum()
}

impl Stored for Groupings {
    fn write(&self, out: &mut Writer) {
        out.byte(u8::from(self.is_complete));
        out.size(self.stored.len());
        for (id, content) in &self.stored {
            out.number(*id);
            out.counted(content);
        }
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let mut read = Self { is_complete: input.flag()?, ..Self::default() };
        for _ in 0..input.size()? {
            let (id, content) = (input.number()?, input.counted()?);
            if read.find(id).is_some() {
                return None;
            }
            read.stored.push((id, Zeroizing::new(content.to_vec())));
        }
        (cost(&read.stored) <= Self::MEMORY).then_some(read)
    }
}

impl fmt::Debug for Groupings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groupings").field("stored", &self.stored.len()).finish_non_exhaustive()
    }
}
