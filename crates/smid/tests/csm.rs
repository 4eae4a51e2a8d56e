//! Cryptographic service messages: every field, every refusal, every rule, and that accepted text comes back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::std_instead_of_alloc,
    reason = "a panic here is the test's report"
)]

use cardroot_smid::csm::{
    Class, Code, Count, Cryptogram, Csm, DecodeError, Draft, EncodeError, ErrorCodes, Field, Finding,
    KeyField, KeyId, NameError, Part, PartyId, Reason, Service, ServiceRequest, Strictness, Tag, check, peek,
};
use proptest::prelude::*;

/// Texts that programs in the field send. The first is the sample of the jPOS test of CSMs; the others stand in public sources of
/// programs that speak to a network in South America and one in Indonesia.
const FIELD_SAMPLES: [&str; 4] = [
    "CSM(MCL/KSM RCV/0001             ORG/0002             KD/0123456789ABCDEFFEDCBA9876543210 CTP/0000000000789A )          ",
    "CSM(MCL/KSM RCV/00000000147 ORG/90000000212 KD/67C6FB7784608CDE51BE84A454B7CA05 CTP/00000000000081 )",
    "CSM(MCL/RSM RCV/RATH ORG/RBOG )",
    "CSM(MCL/ESM RCV/RATH ORG/RBOG ERF/C )",
];

/// One message of each class that breaks no rule, with every field that the class has.
const COMPLETE: [&str; 11] = [
    "CSM(MCL/RSI RCV/BANKA ORG/BANKB SVR/*KK.KD.IV EDC/0123ABCD )",
    "CSM(MCL/RSI RCV/CENTRE ORG/BANKA SVR/ IDU/BANKB IDC/CENTRE NOS/ TID/42 )",
    "CSM(MCL/KSM RCV/BANKB ORG/BANKA *KK/00112233445566778899AABBCCDDEEFF.K2.M1 KD/0011223344556677.A.K2 KD/8899AABBCCDDEEFF.B.K2 IV/0123456789ABCDEF EDK/261122031500 CTP/00000000000001 MAC/0123ABCD )",
    "CSM(MCL/KSM RCV/BANKB ORG/BANKA KK/0011223344556677 KDU/001122334455667700112233445566770011223344556677..M1 CTB/00000000000001 IDC/CENTRE MAC/0123456789ABCDEF )",
    "CSM(MCL/RSM RCV/BANKA ORG/BANKB MAC/0123ABCD )",
    "CSM(MCL/RSM RCV/BANKA ORG/BANKB IDD/A IDD/ IDD/B MAC/0123ABCD )",
    "CSM(MCL/ESM RCV/BANKA ORG/BANKB ERF/C.O CTP/0000000000002A CTR/00000000000001 EDC/0123ABCD )",
    "CSM(MCL/DSM RCV/BANKB ORG/BANKA IDD/K2 IDA/A MAC/0123ABCD )",
    "CSM(MCL/RFS RCV/CENTRE ORG/BANKA IDU/BANKB *KK/00112233445566778899AABBCCDDEEFF KD/0011223344556677 CTA/00000000000001 MAC/0123ABCD )",
    "CSM(MCL/RTR RCV/BANKA ORG/CENTRE IDU/BANKB KD/0011223344556677 *KKU/00112233445566778899AABBCCDDEEFF CTA/00000000000001 CTB/00000000000001 MAC/0123ABCD )",
    "CSM(MCL/ERS RCV/CENTRE ORG/BANKA IDU/BANKB ERF/F CTB/00000000000001 CTR/00000000000002 MAC/0123ABCD )",
];

fn error(text: &str) -> DecodeError {
    Csm::decode(text.as_bytes()).unwrap_err()
}

#[test]
fn samples_from_the_field_are_read_leniently_and_written_strictly() {
    for sample in FIELD_SAMPLES {
        let csm = Csm::decode_lenient(sample.as_bytes()).unwrap();
        let strict = csm.rewrite();
        let again = Csm::decode(strict.as_bytes()).unwrap();
        assert_eq!(again.rewrite(), strict);
        assert_eq!(again.class(), csm.class());
    }
    let [padded, strict, ..] = FIELD_SAMPLES;
    assert_eq!(error(padded).part, Part::End);
    let csm = Csm::decode_lenient(padded.as_bytes()).unwrap();
    assert_eq!(csm.count_p(), Some(Count::new(0x789A).unwrap()));
    assert_eq!((csm.receiver().unwrap().as_str(), csm.originator().unwrap().as_str()), ("0001", "0002"));
    // What such messages lack.
    assert_eq!(check(&csm), [Finding::Missing(Tag::Mac)]);
    assert_eq!(Csm::decode(strict.as_bytes()).unwrap().rewrite(), strict);
    println!("{} samples", FIELD_SAMPLES.len());
}

#[test]
fn complete_messages_of_all_classes_come_back_and_break_no_rule() {
    let mut classes = std::collections::BTreeSet::new();
    for text in COMPLETE {
        let csm = Csm::decode(text.as_bytes()).unwrap();
        assert_eq!((csm.rewrite(), csm.text()), (text.to_owned(), text));
        assert_eq!(check(&csm), [], "{text}");
        classes.insert(csm.class());
    }
    assert_eq!(classes.len(), Class::ALL.len());
    println!("{} messages", COMPLETE.len());
}

#[test]
fn every_field_is_typed() {
    let csm = Csm::decode(COMPLETE[2].as_bytes()).unwrap();
    let fields: Vec<_> = csm.fields().collect();
    let Field::KkPair(pair) = fields[3] else { panic!("{fields:?}") };
    assert_eq!((pair.name.unwrap().as_str(), pair.under.unwrap().as_str()), ("K2", "M1"));
    assert_eq!(pair.key.to_array::<16>().unwrap()[..3], [0x00, 0x11, 0x22]);
    assert_eq!(pair.key.to_array::<8>(), None);
    let tags: Vec<_> = fields.iter().map(Field::tag).collect();
    let expected =
        [Tag::Mcl, Tag::Rcv, Tag::Org, Tag::KkPair, Tag::Kd, Tag::Kd, Tag::Iv, Tag::Edk, Tag::Ctp, Tag::Mac];
    assert_eq!(tags, expected);

    let csm = Csm::decode(COMPLETE[0].as_bytes()).unwrap();
    let Some(Field::Svr(request)) = csm.fields().nth(3) else { panic!() };
    let asked: Vec<_> = request.services().collect();
    assert_eq!(asked, [Service::KkPair, Service::SecondKd, Service::Iv]);
    let csm = Csm::decode(COMPLETE[6].as_bytes()).unwrap();
    let Some(Field::Erf(codes)) = csm.fields().nth(3) else { panic!() };
    assert!(codes.contain(ErrorCodes::CANNOT_PROCESS) && codes.contain(ErrorCodes::NOT_IMPLEMENTED));
    assert!(!codes.contain(ErrorCodes::FORMAT));
}

#[test]
fn a_code_covers_from_the_class_to_the_blank_before_its_tag_in_the_text_received() {
    let csm = Csm::decode(COMPLETE[4].as_bytes()).unwrap();
    let (covered, mac) = csm.mac().unwrap();
    assert_eq!(
        (covered, mac.as_bytes()),
        (&b"MCL/RSM RCV/BANKA ORG/BANKB "[..], &[0x01, 0x23, 0xAB, 0xCD][..])
    );
    assert_eq!(&COMPLETE[4].as_bytes()[csm.coverage().unwrap()], covered);
    assert!(csm.edc().is_none());
    let csm = Csm::decode(COMPLETE[0].as_bytes()).unwrap();
    assert!(csm.edc().is_some() && csm.mac().is_none());
    assert_eq!(Csm::decode(b"CSM(MCL/RSM )").unwrap().coverage(), None);

    // Read leniently, the bytes are still those received, not those that would be written.
    let lenient = b"\r\n CSM(MCL/RSM  RCV/BANKA \r\nORG/BANKB  MAC/0123 abcd)";
    let csm = Csm::decode_lenient(lenient).unwrap();
    let (covered, mac) = csm.mac().unwrap();
    assert_eq!((covered, mac.to_string()), (&b"MCL/RSM  RCV/BANKA \r\nORG/BANKB  "[..], "0123ABCD".into()));
    assert_eq!(csm.rewrite(), COMPLETE[4]);
}

#[test]
fn slashes_and_parentheses_belong_to_names() {
    let text = "CSM(MCL/RSM RCV/A/(B) ORG/))))/ MAC/0123ABCD )";
    let csm = Csm::decode(text.as_bytes()).unwrap();
    assert_eq!((csm.receiver().unwrap().as_str(), csm.originator().unwrap().as_str()), ("A/(B)", "))))/"));
    // Without the blank before it the last parenthesis is part of the name, unless the reader is lenient.
    assert_eq!(error("CSM(MCL/RSM ORG/BANK))").reason, Reason::Close);
    let lenient = Csm::decode_lenient(b"CSM(MCL/RSM ORG/BANK))").unwrap();
    assert_eq!(lenient.originator().unwrap().as_str(), "BANK)");
}

/// The smallest text for each reason, with the place that the error names.
const REFUSED: &[(&str, Part, usize, Reason)] = &[
    ("", Part::Header, 0, Reason::Header),
    ("CSM", Part::Header, 0, Reason::Header),
    ("csm(MCL/RSM )", Part::Header, 0, Reason::Header),
    ("CSM(", Part::End, 4, Reason::Close),
    ("CSM()", Part::End, 4, Reason::Close),
    ("CSM( )", Part::UnknownField, 4, Reason::Blank),
    ("CSM(MCL/RSM)", Part::End, 11, Reason::Close),
    ("CSM(MCL/RSM ", Part::End, 12, Reason::Close),
    ("CSM(MCL/RSM ) ", Part::End, 14, Reason::Close),
    ("CSM(MCL/RSM\u{7f})", Part::UnknownField, 11, Reason::Character),
    ("C\tM(", Part::Header, 1, Reason::Character),
    ("CSM(MCL/RSM \r\nTID/ )", Part::UnknownField, 12, Reason::Character),
    ("CSM(MCL/é )", Part::UnknownField, 8, Reason::Character),
    ("CSM(TID/ )", Part::Field(Tag::Tid), 4, Reason::NoClass),
    ("CSM(MCL/RSM MCL/RSM )", Part::Field(Tag::Mcl), 12, Reason::SecondClass),
    ("CSM(MCL/XXX )", Part::Field(Tag::Mcl), 8, Reason::UnknownClass),
    ("CSM(MCL/rsm )", Part::Field(Tag::Mcl), 8, Reason::UnknownClass),
    ("CSM(MCL )", Part::UnknownField, 7, Reason::NoSlash),
    ("CSM(MCL/RSM XYZ/ )", Part::UnknownField, 12, Reason::UnknownTag),
    ("CSM(MCL/RSM  TID/ )", Part::UnknownField, 12, Reason::Blank),
    ("CSM(MCL/RSM MAC/00000000 TID/ )", Part::Field(Tag::Tid), 25, Reason::AfterCode),
    ("CSM(MCL/RSM EDC/00000000 MAC/00000000 )", Part::Field(Tag::Mac), 25, Reason::AfterCode),
    ("CSM(MCL/RSM EDK/ )", Part::Field(Tag::Edk), 16, Reason::Empty),
    ("CSM(MCL/RSM ERF/ )", Part::Field(Tag::Erf), 16, Reason::Empty),
    (
        "CSM(MCL/RSM RCV/ABC )",
        Part::Field(Tag::Rcv),
        16,
        Reason::Name(NameError::Length { min: 4, max: 16, found: 3 }),
    ),
    (
        "CSM(MCL/RSM ORG/ABCDEFGHIJKLMNOPQ )",
        Part::Field(Tag::Org),
        16,
        Reason::Name(NameError::Length { min: 4, max: 16, found: 17 }),
    ),
    ("CSM(MCL/RSM IDU/AB.C )", Part::Field(Tag::Idu), 18, Reason::Name(NameError::Character { position: 2 })),
    ("CSM(MCL/RSM IDC/*ABC )", Part::Field(Tag::Idc), 16, Reason::Name(NameError::Character { position: 0 })),
    ("CSM(MCL/RSM IDD/A.B )", Part::Field(Tag::Idd), 17, Reason::Name(NameError::Character { position: 1 })),
    (
        "CSM(MCL/RSM IDA/ABCDEFGHIJKLMNOPQ )",
        Part::Field(Tag::Ida),
        16,
        Reason::Name(NameError::Length { min: 1, max: 16, found: 17 }),
    ),
    (
        "CSM(MCL/RSM KD/0011223344556677.A.* )",
        Part::Field(Tag::Kd),
        34,
        Reason::Name(NameError::Character { position: 0 }),
    ),
    ("CSM(MCL/RSM KD/ )", Part::Field(Tag::Kd), 15, Reason::HexLength { found: 0 }),
    ("CSM(MCL/RSM KD/00112233445566 )", Part::Field(Tag::Kd), 15, Reason::HexLength { found: 14 }),
    ("CSM(MCL/RSM KDU/001122334455667 )", Part::Field(Tag::Kdu), 16, Reason::HexLength { found: 15 }),
    (
        "CSM(MCL/RSM KK/00112233445566770011223344556677 )",
        Part::Field(Tag::Kk),
        15,
        Reason::HexLength { found: 32 },
    ),
    ("CSM(MCL/RSM *KK/0011223344556677 )", Part::Field(Tag::KkPair), 16, Reason::HexLength { found: 16 }),
    ("CSM(MCL/RSM KKU/00 )", Part::Field(Tag::Kku), 16, Reason::HexLength { found: 2 }),
    ("CSM(MCL/RSM *KKU/00 )", Part::Field(Tag::KkuPair), 17, Reason::HexLength { found: 2 }),
    ("CSM(MCL/RSM IV/00 )", Part::Field(Tag::Iv), 15, Reason::HexLength { found: 2 }),
    ("CSM(MCL/RSM KD/001122334455667a )", Part::Field(Tag::Kd), 30, Reason::HexDigit),
    ("CSM(MCL/RSM KD/0011223344556677. )", Part::Field(Tag::Kd), 32, Reason::EmptySubfield),
    ("CSM(MCL/RSM KD/0011223344556677.. )", Part::Field(Tag::Kd), 33, Reason::EmptySubfield),
    ("CSM(MCL/RSM KD/0011223344556677.A.B.C )", Part::Field(Tag::Kd), 36, Reason::TooManySubfields),
    ("CSM(MCL/RSM CTP/1 )", Part::Field(Tag::Ctp), 16, Reason::HexLength { found: 1 }),
    ("CSM(MCL/RSM CTA/0000000000000g )", Part::Field(Tag::Cta), 29, Reason::HexDigit),
    ("CSM(MCL/RSM CTB/000000000000001 )", Part::Field(Tag::Ctb), 16, Reason::HexLength { found: 15 }),
    ("CSM(MCL/RSM CTR/000000000000a1 )", Part::Field(Tag::Ctr), 28, Reason::HexDigit),
    ("CSM(MCL/RSM MAC/ )", Part::Field(Tag::Mac), 16, Reason::HexLength { found: 0 }),
    ("CSM(MCL/RSM MAC/0123ABC )", Part::Field(Tag::Mac), 16, Reason::HexLength { found: 7 }),
    ("CSM(MCL/RSM MAC/0123456789ABCDEF00 )", Part::Field(Tag::Mac), 16, Reason::HexLength { found: 18 }),
    ("CSM(MCL/RSM EDC/0123abcd )", Part::Field(Tag::Edc), 20, Reason::HexDigit),
    ("CSM(MCL/RSM MAC/0123 ABCD )", Part::Field(Tag::Mac), 16, Reason::HexLength { found: 4 }),
    ("CSM(MCL/RSM SVR/XX )", Part::Field(Tag::Svr), 16, Reason::UnknownSubfield),
    ("CSM(MCL/RSM SVR/KD. )", Part::Field(Tag::Svr), 19, Reason::UnknownSubfield),
    ("CSM(MCL/RSM SVR/IV.KD )", Part::Field(Tag::Svr), 19, Reason::SubfieldOrder),
    ("CSM(MCL/RSM SVR/KD.KD )", Part::Field(Tag::Svr), 19, Reason::SubfieldOrder),
    ("CSM(MCL/RSM ERF/CC )", Part::Field(Tag::Erf), 16, Reason::UnknownSubfield),
    ("CSM(MCL/RSM ERF/c )", Part::Field(Tag::Erf), 16, Reason::UnknownSubfield),
    ("CSM(MCL/RSM ERF/O.C )", Part::Field(Tag::Erf), 18, Reason::SubfieldOrder),
];

#[test]
fn errors_name_field_offset_and_reason() {
    let mut tags = std::collections::BTreeSet::new();
    for (text, part, offset, reason) in REFUSED {
        let expected = DecodeError { part: *part, offset: *offset, reason: *reason };
        assert_eq!(error(text), expected, "{text}");
        assert!(error(text).to_string().contains(&format!("byte {offset}: ")));
        if let Part::Field(tag) = part {
            tags.insert(*tag);
        }
    }
    // `NOS` takes anything; all other tags have a text that is refused.
    assert_eq!(tags.len(), Tag::ALL.len() - 1);
    println!("{} texts", REFUSED.len());
    assert_eq!(REFUSED.len(), 59);
}

#[test]
fn lenient_reading_lets_only_the_listed_liberties_pass() {
    let liberties = [
        ("  CSM(MCL/RSM )\r\n", "CSM(MCL/RSM )"),
        ("CSM( MCL/RSM)", ""),
        ("CSM(MCL/RSM)", "CSM(MCL/RSM )"),
        ("CSM(MCL/RSM \r\nTID/ )", "CSM(MCL/RSM TID/ )"),
        ("CSM(MCL/RSM MAC/f1d3 0f68 )", "CSM(MCL/RSM MAC/F1D30F68 )"),
        ("CSM(MCL/RSM KD/001122334455667a.. )", "CSM(MCL/RSM KD/001122334455667A )"),
        ("CSM(MCL/RSM KD/001122334455667A.A.B. )", "CSM(MCL/RSM KD/001122334455667A.A.B )"),
        ("CSM(MCL/RSM KD/001122334455667A.A.B.C )", ""),
        ("CSM(MCL/RSM SVR/KD. ERF/C.. )", "CSM(MCL/RSM SVR/KD ERF/C )"),
        ("CSM(MCL/RSM ERF/. )", ""),
        ("CSM(MCL/RSM SVR/KD..IV )", ""),
        ("CSM(MCL/RSM SVR/IV.KD ERF/O.C )", "CSM(MCL/RSM SVR/KD.IV ERF/C.O )"),
        ("CSM(MCL/RSM SVR/KD.KD )", ""),
        ("CSM(MCL/RSM ERF/C.C )", ""),
        ("CSM(MCL/RSM MAC/0123ABCD TID/ )", ""),
        ("CSM(MCL/rsm )", ""),
        ("CSM(MCL/RSM CTP/789A )", ""),
        ("CSM(MCL/RSM RCV/ABC              )", ""),
    ];
    for (text, strict) in liberties {
        assert!(Csm::decode(text.as_bytes()).is_err(), "{text}");
        let read = Csm::decode_lenient(text.as_bytes()).map(|csm| csm.rewrite());
        assert_eq!(read.unwrap_or_default(), strict, "{text}");
    }
}

/// The smallest message for each rule.
const BROKEN: &[(&str, &[Finding])] = &[
    ("MCL/RSI RCV/BANKA ORG/BANKB ", &[Finding::Missing(Tag::Svr)]),
    ("MCL/RSI RCV/BANKA SVR/ ", &[Finding::Missing(Tag::Org)]),
    ("MCL/RSI ORG/BANKA SVR/ ", &[Finding::Missing(Tag::Rcv)]),
    ("MCL/RSI RCV/BANKA ORG/BANKB SVR/ MAC/00000000 ", &[Finding::Unexpected(Tag::Mac)]),
    ("MCL/RSI RCV/BANKA ORG/BANKB SVR/KK.*KK ", &[Finding::KkAndPair]),
    ("MCL/RSI RCV/BANKA ORG/BANKB SVR/ TID/ TID/ ", &[Finding::Repeated(Tag::Tid)]),
    ("MCL/KSM RCV/BANKA ORG/BANKB KD/0011223344556677 CTP/00000000000001 ", &[Finding::Missing(Tag::Mac)]),
    ("MCL/KSM RCV/BANKA ORG/BANKB CTP/00000000000001 MAC/00000000 ", &[Finding::NoKey]),
    ("MCL/KSM RCV/BANKA ORG/BANKB KD/0011223344556677 MAC/00000000 ", &[Finding::NoCount]),
    ("MCL/KSM RCV/BANKA ORG/BANKB KD/0011223344556677 CTP/ MAC/00000000 ", &[Finding::EmptyCount(Tag::Ctp)]),
    (
        "MCL/KSM RCV/BANKA ORG/BANKB KD/0011223344556677 KD/0011223344556677 KD/0011223344556677 CTP/00000000000001 MAC/00000000 ",
        &[Finding::Repeated(Tag::Kd)],
    ),
    (
        "MCL/KSM RCV/BANKA ORG/BANKB KK/0011223344556677 *KK/00112233445566770011223344556677 KD/0011223344556677 CTP/00000000000001 MAC/00000000 ",
        &[Finding::KkAndPair],
    ),
    (
        "MCL/KSM RCV/BANKA ORG/BANKB KD/0011223344556677 CTP/00000000000001 EDC/00000000 ",
        &[Finding::Unexpected(Tag::Edc), Finding::Missing(Tag::Mac)],
    ),
    ("MCL/RSM RCV/BANKA ORG/BANKB ", &[Finding::Missing(Tag::Mac)]),
    ("MCL/ESM RCV/BANKA ORG/BANKB ", &[Finding::Missing(Tag::Erf)]),
    ("MCL/ESM RCV/BANKA ORG/BANKB ERF/C CTR/00000000000001 ", &[Finding::ReceivedWithoutExpected]),
    ("MCL/ESM RCV/BANKA ORG/BANKB ERF/C MAC/00000000 ", &[Finding::Unexpected(Tag::Mac)]),
    ("MCL/DSM RCV/BANKA ORG/BANKB MAC/00000000 ", &[Finding::Missing(Tag::Idd)]),
    ("MCL/DSM RCV/BANKA ORG/BANKB IDD/ ", &[Finding::Missing(Tag::Mac)]),
    (
        "MCL/RFS RCV/BANKA ORG/BANKB KD/0011223344556677 CTA/00000000000001 MAC/00000000 ",
        &[Finding::Missing(Tag::Idu)],
    ),
    (
        "MCL/RFS RCV/BANKA ORG/BANKB IDU/BANKC KD/0011223344556677 MAC/00000000 ",
        &[Finding::Missing(Tag::Cta)],
    ),
    (
        "MCL/RFS RCV/BANKA ORG/BANKB IDU/BANKC KD/0011223344556677 CTA/ MAC/00000000 ",
        &[Finding::EmptyCount(Tag::Cta)],
    ),
    ("MCL/RFS RCV/BANKA ORG/BANKB IDU/BANKC CTA/00000000000001 MAC/00000000 ", &[Finding::NoKey]),
    (
        "MCL/RTR RCV/BANKA ORG/BANKB IDU/BANKC KD/0011223344556677 CTA/00000000000001 MAC/00000000 ",
        &[Finding::NoKey],
    ),
    ("MCL/RTR RCV/BANKA ORG/BANKB IDU/BANKC KDU/0011223344556677 MAC/00000000 ", &[Finding::NoCount]),
    (
        "MCL/RTR RCV/BANKA ORG/BANKB IDU/BANKC KKU/0011223344556677 *KKU/00112233445566770011223344556677 CTB/ MAC/00000000 ",
        &[Finding::KkAndPair, Finding::EmptyCount(Tag::Ctb)],
    ),
    ("MCL/ERS RCV/BANKA ORG/BANKB ERF/C MAC/00000000 ", &[Finding::Missing(Tag::Idu)]),
    ("MCL/ERS RCV/BANKA ORG/BANKB IDU/BANKC ERF/C ", &[Finding::Missing(Tag::Mac)]),
];

#[test]
fn each_rule_is_broken_by_its_smallest_message_and_all_findings_are_listed() {
    for (fields, findings) in BROKEN {
        let text = format!("CSM({fields})");
        assert_eq!(check(&Csm::decode(text.as_bytes()).unwrap()), *findings, "{text}");
    }
    println!("{} messages", BROKEN.len());
    assert_eq!(BROKEN.len(), 28);
    let everything = "CSM(MCL/KSM SVR/KK.*KK CTR/ TID/ TID/ )";
    let findings = [
        Finding::Missing(Tag::Rcv),
        Finding::Missing(Tag::Org),
        Finding::Unexpected(Tag::Svr),
        Finding::Unexpected(Tag::Ctr),
        Finding::Missing(Tag::Mac),
        Finding::Repeated(Tag::Tid),
        Finding::NoKey,
        Finding::NoCount,
        Finding::KkAndPair,
        Finding::ReceivedWithoutExpected,
    ];
    assert_eq!(check(&Csm::decode(everything.as_bytes()).unwrap()), findings);
}

/// Every field of every class: the tags that a class does not have are named, and no others.
#[test]
fn a_field_out_of_place_is_named_in_every_class() {
    let minimal = |tag: Tag| match tag {
        Tag::Rcv | Tag::Org | Tag::Idu | Tag::Idc => "BANK",
        Tag::Kd | Tag::Kdu | Tag::Kk | Tag::Kku | Tag::Iv => "0011223344556677",
        Tag::KkPair | Tag::KkuPair => "00112233445566770011223344556677",
        Tag::Edk | Tag::Erf => "C",
        Tag::Edc | Tag::Mac => "00000000",
        _ => "",
    };
    let mut unexpected = 0;
    for class in Class::ALL {
        for tag in Tag::ALL.iter().filter(|tag| **tag != Tag::Mcl) {
            let text = format!("CSM(MCL/{class} {tag}/{} )", minimal(*tag));
            let csm = Csm::decode(text.as_bytes()).unwrap();
            unexpected += usize::from(check(&csm).contains(&Finding::Unexpected(*tag)));
        }
    }
    // 192 less the 91 places that the table gives.
    assert_eq!(unexpected, 101);
}

#[test]
fn peeking_tells_whom_to_answer_when_a_field_is_wrong() {
    let wrong = b"CSM(MCL/KSM RCV/BANKB ORG/BANKA KD/XX )";
    let (class, receiver, originator) = peek(wrong, Strictness::Strict).unwrap();
    assert_eq!((class, receiver.as_str(), originator.as_str()), (Class::Ksm, "BANKB", "BANKA"));
    for nobody in
        ["", "CSM(RCV/BANKB ORG/BANKA )", "CSM(MCL/KSM ORG/BANKA )", "CSM(MCL/KSM RCV/BANKB ORG/A )"]
    {
        assert_eq!(peek(nobody.as_bytes(), Strictness::Strict), None, "{nobody}");
    }
}

#[test]
fn a_draft_refuses_what_a_reader_would() {
    let mut draft = Draft::new(Class::Ksm);
    assert_eq!(draft.push(Field::Mcl(Class::Ksm)), Err(EncodeError::Text(Tag::Mcl)));
    for text in ["a b", "\n", "é"] {
        assert_eq!(draft.push(Field::Tid(text)), Err(EncodeError::Text(Tag::Tid)));
    }
    assert_eq!(draft.push(Field::Edk("")), Err(EncodeError::Text(Tag::Edk)));
    let short = Cryptogram::new("00").unwrap();
    let key = KeyField { key: short, name: None, under: None };
    assert_eq!(draft.push(Field::Kd(key)), Err(EncodeError::Length { tag: Tag::Kd, found: 1 }));
    assert_eq!(draft.push(Field::Iv(short)), Err(EncodeError::Length { tag: Tag::Iv, found: 1 }));
    draft.push(Field::Edc(Code::new(&[0; 4]).unwrap())).unwrap();
    assert_eq!(draft.push(Field::Tid("")), Err(EncodeError::AfterCode(Tag::Tid)));
    assert_eq!(draft.finish(), "CSM(MCL/KSM EDC/00000000 )");
}

#[test]
fn values_refuse_what_messages_cannot_hold() {
    assert!(Count::new(1 << 56).is_err() && Count::new(u64::MAX).is_err());
    assert_eq!(Count::MAX.next(), None);
    assert_eq!(Count::FIRST.next().unwrap().to_string(), "00000000000002");
    assert!(Code::new(&[0; 3]).is_err() && Code::new(&[0; 9]).is_err());
    assert!(
        Cryptogram::new("").is_none() && Cryptogram::new("0").is_none() && Cryptogram::new("0G").is_none()
    );
    assert_eq!(ErrorCodes::from_letter('c'), None);
    assert!(KeyId::new("").is_err() && PartyId::new("A C").is_err());
    assert_eq!(ServiceRequest::DATA_KEY.to_string(), "");
}

fn name(min: usize) -> impl Strategy<Value = String> {
    prop::string::string_regex(&format!("[!-)+-\\-/-~]{{{min},16}}")).unwrap()
}

fn hex_text(bytes: usize) -> impl Strategy<Value = String> {
    prop::string::string_regex(&format!("[0-9A-F]{{{}}}", 2 * bytes)).unwrap()
}

fn key_text(bytes: usize) -> impl Strategy<Value = String> {
    let names = (prop::option::of(name(1)), prop::option::of(name(1)));
    (hex_text(bytes), names).prop_map(|(key, names)| match names {
        (None, None) => key,
        (Some(name), None) => format!("{key}.{name}"),
        (name, Some(under)) => format!("{key}.{}.{under}", name.unwrap_or_default()),
    })
}

/// Any field but `MCL` and codes, as text.
fn field_text() -> impl Strategy<Value = String> {
    prop_oneof![
        (prop::sample::select(vec!["RCV", "ORG", "IDU", "IDC"]), name(4))
            .prop_map(|(t, c)| format!("{t}/{c} ")),
        (prop::sample::select(vec!["IDD", "IDA"]), prop::option::of(name(1)))
            .prop_map(|(t, c)| format!("{t}/{} ", c.unwrap_or_default())),
        (prop::sample::select(vec!["KD", "KDU", "KK", "KKU"]), key_text(8))
            .prop_map(|(t, c)| format!("{t}/{c} ")),
        (prop::sample::select(vec!["KD", "KDU", "*KK", "*KKU"]), key_text(16))
            .prop_map(|(t, c)| format!("{t}/{c} ")),
        (prop::sample::select(vec!["CTP", "CTA", "CTB", "CTR"]), prop::option::of(hex_text(7)))
            .prop_map(|(t, c)| format!("{t}/{} ", c.unwrap_or_default())),
        hex_text(8).prop_map(|c| format!("IV/{c} ")),
        prop::sample::select(vec!["SVR/ ", "SVR/*KK.IV ", "SVR/KD ", "ERF/C ", "ERF/C.F.I.O ", "NOS/ "])
            .prop_map(str::to_owned),
        (prop::sample::select(vec!["TID", "EDK"]), name(1)).prop_map(|(t, c)| format!("{t}/{c} ")),
    ]
}

fn message_text() -> impl Strategy<Value = String> {
    let code = prop::option::of((prop::sample::select(vec!["MAC", "EDC"]), 4..9_usize));
    let class = prop::sample::select(Class::ALL);
    (class, prop::collection::vec(field_text(), 0..12), code).prop_map(|(class, fields, code)| {
        let code = code.map(|(tag, len)| format!("{tag}/{} ", "0A".repeat(len)));
        format!("CSM(MCL/{class} {}{})", fields.concat(), code.unwrap_or_default())
    })
}

proptest! {
    #[test]
    fn text_of_any_fields_is_read_and_written_again(text in message_text()) {
        let csm = Csm::decode(text.as_bytes()).unwrap();
        prop_assert_eq!(csm.rewrite(), text.clone());
        prop_assert_eq!(Csm::decode_lenient(text.as_bytes()).unwrap().rewrite(), text.clone());
        let mut draft = Draft::new(csm.class());
        for field in csm.fields().skip(1) {
            draft.push(field).unwrap();
        }
        prop_assert_eq!(draft.finish(), text);
    }

    #[test]
    fn padding_makes_no_difference_to_a_lenient_reader(text in message_text(), blanks in prop::sample::select(vec!["  ", " \r\n", "\r\n   "])) {
        let padded = format!("{blanks}{}{blanks}", text.replace(' ', blanks));
        prop_assert_eq!(Csm::decode_lenient(padded.as_bytes()).unwrap().rewrite(), text);
        prop_assert!(Csm::decode(padded.as_bytes()).is_err());
    }

    #[test]
    fn altered_text_never_panics_and_what_is_accepted_comes_back(
        text in message_text(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let mut altered = text.into_bytes();
        let position = at.index(altered.len());
        altered[position] = byte;
        for bytes in [&altered[..], &altered[..cut.index(altered.len())]] {
            for strictness in [Strictness::Strict, Strictness::Lenient] {
                let _ = peek(bytes, strictness);
                if let Ok(csm) = Csm::read(bytes, strictness) {
                    let _ = check(&csm);
                    let strict = csm.rewrite();
                    prop_assert!(strictness == Strictness::Lenient || strict.as_bytes() == bytes);
                    prop_assert_eq!(Csm::decode(strict.as_bytes()).unwrap().rewrite(), strict);
                } else if let Err(error) = Csm::read(bytes, strictness) {
                    prop_assert!(error.offset <= bytes.len());
                }
            }
        }
    }
}
