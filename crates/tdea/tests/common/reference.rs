//! The second road: DES straight from the tables of FIPS 46-3, bit by bit, and on it TDEA, the modes, the paddings
//! and the MACs in the plainest words. Slow, and nothing of the crate under test in it.

use cardroot_tdea::{Mode, Padding};

/// Bits are numbered from 1, the leftmost first, as in FIPS 46-3.
const INITIAL_PERMUTATION: [u8; 64] = [
    58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, //
    62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8, //
    57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, //
    61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
];

const FINAL_PERMUTATION: [u8; 64] = [
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, //
    38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21, 61, 29, //
    36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27, //
    34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
];

const EXPANSION: [u8; 48] = [
    32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17, //
    16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
];

const PERMUTATION: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, //
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];

const PERMUTED_CHOICE_1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44,
    36, //
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12,
    4,
];

const PERMUTED_CHOICE_2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, //
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

const SHIFTS: [u32; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];

/// Four rows of sixteen for each of S1 to S8.
const S_BOXES: [[[u8; 16]; 4]; 8] = [
    [
        [14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7],
        [0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5, 3, 8],
        [4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0],
        [15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14, 10, 0, 6, 13],
    ],
    [
        [15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10],
        [3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9, 11, 5],
        [0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15],
        [13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12, 0, 5, 14, 9],
    ],
    [
        [10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8],
        [13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11, 15, 1],
        [13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7],
        [1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12],
    ],
    [
        [7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15],
        [13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10, 14, 9],
        [10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4],
        [3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11, 12, 7, 2, 14],
    ],
    [
        [2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9],
        [14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9, 8, 6],
        [4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14],
        [11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9, 10, 4, 5, 3],
    ],
    [
        [12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11],
        [10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11, 3, 8],
        [9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6],
        [4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7, 6, 0, 8, 13],
    ],
    [
        [4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1],
        [13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15, 8, 6],
        [1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2],
        [6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15, 14, 2, 3, 12],
    ],
    [
        [13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7],
        [1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14, 9, 2],
        [7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8],
        [2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0, 3, 5, 6, 11],
    ],
];

/// Picks the bits of a `width`-bit `value` that `table` names, in its order.
fn pick(value: u64, width: u32, table: &[u8]) -> u64 {
    table.iter().fold(0, |picked, bit| (picked << 1) | (value >> (width - u32::from(*bit)) & 1))
}

/// K1 to K16, 48 bits each.
fn round_keys(key: u64) -> [u64; 16] {
    let chosen = pick(key, 64, &PERMUTED_CHOICE_1);
    let (mut c, mut d) = (chosen >> 28, chosen & 0x0FFF_FFFF);
    SHIFTS.map(|shift| {
        let rotate = |half: u64| ((half << shift) | (half >> (28 - shift))) & 0x0FFF_FFFF;
        (c, d) = (rotate(c), rotate(d));
        pick((c << 28) | d, 56, &PERMUTED_CHOICE_2)
    })
}

/// The cipher function f(R, K).
fn f(right: u64, round_key: u64) -> u64 {
    let mixed = pick(right, 32, &EXPANSION) ^ round_key;
    let substituted = S_BOXES.iter().enumerate().fold(0, |out, (index, rows)| {
        let six = (mixed >> (42 - 6 * index) & 0x3F) as usize;
        let (row, column) = ((six >> 4 & 2) | (six & 1), six >> 1 & 0xF);
        (out << 4) | u64::from(rows[row][column])
    });
    pick(substituted, 32, &PERMUTATION)
}

fn rounds(round_keys: impl Iterator<Item = u64>, block: u64) -> u64 {
    let permuted = pick(block, 64, &INITIAL_PERMUTATION);
    let (left, right) = round_keys
        .fold((permuted >> 32, permuted & 0xFFFF_FFFF), |(left, right), key| (right, left ^ f(right, key)));
    pick((right << 32) | left, 64, &FINAL_PERMUTATION)
}

/// Encrypts a block under single DES.
pub(crate) fn des_encrypt(key: &[u8; 8], block: [u8; 8]) -> [u8; 8] {
    let keys = round_keys(u64::from_be_bytes(*key));
    rounds(keys.into_iter(), u64::from_be_bytes(block)).to_be_bytes()
}

/// Decrypts a block under single DES: the round keys in reverse.
pub(crate) fn des_decrypt(key: &[u8; 8], block: [u8; 8]) -> [u8; 8] {
    let keys = round_keys(u64::from_be_bytes(*key));
    rounds(keys.into_iter().rev(), u64::from_be_bytes(block)).to_be_bytes()
}

/// K1, K2, K3 of a key of 16 or 24 bytes.
fn parts(key: &[u8]) -> [[u8; 8]; 3] {
    let part = |index: usize| key[8 * index..][..8].try_into().expect("8 bytes");
    [part(0), part(1), if key.len() == 16 { part(0) } else { part(2) }]
}

/// Encrypts a block under TDEA.
pub(crate) fn tdea_encrypt(key: &[u8], block: [u8; 8]) -> [u8; 8] {
    let [k1, k2, k3] = parts(key);
    des_encrypt(&k3, des_decrypt(&k2, des_encrypt(&k1, block)))
}

/// Decrypts a block under TDEA.
pub(crate) fn tdea_decrypt(key: &[u8], block: [u8; 8]) -> [u8; 8] {
    let [k1, k2, k3] = parts(key);
    des_decrypt(&k1, des_encrypt(&k2, des_decrypt(&k3, block)))
}

fn xor(a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    (u64::from_be_bytes(a) ^ u64::from_be_bytes(b)).to_be_bytes()
}

/// Encrypts whole blocks under TDEA.
pub(crate) fn encrypt(key: &[u8], mode: Mode, data: &[u8]) -> Vec<u8> {
    let mut previous = match mode {
        Mode::Ecb => [0; 8],
        Mode::Cbc { iv } => iv,
    };
    let mut out = Vec::new();
    for block in data.as_chunks().0 {
        let cipher = tdea_encrypt(key, xor(*block, previous));
        out.extend(cipher);
        if let Mode::Cbc { .. } = mode {
            previous = cipher;
        }
    }
    out
}

/// The data with its padding.
pub(crate) fn pad(padding: Padding, data: &[u8]) -> Vec<u8> {
    let mut padded = data.to_vec();
    if padding == Padding::OneAndZeros {
        padded.push(0x80);
    }
    while padding != Padding::None && (padded.is_empty() || !padded.len().is_multiple_of(8)) {
        padded.push(0);
    }
    if padding == Padding::LengthFirst {
        padded.splice(0..0, (8 * data.len() as u64).to_be_bytes());
    }
    padded
}

/// The last chaining value of `padded` under the block cipher `encrypt`.
fn chain(encrypt: impl Fn([u8; 8]) -> [u8; 8], iv: [u8; 8], padded: &[u8]) -> [u8; 8] {
    padded.as_chunks().0.iter().fold(iv, |chained, block| encrypt(xor(chained, *block)))
}

/// MAC algorithm 1 with TDEA.
pub(crate) fn cbc_mac(key: &[u8], padded: &[u8]) -> [u8; 8] {
    chain(|block| tdea_encrypt(key, block), [0; 8], padded)
}

/// MAC algorithm 1 with single DES.
pub(crate) fn des_mac(key: &[u8; 8], iv: [u8; 8], padded: &[u8]) -> [u8; 8] {
    chain(|block| des_encrypt(key, block), iv, padded)
}

/// MAC algorithm 3.
pub(crate) fn retail_mac(key: &[u8; 16], iv: [u8; 8], padded: &[u8]) -> [u8; 8] {
    let [left, right, _] = parts(key);
    des_encrypt(&left, des_decrypt(&right, des_mac(&left, iv, padded)))
}

/// CMAC, by SP 800-38B 6.1 and 6.2.
pub(crate) fn cmac(key: &[u8], message: &[u8]) -> [u8; 8] {
    let double = |block: u64| (block << 1) ^ (0x1B * (block >> 63));
    let k1 = double(u64::from_be_bytes(tdea_encrypt(key, [0; 8])));
    let whole = !message.is_empty() && message.len().is_multiple_of(8);
    let (subkey, mut padded) =
        if whole { (k1, message.to_vec()) } else { (double(k1), pad(Padding::OneAndZeros, message)) };
    let start = padded.len() - 8;
    for (byte, mask) in padded[start..].iter_mut().zip(subkey.to_be_bytes()) {
        *byte ^= mask;
    }
    cbc_mac(key, &padded)
}
