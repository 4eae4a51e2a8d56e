//! The ceremony: what it takes, what it refuses, and what its record says afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a test")]

use base16ct::mixed::decode_vec;
use cardroot_components::{
    AesComponent, AesKey, AesKeyLength, Ceremony, CeremonyRecord, CompleteCeremony, ComponentFault,
    ComponentKey, ConfirmError, CustodianName, EntryError, KeyComponent, KeyFault, KeyLabel, NoParity,
    Outcome, Parity, Parts, Plan, PlanError, Step, TdeaComponent, Verdict, combine,
};
use tdea::{Kcv, KcvError, KcvMethod, KeyError, KeyLength, StrengthError, TdeaKey};

// Row COMB-08 of data/components.csv: three components of odd parity.
const COMPONENTS: [&str; 3] = [
    "102FE91C0B4CF2704F5437E5F4CB9E61",
    "F4408C49FB6E3749DA70FE9D165B67AB",
    "51913B0145E08C9D02DFF23ECD150E1F",
];
const KEY: &str = "B5FE5E54B5C249A497FB3B462F85F7D5";

fn component<K: ComponentKey>(hex: &str) -> KeyComponent<K> {
    KeyComponent::try_from(&decode_vec(hex).unwrap()[..]).unwrap()
}

fn tdea(hex: &str) -> TdeaComponent {
    component(hex)
}

fn name(name: &str) -> CustodianName {
    CustodianName::new(name).unwrap()
}

fn kcv(hex: &str) -> Kcv {
    Kcv::new(KcvMethod::TdeaZeros, &decode_vec(hex).unwrap()).unwrap()
}

fn plan() -> Plan<TdeaKey> {
    Plan {
        label: KeyLabel::new("province root, version 1").unwrap(),
        length: KeyLength::Double,
        parts: Parts::THREE,
        parity: Parity::RequireOdd,
        method: KcvMethod::TdeaZeros,
        kcv_len: 3,
        expected: Some(kcv("DD9EBD")),
    }
}

fn taken<K: ComponentKey>(step: Step<K>) -> Ceremony<K> {
    match step {
        Step::Taken(ceremony) => ceremony,
        other => panic!("{other:?}"),
    }
}

fn refused<K: ComponentKey>(step: Step<K>) -> (Ceremony<K>, EntryError) {
    match step {
        Step::Refused(ceremony, error) => (ceremony, error),
        other => panic!("{other:?}"),
    }
}

fn complete<K: ComponentKey>(step: Step<K>) -> CompleteCeremony<K> {
    match step {
        Step::Complete(ceremony) => ceremony,
        other => panic!("{other:?}"),
    }
}

/// A ceremony of two, of which `first` is in.
fn begun(first: &str) -> Ceremony {
    let plan = Plan { parts: Parts::TWO, parity: Parity::Keep, expected: None, ..plan() };
    taken(Ceremony::plan(plan).unwrap().enter(name("Ada"), tdea(first), None))
}

/// The end of a ceremony in which everybody enters the right component without a check value.
fn ended(plan: Plan<TdeaKey>, components: &[&str]) -> Outcome {
    let mut ceremony = Ceremony::plan(plan).unwrap();
    for (number, hex) in components.iter().enumerate() {
        match ceremony.enter(name(&format!("custodian {number}")), tdea(hex), None) {
            Step::Taken(next) => ceremony = next,
            Step::Complete(complete) => return complete.confirm(),
            Step::Refused(_, error) => panic!("{error}"),
        }
    }
    panic!("{} components are too few", components.len())
}

#[test]
fn three_custodians_make_the_key() {
    let ceremony = Ceremony::plan(plan()).unwrap();
    assert_eq!(ceremony.record().missing(), 3);
    let ceremony = taken(ceremony.enter(name("Ada"), tdea(COMPONENTS[0]), Some(tdea(COMPONENTS[0]).kcv())));
    assert_eq!(ceremony.record().missing(), 2);
    let ceremony = taken(ceremony.enter(name("Bao"), tdea(COMPONENTS[1]), Some(tdea(COMPONENTS[1]).kcv())));
    assert_eq!(ceremony.record().missing(), 1);
    assert_eq!(ceremony.record().verdict, Verdict::Open);
    let ceremony = complete(ceremony.enter(name("Chu"), tdea(COMPONENTS[2]), None));
    assert_eq!(ceremony.kcv(), kcv("DD9EBD"));
    assert_eq!((ceremony.record().missing(), ceremony.record().verdict), (0, Verdict::Open));

    let Outcome { key, record } = ceremony.confirm();
    let key = key.unwrap();
    assert_eq!(key.expose_bytes(), decode_vec(KEY).unwrap());

    assert_eq!(record.label.as_str(), "province root, version 1");
    assert_eq!((record.key_len, record.parts, record.parity), (16, Parts::THREE, Some(Parity::RequireOdd)));
    assert_eq!((record.method, record.kcv_len), (KcvMethod::TdeaZeros, 3));
    assert_eq!(record.expected, Some(kcv("DD9EBD")));
    assert_eq!(record.verdict, Verdict::Made { kcv: key.kcv() });
    assert_eq!((record.refused(), record.refusals().count(), record.missing()), (0, 0, 0));
    let entries: Vec<_> =
        record.entries().map(|entry| (entry.custodian, entry.kcv, entry.expected)).collect();
    let [first, second, third] = COMPONENTS.map(|hex| tdea(hex).kcv());
    assert_eq!(
        entries,
        [(name("Ada"), first, Some(first)), (name("Bao"), second, Some(second)), (name("Chu"), third, None)]
    );
}

#[test]
fn the_ceremony_makes_the_key_that_combine_makes_in_any_order() {
    let key = combine(&COMPONENTS.map(tdea).each_ref(), Parity::Keep).unwrap();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let outcome = ended(plan(), &order.map(|number| COMPONENTS[number]));
        assert!(outcome.key.unwrap().ct_eq(&key));
    }
}

#[test]
fn an_aes_key_has_its_own_ceremony() {
    let [first, second]: [AesComponent; 2] =
        ["D820230165322BB7C30187C8EAA25760", "6AAEF8659661F6A9A0AFCF66A9DD29D4"].map(component);
    let plan = Plan::<AesKey> {
        label: KeyLabel::new("AES BDK").unwrap(),
        length: AesKeyLength::Aes128,
        parts: Parts::TWO,
        parity: NoParity,
        method: KcvMethod::AesCmac,
        kcv_len: 5,
        expected: Some(Kcv::new(KcvMethod::AesCmac, &[0xE5, 0x7E, 0x6E, 0xB5, 0xCE]).unwrap()),
    };
    let expected = second.kcv_by(KcvMethod::AesCmac, 5).unwrap();
    let ceremony = taken(Ceremony::plan(plan).unwrap().enter(name("Ada"), first, None));
    let Outcome { key, record } = complete(ceremony.enter(name("Bao"), second, Some(expected))).confirm();
    assert_eq!(key.unwrap().expose_bytes(), decode_vec("B28EDB64F353DD1E63AE48AE437F7EB4").unwrap());
    assert_eq!((record.key_len, record.parity, record.method), (16, None, KcvMethod::AesCmac));
}

#[test]
fn a_plan_with_impossible_check_values_is_refused() {
    let error = |plan| Ceremony::plan(plan).map(|_| ()).unwrap_err();
    assert_eq!(error(Plan { method: KcvMethod::AesZeros, ..plan() }), PlanError::Kcv(KcvError::Cipher));
    for found in [0, 1, 9] {
        let expected = PlanError::Kcv(KcvError::Length { max: 8, found });
        assert_eq!(error(Plan { kcv_len: found, ..plan() }), expected);
    }
    assert_eq!(error(Plan { kcv_len: 4, ..plan() }), PlanError::ExpectedKcvForm);
    assert_eq!(error(Plan { method: KcvMethod::TdeaCmac, ..plan() }), PlanError::ExpectedKcvForm);
    assert!(Ceremony::plan(Plan { kcv_len: 8, expected: None, ..plan() }).is_ok());
}

/// The refusal of `component` as the second one, and that the ceremony goes on as if nothing had been.
fn refusal(custodian: &str, second: TdeaComponent, expected: Option<Kcv>) -> EntryError {
    let (ceremony, error) = refused(begun(COMPONENTS[0]).enter(name(custodian), second, expected));
    let record = ceremony.record();
    assert_eq!((record.missing(), record.refused(), record.verdict), (1, 1, Verdict::Open));
    let noted: Vec<_> = record.refusals().map(|noted| (noted.custodian, noted.number, noted.error)).collect();
    assert_eq!(noted, [(name(custodian), 2, error)]);

    let Outcome { key, record } = complete(ceremony.enter(name("Bao"), tdea(COMPONENTS[1]), None)).confirm();
    assert!(
        key.unwrap().ct_eq(&combine(&[&tdea(COMPONENTS[0]), &tdea(COMPONENTS[1])], Parity::Keep).unwrap())
    );
    assert_eq!((record.entries().count(), record.refused()), (2, 1));
    error
}

#[test]
fn the_same_custodian_twice_is_refused() {
    for same in ["Ada", "ada", "ADA"] {
        assert_eq!(refusal(same, tdea(COMPONENTS[1]), None), EntryError::CustodianRepeated { number: 1 });
    }
    let ceremony = Ceremony::plan(plan()).unwrap().enter(name("Ada"), tdea(COMPONENTS[0]), None);
    let ceremony = taken(ceremony).enter(name("Bao"), tdea(COMPONENTS[1]), None);
    let (_, error) = refused(taken(ceremony).enter(name("Bao"), tdea(COMPONENTS[2]), None));
    assert_eq!(error, EntryError::CustodianRepeated { number: 2 });
}

#[test]
fn a_custodian_whose_entry_was_refused_may_try_again() {
    let right = tdea(COMPONENTS[1]).kcv();
    let (ceremony, _) = refused(begun(COMPONENTS[0]).enter(name("Bao"), tdea(COMPONENTS[2]), Some(right)));
    assert!(complete(ceremony.enter(name("Bao"), tdea(COMPONENTS[1]), Some(right))).confirm().key.is_ok());
}

#[test]
fn a_component_of_another_length_is_refused() {
    let long = tdea("0DF4408C49FB6E3749DA70FE9D165B67AB51913B0145E08C");
    let fault = ComponentFault::Length { expected: 16, found: 24 };
    assert_eq!(refusal("Bao", long, None), EntryError::Component(fault));
    let first = Ceremony::plan(plan()).unwrap();
    let (_, error) =
        refused(first.enter(name("Ada"), tdea("0DF4408C49FB6E3749DA70FE9D165B67AB51913B0145E08C"), None));
    assert_eq!(error, EntryError::Component(fault));
}

#[test]
fn a_zero_component_is_refused() {
    for zero in ["00000000000000000000000000000000", "01010101010101010101010101010101"] {
        assert_eq!(refusal("Bao", tdea(zero), None), EntryError::Component(ComponentFault::Zero));
    }
}

#[test]
fn a_component_entered_before_is_refused_even_with_its_check_value() {
    let fault = EntryError::Component(ComponentFault::Equal { earlier: 1 });
    assert_eq!(refusal("Bao", tdea(COMPONENTS[0]), Some(tdea(COMPONENTS[0]).kcv())), fault);
    assert_eq!(refusal("Bao", tdea(COMPONENTS[0]), Some(tdea(COMPONENTS[1]).kcv())), fault);
    assert_eq!(refusal("Bao", tdea("112EE81C0B4CF2704F5437E5F4CB9E61"), None), fault, "but for parity bits");
}

#[test]
fn a_wrong_component_is_refused_and_its_check_value_shown() {
    let wrong = tdea(COMPONENTS[2]);
    let found = wrong.kcv();
    let error = refusal("Bao", wrong, Some(tdea(COMPONENTS[1]).kcv()));
    assert_eq!(error, EntryError::Kcv { found });
    assert_eq!(error.to_string(), format!("the component has check value {found}, not the expected one"));
}

#[test]
fn an_expected_check_value_of_another_form_is_refused() {
    let component = || tdea(COMPONENTS[1]);
    let longer = component().kcv_by(KcvMethod::TdeaZeros, 4).unwrap();
    let other = component().kcv_by(KcvMethod::TdeaCmac, 3).unwrap();
    assert_eq!(refusal("Bao", component(), Some(longer)), EntryError::KcvForm);
    assert_eq!(refusal("Bao", component(), Some(other)), EntryError::KcvForm);
}

#[test]
fn a_key_with_another_check_value_than_planned_is_refused() {
    let Outcome { key, record } = ended(Plan { expected: Some(kcv("DD9EBE")), ..plan() }, &COMPONENTS);
    let error = ConfirmError::Kcv { found: kcv("DD9EBD") };
    assert_eq!(key.unwrap_err(), error);
    assert_eq!(record.verdict, Verdict::Failed(error));
    assert_eq!(record.entries().count(), 3);
}

#[test]
fn a_key_that_must_not_be_used_is_refused_at_the_end() {
    let plan = |parts, parity| Plan { parts, parity, expected: None, ..plan() };
    let failed = |parts, parity, components: &[&str]| {
        let Outcome { key, record } = ended(plan(parts, parity), components);
        let error = key.unwrap_err();
        assert_eq!(record.verdict, Verdict::Failed(error));
        error
    };
    let complement = "EFD016E3F4B30D8FB0ABC81A0B34619E";
    assert_eq!(
        failed(Parts::TWO, Parity::Keep, &[COMPONENTS[0], complement]),
        ConfirmError::Key(KeyFault::Weak(StrengthError::PartsEqual { first: 1, second: 2 }))
    );
    assert_eq!(
        failed(Parts::TWO, Parity::RequireOdd, &COMPONENTS[..2]),
        ConfirmError::Key(KeyFault::Parity(KeyError::Parity { position: 0 }))
    );
    let sum = "E46F6555F022C5399524C978E290F9CA"; // COMPONENTS[0] ^ COMPONENTS[1]
    assert_eq!(
        failed(Parts::THREE, Parity::Keep, &[COMPONENTS[0], COMPONENTS[1], sum]),
        ConfirmError::Key(KeyFault::Zero)
    );
    assert_eq!(
        failed(
            Parts::try_from(4).unwrap(),
            Parity::Keep,
            &[COMPONENTS[0], COMPONENTS[1], COMPONENTS[2], sum]
        ),
        ConfirmError::Key(KeyFault::EqualsComponent { number: 3 })
    );
}

#[test]
fn parity_is_adjusted_if_planned() {
    let plan = Plan { parts: Parts::TWO, parity: Parity::AdjustToOdd, expected: None, ..plan() };
    let key = ended(plan, &COMPONENTS[..2]).key.unwrap();
    assert!(key.check_parity().is_ok());
}

#[test]
fn an_aborted_ceremony_leaves_its_record() {
    let (ceremony, _) = refused(begun(COMPONENTS[0]).enter(name("Ada"), tdea(COMPONENTS[1]), None));
    let record = ceremony.abort();
    assert_eq!((record.verdict, record.entries().count(), record.refused()), (Verdict::Aborted, 1, 1));
    let record = complete(begun(COMPONENTS[0]).enter(name("Bao"), tdea(COMPONENTS[1]), None)).abort();
    assert_eq!((record.verdict, record.entries().count()), (Verdict::Aborted, 2));
}

#[test]
fn more_refusals_than_the_record_keeps_are_counted() {
    let mut ceremony = begun(COMPONENTS[0]);
    for number in 0..21 {
        let custodian = name(&format!("custodian {number}"));
        (ceremony, _) = refused(ceremony.enter(custodian, tdea(COMPONENTS[0]), None));
    }
    let record = ceremony.abort();
    assert_eq!(record.refused(), 21);
    let last = record.refusals().last().unwrap();
    assert_eq!(
        (record.refusals().count(), last.custodian),
        (CeremonyRecord::REFUSALS_KEPT, name("custodian 15"))
    );
}

#[test]
fn nine_custodians_are_not_too_many() {
    let components: Vec<String> =
        (1..=9u8).map(|n| format!("{n:02X}").repeat(7) + &format!("{:02X}", n * 16).repeat(9)).collect();
    let components: Vec<&str> = components.iter().map(String::as_str).collect();
    let plan = Plan { parts: Parts::try_from(9).unwrap(), parity: Parity::Keep, expected: None, ..plan() };
    let Outcome { record, .. } = ended(plan, &components);
    assert_eq!(record.entries().count(), 9);
}
