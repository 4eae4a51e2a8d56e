//! The eight-byte PIN field that starts every format, written and read without a branch on the PIN or its
//! length.
//!
//! `format nibble || length nibble || 14 positions`: PIN digits first, the fill of the format behind them.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::Zeroizing;

use crate::{Pin, PinBlockFormat, nibbles};

/// Bytes of the PIN field.
pub(crate) const LEN: usize = 8;

/// Bytes behind the control byte: two positions each.
pub(crate) const FILL_LEN: usize = LEN - 1;

const POSITIONS: usize = 2 * FILL_LEN;
#[expect(clippy::cast_possible_truncation, reason = "both fit the length nibble")]
const PIN_DIGITS: (u8, u8) = (Pin::MIN_DIGITS as u8, Pin::MAX_DIGITS as u8);

/// A PIN block that does not decode.
///
/// Opaque on purpose: a wrong format nibble, length, digit or fill, a wrong PAN and a wrong key all look
/// alike, because telling them apart lets an attacker who can alter blocks or PANs search for the digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("invalid PIN block")]
pub struct InvalidPinBlock;

/// What a format allows behind the digits. Public: it follows from the format alone.
#[derive(Clone, Copy)]
pub(crate) enum Fill {
    Exactly(u8),
    AToF,
    Any,
}

impl Fill {
    fn accepts(self, nibble: u8) -> Choice {
        match self {
            Self::Exactly(fill) => nibble.ct_eq(&fill),
            Self::AToF => nibble.ct_gt(&9),
            Self::Any => Choice::from(1),
        }
    }
}

/// Writes the field. `fill` lies over all 14 positions and shows where no digit covers it, so its use does
/// not depend on the length of the PIN.
pub(crate) fn encode(field: &mut [u8; LEN], format: PinBlockFormat, pin: &Pin, fill: &[u8; FILL_LEN]) {
    let mut positions = Zeroizing::new([0u8; POSITIONS]);
    nibbles::split(fill, &mut *positions);
    for (index, (position, ascii)) in (0u8..).zip(positions.iter_mut().zip(pin.padded())) {
        position.conditional_assign(&(ascii & 0x0F), index.ct_lt(&pin.length()));
    }
    let [control, rest @ ..] = field;
    *control = format.number() << 4 | pin.length();
    nibbles::join(&*positions, rest);
}

/// Reads the field, judging every position before answering.
pub(crate) fn decode(field: &[u8; LEN], format: PinBlockFormat, fill: Fill) -> Result<Pin, InvalidPinBlock> {
    let [control, rest @ ..] = field;
    let length = control & 0x0F;
    let mut valid = (control >> 4).ct_eq(&format.number());
    valid &= !length.ct_lt(&PIN_DIGITS.0) & !length.ct_gt(&PIN_DIGITS.1);

    let mut positions = Zeroizing::new([0u8; POSITIONS]);
    nibbles::split(rest, &mut *positions);
    for (index, position) in (0u8..).zip(positions.iter_mut()) {
        let in_pin = index.ct_lt(&length);
        let is_digit = position.ct_lt(&10);
        valid &= (in_pin & is_digit) | (!in_pin & fill.accepts(*position));
        *position = u8::conditional_select(&0, &(*position | b'0'), in_pin);
    }

    // With a valid length the last two positions are fill, and zero by now.
    let [digits @ .., _, _] = &*positions;
    if valid.into() { Ok(Pin::from_padded(digits, length)) } else { Err(InvalidPinBlock) }
}
