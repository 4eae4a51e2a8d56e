//! Option A: the rightmost 16 digits of PAN and PSN.

use crate::emv::PanPsn;
use crate::factor::Factor;

/// The rightmost 16 digits in BCD, zeros in front.
pub(super) fn factor(card: &PanPsn<'_>) -> Factor {
    let mut bytes = [0; Factor::LEN];
    card.fill_bcd(&mut bytes);
    Factor::from(bytes)
}
