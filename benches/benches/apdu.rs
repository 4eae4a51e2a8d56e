//! Commands to bytes and back, beside the crate `iso7816`.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use core::hint::black_box;

use benches::clock::ThreadTime;
use cardroot::apdu::{CommandApdu, Header, Instruction, Le};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use iso7816::command::{Command, CommandBuilder, CommandView, ExpectedLen};

/// Most data of a command below.
const LONGEST: usize = 4096;

/// UPDATE BINARY with these data, and as large an Le as its form has.
fn ours(data: &[u8]) -> CommandApdu {
    let le = if data.len() <= CommandApdu::MAX_SHORT_DATA { Le::MAX_SHORT } else { Le::MAX_EXTENDED };
    let header = Header::iso(Instruction::UPDATE_BINARY, 0x95, 0x00);
    CommandApdu::new(header).with_data(data).expect("data that a command takes").with_le(le)
}

/// The same as the peer has it.
fn theirs(data: &[u8]) -> CommandBuilder<&[u8]> {
    let le = if data.len() <= CommandApdu::MAX_SHORT_DATA { ExpectedLen::Ne(256) } else { ExpectedLen::Max };
    let class = 0x00.try_into().expect("an interindustry class");
    CommandBuilder::new(class, Instruction::UPDATE_BINARY.byte().into(), 0x95, 0x00, data, le)
}

fn apdu(c: &mut Criterion<ThreadTime>) {
    for len in [16, 255, LONGEST] {
        let data = vec![0x5A; len];
        let (command, peer) = (ours(&data), theirs(&data));
        let bytes = command.encode();
        let bytes = bytes.expose_bytes();
        assert_eq!(peer.clone().serialize_to_vec(), bytes);
        let decode = |bytes: &[u8]| CommandApdu::decode(bytes).expect("a command");
        assert_eq!(decode(bytes).expose_data(), data);
        assert_eq!(CommandView::try_from(bytes).expect("a command").data(), data);

        let mut group = c.benchmark_group(format!("apdu/command/{}B", bytes.len()));
        group.throughput(Throughput::Elements(1));
        group.bench_function("build and encode/cardroot", |b| b.iter(|| ours(black_box(&data)).encode()));
        group.bench_function("build and encode/crate iso7816", |b| {
            b.iter(|| theirs(black_box(&data)).serialize_to_vec());
        });
        group.bench_function("encode/cardroot", |b| b.iter(|| black_box(&command).encode()));
        group.bench_function("encode/crate iso7816", |b| {
            b.iter(|| black_box(&peer).clone().serialize_to_vec())
        });
        group.bench_function("decode/cardroot", |b| b.iter(|| decode(black_box(bytes))));
        group.bench_function("decode/crate iso7816, copied", |b| {
            b.iter(|| Command::<LONGEST>::try_from(black_box(bytes)).expect("a command"));
        });
        group.bench_function("decode/crate iso7816, borrowed", |b| {
            b.iter(|| CommandView::try_from(black_box(bytes)).expect("a command").data().len());
        });
        group.finish();
    }
}

criterion_group! {
    name = codec;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = apdu
}
criterion_main!(codec);
