//! SMIDs and key names.

use ::smid::{
    Carrier, ControlByte, Count, DataSet, DataSets, DataTag, KeyName, NameFraming, NameLayout, Order,
    Purpose, SmidDecodeError, SmidList, SmidProfile,
};

use crate::Reach;
use crate::input::Input;

/// Any bytes are a list of SMIDs or an error, under every preset and in both fields; a list encodes to the same bytes.
pub fn smid_decode_is_total(data: &[u8]) -> Reach {
    let mut reach = Reach::Refused;
    for profile in SmidProfile::PRESETS {
        for carrier in [Carrier::Bit53, Carrier::Bit96] {
            if let Ok(smids) = SmidList::decode(profile, carrier, data) {
                check(&smids, profile, carrier, data);
                reach = Reach::Held;
            }
        }
    }
    reach
}

/// The same under any profile at all; one that contradicts itself decodes nothing.
///
/// Input: control, framing, fixed length, omitted fill, count, order, carrier; then the element. The upper half of the byte of
/// the framing is the added fill.
pub fn smid_any_profile_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let control = input.one_of(&[ControlByte::Absent, ControlByte::Present]);
    let framing = input.byte();
    let (framing, added_fill) = (usize::from(framing & 0xF) % 3, framing >> 4);
    let fixed = input.byte();
    let profile = SmidProfile {
        name: "any".into(),
        control,
        name_framing: [NameFraming::Fixed(fixed), NameFraming::LengthByte, NameFraming::Remainder][framing],
        omitted_fill: input.byte(),
        added_fill,
        count: input.one_of(&[Count::One, Count::Several]),
        order: input.one_of(&[Order::PinThenMac, Order::MacThenPin]),
        layout: None,
    };
    let carrier = input.one_of(&[Carrier::Bit53, Carrier::Bit96]);
    let element = input.take_rest();
    let decoded = SmidList::decode(&profile, carrier, element);
    if let Err(error) = profile.check() {
        assert_eq!(decoded, Err(SmidDecodeError::Profile(error)));
        return Reach::Refused;
    }
    let Ok(smids) = decoded else { return Reach::Refused };
    check(&smids, &profile, carrier, element);
    Reach::Held
}

fn check(smids: &SmidList, profile: &SmidProfile, carrier: Carrier, element: &[u8]) {
    assert_eq!(smids.encode(profile, carrier).unwrap(), element);
    assert!(!smids.as_slice().is_empty());
    let (pin, mac) = (smids.pin(profile).unwrap(), smids.mac(profile).unwrap());
    assert!(smids.as_slice().contains(pin) && smids.as_slice().contains(mac));
    if let [_, _] = smids.as_slice() {
        assert_eq!(SmidList::pin_and_mac(profile, *pin, *mac), *smids);
    }
}

/// Under any layout a key name of its length splits into parts that join to the same name.
///
/// Input: three widths in bits, then the name.
pub fn key_name_layout_round_trip(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let [key_set, device, counter] = input.array();
    let Ok(layout) = NameLayout::new(key_set, device, counter) else { return Reach::Refused };
    let Ok(name) = KeyName::new(input.take_rest()) else { return Reach::Refused };
    match layout.split(&name) {
        Ok(parts) => {
            assert_eq!(layout.join(&parts), Ok(name));
            Reach::Held
        }
        Err(_) => {
            assert_ne!(name.as_bytes().len(), layout.name_len());
            Reach::Refused
        }
    }
}

/// Any text is a profile or an error on one of its lines; a profile comes back from its own text.
pub fn smid_profile_toml_is_total(data: &[u8]) -> Reach {
    let Ok(text) = core::str::from_utf8(data) else { return Reach::Refused };
    match SmidProfile::from_toml(text) {
        Ok(profile) => {
            assert_eq!(profile.check(), Ok(()));
            assert_eq!(SmidProfile::from_toml(&profile.to_toml()), Ok(profile));
            Reach::Held
        }
        Err(error) => {
            assert!((1..=1 + text.matches('\n').count()).contains(&error.line), "{error}");
            Reach::Refused
        }
    }
}

/// Any bytes are data sets or an error; data sets encode to the same bytes, also when they are put together again.
pub fn data_sets_decode_is_total(data: &[u8]) -> Reach {
    let Ok(sets) = DataSets::decode(data) else { return Reach::Refused };
    assert_eq!(sets.encode().unwrap(), data);
    for set in sets.as_slice() {
        assert_eq!(sets.get(set.purpose()), Some(set));
        if let Ok(smid) = set.smid() {
            let naming = DataSet::naming(set.purpose(), &smid).unwrap();
            assert_eq!(naming.smid(), Ok(smid));
        }
        let values = DataTag::ALL.iter().filter_map(|&tag| set.value(tag)).map(|value| 2 + value.len());
        assert!(values.sum::<usize>() <= data.len() && Purpose::ALL.contains(&set.purpose()));
    }
    Reach::Held
}
