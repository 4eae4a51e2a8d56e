//! The bitmap: which fields a message has.

use core::fmt;

/// Which of the fields 2 to 128 a message has.
///
/// Primary bitmap of 8 bytes, bit 1 leftmost; bit 1 set announces a secondary of 8 bytes for 65 to 128. Bit 1 follows
/// from the fields and is no field itself; bit 65 would announce a third bitmap and is refused.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
// Field n is bit 128 - n; bit 127 (field 1) is never set here.
pub struct Bitmap(u128);

/// Why bits or a field number do not belong in a bitmap.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BitmapError {
    /// The number is not 2 to 64 or 66 to 128.
    #[error("{0} is not the number of a field (2 to 128 without 65)")]
    NotAField(u8),
    /// Bit 65 announces a third bitmap, which these versions do not have.
    #[error("bit 65 announces a third bitmap")]
    Tertiary,
    /// Bit 1 announces a secondary bitmap in which no bit is set.
    #[error("the secondary bitmap has no field")]
    EmptySecondary,
}

const FIRST: u128 = 1 << 127;
const SECONDARY: u128 = u64::MAX as u128;

impl Bitmap {
    /// Tells whether `field` is the number of a field: 2 to 128 without 65.
    pub const fn is_field(field: u8) -> bool {
        matches!(field, 2..=64 | 66..=128)
    }

    /// Builds the bitmap of a message from the words as sent, bit 1 included.
    ///
    /// # Errors
    /// Returns [`BitmapError::Tertiary`] if bit 65 is set and [`BitmapError::EmptySecondary`] if `secondary` is there
    /// without a field.
    pub const fn from_words(primary: u64, secondary: Option<u64>) -> Result<Self, BitmapError> {
        let low = match secondary {
            None => 0,
            Some(0) => return Err(BitmapError::EmptySecondary),
            Some(word) if word >> 63 != 0 => return Err(BitmapError::Tertiary),
            Some(word) => word,
        };
        Ok(Self((((primary as u128) << 64) | low as u128) & !FIRST))
    }

    /// Returns the words as sent: primary with bit 1 where there is a secondary, and the secondary.
    pub const fn words(self) -> (u64, Option<u64>) {
        let [primary, secondary] = [self.0 >> 64, self.0 & SECONDARY];
        if secondary == 0 {
            (low_word(primary), None)
        } else {
            (low_word(primary | FIRST >> 64), Some(low_word(secondary)))
        }
    }

    /// Tells whether `field` is set; numbers that are no field are not.
    pub const fn contains(self, field: u8) -> bool {
        Self::is_field(field) && self.0 & mask(field) != 0
    }

    /// Sets `field`.
    ///
    /// # Errors
    /// Returns [`BitmapError::NotAField`] unless `field` is 2 to 64 or 66 to 128.
    pub const fn insert(&mut self, field: u8) -> Result<(), BitmapError> {
        if !Self::is_field(field) {
            return Err(BitmapError::NotAField(field));
        }
        self.0 |= mask(field);
        Ok(())
    }

    /// Clears `field`.
    pub const fn remove(&mut self, field: u8) {
        if Self::is_field(field) {
            self.0 &= !mask(field);
        }
    }

    /// Tells whether a secondary bitmap is sent, that is, whether any field above 64 is set.
    pub const fn has_secondary(self) -> bool {
        self.0 & SECONDARY != 0
    }

    /// Returns how many fields are set.
    pub const fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Returns how many fields below `field` are set; `field` is one.
    pub(crate) const fn count_below(self, field: u8) -> usize {
        (self.0 & !(mask(field) | (mask(field) - 1))).count_ones() as usize
    }

    /// Lists the fields, lowest first.
    pub fn fields(self) -> impl Iterator<Item = u8> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let field = u8::try_from(rest.leading_zeros() + 1).ok().filter(|&field| field <= 128)?;
            rest &= !mask(field);
            Some(field)
        })
    }
}

/// The bit of `field`, which is 1 to 128.
const fn mask(field: u8) -> u128 {
    FIRST >> (field - 1)
}

#[allow(clippy::cast_possible_truncation, reason = "the callers pass one word of 64 bits")]
const fn low_word(bits: u128) -> u64 {
    bits as u64
}

impl fmt::Debug for Bitmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec::Vec};

    fn of(fields: &[u8]) -> Bitmap {
        let mut bitmap = Bitmap::default();
        fields.iter().for_each(|&field| bitmap.insert(field).unwrap());
        bitmap
    }

    #[test]
    fn bit_one_is_leftmost_and_follows_from_the_fields() {
        assert_eq!(of(&[2, 3, 4]).words(), (0x7000_0000_0000_0000, None));
        assert_eq!(of(&[64]).words(), (1, None));
        assert_eq!(of(&[66]).words(), (1 << 63, Some(1 << 62)));
        assert_eq!(of(&[2, 128]).words(), (0xC000_0000_0000_0000, Some(1)));
    }

    #[test]
    fn every_single_field_comes_back_from_its_words() {
        for field in (0..=u8::MAX).filter(|&field| Bitmap::is_field(field)) {
            let bitmap = of(&[field]);
            let (primary, secondary) = bitmap.words();
            assert_eq!(Bitmap::from_words(primary, secondary), Ok(bitmap));
            assert_eq!(bitmap.fields().collect::<Vec<_>>(), [field]);
            assert!(bitmap.contains(field) && bitmap.count() == 1);
        }
    }

    #[test]
    fn numbers_that_are_no_field_are_refused() {
        for number in [0, 1, 65, 129, 255] {
            assert_eq!(Bitmap::default().insert(number), Err(BitmapError::NotAField(number)));
            let mut full = Bitmap(!FIRST);
            full.remove(number);
            assert_eq!(full, Bitmap(!FIRST));
            assert!(!full.contains(number));
        }
    }

    #[test]
    fn third_bitmap_is_refused() {
        assert_eq!(Bitmap::from_words(1 << 63, Some(1 << 63)), Err(BitmapError::Tertiary));
    }

    #[test]
    fn secondary_bitmap_without_a_field_is_refused() {
        assert_eq!(Bitmap::from_words(1 << 63, Some(0)), Err(BitmapError::EmptySecondary));
    }

    #[test]
    fn fields_below_are_counted() {
        let bitmap = of(&[2, 3, 53, 64, 128]);
        let below: Vec<_> = [2, 3, 4, 53, 64, 66, 128].iter().map(|&f| bitmap.count_below(f)).collect();
        assert_eq!(below, [0, 1, 2, 2, 3, 4, 4]);
    }

    #[test]
    fn debug_lists_the_fields() {
        assert_eq!(format!("{:?}", of(&[2, 53, 128])), "{2, 53, 128}");
    }
}
