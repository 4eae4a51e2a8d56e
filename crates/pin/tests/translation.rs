//! One test for each cell of the translation table, row by row.

mod common;

use cardroot_pin::PinBlockFormat::{self, Iso0, Iso1, Iso2, Iso3, Iso4};
use cardroot_pin::translation::TranslationError::{
    self, CardInterfaceOnly, LosesPan, NotForInterchange, PanChanged,
};
use cardroot_pin::translation::{check, check_pan};
use common::pan;

const ALLOWED: Result<(), TranslationError> = Ok(());

macro_rules! cells {
    ($($name:ident: $from:ident to $to:ident is $answer:expr;)*) => {
        $(#[test]
        fn $name() {
            assert_eq!(check($from, $to), $answer);
        })*

        const CELLS: &[(PinBlockFormat, PinBlockFormat)] = &[$(($from, $to)),*];
    };
}

cells! {
    format_0_keeps_format_0: Iso0 to Iso0 is ALLOWED;
    format_0_to_1_loses_the_pan: Iso0 to Iso1 is Err(LosesPan);
    format_0_to_2_is_for_the_card: Iso0 to Iso2 is Err(CardInterfaceOnly);
    format_0_becomes_3: Iso0 to Iso3 is ALLOWED;
    format_0_becomes_4: Iso0 to Iso4 is ALLOWED;

    format_1_becomes_0: Iso1 to Iso0 is ALLOWED;
    format_1_keeps_format_1: Iso1 to Iso1 is ALLOWED;
    format_1_to_2_is_for_the_card: Iso1 to Iso2 is Err(CardInterfaceOnly);
    format_1_becomes_3: Iso1 to Iso3 is ALLOWED;
    format_1_becomes_4: Iso1 to Iso4 is ALLOWED;

    format_2_does_not_become_0: Iso2 to Iso0 is Err(NotForInterchange);
    format_2_does_not_become_1: Iso2 to Iso1 is Err(NotForInterchange);
    format_2_does_not_leave_the_terminal: Iso2 to Iso2 is Err(CardInterfaceOnly);
    format_2_does_not_become_3: Iso2 to Iso3 is Err(NotForInterchange);
    format_2_does_not_become_4: Iso2 to Iso4 is Err(NotForInterchange);

    format_3_becomes_0: Iso3 to Iso0 is ALLOWED;
    format_3_to_1_loses_the_pan: Iso3 to Iso1 is Err(LosesPan);
    format_3_to_2_is_for_the_card: Iso3 to Iso2 is Err(CardInterfaceOnly);
    format_3_keeps_format_3: Iso3 to Iso3 is ALLOWED;
    format_3_becomes_4: Iso3 to Iso4 is ALLOWED;

    format_4_becomes_0: Iso4 to Iso0 is ALLOWED;
    format_4_to_1_loses_the_pan: Iso4 to Iso1 is Err(LosesPan);
    format_4_to_2_is_for_the_card: Iso4 to Iso2 is Err(CardInterfaceOnly);
    format_4_becomes_3: Iso4 to Iso3 is ALLOWED;
    format_4_keeps_format_4: Iso4 to Iso4 is ALLOWED;
}

#[test]
fn every_cell_has_its_test() {
    let table = PinBlockFormat::ALL.into_iter().flat_map(|from| PinBlockFormat::ALL.map(|to| (from, to)));
    assert!(table.eq(CELLS.iter().copied()));
}

#[test]
fn translation_keeps_the_pan() {
    let account = pan("4012345678909");
    assert_eq!(check_pan(&account, &account.duplicate()), Ok(()));
    // The check digit, which formats 0 and 3 do not bind, counts as well.
    for other in ["4012345678908", "401234567890", "4111111111111111"] {
        assert_eq!(check_pan(&account, &pan(other)), Err(PanChanged));
    }
}
