//! SMIDs: every profile, every refusal, and that accepted bytes come back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic here is the test's report"
)]

use cardroot_smid::{
    Carrier, Control, ControlByte, Count, KeyName, KeyNameError, LayoutError, NameFraming, NameLayout,
    NameParts, Order, ProfileError, Smid, SmidDecodeError, SmidEncodeError, SmidList, SmidProfile,
};
use proptest::prelude::*;

/// Key serial number of ANS X9.24-1 Annex A, first transaction.
const KSN: [u8; 10] = [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01];

fn smid() -> Smid {
    Smid::new(KSN.into())
}

fn name(len: usize) -> KeyName {
    KeyName::new(&[0x42; 16][..len]).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    base16ct::upper::encode_string(bytes)
}

fn decode(profile: &SmidProfile, text: &str) -> Result<SmidList, SmidDecodeError> {
    let bytes = base16ct::mixed::decode_vec(text).unwrap();
    SmidList::decode(profile, Carrier::Bit53, &bytes)
}

#[test]
fn each_preset_has_its_wire_form() {
    let plain = SmidList::from(smid());
    let controlled = SmidList::from(Smid::with_control(Control::B5, KSN.into()));
    let short = SmidList::from(Smid::new(KeyName::new(&KSN[2..]).unwrap()));
    let forms = [
        (SmidProfile::KEY_NAME, &plain, "FFFF9876543210E00001"),
        (SmidProfile::KEY_NAME_10, &plain, "FFFF9876543210E00001"),
        (SmidProfile::CONTROL_KEY_NAME_10, &controlled, "B5FFFF9876543210E00001"),
        (SmidProfile::KEY_NAME_10_SENT_AS_8, &plain, "9876543210E00001"),
        (SmidProfile::KEY_NAME_8_SENT_AS_10, &short, "FFFF9876543210E00001"),
        (SmidProfile::LENGTH_PREFIXED, &plain, "0AFFFF9876543210E00001"),
    ];
    assert_eq!(forms.len(), SmidProfile::PRESETS.len());
    for (profile, list, wire) in forms {
        assert_eq!(hex(&list.encode(&profile, Carrier::Bit53).unwrap()), wire, "{}", profile.name);
        assert_eq!(&decode(&profile, wire).unwrap(), list, "{}", profile.name);
        assert_eq!(SmidProfile::named(&profile.name), Some(&profile));
    }
}

#[test]
fn no_profile_claims_to_be_the_standard() {
    for profile in SmidProfile::PRESETS {
        profile.check().unwrap();
        for claim in ["standard", "default", "x9", "iso"] {
            assert!(!profile.name.contains(claim));
        }
    }
}

#[test]
fn pin_and_mac_keys_stand_in_the_order_of_the_profile() {
    let pin_first = SmidProfile::CONTROL_KEY_NAME_10;
    let mac_first = SmidProfile { order: Order::MacThenPin, ..pin_first.clone() };
    let (pin, mac) = (Smid::with_control(Control::A5, KSN.into()), Smid::with_control(Control::B5, name(10)));
    for (profile, controls) in [(pin_first, [0xA5, 0xB5]), (mac_first, [0xB5, 0xA5])] {
        let list = SmidList::pin_and_mac(&profile, pin, mac);
        let bytes = list.encode(&profile, Carrier::Bit53).unwrap();
        assert_eq!([bytes[0], bytes[11]], controls);
        let back = SmidList::decode(&profile, Carrier::Bit53, &bytes).unwrap();
        assert_eq!((back.pin(&profile), back.mac(&profile)), (Some(&pin), Some(&mac)));
    }
}

#[test]
fn single_smid_names_the_key_of_every_use() {
    let list = SmidList::from(smid());
    for order in [Order::PinThenMac, Order::MacThenPin] {
        let profile = SmidProfile { order, ..SmidProfile::KEY_NAME_10 };
        assert_eq!((list.pin(&profile), list.mac(&profile)), (Some(&smid()), Some(&smid())));
    }
    let none: SmidList = [].into_iter().collect();
    assert_eq!((none.pin(&SmidProfile::KEY_NAME), none.as_slice().len()), (None, 0));
}

#[test]
fn key_names_are_5_to_16_bytes() {
    for len in 0..=300 {
        let built = KeyName::new(&vec![0x42; len]);
        match len {
            5..=16 => assert_eq!(built.unwrap().as_bytes().len(), len),
            found => assert_eq!(built, Err(KeyNameError { found })),
        }
    }
    assert_eq!(format!("{:?}", KeyName::from(KSN)), "KeyName(FFFF9876543210E00001)");
    assert_ne!(KeyName::new(&[0; 5]), KeyName::new(&[0; 6]));
}

#[test]
fn bytes_outside_the_profile_are_refused_where_they_stand() {
    use SmidDecodeError::*;
    let control = SmidProfile::CONTROL_KEY_NAME_10;
    let prefixed = SmidProfile::LENGTH_PREFIXED;
    let one = SmidProfile { count: Count::One, ..SmidProfile::LENGTH_PREFIXED };
    let name = "FFFF9876543210E00001";
    let cases = [
        (SmidProfile::KEY_NAME, String::new(), Empty),
        (SmidProfile::KEY_NAME, "42".repeat(4), NameLength { at: 0, found: 4 }),
        (SmidProfile::KEY_NAME, "42".repeat(17), NameLength { at: 0, found: 17 }),
        (SmidProfile::KEY_NAME_10, "42".repeat(9), Truncated { at: 9, missing: 1 }),
        (SmidProfile::KEY_NAME_10, format!("{name}42"), Leftover { at: 10, count: 1 }),
        (SmidProfile::KEY_NAME_10, name.repeat(2), SecondSmid { at: 10 }),
        (SmidProfile::KEY_NAME_10_SENT_AS_8, name.into(), Leftover { at: 8, count: 2 }),
        (control.clone(), format!("A6{name}"), UnknownControl { at: 0, found: 0xA6 }),
        (control.clone(), format!("A5{name}55{name}"), UnknownControl { at: 11, found: 0x55 }),
        (control.clone(), format!("A5{name}B5"), Truncated { at: 12, missing: 10 }),
        (prefixed.clone(), format!("04{name}"), NameLength { at: 1, found: 4 }),
        (prefixed.clone(), format!("11{name}"), NameLength { at: 1, found: 17 }),
        (prefixed.clone(), "00".into(), NameLength { at: 1, found: 0 }),
        (prefixed.clone(), format!("0A{name}05"), Truncated { at: 12, missing: 5 }),
        (one.clone(), "054242424242054242424242".into(), SecondSmid { at: 6 }),
        (one, "054242424242044242424242".into(), Leftover { at: 6, count: 6 }),
    ];
    println!("{} refusals", cases.len());
    for (profile, wire, expected) in cases {
        assert_eq!(decode(&profile, &wire), Err(expected), "{}: {wire}", profile.name);
    }
}

#[test]
fn carriers_hold_48_and_999_bytes() {
    let profile = SmidProfile { count: Count::Several, ..SmidProfile::KEY_NAME_10 };
    let fixed =
        |len: u8| SmidProfile { name_framing: NameFraming::Fixed(len), layout: None, ..profile.clone() };
    // 3 names of 16 fill bit 53; 111 names of 9 fill bit 96.
    for (carrier, len, most) in [(Carrier::Bit53, 16, 3), (Carrier::Bit96, 9, 111)] {
        let (profile, len) = (fixed(len), usize::from(len));
        assert_eq!(len * most, carrier.max_len());
        let list = |count| -> SmidList { (0..count).map(|_| Smid::new(name(len))).collect() };
        let bytes = list(most).encode(&profile, carrier).unwrap();
        assert_eq!(SmidList::decode(&profile, carrier, &bytes), Ok(list(most)));
        let found = len * (most + 1);
        let over = list(most + 1).encode(&profile, carrier);
        assert_eq!(over, Err(SmidEncodeError::OverCarrier { carrier, found }));
        let over = SmidList::decode(&profile, carrier, &vec![0x42; found]);
        assert_eq!(over, Err(SmidDecodeError::OverCarrier { carrier, found }));
    }
    let error = SmidDecodeError::OverCarrier { carrier: Carrier::Bit53, found: 64 };
    assert_eq!(error.to_string(), "bit 53 holds 48 bytes, found 64");
}

#[test]
fn smids_outside_the_profile_are_not_encoded() {
    use SmidEncodeError::*;
    let encode = |profile: &SmidProfile, list: SmidList| list.encode(profile, Carrier::Bit53);
    let controlled = Smid::with_control(Control::A5, KSN.into());
    let plain_10 = SmidProfile::KEY_NAME_10;
    let pair: SmidList = [controlled, smid()].into_iter().collect();

    assert_eq!(encode(&plain_10, [].into_iter().collect()), Err(Empty));
    assert_eq!(encode(&plain_10, [smid(), smid()].into_iter().collect()), Err(SecondSmid { found: 2 }));
    assert_eq!(encode(&plain_10, controlled.into()), Err(UnexpectedControl { entry: 0 }));
    assert_eq!(encode(&SmidProfile::CONTROL_KEY_NAME_10, pair), Err(MissingControl { entry: 1 }));
    assert_eq!(encode(&plain_10, Smid::new(name(9)).into()), Err(NameLength { entry: 0, found: 9 }));
    let as_8 = SmidProfile::KEY_NAME_10_SENT_AS_8;
    assert_eq!(encode(&as_8, Smid::new(name(10)).into()), Err(NotFilled { entry: 0 }));
    // With the fill taken off, too little is left to send.
    let short = Smid::new(KeyName::new(&[0xFF; 6]).unwrap());
    let filled = SmidProfile { omitted_fill: 2, ..SmidProfile::LENGTH_PREFIXED };
    assert_eq!(encode(&filled, short.into()), Err(NameLength { entry: 0, found: 6 }));
}

#[test]
fn added_fill_is_on_the_wire_and_not_in_the_name() {
    let profile = &SmidProfile::KEY_NAME_8_SENT_AS_10;
    let list = SmidList::decode(profile, Carrier::Bit53, &KSN).unwrap();
    assert_eq!(list.as_slice()[0].key_name.as_bytes(), &KSN[2..]);
    assert_eq!(list.encode(profile, Carrier::Bit53).as_deref(), Ok(&KSN[..]));
    let parts = profile.parts(&list.as_slice()[0].key_name).unwrap().unwrap();
    assert_eq!((parts.key_set_id, parts.counter), (0x98_7654, 1));
    let wrong = b"\xFF\xFE\x98\x76\x54\x32\x10\xE0\x00\x01";
    assert_eq!(
        SmidList::decode(profile, Carrier::Bit53, wrong),
        Err(SmidDecodeError::Fill { at: 1, found: 0xFE })
    );
    // The length byte counts what is sent.
    let counted = SmidProfile { added_fill: 3, ..SmidProfile::LENGTH_PREFIXED };
    let bytes = SmidList::from(Smid::new(name(5))).encode(&counted, Carrier::Bit53).unwrap();
    assert_eq!(bytes[..4], [8, 0xFF, 0xFF, 0xFF]);
    let short = SmidList::decode(&counted, Carrier::Bit53, &[7; 8]);
    assert_eq!(short, Err(SmidDecodeError::NameLength { at: 1, found: 7 }));
}

#[test]
fn presets_with_a_layout_cut_their_names() {
    let parts = SmidProfile::KEY_NAME_10.parts(&KSN.into()).unwrap().unwrap();
    assert_eq!((parts.key_set_id, parts.counter), (0xFF_FF98_7654, 1));
    assert_eq!(SmidProfile::KEY_NAME.parts(&KSN.into()), Ok(None));
    assert!(SmidProfile::KEY_NAME_10.parts(&name(9)).is_err());
}

#[test]
fn contradictory_profiles_are_refused_both_ways() {
    let base = SmidProfile::KEY_NAME_10;
    for (profile, expected) in [
        (SmidProfile { omitted_fill: 12, ..base.clone() }, ProfileError::Fill { omitted: 12 }),
        (
            SmidProfile { name_framing: NameFraming::Fixed(4), ..base.clone() },
            ProfileError::NameLength { len: 4 },
        ),
        (
            SmidProfile { name_framing: NameFraming::Fixed(17), ..base.clone() },
            ProfileError::NameLength { len: 17 },
        ),
        (SmidProfile { omitted_fill: 6, ..base.clone() }, ProfileError::NameLength { len: 10 }),
        (SmidProfile { added_fill: 17, ..base.clone() }, ProfileError::AddedFill { added: 17 }),
        (
            SmidProfile { omitted_fill: 1, added_fill: 1, ..base.clone() },
            ProfileError::AddedFill { added: 1 },
        ),
        (
            SmidProfile { name_framing: NameFraming::Fixed(9), ..base.clone() },
            ProfileError::Layout { len: 10 },
        ),
        (SmidProfile { count: Count::Several, ..SmidProfile::KEY_NAME }, ProfileError::Unframed),
    ] {
        assert_eq!(profile.check(), Err(expected));
        assert_eq!(decode(&profile, "42"), Err(expected.into()));
        let encoded = SmidList::from(smid()).encode(&profile, Carrier::Bit53);
        assert_eq!(encoded, Err(expected.into()));
    }
}

#[test]
fn most_fill_that_can_be_omitted_leaves_five_bytes() {
    let most =
        SmidProfile { name_framing: NameFraming::Fixed(16), omitted_fill: 11, ..SmidProfile::KEY_NAME };
    let list = decode(&most, "9876543210").unwrap();
    assert_eq!(list.as_slice()[0].key_name.to_string(), ["FF"; 11].concat() + "9876543210");
}

#[test]
fn annex_a_layout_cuts_the_key_serial_number() {
    let layout = NameLayout::ANNEX_A;
    let last = KeyName::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xFF, 0xFF, 0xFF]);
    let parts = NameParts { key_set_id: 0xFF_FF98_7654, device_id: 0x3210E0 >> 5, counter: 1 };
    assert_eq!(layout.split(&KSN.into()), Ok(parts));
    assert_eq!(layout.join(&parts), Ok(KSN.into()));
    assert_eq!(layout.split(&last), Ok(NameParts { counter: 0x1F_FFFF, ..parts }));
    let short = KeyName::new(&KSN[2..]).unwrap();
    let short_parts = NameLayout::ANNEX_A_WITHOUT_FILL.split(&short).unwrap();
    assert_eq!(short_parts, NameParts { key_set_id: 0x98_7654, ..parts });
}

#[test]
fn layouts_and_names_that_do_not_fit_are_refused() {
    for (widths, expected) in [
        ((0, 19, 21), LayoutError::PartWidth),
        ((40, 0, 40), LayoutError::PartWidth),
        ((59, 21, 0), LayoutError::PartWidth),
        ((8, 65, 7), LayoutError::PartWidth),
        ((40, 19, 22), LayoutError::TotalWidth { bits: 81 }),
        ((8, 8, 16), LayoutError::TotalWidth { bits: 32 }),
        ((60, 60, 16), LayoutError::TotalWidth { bits: 136 }),
    ] {
        assert_eq!(NameLayout::new(widths.0, widths.1, widths.2), Err(expected));
    }
    let layout = NameLayout::ANNEX_A;
    assert_eq!(NameLayout::new(40, 19, 21), Ok(layout));
    assert_eq!(layout.split(&name(9)), Err(LayoutError::NameLength { expected: 10, found: 9 }));
    let parts = layout.split(&KSN.into()).unwrap();
    for (parts, bits) in [
        (NameParts { key_set_id: 1 << 40, ..parts }, 40),
        (NameParts { device_id: 1 << 19, ..parts }, 19),
        (NameParts { counter: 1 << 21, ..parts }, 21),
    ] {
        assert_eq!(layout.join(&parts), Err(LayoutError::PartTooLarge { bits }));
    }
}

fn any_profile() -> impl Strategy<Value = SmidProfile> {
    let control = prop_oneof![Just(ControlByte::Absent), Just(ControlByte::Present)];
    let framing = prop_oneof![
        any::<u8>().prop_map(|len| NameFraming::Fixed(len % 20)),
        Just(NameFraming::LengthByte),
        Just(NameFraming::Remainder)
    ];
    let count = prop_oneof![Just(Count::One), Just(Count::Several)];
    (control, framing, 0u8..13, 0u8..17, count).prop_map(
        |(control, name_framing, omitted_fill, added, count)| SmidProfile {
            name: "any".into(),
            control,
            name_framing,
            omitted_fill,
            added_fill: if omitted_fill == 0 { added } else { 0 },
            count,
            order: Order::PinThenMac,
            layout: None,
        },
    )
}

fn any_carrier() -> impl Strategy<Value = Carrier> {
    prop_oneof![Just(Carrier::Bit53), Just(Carrier::Bit96)]
}

fn accepted_bytes_come_back(profile: &SmidProfile, carrier: Carrier, bytes: &[u8]) {
    if let Ok(list) = SmidList::decode(profile, carrier, bytes) {
        assert_eq!(list.encode(profile, carrier).as_deref(), Ok(bytes));
        assert!(list.as_slice().len() <= bytes.len() / KeyName::MIN_LEN);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_come_back(
        profile in any_profile(),
        carrier in any_carrier(),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        accepted_bytes_come_back(&profile, carrier, &bytes);
        for preset in SmidProfile::PRESETS {
            accepted_bytes_come_back(preset, carrier, &bytes);
        }
    }

    #[test]
    fn encoded_lists_come_back(
        profile in any_profile(),
        carrier in any_carrier(),
        names in prop::collection::vec(prop::collection::vec(any::<u8>(), 5..=16), 1..8),
        changed in any::<(prop::sample::Index, u8)>(),
    ) {
        let controls = [Control::A5, Control::B5].iter().cycle();
        let list: SmidList = names
            .iter()
            .zip(controls)
            .map(|(name, &control)| {
                // Names made to fit: filled, and of the fixed length.
                let fixed = match profile.name_framing {
                    NameFraming::Fixed(len) => usize::from(len).clamp(5, 16),
                    _ => name.len(),
                };
                let mut name: Vec<u8> = name.iter().copied().cycle().take(fixed).collect();
                name.iter_mut().take(profile.omitted_fill.into()).for_each(|byte| *byte = 0xFF);
                let control = (profile.control == ControlByte::Present).then_some(control);
                Smid { control, key_name: KeyName::new(&name).unwrap() }
            })
            .take(if profile.count == Count::One { 1 } else { 8 })
            .collect();
        if let Ok(mut bytes) = list.encode(&profile, carrier) {
            prop_assert_eq!(SmidList::decode(&profile, carrier, &bytes), Ok(list));
            let at = changed.0.index(bytes.len());
            bytes[at] = changed.1;
            accepted_bytes_come_back(&profile, carrier, &bytes);
        }
    }

    #[test]
    fn any_layout_joins_what_it_splits(
        name in prop::collection::vec(any::<u8>(), 5..=16),
        (device, counter) in any::<(u8, u8)>(),
    ) {
        let bits = u8::try_from(name.len() * 8).unwrap();
        let device = 1 + device % (bits - 2).min(64);
        let counter = 1 + counter % (bits - 1 - device).min(64);
        let layout = NameLayout::new(bits - device - counter, device, counter).unwrap();
        let name = KeyName::new(&name).unwrap();
        prop_assert_eq!(layout.join(&layout.split(&name).unwrap()), Ok(name));
    }
}
