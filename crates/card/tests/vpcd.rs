//! A card on the wire of a virtual reader, and under the rules of T=0.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    reason = "a panic is the report; a test program has std and no users"
)]

mod common;

use core::convert::Infallible;
use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use apdu::commands::{FileId, select_file};
use apdu::{CardTransport, Channel, CommandApdu, Protocol, Repetition, T0Transport};
use cardroot_card::vpcd::{Atr, Frame, FrameReader, T0Card, VirtualCard, connect, serve, serve_over};
use cardroot_card::{Card, CardProfile, TransportKey};
use common::{Desk, SERIAL, TestRng, hex, hex_of};

fn blank() -> Card<TestRng> {
    Card::blank(CardProfile::user(SERIAL), TransportKey::fmcos_default(), TestRng::new(0))
}

fn atr() -> Atr {
    Atr::of(&CardProfile::user(SERIAL), Protocol::T1)
}

/// Frames as they are on the wire.
fn frames(contents: &[&str]) -> Vec<u8> {
    let framed = |text: &&str| {
        let bytes = hex(text);
        [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], &bytes].concat()
    };
    contents.iter().flat_map(framed).collect()
}

/// What a card writes when it reads these frames.
fn served(card: &mut impl VirtualCard, contents: &[&str]) -> Vec<u8> {
    let mut written = Vec::new();
    serve_over(frames(contents).as_slice(), &mut written, &atr(), card).unwrap();
    written
}

#[test]
fn answers_to_reset_announce_their_protocol() {
    let profile = CardProfile::user(SERIAL);
    assert_eq!(
        hex_of(Atr::of(&profile, Protocol::T0).bytes()),
        "3B6D00000090543100".to_owned() + &hex_of(&SERIAL)
    );
    let t1 = Atr::of(&profile, Protocol::T1);
    assert!(hex_of(t1.bytes()).starts_with("3BED00000100905431008660"));
    assert_eq!(t1.bytes().iter().skip(1).fold(0, |check, byte| check ^ byte), 0);
    assert_eq!(Atr::try_from(&[0x3B; 34][..]).unwrap_err().found, 34);
    assert_eq!(Atr::try_from(&[0x3B][..]).unwrap_err().found, 1);
}

#[test]
fn commands_and_questions_are_answered_and_power_is_not() {
    let written = served(&mut blank(), &["04", "01", "04", "0084000004", "02", "00A40000021234", "00"]);
    let challenge = hex_of(&written[2 * (2 + atr().bytes().len()) + 2..][..4]);
    let atr = hex_of(atr().bytes());
    assert_eq!(written, frames(&[&atr, &atr, &format!("{challenge}9000"), "6A82"]));
}

#[test]
fn less_than_a_command_is_refused_before_the_card_sees_it() {
    let mut asked = 0;
    let mut card = (
        |_: &[u8]| {
            asked += 1;
            vec![0x90, 0x00]
        },
        || {},
    );
    assert_eq!(served(&mut card, &["", "B0", "00A4", "00A404"]), frames(&["6700", "6700", "6700", "6700"]));
    assert_eq!(served(&mut card, &["00A40400"]), frames(&["9000"]));
    assert_eq!(asked, 1);
}

#[test]
fn an_answer_that_is_none_becomes_a_status_word() {
    for len in [0, 1, 65536] {
        let mut card = (|_: &[u8]| vec![0x90; len], || {});
        assert_eq!(served(&mut card, &["00A40400"]), frames(&["6F00"]), "{len}");
    }
    let mut card = (|_: &[u8]| vec![0x90; 65535], || {});
    assert_eq!(served(&mut card, &["00A40400"]).len(), 2 + 65535);
}

#[test]
fn power_and_reset_reset_the_card() {
    let mut resets = 0;
    served(&mut (|_: &[u8]| vec![0x90, 0x00], || resets += 1), &["01", "02", "00", "04", "00A40400"]);
    // And once more at the end.
    assert_eq!(resets, 4);
}

#[test]
fn nothing_that_was_proven_outlives_the_connection() {
    for end in [&[][..], &[0x00]] {
        let mut desk = common::wallet::wallet();
        let wire = [&frames(&["0020000002 1234", "805C000104"])[..], end].concat();
        let mut written = Vec::new();
        let ended = serve_over(wire.as_slice(), &mut written, &atr(), &mut desk.card);
        assert_eq!(ended.is_ok(), end.is_empty());
        assert_eq!(written, frames(&["9000", "00000000 9000"]));
        // Not even the application is selected any more.
        desk.refused(0x6A82, "805C000104");
    }
}

#[test]
fn an_end_within_a_frame_is_an_error_and_between_frames_is_the_end() {
    let wire = frames(&["04", "00A40400"]);
    for len in 0..=wire.len() {
        let mut reader = FrameReader::new(&wire[..len]);
        let ended = loop {
            match reader.next_frame() {
                Ok(Some(_)) => {}
                ended => break ended.map(|frame| assert!(frame.is_none())),
            }
        };
        match ended {
            Ok(()) => assert!([0, 3, 9].contains(&len), "{len}"),
            Err(error) => {
                assert_eq!((error.kind(), [0, 3, 9].contains(&len)), (ErrorKind::UnexpectedEof, false))
            }
        }
    }
}

#[test]
fn frames_do_not_show_in_debug_output() {
    let wire = frames(&["A5A5A5A5"]);
    let mut reader = FrameReader::new(wire.as_slice());
    let text = format!("{:?} {:?}", reader.next_frame().unwrap(), Frame::Atr);
    assert_eq!(text, "Some(Command(4 bytes)) Atr");
}

/// A reader that writes as the driver does: length, then bytes, and nothing done about delays.
struct Reader(TcpStream);

impl Reader {
    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(&u16::try_from(bytes.len()).unwrap().to_be_bytes()).unwrap();
        self.0.write_all(bytes).unwrap();
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut len = [0; 2];
        self.0.read_exact(&mut len).unwrap();
        let mut bytes = vec![0; u16::from_be_bytes(len).into()];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }
}

/// Without quick acknowledgements a round trip takes 40 ms.
#[test]
fn a_reader_that_writes_in_two_pieces_does_not_wait() {
    const ROUNDS: u32 = 50;
    // The card starts first, and finds nobody.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let card = thread::spawn(move || {
        serve(&connect(address, Duration::from_secs(10)).unwrap(), &atr(), &mut blank()).unwrap();
    });
    thread::sleep(Duration::from_millis(50));
    let mut reader = Reader(TcpListener::bind(address).unwrap().accept().unwrap().0);
    reader.send(&[0x04]);
    assert_eq!(reader.receive(), atr().bytes());
    let start = Instant::now();
    for _ in 0..ROUNDS {
        reader.send(&hex("0084000008"));
        assert_eq!(reader.receive().len(), 10);
    }
    let each = start.elapsed() / ROUNDS;
    println!("{} us a round trip", each.as_micros());
    assert!(!cfg!(target_os = "linux") || each < Duration::from_millis(10), "{each:?}");
    drop(reader);
    card.join().unwrap();
}

#[test]
fn nobody_listening_is_an_error_after_a_while() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = connect(address, Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

/// A card without a wire, as the host's side sees it.
struct Plugged<C>(C);

impl<C: VirtualCard> CardTransport for Plugged<C> {
    type Error = Infallible;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Infallible> {
        let mut answer = Vec::new();
        self.0.answer(command, &mut answer);
        response[..answer.len()].copy_from_slice(&answer);
        Ok(answer.len())
    }
}

/// Answers with as many bytes of `AA` as P1-P2 say, and counts commands. What it was sent is in `seen`.
#[derive(Default)]
struct Fountain {
    seen: Vec<Vec<u8>>,
}

impl VirtualCard for Fountain {
    fn answer(&mut self, command: &[u8], response: &mut Vec<u8>) {
        self.seen.push(command.to_vec());
        response.resize(usize::from(u16::from_be_bytes([command[2], command[3]])), 0xAA);
        response.extend([0x90, 0x00]);
    }

    fn reset(&mut self) {}
}

/// Plays commands and answers; `{n}` is `n` bytes of `AA`.
#[track_caller]
fn t0_dialogue(steps: &[(&str, usize, &str)]) -> Vec<Vec<u8>> {
    let mut card = T0Card::new(Fountain::default());
    for (command, data, status) in steps {
        let mut answer = Vec::new();
        card.answer(&hex(command), &mut answer);
        assert_eq!(hex_of(&answer), "AA".repeat(*data) + status, "{command}");
    }
    card.into_inner().seen
}

#[test]
fn the_answer_to_a_command_with_data_waits_for_get_response() {
    let seen = t0_dialogue(&[
        ("80500004 02 1122", 0, "6104"),
        ("00C0000004", 4, "9000"),
        ("00C0000004", 0, "6985"),
        ("80500004 02 1122", 0, "6104"),
        ("80C0000003", 3, "6101"),
        ("00C0000005", 0, "6C01"),
        ("00C0000001", 1, "9000"),
        ("80500000 02 1122", 0, "9000"),
        ("80500123 02 1122", 0, "6100"),
        ("00C0000000", 256, "6123"),
        ("00C0000023", 35, "9000"),
    ]);
    assert_eq!(seen.len(), 4, "GET RESPONSE is none of the card's business");
    assert_eq!(seen[0], hex("80500004 02 1122 00"));
}

#[test]
fn another_command_drops_what_waits() {
    t0_dialogue(&[
        ("80500004 02 1122", 0, "6104"),
        ("00840000", 0, "9000"),
        ("00C0000004", 0, "6985"),
        ("80500004 02 1122", 0, "6104"),
        ("01C0000004", 0, "6E00"),
        ("00C0000004", 0, "6985"),
        ("80500004 02 1122", 0, "6104"),
        ("00C0000104", 0, "6A86"),
    ]);
}

#[test]
fn a_wrong_p3_is_put_right_without_another_run() {
    let seen = t0_dialogue(&[
        ("0084000800", 0, "6C08"),
        ("0084000808", 8, "9000"),
        ("0084000810", 0, "6C08"),
        ("0084000410", 0, "6C04"),
        ("0084000808", 8, "9000"),
        ("0084010000", 256, "9000"),
        ("0084012000", 256, "6120"),
        ("00C0000020", 32, "9000"),
        ("0084012010", 16, "6100"),
    ]);
    assert_eq!(seen.len(), 7, "the second command is the first, sent again");
}

#[test]
fn a_command_with_both_lengths_is_none_of_t0() {
    let seen = t0_dialogue(&[
        ("80500004 02 1122 00", 0, "6700"),
        ("80500004 03 1122", 0, "6700"),
        ("80500004 000002 1122", 0, "6700"),
        ("805000", 0, "6700"),
    ]);
    assert!(seen.is_empty());
}

#[test]
fn envelopes_bring_a_long_command() {
    let long = "00D60004 00012C".to_owned() + &"5A".repeat(300);
    let bytes = hex(&long);
    let (first, last) = bytes.split_at(255);
    let seen = t0_dialogue(&[
        (&format!("00C20000FF{}", hex_of(first)), 0, "9000"),
        (&format!("00C20000{:02X}{}", last.len(), hex_of(last)), 0, "6104"),
        ("00C0000004", 4, "9000"),
        // Another command in between is the end of the envelope.
        (&format!("00C20000FF{}", hex_of(first)), 0, "9000"),
        ("00840000", 0, "9000"),
        ("00C2000000", 0, "6700"),
    ]);
    assert_eq!(seen[0], bytes);
    assert_eq!(seen.len(), 2);
}

#[test]
fn endless_envelopes_are_refused() {
    let mut card = T0Card::new(Fountain::default());
    let piece = [&hex("00C20000FF")[..], &[0x5A; 255]].concat();
    let refused = (0..).find(|_| {
        let mut answer = Vec::new();
        card.answer(&piece, &mut answer);
        answer == [0x67, 0x00]
    });
    assert_eq!(refused, Some(CommandApdu::MAX_LEN / 255));
    assert!(card.into_inner().seen.is_empty());
}

#[test]
fn reset_drops_what_waits() {
    let mut card = T0Card::new(Fountain::default());
    let mut answer = Vec::new();
    card.answer(&hex("80500004021122"), &mut answer);
    card.reset();
    answer.clear();
    card.answer(&hex("00C0000004"), &mut answer);
    assert_eq!(answer, [0x69, 0x85]);
}

/// The host's side of T=0 and the card's side of it cancel each other out.
#[test]
fn a_card_answers_the_same_under_both_protocols() {
    let mut whole = Desk::user();
    let (mut t1, mut t0) =
        (Channel::new(blank()), Channel::new(T0Transport::new(Plugged(T0Card::new(blank())))));
    let commands = [
        "00A40000023F0000",
        "00A40000023F00",
        "0084000004",
        "0084000008",
        "0084000000",
        "00A4000002001500",
        "00B0950000",
        "80E03F0111 38 0600 F0 AA 95 FFFF A00000000386980701",
        "0020000003123456",
        "0082000008 0000000000000000",
        "00880001 08 0000000000000000 08",
        "80500000 00",
        "00",
    ];
    let mut compared = 0;
    for text in commands {
        let bytes = hex(text);
        let Ok(command) = CommandApdu::decode(&bytes) else { continue };
        let command = command.with_repetition(Repetition::Allowed);
        let (one, other) = (t1.transmit(&command).unwrap(), t0.transmit(&command).unwrap());
        // Without Le, T=1 has no answer data where T=0 may: the status tells.
        assert_eq!(one.status(), other.status(), "{text}");
        if command.le().is_some() {
            assert_eq!(one.data(), other.data(), "{text}");
        }
        compared += 1;
    }
    assert_eq!(compared, 12);
    let select = t0.transmit(&select_file(FileId::MASTER)).unwrap().into_ok().unwrap();
    assert_eq!(select.data(), whole.ok("00A40000023F0000"));
}
