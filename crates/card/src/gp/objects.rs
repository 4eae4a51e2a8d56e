//! What the domain tells about itself.

use apdu::StatusWord;
use apdu::secure::scp02;

use super::keys::{DomainKeys, KeySets};
use super::profile::DomainProfile;
use crate::status::require;

/// Life cycle of the card: secured.
const SECURED: u8 = 0x0F;
/// Privileges of an issuer's domain: security domain, card lock, card terminate, default selected, CVM management.
const PRIVILEGES: [u8; 3] = [0x9E, 0x00, 0x00];

/// `1.2.840.114283`, GlobalPlatform, as an object identifier; arcs follow.
const GLOBAL_PLATFORM: [u8; 6] = [0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B];

/// The answer to SELECT.
///
/// # Source
/// GlobalPlatform Card Specification 2.3, table 11-76.
pub(super) fn control_information(profile: &DomainProfile) -> Vec<u8> {
    let most_data = [0x9F, 0x65, 0x01, 0xFF];
    tlv(&[0x6F], &[tlv(&[0x84], profile.name.as_bytes()), tlv(&[0xA5], &most_data)].concat())
}

/// The answer to GET DATA.
pub(super) fn data_object(tag: u16, profile: &DomainProfile, keys: &KeySets) -> Result<Vec<u8>, StatusWord> {
    match tag {
        0x0066 => Ok(recognition_data(profile, keys)),
        0x00E0 => Ok(key_information(keys)),
        0x9F7F => Ok(tlv(&[0x9F, 0x7F], &profile.production)),
        _ => Err(StatusWord::REFERENCED_DATA_NOT_FOUND),
    }
}

/// Card recognition data: what is GlobalPlatform of this card, and its protocols with their `i`, those of the first set first.
///
/// # Source
/// GlobalPlatform Card Specification 2.3, appendix H.
fn recognition_data(profile: &DomainProfile, keys: &KeySets) -> Vec<u8> {
    let oid = |arcs: &[u8]| tlv(&[0x06], &[&GLOBAL_PLATFORM, arcs].concat());
    let mut protocols = Vec::<Vec<u8>>::new();
    for set in keys.iter() {
        let [number, i] = match set.keys {
            DomainKeys::Tdea(_) => [0x02, scp02::Implementation::byte(profile.scp02)],
            DomainKeys::Aes(_) => [0x03, profile.scp03.byte()],
        };
        let protocol = tlv(&[0x64], &oid(&[0x04, number, i]));
        if !protocols.contains(&protocol) {
            protocols.push(protocol);
        }
    }
    let parts = [
        oid(&[0x01]),
        tlv(&[0x60], &oid(&[0x02, 0x02, 0x03])),
        tlv(&[0x63], &oid(&[0x03])),
        protocols.concat(),
    ];
    tlv(&[0x66], &tlv(&[0x73], &parts.concat()))
}

/// Key information: identifier, version, type, length of each key.
fn key_information(keys: &KeySets) -> Vec<u8> {
    let mut entries = Vec::new();
    for set in keys.iter() {
        for (id, (kind, len)) in (0x01..).zip(set.keys.types()) {
            let len = u8::try_from(len).expect("a key is at most 32 bytes");
            entries.extend(tlv(&[0xC0], &[id, set.version.number(), kind, len]));
        }
    }
    tlv(&[0xE0], &entries)
}

/// The answer to GET STATUS: the issuer's domain is all there is.
pub(super) fn status(
    p1: u8,
    p2: u8,
    criteria: &[u8],
    profile: &DomainProfile,
) -> Result<Vec<u8>, StatusWord> {
    require(matches!(p1, 0x80 | 0x40 | 0x20 | 0x10), StatusWord::WRONG_P1_P2)?;
    require(matches!(p2, 0x00 | 0x02), StatusWord::WRONG_P1_P2)?;
    let [0x4F, len, name @ ..] = criteria else { return Err(StatusWord::WRONG_DATA) };
    // More criteria, such as a tag list, may follow the name.
    let name = name.get(..usize::from(*len)).ok_or(StatusWord::WRONG_DATA)?;
    let is_meant = p1 == 0x80 && profile.name.is_meant_by(name);
    require(is_meant, StatusWord::REFERENCED_DATA_NOT_FOUND)?;
    let name = profile.name.as_bytes();
    let [first_privileges, ..] = PRIVILEGES;
    Ok(match p2 {
        0x00 => {
            let len = u8::try_from(name.len()).expect("a name is at most 16 bytes");
            [&[len], name, &[SECURED, first_privileges]].concat()
        }
        _ => {
            let parts = [tlv(&[0x4F], name), tlv(&[0x9F, 0x70], &[SECURED]), tlv(&[0xC5], &PRIVILEGES)];
            tlv(&[0xE3], &parts.concat())
        }
    })
}

/// A BER-TLV object of at most 255 bytes of content.
fn tlv(tag: &[u8], content: &[u8]) -> Vec<u8> {
    let len = u8::try_from(content.len()).expect("objects of a domain are shorter than 256 bytes");
    let long = if len < 0x80 { &[][..] } else { &[0x81][..] };
    [tag, long, &[len], content].concat()
}
