//! Reads the vector files: CSV with quoted fields, a header line on top.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use cardroot_diversify::Factor;
use cardroot_diversify::block::{AesKey, Sm4Key};
use tdea::TdeaKey;

/// One row of a vector file, by column name.
pub(crate) struct Row(Vec<(String, String)>);

impl Row {
    pub(crate) fn text(&self, column: &str) -> &str {
        self.0.iter().find(|(name, _)| name == column).map_or("", |(_, text)| text.as_str())
    }

    pub(crate) fn bytes(&self, column: &str) -> Vec<u8> {
        hex(self.text(column))
    }

    pub(crate) fn key(&self, column: &str) -> TdeaKey {
        key(self.text(column))
    }

    pub(crate) fn aes_key(&self, column: &str) -> AesKey {
        AesKey::try_from(self.bytes(column).as_slice()).expect("vector files hold keys")
    }

    pub(crate) fn sm4_key(&self, column: &str) -> Sm4Key {
        Sm4Key::try_from(self.bytes(column).as_slice()).expect("vector files hold keys")
    }

    pub(crate) fn array<const N: usize>(&self, column: &str) -> [u8; N] {
        self.bytes(column).try_into().expect("the column has this many bytes")
    }
}

pub(crate) fn rows(file: &str) -> Vec<Row> {
    let mut lines = file.lines();
    let columns = fields(lines.next().expect("a vector file has a header"));
    lines.map(|line| Row(columns.iter().cloned().zip(fields(line)).collect())).collect()
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().expect("there is a field").push(other),
        }
    }
    fields
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(text).expect("vector files hold hex")
}

pub(crate) fn key(text: &str) -> TdeaKey {
    TdeaKey::try_from(hex(text).as_slice()).expect("vector files hold keys")
}

pub(crate) fn factor(text: &str) -> Factor {
    Factor::try_from(hex(text).as_slice()).expect("vector files hold factors")
}

/// One value of a session's inputs, which are `NAME=hex` separated by semicolons.
pub(crate) fn session_input<'a>(inputs: &'a str, name: &str) -> &'a str {
    let pair = inputs.split(';').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    pair.expect("the session has this input")
}
