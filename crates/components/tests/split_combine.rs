//! Keys come apart and together again, and nothing else comes together.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a test")]

use core::convert::Infallible;

use base16ct::mixed::decode_vec;
use cardroot_components::{
    AesComponent, AesKey, AesKeyLength, CombineError, ComponentFault, ComponentKey, KeyComponent, KeyFault,
    NoParity, Parity, Parts, PartsError, TdeaComponent, combine, split, split_parts,
};
use getrandom::{SysRng, rand_core::UnwrapErr};
use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng};
use tdea::{KcvMethod, KeyError, KeyLength, StrengthError, TdeaKey};

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn component<K: ComponentKey>(bytes: &[u8]) -> KeyComponent<K> {
    KeyComponent::try_from(bytes).unwrap()
}

fn components<K: ComponentKey>(hex: &str) -> Vec<KeyComponent<K>> {
    hex.split('/').map(|part| component(&decode_vec(part).unwrap())).collect()
}

fn combine_all<K: ComponentKey>(
    components: &[KeyComponent<K>],
    parity: K::Parity,
) -> Result<K, CombineError> {
    combine(&components.iter().collect::<Vec<_>>(), parity)
}

/// The error of components given as bytes; a key is no error.
fn fault_of(components: &[&[u8]], parity: Parity) -> CombineError {
    let components: Vec<TdeaComponent> = components.iter().map(|bytes| component(bytes)).collect();
    combine_all(&components, parity).unwrap_err()
}

/// Bytes of a double-length key, different in every seed.
fn pattern(seed: u8) -> [u8; 16] {
    core::array::from_fn(|i| {
        u64::from(seed)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(7 * u32::try_from(i).unwrap())
            .to_be_bytes()[0]
    })
}

fn xor(a: [u8; 16], b: [u8; 16]) -> [u8; 16] {
    core::array::from_fn(|i| a[i] ^ b[i])
}

#[test]
fn every_row_of_the_component_file_makes_its_key() {
    let rows = include_str!("data/components.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
    let mut count = 0;
    for row in rows {
        let fields: Vec<&str> = row.split(',').collect();
        let [id, cipher, parity, parts, key, kcv, _status, _source] = fields[..] else { panic!("{row}") };
        let (key, kcv) = (decode_vec(key).unwrap(), decode_vec(kcv).unwrap());
        if cipher == "tdea" {
            let parity = match parity {
                "keep" => Parity::Keep,
                "adjust-to-odd" => Parity::AdjustToOdd,
                "require-odd" => Parity::RequireOdd,
                other => panic!("no parity policy {other}"),
            };
            let combined: TdeaKey = combine_all(&components(parts), parity).unwrap();
            assert_eq!(combined.expose_bytes(), key, "{id}");
            assert_eq!(combined.kcv().as_bytes(), kcv, "{id}");
        } else {
            let combined: AesKey = combine_all(&components(parts), NoParity).unwrap();
            assert_eq!(combined.expose_bytes(), key, "{id}");
            assert_eq!(combined.kcv_by(KcvMethod::AesCmac, 5).unwrap().as_bytes(), kcv, "{id}");
        }
        count += 1;
    }
    println!("components: {count} rows");
    assert_eq!(count, 10);
}

/// Splits `key` into every number of parts and looks at them.
fn round_trips<K: ComponentKey>(key: &K, parity: K::Parity) {
    for count in Parts::MIN..=Parts::MAX {
        let parts = split_parts(key, Parts::try_from(count).unwrap(), &mut rng()).unwrap();
        assert_eq!(parts.len(), count);
        let parts: Vec<_> = parts.collect();
        let again = combine_all(&parts, parity).unwrap();
        assert_eq!(again.expose_bytes(), key.expose_bytes());
        for (position, part) in parts.iter().enumerate() {
            assert_eq!(part.length(), key.length());
            assert_ne!(part.expose_bytes(), key.expose_bytes());
            assert!(part.expose_bytes().iter().any(|byte| byte & K::USED_BITS != 0));
            assert!(parts[..position].iter().all(|earlier| !earlier.ct_eq(part)));
        }
        // Without one component there is no key, or another.
        let fewer = combine_all(&parts[1..], parity);
        assert!(fewer.is_err() || fewer.unwrap().expose_bytes() != key.expose_bytes());
    }
}

#[test]
fn a_key_comes_back_from_two_to_nine_components() {
    for length in [KeyLength::Double, KeyLength::Triple] {
        round_trips(&TdeaKey::generate(length, &mut rng()), Parity::Keep);
    }
    for length in [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256] {
        round_trips(&AesKey::generate(length, &mut rng()), NoParity);
    }
}

#[test]
fn a_key_of_even_parity_comes_back_to_the_bit() {
    let key = TdeaKey::from(
        decode_vec("000102030405060708090A0B0C0D0E0F").unwrap().try_into().map(|k: [u8; 16]| k).unwrap(),
    );
    assert!(key.check_parity().is_err());
    round_trips(&key, Parity::Keep);
}

#[test]
fn an_array_of_components_is_split_to_the_number_asked_for() {
    let key = TdeaKey::generate(KeyLength::Double, &mut rng());
    let [a, b] = split(&key, &mut rng()).unwrap();
    assert!(combine(&[&a, &b], Parity::RequireOdd).unwrap().ct_eq(&key));
    let parts: [_; 9] = split(&key, &mut rng()).unwrap();
    assert!(combine(&parts.each_ref(), Parity::RequireOdd).unwrap().ct_eq(&key));
}

#[test]
fn a_key_that_can_not_be_combined_is_not_split() {
    let equal_parts = TdeaKey::from([0x25; 16]);
    let fault = KeyFault::Weak(StrengthError::PartsEqual { first: 1, second: 2 });
    assert_eq!(split::<_, 2>(&equal_parts, &mut rng()).unwrap_err(), fault);
    assert_eq!(split_parts(&equal_parts, Parts::THREE, &mut rng()).map(|_| ()).unwrap_err(), fault);
    assert_eq!(split::<_, 2>(&TdeaKey::from([0x01; 16]), &mut rng()).unwrap_err(), KeyFault::Zero);
    assert_eq!(split::<_, 3>(&TdeaKey::from([0; 24]), &mut rng()).unwrap_err(), KeyFault::Zero);
    let zero = AesKey::from_fill(AesKeyLength::Aes256, |_| ());
    assert_eq!(split::<_, 2>(&zero, &mut rng()).unwrap_err(), KeyFault::Zero);
}

/// A generator that gives what it was told to, and fails the test if asked for more.
struct Script(Vec<u8>);

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.copy_from_slice(&self.0.drain(..dst.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Script {}

#[test]
fn components_compare_to_the_bit() {
    let a: TdeaComponent = component(&pattern(1));
    assert!(a.ct_eq(&component(&pattern(1))));
    assert!(!a.ct_eq(&component(&pattern(2))));
    assert!(!a.ct_eq(&component(&xor(pattern(1), [1; 16]))));
}

#[test]
fn all_components_but_the_last_are_the_random_bytes() {
    let (key, a, b) = (TdeaKey::from(pattern(9)), pattern(1), pattern(2));
    let mut rng = Script([a, b].concat());
    let [first, second, last] = split(&key, &mut rng).unwrap();
    assert_eq!(first.expose_bytes(), a);
    assert_eq!(second.expose_bytes(), b);
    assert_eq!(last.expose_bytes(), xor(xor(a, b), pattern(9)));
    assert!(rng.0.is_empty());
}

/// Splits `key` in `N` with `bad` random bytes first, then with `good` ones, which must be the ones taken.
fn redrawn<const N: usize>(key: [u8; 16], bad: &[[u8; 16]], good: &[[u8; 16]]) {
    let mut rng = Script([bad, good].concat().concat());
    let parts: [TdeaComponent; N] = split(&TdeaKey::from(key), &mut rng).unwrap();
    assert!(rng.0.is_empty());
    for (part, random) in parts.iter().zip(good) {
        assert_eq!(part.expose_bytes(), random);
    }
    assert_eq!(good.len(), N - 1);
}

#[test]
fn components_that_break_a_rule_are_drawn_again() {
    let (key, a, b, c) = (pattern(9), pattern(1), pattern(2), pattern(3));
    // zero, parity bits left out of account
    redrawn::<2>(key, &[[0; 16]], &[a]);
    redrawn::<2>(key, &[[1; 16]], &[a]);
    // the key itself, so that the last one is zero
    redrawn::<2>(key, &[key], &[a]);
    // two equal ones; then the last is the key, too
    redrawn::<3>(key, &[a, a], &[a, b]);
    // the last one equals the first
    redrawn::<3>(key, &[a, key], &[a, b]);
    // three that cancel out, so that only the last one equals the key
    redrawn::<4>(key, &[a, b, xor(a, b)], &[a, b, c]);
}

#[test]
fn two_to_nine_components_make_a_key() {
    let all: Vec<TdeaComponent> = (1..=10).map(|seed| component(&pattern(seed))).collect();
    for found in 0..=10 {
        let result = combine_all(&all[..found], Parity::Keep).map(|_| ());
        let expected =
            if (2..=9).contains(&found) { Ok(()) } else { Err(CombineError::Parts(PartsError { found })) };
        assert_eq!(result, expected);
        assert_eq!(Parts::try_from(found).map(Parts::get).ok(), expected.ok().map(|()| found));
    }
    assert_eq!(Parts::try_from(256 + 2), Err(PartsError { found: 258 }));
    assert_eq!([Parts::TWO, Parts::THREE].map(Parts::get), [2, 3]);
}

#[test]
fn a_component_of_another_length_is_refused_by_its_number() {
    let (a, b, long) = (component(&pattern(1)), component(&pattern(2)), component(&[0x25; 24]));
    let error = |number, expected, found| {
        let fault = ComponentFault::Length { expected, found };
        CombineError::Component { number, fault }
    };
    assert_eq!(combine::<TdeaKey>(&[&a, &long], Parity::Keep).unwrap_err(), error(2, 16, 24));
    assert_eq!(combine::<TdeaKey>(&[&a, &b, &long], Parity::Keep).unwrap_err(), error(3, 16, 24));
    assert_eq!(combine::<TdeaKey>(&[&long, &a], Parity::Keep).unwrap_err(), error(2, 24, 16));
}

#[test]
fn a_zero_component_is_refused_whatever_its_parity_bits() {
    for zero in [[0; 16], [1; 16], core::array::from_fn(|i| u8::from(i == 15))] {
        let error = |number| CombineError::Component { number, fault: ComponentFault::Zero };
        assert_eq!(fault_of(&[&zero, &pattern(1), &pattern(2)], Parity::Keep), error(1));
        assert_eq!(fault_of(&[&pattern(1), &pattern(2), &zero], Parity::Keep), error(3));
    }
}

#[test]
fn padding_two_published_components_with_a_zero_one_is_refused() {
    // jPOS takes these three; the zero one adds a custodian who holds nothing.
    let three = components::<TdeaKey>(
        "E09B073B4007541FAB76B04370451031/4CBF5D51EA8525EF045EFED6E386D9D9/00000000000000000000000000000000",
    );
    let error = CombineError::Component { number: 3, fault: ComponentFault::Zero };
    assert_eq!(combine_all(&three, Parity::Keep).unwrap_err(), error);
}

#[test]
fn equal_components_are_refused_whatever_their_parity_bits() {
    let (a, b) = (pattern(1), pattern(2));
    let error =
        |number, earlier| CombineError::Component { number, fault: ComponentFault::Equal { earlier } };
    for parity_bits in [[0; 16], [1; 16], core::array::from_fn(|i| u8::from(i == 7))] {
        let same = xor(a, parity_bits);
        assert_eq!(fault_of(&[&a, &same], Parity::AdjustToOdd), error(2, 1));
        assert_eq!(fault_of(&[&a, &b, &same], Parity::Keep), error(3, 1));
        assert_eq!(fault_of(&[&b, &a, &same], Parity::Keep), error(3, 2));
    }
}

#[test]
fn components_that_encrypt_alike_are_not_equal_for_that() {
    // With K1 = K2 only K3 encrypts, so these have the same TDEA check value but do not cancel out.
    let third = [0x26; 8];
    let first: TdeaComponent = component(&[[0x13; 8], [0x13; 8], third].concat());
    let second = component(&[[0x4A; 8], [0x4A; 8], third].concat());
    let other = component(&[pattern(1), pattern(2)].concat()[..24]);
    assert_eq!(first.kcv_by(KcvMethod::TdeaZeros, 8), second.kcv_by(KcvMethod::TdeaZeros, 8));
    assert!(combine(&[&first, &second, &other], Parity::Keep).is_ok());
}

#[test]
fn aes_components_have_no_parity_bits_to_leave_out() {
    let one: AesComponent = component(&[1; 16]);
    let (a, almost_a) = (component(&pattern(1)), component(&xor(pattern(1), [1; 16])));
    assert!(combine(&[&a, &almost_a], NoParity).is_ok());
    assert!(combine(&[&a, &one], NoParity).is_ok());
    let equal = CombineError::Component { number: 2, fault: ComponentFault::Equal { earlier: 1 } };
    assert_eq!(combine(&[&a, &component(&pattern(1))], NoParity).unwrap_err(), equal);
    let zero = CombineError::Component { number: 2, fault: ComponentFault::Zero };
    assert_eq!(combine(&[&a, &component(&[0; 16])], NoParity).unwrap_err(), zero);
}

#[test]
fn a_key_that_must_not_be_used_is_refused() {
    let key = |fault| CombineError::Key(fault);
    let (a, b) = (pattern(1), pattern(2));
    for parity in [Parity::Keep, Parity::AdjustToOdd, Parity::RequireOdd] {
        // zero, exactly or but for parity bits
        assert_eq!(fault_of(&[&a, &b, &xor(a, b)], parity), key(KeyFault::Zero));
        assert_eq!(fault_of(&[&a, &b, &xor(xor(a, b), [1; 16])], parity), key(KeyFault::Zero));
        // equal parts: complements make FF..FF; and parts that differ in parity only
        let equal = key(KeyFault::Weak(StrengthError::PartsEqual { first: 1, second: 2 }));
        assert_eq!(fault_of(&[&a, &xor(a, [0xFF; 16])], parity), equal);
        let in_parity_only = core::array::from_fn(|i| if i < 8 { 0x26 } else { 0x27 });
        assert_eq!(fault_of(&[&a, &xor(a, in_parity_only)], parity), equal);
        // a weak part behind a good one
        let weak = core::array::from_fn(|i| if i < 8 { pattern(3)[i] } else { 0xFE });
        assert_eq!(
            fault_of(&[&a, &xor(a, weak)], parity),
            key(KeyFault::Weak(StrengthError::Weak { part: 2 }))
        );
    }
}

#[test]
fn a_key_equal_to_one_of_its_components_is_refused_by_its_number() {
    let (a, b, key) = (pattern(1), pattern(2), pattern(9));
    let error = |number| CombineError::Key(KeyFault::EqualsComponent { number });
    assert_eq!(fault_of(&[&a, &b, &xor(a, b), &key], Parity::Keep), error(4));
    assert_eq!(fault_of(&[&a, &key, &b, &xor(a, b)], Parity::Keep), error(2));
    let but_for_parity = xor(xor(a, b), [1; 16]);
    assert_eq!(fault_of(&[&key, &a, &b, &but_for_parity], Parity::Keep), error(1));
    let [a, b, c, key] = [a, b, xor(a, b), key].map(|bytes| component::<AesKey>(&bytes));
    assert_eq!(combine(&[&a, &b, &c, &key], NoParity).unwrap_err(), error(4));
}

#[test]
fn a_zero_aes_key_is_refused() {
    let (a, b) = (pattern(1), pattern(2));
    let [a, b, c] = [a, b, xor(a, b)].map(|bytes| component::<AesKey>(&bytes));
    assert_eq!(combine(&[&a, &b, &c], NoParity).unwrap_err(), CombineError::Key(KeyFault::Zero));
}

#[test]
fn parity_is_done_to_the_key_as_asked() {
    // Two components of odd parity make a key of even parity.
    let (a, b) = (TdeaKey::from(pattern(1)).into_odd_parity(), TdeaKey::from(pattern(2)).into_odd_parity());
    let [a, b] = [&a, &b].map(|key| component::<TdeaKey>(key.expose_bytes()));
    let kept = combine(&[&a, &b], Parity::Keep).unwrap();
    let adjusted = combine(&[&a, &b], Parity::AdjustToOdd).unwrap();
    assert!(kept.expose_bytes().iter().all(|byte| byte.count_ones() % 2 == 0));
    assert!(adjusted.check_parity().is_ok());
    assert!(kept.into_odd_parity().ct_eq(&adjusted));
    let fault = KeyFault::Parity(KeyError::Parity { position: 0 });
    assert_eq!(combine(&[&a, &b], Parity::RequireOdd).unwrap_err(), CombineError::Key(fault));
}

#[test]
fn errors_say_which_component_and_what_is_wrong() {
    let errors = [
        (CombineError::Parts(PartsError { found: 1 }), "a key has 2 to 9 components, found 1"),
        (
            CombineError::Component { number: 2, fault: ComponentFault::Equal { earlier: 1 } },
            "component 2: the component is equal to component 1",
        ),
        (CombineError::Key(KeyFault::EqualsComponent { number: 4 }), "the key is equal to component 4"),
        (
            CombineError::Key(KeyFault::Weak(StrengthError::PartsEqual { first: 1, second: 2 })),
            "key parts 1 and 2 are equal",
        ),
    ];
    for (error, text) in errors {
        assert_eq!(error.to_string(), text);
    }
}

proptest! {
    #[test]
    fn order_is_irrelevant(
        bytes in prop::collection::hash_set(prop::array::uniform24(any::<u8>()), 2..=9)
            .prop_map(|set| set.into_iter().collect::<Vec<_>>())
            .prop_flat_map(|parts| (Just(parts.clone()), Just(parts).prop_shuffle())),
    ) {
        let [key, shuffled] = [bytes.0, bytes.1].map(|order| {
            let order: Vec<TdeaComponent> = order.iter().map(|bytes| component(bytes)).collect();
            combine_all(&order, Parity::AdjustToOdd).unwrap()
        });
        prop_assert!(key.ct_eq(&shuffled));
    }

    #[test]
    fn the_key_is_the_xor_of_its_components(
        parts in prop::collection::vec(prop::array::uniform32(any::<u8>()), 2..=9),
    ) {
        let key = parts.iter().fold([0; 32], |sum, part| core::array::from_fn(|i| sum[i] ^ part[i]));
        let parts: Vec<AesComponent> = parts.iter().map(|bytes| component(bytes)).collect();
        let combined = combine_all(&parts, NoParity).unwrap();
        prop_assert_eq!(combined.expose_bytes(), key);
    }

    #[test]
    fn any_components_combine_or_say_why_not(
        parts in prop::collection::vec(prop::collection::vec(0..3u8, 16), 0..=11),
    ) {
        let parts: Vec<TdeaComponent> = parts.iter().map(|bytes| component(bytes)).collect();
        if let Ok(key) = combine_all(&parts, Parity::Keep) {
            prop_assert!(key.check_strength().is_ok());
        }
    }
}
