//! Messages built and parsed, beside the crate `iso8583_rs`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use iso8583_bench::{SALE, SMALL, build, dialect, peer, values};
use smid::iso8583::Message;

#[path = "../../src/clock.rs"]
mod clock;
use clock::ThreadTime;

fn iso8583(c: &mut Criterion<ThreadTime>) {
    let dialect = dialect();
    let (spec, segment) = peer::open();
    for (name, fields) in [("small", SMALL), ("sale", SALE)] {
        let values = values(fields);
        let bytes = build(&dialect, &values);
        // Both write the same bytes and read the same values, or nothing is measured.
        assert_eq!(peer::build(spec, segment, fields), bytes);
        let message = Message::decode(&dialect, &bytes).expect("a message");
        let theirs = peer::parse(spec, &mut bytes.clone());
        for (number, text) in fields {
            let read = theirs.bmp_child_value((*number).into()).expect("a field");
            assert_eq!(read.to_uppercase(), *text);
            assert!(message.contains(*number));
        }

        let mut group = c.benchmark_group(format!("{name}/{}B", bytes.len()));
        group.throughput(Throughput::Elements(1));
        group.bench_function("build/cardroot", |b| b.iter(|| build(black_box(&dialect), black_box(&values))));
        group.bench_function("build/iso8583_rs", |b| {
            b.iter(|| peer::build(spec, segment, black_box(fields)));
        });
        group.bench_function("parse/cardroot", |b| {
            b.iter(|| Message::decode(&dialect, black_box(&bytes)).expect("a message"));
        });
        let mut theirs = bytes.clone();
        group.bench_function("parse/iso8583_rs", |b| b.iter(|| peer::parse(spec, black_box(&mut theirs))));
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = iso8583
}
criterion_main!(benches);
