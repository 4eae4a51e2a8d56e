//! Reading the vector files.

#![allow(dead_code, reason = "each test program uses its part of these helpers")]

/// The rows of a CSV file under its header line, split into their columns. Lines starting with `#` are comments.
pub fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut lines = csv.lines().filter(|line| !line.starts_with('#'));
    let columns = split(lines.next().expect("a header line")).len();
    lines
        .map(|line| {
            let row = split(line);
            assert_eq!(row.len(), columns, "{line}");
            row
        })
        .collect()
}

/// Splits a line at its commas; those within double quotes are text.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().expect("never empty").push(c),
        }
    }
    fields
}

/// Decodes hex in which `{AA*16}` is a byte repeated.
pub fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, tail)) = rest.split_once('{') {
        let (repeated, tail) = tail.split_once('}').expect("a closing brace");
        let (byte, count) = repeated.split_once('*').expect("byte*count");
        bytes.extend(plain_hex(plain));
        bytes.extend(plain_hex(byte).repeat(count.parse().expect("a count")));
        rest = tail;
    }
    bytes.extend(plain_hex(rest));
    bytes
}

fn plain_hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    base16ct::mixed::decode_vec(&digits).unwrap_or_else(|_| panic!("not hex: {text}"))
}

/// Formats both ways and looks for the byte A5 as `{:?}` prints it.
pub fn assert_debug_hides_a5(value: &impl core::fmt::Debug) {
    for text in [format!("{value:?}"), format!("{value:#x?}")] {
        let lower = text.to_lowercase();
        assert!(!lower.contains("a5") && !lower.contains("165"), "{text}");
    }
}
