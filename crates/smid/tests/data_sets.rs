//! Data sets of key management data, as AS 2805 is quoted to have them.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a panic here is the test's report")]

use cardroot_smid::{Control, DataSet, DataSetError, DataSets, DataTag, KeyName, Purpose, Smid};
use proptest::prelude::*;

const NAME: [u8; 12] = *b"\x01\x23\x45\x67\xFF\x98\x76\x54\x32\x10\xE0\x01";

fn smid(control: Option<Control>) -> Smid {
    Smid { control, key_name: KeyName::new(&NAME).unwrap() }
}

#[test]
fn pin_and_mac_sets_name_their_keys() {
    let mut pin = DataSet::naming(Purpose::Pin, &smid(Some(Control::A5))).unwrap();
    pin.add(DataTag::Cryptogram, &[0xC0; 8]).unwrap();
    let mac = DataSet::naming(Purpose::Mac, &smid(None)).unwrap();
    let bytes = DataSets::from_iter([pin, mac]).encode().unwrap();
    let expected = [
        &b"\x01\x00\x29\x80\x01\xA5\x81\x04"[..],
        &NAME[..4],
        b"\x82\x08",
        &NAME[4..],
        b"\x88\x08",
        &[0xC0; 8],
        b"\x02\x00\x16\x81\x04",
        &NAME[..4],
        b"\x82\x08",
        &NAME[4..],
    ]
    .concat();
    assert_eq!(bytes, expected);
    let sets = DataSets::decode(&bytes).unwrap();
    assert_eq!(sets.get(Purpose::Pin).unwrap().smid(), Ok(smid(Some(Control::A5))));
    assert_eq!(sets.get(Purpose::Mac).unwrap().smid(), Ok(smid(None)));
    assert_eq!(sets.get(Purpose::Pin).unwrap().value(DataTag::Cryptogram), Some(&[0xC0; 8][..]));
    assert_eq!((sets.get(Purpose::Data), sets.as_slice().len()), (None, 2));
}

#[test]
fn faults_are_located() {
    use DataSetError::*;
    let max = b"\x04\x09\x99".to_vec();
    for (bytes, expected) in [
        (&b""[..], Empty),
        (&[1; 1000], TooLong { found: 1000 }),
        (b"\x05\x00\x00", UnknownPurpose { at: 0, found: 5 }),
        (b"\x00\x00\x00", UnknownPurpose { at: 0, found: 0 }),
        (b"\x01\x00\x1A", SetLength { at: 2 }),
        (b"\x01\xA0\x10", SetLength { at: 1 }),
        (b"\x01\x00", Truncated { at: 2 }),
        (b"\x01\x00\x01", Truncated { at: 3 }),
        (&max, Truncated { at: 3 }),
        (b"\x01\x00\x01\x83", Truncated { at: 4 }),
        (b"\x01\x00\x02\x83\x01", Truncated { at: 5 }),
        (b"\x01\x00\x02\x8A\x00", UnknownTag { at: 3, found: 0x8A }),
        (b"\x01\x00\x02\x83\x00", ValueLength { tag: DataTag::Algorithm, found: 0 }),
        (b"\x01\x00\x04\x80\x02\xA5\xA5", ValueLength { tag: DataTag::Control, found: 2 }),
        (b"\x01\x00\x05\x81\x03\x00\x00\x00", ValueLength { tag: DataTag::KeySetId, found: 3 }),
        (b"\x01\x00\x06\x83\x01\x00\x83\x01\x00", TwoValues { tag: DataTag::Algorithm }),
        (b"\x01\x00\x00\x01\x00\x00", TwoSets { purpose: Purpose::Pin }),
        (b"\x01\x00\x00\x07", UnknownPurpose { at: 3, found: 7 }),
    ] {
        assert_eq!(DataSets::decode(bytes), Err(expected), "{bytes:02X?}");
    }
}

#[test]
fn sets_that_cannot_be_sent_are_refused() {
    assert_eq!(DataSets::default().encode(), Err(DataSetError::Empty));
    let set = DataSet::new(Purpose::Data);
    let twice = DataSets::from_iter([set.clone(), set.clone()]);
    assert_eq!(twice.encode(), Err(DataSetError::TwoSets { purpose: Purpose::Data }));
    let full = |purpose| {
        let mut set = DataSet::new(purpose);
        for &tag in DataTag::ALL.iter().skip(3) {
            set.add(tag, &[0x42; 127]).unwrap();
        }
        set
    };
    let found = 2 * (3 + 7 * 129);
    let long = DataSets::from_iter([full(Purpose::Pin), full(Purpose::Mac)]);
    assert_eq!(long.encode(), Err(DataSetError::TooLong { found }));
    let one = DataSets::from_iter([full(Purpose::Pin)]);
    assert_eq!(DataSets::decode(&one.encode().unwrap()), Ok(one));
    let mut set = DataSet::new(Purpose::Pin);
    let wrong = DataSetError::ValueLength { tag: DataTag::Additional, found: 128 };
    assert_eq!(set.add(DataTag::Additional, &[0; 128]), Err(wrong));
}

#[test]
fn set_without_a_whole_key_name_names_no_key() {
    let mut set = DataSet::new(Purpose::Pin);
    assert_eq!(set.smid(), Err(DataSetError::NoKeyName));
    set.add(DataTag::KeySetId, &[0; 4]).unwrap();
    assert_eq!(set.smid(), Err(DataSetError::NoKeyName));
    set.add(DataTag::DerivedInfo, &[0; 8]).unwrap();
    assert!(set.smid().is_ok());
    set.add(DataTag::Control, &[0x42]).unwrap();
    assert_eq!(set.smid(), Err(DataSetError::UnknownControl { found: 0x42 }));
    for len in [5, 11, 13, 16] {
        let smid = Smid::new(KeyName::new(&vec![0; len]).unwrap());
        let error = DataSet::naming(Purpose::Pin, &smid).unwrap_err();
        assert_eq!(error, DataSetError::NameLength { found: len });
    }
}

#[test]
fn debug_shows_lengths_only() {
    let mut set = DataSet::new(Purpose::Pin);
    set.add(DataTag::Cryptogram, &[0xA5; 8]).unwrap();
    for shown in [format!("{set:?}"), format!("{set:#?}")] {
        assert!(shown.contains("<8 bytes>") && !shown.contains("a5") && !shown.contains("165"), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_come_back(
        purpose in 0u8..6, len in 0usize..40, tlvs in prop::collection::vec(0x7Eu8..0x8B, 0..40),
    ) {
        let bytes = [&[purpose, 0, u8::try_from(len / 10 * 16 + len % 10).unwrap()], tlvs.as_slice()].concat();
        if let Ok(sets) = DataSets::decode(&bytes) {
            prop_assert_eq!(sets.encode(), Ok(bytes));
        }
    }
}
