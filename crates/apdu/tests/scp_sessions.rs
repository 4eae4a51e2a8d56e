//! Host and card of protocols 02 and 03 against each other: what goes through, what closes a session, what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::std_instead_of_alloc,
    unreachable_pub,
    reason = "a panic is the report; a test program has std and no users"
)]

mod common;

use core::cell::Cell;
use std::rc::Rc;

use aeskey::{AesKey, AesKeyLength};
use cardroot_apdu::commands::gp::{
    Confidentiality, Dgi, DgiFormat, KeyReceipt, KeyVersion, PutKeyError, get_data, initialize_update,
    put_key,
};
use cardroot_apdu::secure::Rejected;
use cardroot_apdu::secure::gp::{
    CardInitialised, CardSession, DataKeyError, HostChallenge, HostSession, Initialised, PersonaliseError,
    PlainKey, Protocol, SecureChannelError, SecurityLevel, StatusPolicy, UnwrapError, WrapError, store_data,
};
use cardroot_apdu::secure::{scp02, scp03};
use cardroot_apdu::{
    CardTransport, Channel, CommandApdu, Header, Instruction, Le, Link, ResponseApdu, StatusWord,
};
use common::assert_debug_hides_a5;
use diversify::gp;
use proptest::prelude::*;
use tdea::{KcvMethod, KeyLength, TdeaKey};

const HOST: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn tdea_keys(fill: u8) -> scp02::CardKeys {
    let key = |n: u8| TdeaKey::from_fill(KeyLength::Double, |key| key.fill(fill ^ (n << 1)));
    scp02::CardKeys {
        enc: gp::Kenc::from_key(key(1)),
        mac: gp::Kmac::from_key(key(2)),
        dek: gp::Kdek::from_key(key(3)),
    }
}

fn aes_keys(fill: u8, length: AesKeyLength) -> scp03::CardKeys {
    let key = |n: u8| AesKey::from_fill(length, |key| key.fill(fill ^ n));
    scp03::CardKeys {
        enc: gp::aes::Kenc::from_key(key(1)),
        mac: gp::aes::Kmac::from_key(key(2)),
        dek: gp::aes::Kdek::from_key(key(3)),
    }
}

/// Both sides after INITIALIZE UPDATE, the host with the keys of `fill`, the card with those of 0x11.
fn scp02_pair(fill: u8) -> (Initialised<scp02::Scp02>, CardInitialised<scp02::Scp02>) {
    let keys = tdea_keys(0x11);
    let side =
        scp02::CardSide { key_data: [0; 10], key_version: 1, keys: &keys, sequence: 7, challenge: [9; 6] };
    let (answer, card) = scp02::answer(HOST, &side).unwrap();
    (scp02::initialise(HostChallenge::from(HOST), &answer, &tdea_keys(fill)).unwrap(), card)
}

fn scp03_pair(
    fill: u8,
    length: AesKeyLength,
    implementation: scp03::Implementation,
) -> (Initialised<scp03::Scp03>, CardInitialised<scp03::Scp03>) {
    let keys = aes_keys(0x11, length);
    let side = scp03::CardSide {
        key_data: [0; 10],
        key_version: 1,
        keys: &keys,
        implementation,
        challenge: [9; 8],
        sequence: [0, 0, 1],
    };
    let (answer, card) = scp03::answer(HOST, &side);
    let answer = scp03::Answer::decode(answer.encode().expose_bytes()).unwrap();
    (scp03::initialise(HostChallenge::from(HOST), &answer, &aes_keys(fill, length)), card)
}

type Pair<P> = (HostSession<P>, CardSession<P>);

fn open<P: Protocol>((host, card): (Initialised<P>, CardInitialised<P>), level: P::Level) -> Pair<P> {
    let waiting = host.verify_card().unwrap().external_authenticate(level);
    let card = card.authenticate(waiting.command()).unwrap();
    (waiting.confirm(reply(&[], 0x9000)).unwrap(), card)
}

fn open02(level: scp02::SecurityLevel) -> Pair<scp02::Scp02> {
    open(scp02_pair(0x11), level)
}

fn open03(level: scp03::SecurityLevel) -> Pair<scp03::Scp03> {
    open(scp03_pair(0x11, AesKeyLength::Aes128, scp03::Implementation::I70), level)
}

fn reply(data: &[u8], status: u16) -> ResponseApdu {
    ResponseApdu::new(data, StatusWord::try_from(status).unwrap()).unwrap()
}

fn command(cla: u8, data: &[u8], le: Option<Le>) -> CommandApdu {
    let header = Header::try_from([cla, 0xE2, 0x12, 0x34]).unwrap();
    let command = CommandApdu::new(header).with_data(data).unwrap();
    match le {
        Some(le) => command.with_le(le),
        None => command,
    }
}

/// Sends `exchanges` through both sides, which must stay open.
fn exchange<P: Protocol>((host, card): &mut Pair<P>, exchanges: &[(u8, Vec<u8>, Vec<u8>, u16)]) {
    for (cla, data, answer, status) in exchanges {
        let plain = command(*cla, data, Some(Le::MAX_SHORT));
        let wrapped = host.wrap(&plain).unwrap();
        let unwrapped = card.unwrap(&wrapped.command).unwrap();
        assert_eq!(unwrapped.command.encode().expose_bytes(), plain.encode().expose_bytes());
        let sealed = unwrapped.reply.seal(reply(answer, *status)).unwrap();
        let opened = wrapped.reply.open(sealed).unwrap();
        assert_eq!((opened.data(), opened.status().word()), (&answer[..], *status));
        assert!(!host.is_closed() && !card.is_closed());
    }
}

fn exchanges() -> impl Strategy<Value = Vec<(u8, Vec<u8>, Vec<u8>, u16)>> {
    let data = || proptest::collection::vec(any::<u8>(), 0..=239);
    let success = (data(), prop_oneof![Just(0x9000_u16), Just(0x6310), Just(0x6200)]);
    // A refusal of protocol 03 has no data.
    let refusal = (Just(Vec::new()), prop_oneof![Just(0x6A88_u16), Just(0x6D00), Just(0x6985)]);
    let class = prop_oneof![Just(0x80_u8), Just(0x00), Just(0x82), Just(0x03)];
    let one = (class, data(), prop_oneof![success, refusal]);
    proptest::collection::vec(one.prop_map(|(cla, data, (answer, status))| (cla, data, answer, status)), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn host_and_card_agree_at_every_level_of_scp02(exchanges in exchanges()) {
        for level in scp02::SecurityLevel::ALL {
            exchange(&mut open02(*level), &exchanges);
        }
    }

    #[test]
    fn host_and_card_agree_at_every_level_of_scp03(exchanges in exchanges()) {
        for length in [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256] {
            for implementation in scp03::Implementation::ALL {
                for level in scp03::SecurityLevel::ALL.iter().filter(|level| implementation.supports(**level)) {
                    exchange(&mut open(scp03_pair(0x11, length, implementation), *level), &exchanges);
                }
            }
        }
    }

    /// Keys of the host differ from those of the card: neither side's proof is taken by the other.
    #[test]
    fn other_keys_prove_nothing(fill in any::<u8>().prop_filter("other keys", |fill| fill & 0xFE != 0x10)) {
        prop_assert!(scp02_pair(fill).0.verify_card().is_err());
        prop_assert!(scp03_pair(fill, AesKeyLength::Aes256, scp03::Implementation::I60).0.verify_card().is_err());
    }
}

/// Flips every bit of a wrapped command, header and data, and of the reply to it. `open` opens a fresh pair.
fn every_flipped_bit_closes<P: Protocol>(open: impl Fn() -> Pair<P>, protects_replies: bool) -> usize {
    let plain = command(0x80, b"confidential data", Some(Le::MAX_SHORT));
    let bytes = {
        let (mut host, _) = open();
        host.wrap(&plain).unwrap().command.encode().expose_bytes().to_vec()
    };
    let mut flipped = 0;
    // Lc and Le are lengths: flipped, they make another command or none.
    let text = (0..4).chain(5..bytes.len() - 1);
    for bit in text.flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let (_, mut card) = open();
        let mut altered = bytes.clone();
        altered[bit.0] ^= 1 << bit.1;
        // The logical channel is not under the MAC, by design: GET RESPONSE and the card's routing may change it.
        if bit.0 == 0 && bit.1 < 2 {
            continue;
        }
        let Ok(altered) = CommandApdu::decode(&altered) else { continue };
        assert_eq!(card.unwrap(&altered).unwrap_err(), UnwrapError::Rejected(Rejected), "{bit:?}");
        assert!(card.is_closed());
        assert_eq!(card.unwrap(&altered).unwrap_err(), UnwrapError::Closed);
        flipped += 1;
    }
    if !protects_replies {
        return flipped;
    }
    let answer = b"an answer";
    let sealed = {
        let (mut host, mut card) = open();
        let wrapped = host.wrap(&plain).unwrap().command;
        let sealed = card.unwrap(&wrapped).unwrap().reply.seal(reply(answer, 0x9000)).unwrap();
        sealed.data().to_vec()
    };
    for (at, bit) in (0..sealed.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let (mut host, _) = open();
        let mut altered = sealed.clone();
        altered[at] ^= 1 << bit;
        let wrapped = host.wrap(&plain).unwrap();
        assert_eq!(wrapped.reply.open(reply(&altered, 0x9000)).unwrap_err(), Rejected, "{at} {bit}");
        assert_eq!(host.wrap(&plain).unwrap_err(), WrapError::Closed);
        assert_eq!(host.data_key().unwrap_err(), WrapError::Closed);
        flipped += 1;
    }
    for (altered, status) in
        [(&sealed[..], 0x6200), (&sealed[..], 0x6310), (&sealed[..7], 0x9000), (&[], 0x9000)]
    {
        let (mut host, _) = open();
        let wrapped = host.wrap(&plain).unwrap();
        assert_eq!(wrapped.reply.open(reply(altered, status)).unwrap_err(), Rejected);
        assert!(host.is_closed());
    }
    flipped
}

#[test]
fn every_flipped_bit_of_command_or_response_closes_the_session() {
    let mut flipped = 0;
    for level in scp02::SecurityLevel::ALL.iter().filter(|level| level.byte() != 0) {
        flipped += every_flipped_bit_closes(|| open02(*level), level.byte() & 0x10 != 0);
    }
    for level in scp03::SecurityLevel::ALL.iter().filter(|level| level.byte() != 0) {
        flipped += every_flipped_bit_closes(|| open03(*level), level.byte() & 0x10 != 0);
    }
    println!("{flipped} flipped bits");
    assert_eq!(flipped, 3269);
}

#[test]
fn a_flipped_bit_of_external_authenticate_authenticates_nobody() {
    let bytes = |pair: Initialised<_>| {
        let waiting = pair.verify_card().unwrap().external_authenticate(scp02::SecurityLevel::Mac);
        waiting.command().encode().expose_bytes().to_vec()
    };
    let bytes = bytes(scp02_pair(0x11).0);
    let mut refused = 0;
    for (at, bit) in (0..bytes.len()).filter(|at| *at != 4).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut altered = bytes.clone();
        altered[at] ^= 1 << bit;
        // The channel is not under the MAC.
        let Ok(altered) = CommandApdu::decode(&altered) else { continue };
        if (at, bit) == (0, 0) || (at, bit) == (0, 1) {
            continue;
        }
        assert_eq!(scp02_pair(0x11).1.authenticate(&altered).unwrap_err(), Rejected, "{at} {bit}");
        refused += 1;
    }
    assert!(refused > 150, "{refused}");
}

#[test]
fn a_replayed_command_is_rejected() {
    let plain = command(0x80, b"data", None);
    let (mut host, mut card) = open02(scp02::SecurityLevel::MacAndCipher);
    let wrapped = host.wrap(&plain).unwrap();
    let sealed = card.unwrap(&wrapped.command).unwrap().reply.seal(reply(&[], 0x9000)).unwrap();
    assert_eq!(card.unwrap(&wrapped.command).unwrap_err(), UnwrapError::Rejected(Rejected));
    wrapped.reply.open(sealed).unwrap();

    let (mut host, mut card) = open03(scp03::SecurityLevel::MacAndCipherBothWays);
    let wrapped = host.wrap(&plain).unwrap();
    let _ = card.unwrap(&wrapped.command).unwrap().reply.seal(reply(&[], 0x9000)).unwrap();
    assert_eq!(card.unwrap(&wrapped.command).unwrap_err(), UnwrapError::Rejected(Rejected));
}

#[test]
fn a_command_without_protection_closes_the_card_s_session() {
    let plain = command(0x80, b"data", None);
    let (_, mut card) = open02(scp02::SecurityLevel::Mac);
    assert_eq!(card.unwrap(&plain).unwrap_err(), UnwrapError::Rejected(Rejected));
    assert!(card.is_closed());
    // And at level 00 one with it.
    let (_, mut card) = open02(scp02::SecurityLevel::Authenticated);
    assert_eq!(card.unwrap(&command(0x84, b"data", None)).unwrap_err(), UnwrapError::Rejected(Rejected));
}

#[test]
fn empty_data_that_is_enciphered_is_rejected() {
    // What Py-GP sends at level 03: a block of padding in a command that has no data.
    let (mut host, mut card) = open02(scp02::SecurityLevel::MacAndCipher);
    let mac = host.wrap(&command(0x80, &[], None)).unwrap().command.expose_data().to_vec();
    let keys = tdea_keys(0x11).scp02_session(7).unwrap();
    let mut padding = [0x80, 0, 0, 0, 0, 0, 0, 0];
    keys.enc.expose_key().cipher().encrypt(tdea::Mode::CBC_ZERO_IV, &mut padding).unwrap();
    let forged = command(0x84, &[&padding[..], &mac].concat(), None);
    assert_eq!(card.unwrap(&forged).unwrap_err(), UnwrapError::Rejected(Rejected));
}

#[test]
fn a_reply_that_never_comes_closes_the_session() {
    let (mut host, _) = open03(scp03::SecurityLevel::MacBothWays);
    drop(host.wrap(&command(0x80, &[], None)).unwrap());
    assert_eq!(host.wrap(&command(0x80, &[], None)).unwrap_err(), WrapError::Closed);
}

#[test]
fn status_words_close_as_the_policy_says() {
    for (status, policy, closed) in [
        (0x6982, StatusPolicy::SecurityErrors, true),
        (0x6987, StatusPolicy::SecurityErrors, true),
        (0x6988, StatusPolicy::SecurityErrors, true),
        (0x6A88, StatusPolicy::SecurityErrors, false),
        (0x6A88, StatusPolicy::Failures, true),
        (0x9000, StatusPolicy::Failures, false),
        (0x6310, StatusPolicy::Failures, false),
    ] {
        let (host, _) = open02(scp02::SecurityLevel::Mac);
        let mut host = host.with_policy(policy);
        let wrapped = host.wrap(&command(0x80, &[], None)).unwrap();
        assert_eq!(wrapped.reply.open(reply(&[], status)).unwrap().status().word(), status);
        assert_eq!(host.is_closed(), closed, "{status:04X} {policy:?}");
    }
}

#[test]
fn a_refusal_of_scp03_has_no_mac_and_no_data() {
    let (mut host, mut card) = open03(scp03::SecurityLevel::MacBothWays);
    let wrapped = host.wrap(&command(0x80, &[], None)).unwrap();
    let sealed = card.unwrap(&wrapped.command).unwrap().reply.seal(reply(b"data", 0x6A80)).unwrap();
    assert!(sealed.data().is_empty());
    assert_eq!(wrapped.reply.open(reply(b"data", 0x6A80)).unwrap_err(), Rejected);
    assert!(host.is_closed());
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_the_session_open() {
    for (level, max) in [(scp02::SecurityLevel::Mac, 247), (scp02::SecurityLevel::MacAndCipher, 239)] {
        let (mut host, mut card) = open02(level);
        let refused = |host: &mut HostSession<_>, command: &CommandApdu| host.wrap(command).unwrap_err();
        assert_eq!(
            refused(&mut host, &command(0x80, &vec![0; max + 1], None)),
            WrapError::TooLong { max, found: max + 1 }
        );
        assert_eq!(refused(&mut host, &command(0x80, &[1], None).extended()), WrapError::Extended);
        for byte in [0x84, 0x0C, 0x10, 0xA0, 0x40] {
            assert_eq!(refused(&mut host, &command(byte, &[1], None)), WrapError::Class { byte });
        }
        let wrapped = host.wrap(&command(0x80, &vec![0; max], None)).unwrap();
        assert_eq!(card.unwrap(&wrapped.command).unwrap().command.expose_data().len(), max);
    }
    let (mut host, mut card) = open03(scp03::SecurityLevel::MacAndCipherBothWays);
    let wrapped = host.wrap(&command(0x80, &[], None)).unwrap();
    let unwrapped = card.unwrap(&wrapped.command).unwrap();
    let refused = unwrapped.reply.seal(reply(&[0; 240], 0x9000)).unwrap_err();
    assert_eq!((refused.max, refused.found), (239, 240));
    assert!(card.is_closed());
}

#[test]
fn an_le_makes_room_for_the_mac_of_the_reply() {
    let short = get_data(0x9F7F).with_le(Le::new(45).unwrap());
    let (mut host, _) = open02(scp02::SecurityLevel::Mac);
    assert_eq!(host.wrap(&short).unwrap().command.le(), Le::new(45));
    let (mut host, _) = open02(scp02::SecurityLevel::MacBothWays);
    assert_eq!(host.wrap(&short).unwrap().command.le(), Some(Le::MAX_SHORT));
    let (mut host, _) = open02(scp02::SecurityLevel::MacBothWays);
    assert_eq!(host.wrap(&command(0x80, &[1], None)).unwrap().command.le(), None);
}

#[test]
fn check_values_are_those_of_the_keys_before_anything_is_sent() {
    let (host, _) = scp02_pair(0x22);
    let keys = tdea_keys(0x22);
    let shown = host.check_values();
    assert_eq!(shown.card.enc, keys.enc.kcv());
    assert_eq!(shown.card.mac, keys.mac.kcv());
    assert_eq!(shown.card.dek, keys.dek.kcv());
    let session = keys.scp02_session(7).unwrap();
    assert_eq!(shown.session.dek, Some(session.dek.kcv()));
    assert!(shown.to_string().starts_with("ENC "), "{shown}");
    let (host, _) = scp03_pair(0x22, AesKeyLength::Aes192, scp03::Implementation::I30);
    let keys = aes_keys(0x22, AesKeyLength::Aes192);
    assert_eq!(host.check_values().card.enc, keys.enc.kcv_by(KcvMethod::AesOnes, 3).unwrap());
    assert_eq!(host.check_values().session.dek, None);
}

#[test]
fn a_card_that_refuses_the_host_ends_it() {
    let (host, _) = scp02_pair(0x11);
    let waiting = host.verify_card().unwrap().external_authenticate(scp02::SecurityLevel::Mac);
    let refused = waiting.confirm(reply(&[], 0x6300)).unwrap_err();
    assert_eq!(refused.0.0.word(), 0x6300);
}

#[test]
fn answers_are_decoded_totally() {
    let answer = |i: u8, len: usize| {
        let mut bytes = vec![0; len];
        bytes[11] = 3;
        bytes[12] = i;
        scp03::Answer::decode(&bytes)
    };
    assert!(answer(0x60, 29).is_ok() && answer(0x70, 32).is_ok());
    for (i, len) in [(0x70, 29), (0x60, 32), (0x70, 31), (0x60, 28), (0x70, 33)] {
        assert_eq!(answer(i, len).unwrap_err(), scp03::AnswerError::Length { found: len });
    }
    assert_eq!(answer(0x71, 32).unwrap_err(), scp03::AnswerError::Implementation { found: 0x71 });
    let mut bytes = [0; 28];
    bytes[11] = 3;
    assert_eq!(scp02::Answer::decode(&bytes).unwrap_err(), scp02::AnswerError::Protocol { found: 3 });
    for found in [0, 10, 12, 14, 27, 29] {
        let mut bytes = vec![2; found];
        if let Some(byte) = bytes.get_mut(11) {
            *byte = 2;
        }
        assert_eq!(scp02::Answer::decode(&bytes).unwrap_err(), scp02::AnswerError::Length { found });
    }
}

#[test]
fn the_data_key_takes_keys_of_its_cipher_only() {
    let (host02, _) = open02(scp02::SecurityLevel::Mac);
    let (host03, _) = open03(scp03::SecurityLevel::Mac);
    let (tdea, aes) = (host02.data_key().unwrap(), host03.data_key().unwrap());
    let double = TdeaKey::from_fill(KeyLength::Double, |key| key.fill(0x25));
    let triple = TdeaKey::from_fill(KeyLength::Triple, |key| key.fill(0x25));
    let long = AesKey::from_fill(AesKeyLength::Aes192, |key| key.fill(0x25));
    assert_eq!(tdea.wrap(&PlainKey::Aes(&long)).unwrap_err(), DataKeyError::Cipher);
    assert_eq!(aes.wrap(&PlainKey::Tdea(&double)).unwrap_err(), DataKeyError::Cipher);
    assert_eq!(tdea.wrap(&PlainKey::Tdea(&triple)).unwrap_err(), DataKeyError::TripleLengthKey);
    assert_eq!(aes.encrypt(&[0; 8]).unwrap_err(), DataKeyError::NotWholeBlocks { block: 16, found: 8 });
    assert_eq!(tdea.decrypt(&[0; 7]).unwrap_err(), DataKeyError::NotWholeBlocks { block: 8, found: 7 });

    let wrapped = aes.wrap(&PlainKey::Aes(&long)).unwrap();
    assert_eq!(wrapped.as_bytes()[..3], [0x88, 0x21, 0x18]);
    assert_eq!(wrapped.as_bytes().len(), 3 + 32 + 4);
    let plain = aes.decrypt(&wrapped.as_bytes()[3..35]).unwrap();
    assert_eq!(plain.expose_bytes(), [&[0x25; 24][..], &[0; 8]].concat());
    assert_eq!(put_key(None, KeyVersion::new(1).unwrap(), 1, &[]).unwrap_err(), PutKeyError::NoKey);
    let refused = put_key(None, KeyVersion::new(1).unwrap(), 0x80, &[wrapped]).unwrap_err();
    assert_eq!(refused, PutKeyError::KeyId { found: 0x80 });
    assert_eq!(KeyVersion::new(0), None);
    assert_eq!(KeyVersion::new(0x80), None);
}

#[test]
fn a_receipt_must_name_version_and_keys() {
    let version = KeyVersion::new(0x30).unwrap();
    let kcv = TdeaKey::from_fill(KeyLength::Double, |key| key.fill(0x25)).kcv();
    let right = [&[0x30][..], kcv.as_bytes()].concat();
    let verify = |data: &[u8]| KeyReceipt::decode(data)?.verify(version, KcvMethod::TdeaZeros, &[kcv]);
    assert_eq!(verify(&right), Ok(()));
    for at in 0..right.len() {
        let mut wrong = right.clone();
        wrong[at] ^= 1;
        assert!(verify(&wrong).is_err());
    }
    for wrong in [&[][..], &[0x30], &[0x30, 1], &[&right[..], &right[1..]].concat()] {
        assert!(verify(wrong).is_err());
    }
}

/// A card of protocol 02 at the other end of a channel, which does what it is told to each command.
struct ScriptedCard {
    waiting: Option<CardInitialised<scp02::Scp02>>,
    session: Option<CardSession<scp02::Scp02>>,
    /// Plain data of the commands that came, P1 and P2 in front.
    received: Vec<Vec<u8>>,
    behaviour: fn(usize) -> Behaviour,
}

enum Behaviour {
    Answer(u16),
    BreakLink,
}

#[derive(Debug, thiserror::Error)]
#[error("link broken")]
struct Broken;

impl CardTransport for ScriptedCard {
    type Error = Broken;

    fn transmit(&mut self, bytes: &[u8], response: &mut [u8]) -> Result<usize, Broken> {
        let command = CommandApdu::decode(bytes).unwrap();
        let answer = match command.header().instruction {
            Instruction::EXTERNAL_AUTHENTICATE => {
                self.session = Some(self.waiting.take().unwrap().authenticate(&command).unwrap());
                reply(&[], 0x9000)
            }
            _ => {
                let unwrapped = self.session.as_mut().unwrap().unwrap(&command).unwrap();
                let header = unwrapped.command.header();
                self.received.push([&[header.p1, header.p2], unwrapped.command.expose_data()].concat());
                match (self.behaviour)(self.received.len()) {
                    Behaviour::Answer(status) => unwrapped.reply.seal(reply(&[], status)).unwrap(),
                    Behaviour::BreakLink => return Err(Broken),
                }
            }
        };
        let encoded = answer.encode();
        response[..encoded.len()].copy_from_slice(encoded.expose_bytes());
        Ok(encoded.len())
    }
}

fn scripted(behaviour: fn(usize) -> Behaviour) -> (Initialised<scp02::Scp02>, Channel<ScriptedCard>) {
    let (host, card) = scp02_pair(0x11);
    let card = ScriptedCard { waiting: Some(card), session: None, received: Vec::new(), behaviour };
    (host, Channel::new(card))
}

#[test]
fn a_broken_link_closes_the_channel_s_session() {
    let (host, mut channel) = scripted(|_| Behaviour::BreakLink);
    let level = scp02::SecurityLevel::MacBothWays;
    let mut card = host.verify_card().unwrap().open(&mut channel, level).unwrap();
    let refused = card.transmit(&command(0x80, &[1], None)).unwrap_err();
    assert!(matches!(refused, SecureChannelError::Channel(_)));
    let refused = card.transmit(&command(0x80, &[1], None)).unwrap_err();
    assert!(matches!(refused, SecureChannelError::Wrap(WrapError::Closed)));
}

/// A link that connects anew by itself and says so.
struct Reconnecting {
    card: ScriptedCard,
    resets: Rc<Cell<u32>>,
}

impl CardTransport for Reconnecting {
    type Error = Broken;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Broken> {
        self.card.transmit(command, response)
    }

    fn link(&self) -> Link<'_> {
        let mut link = Link::default();
        link.resets = self.resets.get();
        link
    }
}

#[test]
fn a_card_that_was_reset_is_sent_nothing_of_the_old_session() {
    let (host, channel) = scripted(|_| Behaviour::Answer(0x9000));
    let resets = Rc::new(Cell::new(1));
    let mut channel =
        Channel::new(Reconnecting { card: channel.into_transport(), resets: Rc::clone(&resets) });
    let mut card = host.verify_card().unwrap().open(&mut channel, scp02::SecurityLevel::Mac).unwrap();
    card.transmit(&command(0x80, &[1], None)).unwrap();
    resets.set(2);
    let refused = card.transmit(&command(0x80, &[2], None)).unwrap_err();
    assert!(matches!(refused, SecureChannelError::Wrap(WrapError::Closed)));
    assert!(card.session().is_closed());
    assert_eq!(channel.into_transport().card.received.len(), 1);
}

#[test]
fn data_groupings_are_packed_split_and_numbered() {
    let (host, mut channel) = scripted(|_| Behaviour::Answer(0x9000));
    let mut card =
        host.verify_card().unwrap().open(&mut channel, scp02::SecurityLevel::MacAndCipher).unwrap();
    let (small, long, secret) = ([0x11; 100], [0x22; 500], [0x33; 16]);
    let plain = |id, content| Dgi { id, content, confidentiality: Confidentiality::Plain };
    let groupings = [
        plain(0x0101, &small[..]),
        plain(0x0102, &small),
        plain(0x0103, &long),
        Dgi { id: 0x8000, content: &secret, confidentiality: Confidentiality::Encrypted },
    ];
    store_data(&mut card, &groupings, DgiFormat::GlobalPlatform).unwrap();
    let received = channel.into_transport().received;
    let heads: Vec<[u8; 2]> = received.iter().map(|block| [block[0], block[1]]).collect();
    assert_eq!(heads, [[0x08, 0], [0x08, 1], [0x08, 2], [0x08, 3], [0xE8, 4]]);
    assert_eq!(received[0][2..5], [0x01, 0x01, 100]);
    assert_eq!(received[0].len(), 2 + 2 * 103);
    assert_eq!(received[1][2..7], [0x01, 0x03, 0xFF, 0x01, 0xF4]);
    assert_eq!(received[1..4].iter().map(|block| block.len() - 2).sum::<usize>(), 505);
    assert_eq!(received[4][2..5], [0x80, 0x00, 16]);
    assert_ne!(received[4][5..], secret);
}

#[test]
fn store_data_says_what_it_can_not_store() {
    let (host, mut channel) = scripted(|block| Behaviour::Answer(if block < 2 { 0x9000 } else { 0x6A84 }));
    let mut card = host.verify_card().unwrap().open(&mut channel, scp02::SecurityLevel::Mac).unwrap();
    let grouping = |content, confidentiality| Dgi { id: 1, content, confidentiality };
    assert!(matches!(store_data(&mut card, &[], DgiFormat::Cps), Err(PersonaliseError::Nothing)));
    let (long, odd, many) = (vec![0; 65536], [0; 7], vec![0; 65535]);
    let refused = store_data(&mut card, &[grouping(&long, Confidentiality::Plain)], DgiFormat::Cps);
    assert!(matches!(refused, Err(PersonaliseError::Dgi(error)) if error.found == 65536));
    let refused = store_data(&mut card, &[grouping(&odd, Confidentiality::Encrypted)], DgiFormat::Cps);
    assert!(matches!(refused, Err(PersonaliseError::DataKey(DataKeyError::NotWholeBlocks { .. }))));
    let refused = store_data(&mut card, &[grouping(&many, Confidentiality::Plain)], DgiFormat::Cps);
    assert!(matches!(refused, Err(PersonaliseError::TooManyBlocks { found: 266 })));
    // Nothing was sent so far; the second block is refused by the card.
    let refused = store_data(&mut card, &[grouping(&many[..600], Confidentiality::Plain)], DgiFormat::Cps);
    assert!(matches!(refused, Err(PersonaliseError::Channel(SecureChannelError::Status(_)))));
    assert_eq!(channel.into_transport().received.len(), 2);
}

#[test]
fn nothing_secret_is_printed() {
    let keys = scp02::CardKeys {
        enc: gp::Kenc::from_key(TdeaKey::from([0xA5; 16])),
        mac: gp::Kmac::from_key(TdeaKey::from([0xA5; 16])),
        dek: gp::Kdek::from_key(TdeaKey::from([0xA5; 16])),
    };
    let side =
        scp02::CardSide { key_data: [0; 10], key_version: 1, keys: &keys, sequence: 0, challenge: [0; 6] };
    assert_debug_hides_a5(&side);
    let (mut host, mut card) = open03(scp03::SecurityLevel::MacAndCipherBothWays);
    assert_debug_hides_a5(&PlainKey::Tdea(&TdeaKey::from([0xA5; 16])));
    assert_debug_hides_a5(&Dgi { id: 1, content: &[0xA5; 16], confidentiality: Confidentiality::Plain });
    let data = [0xA5; 32];
    for text in [format!("{host:?}"), format!("{card:?}"), format!("{:?}", host.data_key().unwrap())] {
        assert!(text.len() < 120, "{text}");
    }
    let wrapped = host.wrap(&command(0x80, &data, None)).unwrap();
    let unwrapped = card.unwrap(&wrapped.command).unwrap();
    assert_debug_hides_a5(&unwrapped);
    assert_debug_hides_a5(&wrapped);
}

#[test]
fn a_triple_length_key_opens_no_scp02() {
    let long = || TdeaKey::from_fill(KeyLength::Triple, |key| key.fill(0x25));
    let keys = scp02::CardKeys {
        enc: gp::Kenc::from_key(long()),
        mac: gp::Kmac::from_key(long()),
        dek: gp::Kdek::from_key(long()),
    };
    let answer = scp02::Answer::decode(&[2; 28]).unwrap();
    assert!(scp02::initialise(HostChallenge::from(HOST), &answer, &keys).is_err());
    assert_eq!(initialize_update(0, &HostChallenge::from(HOST)).le(), Some(Le::MAX_SHORT));
}
