//! Dispersion profiles and wrapped keys.

use core::str;

use ::diversify::block::Sm4Key;
use ::diversify::emv::{MdkAc, PanPsn};
use ::diversify::profile::{
    BUILT_IN, DispersionProfile, Encoding, FactorSpec, Field, Identity, OddDigits, Pad, ProfileError, Source,
    Take, Value,
};
use ::diversify::transport::{TransportKey, WrappedKey};
use ::diversify::tree::purpose::{Derived, Issuance, Purchase, Recharge};
use ::diversify::tree::{Card, City, Level, Origin, Province, Secondary, TreeKey};
use ::diversify::{Factor, LevelId, Name, pboc, sm4};
use ::tdea::TdeaKey;

use crate::Reach;
use crate::input::Input;

/// Any identity has its factors under a built-in profile or lacks a field of it, and the factors are the same one by one
/// and all at once.
///
/// Input: the fields.
pub fn dispersion_profile_is_total(data: &[u8]) -> Reach {
    let fields = fields(&mut Input::new(data));
    let identity = Identity::new(&fields);
    let mut reach = Reach::Refused;
    for profile in BUILT_IN {
        assert_eq!(profile.check(), Ok(()));
        reach = factors(&profile, &identity).or(reach);
    }
    reach
}

/// The same under any profile at all; one that contradicts itself makes no factors.
///
/// Input: number of levels, levels, number of levels in commands, these; then the fields.
pub fn dispersion_any_profile_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let levels: Vec<_> = (0..input.below(4)).map(|_| spec(&mut input)).collect();
    let apdu_order: Vec<_> = (0..input.below(4)).map(|_| level(&mut input)).collect();
    let name = Name::new("any").unwrap();
    let profile = DispersionProfile { name, version: 1, levels: &levels, apdu_order: &apdu_order };
    let fields = fields(&mut input);
    let identity = Identity::new(&fields);
    match profile.check() {
        Ok(()) => factors(&profile, &identity),
        Err(error) => {
            assert_eq!(profile.factors(&identity), Err(ProfileError::Definition(error)));
            Reach::Refused
        }
    }
}

fn fields<'a>(input: &mut Input<'a>) -> Vec<Field<'a>> {
    let mut fields = Vec::new();
    while !input.is_empty() {
        let source = source(input);
        let is_text = input.coin();
        let bytes = input.counted();
        let value = match str::from_utf8(bytes) {
            Ok(text) if is_text => Value::Text(text),
            _ => Value::Bytes(bytes),
        };
        fields.push(Field { source, value });
    }
    fields
}

fn source(input: &mut Input<'_>) -> Source {
    input.one_of(&[
        Source::ProvinceCode,
        Source::CityCode,
        Source::IssuerId,
        Source::AppSerial,
        Source::PanPsn,
        Source::Uid,
        Source::AtrTail,
        Source::Custom(Name::new("version-and-number").unwrap()),
        Source::Custom(Name::new("other").unwrap()),
    ])
}

fn level(input: &mut Input<'_>) -> LevelId {
    use LevelId::{Card, City, Parent, Province, Secondary};
    input.one_of(&[Province, City, Card, Parent, Secondary])
}

fn spec(input: &mut Input<'_>) -> FactorSpec {
    use OddDigits::{LeadingZero, Reject, TrailingF};
    let level = level(input);
    let source = source(input);
    let count = input.below(32);
    FactorSpec {
        level,
        source,
        take: input.one_of(&[Take::Whole, Take::Left(count), Take::Right(count)]),
        encoding: input.one_of(&[
            Encoding::Raw,
            Encoding::Ascii,
            Encoding::Bcd { odd: Reject },
            Encoding::Bcd { odd: LeadingZero },
            Encoding::Bcd { odd: TrailingF },
        ]),
        pad: input.one_of(&[
            Pad::EightyThenZeros,
            Pad::Ff,
            Pad::ZerosLeft,
            Pad::ZerosRight,
            Pad::Repeat,
            Pad::Reject,
        ]),
    }
}

fn factors(profile: &DispersionProfile<'_>, identity: &Identity<'_>) -> Reach {
    let factors = match profile.factors(identity) {
        Ok(factors) => factors,
        Err(error @ ProfileError::Factor { level, .. }) => {
            assert_eq!(profile.factor(level, identity), Err(error));
            return Reach::Refused;
        }
        Err(error) => panic!("{} is sound, and yet {error}", profile.name),
    };
    for level in (0..=4).filter_map(LevelId::from_code) {
        assert_eq!(factors.of(level), profile.factor(level, identity).ok());
    }
    let path: Vec<Factor> = factors.in_derivation_order().collect();
    assert_eq!(path.len(), profile.levels.len());
    let by_command: Vec<_> = profile.apdu_order.iter().filter_map(|level| factors.of(*level)).collect();
    assert!(factors.in_apdu_order().eq(by_command));

    let root = TdeaKey::from(*b"root of the tree");
    let by_steps =
        path.iter().fold(root.duplicate(), |parent, factor| pboc::derive(&parent, *factor).unwrap());
    assert!(pboc::derive_path(&root, path.iter().copied()).unwrap().ct_eq(&by_steps));
    let root = Sm4Key::from_fill(|key| *key = *b"root of the tree");
    let by_steps = path.iter().fold(root.duplicate(), |parent, factor| sm4::derive(&parent, *factor));
    assert!(sm4::derive_path(&root, path).unwrap().ct_eq(&by_steps));
    Reach::Held
}

fn transport() -> TransportKey {
    TransportKey::from_key(TdeaKey::from(*b"between centres!"))
}

/// Any bytes are a wrapped key or none, and one encodes to the same bytes. Nobody without the transport key makes one that
/// opens.
pub fn wrapped_key_decode_is_total(data: &[u8]) -> Reach {
    let Ok(wrapped) = WrappedKey::decode(data) else { return Reach::Refused };
    assert_eq!(wrapped.to_bytes(), data);
    let (transport, origin) = (transport(), wrapped.header().origin);
    assert!(transport.unwrap::<Secondary, Issuance>(&wrapped, origin).is_err());
    assert!(transport.unwrap::<Province, Recharge>(&wrapped, origin).is_err());
    assert!(transport.unwrap::<City, Recharge>(&wrapped, origin).is_err());
    assert!(transport.unwrap::<Card, Recharge>(&wrapped, origin).is_err());
    Reach::Held
}

/// A wrapped key opens as itself, as no other, and not at all once any bit of it is another.
///
/// Input: level, key, version, city, card, transport key, byte to alter, by what.
pub fn wrapped_key_altered_never_opens(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let level = input.below(4);
    let key = TdeaKey::from(input.array::<16>());
    let version = input.byte();
    let (city, card) = (Factor::from(input.array()), Factor::from(input.array()));
    match level {
        0 => altered::<Secondary, Issuance>(key, Origin::province(version), &mut input),
        1 => altered::<Province, Recharge>(key, Origin::province(version), &mut input),
        2 => altered::<City, Recharge>(key, Origin::city(version, city), &mut input),
        _ => altered::<Card, Recharge>(key, Origin::card(version, city, card), &mut input),
    }
}

fn altered<L: Level<P>, P: Derived>(key: TdeaKey, origin: Origin, input: &mut Input<'_>) -> Reach {
    let Ok(key) = TreeKey::<L, P>::from_key(key, origin) else { return Reach::Refused };
    let transport = TransportKey::from_key(TdeaKey::from(input.array::<16>()));
    let Ok(wrapped) = transport.wrap(&key) else {
        assert!(transport.check().is_err());
        return Reach::Refused;
    };
    assert!(transport.unwrap::<L, P>(&wrapped, origin).unwrap().ct_eq(&key));
    assert!(transport.unwrap::<City, Purchase>(&wrapped, origin).is_err());
    let other = Origin { version: origin.version.wrapping_add(1), ..origin };
    assert!(transport.unwrap::<L, P>(&wrapped, other).is_err());

    let mut bytes = wrapped.to_bytes();
    assert_eq!(WrappedKey::decode(&bytes), Ok(wrapped));
    let at = input.below(WrappedKey::LEN);
    bytes[at] ^= input.byte().max(1);
    if let Ok(altered) = WrappedKey::decode(&bytes) {
        assert!(transport.unwrap::<L, P>(&altered, origin).is_err());
        assert!(transport.unwrap::<L, P>(&altered, altered.header().origin).is_err());
    }
    Reach::Held
}

/// Any text is a PAN with a sequence number or is refused. The key of option A is the PBOC child of the rightmost sixteen
/// digits, parity apart, and so is that of option B unless the PAN is longer than sixteen.
///
/// Input: PSN after its length, PAN.
pub fn emv_pan_psn_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let (psn, pan) = (str::from_utf8(input.counted()), str::from_utf8(input.take_rest()));
    let (Ok(psn), Ok(pan)) = (psn, pan) else { return Reach::Refused };
    let psn = Some(psn).filter(|psn| !psn.is_empty());
    let digits = format!("{pan}{}", psn.unwrap_or("00"));
    let are_digits = digits.bytes().all(|character| character.is_ascii_digit());
    let is_valid = are_digits && (1..=19).contains(&pan.len()) && digits.len() == pan.len() + 2;
    let card = PanPsn::new(pan, psn);
    assert_eq!(card.is_ok(), is_valid);
    let Ok(card) = card else { return Reach::Refused };

    let rightmost = &digits[digits.len().saturating_sub(16)..];
    let factor = Factor::from(u64::from_str_radix(rightmost, 16).unwrap().to_be_bytes());
    let master = TdeaKey::from(*b"issuer's masters");
    let by_pboc = pboc::derive(&master, factor).unwrap().into_odd_parity();
    let master = MdkAc::from_key(master);
    assert!(master.diversify_a(&card).unwrap().expose_key().ct_eq(&by_pboc));
    let by_hash = master.diversify_b(&card).unwrap();
    assert_eq!(by_hash.expose_key().ct_eq(&by_pboc), pan.len() <= 16);
    Reach::Held
}
