//! Every message that is not accepted, with the answer to it. None of them changes the state.

use cardroot_keyblock::csm::{DataKeyForm, Event, Refusal};
use cardroot_keyblock::smid::csm::{Class, Count, Csm, Finding, Tag};

use crate::second_road::{Ksm, sealed, sound};
use crate::{FORMS, Seeded, pair, two};

const FORM: DataKeyForm = DataKeyForm::SingleDes;
const HEAD: &str = "RCV/BANKB ORG/BANKA";

fn ksm(keys: Vec<(&str, Vec<u8>)>) -> Ksm<'_> {
    Ksm { form: FORM, head: HEAD, count: 1, pair: None, keys, more: "" }
}

/// A KSM that is right but for the names of its one key.
fn named(names: &str) -> String {
    ksm(vec![(names, sound(FORM, 1))]).text()
}

/// What B, who has the keys `A` and `B`, and `K2` if asked for, says to a text; its state must stay.
fn refused(text: &str) -> (Refusal, Option<String>) {
    let (mut a, mut b) = pair(FORM);
    let first = a.send_keys(&two("MAC1", "ENC1"), &mut Seeded(1)).unwrap();
    b.receive(first.as_bytes()).unwrap();
    let before = format!("{:?}", b.state());
    let outcome = b.receive(text.as_bytes()).unwrap();
    assert_eq!(format!("{:?}", b.state()), before, "{text}");
    let Event::Refused(refusal) = outcome.event else { panic!("{text}: {outcome:?}") };
    (refusal, outcome.reply)
}

fn esm(tail: &str) -> Option<String> {
    Some(format!("CSM(MCL/ESM RCV/BANKA ORG/BANKB {tail} )"))
}

#[track_caller]
fn expect(text: &str, refusal: Refusal, reply: Option<String>) {
    assert_eq!(refused(text), (refusal, reply), "{text}");
}

/// The same with the count 2, which is the one expected.
fn second(keys: Vec<(&str, Vec<u8>)>) -> Ksm<'_> {
    Ksm { count: 2, ..ksm(keys) }
}

const EXPECTED: &str = "ERF/C CTP/00000000000002";

#[test]
fn texts_that_cannot_be_read_are_answered_if_their_sender_is_known_and_waits() {
    for (class, tail) in [("RSI", "ERF/F"), ("KSM", "ERF/F CTP/"), ("DSM", "ERF/F")] {
        let text = format!("CSM(MCL/{class} {HEAD} KD/XX )");
        let (refusal, reply) = refused(&text);
        assert!(matches!(refusal, Refusal::Format(_)));
        assert_eq!(reply, esm(tail));
    }
    for silent in [
        "",
        "CSM(",
        "CSM(MCL/ESM RCV/BANKB ORG/BANKA KD/XX )",
        "CSM(MCL/RSM RCV/BANKB ORG/BANKA KD/XX )",
        "CSM(MCL/KSM RCV/BANKC ORG/BANKA KD/XX )",
    ] {
        let (refusal, reply) = refused(silent);
        assert!(matches!(refusal, Refusal::Format(_)), "{silent}");
        assert_eq!(reply, None);
    }
}

#[test]
fn messages_for_or_of_somebody_else_are_not_processed() {
    for head in
        ["RCV/BANKC ORG/BANKA", "RCV/BANKB ORG/BANKC", "RCV/BANKA ORG/BANKB", "RCV/BANKB", "ORG/BANKA"]
    {
        expect(
            &Ksm { head, count: 2, ..ksm(vec![(".X.M1", sound(FORM, 1))]) }.text(),
            Refusal::Misrouted,
            None,
        );
    }
}

#[test]
fn messages_that_break_a_rule_are_answered_unless_they_are_errors() {
    let rule = |finding| Refusal::Rule(finding);
    expect(&format!("CSM(MCL/RSI {HEAD} )"), rule(Finding::Missing(Tag::Svr)), esm("ERF/F"));
    expect(&format!("CSM(MCL/KSM {HEAD} )"), rule(Finding::Missing(Tag::Mac)), esm("ERF/F CTP/"));
    expect(&format!("CSM(MCL/DSM {HEAD} IDD/ )"), rule(Finding::Missing(Tag::Mac)), esm("ERF/F"));
    expect(&format!("CSM(MCL/ESM {HEAD} )"), rule(Finding::Missing(Tag::Erf)), None);
    expect(&format!("CSM(MCL/RSM {HEAD} )"), rule(Finding::Missing(Tag::Mac)), None);
    expect(&format!("CSM(MCL/RFS {HEAD} )"), rule(Finding::Missing(Tag::Cta)), esm("ERF/F"));
}

#[test]
fn messages_of_centres_are_not_implemented() {
    let key = "0011223344556677";
    let tail = [
        ("RFS", format!("IDU/BANKC KD/{key} CTA/00000000000001 MAC/00000000 "), Class::Rfs),
        ("RTR", format!("IDU/BANKC KDU/{key} CTA/00000000000001 MAC/00000000 "), Class::Rtr),
        ("ERS", "IDU/BANKC ERF/C MAC/00000000 ".to_owned(), Class::Ers),
    ];
    for (name, fields, class) in tail {
        expect(&format!("CSM(MCL/{name} {HEAD} {fields})"), Refusal::CentreClass(class), esm("ERF/O"));
    }
}

#[test]
fn options_that_are_not_implemented_are_named_so() {
    for more in [
        "EDK/261122 ",
        "IDC/CENTRE ",
        "NOS/ ",
        "KK/0011223344556677 ",
        "CTA/00000000000001 ",
        "KDU/0011223344556677 ",
    ] {
        expect(
            &Ksm { more, ..second(vec![(".X.M1", sound(FORM, 1))]) }.text(),
            Refusal::Option,
            esm("ERF/O CTP/"),
        );
    }
    expect(&format!("CSM(MCL/RSI {HEAD} SVR/ IDU/BANKC )"), Refusal::Option, esm("ERF/O"));
}

#[test]
fn requests_for_what_cannot_be_sent_are_refused() {
    expect(&format!("CSM(MCL/RSI {HEAD} SVR/KK )"), Refusal::Request, esm("ERF/C"));
    // Without a pair by hand, no pair can be sent.
    let mut b = crate::party(crate::agreement("BANKB", "BANKA", FORM));
    let mut state = b.state().duplicate();
    state.keks.clear();
    b = cardroot_keyblock::csm::Party::new(crate::agreement("BANKB", "BANKA", FORM), state, b.into_store())
        .unwrap();
    let outcome = b.receive(format!("CSM(MCL/RSI {HEAD} SVR/*KK )").as_bytes()).unwrap();
    assert_eq!((outcome.event, outcome.reply), (Event::Refused(Refusal::Request), esm("ERF/C")));
}

#[test]
fn key_encrypting_keys_that_are_not_known_or_not_one_are_answered_with_an_empty_count() {
    expect(&named(".X.M9"), Refusal::UnknownKek, esm("ERF/C CTP/"));
    let two = vec![(".X.M1", sound(FORM, 1)), (".Y.M9", sound(FORM, 2))];
    expect(&second(two).text(), Refusal::UnknownKek, esm("ERF/C CTP/"));
    // Data keys beside a pair are under that pair and no other.
    let pair_key = crate::MASTER.map(|byte| byte ^ 0x06);
    let beside = Ksm { pair: Some((".K2.M1", pair_key)), ..second(vec![(".X.M1", sound(FORM, 1))]) };
    expect(&beside.text(), Refusal::UnknownKek, esm("ERF/C CTP/"));
}

#[test]
fn names_against_the_agreement_are_refused() {
    let key = |number| sound(FORM, number);
    let pair_key = crate::MASTER.map(|byte| byte ^ 0x06);
    for message in [
        second(vec![("..M1", key(1))]),
        second(vec![(".X", key(1))]),
        second(vec![(".X.M1", key(1)), (".X.M1", key(2))]),
        Ksm { pair: Some(("..M1", pair_key)), ..second(vec![(".X", key(1))]) },
        Ksm { pair: Some((".M1.M1", pair_key)), ..second(vec![(".X", key(1))]) },
    ] {
        expect(&message.text(), Refusal::Naming, esm(EXPECTED));
    }
}

#[test]
fn a_count_below_the_one_expected_is_answered_with_both() {
    let count = |value| Count::new(value).unwrap();
    let refusal = Refusal::CountTooLow { expected: count(2), received: count(1) };
    expect(&named(".X.M1"), refusal, esm("ERF/C CTP/00000000000002 CTR/00000000000001"));
}

#[test]
fn wrong_codes_keys_and_lengths_are_refused() {
    let right = second(vec![(".X.M1", sound(FORM, 1))]).text();
    // Every character that the MAC covers, and the MAC itself.
    let mut altered = 0;
    for position in right.find("CTP").unwrap() + 4..right.len() - 2 {
        let mut text = right.clone().into_bytes();
        text[position] = if text[position] == b'0' { b'1' } else { b'0' };
        let text = String::from_utf8(text).unwrap();
        if Csm::decode(text.as_bytes()).is_ok() && text != right {
            assert!(
                matches!(refused(&text).0, Refusal::NotAuthentic | Refusal::CountTooLow { .. }),
                "{text}"
            );
            altered += 1;
        }
    }
    assert!(altered > 20);
    let longer = sound(DataKeyForm::DoubleCbcMac, 1);
    expect(&second(vec![(".X.M1", longer)]).text(), Refusal::KeyLength, esm(EXPECTED));
    let even = sound(FORM, 1).iter().map(|byte| byte ^ 1).collect();
    for unsound in [even, vec![0x01; 8], vec![0xFE; 8]] {
        expect(&second(vec![(".X.M1", unsound)]).text(), Refusal::UnsoundKey, esm(EXPECTED));
    }
    // One key with two purposes.
    let twice = vec![(".X.M1", sound(FORM, 1)), (".Y.M1", sound(FORM, 1))];
    expect(&second(twice).text(), Refusal::UnsoundKey, esm(EXPECTED));
    // A pair that is no pair, and one of even parity.
    for bad in [[0x25; 16], crate::MASTER.map(|byte| byte ^ 1)] {
        let message = Ksm { pair: Some((".K2.M1", bad)), ..second(vec![(".X", sound(FORM, 1))]) };
        expect(&message.text(), Refusal::UnsoundKey, esm(EXPECTED));
    }
}

#[test]
fn answers_to_nothing_are_not_answered() {
    let rsm = sealed(FORM, &sound(FORM, 1), "MCL/RSM RCV/BANKB ORG/BANKA ");
    expect(&rsm, Refusal::Unexpected, None);
    let rsm = sealed(FORM, &sound(FORM, 1), "MCL/RSM RCV/BANKB ORG/BANKA IDD/ ");
    expect(&rsm, Refusal::Unexpected, None);
}

#[test]
fn discontinuations_of_unknown_keys_or_by_unknown_keys_are_refused() {
    let (mut a, mut b) = pair(FORM);
    let first = a.send_keys(&two("MAC1", "ENC1"), &mut Seeded(1)).unwrap();
    b.receive(first.as_bytes()).unwrap();
    let key = b.state().data_keys[0].key.expose_bytes().to_vec();
    let fields = |tail: &str| format!("MCL/DSM {HEAD} {tail} ");
    let mut refusal = |text: String| {
        let outcome = b.receive(text.as_bytes()).unwrap();
        let Event::Refused(refusal) = outcome.event else { panic!("{outcome:?}") };
        (refusal, outcome.reply)
    };
    let unknown = sealed(FORM, &key, &fields("IDD/X IDA/MAC1"));
    assert_eq!(refusal(unknown), (Refusal::UnknownKey, esm("ERF/I")));
    let by_unknown = sealed(FORM, &key, &fields("IDD/MAC1 IDA/X"));
    assert_eq!(refusal(by_unknown), (Refusal::NotAuthentic, esm("ERF/C")));
    let unnamed = sealed(FORM, &key, &fields("IDD/MAC1"));
    assert_eq!(refusal(unnamed), (Refusal::Naming, esm("ERF/C")));
    let wrong = sealed(FORM, &sound(FORM, 9), &fields("IDD/MAC1 IDA/MAC1"));
    assert_eq!(refusal(wrong), (Refusal::NotAuthentic, esm("ERF/C")));
    assert_eq!(b.state().data_keys.len(), 2);
}

#[test]
fn an_error_in_the_answer_to_a_discontinuation_is_never_answered() {
    for form in FORMS {
        let (mut a, mut b) = pair(form);
        let ksm = a.send_keys(&two("A", "B"), &mut Seeded(1)).unwrap();
        let rsm = b.receive(ksm.as_bytes()).unwrap().reply.unwrap();
        a.receive(rsm.as_bytes()).unwrap();
        let key = a.state().data_keys[0].key.expose_bytes().to_vec();
        a.discontinue(&[crate::id("A"), crate::id("B")], crate::id("A")).unwrap();
        let answer =
            |tail: &str, key: &[u8]| sealed(form, key, &format!("MCL/RSM RCV/BANKA ORG/BANKB {tail} "));
        for (text, refusal) in [
            (answer("IDD/A IDD/B", &sound(form, 7)), Refusal::NotAuthentic),
            (answer("IDD/B IDD/A", &key), Refusal::Mismatch),
            (answer("IDD/A", &key), Refusal::Mismatch),
        ] {
            let outcome = a.receive(text.as_bytes()).unwrap();
            assert_eq!((outcome.event, outcome.reply), (Event::Refused(refusal), None), "{text}");
        }
        let outcome = a.receive(answer("IDD/A IDD/B", &key).as_bytes()).unwrap();
        assert_eq!(outcome.event, Event::DiscontinuationAcknowledged);
    }
}
