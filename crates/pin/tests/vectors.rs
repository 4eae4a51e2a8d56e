//! Published clear blocks, both ways, and blocks that must not decode.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a panic here is the report")]

mod common;

use cardroot_pin::{
    CardPinBlock, ClearPinBlock, InvalidPinBlock, Iso4PanField, Iso4PinField, Pan, Pin, PinBlockFormat,
};
use common::{hex, hex_array, pan, pin, rows};

const HEADING: &str = "format,pin,pan,fill,block,key,detail,source";

/// What follows `name` in a detail column like `pinfield 44… panfield 44…`.
fn detail<'a>(details: &'a str, name: &str) -> &'a str {
    let mut words = details.split(' ').skip_while(|word| *word != name);
    words.nth(1).unwrap()
}

/// The explicit fill of a row; `all F` in words is all `F` in hexadecimal.
fn fill(text: &str) -> [u8; 7] {
    if text.starts_with("all F") { [0xFF; 7] } else { hex_array(text) }
}

fn check_row([format, digits, account, filling, block, _, details, source]: [&str; 8]) {
    let format = PinBlockFormat::try_from(format.parse::<u8>().unwrap()).unwrap();
    let pin = pin(digits);
    let decoded = match format {
        PinBlockFormat::Iso0 => {
            let clear = ClearPinBlock::encode_iso0(&pin, &pan(account));
            assert_eq!(clear.expose_bytes(), &hex_array(block), "{source}");
            clear.decode(format, &pan(account))
        }
        PinBlockFormat::Iso1 => {
            let clear = ClearPinBlock::encode_iso1_with_fixed_fill(&pin, &fill(filling));
            assert_eq!(clear.expose_bytes(), &hex_array(block), "{source}");
            clear.decode(format, &pan("11111111"))
        }
        PinBlockFormat::Iso2 => {
            let clear = CardPinBlock::encode(&pin);
            assert_eq!(clear.expose_bytes(), &hex_array(block), "{source}");
            clear.decode()
        }
        PinBlockFormat::Iso3 => {
            let clear =
                ClearPinBlock::encode_iso3_with_fixed_fill(&pin, &pan(account), &fill(filling)).unwrap();
            assert_eq!(clear.expose_bytes(), &hex_array(block), "{source}");
            clear.decode(format, &pan(account))
        }
        PinBlockFormat::Iso4 => return check_iso4_row(&pin, &pan(account), filling, details, source),
    };
    assert!(decoded.unwrap().ct_eq(&pin), "{source}");
}

/// The clear fields of format 4; the last bytes of the PIN field are random and published in some rows only.
fn check_iso4_row(pin: &Pin, pan: &Pan, random: &str, details: &str, source: &str) {
    let random = if random.is_empty() { [0; 8] } else { hex_array(random) };
    let pin_field = Iso4PinField::encode_with_fixed_random(pin, &random);
    let published = hex(detail(details, "pinfield"));
    assert!(published.len() == 8 || published.len() == 16, "{source}");
    assert_eq!(pin_field.expose_bytes()[..published.len()], published, "{source}");
    assert_eq!(pin_field.expose_bytes()[8..], random, "{source}");
    assert_eq!(Iso4PanField::encode(pan).expose_bytes(), &hex_array(detail(details, "panfield")), "{source}");
    assert!(pin_field.decode().unwrap().ct_eq(pin), "{source}");
}

fn check_file(file: &'static str, per_format: [usize; 5]) {
    let rows = rows::<8>(file, HEADING);
    let mut counts = [0; 5];
    for row in rows {
        counts[row[0].parse::<usize>().unwrap()] += 1;
        check_row(row);
    }
    println!("checked {counts:?} rows of formats 0 to 4");
    assert_eq!(counts, per_format);
}

#[test]
fn published_blocks_encode_and_decode() {
    check_file(include_str!("data/pinblocks.csv"), [2, 0, 4, 3, 3]);
}

#[test]
fn further_published_blocks_encode_and_decode() {
    check_file(include_str!("data/pinblocks_more.csv"), [4, 2, 1, 1, 2]);
}

#[test]
fn defective_blocks_give_the_one_opaque_error() {
    let rows = rows::<5>(include_str!("data/fails_pinblocks.csv"), "format,pan,block,defect,source");
    for [format, account, block, defect, _] in &rows {
        let eight = || ClearPinBlock::from_fill(|bytes| *bytes = hex_array(block));
        let decoded = match *format {
            "0" => eight().decode_iso0(&pan(account)),
            "1" => eight().decode_iso1(),
            "2" => CardPinBlock::from_fill(|bytes| *bytes = hex_array(block)).decode(),
            "3" => eight().decode_iso3(&pan(account)),
            "4" => Iso4PinField::from_fill(|bytes| *bytes = hex_array(block)).decode(),
            other => panic!("format {other}"),
        };
        assert_eq!(decoded.unwrap_err(), InvalidPinBlock, "format {format}: {defect}");
    }
    println!("checked {} defective blocks", rows.len());
    assert_eq!(rows.len(), 41);
}
