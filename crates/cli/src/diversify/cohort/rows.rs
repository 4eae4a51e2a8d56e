//! The table of cards, read in chunks.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use cardroot::diversify::FactorLengthError;
use cardroot::diversify::emv::PanPsnError;
use cardroot::diversify::profile::ProfileError;
use cardroot::diversify::tree::TreeKeyError;
use cardroot::pin::DigitsError;
use csv::{ByteRecord, ReaderBuilder, Trim};

use crate::error::Failure;
use crate::file;
use crate::hex::{self, HexError};

/// Most rows in memory.
const CHUNK: usize = 16_384;
/// Most bytes of a line: far above what any row has.
const MAX_LINE: usize = 65_536;

/// The columns of a scheme.
pub(super) struct Columns {
    names: Vec<String>,
    /// How many of them, from the first, a table must have.
    required: usize,
    /// How many of them, from the first, a table may have; the others are for the result alone.
    possible: usize,
}

impl Columns {
    /// Columns that a table must have.
    pub(super) fn all<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        Self { required: names.len(), possible: names.len(), names }
    }

    /// The same columns, of which only the first must be there.
    pub(super) fn first_required(self) -> Self {
        Self { required: 1, ..self }
    }

    /// The same columns, of which only the first may be there.
    pub(super) fn first_alone(self) -> Self {
        Self { required: 1, possible: 1, ..self }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Those that a table may have.
    fn possible(&self) -> &[String] {
        self.names.get(..self.possible).unwrap_or(&self.names)
    }
}

/// Where a table has its columns.
pub(super) struct Layout {
    /// The place of each column in a row, if it is there.
    positions: Vec<Option<usize>>,
    /// Fields of each row.
    width: usize,
}

/// A table that is being read.
pub(super) struct Rows {
    reader: csv::Reader<ShortLines<Box<dyn Read>>>,
    place: String,
    size: Option<u64>,
    layout: Layout,
    chunk: Vec<ByteRecord>,
    /// Rows of the chunk.
    held: usize,
    /// Rows before the chunk.
    before: u64,
}

/// One row of a table.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    record: &'a ByteRecord,
    layout: &'a Layout,
    /// From 1, the line of names not counted.
    pub(super) number: u64,
}

/// A row that has no key, and the column that it is about, if it is about one.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowFault {
    pub(super) column: Option<usize>,
    pub(super) fault: Fault,
}

/// What is wrong with a row. It never quotes a field.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the row has fewer or more fields ({found}) than the line of names ({expected})")]
    Width { found: usize, expected: usize },
    #[error("byte {position} begins no character of UTF-8")]
    Text { position: usize },
    #[error(transparent)]
    Hex(#[from] HexError),
    #[error(transparent)]
    Factor(#[from] FactorLengthError),
    #[error("key diversification data is 10 bytes, found {found}")]
    KeyData { found: usize },
    #[error(transparent)]
    Pan(#[from] PanPsnError),
    #[error(transparent)]
    Digits(#[from] DigitsError),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error("the card belongs to another city than the key")]
    OtherCity,
    #[error("the key can't be wrapped: {0}")]
    Key(#[from] TreeKeyError),
}

impl RowFault {
    /// A fault of one column.
    pub(super) fn at(column: usize, fault: impl Into<Fault>) -> Self {
        Self { column: Some(column), fault: fault.into() }
    }
}

impl<F: Into<Fault>> From<F> for RowFault {
    fn from(fault: F) -> Self {
        Self { column: None, fault: fault.into() }
    }
}

impl Rows {
    /// Opens a table and finds its columns.
    pub(super) fn open(path: Option<&Path>, columns: &Columns, ignore_others: bool) -> Result<Self, Failure> {
        let place = file::place(path);
        let unreadable = |error: io::Error| file::unreadable(&place, &error);
        let (source, size): (Box<dyn Read>, _) = match path.filter(|path| !file::is_stdin(path)) {
            Some(path) => {
                let file = File::open(path).map_err(unreadable)?;
                let size = file.metadata().map_err(unreadable)?;
                (Box::new(file), size.is_file().then_some(size.len()))
            }
            None => (Box::new(io::stdin()), None),
        };
        // A stray quotation mark must not swallow the rows behind it, so a line is a row, whatever is in it.
        let mut reader = ReaderBuilder::new()
            .quoting(false)
            .flexible(true)
            .trim(Trim::All)
            .comment(Some(b'#'))
            .from_reader(ShortLines { source, since: 0 });
        let names = reader.byte_headers().map_err(|error| damaged(&place, error))?;
        let layout = Layout::find(names, columns, ignore_others)
            .map_err(|sentence| Failure::refused(format!("{place}: {sentence}")))?;
        Ok(Self { reader, place, size, layout, chunk: Vec::new(), held: 0, before: 0 })
    }

    /// What is read, in words.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Bytes of the whole table, if it is a file.
    pub(super) const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Bytes read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.reader.position().byte()
    }

    /// Rows read so far.
    pub(super) fn count(&self) -> u64 {
        self.before + count(self.held)
    }

    /// Reads the next rows. Says whether there were any.
    pub(super) fn read_chunk(&mut self) -> Result<bool, Failure> {
        self.before += count(self.held);
        self.held = 0;
        while self.held < CHUNK {
            if self.held == self.chunk.len() {
                self.chunk.push(ByteRecord::new());
            }
            let record = self.chunk.get_mut(self.held).expect("a record was pushed");
            if !self.reader.read_byte_record(record).map_err(|error| damaged(&self.place, error))? {
                break;
            }
            self.held += 1;
        }
        Ok(self.held > 0)
    }

    /// The rows that were read last.
    pub(super) fn chunk(&self) -> impl Iterator<Item = Row<'_>> {
        let records = self.chunk.iter().take(self.held);
        records.zip(self.before + 1..).map(|(record, number)| Row { record, layout: &self.layout, number })
    }
}

impl Layout {
    fn find(names: &ByteRecord, columns: &Columns, ignore_others: bool) -> Result<Self, String> {
        let named: Vec<&[u8]> = names.iter().map(unquoted).collect();
        let position = |column: &String| {
            let mut found = named.iter().enumerate().filter(|(_, name)| **name == column.as_bytes());
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => Err(format!("column {column} is there twice")),
                (first, None) => Ok(first.map(|(position, _)| position)),
                (None, Some(_)) => Ok(None),
            }
        };
        let positions = columns.possible().iter().map(position).collect::<Result<Vec<_>, _>>()?;
        let mut required = positions.iter().zip(&columns.names).take(columns.required);
        if let Some((_, missing)) = required.find(|(position, _)| position.is_none()) {
            return Err(format!(
                "column {missing} is missing: the first line has to name {}, in lower case and with commas between columns",
                columns
                    .names
                    .iter()
                    .take(columns.required)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
        }
        let other = (1..=named.len()).find(|number| !positions.contains(&Some(number - 1)));
        match other {
            Some(number) if !ignore_others => Err(format!(
                "column {number} is not used, of which a wrong name may be the cause: the names are {}; say \
                 --ignore-other-columns if it should not be used",
                columns.possible().join(", ")
            )),
            _ => Ok(Self { positions, width: named.len() }),
        }
    }
}

impl<'a> Row<'a> {
    /// The line of the table that the row is, from 1.
    pub(super) fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// A column as it was given; nothing if the table or the row does not have it.
    fn field(&self, column: usize) -> Option<&'a [u8]> {
        let position = self.layout.positions.get(column).copied().flatten()?;
        self.record.get(position).map(unquoted)
    }

    /// The text of a column that the table has.
    pub(super) fn text(&self, column: usize) -> Result<&'a str, RowFault> {
        let (found, expected) = (self.record.len(), self.layout.width);
        let field = self.field(column).filter(|_| found == expected);
        let field = field.ok_or(Fault::Width { found, expected })?;
        core::str::from_utf8(field)
            .map_err(|error| RowFault::at(column, Fault::Text { position: error.valid_up_to() }))
    }

    /// The same if the table has the column.
    pub(super) fn optional_text(&self, column: usize) -> Result<Option<&'a str>, RowFault> {
        match self.layout.positions.get(column) {
            Some(Some(_)) => self.text(column).map(Some),
            _ => Ok(None),
        }
    }

    /// A column as it was given, to be shown; empty if it is no text.
    pub(super) fn shown(&self, column: usize) -> &'a str {
        self.field(column).and_then(|field| core::str::from_utf8(field).ok()).unwrap_or_default()
    }

    /// The bytes of a hexadecimal column, made what the caller wants.
    pub(super) fn bytes<T, F: Into<Fault>>(
        &self,
        column: usize,
        make: impl FnOnce(&[u8]) -> Result<T, F>,
    ) -> Result<T, RowFault> {
        let bytes =
            hex::decode(self.text(column)?.as_bytes()).map_err(|error| RowFault::at(column, error))?;
        make(&bytes).map_err(|fault| RowFault::at(column, fault))
    }
}

/// A field without the quotation marks that some programs put around every one.
fn unquoted(field: &[u8]) -> &[u8] {
    match field {
        [b'"', inner @ .., b'"'] => inner,
        _ => field,
    }
}

fn damaged(place: &str, error: csv::Error) -> Failure {
    let line = error.position().map_or(String::new(), |position| format!(" after line {}", position.line()));
    Failure::refused(format!("{place} can't be read{line}: {error}"))
}

fn count(rows: usize) -> u64 {
    rows.try_into().expect("no length has more than 64 bits")
}

/// Refuses what has no line ends: it is no table, and would be read into memory as one row.
struct ShortLines<R> {
    source: R,
    /// Bytes since the last line end.
    since: usize,
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        for byte in buffer.iter().take(read) {
            self.since = if matches!(byte, b'\n' | b'\r') { 0 } else { self.since + 1 };
            if self.since > MAX_LINE {
                let sentence = format!("a line has more than {MAX_LINE} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, sentence));
            }
        }
        Ok(read)
    }
}
