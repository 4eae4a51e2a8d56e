//! The messages and the dialects in which cardroot and its peer are measured.

use smid::iso8583::{BitmapCoding, Coding, Dialect, LengthCoding, Message, ValueCoding};

/// How the messages are written, for the peer.
pub const PEER_SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer.yaml");

/// Three fields: the smallest useful message.
pub const SMALL: &[(u8, &str)] = &[(2, "4242424242424242"), (3, "123456"), (4, "000000000100")];

/// A sale with PIN data, the names of two keys and a MAC; fields 52, 53 and 64 in hex.
pub const SALE: &[(u8, &str)] = &[
    (2, "4012345678909"),
    (3, "000000"),
    (4, "000000012345"),
    (11, "000042"),
    (12, "261121101530"),
    (22, "510101511344"),
    (41, "TERM0001"),
    (42, "MERCHANT0000001"),
    (49, "156"),
    (52, "1B9C1845EB993A7A"),
    (53, "A5FFFF9876543210E00001B5FFFF9876543210E00001"),
    (64, "9CCC7817FC4FB64D"),
];

/// ASCII with a binary bitmap and raw binary fields, which both sides can write.
pub fn dialect() -> Dialect {
    let mut dialect = Dialect::ISO1993_ASCII.derive("common");
    dialect.set_bitmap(BitmapCoding::Binary);
    for number in [52, 64] {
        let spec = dialect.field(number).expect("a field").spec.clone();
        let coding = Coding { length: LengthCoding::Ascii, value: ValueCoding::Raw };
        dialect.set_field(spec, coding).expect("raw bytes fit");
    }
    dialect
}

/// Bytes of a field in hex, decoded outside of what is measured.
pub enum Value {
    Text(&'static str),
    Bytes(Vec<u8>),
}

pub fn values(fields: &'static [(u8, &'static str)]) -> Vec<(u8, Value)> {
    let value = |number: u8, text: &'static str| match number {
        52 | 53 | 64 => Value::Bytes(
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
                .collect(),
        ),
        _ => Value::Text(text),
    };
    fields.iter().map(|&(number, text)| (number, value(number, text))).collect()
}

/// Builds the message and encodes it.
pub fn build(dialect: &Dialect, values: &[(u8, Value)]) -> Vec<u8> {
    let mut message = Message::new("1200".parse().expect("a message type"));
    for (number, value) in values {
        match value {
            Value::Text(text) => message.set_text(dialect, *number, text),
            Value::Bytes(bytes) => message.set_bytes(dialect, *number, bytes),
        }
        .expect("the dialect has this field");
    }
    message.encode(dialect).expect("the message fits")
}

/// The peer.
pub mod peer {
    use iso8583_rs::iso8583::iso_spec::{IsoMsg, MessageSegment, Spec, new_msg, spec};

    /// The specification in `PEER_SPEC`, which the peer reads once.
    pub fn open() -> (&'static Spec, &'static MessageSegment) {
        // SAFETY: called first thing, before any other thread runs.
        unsafe { std::env::set_var("SPEC_FILE", super::PEER_SPEC) };
        let spec = spec("");
        (spec, spec.get_message_from_header("1200").expect("the specification has it"))
    }

    /// Builds the message and encodes it; the peer takes bytes in hex.
    pub fn build(spec: &'static Spec, segment: &'static MessageSegment, fields: &[(u8, &str)]) -> Vec<u8> {
        let mut message = new_msg(spec, segment);
        message.set("message_type", "1200").expect("a field");
        for (number, text) in fields {
            message.set_on((*number).into(), text).expect("a field");
        }
        message.assemble().expect("the message fits")
    }

    pub fn parse(spec: &'static Spec, bytes: &mut Vec<u8>) -> IsoMsg {
        spec.parse(bytes).expect("a message")
    }
}
