//! The circuits against the tables of FIPS 46-3: all 64 inputs at once, one in each bit of a word.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test reports")]

use super::circuits::{lut3_pair, plain};
use crate::oneblock::tables::S_BOXES;

/// Bit `i` of word `n` is bit `n` of the input `i`, the first bit most significant.
const INPUTS: [u64; 6] = [
    0xFFFF_FFFF_0000_0000,
    0xFFFF_0000_FFFF_0000,
    0xFF00_FF00_FF00_FF00,
    0xF0F0_F0F0_F0F0_F0F0,
    0xCCCC_CCCC_CCCC_CCCC,
    0xAAAA_AAAA_AAAA_AAAA,
];

fn outputs(number: usize) -> [u64; 4] {
    let mut words = [0; 4];
    for input in 0..64_usize {
        // The row is in the outer bits, the column in the four inner ones.
        let (row, column) = ((input >> 4) & 2 | input & 1, (input >> 1) & 15);
        let value = S_BOXES[number][16 * row + column];
        for (bit, word) in words.iter_mut().enumerate() {
            *word |= u64::from((value >> (3 - bit)) & 1) << input;
        }
    }
    words
}

/// All ones if the lowest bit is set.
fn ones_if(bits: u8) -> u64 {
    0_u64.wrapping_sub(u64::from(bits & 1))
}

#[test]
fn boxes_agree_on_the_inputs_that_they_share() {
    for (one, next) in plain::INVERTED_INPUTS.iter().zip(plain::INVERTED_INPUTS.iter().cycle().skip(1)) {
        assert_eq!(one & 3, next >> 4);
    }
}

#[test]
fn every_circuit_is_its_s_box() {
    let mut proved = 0;
    macro_rules! prove {
        ($($number:literal $name:ident),*) => {$(
            let mut found = [0; 4];
            let mut inputs = INPUTS;
            for (bit, value) in inputs.iter_mut().enumerate() {
                *value ^= ones_if(plain::INVERTED_INPUTS[$number] >> (5 - bit));
            }
            plain::$name(inputs, |bit, value| found[bit] = value);
            for (bit, value) in found.iter_mut().enumerate() {
                *value ^= ones_if(plain::INVERTED_OUTPUTS[$number] >> (3 - bit));
            }
            assert_eq!(found, outputs($number), "S{} of two-input gates", $number + 1);
            let before = [0x0123_4567_89AB_CDEF; 4];
            let found = lut3_pair::$name(INPUTS, before).map(|value| value ^ before[0]);
            assert_eq!(found, outputs($number), "S{} of three-input gates", $number + 1);
            proved += 2;
        )*};
    }
    prove!(0 s1, 1 s2, 2 s3, 3 s4, 4 s5, 5 s6, 6 s7, 7 s8);
    assert_eq!(proved, 16);
}
