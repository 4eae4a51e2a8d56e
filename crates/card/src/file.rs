//! Elementary files.

use apdu::StatusWord;

use crate::access::Access;
use crate::secure_messaging::Protection;
use crate::state::codec::{Reader, Stored, Writer};
use crate::status::require;
use crate::wallet::Book;

/// What CREATE FILE says about an elementary file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileHeader {
    pub(crate) fid: u16,
    pub(crate) protection: Protection,
    pub(crate) read: Access,
    pub(crate) write: Access,
    /// Bit 8: reading needs no protection. Bits 4-3 and 2-1: complements of the identifiers of the line protection
    /// keys for reading and for writing.
    pub(crate) line: u8,
}

impl FileHeader {
    pub(crate) const fn reads_plain(&self) -> bool {
        matches!(self.protection, Protection::None) || self.line & 0x80 != 0
    }

    pub(crate) const fn read_key(&self) -> u8 {
        !(self.line >> 2) & 0b11
    }

    pub(crate) const fn write_key(&self) -> u8 {
        !self.line & 0b11
    }
}

/// What a file is made of.
#[derive(Debug)]
pub(crate) enum Body {
    /// `28`: bytes.
    Transparent(Vec<u8>),
    /// `2A`, `2C`, `2E`: records.
    Records(Records),
    /// `2F`: an account.
    Wallet(Book),
}

/// An elementary file.
#[derive(Debug)]
pub(crate) struct ElementaryFile {
    pub(crate) header: FileHeader,
    pub(crate) body: Body,
}

impl ElementaryFile {
    /// Length of the body in bytes, as it is charged to the directory.
    pub(crate) fn body_len(&self) -> usize {
        match &self.body {
            Body::Transparent(bytes) => bytes.len(),
            Body::Records(records) => records.layout.body_len(),
            Body::Wallet(_) => Book::LEN,
        }
    }
}

/// How the records of a file are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Layout {
    /// Up to `count` records of `len` bytes.
    Fixed {
        /** Records. */
        count: u8,
        /** Bytes in each. */
        len: u8,
    },
    /// The last `count` records of `len` bytes, the newest being number 1.
    Cyclic {
        /** Records. */
        count: u8,
        /** Bytes in each. */
        len: u8,
    },
    /// Records `tag | length | value` in `capacity` bytes.
    Variable {
        /** Bytes. */
        capacity: usize,
    },
}

impl Layout {
    /// Length of the body in bytes: a byte more than its data for each record of fixed length.
    pub(crate) fn body_len(self) -> usize {
        match self {
            Self::Fixed { count, len } | Self::Cyclic { count, len } => {
                usize::from(count) * (usize::from(len) + 1)
            }
            Self::Variable { capacity } => capacity,
        }
    }
}

/// The records of a file, number 1 first.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    pub(crate) layout: Layout,
    records: Vec<Vec<u8>>,
}

impl Records {
    pub(crate) const fn new(layout: Layout) -> Self {
        Self { layout, records: Vec::new() }
    }

    /// The record with that number, from 1.
    pub(crate) fn by_number(&self, number: u8) -> Option<&[u8]> {
        self.records.get(usize::from(number).checked_sub(1)?).map(Vec::as_slice)
    }

    /// The number of the first record whose first byte is `tag`.
    pub(crate) fn number_of_tag(&self, tag: u8) -> Option<u8> {
        let index = self.records.iter().position(|record| record.first() == Some(&tag))?;
        u8::try_from(index + 1).ok()
    }

    /// Adds a record: as the last, or in a cyclic file as number 1, the oldest giving way.
    pub(crate) fn append(&mut self, record: &[u8]) -> Result<(), StatusWord> {
        self.check(record)?;
        match self.layout {
            Layout::Cyclic { count, .. } => {
                self.records.truncate(usize::from(count) - 1);
                self.records.insert(0, record.to_vec());
            }
            Layout::Fixed { count, .. } => {
                require(self.records.len() < usize::from(count), StatusWord::NOT_ENOUGH_MEMORY)?;
                self.records.push(record.to_vec());
            }
            Layout::Variable { capacity } => {
                require(self.used() + record.len() <= capacity, StatusWord::NOT_ENOUGH_MEMORY)?;
                self.records.push(record.to_vec());
            }
        }
        Ok(())
    }

    /// Replaces the record with that number. The number after the last one adds it.
    pub(crate) fn update(&mut self, number: u8, record: &[u8]) -> Result<(), StatusWord> {
        self.check(record)?;
        let used = self.used();
        let index = usize::from(number).checked_sub(1).ok_or(StatusWord::RECORD_NOT_FOUND)?;
        if index == self.records.len() {
            return self.append(record);
        }
        let old = self.records.get_mut(index).ok_or(StatusWord::RECORD_NOT_FOUND)?;
        if let Layout::Variable { capacity } = self.layout {
            require(used - old.len() + record.len() <= capacity, StatusWord::NOT_ENOUGH_MEMORY)?;
        }
        *old = record.to_vec();
        Ok(())
    }

    fn used(&self) -> usize {
        self.records.iter().map(Vec::len).sum()
    }

    fn check(&self, record: &[u8]) -> Result<(), StatusWord> {
        match (self.layout, record) {
            (Layout::Fixed { len, .. } | Layout::Cyclic { len, .. }, _) => {
                require(record.len() == usize::from(len), StatusWord::WRONG_LENGTH)
            }
            (Layout::Variable { .. }, [_, len, value @ ..]) => {
                require(value.len() == usize::from(*len), StatusWord::WRONG_DATA)
            }
            (Layout::Variable { .. }, _) => Err(StatusWord::WRONG_DATA),
        }
    }
}

impl Stored for FileHeader {
    fn write(&self, out: &mut Writer) {
        out.number(self.fid);
        self.protection.write(out);
        self.read.write(out);
        self.write.write(out);
        out.byte(self.line);
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            fid: input.number()?,
            protection: Protection::read(input)?,
            read: Access::read(input)?,
            write: Access::read(input)?,
            line: input.byte()?,
        })
    }
}

impl Stored for ElementaryFile {
    fn write(&self, out: &mut Writer) {
        self.header.write(out);
        match &self.body {
            Body::Transparent(bytes) => {
                out.byte(0);
                out.counted(bytes);
            }
            Body::Records(records) => {
                out.byte(1);
                records.write(out);
            }
            Body::Wallet(book) => {
                out.byte(2);
                book.write(out);
            }
        }
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let header = FileHeader::read(input)?;
        let body = match input.byte()? {
            0 => Body::Transparent(input.counted()?.to_vec()),
            1 => Body::Records(Records::read(input)?),
            2 => Body::Wallet(Book::read(input)?),
            _ => return None,
        };
        Some(Self { header, body })
    }
}

impl Stored for Layout {
    fn write(&self, out: &mut Writer) {
        match *self {
            Self::Fixed { count, len } => out.put(&[0, count, len]),
            Self::Cyclic { count, len } => out.put(&[1, count, len]),
            Self::Variable { capacity } => {
                out.byte(2);
                out.size(capacity);
            }
        }
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let kind = input.byte()?;
        let size = input.array()?;
        Some(match (kind, size) {
            (0 | 1, [0, _]) => return None,
            (0, [count, len]) => Self::Fixed { count, len },
            (1, [count, len]) => Self::Cyclic { count, len },
            (2, size) => Self::Variable { capacity: u16::from_be_bytes(size).into() },
            _ => return None,
        })
    }
}

impl Stored for Records {
    fn write(&self, out: &mut Writer) {
        self.layout.write(out);
        out.size(self.records.len());
        self.records.iter().for_each(|record| out.counted(record));
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let mut file = Self::new(Layout::read(input)?);
        for _ in 0..input.size()? {
            let record = input.counted()?;
            file.check(record).ok()?;
            file.records.push(record.to_vec());
        }
        let fits = match file.layout {
            Layout::Fixed { count, .. } | Layout::Cyclic { count, .. } => {
                file.records.len() <= usize::from(count)
            }
            Layout::Variable { capacity } => file.used() <= capacity,
        };
        fits.then_some(file)
    }
}
