//! What a domain writes is read, and nothing else is.

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::super::DomainName;
use super::*;
use crate::state::kept::{decode, encode};

fn profile() -> DomainProfile {
    DomainProfile { tries: 3, ..DomainProfile::new([7; 10]) }
}

/// The bytes of key set `version`: its cipher, its counter, lengths of its keys.
fn set(version: u8, kind: u8, sequence: u32, lengths: [u8; 3]) -> Vec<u8> {
    let key = |(n, len): (u8, u8)| [&[0, len][..], &vec![n ^ version; len.into()]].concat();
    let keys: Vec<u8> = (1..).zip(lengths).flat_map(key).collect();
    [&[version, kind][..], &keys, &sequence.to_be_bytes()].concat()
}

/// A domain with one of everything: two failures, sets at both ends of their counters, groupings of no and of many bytes.
fn state() -> Vec<u8> {
    [
        &[0x11, 0, 64, 8][..],
        DomainName::GLOBAL_PLATFORM.as_bytes(),
        &[7; 10],
        &[0; 42],
        &[0x15, 0x70, 3],
        &[2, 0, 3],
        &set(0x01, 0x80, 0xFFFF, [16, 16, 16]),
        &set(0x30, 0x88, 0x00FF_FFFF, [16, 24, 32]),
        &set(0x7F, 0x88, 0, [32, 32, 32]),
        &[1, 0, 2, 0x01, 0x01, 0, 0, 0x80, 0x00, 1, 0],
        &[0x5A; 256],
    ]
    .concat()
}

fn read(state: &[u8]) -> Result<DomainMemory, OpenError> {
    decode(&profile().identity(), state)
}

fn written(memory: &DomainMemory) -> Zeroizing<Vec<u8>> {
    encode(&profile().identity(), memory)
}

#[test]
fn one_of_everything_is_read_and_written_as_it_was() {
    let memory = read(&state()).unwrap();
    assert_eq!(*written(&memory), state());
    assert_eq!(memory.tries_left(&profile()), 1);
    let sets: Vec<_> = memory.keys.iter().map(|set| (set.version.number(), set.sequence())).collect();
    let ended = Err(StatusWord::CONDITIONS_OF_USE);
    assert_eq!(sets, [(0x01, ended), (0x30, ended), (0x7F, Ok(0))]);
    assert!(memory.groupings.are_complete());
    assert_eq!(memory.groupings.find(0x0101), Some(&[][..]));
    assert_eq!(memory.groupings.find(0x8000), Some(&[0x5A; 256][..]));
}

#[test]
fn what_no_domain_has_is_damage() {
    let start = &state()[..67];
    let tdea = |version| set(version, 0x80, 0, [16, 16, 16]);
    let eight: Vec<u8> = (1..=8).flat_map(tdea).collect();
    let no_groupings = [0, 0, 0];
    let with = |sets: &[&[u8]], groupings: &[u8]| {
        read(&[start, &[0], &sets.concat()[..], groupings].concat()).map(drop)
    };
    assert!(with(&[&[0, 1], &tdea(1)], &no_groupings).is_ok());
    assert!(with(&[&[0, 8], &eight], &no_groupings).is_ok());
    for (what, sets) in [
        ("no set", vec![0, 0]),
        ("nine sets", [&[0, 9][..], &eight, &tdea(9)].concat()),
        ("a version twice", [&[0, 2][..], &tdea(1), &tdea(1)].concat()),
        ("version 00", [&[0, 1][..], &tdea(0)].concat()),
        ("version 80", [&[0, 1][..], &tdea(0x80)].concat()),
        ("TDEA of 24 bytes", [&[0, 1][..], &set(1, 0x80, 0, [24; 3])].concat()),
        ("TDEA of 8 bytes", [&[0, 1][..], &set(1, 0x80, 0, [8; 3])].concat()),
        ("AES of 17 bytes", [&[0, 1][..], &set(1, 0x88, 0, [16, 17, 16])].concat()),
        ("another cipher", [&[0, 1][..], &set(1, 0x81, 0, [16; 3])].concat()),
        ("a counter beyond FFFF", [&[0, 1][..], &set(1, 0x80, 0x1_0000, [16; 3])].concat()),
        ("a counter beyond FFFFFF", [&[0, 1][..], &set(1, 0x88, 0x0100_0000, [16; 3])].concat()),
    ] {
        assert!(matches!(with(&[&sets], &no_groupings), Err(OpenError::Damaged)), "{what}");
    }
    let large = [&[0x3F, 0xFD][..], &[0; 0x3FFD]].concat();
    for (what, groupings) in [
        ("half complete", vec![2, 0, 0]),
        ("an identifier twice", vec![0, 0, 2, 1, 1, 0, 0, 1, 1, 0, 0]),
        ("more than there is room for", [&[0, 0, 1, 1, 1][..], &large].concat()),
        ("one that is not there", vec![0, 0, 1]),
    ] {
        assert!(matches!(with(&[&[0, 1], &tdea(1)], &groupings), Err(OpenError::Damaged)), "{what}");
    }
}

#[test]
fn nothing_of_a_state_is_in_debug() {
    let mut state = state();
    // The first key, and the content of the last grouping.
    let len = state.len();
    state[74..90].fill(0xA5);
    state[len - 256..].fill(0xA5);
    let memory = read(&state).unwrap();
    for text in [format!("{memory:?}"), format!("{memory:#x?}")] {
        assert!(!text.to_lowercase().contains("a5") && !text.contains("165"), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_read_is_written_the_same_way(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let mut state = state();
        for (place, byte) in edits {
            let place = place.index(state.len());
            state[place] = byte;
        }
        if let Ok(memory) = read(&state) {
            prop_assert_eq!(&*written(&memory), &state);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(rest in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&[&state()[..67], &rest].concat());
    }

    #[test]
    fn every_prefix_is_damage(len in any::<prop::sample::Index>()) {
        let state = state();
        prop_assert!(matches!(read(&state[..len.index(state.len())]), Err(OpenError::Damaged)));
    }
}
