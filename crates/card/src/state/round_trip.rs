//! What is written is read, and nothing else is.

use proptest::prelude::*;
use tdea::TdeaKey;

use super::codec::{Reader, Stored as _, Writer};
use super::kept::{decode, encode};
use crate::card_key::CardKey;
use crate::directory::{Lock, Path};
use crate::key_record::{KeyKind, KeyRecord};
use crate::memory::{Memory, Owner};
use crate::profile::CardProfile;
use crate::sam_key::{SamKey, Usage};
use crate::system::CardSystem;
use crate::transport_key::TransportKey;

fn identity() -> Vec<u8> {
    CardProfile::user([1, 2, 3, 4, 5, 6, 7, 8]).identity()
}

fn read(state: &[u8]) -> Option<Memory> {
    decode(&identity(), state).ok()
}

/// A card with one of everything.
fn memory() -> Memory {
    let mut memory = Memory::blank(TransportKey::fmcos_default());
    (memory.owner, memory.blocked) = (Owner::Issuer, true);
    let application = [
        // Header: 3F01, 1024 bytes, create, erase, application, name; locked for a time, 2 failures.
        &[0x3F, 0x01, 0x04, 0x00, 0xF0, 0xAA, 0x95, 0x00, 0x03, b'a', b'p', b'p', 0x01, 0x02][..],
        // A key file 0000 of 384 bytes without keys; four files.
        &[0x01, 0x00, 0x00, 0x01, 0x80, 0xAA, 0, 0, 0, 0, 0, 5],
        &[0x00, 0x15, 0, 0xF0, 0xAA, 0xFF, 0, 0, 3, 9, 8, 7],
        &[0x00, 0x16, 1, 0xF0, 0xAA, 0xFF, 1, 0, 2, 4, 0, 2, 0, 4, 1, 2, 3, 4, 0, 4, 5, 6, 7, 8],
        &[0x00, 0x18, 2, 0xF0, 0xAA, 0xFF, 1, 1, 2, 2, 0, 1, 0, 2, 1, 2],
        &[0x00, 0x17, 0, 0xF0, 0xAA, 0xFF, 1, 2, 0, 9, 0, 1, 0, 3, 7, 1, 8],
        &[0x00, 0x01, 0, 0xEF, 0xEF, 0xFF, 2, 0xF0, 0x18, 0, 0, 0, 9, 0, 0, 0, 0, 0, 1, 0, 2, 1],
        &[0x06, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8],
        // No directory.
        &[0, 0],
    ]
    .concat();
    let mut written = Writer::new();
    memory.root.write(&mut written);
    let mut root = written.finish().to_vec();
    let end = root.len() - 2;
    root.truncate(end);
    root.extend([0, 1]);
    root.extend(application);
    memory.root = crate::directory::Directory::read(&mut Reader::new(&root)).expect("the bytes above");
    let path = Path::MASTER_FILE.child(0).expect("the first level");
    let keys = memory.root.at_mut(path).keys.as_mut().expect("the key file above");
    for key_type in [0x30, 0x31, 0x32, 0x34, 0x36, 0x37, 0x38, 0x39, 0x3C, 0x3D, 0xFE, 0xFF] {
        let record = [&[key_type, 0xF0, 0xAA, key_type, 0x33][..], &[key_type; 8]].concat();
        keys.put(KeyRecord::decode(key_type & 0x0F, &record, &CardSystem::FMCOS_2).unwrap());
    }
    keys.put(KeyRecord::decode(0, &[0x3A, 0xF0, 0xEF, 1, 0x32, 0x12, 0x34], &CardSystem::FMCOS_2).unwrap());
    keys.put(KeyRecord::master(CardKey::try_from(&[7; 16][..]).unwrap()));
    let sm4 = [&[9, 1, 4, 8, 0xF0, 0x0A, 0xAA, 0x33][..], &[0x6B; 16]].concat();
    keys.put(KeyRecord::decode_with_header(&sm4, &CardSystem::TIANYU).unwrap());
    keys.put_sam_key(SamKey::new(Usage(0x42), 3, TdeaKey::from([0x5B; 16])));
    memory
}

#[test]
fn one_of_everything_is_read_as_it_was() {
    let memory = memory();
    let state = encode(&identity(), &memory);
    let again = read(&state).unwrap();
    assert_eq!(*encode(&identity(), &again), *state);
    assert!(again.blocked && again.owner == Owner::Issuer);
    let path = Path::MASTER_FILE.child(0).unwrap();
    assert_eq!(again.root.at(path).lock, Lock::Temporary);
    assert_eq!(again.root.at(path).failed_unblocks, 2);
    let keys = again.root.at(path).keys.as_ref().unwrap();
    let sm4 = keys.find(KeyKind::ExternalAuthentication, 9).unwrap();
    assert!(matches!(sm4.key(), Some(CardKey::Sm4(_))));
    // Room is counted again from what is there.
    assert_eq!(format!("{:?}", again.root), format!("{:?}", memory.root));
}

#[test]
fn no_directory_is_open_after_a_loss_of_power() {
    let mut memory = memory();
    memory.root.at_mut(Path::MASTER_FILE.child(0).unwrap()).erase();
    assert!(memory.root.has_open());
    let again = read(&encode(&identity(), &memory)).unwrap();
    assert!(!again.root.is_fresh());
}

#[test]
fn a_state_grows_without_losing_bytes() {
    let mut out = Writer::new();
    (0..10_000_u16).for_each(|number| out.number(number));
    assert!(out.finish().chunks(2).eq((0..10_000_u16).map(u16::to_be_bytes)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_read_is_written_the_same_way(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let mut state = encode(&identity(), &memory()).to_vec();
        for (place, byte) in edits {
            let place = place.index(state.len());
            state[place] = byte;
        }
        if let Some(memory) = read(&state) {
            prop_assert_eq!(&*encode(&identity(), &memory), &state);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(rest in prop::collection::vec(any::<u8>(), 0..200)) {
        let start = encode(&identity(), &memory());
        let state = [&start[..35], &rest].concat();
        let _ = read(&state);
    }
}
