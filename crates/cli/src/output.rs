//! What a command prints: one model, two forms, so that text and JSON can't say different things.

use alloc::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde::ser::SerializeMap;
use zeroize::Zeroizing;

use crate::error::Failure;

/// How a report is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// `name: value` lines and tables.
    Text,
    /// One JSON object.
    Json,
}

/// What a command found: a record, unless it was printed already, and why it counts as refused all the same, if it does.
pub(crate) struct Report {
    record: Option<Record>,
    /// What is printed in the place of the record in one of the forms.
    verbatim: Option<(Form, Zeroizing<String>)>,
    refusal: Option<String>,
}

impl Report {
    /// A report of something that was found and is not as it should be: it is printed, and the command fails.
    pub(crate) fn refused(record: Record, sentence: impl Into<String>) -> Self {
        Self { refusal: Some(sentence.into()), ..record.into() }
    }

    /// A report of what is on standard output already, or of what is not to be there.
    pub(crate) const fn printed() -> Self {
        Self { record: None, verbatim: None, refusal: None }
    }

    /// The same report with a text of its own in one of the forms.
    pub(crate) fn verbatim(self, form: Form, text: Zeroizing<String>) -> Self {
        Self { verbatim: Some((form, text)), ..self }
    }

    /// The same report as one of something that is not as it should be, if there is a sentence about it.
    pub(crate) fn unless(self, refusal: Option<String>) -> Self {
        Self { refusal, ..self }
    }

    /// Prints to standard output.
    pub(crate) fn print(self, form: Form) -> Result<(), Failure> {
        match (self.verbatim, self.record) {
            (Some((of, text)), _) if of == form => {
                write_stdout(text.as_bytes())?;
                if !text.ends_with('\n') {
                    write_stdout(b"\n")?;
                }
            }
            (_, Some(record)) => write_stdout(&record.render(form))?,
            _ => {}
        }
        self.refusal.map_or(Ok(()), |sentence| Err(Failure::Refused(sentence)))
    }
}

impl From<Record> for Report {
    fn from(record: Record) -> Self {
        Self { record: Some(record), verbatim: None, refusal: None }
    }
}

/// Writes in one piece, which standard output passes on without a copy. A reader that has gone away has seen enough.
fn write_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::refused(format!("standard output can't be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Members in the order of printing. Their names are those of the JSON object; text has blanks for the underscores.
#[derive(Default)]
pub(crate) struct Record {
    members: Vec<(&'static str, Value)>,
}

/// A value of a member.
pub(crate) enum Value {
    /// Text, digits and codes.
    Text(String),
    /// Text that is wiped.
    Secret(Zeroizing<String>),
    /// A number.
    Number(u64),
    /// `yes` or `no`.
    Flag(bool),
    /// Nothing: `-`, `null`.
    Absent,
    /// Records that all have the same members.
    Table(Vec<Record>),
}

impl Record {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a member.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// Adds a member if there is a value.
    #[must_use]
    pub(crate) fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The record in one of its forms, a line end behind it.
    fn render(&self, form: Form) -> Zeroizing<Vec<u8>> {
        let mut out = Wiped::default();
        match form {
            Form::Text => self.write_text(&mut out),
            Form::Json => serde_json::to_writer_pretty(&mut out, self)
                .map_err(io::Error::from)
                .and_then(|()| out.write_all(b"\n")),
        }
        .expect("memory takes any text");
        out.0
    }

    fn write_text(&self, out: &mut Wiped) -> io::Result<()> {
        let width = self.members.iter().map(|(name, value)| if value.is_line() { name.len() + 1 } else { 0 });
        let width = width.max().unwrap_or(0);
        for (name, value) in &self.members {
            let label = format!("{}:", label(name));
            match value {
                Value::Table(rows) if rows.is_empty() => {
                    writeln!(out, "{label} none")?;
                }
                Value::Table(rows) => {
                    writeln!(out, "{label}")?;
                    write_table(rows, out)?;
                }
                line => writeln!(out, "{label:width$} {}", line.as_text())?,
            }
        }
        Ok(())
    }
}

fn label(name: &str) -> String {
    name.replace('_', " ")
}

/// The JSON of a value, in one line.
pub(crate) fn json(value: &Value) -> Zeroizing<String> {
    Zeroizing::new(serde_json::to_string(value).expect("a value has string keys only"))
}

/// A JSON object of members that are JSON already, in one buffer that never grows.
pub(crate) fn object(members: &[(&str, &str)]) -> Zeroizing<String> {
    let room = members.iter().map(|(name, value)| name.len() + value.len() + r#""":,"#.len()).sum::<usize>();
    let mut out = Zeroizing::new(String::with_capacity(room + "{}".len()));
    for (index, (name, value)) in members.iter().enumerate() {
        let before = if index == 0 { "{\"" } else { ",\"" };
        out.extend([before, name, "\":", value]);
    }
    out.push('}');
    out
}

/// Aligned columns under their names.
fn write_table(rows: &[Record], out: &mut Wiped) -> io::Result<()> {
    let names = rows.first().map(|row| row.members.iter().map(|(name, _)| label(name).into()).collect());
    let cells = rows.iter().map(|row| row.members.iter().map(|(_, value)| value.as_text()).collect());
    let lines: Vec<Vec<Cow<'_, str>>> = names.into_iter().chain(cells).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).filter_map(width).collect();
    for line in &lines {
        write!(out, "  ")?;
        let (last, before) = line.split_last().expect("a record has members");
        for (cell, width) in before.iter().zip(&widths) {
            write!(out, "{cell:width$}  ")?;
        }
        writeln!(out, "{last}")?;
    }
    Ok(())
}

impl Value {
    /// Says whether the value stands in its line.
    const fn is_line(&self) -> bool {
        !matches!(self, Self::Table(_))
    }

    /// The text of a value that stands in its line.
    fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Secret(text) => text.as_str().into(),
            Self::Number(number) => number.to_string().into(),
            Self::Flag(true) => "yes".into(),
            Self::Flag(false) => "no".into(),
            Self::Absent | Self::Table(_) => "-".into(),
        }
    }
}

impl Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Secret(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Absent => serializer.serialize_none(),
            Self::Table(rows) => rows.serialize(serializer),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Zeroizing<String>> for Value {
    fn from(text: Zeroizing<String>) -> Self {
        Self::Secret(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(u64::try_from(number).expect("no length has more than 64 bits"))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

/// A buffer that leaves no copy behind when it grows.
#[derive(Default)]
pub(crate) struct Wiped(pub(crate) Zeroizing<Vec<u8>>);

impl Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut grown = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            grown.extend_from_slice(&self.0);
            self.0 = grown;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let row = |number: u8, name: &str| Record::new().with("number", number).with("name", name);
        Record::new()
            .with("check_value", "08D7B4")
            .with("key", Zeroizing::new(String::from("00FF")))
            .with("valid", true)
            .with("file", None::<String>)
            .with("fields", Value::Table(vec![row(2, "PAN"), row(52, "PIN data")]))
            .with("findings", Value::Table(Vec::new()))
    }

    fn rendered(form: Form) -> String {
        String::from_utf8(record().render(form).to_vec()).unwrap()
    }

    #[test]
    fn text_is_lines_and_tables() {
        let expected = "\
check value: 08D7B4
key:         00FF
valid:       yes
file:        -
fields:
  number  name
  2       PAN
  52      PIN data
findings: none
";
        assert_eq!(rendered(Form::Text), expected);
    }

    #[test]
    fn json_is_one_object_in_the_same_order() {
        let expected = r#"{"check_value":"08D7B4","key":"00FF","valid":true,"file":null,"fields":[{"number":2,"name":"PAN"},{"number":52,"name":"PIN data"}],"findings":[]}"#;
        let shown: serde_json::Value = serde_json::from_str(&rendered(Form::Json)).unwrap();
        assert_eq!(shown, serde_json::from_str::<serde_json::Value>(expected).unwrap());
        let position = |name| rendered(Form::Json).find(name).unwrap();
        assert!(position("check_value") < position("valid") && position("valid") < position("fields"));
    }
}
