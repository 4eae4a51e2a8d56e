//! What all vector tests need: rows of a file, keys from hex, a random source that repeats what it is told.
#![allow(dead_code, reason = "each test uses a part of it")]

use core::convert::Infallible;

use cardroot_keyblock::aeskey::{AesKey, AesKeyLength, Cmac};
use cardroot_keyblock::tdea::TdeaKey;
use cardroot_keyblock::{AesKbpk, BlockKey, Exportability, Form, KeyBlock, NewKey, Unwrapped, Version};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rand_core::{TryCryptoRng, TryRng};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
pub(crate) struct Good {
    pub(crate) kbpk: String,
    pub(crate) key_block: String,
    pub(crate) key: String,
    pub(crate) kbek: String,
    pub(crate) kbak: String,
    pub(crate) padding: String,
    pub(crate) source: String,
}

#[derive(Deserialize)]
pub(crate) struct Bad {
    pub(crate) kbpk: String,
    pub(crate) key_block: String,
    pub(crate) expect: String,
}

/// All blocks that open, of both files.
pub(crate) fn good() -> Vec<Good> {
    let mut all = rows("tr31", include_str!("../data/tr31.csv"), 22);
    all.extend(rows::<Good>("tr31_more", include_str!("../data/tr31_more.csv"), 12));
    all
}

/// All blocks that do not, of both files.
pub(crate) fn bad() -> Vec<Bad> {
    let mut all = rows("tr31_negative", include_str!("../data/tr31_negative.csv"), 22);
    all.extend(rows::<Bad>("tr31_negative_more", include_str!("../data/tr31_negative_more.csv"), 12));
    all
}

/// Reads a file of vectors; `expected` rows, or it is not the file we know.
fn rows<T: DeserializeOwned>(name: &str, csv: &str, expected: usize) -> Vec<T> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(csv.as_bytes());
    let rows: Vec<T> = reader.deserialize().collect::<Result<_, _>>().unwrap();
    println!("{name}: {} rows", rows.len());
    assert_eq!(rows.len(), expected);
    rows
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(text).unwrap()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    base16ct::upper::encode_string(bytes)
}

pub(crate) fn tdea_key(text: &str) -> TdeaKey {
    TdeaKey::try_from(&*hex(text)).unwrap()
}

pub(crate) fn aes_key(text: &str) -> AesKey {
    AesKey::try_from(&*hex(text)).unwrap()
}

/// A random source that gives the bytes it holds, once, and fails the test when asked for more.
pub(crate) struct Script(Vec<u8>);

impl Script {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Whether every byte was asked for.
    pub(crate) fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("fill is asked for in bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("fill is asked for in bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0[..out.len()]);
        self.0.drain(..out.len());
        Ok(())
    }
}

impl TryCryptoRng for Script {}

/// A random source that counts: for blocks whose fill does not matter.
#[derive(Default)]
pub(crate) struct Counting(u8);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("fill is asked for in bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("fill is asked for in bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

/// Seals a block of version D by hand, whatever it says: for keys and headers that the crate does not write. `fields` are the
/// characters from the usage on.
pub(crate) fn seal_d(kbpk: &[u8; 32], fields: &str, key: &[u8]) -> KeyBlock {
    let derived = |purpose: u8| {
        let kbpk = AesKey::try_from(&kbpk[..]).unwrap();
        AesKey::from_blocks(AesKeyLength::Aes256, |counter, block| {
            Cmac::new(&kbpk).chain(&[counter, 0, purpose, 0, 0, 4, 1, 0]).finalize_into(block);
        })
    };
    let mut payload = u16::try_from(8 * key.len()).unwrap().to_be_bytes().to_vec();
    payload.extend_from_slice(key);
    payload.resize(payload.len().next_multiple_of(16), 0xFF);
    let header = format!("D{:04}{fields}", 5 + fields.len() + 2 * payload.len() + 32);
    let mac = *Cmac::new(&derived(1)).chain(header.as_bytes()).chain(&payload).finalize().as_bytes();
    derived(0).encrypt_cbc(mac, &mut payload).unwrap();
    format!("{header}{}{}", to_hex(&payload), to_hex(&mac)).parse().unwrap()
}

/// A key of `K` in an opened block, as a loading device gives it.
pub(crate) fn opened<K: BlockKey>(key: K) -> Unwrapped<K> {
    let rng = &mut UnwrapErr(SysRng);
    let loader = AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, rng));
    let form = Form::new(Version::D, Exportability::None);
    let block = NewKey::new(key, K::GIVES[0]).unwrap().wrap(&loader, &form, rng).unwrap();
    block.unwrap(&loader).unwrap().into_key().unwrap()
}
