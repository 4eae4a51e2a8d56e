//! The security domain against our own host: key sets, data groupings, counters, locks, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use aeskey::AesKeyLength;
use apdu::commands::gp::{
    Confidentiality, Dgi, DgiFormat, Last, StatusScope, StoreData, get_data, get_status, initialize_update,
    select_security_domain,
};
use apdu::secure::gp::{
    HostChallenge, KeySet, PersonaliseError, PlainKey, SecureChannel, SecureChannelError, put_key, store_data,
};
use apdu::secure::{scp02, scp03};
use apdu::{Channel, CommandApdu, Header, StatusWord, UnexpectedStatus};
use cardroot_card::gp::{DomainKeys, DomainKeysError, DomainName, DomainProfile, SecurityDomain};
use common::domain::{aes_keys, tdea_keys, version};
use common::hex;
use diversify::gp;
use rand_core::{TryCryptoRng, TryRng, UnwrapErr};
use tdea::{KeyLength, TdeaKey};

type Card = SecurityDomain<UnwrapErr<getrandom::SysRng>>;
type Session02<'c> = SecureChannel<'c, Card, scp02::Scp02>;

fn domain(keys: DomainKeys) -> Card {
    let profile = DomainProfile { tries: 3, ..DomainProfile::new([0x4B; 10]) };
    SecurityDomain::new(profile, version(1), keys, UnwrapErr(getrandom::SysRng)).unwrap()
}

fn tdea_domain() -> Card {
    domain(DomainKeys::Tdea(tdea_keys(0x40)))
}

fn challenge() -> HostChallenge {
    HostChallenge::generate(&mut UnwrapErr(getrandom::SysRng))
}

fn open02(channel: &mut Channel<Card>, number: u8, keys: &gp::CardKeys, level: scp02::SecurityLevel) -> u16 {
    session02(channel, number, keys, level).1
}

/// A session, and the sequence counter that it was opened with.
fn session02<'c>(
    channel: &'c mut Channel<Card>,
    number: u8,
    keys: &gp::CardKeys,
    level: scp02::SecurityLevel,
) -> (Session02<'c>, u16) {
    let challenge = challenge();
    let answer = channel.transmit(&initialize_update(number, &challenge)).unwrap().into_ok().unwrap();
    let answer = scp02::Answer::decode(answer.data()).unwrap();
    let initialised = scp02::initialise(challenge, &answer, keys).unwrap();
    (initialised.verify_card().unwrap().open(channel, level).unwrap(), answer.sequence)
}

fn session03<'c>(
    channel: &'c mut Channel<Card>,
    number: u8,
    keys: &gp::aes::CardKeys,
    level: scp03::SecurityLevel,
) -> SecureChannel<'c, Card, scp03::Scp03> {
    let challenge = challenge();
    let answer = channel.transmit(&initialize_update(number, &challenge)).unwrap().into_ok().unwrap();
    let answer = scp03::Answer::decode(answer.data()).unwrap();
    scp03::initialise(challenge, &answer, keys).verify_card().unwrap().open(channel, level).unwrap()
}

fn status(card: &mut Card, command: &[u8]) -> u16 {
    u16::from_be_bytes(*card.process(command).last_chunk().unwrap())
}

/// INITIALIZE UPDATE and an EXTERNAL AUTHENTICATE that proves nothing.
fn fail_to_authenticate(card: &mut Card) -> (u16, u16) {
    let first = status(card, &hex("8050000008 0102030405060708 00"));
    (first, status(card, &hex("8482010010 00000000000000000000000000000000")))
}

#[test]
fn keys_are_replaced_and_added_and_open_sessions_at_once() {
    let mut channel = Channel::new(tdea_domain());
    let (old, new) = (tdea_keys(0x40), tdea_keys(0x60));
    let (mut card, _) = session02(&mut channel, 1, &old, scp02::SecurityLevel::MacBothWaysAndCipher);
    let set = |version, replaces| KeySet {
        version,
        replaces,
        enc: PlainKey::Tdea(new.enc.expose_key()),
        mac: PlainKey::Tdea(new.mac.expose_key()),
        dek: PlainKey::Tdea(new.dek.expose_key()),
    };
    put_key(&mut card, &set(version(0x30), Some(version(1)))).unwrap();
    // The session goes on under the keys it was opened with.
    put_key(&mut card, &set(version(0x31), None)).unwrap();
    let refusal = |result| match result {
        Err(PersonaliseError::Channel(SecureChannelError::Status(UnexpectedStatus(status)))) => status.word(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(put_key(&mut card, &set(version(0x31), None))), 0x6A80);
    assert_eq!(refusal(put_key(&mut card, &set(version(0x32), Some(version(1))))), 0x6A88);
    assert!(!card.session().is_closed());

    // Both versions are the same keys, so they share their count.
    for (number, sequence) in [(0x30, 0), (0x31, 1), (0x00, 2)] {
        assert_eq!(open02(&mut channel, number, &new, scp02::SecurityLevel::Mac), sequence);
    }
    let refused = channel.transmit(&initialize_update(1, &challenge())).unwrap().status();
    assert_eq!(refused, StatusWord::REFERENCED_DATA_NOT_FOUND);
    let information = channel.transmit(&get_data(0x00E0)).unwrap().into_ok().unwrap();
    assert_eq!(
        information.data(),
        hex("E024 C00401308010C00402308010C00403308010 C00401318010C00402318010C00403318010")
    );
}

#[test]
fn aes_keys_of_every_length_are_loaded_and_open_sessions() {
    let lengths = [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256];
    let mut channel = Channel::new(domain(DomainKeys::Aes(aes_keys(0x40, AesKeyLength::Aes128))));
    for (number, length) in (0x30..).zip(lengths) {
        let old = aes_keys(0x40, AesKeyLength::Aes128);
        let mut card = session03(&mut channel, 1, &old, scp03::SecurityLevel::MacAndCipherBothWays);
        let new = aes_keys(number, length);
        let set = KeySet {
            version: version(number),
            replaces: None,
            enc: PlainKey::Aes(new.enc.expose_key()),
            mac: PlainKey::Aes(new.mac.expose_key()),
            dek: PlainKey::Aes(new.dek.expose_key()),
        };
        put_key(&mut card, &set).unwrap();
        let mut card = session03(&mut channel, number, &new, scp03::SecurityLevel::MacBothWays);
        let status = card.transmit(&get_status(StatusScope::IssuerDomain)).unwrap().into_ok().unwrap();
        assert_eq!(status.data(), hex("E313 4F08A000000151000000 9F70010F C5039E0000"));
        let none = card.transmit(&get_status(StatusScope::Applications)).unwrap().status();
        assert_eq!(none, StatusWord::REFERENCED_DATA_NOT_FOUND);
    }
    let refused =
        session03(&mut channel, 1, &aes_keys(0x40, AesKeyLength::Aes128), scp03::SecurityLevel::Mac)
            .transmit(&CommandApdu::new(Header::try_from([0x80, 0xD8, 0x00, 0x81]).unwrap()))
            .unwrap();
    assert_eq!(refused.status(), StatusWord::WRONG_DATA);
}

#[test]
fn data_groupings_are_stored_decrypted_and_end_with_the_last_block() {
    for format in [DgiFormat::Cps, DgiFormat::GlobalPlatform] {
        let mut channel = Channel::new(tdea_domain());
        let keys = tdea_keys(0x40);
        let (mut card, _) = session02(&mut channel, 1, &keys, scp02::SecurityLevel::MacAndCipher);
        let (long, secret) = ([0x5A; 700], [0x17; 48]);
        let groupings = [
            Dgi { id: 0x0101, content: &long, confidentiality: Confidentiality::Plain },
            Dgi { id: 0x8000, content: &secret, confidentiality: Confidentiality::Encrypted },
            Dgi { id: 0x9000, content: &[1, 2, 3], confidentiality: Confidentiality::Plain },
            Dgi { id: 0x0101, content: &[], confidentiality: Confidentiality::Plain },
        ];
        store_data(&mut card, &groupings[..3], format).unwrap();
        let again = store_data(&mut card, &groupings[3..], format);
        assert!(matches!(
            again,
            Err(PersonaliseError::Channel(SecureChannelError::Status(UnexpectedStatus(
                StatusWord::CONDITIONS_OF_USE
            ))))
        ));
        let card = channel.into_transport();
        assert!(card.is_personalised());
        assert_eq!(card.expose_grouping(0x0101), Some(&long[..]));
        assert_eq!(card.expose_grouping(0x8000), Some(&secret[..]));
        assert_eq!(card.expose_grouping(0x9000), Some(&[1, 2, 3][..]));
        assert_eq!(card.expose_grouping(0x9001), None);
    }
}

#[test]
fn blocks_come_in_order_and_leave_nothing_unfinished() {
    let mut channel = Channel::new(tdea_domain());
    let (mut card, _) = session02(&mut channel, 1, &tdea_keys(0x40), scp02::SecurityLevel::Mac);
    let mut store = |last, confidentiality, block, data: &str| {
        let control = StoreData { last, confidentiality, format: DgiFormat::Cps, block };
        card.transmit(&control.command(&hex(data)).unwrap()).unwrap().status().word()
    };
    use Confidentiality::{Encrypted, Plain};
    assert_eq!(store(Last::MoreToCome, Plain, 1, "0101 01 AA"), 0x6A86);
    assert_eq!(store(Last::MoreToCome, Plain, 0, "0101 01 AA 0102 03 BB"), 0x9000);
    assert_eq!(store(Last::MoreToCome, Plain, 0, "BBBB"), 0x6A86);
    assert_eq!(store(Last::MoreToCome, Encrypted, 1, "BBBB"), 0x6A80);
    assert_eq!(store(Last::Last, Plain, 1, "BB"), 0x6A80);
    assert_eq!(store(Last::MoreToCome, Plain, 1, "BBBB"), 0x9000);
    assert_eq!(store(Last::MoreToCome, Encrypted, 2, "8000 07 01020304050607"), 0x6A80);
    // Three bytes of length where one is enough.
    assert_eq!(store(Last::MoreToCome, Plain, 2, "0103 FF0003 CCCCCC"), 0x6A80);
    assert_eq!(store(Last::MoreToCome, Plain, 2, "0103 03 CCCCCC 0103 01 DD"), 0x9000);
    assert_eq!(store(Last::Last, Plain, 3, "0104 05 EE"), 0x6A80);
    assert_eq!(store(Last::Last, Plain, 3, ""), 0x9000);
    let card = channel.into_transport();
    assert_eq!(card.expose_grouping(0x0102), Some(&[0xBB; 3][..]));
    assert_eq!(card.expose_grouping(0x0103), Some(&[0xDD][..]));
    assert_eq!(card.expose_grouping(0x0104), None);
}

#[test]
fn memory_for_groupings_ends() {
    let mut channel = Channel::new(tdea_domain());
    let (mut card, _) = session02(&mut channel, 1, &tdea_keys(0x40), scp02::SecurityLevel::Mac);
    let content = [0; 20_000];
    let grouping = Dgi { id: 1, content: &content, confidentiality: Confidentiality::Plain };
    let refused = store_data(&mut card, &[grouping], DgiFormat::Cps);
    assert!(matches!(
        refused,
        Err(PersonaliseError::Channel(SecureChannelError::Status(UnexpectedStatus(
            StatusWord::NOT_ENOUGH_MEMORY
        ))))
    ));
}

#[test]
fn put_key_demands_check_values_that_fit() {
    let mut channel = Channel::new(tdea_domain());
    let keys = tdea_keys(0x40);
    let (mut card, _) = session02(&mut channel, 1, &keys, scp02::SecurityLevel::Mac);
    let key = PlainKey::Tdea(keys.enc.expose_key());
    let wrapped = card.data_key().unwrap().wrap(&key).unwrap().as_bytes().to_vec();
    let mut put = |p1: u8, p2: u8, data: &[u8]| {
        let command =
            CommandApdu::new(Header::try_from([0x80, 0xD8, p1, p2]).unwrap()).with_data(data).unwrap();
        card.transmit(&command).unwrap().status().word()
    };
    let right = [&[0x30][..], &wrapped, &wrapped, &wrapped].concat();
    let mut last = right.clone();
    *last.last_mut().unwrap() ^= 1;
    assert_eq!(put(0, 0x81, &last), 0x6A80);
    for cut in [0, 1, 20, right.len() - 1] {
        assert_eq!(put(0, 0x81, &right[..cut]), 0x6A80, "{cut}");
    }
    assert_eq!(put(0, 0x81, &[&right[..], &[0]].concat()), 0x6A80);
    assert_eq!(put(0, 0x81, &[&[0x80], &right[1..]].concat()), 0x6A80);
    assert_eq!(put(0, 0x01, &right), 0x6A86);
    assert_eq!(put(0x81, 0x81, &right), 0x6A86);
    // A key without a check value.
    let blind = [&wrapped[..18], &[0]].concat();
    assert_eq!(put(0, 0x81, &[&[0x30][..], &blind, &blind, &blind].concat()), 0x6A80);
    assert_eq!(put(0, 0x81, &right), 0x9000);
}

#[test]
fn failures_in_a_row_lock_the_domain_for_good() {
    let mut card = tdea_domain();
    assert_eq!(fail_to_authenticate(&mut card), (0x9000, 0x6300));
    assert_eq!(card.tries_left(), 2);
    // A success gives the tries back.
    let mut channel = Channel::new(card);
    open02(&mut channel, 0, &tdea_keys(0x40), scp02::SecurityLevel::Mac);
    let mut card = channel.into_transport();
    assert_eq!(card.tries_left(), 3);
    for _ in 0..3 {
        assert_eq!(fail_to_authenticate(&mut card), (0x9000, 0x6300));
        card.reset();
    }
    assert_eq!(fail_to_authenticate(&mut card), (0x6983, 0x6985));
    assert_eq!(card.tries_left(), 0);
}

#[test]
fn one_answer_is_good_for_one_try() {
    let mut card = tdea_domain();
    fail_to_authenticate(&mut card);
    assert_eq!(status(&mut card, &hex("8482010010 00000000000000000000000000000000")), 0x6985);
    assert_eq!(card.tries_left(), 2);
}

#[test]
fn the_sequence_counter_survives_a_reset_and_counts_sessions_that_opened() {
    let mut channel = Channel::new(tdea_domain());
    let keys = tdea_keys(0x40);
    for expected in 0..3 {
        assert_eq!(open02(&mut channel, 0, &keys, scp02::SecurityLevel::Mac), expected);
        let mut card = channel.into_transport();
        fail_to_authenticate(&mut card);
        card.reset();
        channel = Channel::new(card);
    }
}

#[test]
fn a_pseudo_random_challenge_of_scp03_never_comes_back() {
    let mut card = domain(DomainKeys::Aes(aes_keys(0x40, AesKeyLength::Aes128)));
    let mut answer = || card.process(&hex("8050000008 0102030405060708 00")).to_vec();
    let (first, second) = (answer(), answer());
    assert_ne!(first[13..21], second[13..21]);
    assert_eq!((&first[29..32], &second[29..32]), (&[0, 0, 0][..], &[0, 0, 1][..]));
}

#[test]
fn a_command_that_does_not_verify_closes_the_session() {
    for (command, expected) in [
        // Without secure messaging, with a wrong MAC, without room for one.
        ("80F28002024F0000", 0x6982),
        ("84F280020A4F00000000000000000000", 0x6988),
        ("84F2800200", 0x6988),
    ] {
        let mut channel = Channel::new(tdea_domain());
        open02(&mut channel, 0, &tdea_keys(0x40), scp02::SecurityLevel::Mac);
        let mut card = channel.into_transport();
        assert_eq!(status(&mut card, &hex(command)), expected, "{command}");
        assert_eq!(status(&mut card, &hex("84F280020A4F00000000000000000000")), 0x6982, "{command}");
    }
}

#[test]
fn keys_and_groupings_need_macs() {
    let mut channel = Channel::new(tdea_domain());
    let (mut card, _) = session02(&mut channel, 0, &tdea_keys(0x40), scp02::SecurityLevel::Authenticated);
    let mut send = |header| {
        let command = CommandApdu::new(Header::try_from(header).unwrap()).with_data(&[0x4F, 0x00]).unwrap();
        card.transmit(&command).map(|answer| answer.status().word())
    };
    assert_eq!(send([0x80, 0xF2, 0x80, 0x02]).unwrap(), 0x9000);
    assert_eq!(send([0x80, 0xE2, 0x80, 0x00]).unwrap(), 0x6982);
}

#[test]
fn without_a_session_the_domain_tells_what_it_is_and_no_more() {
    let mut card = tdea_domain();
    // GlobalPlatform 2.2.3, protocol 02 with i = 15.
    let recognition = "66 30 73 2E 0607 2A864886FC6B01 600B 0609 2A864886FC6B020203
        6309 0607 2A864886FC6B03 640B 0609 2A864886FC6B040215 9000";
    assert_eq!(card.process(&hex("80CA006600")), hex(&recognition.replace('\n', "")));
    assert_eq!(card.process(&hex("00A4040000"))[..12], hex("6F10 8408 A000000151000000")[..]);
    for (command, expected) in [
        ("00A4040008A000000151000000", 0x9000),
        ("00A4040005A000000151", 0x9000),
        ("00A4040004A0000001", 0x6A82),
        ("00A4040008A000000003000000", 0x6A82),
        ("00A40000023F00", 0x6A86),
        ("80CA9F7F00", 0x9000),
        ("00CA9F7F00", 0x9000),
        ("80CA9F7F01", 0x6C2D),
        ("80CA006700", 0x6A88),
        ("80CA00E00001", 0x6700),
        ("80F28002024F0000", 0x6982),
        ("80D8008100", 0x6982),
        ("80E2800001AA", 0x6982),
        ("84E2800001AA", 0x6982),
        ("8482010010 00000000000000000000000000000000", 0x6985),
        ("8050300008 0102030405060708 00", 0x6A88),
        ("8050000108 0102030405060708 00", 0x6A86),
        ("8050000007 01020304050607 00", 0x6700),
        ("0050000008 0102030405060708 00", 0x6E00),
        ("8150000008 0102030405060708 00", 0x6881),
        ("80E40000024F00", 0x6D00),
        ("A0A4000000", 0x6E00),
        ("80CA9F7F000000", 0x6700),
        ("80", 0x6700),
    ] {
        assert_eq!(status(&mut card, &hex(command)), expected, "{command}");
    }
}

#[test]
fn a_level_that_the_variant_lacks_costs_no_try() {
    let profile = DomainProfile { scp03: scp03::Implementation::I10, ..DomainProfile::new([0; 10]) };
    let keys = DomainKeys::Aes(aes_keys(0x40, AesKeyLength::Aes128));
    let mut card = SecurityDomain::new(profile, version(1), keys, UnwrapErr(getrandom::SysRng)).unwrap();
    status(&mut card, &hex("8050000008 0102030405060708 00"));
    assert_eq!(status(&mut card, &hex("8482110010 00000000000000000000000000000000")), 0x6A86);
    assert_eq!(card.tries_left(), 10);
}

#[test]
fn triple_length_keys_make_no_domain_and_names_have_a_length() {
    let long = || TdeaKey::from_fill(KeyLength::Triple, |key| key.fill(0x25));
    let keys = gp::CardKeys {
        enc: gp::Kenc::from_key(long()),
        mac: gp::Kmac::from_key(long()),
        dek: gp::Kdek::from_key(long()),
    };
    let profile = DomainProfile::new([0; 10]);
    let made = SecurityDomain::new(profile, version(1), DomainKeys::Tdea(keys), UnwrapErr(getrandom::SysRng));
    assert_eq!(made.map(drop).unwrap_err(), DomainKeysError);
    assert_eq!(DomainName::try_from(&[0; 4][..]).unwrap_err().found, 4);
    assert_eq!(DomainName::try_from(&[0; 17][..]).unwrap_err().found, 17);
    assert_eq!(DomainName::try_from(&hex("A000000003000000")[..]), Ok(DomainName::VISA));
}

#[test]
fn the_domain_is_found_again_by_its_own_name() {
    let profile = DomainProfile { name: DomainName::VISA, ..DomainProfile::new([0; 10]) };
    let keys = DomainKeys::Tdea(tdea_keys(0x40));
    let card = SecurityDomain::new(profile, version(1), keys, UnwrapErr(getrandom::SysRng)).unwrap();
    let answer = Channel::new(card).transmit(&select_security_domain(None)).unwrap().into_ok().unwrap();
    assert_eq!(answer.data()[4..12], *DomainName::VISA.as_bytes());
}

#[test]
fn nothing_secret_is_printed() {
    let key = || TdeaKey::from_fill(KeyLength::Double, |key| key.fill(0xA5));
    let keys = gp::CardKeys {
        enc: gp::Kenc::from_key(key()),
        mac: gp::Kmac::from_key(key()),
        dek: gp::Kdek::from_key(key()),
    };
    let profile = DomainProfile::new([0; 10]);
    let card = SecurityDomain::new(profile, version(1), DomainKeys::Tdea(keys), UnwrapErr(getrandom::SysRng));
    for text in [format!("{card:?}"), format!("{card:#x?}")] {
        assert!(!text.to_lowercase().contains("a5") && !text.contains("165"), "{text}");
    }
}

/// A source that fails the test if it is asked: a pseudo-random challenge must not draw.
struct NoSource;

impl TryRng for NoSource {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        panic!("a pseudo-random challenge is not drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        panic!("a pseudo-random challenge is not drawn")
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        panic!("a pseudo-random challenge is not drawn")
    }
}

impl TryCryptoRng for NoSource {}

#[test]
fn pseudo_random_challenges_are_not_drawn() {
    let profile = DomainProfile { scp02: scp02::Implementation::I55, ..DomainProfile::new([0; 10]) };
    let mut card =
        SecurityDomain::new(profile, version(1), DomainKeys::Tdea(tdea_keys(0x40)), NoSource).unwrap();
    let answer = card.process(&hex("8050000008 0102030405060708 00")).to_vec();
    let expected =
        tdea_keys(0x40).mac.scp02_session_key(0).unwrap().scp02_card_challenge(profile.name.as_bytes());
    assert_eq!(answer[14..20], expected);
}

/// A session that somebody has recorded opens no second time: not once the same keys were loaded over themselves, with the same
/// parity bits or others, not under another version that has them.
#[test]
fn a_recorded_session_can_not_be_played_back() {
    for (replaces, flip) in [(Some(version(1)), 0), (Some(version(1)), 1), (None, 0), (None, 1)] {
        let profile = DomainProfile { scp02: scp02::Implementation::I55, ..DomainProfile::new([0; 10]) };
        let keys = tdea_keys(0x40);
        let rng = UnwrapErr(getrandom::SysRng);
        let card = SecurityDomain::new(profile, version(1), DomainKeys::Tdea(tdea_keys(0x40)), rng).unwrap();
        let mut channel = Channel::new(card);
        let challenge = HostChallenge::from([7; 8]);
        let begin = initialize_update(1, &challenge);
        let answer = channel.transmit(&begin).unwrap().into_ok().unwrap();
        let answer = scp02::Answer::decode(answer.data()).unwrap();
        let verified = scp02::initialise(challenge, &answer, &keys).unwrap().verify_card().unwrap();
        let authenticating = verified.external_authenticate(scp02::SecurityLevel::Mac);
        let authenticate = authenticating.command().encode();
        let opened = channel.transmit(authenticating.command()).unwrap();
        authenticating.confirm(opened).unwrap();

        let same = tdea_keys(0x40 ^ flip);
        let set = KeySet {
            version: version(if replaces.is_some() { 1 } else { 2 }),
            replaces,
            enc: PlainKey::Tdea(same.enc.expose_key()),
            mac: PlainKey::Tdea(same.mac.expose_key()),
            dek: PlainKey::Tdea(same.dek.expose_key()),
        };
        let (mut session, _) = session02(&mut channel, 1, &keys, scp02::SecurityLevel::MacAndCipher);
        put_key(&mut session, &set).unwrap();
        let mut card = channel.into_transport();
        card.reset();
        let begin = initialize_update(set.version.number(), &HostChallenge::from([7; 8])).encode();
        assert_eq!(status(&mut card, begin.expose_bytes()), 0x9000);
        assert_eq!(status(&mut card, authenticate.expose_bytes()), 0x6300, "{replaces:?}");
    }
}
