//! AES-SIV a second time, for tests: written from RFC 5297 over single blocks.

use alloc::vec::Vec;

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use cmac::{Cmac, Mac};

/// `S2V` with one string of associated data. Source: RFC 5297, 2.4, for plaintexts of 16 bytes or more, and shorter ones.
macro_rules! siv {
    ($name:ident, $cipher:ty, $half:literal) => {
        pub(super) mod $name {
            use super::*;

            pub(crate) fn s2v(key: &[u8], header: &[u8], plain: &[u8]) -> [u8; 16] {
                let mac = |data: &[u8]| -> [u8; 16] {
                    let mut mac = Cmac::<$cipher>::new_from_slice(&key[..$half]).unwrap();
                    mac.update(data);
                    mac.finalize().into_bytes().into()
                };
                let mut d = xor(double(mac(&[0; 16])), &mac(header));
                let Some(ahead) = plain.len().checked_sub(16) else {
                    let mut padded = [0; 16];
                    padded[..plain.len()].copy_from_slice(plain);
                    padded[plain.len()] = 0x80;
                    return mac(&xor(double(d), &padded));
                };
                d = xor(d, &plain[ahead..]);
                mac(&[&plain[..ahead], &d].concat())
            }

            /// Encrypts and decrypts, whatever the vector is worth.
            pub(crate) fn keystream(key: &[u8], siv: &[u8; 16], data: &[u8]) -> Vec<u8> {
                let cipher = <$cipher>::new_from_slice(&key[$half..]).unwrap();
                let mut counter = u128::from_be_bytes(*siv) & !(1 << 63 | 1 << 31);
                let mut out = Vec::new();
                for chunk in data.chunks(16) {
                    let mut block = counter.to_be_bytes().into();
                    cipher.encrypt_block(&mut block);
                    out.extend(chunk.iter().zip(block).map(|(byte, key)| byte ^ key));
                    counter = counter.wrapping_add(1);
                }
                out
            }
        }
    };
}

siv!(siv_256, Aes128, 16);
siv!(siv_512, Aes256, 32);

fn double(block: [u8; 16]) -> [u8; 16] {
    let block = u128::from_be_bytes(block);
    ((block << 1) ^ ((block >> 127) * 0x87)).to_be_bytes()
}

fn xor(mut block: [u8; 16], other: &[u8]) -> [u8; 16] {
    block.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
    block
}

fn hex(digits: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(digits).unwrap()
}

/// RFC 5297, A.1: the one example with one string of associated data. It is for AES-128; its sister is the same text.
#[test]
fn example_of_the_rfc_is_met() {
    let key = hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    let header = hex("101112131415161718191a1b1c1d1e1f2021222324252627");
    let plain = hex("112233445566778899aabbccddee");
    let siv = siv_256::s2v(&key, &header, &plain);
    assert_eq!(siv[..], hex("85632d07c6e8f37f950acd320a2ecc93"));
    assert_eq!(siv_256::keystream(&key, &siv, &plain), hex("40c02b9690c4dc04daef7f6afe5c"));
}
