//! Each consistency rule with the smallest message that breaks it and a twin that does not.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a panic here is the test's report")]

use cardroot_smid::iso8583::{Dialect, Finding, KeyExchange, KeyReference, Message, RuleOptions, validate};

/// A message of type `mti` with `fields`, which are binary but for 70 and 90.
fn message(mti: &str, fields: &[u8]) -> Message {
    let dialect = if mti.starts_with('0') { Dialect::ISO1987_BINARY } else { Dialect::ISO1993_BINARY };
    let mut message = Message::new(mti.parse().unwrap());
    for &field in fields {
        match field {
            70 => message.set_text(dialect, field, "301").unwrap(),
            _ => message.set_bytes(dialect, field, &[0x42; 8]).unwrap(),
        }
    }
    message
}

fn findings(mti: &str, fields: &[u8]) -> Vec<Finding> {
    validate(&message(mti, fields), &RuleOptions::default())
}

fn findings_with(mti: &str, fields: &[u8], options: RuleOptions) -> Vec<Finding> {
    validate(&message(mti, fields), &options)
}

#[test]
fn pin_data_needs_a_smid_in_authorizations_and_financial_transactions() {
    for mti in ["1100", "1120", "1200", "1230"] {
        assert_eq!(findings(mti, &[52]), [Finding::PinWithoutSmid], "{mti}");
        assert_eq!(findings(mti, &[52, 53]), [], "{mti}");
    }
    assert_eq!(findings("1400", &[52]), []);
    assert_eq!(findings("0200", &[52]), []);
}

#[test]
fn pin_data_needs_no_smid_if_its_key_is_implicit() {
    let options = RuleOptions { pin_key: KeyReference::Implicit, ..RuleOptions::default() };
    assert_eq!(findings_with("1200", &[52], options), []);
    // The MAC key is another matter.
    assert_eq!(findings_with("1200", &[52, 64], options), [Finding::MacWithoutSmid]);
}

#[test]
fn mac_needs_a_smid_in_any_message() {
    for mti in ["1100", "1200", "1304", "1420", "1804", "1814"] {
        assert_eq!(findings(mti, &[64]), [Finding::MacWithoutSmid], "{mti}");
        assert_eq!(findings(mti, &[128]), [Finding::MacWithoutSmid], "{mti}");
        assert_eq!(findings(mti, &[53, 64]), [], "{mti}");
        assert_eq!(findings(mti, &[53, 128]), [], "{mti}");
    }
    assert_eq!(findings("0200", &[64]), []);
}

#[test]
fn mac_needs_no_smid_if_its_key_is_implicit() {
    let options = RuleOptions { mac_key: KeyReference::Implicit, ..RuleOptions::default() };
    assert_eq!(findings_with("1200", &[64], options), []);
    assert_eq!(findings_with("1200", &[52, 64], options), [Finding::PinWithoutSmid]);
}

#[test]
fn two_macs_are_one_too_many() {
    assert_eq!(findings("1200", &[53, 64, 128]), [Finding::TwoMacs]);
    assert_eq!(findings("1200", &[53, 64]), []);
    assert_eq!(findings("0200", &[64, 128]), [Finding::TwoMacs]);
}

#[test]
fn mac_in_bit_64_does_not_go_with_a_secondary_bitmap() {
    assert_eq!(findings("1804", &[53, 64, 96]), [Finding::MacNotLast]);
    assert_eq!(findings("1804", &[53, 96, 128]), []);
    assert_eq!(findings("0800", &[64, 70]), [Finding::MacNotLast]);
    assert_eq!(findings("0800", &[70, 128]), []);
}

#[test]
fn key_management_data_is_for_network_management() {
    assert_eq!(findings("1200", &[96]), [Finding::FutureKeysOutsideNetworkManagement]);
    assert_eq!(findings("1804", &[96]), []);
    // In 1987 bit 96 is a message security code.
    assert_eq!(findings("0200", &[96]), []);
}

#[test]
fn key_exchange_with_a_mac_names_its_own_mac_key() {
    assert_eq!(findings("1804", &[96, 128]), [Finding::KeyExchangeWithoutCurrentSmid]);
    assert_eq!(findings("1804", &[53, 96, 128]), []);
    let options = RuleOptions { mac_key: KeyReference::Implicit, ..RuleOptions::default() };
    assert_eq!(findings_with("1804", &[96, 128], options), []);
    // A response is no key exchange, but it has a MAC.
    assert_eq!(findings("1814", &[96, 128]), [Finding::MacWithoutSmid]);
}

#[test]
fn declared_key_exchange_with_a_mac_carries_future_keys() {
    let options = RuleOptions { key_exchange: KeyExchange::Declared, ..RuleOptions::default() };
    assert_eq!(findings_with("1804", &[53, 64], options), [Finding::KeyExchangeWithoutFutureKeys]);
    assert_eq!(findings_with("1804", &[53, 96, 128], options), []);
    // Without a MAC there is nothing to hold against it, and an echo test is not declared.
    assert_eq!(findings_with("1804", &[53], options), []);
    assert_eq!(findings("1804", &[53, 64]), []);
}

#[test]
fn all_findings_of_a_message_are_listed() {
    assert_eq!(
        findings("1200", &[52, 64, 96]),
        [
            Finding::MacNotLast,
            Finding::PinWithoutSmid,
            Finding::FutureKeysOutsideNetworkManagement,
            Finding::MacWithoutSmid,
        ]
    );
    let options = RuleOptions { key_exchange: KeyExchange::Declared, ..RuleOptions::default() };
    assert_eq!(
        findings_with("1804", &[64, 128], options),
        [Finding::TwoMacs, Finding::KeyExchangeWithoutCurrentSmid, Finding::KeyExchangeWithoutFutureKeys,]
    );
}

#[test]
fn message_without_key_fields_breaks_no_rule() {
    for mti in ["0100", "1100", "1200", "1804", "2200", "9999"] {
        assert_eq!(findings(mti, &[]), []);
    }
}
