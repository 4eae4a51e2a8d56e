//! Names of custodians and keys.
#![allow(clippy::unwrap_used, reason = "a panic is the report of a test")]

use cardroot_components::{CustodianName, KeyLabel, NameError};

#[test]
fn a_name_is_one_to_forty_eight_bytes() {
    assert_eq!(CustodianName::new(""), Err(NameError::Empty));
    for len in [1, 48] {
        let name = "n".repeat(len);
        assert_eq!(CustodianName::new(&name).unwrap().as_str(), name);
        assert_eq!(KeyLabel::new(&name).unwrap().as_str(), name);
    }
    let too_long = NameError::Length { max: 48, found: 49 };
    assert_eq!(CustodianName::new(&"n".repeat(49)), Err(too_long));
    assert_eq!(KeyLabel::new(&"省".repeat(17)), Err(NameError::Length { max: 48, found: 51 }));
}

#[test]
fn a_name_is_utf_8_and_counted_in_bytes() {
    let name = "省级根密钥 第三版".repeat(2).replace(' ', "");
    assert_eq!(name.len(), 48);
    assert_eq!(KeyLabel::new(&name).unwrap().as_str(), name);
}

#[test]
fn a_name_has_no_control_characters_and_no_space_around_it() {
    let position = |name: &str| match CustodianName::new(name).unwrap_err() {
        NameError::Character { position } => position,
        other => panic!("{other}"),
    };
    assert_eq!(position(" Ada"), 0);
    assert_eq!(position("Ada "), 3);
    assert_eq!(position("Ada\u{3000}"), 3);
    assert_eq!(position("Ada\nB"), 3);
    assert_eq!(position("省\0"), 3);
    assert_eq!(position(" "), 0);
    assert_eq!(position("\u{85}x"), 0);
    assert!(CustodianName::new("Ada B. Lovelace").is_ok());
}

#[test]
fn names_that_differ_in_case_alone_are_the_same_person() {
    let [ada, upper, other] = ["Ada", "ADA", "Ad"].map(|name| CustodianName::new(name).unwrap());
    assert!(ada.is_same_person(&upper) && upper.is_same_person(&ada));
    assert!(!ada.is_same_person(&other));
    assert_ne!(ada, upper);
}

#[test]
fn names_print_as_they_are() {
    let (custodian, label) = (CustodianName::new("Ada").unwrap(), KeyLabel::new("root").unwrap());
    assert_eq!(format!("{custodian} {label:>6}"), "Ada   root");
    assert_eq!(format!("{custodian:?} {label:?}"), r#"CustodianName("Ada") KeyLabel("root")"#);
}
