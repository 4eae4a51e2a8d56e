//! 256-bit AVX2.

#![allow(unsafe_code, reason = "vector instructions")]

use core::arch::x86_64::*;

use super::backend::backend;
use super::word::Word;

/// One bit of 256 lanes. Exists only in functions that are compiled for its instructions.
#[derive(Clone, Copy)]
pub(super) struct Ymm(__m256i);

backend!(Avx2, Ymm, BreakEven { shared: 16, each: 9, chains: 7 }, "avx2");

// SAFETY: 32 bytes of plain old data, aligned to as many.
unsafe impl Word for Ymm {
    const WORDS: usize = 4;
    const TERNARY: bool = false;

    #[inline(always)]
    fn splat(value: u64) -> Self {
        // SAFETY: called only where the processor was asked, as the trait demands.
        Self(unsafe { _mm256_set1_epi64x(value.cast_signed()) })
    }

    #[inline(always)]
    fn load(blocks: &[[u8; 8]]) -> Self {
        let blocks: &[[u8; 8]; 4] = blocks.first_chunk().expect("a word is four blocks");
        // SAFETY: called only where the processor was asked, as the trait demands; the blocks are as many bytes as are read.
        Self(unsafe { _mm256_loadu_si256(blocks.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, blocks: &mut [[u8; 8]]) {
        let blocks: &mut [[u8; 8]; 4] = blocks.first_chunk_mut().expect("a word is four blocks");
        // SAFETY: only this back end makes such words; the blocks are as many bytes as are written.
        unsafe { _mm256_storeu_si256(blocks.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: words exist only where the processor was asked.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: words exist only where the processor was asked.
        Self(unsafe { _mm256_and_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: words exist only where the processor was asked.
        Self(unsafe { _mm256_or_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        // SAFETY: as in `xor`.
        Self(unsafe { _mm256_andnot_si256(other.0, self.0) })
    }

    #[inline(always)]
    fn shl<const N: u32>(self) -> Self {
        // SAFETY: as in `xor`.
        Self(unsafe { _mm256_sll_epi64(self.0, _mm_cvtsi64_si128(i64::from(N))) })
    }

    #[inline(always)]
    fn shr<const N: u32>(self) -> Self {
        // SAFETY: as in `xor`.
        Self(unsafe { _mm256_srl_epi64(self.0, _mm_cvtsi64_si128(i64::from(N))) })
    }
}
