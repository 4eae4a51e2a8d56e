//! A second implementation of all versions, out of single blocks of the ciphers, agrees with the crate on random blocks.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_keyblock::aeskey::{AesKey, AesKeyLength};
use cardroot_keyblock::tdea::TdeaKey;
use cardroot_keyblock::{
    AesKbpk, BlockId, BlockKey, DerivationKbpk, Exportability, Form, Iso20038Kbpk, KeyBlock, Masking,
    ModeOfUse, NewKey, OptionalBlock, VariantKbpk, Version, WrapError, aes_keys, tdea_keys,
};
use common::{Counting, Script, hex};
use proptest::prelude::*;

/// A block cipher under one key.
trait Blocks {
    const LEN: usize;
    /// The constant that doubling in GF(2^n) adds.
    const R: u8;

    fn encrypt(&self, block: &mut [u8]);
    fn decrypt(&self, block: &mut [u8]);
}

impl Blocks for TdeaKey {
    const LEN: usize = 8;
    const R: u8 = 0x1B;

    fn encrypt(&self, block: &mut [u8]) {
        self.cipher().encrypt_block(block.try_into().unwrap());
    }

    fn decrypt(&self, block: &mut [u8]) {
        self.cipher().decrypt_block(block.try_into().unwrap());
    }
}

impl Blocks for AesKey {
    const LEN: usize = 16;
    const R: u8 = 0x87;

    fn encrypt(&self, block: &mut [u8]) {
        self.encrypt_block(block.try_into().unwrap());
    }

    fn decrypt(&self, block: &mut [u8]) {
        self.decrypt_block(block.try_into().unwrap());
    }
}

fn xor(a: &mut [u8], b: &[u8]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
}

fn double(block: &[u8], r: u8) -> Vec<u8> {
    let mut out: Vec<u8> = block.to_vec();
    for (index, byte) in out.iter_mut().enumerate() {
        *byte = block[index] << 1 | block.get(index + 1).map_or(0, |next| next >> 7);
    }
    if block[0] & 0x80 != 0 {
        *out.last_mut().unwrap() ^= r;
    }
    out
}

/// The last block of CBC from zeros.
fn cbc_mac<C: Blocks>(key: &C, message: &[u8]) -> Vec<u8> {
    let mut chain = vec![0; C::LEN];
    for block in message.chunks(C::LEN) {
        xor(&mut chain, block);
        key.encrypt(&mut chain);
    }
    chain
}

/// CMAC as NIST SP 800-38B has it, the subkeys from scratch.
fn cmac<C: Blocks>(key: &C, message: &[u8]) -> Vec<u8> {
    let mut zeros = vec![0; C::LEN];
    key.encrypt(&mut zeros);
    let first = double(&zeros, C::R);
    let mut message = message.to_vec();
    let whole = !message.is_empty() && message.len().is_multiple_of(C::LEN);
    let subkey = if whole { first } else { double(&first, C::R) };
    if !whole {
        message.push(0x80);
        message.resize(message.len().next_multiple_of(C::LEN), 0);
    }
    let last = message.len() - C::LEN;
    xor(&mut message[last..], &subkey);
    cbc_mac(key, &message)
}

fn cbc_decrypt<C: Blocks>(key: &C, iv: &[u8], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut chain = iv.to_vec();
    for block in data.chunks(C::LEN) {
        let mut clear = block.to_vec();
        key.decrypt(&mut clear);
        xor(&mut clear, &chain);
        chain = block.to_vec();
        out.extend(clear);
    }
    out
}

fn ctr<C: Blocks>(key: &C, start: &[u8], data: &[u8]) -> Vec<u8> {
    let mut counter = start.to_vec();
    let mut out = Vec::new();
    for block in data.chunks(C::LEN) {
        let mut stream = counter.clone();
        key.encrypt(&mut stream);
        xor(&mut stream, block);
        out.extend(&stream[..block.len()]);
        for byte in counter.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }
    out
}

/// Derived key bytes: `purpose` 0, 1 or 2.
fn derived<C: Blocks>(kbpk: &C, len: usize, algorithm: u8, purpose: u8) -> Vec<u8> {
    let bits = u16::try_from(8 * len).unwrap().to_be_bytes();
    let parts = (1..=len.div_ceil(C::LEN)).map(|counter| {
        let counter = u8::try_from(counter).unwrap();
        cmac(kbpk, &[counter, 0, purpose, 0, 0, algorithm, bits[0], bits[1]])
    });
    parts.flatten().take(len).collect()
}

/// The clear payload of a block, after its MAC has been compared.
fn open(kbpk: &[u8], text: &str, header_len: usize) -> Vec<u8> {
    let mac_len = match &text[..1] {
        "A" | "C" => 8,
        "B" => 16,
        _ => 32,
    };
    let header = &text.as_bytes()[..header_len];
    let (ciphertext, mac) = text[header_len..].split_at(text.len() - header_len - mac_len);
    let (ciphertext, mac) = (hex(ciphertext), hex(mac));
    let tdea = |bytes: &[u8]| TdeaKey::try_from(bytes).unwrap();
    let aes = |bytes: &[u8]| AesKey::try_from(bytes).unwrap();
    let len = kbpk.len();

    match &text[..1] {
        "A" | "C" => {
            let [encryption, authentication] =
                [0x45, 0x4D].map(|mask| tdea(&kbpk.iter().map(|byte| byte ^ mask).collect::<Vec<_>>()));
            assert_eq!(cbc_mac(&authentication, &[header, &ciphertext].concat())[..4], mac);
            cbc_decrypt(&encryption, &header[..8], &ciphertext)
        }
        "B" => {
            let algorithm = if len == 16 { 0 } else { 1 };
            let [encryption, authentication] =
                [0, 1].map(|purpose| tdea(&derived(&tdea(kbpk), len, algorithm, purpose)));
            let payload = cbc_decrypt(&encryption, &mac, &ciphertext);
            assert_eq!(cmac(&authentication, &[header, &payload].concat()), mac);
            payload
        }
        version => {
            let algorithm = u8::try_from(len / 8).unwrap();
            let cipher = if version == "E" { 2 } else { 0 };
            let [encryption, authentication] =
                [cipher, 1].map(|purpose| aes(&derived(&aes(kbpk), len, algorithm, purpose)));
            let payload = match version {
                "E" => ctr(&encryption, &mac, &ciphertext),
                _ => cbc_decrypt(&encryption, &mac, &ciphertext),
            };
            assert_eq!(cmac(&authentication, &[header, &payload].concat()), mac);
            payload
        }
    }
}

fn wrap<K: BlockKey>(
    version: Version,
    kbpk: &[u8],
    key: &NewKey<K>,
    form: &Form,
    rng: &mut Script,
) -> Result<KeyBlock, WrapError> {
    match version {
        Version::A | Version::C => {
            key.wrap(&VariantKbpk::from_key(TdeaKey::try_from(kbpk).unwrap()), form, rng)
        }
        Version::B => key.wrap(&DerivationKbpk::from_key(TdeaKey::try_from(kbpk).unwrap()), form, rng),
        Version::D => key.wrap(&AesKbpk::from_key(AesKey::try_from(kbpk).unwrap()), form, rng),
        Version::E => key.wrap(&Iso20038Kbpk::from_key(AesKey::try_from(kbpk).unwrap()), form, rng),
    }
}

proptest! {
    #[test]
    fn both_roads_lead_to_the_same_payload(
        version in prop_oneof![
            Just(Version::A), Just(Version::B), Just(Version::C), Just(Version::D), Just(Version::E)
        ],
        kbpk in any::<[u8; 32]>(),
        kbpk_len in prop_oneof![Just(16_usize), Just(24), Just(32)],
        key in any::<[u8; 24]>(),
        key_len in prop_oneof![Just(16_usize), Just(24)],
        fill in any::<[u8; 64]>(),
        ksn in proptest::option::of(any::<[u8; 10]>()),
        label in proptest::option::of("[ -~]{0,300}"),
        masking in prop_oneof![Just(Masking::Longest), Just(Masking::None)],
    ) {
        let aes = matches!(version, Version::D | Version::E);
        let kbpk = &kbpk[..if aes { kbpk_len } else { kbpk_len.min(24).max(key_len) }];
        let key = &key[..key_len];
        let mut optional_blocks = Vec::new();
        optional_blocks.extend(ksn.map(|ksn| OptionalBlock::key_serial_number(&ksn)));
        optional_blocks.extend(label.map(|label| OptionalBlock::new(BlockId::LABEL, &label).unwrap()));
        let form = Form { masking, optional_blocks, ..Form::new(version, Exportability::Trusted) };

        let bdk = tdea_keys::Bdk::from_key(TdeaKey::try_from(key).unwrap());
        let bdk = NewKey::new(bdk, ModeOfUse::DERIVE).unwrap();
        let block = wrap(version, kbpk, &bdk, &form, &mut Script::new(&fill)).unwrap();

        let payload = open(kbpk, block.as_str(), header_len(&block));
        let shown = if masking == Masking::Longest { 24 } else { key_len };
        prop_assert_eq!(&payload[..2], &u16::try_from(8 * key_len).unwrap().to_be_bytes());
        prop_assert_eq!(&payload[2..2 + key_len], key);
        prop_assert_eq!(&payload[2 + key_len..], &fill[..payload.len() - 2 - key_len]);
        let unit = match version { Version::E => 1, Version::D => 16, _ => 8 };
        prop_assert_eq!(payload.len(), (2 + shown).next_multiple_of(unit));
    }
}

/// Header fields and optional blocks, counted.
fn header_len(block: &KeyBlock) -> usize {
    let optional = block.header().optional_blocks.iter().map(|block| {
        let short = 4 + block.data().len();
        if short > 255 { short + 6 } else { short }
    });
    16 + optional.sum::<usize>()
}

#[test]
fn a_masked_key_in_counter_mode_spans_three_blocks() {
    let kbpk = AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0x31));
    let key = aes_keys::DataKey::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(7)));
    let key = NewKey::new(key, ModeOfUse::ENCRYPT).unwrap();
    let form = Form::new(Version::E, Exportability::None);
    let block = key.wrap(&Iso20038Kbpk::from_key(kbpk.duplicate()), &form, &mut Counting::default()).unwrap();
    let payload = open(kbpk.expose_bytes(), block.as_str(), 16);
    assert_eq!((payload.len(), &payload[2..18]), (34, &[7; 16][..]));
}
