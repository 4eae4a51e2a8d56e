//! Response files of NIST's validation programme: `NAME = value` lines, a record starting at each `COUNT`, under
//! headings such as `[ENCRYPT]`.

use super::hex;

/// One record of a response file.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The heading above it without its brackets, empty where the file has none.
    pub section: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

/// Splits a response file into its records.
pub(crate) fn records(text: &str) -> Vec<Record<'_>> {
    let mut section = "";
    let mut records = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(heading) = line.strip_prefix('[') {
            section = heading.strip_suffix(']').expect("a heading ends in a bracket");
            continue;
        }
        let (name, value) = line.split_once('=').expect("a line is a field");
        if name.trim().eq_ignore_ascii_case("count") {
            records.push(Record { section, fields: Vec::new() });
        }
        let record = records.last_mut().expect("a record starts with its count");
        record.fields.push((name.trim(), value.trim()));
    }
    records
}

impl Record<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        let mut named = self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        let value = named.next().map(|(_, value)| *value);
        assert!(named.next().is_none(), "{name} comes twice in {self:?}");
        value
    }

    /// The field as a decimal number.
    pub(crate) fn number(&self, name: &str) -> usize {
        self.text(name).and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("{name} in {self:?}"))
    }

    /// The field as bytes.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.text(name).unwrap_or_else(|| panic!("{name} in {self:?}")))
    }

    /// The field as one block, if the record has it.
    pub(crate) fn block(&self, name: &str) -> Option<[u8; 8]> {
        self.text(name).map(|digits| hex(digits).try_into().expect("a block"))
    }

    /// The three parts of the key: `KEYs` stands for all of them.
    pub(crate) fn key_parts(&self) -> [[u8; 8]; 3] {
        match self.block("KEYs") {
            Some(part) => [part; 3],
            None => ["KEY1", "KEY2", "KEY3"].map(|name| self.block(name).expect("a part of the key")),
        }
    }
}
