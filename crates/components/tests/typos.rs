//! Every typing error of one hex digit, and every swap of two neighbours, shows in the check value of a
//! component: except one that changes nothing but a parity bit, which is the business of the parity policy.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a test")]

use base16ct::mixed::decode_vec;
use cardroot_components::{AesComponent, CombineError, KeyFault, Parity, TdeaComponent, combine};
use tdea::{Kcv, KcvMethod};

const TDEA: [&str; 2] =
    ["102FE91C0B4CF2704F5437E5F4CB9E61", "0DF4408C49FB6E3749DA70FE9D165B67AB51913B0145E08C"];
const AES: [&str; 3] = [
    "D820230165322BB7C30187C8EAA25760",
    "81B6F47519DC8B71D3739B09443632CE68586F0EDE00122D",
    "B769AF0AF47CE265CDDD4E8E3FA116915DEB4D5578F1C551B6D25280F59BDA4C",
];

/// All texts that differ from `hex` in one digit.
fn typos(hex: &str) -> Vec<String> {
    let digits = || "0123456789ABCDEF".chars();
    let replaced = |position: usize, digit| {
        hex.chars()
            .enumerate()
            .map(move |(at, old)| if at == position { digit } else { old })
            .collect::<String>()
    };
    (0..hex.len())
        .flat_map(|position| digits().map(move |digit| replaced(position, digit)))
        .filter(|typo| typo != hex)
        .collect()
}

/// All texts that differ from `hex` by a swap of two neighbours.
fn swaps(hex: &str) -> Vec<String> {
    let swapped = |at: usize| {
        let mut bytes = hex.as_bytes().to_vec();
        bytes.swap(at, at + 1);
        String::from_utf8(bytes).unwrap()
    };
    (0..hex.len() - 1).map(swapped).filter(|swap| swap != hex).collect()
}

fn tdea(hex: &str) -> TdeaComponent {
    TdeaComponent::try_from(&decode_vec(hex).unwrap()[..]).unwrap()
}

fn aes_kcv(hex: &str) -> Kcv {
    let component = AesComponent::try_from(&decode_vec(hex).unwrap()[..]).unwrap();
    component.kcv_by(KcvMethod::AesCmac, 5).unwrap()
}

fn differ_in_parity_only(a: &str, b: &str) -> bool {
    decode_vec(a).unwrap().iter().zip(decode_vec(b).unwrap()).all(|(a, b)| a & 0xFE == b & 0xFE)
}

#[test]
fn every_single_digit_typo_of_a_tdea_component_shows_unless_it_hits_a_parity_bit() {
    for hex in TDEA {
        let (right, typos) = (tdea(hex).kcv(), typos(hex));
        let unseen: Vec<_> = typos.iter().filter(|typo| tdea(typo).kcv() == right).collect();
        println!("{} typos, {} unseen", typos.len(), unseen.len());
        assert_eq!(typos.len(), hex.len() * 15);
        assert!(unseen.iter().all(|typo| differ_in_parity_only(typo, hex)));
        assert_eq!(unseen.len(), hex.len() / 2, "one for each byte");
    }
}

#[test]
fn every_single_digit_typo_of_an_aes_component_shows() {
    for hex in AES {
        let (right, typos) = (aes_kcv(hex), typos(hex));
        assert_eq!(typos.len(), hex.len() * 15);
        assert!(typos.iter().all(|typo| aes_kcv(typo) != right));
    }
}

#[test]
fn every_swap_of_two_digits_shows() {
    for hex in TDEA {
        let (right, swaps) = (tdea(hex).kcv(), swaps(hex));
        let unseen: Vec<_> = swaps.iter().filter(|swap| tdea(swap).kcv() == right).collect();
        assert!(swaps.len() > hex.len() / 2 && unseen.is_empty(), "{unseen:?}");
    }
    for hex in AES {
        let (right, swaps) = (aes_kcv(hex), swaps(hex));
        assert!(swaps.len() > hex.len() / 2 && swaps.iter().all(|swap| aes_kcv(swap) != right));
    }
}

#[test]
fn a_typo_in_a_parity_bit_is_refused_where_odd_parity_is_required_and_harmless_where_it_is_adjusted() {
    // Three components of odd parity make a key of odd parity.
    let [first, second, third] = [
        "102FE91C0B4CF2704F5437E5F4CB9E61",
        "F4408C49FB6E3749DA70FE9D165B67AB",
        "51913B0145E08C9D02DFF23ECD150E1F",
    ];
    let with_third = |third: &str, parity| combine(&[&tdea(first), &tdea(second), &tdea(third)], parity);
    let right = with_third(third, Parity::RequireOdd).unwrap();
    let mut unseen = 0;
    for typo in typos(third).iter().filter(|typo| differ_in_parity_only(typo, third)) {
        let error = with_third(typo, Parity::RequireOdd).map(|_| ()).unwrap_err();
        assert!(matches!(error, CombineError::Key(KeyFault::Parity(_))), "{error}");
        assert!(with_third(typo, Parity::AdjustToOdd).unwrap().ct_eq(&right));
        assert!(!with_third(typo, Parity::Keep).unwrap().ct_eq(&right));
        unseen += 1;
    }
    assert_eq!(unseen, 16);
}
