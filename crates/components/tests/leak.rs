//! No secret shows in `Debug`.
#![allow(clippy::unwrap_used, reason = "a panic is the report of a test")]

use core::fmt::Debug;

use cardroot_components::{
    AesComponent, AesKey, AesKeyLength, Ceremony, CustodianName, KeyLabel, Parity, Parts, Plan, Step,
    TdeaComponent,
};
use tdea::{KcvMethod, KeyLength};

fn assert_shows_nothing(secret: &impl Debug) {
    for text in
        [format!("{secret:?}"), format!("{secret:#?}"), format!("{secret:x?}"), format!("{secret:#X?}")]
    {
        let text = text.to_lowercase();
        assert!(!text.contains("a5") && !text.contains("165"), "{text}");
    }
}

#[test]
fn keys_and_components_show_nothing() {
    for len in [16, 24, 32] {
        let bytes = vec![0xA5; len];
        assert_shows_nothing(&AesKey::try_from(&bytes[..]).unwrap());
        assert_shows_nothing(&AesComponent::try_from(&bytes[..]).unwrap());
        assert_shows_nothing(&TdeaComponent::try_from(&bytes[..]));
    }
    let key = AesKey::from_fill(AesKeyLength::Aes128, |bytes| bytes.fill(0xA5));
    assert_eq!(format!("{key:?}"), "AesKey { length: Aes128, .. }");
    let component = TdeaComponent::from_fill(KeyLength::Double, |bytes| bytes.fill(0xA5));
    assert_eq!(format!("{component:?}"), "KeyComponent { length: Double, .. }");
}

#[test]
fn a_ceremony_shows_its_label_and_how_far_it_is() {
    let plan = Plan {
        label: KeyLabel::new("root").unwrap(),
        length: KeyLength::Double,
        parts: Parts::TWO,
        parity: Parity::Keep,
        method: KcvMethod::TdeaZeros,
        kcv_len: 3,
        expected: None,
    };
    let mut ceremony = Ceremony::plan(plan).unwrap();
    let component = |fill: u8| TdeaComponent::from_fill(KeyLength::Double, |bytes| bytes.fill(fill));
    ceremony = match ceremony.enter(CustodianName::new("Ada").unwrap(), component(0xA5), None) {
        Step::Taken(ceremony) => ceremony,
        other => panic!("{other:?}"),
    };
    assert_shows_nothing(&ceremony);
    assert_eq!(format!("{ceremony:?}"), r#"Ceremony { label: KeyLabel("root"), missing: 1, .. }"#);
    let step = ceremony.enter(CustodianName::new("Bao").unwrap(), component(0x5A), None);
    assert_shows_nothing(&step);
    assert_eq!(format!("{step:?}"), r#"Complete(CompleteCeremony { label: KeyLabel("root"), .. })"#);
}
