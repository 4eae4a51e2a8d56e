//! The examples of NIST, and published check values.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

use cardroot_aeskey::{AesKey, Cmac, KcvMethod};

const PLAINTEXT: &str = "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51\
                         30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710";

fn hex(text: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(text).unwrap()
}

fn key(text: &str) -> AesKey {
    AesKey::try_from(&*hex(text)).unwrap()
}

/// The rows of a file; `expected` of them, or it is not the file we know.
fn rows<const N: usize>(name: &str, file: &'static str, expected: usize) -> Vec<[&'static str; N]> {
    let rows: Vec<[&str; N]> = file
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| line.splitn(N, ',').collect::<Vec<_>>().try_into().unwrap())
        .collect();
    println!("{name}: {} rows", rows.len());
    assert_eq!(rows.len(), expected);
    rows
}

#[test]
fn blocks_and_chains_agree_with_sp_800_38a() {
    let iv: [u8; 16] = core::array::from_fn(|byte| byte.try_into().unwrap());
    for [mode, key_text, ciphertext] in rows("nist_modes.csv", include_str!("data/nist_modes.csv"), 6) {
        let (key, plain, cipher) = (key(key_text), hex(PLAINTEXT), hex(ciphertext));
        let mut data = plain.clone();
        if mode == "CBC" {
            key.encrypt_cbc(iv, &mut data).unwrap();
            assert_eq!(data, cipher);
            key.decrypt_cbc(iv, &mut data).unwrap();
            assert_eq!(data, plain);
            continue;
        }
        assert_eq!(mode, "ECB");
        let blocks = data.as_chunks_mut().0;
        key.encrypt_blocks(blocks);
        assert_eq!(blocks.as_flattened(), cipher);
        key.decrypt_block(&mut blocks[0]);
        key.encrypt_block(&mut blocks[0]);
        key.decrypt_blocks(blocks);
        assert_eq!(data, plain);
    }
}

#[test]
fn codes_agree_with_sp_800_38b_in_pieces_of_every_size() {
    for [key_text, len, code] in rows("nist_cmac.csv", include_str!("data/nist_cmac.csv"), 12) {
        let (key, message) = (key(key_text), &hex(PLAINTEXT)[..len.parse().unwrap()]);
        let mac = Cmac::compute(&key, message);
        assert_eq!(mac.as_bytes().as_slice(), hex(code));
        for size in 1..=message.len() {
            let mac = message.chunks(size).fold(Cmac::new(&key), Cmac::chain).finalize();
            assert_eq!(mac.as_bytes().as_slice(), hex(code));
        }
    }
}

#[test]
fn check_values_are_the_published_ones() {
    let rows = rows("kcv.csv", include_str!("data/kcv.csv"), 22);
    for [id, method, key_text, kcv, _, _] in rows {
        let method = match method {
            "aes-zeros" => KcvMethod::AesZeros,
            "aes-ones" => KcvMethod::AesOnes,
            "aes-cmac" => KcvMethod::AesCmac,
            method => panic!("unknown method {method}"),
        };
        assert_eq!(key(key_text).kcv_by(method, kcv.len() / 2).unwrap().to_string(), kcv, "{id}");
    }
}
