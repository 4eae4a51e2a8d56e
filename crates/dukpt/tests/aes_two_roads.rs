//! AES DUKPT: the originator's registers against the receiver's derivation, and what each refuses.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::aes::hmac_keys::HmacKeyLength;
use cardroot_dukpt::aes::{
    Bdk, BdkId, Counter, CounterError, DeriveError, InitialKeyId, Ksn, KsnLengthError, OnesLimit,
    ReplayError, StrongerThanParent, TransactionKey, UpdateKeyError, VolatileOriginator, ZERO_IV,
};
use cardroot_dukpt::aeskey::{AesKey, AesKeyLength, KcvMethod, NotWholeBlocks};
use cardroot_dukpt::pin::{ClearPinBlock, DecryptPinBlock, EncryptPinBlock, Pan, Pin};
use cardroot_dukpt::tdea::{Cmac, KeyLength, Mode, Padding};
use cardroot_dukpt::{EndOfLife, aes};
use common::hex;
use proptest::prelude::*;

const LENGTHS: [AesKeyLength; 3] = [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256];

fn bdk(length: AesKeyLength) -> Bdk {
    Bdk::from_key(AesKey::from_fill(length, |key| key.fill(0x25)))
}

fn id() -> InitialKeyId {
    InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56])
}

fn ksn(counter: u32) -> Ksn {
    let mut bytes = [0; Ksn::LEN];
    bytes[..8].copy_from_slice(id().as_bytes());
    bytes[8..].copy_from_slice(&counter.to_be_bytes());
    Ksn::from(bytes)
}

fn transaction_key(length: AesKeyLength) -> TransactionKey {
    bdk(length).derive_transaction_key(&ksn(1), OnesLimit::Sixteen).unwrap()
}

/// Takes up to `limit` transactions and holds each against the receiver's road.
fn walk(originator: &mut VolatileOriginator, bdk: &Bdk, limit: u32) {
    let mut last = None;
    for _ in 0..limit {
        let sent = originator.next_transaction().unwrap();
        let derived = bdk.derive_transaction_key(sent.ksn(), OnesLimit::Sixteen).unwrap();
        assert!(derived.ct_eq(sent.key()), "{}", sent.ksn());
        let counter = sent.ksn().counter().unwrap();
        assert_eq!((sent.skipped_counters(), counter.follows(last, OnesLimit::Sixteen)), (0, Ok(0)));
        assert_eq!(originator.remaining(), Counter::TRANSACTIONS - counter.ordinal(OnesLimit::Sixteen));
        last = Some(counter);
    }
}

#[test]
fn first_counter_is_one_and_thousands_follow() {
    for length in LENGTHS {
        let mut originator = VolatileOriginator::load(bdk(length).derive_initial_key(&id()));
        assert_eq!((originator.id(), originator.remaining()), (&id(), Counter::TRANSACTIONS));
        walk(&mut originator, &bdk(length), 4_000);
        assert_eq!(originator.next_transaction().unwrap().ksn(), &ksn(4_001));
    }
}

#[test]
fn update_key_is_the_same_on_both_sides_and_the_new_key_starts_over() {
    for length in LENGTHS {
        let bdk = bdk(length);
        let mut originator = VolatileOriginator::load(bdk.derive_initial_key(&id()));
        for _ in 0..300 {
            let (ours, theirs) = (originator.update_key().unwrap(), bdk.derive_update_key(&id()));
            assert!(ours.ct_eq(&theirs));
            assert_eq!(ours.ksn().to_string(), "1234567890123456FFFFFFFF");
            let tdea = |key: &aes::UpdateKey| key.key_encryption_key_tdea(KeyLength::Triple);
            assert!(tdea(&ours).ct_eq(&tdea(&theirs)));
            originator.next_transaction().unwrap();
        }
        let new = InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x57]);
        originator = VolatileOriginator::load(bdk.derive_initial_key(&new));
        let first = originator.next_transaction().unwrap();
        assert_eq!((first.ksn().id(), first.ksn().counter()), (new, Ok(Counter::FIRST)));
        assert!(!originator.update_key().unwrap().ct_eq(&bdk.derive_update_key(&id())));
    }
}

#[test]
fn no_working_key_is_stronger_than_its_parent() {
    let hmac = [HmacKeyLength::Hmac128, HmacKeyLength::Hmac192, HmacKeyLength::Hmac256];
    for (above, parent) in LENGTHS.into_iter().enumerate() {
        let key = transaction_key(parent);
        for (length, hmac_length) in LENGTHS.into_iter().zip(hmac).take(above + 1) {
            assert_eq!(key.pin_key(length).unwrap().length(), length);
            assert_eq!(key.mac_both_key_hmac(hmac_length).unwrap().length(), hmac_length);
        }
        for (length, hmac_length) in LENGTHS.into_iter().zip(hmac).skip(above + 1) {
            let refused = StrongerThanParent { parent, bits: length.bits() };
            assert_eq!(key.pin_key(length).unwrap_err(), refused);
            assert_eq!(key.mac_request_key(length).unwrap_err(), refused);
            assert_eq!(key.mac_response_key(length).unwrap_err(), refused);
            assert_eq!(key.mac_both_key(length).unwrap_err(), refused);
            assert_eq!(key.data_request_key(length).unwrap_err(), refused);
            assert_eq!(key.data_response_key(length).unwrap_err(), refused);
            assert_eq!(key.data_both_key(length).unwrap_err(), refused);
            assert_eq!(key.key_encryption_key(length).unwrap_err(), refused);
            assert_eq!(key.mac_request_key_hmac(hmac_length).unwrap_err(), refused);
            assert_eq!(key.mac_response_key_hmac(hmac_length).unwrap_err(), refused);
            assert_eq!(key.mac_both_key_hmac(hmac_length).unwrap_err(), refused);
            let update = bdk(parent).derive_update_key(&id());
            assert_eq!(update.key_encryption_key(length).unwrap_err(), refused);
        }
    }
}

/// All working keys of one transaction: 8 usages × AES-128, 2TDEA and 3TDEA, and 3 usages × HMAC-128, each another key.
#[test]
fn each_usage_and_type_has_a_key_of_its_own() {
    let key = transaction_key(AesKeyLength::Aes128);
    let mut keys: Vec<Vec<u8>> = vec![key.expose_key().expose_bytes().to_vec()];
    macro_rules! collect {
        ($($aes:ident $tdea:ident)*) => {$(
            keys.push(key.$aes(AesKeyLength::Aes128).unwrap().expose_key().expose_bytes().to_vec());
            for length in [KeyLength::Double, KeyLength::Triple] {
                keys.push(key.$tdea(length).expose_key().expose_bytes()[..16].to_vec());
            }
        )*};
    }
    collect! {
        pin_key pin_key_tdea mac_request_key mac_request_key_tdea mac_response_key mac_response_key_tdea
        mac_both_key mac_both_key_tdea data_request_key data_request_key_tdea data_response_key
        data_response_key_tdea data_both_key data_both_key_tdea key_encryption_key key_encryption_key_tdea
    }
    let hmac = HmacKeyLength::Hmac128;
    keys.push(key.mac_request_key_hmac(hmac).unwrap().expose_bytes().to_vec());
    keys.push(key.mac_response_key_hmac(hmac).unwrap().expose_bytes().to_vec());
    keys.push(key.mac_both_key_hmac(hmac).unwrap().expose_bytes().to_vec());
    assert_eq!(keys.len(), 1 + 8 * 3 + 3);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 1 + 8 * 3 + 3);
}

#[test]
fn tdea_keys_do_what_tdea_keys_do() {
    let key = transaction_key(AesKeyLength::Aes128);
    for length in [KeyLength::Double, KeyLength::Triple] {
        let (pin, pan) =
            (Pin::from_ascii_digits(b"1234").unwrap(), Pan::from_ascii_digits(b"4012345678909").unwrap());
        let pin_key = key.pin_key_tdea(length);
        let Ok(block) = pin_key.encrypt_pin_block(&ClearPinBlock::encode_iso0(&pin, &pan));
        let mut clear = block.to_bytes();
        pin_key.expose_key().cipher().decrypt_block(&mut clear);
        assert_eq!(clear, hex("041274EDCBA9876F")[..]);
        let Ok(clear) = pin_key.decrypt_pin_block(block);
        assert!(clear.decode_iso0(&pan).unwrap().ct_eq(&pin));

        let mac_key = key.mac_response_key_tdea(length);
        let mac = mac_key.mac(b"message");
        assert_eq!(mac.as_bytes(), Cmac::compute(mac_key.expose_key(), b"message").as_bytes());
        let mut pieces = mac_key.start_mac();
        pieces.update(b"mess");
        pieces.update(b"age");
        assert!(mac_key.verify_mac(b"message", pieces.finalize().as_bytes()).is_ok());
        assert!(mac_key.verify_mac(b"massage", mac.as_bytes()).is_err());

        let data_key = key.data_both_key_tdea(length);
        let mut data = [0; 16];
        data_key.encrypt_padded([7; 8], Padding::OneAndZeros, b"data", &mut data).unwrap();
        data_key.expose_key().cipher().decrypt(Mode::Cbc { iv: [7; 8] }, &mut data[..8]).unwrap();
        assert_eq!(data[..8], [b'd', b'a', b't', b'a', 0x80, 0, 0, 0]);
    }
}

#[test]
fn aes_and_hmac_keys_refuse_what_is_not_theirs() {
    let key = transaction_key(AesKeyLength::Aes128);
    let data_key = key.data_request_key(AesKeyLength::Aes128).unwrap();
    assert_eq!(data_key.encrypt(ZERO_IV, &mut [0; 17]), Err(NotWholeBlocks { found: 17 }));
    assert_eq!(data_key.decrypt(ZERO_IV, &mut [0; 15]), Err(NotWholeBlocks { found: 15 }));

    let mac_key = key.mac_request_key(AesKeyLength::Aes128).unwrap();
    let mut pieces = mac_key.start_mac();
    pieces.update(b"message");
    assert!(mac_key.verify_mac(b"message", &pieces.finalize().truncated::<8>()).is_ok());
    assert!(mac_key.verify_mac(b"message", &mac_key.mac(b"message").as_bytes()[..3]).is_err());

    let hmac = key.mac_request_key_hmac(HmacKeyLength::Hmac128).unwrap();
    let code = hmac.mac(b"message");
    for len in 0..=32 {
        assert_eq!(hmac.verify_mac(b"message", &code.as_bytes()[..len]).is_ok(), len >= 8);
    }
    assert!(hmac.verify_mac(b"message", &[&code.as_bytes()[..], &[0]].concat()).is_err());
    assert_eq!(code.truncated::<8>(), code.as_bytes()[..8]);
    assert_eq!(code.truncated::<32>(), *code.as_bytes());
    assert!(hmac.ct_eq(&key.mac_request_key_hmac(HmacKeyLength::Hmac128).unwrap()));
    assert!(
        !hmac.ct_eq(
            &transaction_key(AesKeyLength::Aes192).mac_request_key_hmac(HmacKeyLength::Hmac128).unwrap()
        )
    );
}

#[test]
fn counters_that_no_transaction_carries_are_refused_everywhere() {
    let bdk = bdk(AesKeyLength::Aes128);
    let initial_key = bdk.derive_initial_key(&id());
    for (counter, error) in [
        (0, CounterError::Zero),
        (0x0001_FFFF, CounterError::TooManyOnes { ones: 17, max: 16 }),
        (0xFFFF_FFFF, CounterError::TooManyOnes { ones: 32, max: 16 }),
    ] {
        assert_eq!(ksn(counter).counter(), Err(error));
        assert_eq!(Counter::try_from(counter), Err(error));
        assert_eq!(bdk.derive_transaction_key(&ksn(counter), OnesLimit::Sixteen).unwrap_err(), error);
        let refused = initial_key.derive_transaction_key(&ksn(counter), OnesLimit::Sixteen).unwrap_err();
        assert_eq!(refused, DeriveError::Counter(error));
    }
    let other = Ksn::from([0x11; 12]);
    assert_eq!(
        initial_key.derive_transaction_key(&other, OnesLimit::Sixteen).unwrap_err(),
        DeriveError::OtherOriginator
    );
}

#[test]
fn a_counter_that_does_not_increase_is_refused_and_a_gap_is_counted() {
    let [five, nine] = [5, 9].map(|value| Counter::try_from(value).unwrap());
    assert_eq!(five.follows(None, OnesLimit::Sixteen), Ok(4));
    assert_eq!(nine.follows(Some(five), OnesLimit::Sixteen), Ok(3));
    for last in [five, nine] {
        assert_eq!(five.follows(Some(last), OnesLimit::Sixteen), Err(ReplayError { last, found: five }));
    }
}

#[test]
fn ordinals_count_the_counters_within_each_limit() {
    for limit in [OnesLimit::Sixteen, OnesLimit::Seventeen] {
        let mut counter = Counter::FIRST;
        for ordinal in 1..200_000 {
            assert_eq!(counter.ordinal(limit), ordinal);
            counter = counter.next(limit).unwrap();
        }
    }
    assert_eq!(Counter::LAST.ordinal(OnesLimit::Sixteen), Counter::TRANSACTIONS);
    let last = Counter::within(0xFFFF_8000, OnesLimit::Seventeen).unwrap();
    assert_eq!(last.ordinal(OnesLimit::Seventeen), OnesLimit::Seventeen.transactions());
    assert_eq!(last.next(OnesLimit::Seventeen), Err(EndOfLife));
    // Beyond a limit the ordinal is that of the counter below, and the next one is within it again.
    let beyond = Counter::within(0x0001_FFFF, OnesLimit::Seventeen).unwrap();
    let below = Counter::try_from(0x0001_FFFE).unwrap();
    assert_eq!(beyond.ordinal(OnesLimit::Sixteen), below.ordinal(OnesLimit::Sixteen));
    assert_eq!(beyond.next(OnesLimit::Sixteen), Counter::try_from(0x0002_0000).map_err(|_| EndOfLife));
    assert_eq!(beyond.follows(Some(below), OnesLimit::Seventeen), Ok(0));
    let higher = Counter::within(0x8000_FFFF, OnesLimit::Seventeen).unwrap();
    assert_eq!(higher.next(OnesLimit::Sixteen), Ok(Counter::try_from(0x8001_0000).unwrap()));
}

#[test]
fn key_serial_numbers_have_twelve_bytes_and_two_identifiers() {
    for found in [0, 8, 10, 11, 13] {
        assert_eq!(Ksn::try_from(&[0; 13][..found]), Err(KsnLengthError { found }));
    }
    let bytes = ksn(0x0001_0203);
    assert_eq!(Ksn::try_from(&bytes.as_bytes()[..]), Ok(bytes));
    assert_eq!(bytes.to_string(), "123456789012345600010203");
    assert_eq!(Ksn::new(id(), Counter::try_from(0x0001_0203).unwrap()), bytes);
    assert_eq!(id().bdk_id(), BdkId::from([0x12, 0x34, 0x56, 0x78]));
    assert_eq!(id().bdk_id().to_string(), "12345678");
    assert_eq!(InitialKeyId::new(id().bdk_id(), id().derivation_id()), id());
    assert_eq!(id().derivation_id(), [0x90, 0x12, 0x34, 0x56]);
}

/// The rows of the tests of the one public implementation.
#[test]
fn compatibility_mode_shifts_the_identifier_by_a_digit() {
    for (tdes, id, counter) in [
        ("0E111111112222200000", "00E1111111122222", 0),
        ("0E11111111FFFFFF0000", "00E11111111FFFFE", 2_031_616),
        ("0E111111112222200009", "00E1111111122222", 9),
    ] {
        let tdes = common::ksn(tdes);
        assert_eq!(InitialKeyId::from_compatibility_mode(&tdes).to_string(), id);
        let ksn = Ksn::from_compatibility_mode(&tdes);
        assert_eq!(ksn.to_string(), format!("{id}{counter:08X}"));
    }
}

#[test]
fn check_values_of_named_keys_are_those_of_their_bytes() {
    let key = transaction_key(AesKeyLength::Aes192);
    assert_eq!(key.kcv_by(KcvMethod::AesCmac, 5), key.expose_key().kcv_by(KcvMethod::AesCmac, 5));
    let originator = VolatileOriginator::load(bdk(AesKeyLength::Aes128).derive_initial_key(&id()));
    assert!(!matches!(originator.update_key(), Err(UpdateKeyError::EndOfLife(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn fifty_transactions_agree_for_any_key_and_name(bytes: [u8; 32], length in 0..3usize, name: [u8; 8]) {
        let bdk = Bdk::from_key(AesKey::try_from(&bytes[..LENGTHS[length].bytes()]).unwrap());
        let id = InitialKeyId::from(name);
        let mut originator = VolatileOriginator::load(bdk.derive_initial_key(&id));
        walk(&mut originator, &bdk, 50);
        let update_key = bdk.derive_update_key(&id);
        prop_assert!(originator.update_key().unwrap().ct_eq(&update_key));
    }

    #[test]
    fn next_counter_is_the_lowest_above_within_the_limit(value in 1..u32::MAX) {
        for limit in [OnesLimit::Sixteen, OnesLimit::Seventeen] {
            let Ok(counter) = Counter::within(value, limit) else { continue };
            // Every counter between has too many ones, and there are few enough of them to look at the first thousand.
            let Ok(next) = counter.next(limit) else { continue };
            for between in (value + 1..next.value()).take(1_000) {
                prop_assert!(between.count_ones() > limit.max_ones());
            }
            prop_assert!(next.ones() <= limit.max_ones());
            prop_assert_eq!(next.ordinal(limit), counter.ordinal(limit) + 1);
            prop_assert_eq!(next.follows(Some(counter), limit), Ok(0));
        }
    }
}
