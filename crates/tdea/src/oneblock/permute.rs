//! The initial and the final permutation: a transposition of the block's 8 by 8 bits, and its rows dealt out.

/// Swaps the bits under `mask` with those `distance` places above.
pub(super) const fn swap(x: u64, distance: u32, mask: u64) -> u64 {
    let differ = (x ^ (x >> distance)) & mask;
    x ^ differ ^ (differ << distance)
}

/// Mirrors the matrix at its diagonal: 1 by 1, then 2 by 2, then 4 by 4 bits change sides.
pub(super) const fn transpose(x: u64) -> u64 {
    let x = swap(x, 7, 0x00AA_00AA_00AA_00AA);
    let x = swap(x, 14, 0x0000_CCCC_0000_CCCC);
    swap(x, 28, 0x0000_0000_F0F0_F0F0)
}

/// The initial permutation: `(L, R)`.
///
/// Row 1 of the standard's table is column 2 of the block, read from the last byte to the first; the even columns make
/// L, the odd ones R.
pub(super) const fn split(block: [u8; 8]) -> (u32, u32) {
    let rows = transpose(u64::from_le_bytes(block));
    let dealt = swap(swap(rows, 8, 0x0000_FF00_0000_FF00), 16, 0x0000_0000_FFFF_0000);
    let [l0, l1, l2, l3, r0, r1, r2, r3] = dealt.to_le_bytes();
    (u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes([r0, r1, r2, r3]))
}

/// The final permutation, the inverse of [`split`].
pub(super) const fn join(left: u32, right: u32) -> [u8; 8] {
    let ([l0, l1, l2, l3], [r0, r1, r2, r3]) = (left.to_le_bytes(), right.to_le_bytes());
    let dealt = u64::from_le_bytes([l0, l1, l2, l3, r0, r1, r2, r3]);
    let rows = swap(swap(dealt, 16, 0x0000_0000_FFFF_0000), 8, 0x0000_FF00_0000_FF00);
    transpose(rows).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Initial permutation, FIPS 46-3: bits from 1, the leftmost first.
    const INITIAL_PERMUTATION: [u32; 64] = [
        58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, //
        62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8, //
        57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, //
        61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
    ];

    #[test]
    fn each_bit_goes_where_the_standard_sends_it_and_comes_back() {
        for (to, from) in (0..64_u32).zip(INITIAL_PERMUTATION) {
            let block = (1_u64 << (64 - from)).to_be_bytes();
            let (left, right) = split(block);
            assert_eq!(u64::from(left) << 32 | u64::from(right), 1 << (63 - to), "bit {from}");
            assert_eq!(join(left, right), block, "bit {from}");
        }
    }
}
