//! The record: a state under the device key, with its header in clear.

use aeskey::NotSealed;

use super::DeviceKey;
use super::error::{StateError, StoredName};
use super::machine::{Machine, NAME_LEN};

const MAGIC: [u8; 4] = *b"DKPT";
const FORMAT: u8 = 1;
const HEADER_LEN: usize = 24;

/// Bytes of the record that holds a state of `state_len` bytes.
pub(crate) const fn record_len(state_len: usize) -> usize {
    HEADER_LEN + DeviceKey::SIV_LEN + state_len
}

/// The clear part of a record: `magic 4 || format 1 || scheme 1 || name 10 || generation 8`.
struct Header {
    scheme: u8,
    name: [u8; NAME_LEN],
    generation: u64,
}

impl Header {
    fn encode(&self) -> [u8; HEADER_LEN] {
        let [m0, m1, m2, m3] = MAGIC;
        let [n0, n1, n2, n3, n4, n5, n6, n7, n8, n9] = self.name;
        let [g0, g1, g2, g3, g4, g5, g6, g7] = self.generation.to_be_bytes();
        [
            m0,
            m1,
            m2,
            m3,
            FORMAT,
            self.scheme,
            n0,
            n1,
            n2,
            n3,
            n4,
            n5,
            n6,
            n7,
            n8,
            n9,
            g0,
            g1,
            g2,
            g3,
            g4,
            g5,
            g6,
            g7,
        ]
    }

    /// Takes the header of a record in this version of the format. An older version would be told apart here.
    fn decode(header: &[u8; HEADER_LEN]) -> Result<Self, StateError> {
        let [m0, m1, m2, m3, format, scheme, name @ .., g0, g1, g2, g3, g4, g5, g6, g7] = *header;
        if [m0, m1, m2, m3] != MAGIC || format == 0 {
            return Err(StateError::NotAState);
        }
        if format > FORMAT {
            return Err(StateError::NewerVersion { found: format, known: FORMAT });
        }
        Ok(Self { scheme, name, generation: u64::from_be_bytes([g0, g1, g2, g3, g4, g5, g6, g7]) })
    }
}

/// Writes the state of `machine` into `record`, sealed.
pub(super) fn seal<M: Machine>(machine: &M, generation: u64, key: &DeviceKey, record: &mut M::Record) {
    let header = Header { scheme: M::SCHEME, name: M::encode_name(machine.name()), generation }.encode();
    let (clear, rest) = record.as_mut().split_first_chunk_mut().expect("a record begins with its header");
    let (siv, state) = rest.split_first_chunk_mut().expect("the vector follows");
    *clear = header;
    machine.write_state(state);
    *siv = key.seal([&header], state);
}

/// Opens a record in place and returns the machine with its generation. `found_len` is the length of what was stored, of
/// which `record` holds as much as there is room for. Bytes after the record are of no account.
pub(super) fn unseal<M: Machine>(
    record: &mut M::Record,
    found_len: usize,
    key: &DeviceKey,
    expected: Option<&M::Name>,
) -> Result<(M, u64), StateError> {
    let record = record.as_mut();
    let length = StateError::Length { expected: record.len(), found: found_len };
    if found_len < HEADER_LEN {
        return Err(length);
    }
    let whole = found_len == record.len();
    let (clear, rest) = record.split_first_chunk_mut().ok_or(length)?;
    let header = Header::decode(clear)?;
    if header.scheme != M::SCHEME {
        return Err(StateError::OtherScheme { found: header.scheme });
    }
    if !whole {
        return Err(length);
    }
    if expected.is_some_and(|name| M::encode_name(name) != header.name) {
        return Err(StateError::OtherOriginator { found: StoredName(header.name) });
    }
    let (siv, state) = rest.split_first_chunk_mut().ok_or(length)?;
    key.open([clear], siv, state).map_err(|NotSealed| StateError::Seal)?;
    let machine = M::read_state(header.name, state).ok_or(StateError::Contradictory)?;
    Ok((machine, header.generation))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::super::by_hand::siv_512;
    use super::*;
    use crate::{Bdk, Ksn, VolatileOriginator};

    fn machine() -> VolatileOriginator {
        let bdk = Bdk::from_key(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes().into());
        let name = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
        VolatileOriginator::load(bdk.derive_initial_key(&name).unwrap())
    }

    fn key() -> DeviceKey {
        DeviceKey::from_fill(|key| key.iter_mut().zip(1..).for_each(|(byte, value)| *byte = value))
    }

    fn sealed(generation: u64) -> [u8; VolatileOriginator::RECORD_LEN] {
        let mut record = [0; VolatileOriginator::RECORD_LEN];
        seal(&machine(), generation, &key(), &mut record);
        record
    }

    #[test]
    fn record_is_header_vector_and_state_as_documented() {
        let record = sealed(0x0102_0304_0506_0708);
        let header = b"DKPT\x01\x01\xFF\xFF\x98\x76\x54\x32\x10\xE0\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08";
        assert_eq!(&record[..24], header);

        let mut state: Vec<u8> = alloc::vec![0; VolatileOriginator::STATE_LEN];
        machine().write_state(&mut state);
        assert_eq!((record.len(), state.len(), &state[..4]), (401, 361, &[0, 0, 0, 1][..]));
        let siv = siv_512::s2v(key().expose_bytes(), header, &state);
        assert_eq!(record[24..40], siv);
        assert_eq!(record[40..], siv_512::keystream(key().expose_bytes(), &siv, &state));
    }

    #[test]
    fn one_generation_alike_is_sealed_alike_and_another_looks_like_another() {
        assert_eq!(sealed(7), sealed(7));
        let (seven, eight) = (sealed(7), sealed(8));
        let alike = seven[24..].iter().zip(&eight[24..]).filter(|(one, other)| one == other).count();
        assert!(alike < 20, "{alike} of 377 bytes are alike, 1 or 2 are to be expected");
    }
}
