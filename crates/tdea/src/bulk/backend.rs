//! What makes a back end of a lane word.

use super::planes::{KeyPlanes, LaneMask, Planes, StepBuffer};
use super::step::STEP_WORDS;
use super::word::Word;

/// The planes as words.
#[allow(unsafe_code, reason = "a word is plain old data")]
#[inline(always)]
pub(super) fn words<W: Word>(planes: &Planes) -> &[W; 64] {
    // SAFETY: `Word` promises plain old data of at most 64 bytes and no more alignment; the buffer has 64 × 64 bytes, aligned to 64.
    unsafe { &*core::ptr::from_ref(planes).cast() }
}

/// The planes as words, to change.
#[allow(unsafe_code, reason = "a word is plain old data")]
#[inline(always)]
pub(super) fn words_mut<W: Word>(planes: &mut Planes) -> &mut [W; 64] {
    // SAFETY: as in `words`; any bytes are a `u64`.
    unsafe { &mut *core::ptr::from_mut(planes).cast() }
}

/// The key registers as words.
#[allow(unsafe_code, reason = "a word is plain old data")]
#[inline(always)]
pub(super) fn key_words<W: Word>(key: &KeyPlanes) -> &[W; 112] {
    // SAFETY: as in `words`; the buffer has 112 × 64 bytes.
    unsafe { &*core::ptr::from_ref(key).cast() }
}

/// The key registers as words, to change.
#[allow(unsafe_code, reason = "a word is plain old data")]
#[inline(always)]
pub(super) fn key_words_mut<W: Word>(key: &mut KeyPlanes) -> &mut [W; 112] {
    // SAFETY: as in `key_words`; any bytes are a `u64`.
    unsafe { &mut *core::ptr::from_mut(key).cast() }
}

/// The mask as a word.
#[allow(unsafe_code, reason = "a word is plain old data")]
#[inline(always)]
pub(super) fn mask_word<W: Word>(mask: &LaneMask) -> &W {
    // SAFETY: as in `words`; the buffer has 64 bytes.
    unsafe { &*core::ptr::from_ref(mask).cast() }
}

/// The mask as a word, to change.
#[allow(unsafe_code, reason = "a word is plain old data")]
#[inline(always)]
pub(super) fn mask_word_mut<W: Word>(mask: &mut LaneMask) -> &mut W {
    // SAFETY: as in `mask_word`; any bytes are a `u64`.
    unsafe { &mut *core::ptr::from_mut(mask).cast() }
}

/// The buffer of a step as words.
#[allow(unsafe_code, reason = "a word is plain old data")]
#[inline(always)]
pub(super) fn step_words<W: Word>(buffer: &mut StepBuffer) -> &mut [W; STEP_WORDS] {
    // SAFETY: as in `words_mut`; the buffer has `STEP_WORDS` × 64 bytes.
    unsafe { &mut *core::ptr::from_mut(buffer).cast() }
}

/// Defines the entry points of a back end and the table of them.
macro_rules! backend {
    ($backend:ident, $word:ty, $break_even:expr $(, $feature:literal)?) => {
        #[allow(unsafe_code, reason = "functions compiled for instructions that not every processor has")]
        mod entries {
            use super::*;
            use $crate::bulk::backend::{key_words, key_words_mut, mask_word, mask_word_mut, step_words, words, words_mut};
            use $crate::Backend;
            use $crate::bulk::engine::{BreakEven, Kernels};
            use $crate::bulk::planes::{KeyPlanes, LaneMask, Planes, StepBuffer};
            use $crate::bulk::{kernel, step};
            use $crate::bulk::keys::Stage;

            pub(in $crate::bulk) static KERNELS: Kernels = Kernels {
                backend: Backend::$backend,
                lanes: 64 * <$word as Word>::WORDS,
                break_even: $break_even,
                load,
                store,
                expand_keys,
                invert_key_bits,
                splat_key,
                rounds,
                step,
                set_xor,
                xor_value,
                select,
                move_highest_bit,
            };

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn load(blocks: &[[u8; 8]], planes: &mut Planes) {
                kernel::load::<$word>(blocks, words_mut(planes));
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn store(planes: &Planes, blocks: &mut [[u8; 8]]) {
                kernel::store::<$word>(words(planes), blocks);
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn expand_keys(planes: &Planes, mask: u64, key: &mut KeyPlanes) {
                kernel::expand_keys::<$word>(words(planes), mask, key_words_mut(key));
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn invert_key_bits(key: &mut KeyPlanes, bits: &[u8]) {
                kernel::invert_key_bits::<$word>(key_words_mut(key), bits);
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn splat_key(key: u64, registers: &mut KeyPlanes) {
                kernel::splat_key::<$word>(key, key_words_mut(registers));
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn rounds(planes: &mut Planes, stages: &[Stage<'_>]) {
                kernel::rounds::<$word>(words_mut(planes), stages.iter().map(|(key, direction)| (key_words(key), *direction)));
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn step(left: &mut Planes, right: &mut Planes, register: &Planes, moved: &LaneMask, buffer: &mut StepBuffer) {
                step::step::<$word>(words_mut(left), words_mut(right), words(register), mask_word(moved), step_words(buffer));
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn set_xor(out: &mut Planes, a: &Planes, b: &Planes) {
                kernel::set_xor::<$word>(words_mut(out), words(a), words(b));
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn xor_value(planes: &mut Planes, value: u64) {
                kernel::xor_value::<$word>(words_mut(planes), value);
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn select(planes: &mut Planes, mask: &LaneMask, other: &Planes) {
                kernel::select::<$word>(words_mut(planes), mask_word(mask), words(other));
            }

            $(#[target_feature(enable = $feature)])?
            #[inline(never)]
            unsafe fn move_highest_bit(from: &mut Planes, to: &mut Planes, low_bits: u32, moved: &mut LaneMask) {
                kernel::move_highest_bit::<$word>(words_mut(from), words_mut(to), low_bits, mask_word_mut(moved));
            }
        }
        pub(super) use entries::KERNELS;
    };
}
pub(super) use backend;
