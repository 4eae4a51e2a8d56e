//! The result of a cohort: lines of keys, and rows that were refused.

use core::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cardroot::diversify::cohort::{Cohort, ItemError, Members};

use crate::any_key::AnyKey;
use crate::diversify::cohort::rows::{Row, RowFault};
use crate::error::Failure;
use crate::file::{NewFiles, unwritable};
use crate::hex;
use crate::key_options::KcvOptions;
use crate::output::{Form, Wiped};

/// What every line of a result has.
pub(super) struct Shape<'a> {
    pub(super) form: Form,
    pub(super) kcv: &'a KcvOptions,
    pub(super) show_key: bool,
    /// The columns that tell cards apart.
    pub(super) cards: &'a [String],
    /// All columns.
    pub(super) columns: Vec<String>,
}

impl<'a> Shape<'a> {
    /// The columns of a result: row, the card, `extras`, check values and keys, several of which have names.
    pub(super) fn new(
        form: Form,
        kcv: &'a KcvOptions,
        show_key: bool,
        cards: &'a [String],
        extras: &[&str],
        keys: &[&str],
    ) -> Self {
        let mut columns = vec![String::from("row")];
        columns.extend_from_slice(cards);
        columns.extend(extras.iter().map(|name| (*name).into()));
        columns.extend(keys.iter().map(|name| match *name {
            "key" => "check_value".into(),
            name => format!("{name}_check_value"),
        }));
        if show_key {
            columns.extend(keys.iter().map(|name| (*name).into()));
        }
        Self { form, kcv, show_key, cards, columns }
    }
}

/// The results of some rows, in their order.
pub(super) struct Lines<'a> {
    shape: &'a Shape<'a>,
    text: Wiped,
    derived: u64,
    refused: Vec<Refused>,
}

struct Refused {
    row: u64,
    line: u64,
    reason: String,
}

impl<'a> Lines<'a> {
    pub(super) fn new(shape: &'a Shape<'a>) -> Self {
        Self { shape, text: Wiped::default(), derived: 0, refused: Vec::new() }
    }

    /// Rows that have their keys.
    pub(super) const fn derived(&self) -> u64 {
        self.derived
    }

    /// Derives the keys of a cohort, one for each row, and lets `line` add the line of each.
    pub(super) fn take<M: Members<Fault = RowFault>>(
        &mut self,
        rows: &[Row<'_>],
        cohort: Cohort<M>,
        mut line: impl FnMut(&mut Self, &Row<'_>, M::Key) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (mut rows, mut done) = (rows.iter(), Ok(()));
        let each = |_, key: Result<M::Key, ItemError<RowFault>>| {
            let row = rows.next().expect("there is a result for each row");
            match key {
                Ok(key) if done.is_ok() => done = line(self, row, key),
                Ok(_) => {}
                Err(error) => self.refuse(row, error.fault),
            }
        };
        cohort.for_each(each).expect("a part has rows");
        done
    }

    /// Adds the line of a row: `card` and `extras` are its columns, `keys` what was derived.
    pub(super) fn add(
        &mut self,
        row: &Row<'_>,
        card: &[&str],
        extras: &[String],
        keys: &[AnyKey<'_>],
    ) -> Result<(), Failure> {
        let mut line = Line { out: &mut self.text, form: self.shape.form, names: self.shape.columns.iter() };
        line.number(row.number);
        card.iter().for_each(|text| line.text(text));
        extras.iter().for_each(|text| line.text(text));
        for key in keys {
            line.text(&self.shape.kcv.of_key(*key)?.to_string());
        }
        if self.shape.show_key {
            keys.iter().for_each(|key| line.text(&hex::encode_secret(key.expose_bytes())));
        }
        line.end();
        self.derived += 1;
        Ok(())
    }

    /// Says why a row has no key.
    pub(super) fn refuse(&mut self, row: &Row<'_>, RowFault { column, fault }: RowFault) {
        let column = column.and_then(|column| self.shape.cards.get(column));
        let reason = column.map_or_else(|| fault.to_string(), |column| format!("{column}: {fault}"));
        self.refused.push(Refused { row: row.number, line: row.line(), reason });
    }
}

/// A line in the making.
struct Line<'a> {
    out: &'a mut Wiped,
    form: Form,
    /// Names of the columns that are left.
    names: core::slice::Iter<'a, String>,
}

impl Line<'_> {
    fn number(&mut self, number: u64) {
        match self.form {
            Form::Text => self.put(number),
            Form::Json => {
                // The line before it, if there is one, ends here: see `Output::write`.
                self.put(",{");
                self.name();
                self.put(number);
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.put(",");
        match self.form {
            Form::Text => write_field(self.out, text),
            Form::Json => {
                self.name();
                serde_json::to_writer(&mut *self.out, text).map_err(io::Error::from)
            }
        }
        .expect("memory takes any text");
    }

    fn name(&mut self) {
        let name = self.names.next().expect("there is a name for each field");
        self.put(format_args!("\"{name}\":"));
    }

    fn end(mut self) {
        self.put(match self.form {
            Form::Text => "\n",
            Form::Json => "}\n",
        });
    }

    fn put(&mut self, what: impl Display) {
        write!(self.out, "{what}").expect("memory takes any text");
    }
}

/// Writes a field of comma-separated text, in quotation marks if it needs them.
fn write_field(out: &mut impl Write, text: &str) -> io::Result<()> {
    if text.contains([',', '"', '\n', '\r']) {
        write!(out, "\"{}\"", text.replace('"', "\"\""))
    } else {
        out.write_all(text.as_bytes())
    }
}

/// A new file, or one of the program's own streams.
enum Target {
    File(PathBuf, File),
    Stdout,
    Stderr,
}

impl Target {
    /// Writes. Says whether somebody still reads: who has gone away has seen enough.
    fn write(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let written = match self {
            Self::File(_, file) => file.write_all(bytes),
            Self::Stdout => io::stdout().lock().write_all(bytes),
            Self::Stderr => io::stderr().lock().write_all(bytes),
        };
        match written {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Makes sure that all of it arrived.
    fn finish(&self) -> Result<(), Failure> {
        match self {
            Self::File(_, file) => file.sync_all().map_err(|error| self.failure(&error)),
            Self::Stdout | Self::Stderr => Ok(()),
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        match self {
            Self::File(path, _) => unwritable(path, error),
            Self::Stdout => unwritable(Path::new("standard output"), error),
            Self::Stderr => unwritable(Path::new("standard error"), error),
        }
    }
}

/// Where results go. A file gets its lines when all of them are there: until then it is empty, and they are in another beside
/// it, so that a part of a result is never taken for the whole.
pub(super) struct Output<'a> {
    shape: &'a Shape<'a>,
    target: Target,
    /// The file that has the lines so far.
    unfinished: Option<PathBuf>,
    started: bool,
}

impl<'a> Output<'a> {
    pub(super) fn open(
        files: &mut NewFiles,
        path: Option<&Path>,
        shape: &'a Shape<'a>,
    ) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self { shape, target: Target::Stdout, unfinished: None, started: false });
        };
        // The name is taken from now on.
        files.create(path)?;
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".unfinished");
        let unfinished = PathBuf::from(unfinished);
        let target = Target::File(path.into(), files.create(&unfinished)?);
        Ok(Self { shape, target, unfinished: Some(unfinished), started: false })
    }

    /// Writes the lines of the next rows. Says whether somebody still reads them.
    pub(super) fn write(&mut self, lines: &Lines<'_>) -> Result<bool, Failure> {
        let text = lines.text.0.as_slice();
        // Every line of JSON begins with the comma behind the one before it.
        let text = if self.started { text } else { text.strip_prefix(b",").unwrap_or(text) };
        if text.is_empty() {
            return Ok(true);
        }
        Ok(self.start()? && self.target.write(text)?)
    }

    /// Ends the result, whether there are lines or not.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let form = self.shape.form;
        if self.start()? && form == Form::Json {
            self.target.write(b"]}\n")?;
        }
        self.target.finish()?;
        match (&self.target, &self.unfinished) {
            (Target::File(path, _), Some(unfinished)) => {
                fs::rename(unfinished, path).map_err(|error| unwritable(path, &error))
            }
            _ => Ok(()),
        }
    }

    /// Writes what comes before the first line, once.
    fn start(&mut self) -> Result<bool, Failure> {
        if self.started {
            return Ok(true);
        }
        self.started = true;
        match self.shape.form {
            Form::Text => self.target.write(format!("{}\n", self.shape.columns.join(",")).as_bytes()),
            Form::Json => self.target.write(b"{\"cards\":[\n"),
        }
    }
}

/// Where rows go that were refused.
pub(super) struct Rejects {
    target: Target,
    count: u64,
}

impl Rejects {
    pub(super) fn open(files: &mut NewFiles, path: Option<&Path>) -> Result<Self, Failure> {
        let mut target = match path {
            Some(path) => Target::File(path.into(), files.create(path)?),
            None => Target::Stderr,
        };
        if let Target::File(..) = target {
            target.write(b"row,line,reason\n")?;
        }
        Ok(Self { target, count: 0 })
    }

    /// Names the rows that were refused.
    pub(super) fn write(&mut self, lines: &Lines<'_>) -> Result<(), Failure> {
        let mut text = Vec::new();
        for Refused { row, line, reason } in &lines.refused {
            self.count += 1;
            match self.target {
                Target::File(..) => write!(text, "{row},{line},")
                    .and_then(|()| write_field(&mut text, reason))
                    .and_then(|()| writeln!(text)),
                _ => writeln!(text, "row {row} (line {line}): {reason}"),
            }
            .expect("memory takes any text");
        }
        self.target.write(&text).map(drop)
    }

    /// Ends the list. Returns how many rows were refused.
    pub(super) fn finish(self) -> Result<u64, Failure> {
        self.target.finish()?;
        Ok(self.count)
    }
}
