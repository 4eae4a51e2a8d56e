//! The lane word: one bit of many lanes.

/// One bit plane of a batch in one register: bit `i` belongs to lane `i` of the word.
///
/// # Safety
/// A value is plain old data of `WORDS` × 8 bytes, its alignment no larger than its size and at most 64. Methods that make a
/// value may be called only where the processor is known to have the instructions; those that take one may rely on it.
#[allow(unsafe_code, reason = "an implementation promises a layout")]
pub(super) unsafe trait Word: Copy {
    /// How many `u64` make up the word.
    const WORDS: usize;
    /// Whether [`lut`](Self::lut) is one instruction.
    const TERNARY: bool;

    /// Every `u64` of the word is `value`.
    fn splat(value: u64) -> Self;
    /// Reads the word from the first `WORDS` of `blocks`, each a little-endian `u64`.
    fn load(blocks: &[[u8; 8]]) -> Self;
    /// Writes the word to the first `WORDS` of `blocks`.
    fn store(self, blocks: &mut [[u8; 8]]);

    fn xor(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    /// `self & !other`
    fn and_not(self, other: Self) -> Self;
    /// Shifts every `u64` towards its high bits.
    fn shl<const N: u32>(self) -> Self;
    /// Shifts every `u64` towards its low bits.
    fn shr<const N: u32>(self) -> Self;

    /// The three-input gate whose truth table is `TABLE`, the first input most significant.
    #[inline(always)]
    fn lut<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        let a = self;
        let mut sum = Self::splat(0);
        for row in 0..8 {
            if (TABLE >> row) & 1 == 1 {
                let ones = Self::splat(!0);
                let a = if row & 4 == 0 { ones.and_not(a) } else { a };
                let b = if row & 2 == 0 { ones.and_not(b) } else { b };
                let c = if row & 1 == 0 { ones.and_not(c) } else { c };
                sum = sum.or(a.and(b).and(c));
            }
        }
        sum
    }

    #[inline(always)]
    fn not(self) -> Self {
        self.xor(Self::splat(!0))
    }

    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.xor(b).xor(c)
    }

    /// `one` where the bit is set, `zero` elsewhere.
    #[inline(always)]
    fn select(self, one: Self, zero: Self) -> Self {
        self.and(one).or(zero.and_not(self))
    }
}

// SAFETY: eight bytes of plain old data; no special instructions.
#[allow(unsafe_code, reason = "the trait promises a layout")]
unsafe impl Word for u64 {
    const WORDS: usize = 1;
    const TERNARY: bool = false;

    #[inline(always)]
    fn splat(value: u64) -> Self {
        value
    }

    #[inline(always)]
    fn load(blocks: &[[u8; 8]]) -> Self {
        Self::from_le_bytes(*blocks.first().expect("a word is one block"))
    }

    #[inline(always)]
    fn store(self, blocks: &mut [[u8; 8]]) {
        *blocks.first_mut().expect("a word is one block") = self.to_le_bytes();
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }

    #[inline(always)]
    fn and_not(self, other: Self) -> Self {
        self & !other
    }

    #[inline(always)]
    fn shl<const N: u32>(self) -> Self {
        self << N
    }

    #[inline(always)]
    fn shr<const N: u32>(self) -> Self {
        self >> N
    }
}
