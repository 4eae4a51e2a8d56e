//! Messages, to bytes and back.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use core::hint::black_box;

use benches::clock::ThreadTime;
use cardroot::smid::iso8583::{Dialect, Message};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A sale of 1993 with PIN data, the names of two keys and a MAC.
fn sale(dialect: &Dialect) -> Message {
    const SMIDS: [u8; 22] =
        *b"\xA5\xFF\xFF\x98\x76\x54\x32\x10\xE0\x00\x01\xB5\xFF\xFF\x98\x76\x54\x32\x10\xE0\x00\x01";
    let mut message = Message::new("1200".parse().expect("a message type"));
    let texts = [
        (2, "4012345678909"),
        (3, "000000"),
        (4, "000000012345"),
        (11, "000042"),
        (12, "261121101530"),
        (22, "510101511344"),
        (41, "TERM0001"),
        (42, "MERCHANT0000001"),
        (49, "156"),
    ];
    for (field, text) in texts {
        message.set_text(dialect, field, text).expect("the dialect has this field");
    }
    let bytes: [(u8, &[u8]); 3] =
        [(52, b"\x1B\x9C\x18\x45\xEB\x99\x3A\x7A"), (53, &SMIDS), (64, b"\x9C\xCC\x78\x17\xFC\x4F\xB6\x4D")];
    for (field, bytes) in bytes {
        message.set_bytes(dialect, field, bytes).expect("the dialect has this field");
    }
    message
}

fn iso8583(c: &mut Criterion<ThreadTime>) {
    for dialect in [Dialect::ISO1993_ASCII, Dialect::ISO1993_BINARY] {
        let message = sale(dialect);
        let bytes = message.encode(dialect).expect("the message fits its dialect");
        let decode = |bytes: &[u8]| Message::decode(dialect, bytes).expect("a message");
        assert!(decode(&bytes).fields().eq(message.fields()));

        let mut group = c.benchmark_group(format!("{}/{}B", dialect.name(), bytes.len()));
        group.throughput(Throughput::Elements(1));
        group.bench_function("build", |b| b.iter(|| sale(black_box(dialect))));
        group.bench_function("encode", |b| b.iter(|| black_box(&message).encode(dialect)));
        group.bench_function("decode", |b| b.iter(|| decode(black_box(&bytes))));
        group.finish();
    }
}

criterion_group! {
    name = message;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = iso8583
}
criterion_main!(message);
