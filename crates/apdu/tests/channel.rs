//! What the channel, the log and the scripts do where things go wrong.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use cardroot_apdu::{
    CardReset, CardTransport, Channel, ChannelError, Class, ClassError, CommandApdu, Header, Instruction, Le,
    Link, LoggedExchange, LoggedTransport, LogicalChannel, LogicalChannelError, Protocol, RecordingTransport,
    Repetition, ResponseApdu, ResponseError, Script, ScriptError, ScriptedTransport, StatusWord, T0Error,
    T0Transport,
};
use common::{assert_debug_hides_a5, hex};

fn script(text: &str) -> ScriptedTransport {
    ScriptedTransport::new(text.parse().unwrap())
}

fn command(text: &str) -> CommandApdu {
    CommandApdu::decode(&hex(text)).unwrap()
}

/// A card that always answers the same, and counts.
struct Parrot {
    answer: Vec<u8>,
    heard: usize,
}

impl CardTransport for Parrot {
    type Error = core::fmt::Error;

    fn transmit(&mut self, _: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        self.heard += 1;
        let room = self.answer.len().min(response.len());
        response[..room].copy_from_slice(&self.answer[..room]);
        Ok(self.answer.len())
    }
}

fn parrot(answer: &str) -> Channel<Parrot> {
    Channel::new(Parrot { answer: hex(answer), heard: 0 })
}

#[test]
fn a_command_that_must_not_be_repeated_is_sent_once() {
    let mut channel = parrot("6C11");
    let response = channel.transmit(&command("00B0000000")).unwrap();
    assert_eq!(response.status(), StatusWord::wrong_le(0x11));
    assert_eq!(channel.into_transport().heard, 1);
}

#[test]
fn a_repeated_extended_command_stays_extended() {
    let mut card = script("> 00B00000000005\n< 6C11\n> 00B00000000011\n< 9000");
    let read = command("00B00000000005").with_repetition(Repetition::Allowed);
    Channel::new(&mut card).transmit(&read).unwrap();
    card.finish().unwrap();
}

#[test]
fn a_card_that_announces_data_for_ever_is_given_up() {
    let mut channel = parrot("AA6101");
    assert!(matches!(channel.transmit(&command("00CA0066")), Err(ChannelError::Stalled)));
    assert_eq!(channel.into_transport().heard, 1 + Channel::<Parrot>::MAX_GET_RESPONSES);
}

#[test]
fn more_data_than_a_command_can_ask_for_is_an_error() {
    let error = parrot("{AA*256}6100").transmit(&command("00CA0066")).unwrap_err();
    assert_eq!(error, ChannelError::Response(ResponseError::DataTooLong { found: 65536 + 256 }));
}

#[test]
fn all_65536_bytes_arrive_by_get_response() {
    let mut text = String::from("> 00CA0066\n< 6100\n");
    for piece in 1..=256 {
        let status = if piece == 256 { "9000" } else { "6100" };
        text += &format!("> 00C0000000\n< {}{status}\n", "AA".repeat(256));
    }
    let response = Channel::new(script(&text)).transmit(&command("00CA0066")).unwrap();
    assert_eq!(response.into_ok().unwrap().data(), [0xAA; 65536]);
}

#[test]
fn a_card_pulled_out_is_an_error() {
    let error = parrot("").transmit(&command("00CA0066")).unwrap_err();
    assert_eq!(error, ChannelError::Response(ResponseError::TooShort { found: 0 }));
    let error = parrot("6000").transmit(&command("00CA0066")).unwrap_err();
    assert!(matches!(error, ChannelError::Response(ResponseError::Status(_))));
}

#[test]
fn a_transport_that_overruns_its_buffer_is_an_error() {
    let error = parrot("{AA*65537}9000").transmit(&command("00CA0066")).unwrap_err();
    assert_eq!(error, ChannelError::Overrun { reported: 65539 });
}

#[test]
fn a_link_failure_is_passed_on() {
    let error = Channel::new(script("")).transmit(&command("00CA0066")).unwrap_err();
    assert_eq!(error, ChannelError::Link(ScriptError::Ended));
}

#[test]
fn the_class_of_get_response_can_be_fixed() {
    let mut card = script("> E07A0800\n< 6104\n> 00C0000004\n< 000000009000");
    let mut channel = Channel::new(&mut card).with_get_response_class(Class::ISO);
    channel.transmit(&command("E07A0800")).unwrap().into_ok().unwrap();
    card.finish().unwrap();
}

#[test]
fn only_short_interindustry_commands_chain() {
    let header = Header::proprietary(Instruction::UPDATE_BINARY, 0, 0);
    let long = CommandApdu::new(header).with_data(&[0; 256]).unwrap();
    let error = parrot("9000").transmit_chained(&long).unwrap_err();
    assert_eq!(error, ChannelError::Class(ClassError::Proprietary { byte: 0x80 }));

    let long = long.with_header(Header::iso(Instruction::UPDATE_BINARY, 0, 0)).with_le(Le::new(257).unwrap());
    let error = parrot("9000").transmit_chained(&long).unwrap_err();
    assert_eq!(error, ChannelError::ChainedLe { found: 257 });
}

/// Whatever a card says between the parts, except `9000`, ends the chain: a warning is no consent.
#[test]
fn a_warning_in_the_middle_breaks_a_chain() {
    let long = CommandApdu::new(Header::iso(Instruction::UPDATE_BINARY, 0, 0)).with_data(&[0; 600]).unwrap();
    for answer in ["6282", "6110", "9100"] {
        let mut channel = parrot(answer);
        let error = channel.transmit_chained(&long).unwrap_err();
        assert!(matches!(error, ChannelError::ChainBroken { part: 0, .. }), "{answer}: {error}");
        assert_eq!(channel.into_transport().heard, 1);
    }
}

#[test]
fn the_last_part_of_a_chain_is_not_repeated() {
    let part = "AA".repeat(255);
    let mut card = script(&format!("> 10CB3FFFFF{part}\n< 9000\n> 00CB3FFF01AA00\n< 6C10"));
    let long = command(&format!("00CB3FFF000100{part}AA0100")).with_repetition(Repetition::Allowed);
    let response = Channel::new(&mut card).transmit_chained(&long).unwrap();
    assert_eq!(response.status(), StatusWord::wrong_le(0x10));
    card.finish().unwrap();
}

#[test]
fn an_envelope_that_ends_full_is_followed_by_an_empty_one() {
    // 4 + 3 + 503 bytes are two full pieces.
    let long = CommandApdu::new(Header::iso(Instruction::UPDATE_BINARY, 0, 0)).with_data(&[0; 503]).unwrap();
    let mut recorder = RecordingTransport::new(Parrot { answer: hex("9000"), heard: 0 });
    Channel::new(T0Transport::new(&mut recorder)).transmit(&long).unwrap().into_ok().unwrap();
    let text = recorder.into_script().expose_text();
    let sent: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("> ")).collect();
    assert_eq!(sent.len(), 3);
    assert!(sent[0].starts_with("00C20000FF00D600000001F7") && sent[1].starts_with("00C20000FF00"));
    assert_eq!(sent[2], "00C2000000");
}

#[test]
fn a_refused_envelope_ends_the_command() {
    let long = CommandApdu::new(Header::iso(Instruction::UPDATE_BINARY, 0, 0)).with_data(&[0; 503]).unwrap();
    let mut card = Parrot { answer: hex("6D00"), heard: 0 };
    let error = Channel::new(T0Transport::new(&mut card)).transmit(&long).unwrap_err();
    let status = StatusWord::INSTRUCTION_NOT_SUPPORTED;
    assert_eq!(error, ChannelError::Link(T0Error::EnvelopeRefused { piece: 0, status }));
    assert_eq!(card.heard, 1);
}

#[test]
fn t0_refuses_bytes_that_are_no_command() {
    let mut card = T0Transport::new(script(""));
    assert!(matches!(card.transmit(&[0x04], &mut [0; 2]), Err(T0Error::Command(_))));
}

/// Sends `command` to a card that answers `answer`, with a log, and returns its only line.
fn logged(command: &[u8], answer: &str) -> (LoggedExchange, String) {
    let mut log = Vec::new();
    let card = Parrot { answer: hex(answer), heard: 0 };
    let mut card = LoggedTransport::new(card, |exchange: &LoggedExchange| log.push(*exchange));
    card.transmit(command, &mut [0; ResponseApdu::MAX_LEN]).unwrap();
    assert_eq!(log.len(), 1);
    (log[0], log[0].to_string())
}

#[test]
fn the_log_has_headers_lengths_and_status_words() {
    for (sent, answer, line) in [
        ("00B0950010", "{AA*16}9000", "00B09500 Le 16 -> 16 bytes, 9000, normal completion"),
        ("84D4010214{AA*20}", "6988", "84D40102 Lc 20 -> 6988, secure-messaging object wrong"),
        (
            "80E2000001AA00",
            "6D00",
            "80E20000 Lc 1 Le 256 -> 6D00, instruction unknown or not allowed in this state",
        ),
        ("00A4", "00", "2 bytes that are no command -> 1 bytes that are no response"),
        ("00A40000", "FFFF", "00A40000 -> 2 bytes that are no response"),
    ] {
        assert_eq!(logged(&hex(sent), answer).1, line);
    }
    let mut lines = Vec::new();
    let mut card =
        LoggedTransport::new(script(""), |exchange: &LoggedExchange| lines.push(exchange.to_string()));
    assert_eq!(card.transmit(&hex("00A40000"), &mut []), Err(ScriptError::Ended));
    assert_eq!(lines, ["00A40000 -> link failed"]);
}

#[test]
fn the_log_never_has_data() {
    for sent in ["0020000006{A5*6}", "0020000000A5{A5*165}", "A5{A5*2}", "00200000{A5*6}"] {
        let (exchange, line) = logged(&hex(sent), "{A5*20}9000");
        assert_debug_hides_a5(&exchange);
        assert!(!line.contains("A5"), "{line}");
    }
}

#[test]
fn a_script_tells_where_a_dialogue_leaves_it() {
    let mut response = [0; 4];
    let mut card = script("# one\n> 00A4 0000\n<  9000\n\n> 00B0000000\n< AABBCC9000");
    assert_eq!(
        card.transmit(&hex("00A40100"), &mut response),
        Err(ScriptError::Deviation { line: 2, position: 2 })
    );
    assert_eq!(
        card.transmit(&hex("00A4000001"), &mut response),
        Err(ScriptError::Deviation { line: 2, position: 4 })
    );
    assert_eq!(card.transmit(&hex("00A40000"), &mut response), Ok(2));
    assert_eq!(
        card.transmit(&hex("00B0000000"), &mut response),
        Err(ScriptError::Buffer { needed: 5, found: 4 })
    );
    assert_eq!(card.finish(), Err(ScriptError::Unplayed { line: 5 }));
}

#[test]
fn malformed_scripts_are_errors() {
    for (text, error) in [
        ("> 00A40000\n> 00A40000", ScriptError::Turn { line: 2 }),
        ("< 9000", ScriptError::Turn { line: 1 }),
        ("> 00A40000", ScriptError::Turn { line: 1 }),
        ("> 0", ScriptError::Syntax { line: 1 }),
        ("> 00A40000\n< 9X00", ScriptError::Syntax { line: 2 }),
        ("\n90 00", ScriptError::Syntax { line: 2 }),
        ("ü", ScriptError::Syntax { line: 1 }),
    ] {
        assert_eq!(text.parse::<Script>().unwrap_err(), error, "{text}");
    }
}

#[test]
fn what_was_recorded_plays_back() {
    let text = "> 00A40000\n< 9000\n> 00B0000002\n< AABB9000\n";
    let mut recorder = RecordingTransport::new(script(text));
    for sent in ["00A40000", "00B0000002"] {
        recorder.transmit(&hex(sent), &mut [0; 258]).unwrap();
    }
    recorder.transmit(&hex("00A40000"), &mut [0; 258]).unwrap_err();
    assert_eq!(recorder.into_script().expose_text(), text);
}

#[test]
fn scripts_do_not_show_in_debug_output() {
    assert_debug_hides_a5(&script("> 00200000A5A5\n< A5A59000"));
}

/// A link that takes 20 bytes, to a card that answers `9000` and counts its resets.
#[derive(Default)]
struct NarrowLink {
    resets: u32,
}

impl CardTransport for NarrowLink {
    type Error = core::fmt::Error;

    fn transmit(&mut self, _: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        response[..2].copy_from_slice(&[0x90, 0x00]);
        Ok(2)
    }

    fn link(&self) -> Link<'_> {
        let mut link = Link::default();
        link.atr = Some(&[0x3B, 0x00]);
        link.protocol = Some(Protocol::T1);
        (link.max_command_len, link.resets) = (20, self.resets);
        link
    }
}

impl CardReset for NarrowLink {
    fn reset(&mut self) -> Result<(), Self::Error> {
        self.resets += 1;
        Ok(())
    }
}

#[test]
fn a_command_longer_than_the_link_takes_is_not_sent() {
    let write = |len| {
        CommandApdu::new(Header::iso(Instruction::UPDATE_BINARY, 0, 0)).with_data(&vec![0; len]).unwrap()
    };
    let mut channel = Channel::new(NarrowLink::default());
    channel.transmit(&write(15)).unwrap();
    let error = channel.transmit(&write(16)).unwrap_err();
    assert_eq!(error, ChannelError::LinkLimit { needed: 21, most: 20 });
    // In envelopes of T=0 it is sent all the same.
    let mut channel = Channel::new(T0Transport::new(NarrowLink::default()));
    assert_eq!(channel.link().max_command_len, CommandApdu::MAX_LEN);
    channel.transmit(&write(16)).unwrap();
}

#[test]
fn decorators_pass_on_what_the_link_says_and_the_reset() {
    let mut recorded = RecordingTransport::new(NarrowLink::default());
    recorded.reset().unwrap();
    let mut logged = LoggedTransport::new(&mut recorded, |_: &LoggedExchange| {});
    logged.reset().unwrap();
    let mut channel = Channel::new(T0Transport::new(logged));
    channel.reset().unwrap();
    let link = channel.link();
    assert_eq!((link.resets, link.atr, link.protocol), (3, Some(&[0x3B, 0x00][..]), Some(Protocol::T0)));
    assert_eq!(Channel::new(script("")).link(), Link::default());
}

#[test]
fn everything_on_a_logical_channel_goes_there() {
    let mut basic = Channel::new(script(
        "> 0070000001\n< 029000\n> 02CA006600\n< 6101\n> 02C0000001\n< AA6100\n> 02C0000000\n< 6C01
         > 02C0000001\n< BB9000\n> 86500000\n< 9000\n> 00CA0066\n< 9000\n> 00708002\n< 9000",
    ));
    let number = basic.open_logical_channel().unwrap();
    let mut second = basic.on(number);
    assert_eq!(second.logical_channel().number(), 2);
    assert_eq!(second.transmit(&command("00CA006600")).unwrap().into_ok().unwrap().data(), [0xAA, 0xBB]);
    second.transmit(&command("84500000")).unwrap();
    assert_eq!(basic.logical_channel(), LogicalChannel::BASIC);
    basic.transmit(&command("00CA0066")).unwrap();
    basic.close_logical_channel(number).unwrap();
    basic.into_transport().finish().unwrap();
}

#[test]
fn a_chain_goes_on_its_logical_channel() {
    let part = "AA".repeat(255);
    let channel = LogicalChannel::new(5).unwrap();
    let mut card = script(&format!("> 51D60000FF{part}\n< 9000\n> 41D6000001AA\n< 9000"));
    let long = command(&format!("00D60000000100{part}AA"));
    Channel::new(&mut card).on(channel).transmit_chained(&long).unwrap().into_ok().unwrap();
    card.finish().unwrap();
}

#[test]
fn a_class_without_a_place_for_the_logical_channel_is_not_sent() {
    let mut card = script("");
    let error = Channel::new(&mut card).on(LogicalChannel::new(1).unwrap()).transmit(&command("A0A40000"));
    assert_eq!(error.unwrap_err(), ChannelError::Class(ClassError::Proprietary { byte: 0xA0 }));
}

#[test]
fn a_card_that_opens_no_logical_channel_or_a_nameless_one_is_an_error() {
    for (answer, expected) in [
        ("6A81", None),
        ("9000", Some(())),
        ("009000", Some(())),
        ("149000", Some(())),
        ("01029000", Some(())),
    ] {
        let error = parrot(answer).open_logical_channel().unwrap_err();
        let nameless = matches!(error, LogicalChannelError::Number).then_some(());
        assert_eq!(nameless, expected, "{answer}: {error}");
    }
    let error = parrot("6A86").close_logical_channel(LogicalChannel::BASIC).unwrap_err();
    assert_eq!(error.to_string(), "the card answered 6A86, wrong P1-P2");
}
