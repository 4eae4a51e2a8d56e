//! 512-bit AVX-512, foundation instructions alone: logic of three inputs is one of them.

#![allow(unsafe_code, reason = "vector instructions")]

use core::arch::x86_64::*;

use super::backend::backend;
use super::word::Word;

/// One bit of 512 lanes. Exists only in functions that are compiled for its instructions.
#[derive(Clone, Copy)]
pub(super) struct Zmm(__m512i);

backend!(Avx512, Zmm, BreakEven { shared: 19, each: 10, chains: 6 }, "avx512f");

// SAFETY: 64 bytes of plain old data, aligned to as many.
unsafe impl Word for Zmm {
    const WORDS: usize = 8;
    const TERNARY: bool = true;

    #[inline(always)]
    fn splat(value: u64) -> Self {
        // SAFETY: called only where the processor was asked, as the trait demands.
        Self(unsafe { _mm512_set1_epi64(value.cast_signed()) })
    }

    #[inline(always)]
    fn load(blocks: &[[u8; 8]]) -> Self {
        let blocks: &[[u8; 8]; 8] = blocks.first_chunk().expect("a word is eight blocks");
        // SAFETY: called only where the processor was asked, as the trait demands; the blocks are as many bytes as are read.
        Self(unsafe { _mm512_loadu_si512(blocks.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, blocks: &mut [[u8; 8]]) {
        let blocks: &mut [[u8; 8]; 8] = blocks.first_chunk_mut().expect("a word is eight blocks");
        // SAFETY: only this back end makes such words; the blocks are as many bytes as are written.
        unsafe { _mm512_storeu_si512(blocks.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: words exist only where the processor was asked.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: words exist only where the processor was asked.
        Self(unsafe { _mm512_and_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: words exist only where the processor was asked.
        Self(unsafe { _mm512_or_si512(self.0, other.0) })
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: as in `xor`.
        Self(unsafe { _mm512_andnot_si512(other.0, self.0) })
    }

    #[inline(always)]
    fn shl<const N: u32>(self) -> Self {
        // SAFETY: as in `xor`.
        Self(unsafe { _mm512_slli_epi64::<N>(self.0) })
    }

    #[inline(always)]
    fn shr<const N: u32>(self) -> Self {
        // SAFETY: as in `xor`.
        Self(unsafe { _mm512_srli_epi64::<N>(self.0) })
    }

    #[inline(always)]
    fn lut<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        // SAFETY: as in `xor`.
        Self(unsafe { _mm512_ternarylogic_epi64::<TABLE>(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.lut::<0x96>(b, c)
    }

    #[inline(always)]
    fn select(self, one: Self, zero: Self) -> Self {
        self.lut::<0xCA>(one, zero)
    }
}
