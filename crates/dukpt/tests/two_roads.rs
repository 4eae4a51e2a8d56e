//! The originator's registers against the receiver's derivation, and what each refuses.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::tdea::{KeyLength, StrengthError, TdeaKey};
use cardroot_dukpt::{
    Bdk, Counter, DeriveError, EndOfLife, InitialKey, InitialKeyError, Ksn, VolatileOriginator,
};
use common::{ANNEX_A_BDK, ANNEX_A_KSN, bdk, key, ksn};
use proptest::prelude::*;

fn annex_a_initial_key() -> InitialKey {
    bdk(ANNEX_A_BDK).derive_initial_key(&ksn(ANNEX_A_KSN)).unwrap()
}

/// Takes up to `limit` transactions and holds each against the receiver's road; returns how many there were.
fn walk(originator: &mut VolatileOriginator, bdk: &Bdk, limit: u32) -> u32 {
    let mut last = None;
    for done in 0..limit {
        let Ok(sent) = originator.next_transaction() else { return done };
        assert!(bdk.derive_transaction_key(sent.ksn()).unwrap().ct_eq(sent.key()), "{}", sent.ksn());
        let counter = sent.ksn().counter().unwrap();
        assert_eq!((sent.skipped_counters(), counter.follows(last)), (0, Ok(0)));
        assert_eq!(originator.remaining(), Counter::TRANSACTIONS - counter.ordinal());
        last = Some(counter);
    }
    limit
}

#[test]
fn first_counter_is_one_and_two_thousand_follow() {
    let mut originator = VolatileOriginator::load(annex_a_initial_key());
    assert_eq!(originator.remaining(), Counter::TRANSACTIONS);
    assert_eq!(walk(&mut originator, &bdk(ANNEX_A_BDK), 2_100), 2_100);
    // One counter was left out on the way: 7FF.
    assert_eq!(originator.next_transaction().unwrap().ksn().counter(), Counter::try_from(2_102));
}

// cargo test -p cardroot-dukpt --release -- --ignored    (eight seconds)
#[test]
#[ignore = "all 1,048,575 transactions: run in release"]
fn all_counters_agree_and_the_end_is_final() {
    let mut originator = VolatileOriginator::load(annex_a_initial_key());
    assert_eq!(walk(&mut originator, &bdk(ANNEX_A_BDK), u32::MAX), 1_048_575);
    assert_eq!(originator.remaining(), 0);
    assert_eq!(originator.next_transaction().unwrap_err(), EndOfLife);
    assert_eq!(originator.next_transaction().unwrap_err(), EndOfLife);
}

#[test]
fn counter_bits_are_cleared_at_load() {
    let initial_key = bdk(ANNEX_A_BDK).derive_initial_key(&ksn("FFFF9876543210E01E9D")).unwrap();
    let mut originator = VolatileOriginator::load(initial_key);
    assert_eq!(originator.initial_ksn(), &ksn(ANNEX_A_KSN));
    assert_eq!(originator.next_transaction().unwrap().ksn(), &ksn("FFFF9876543210E00001"));

    let stored =
        InitialKey::from_key(key("6AC292FAA1315B4D858AB3A3D7D5933A"), &ksn("FFFF9876543210FFFFFF")).unwrap();
    assert!(stored.ct_eq(&annex_a_initial_key()));
}

#[test]
fn initial_keys_and_names_compare_as_one() {
    let (ours, bytes) = (annex_a_initial_key(), "6AC292FAA1315B4D858AB3A3D7D5933A");
    let other_name = InitialKey::from_key(key(bytes), &ksn("FFFF9876543211000000")).unwrap();
    assert!(!ours.ct_eq(&other_name));
    let other_key = InitialKey::from_key(key("6AC292FAA1315B4D858AB3A3D7D5933B"), ours.ksn()).unwrap();
    assert!(!ours.ct_eq(&other_key));

    let transaction_key = |counter| ours.derive_transaction_key(&ksn(counter)).unwrap();
    let one = transaction_key("FFFF9876543210E00001");
    assert!(one.ct_eq(&transaction_key("FFFF9876543210E00001")));
    assert!(!one.ct_eq(&transaction_key("FFFF9876543210E00002")));
    assert_eq!(one.kcv(), one.expose_key().kcv());
    assert_eq!(ours.kcv().to_string(), "AF8C07");
}

#[test]
fn initial_key_refuses_the_number_of_another_originator() {
    let initial_key = annex_a_initial_key();
    assert_eq!(
        initial_key.derive_transaction_key(&ksn("FFFF9876543210C00001")).unwrap_err(),
        DeriveError::OtherOriginator
    );
    assert!(initial_key.derive_transaction_key(&ksn("FFFF9876543210E00001")).is_ok());
}

#[test]
fn degenerate_keys_are_refused_parity_bits_left_out_of_account() {
    let equal = StrengthError::PartsEqual { first: 1, second: 2 };
    let halves_equal = || TdeaKey::from(0x2525252525252525_2424242424242424_u128.to_be_bytes());
    let weak = Bdk::from_key(halves_equal());
    assert_eq!(weak.derive_initial_key(&ksn(ANNEX_A_KSN)).unwrap_err(), equal);
    let message = ksn("FFFF9876543210E00001");
    assert_eq!(weak.derive_transaction_key(&message).unwrap_err(), DeriveError::Strength(equal));
    assert_eq!(
        InitialKey::from_key(halves_equal(), &ksn(ANNEX_A_KSN)).unwrap_err(),
        InitialKeyError::Strength(equal)
    );
    let triple = key("0123456789ABCDEFFEDCBA98765432101122334455667788");
    assert_eq!(InitialKey::from_key(triple, &ksn(ANNEX_A_KSN)).unwrap_err(), InitialKeyError::TripleLength);
}

#[test]
fn triple_length_base_key_serves_originators_of_double_length() {
    let triple = Bdk::from_key(key("0123456789ABCDEFFEDCBA98765432101122334455667788"));
    assert_eq!(triple.length(), KeyLength::Triple);
    let initial_key = triple.derive_initial_key(&ksn(ANNEX_A_KSN)).unwrap();
    assert_eq!(initial_key.expose_key().length(), KeyLength::Double);
    assert!(!initial_key.ct_eq(&annex_a_initial_key()));
    let mut originator = VolatileOriginator::load(initial_key);
    assert_eq!(walk(&mut originator, &triple, 40), 40);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn fifty_transactions_agree_for_any_key_and_name(left: [u8; 16], third: Option<[u8; 8]>, name: [u8; 10]) {
        let bytes: Vec<u8> = left.into_iter().chain(third.into_iter().flatten()).collect();
        let bdk = Bdk::from_key(TdeaKey::try_from(&*bytes).unwrap());
        prop_assume!(bdk.expose_key().check_strength().is_ok());
        let ksn = Ksn::from(name);
        let mut originator = VolatileOriginator::load(bdk.derive_initial_key(&ksn).unwrap());
        prop_assert_eq!(walk(&mut originator, &bdk, 50), 50);
    }
}
