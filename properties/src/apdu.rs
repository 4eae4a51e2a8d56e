//! Commands, responses, scripts and channels.

use core::str;

use ::apdu::{
    CardTransport, Channel, CommandApdu, Header, Instruction, Le, LengthForm, RecordingTransport, Repetition,
    ResponseApdu, Script, ScriptError, ScriptedTransport, StatusClass, StatusWord, T0Transport,
};

use crate::Reach;
use crate::input::Input;

/// A command that is decoded encodes to the same bytes, and so does one that is built anew from its parts; what is no
/// command has a status word to be refused with.
pub fn apdu_command_round_trip(data: &[u8]) -> Reach {
    let command = match CommandApdu::decode(data) {
        Ok(command) => command,
        Err(error) => {
            assert_eq!(error.status().class(), StatusClass::CheckingError);
            return Reach::Refused;
        }
    };
    assert_eq!(command.encode().expose_bytes(), data);
    assert_eq!(command.encoded_len(), data.len());
    assert_eq!(command.repetition(), Repetition::Never);

    let mut rebuilt = CommandApdu::new(command.header()).with_data(command.expose_data()).unwrap();
    if let Some(le) = command.le() {
        rebuilt = rebuilt.with_le(le);
    }
    // In the shorter of the forms that it fits, it is the same command.
    let shorter = CommandApdu::decode(rebuilt.encode().expose_bytes()).unwrap();
    assert!(shorter.encoded_len() <= data.len());
    assert_eq!((shorter.header(), shorter.le()), (command.header(), command.le()));
    assert_eq!(shorter.expose_data(), command.expose_data());
    if command.form() == LengthForm::Extended {
        rebuilt = rebuilt.extended();
    }
    assert_eq!(rebuilt.encode().expose_bytes(), data);
    assert_eq!(rebuilt.case(), command.case());
    Reach::Held
}

/// A response that is decoded encodes to the same bytes; only one with `9000` is a success.
pub fn apdu_response_round_trip(data: &[u8]) -> Reach {
    let Ok(response) = ResponseApdu::decode(data) else { return Reach::Refused };
    assert_eq!(response.encode().expose_bytes(), data);
    assert_eq!(ResponseApdu::new(response.data(), response.status()).unwrap().encode().expose_bytes(), data);
    let is_ok = response.status() == StatusWord::OK;
    assert_eq!(response.into_ok().is_ok(), is_ok);
    Reach::Held
}

/// Any text is a script or an error on one of its lines. A script, played to a recorder by its own commands, is recorded
/// as it was.
pub fn apdu_script_is_total(data: &[u8]) -> Reach {
    let Ok(text) = str::from_utf8(data) else { return Reach::Refused };
    let script: Script = match text.parse() {
        Ok(script) => script,
        Err(ScriptError::Syntax { line } | ScriptError::Turn { line }) => {
            assert!((1..=text.lines().count()).contains(&line));
            return Reach::Refused;
        }
        Err(error) => panic!("parsing ends in {error}"),
    };
    let normal = script.expose_text();
    let mut recorder = RecordingTransport::new(ScriptedTransport::new(script));
    let mut response = vec![0; data.len()];
    for command in normal.lines().filter_map(|line| line.strip_prefix("> ")) {
        recorder.transmit(&bytes(command), &mut response).unwrap();
    }
    assert_eq!(recorder.transmit(&[], &mut response), Err(ScriptError::Ended));
    assert_eq!(recorder.into_script().expose_text(), normal);
    Reach::Held
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).unwrap()).collect()
}

/// Whatever a card answers, a channel comes to an end after a bounded number of exchanges, sends nothing but commands, and
/// sends none twice that may not be repeated.
///
/// Input: options, header (4), data in units of 3 bytes, Le (2), then the answers, which the card gives over and over.
pub fn apdu_channel_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let [is_chained, may_repeat, is_t0] = [input.coin(), input.coin(), input.coin()];
    let Ok(header) = Header::try_from(input.array()) else { return Reach::Refused };
    let body = vec![0x5A; 3 * usize::from(input.byte())];
    let mut command = CommandApdu::new(header).with_data(&body).unwrap();
    if let Some(le) = Le::new(input.u16().into()) {
        command = command.with_le(le);
    }
    if may_repeat {
        command = command.with_repetition(Repetition::Allowed);
    }
    let mut card = FuzzedCard::new(&mut input, is_t0);
    let reach = if is_t0 {
        transmit(&mut Channel::new(T0Transport::new(&mut card)), &command, is_chained)
    } else {
        transmit(&mut Channel::new(&mut card), &command, is_chained)
    };
    assert!(card.exchanges <= 4 + 2 * (1 + Channel::<FuzzedCard>::MAX_GET_RESPONSES));
    let is_get_response = header.instruction == Instruction::GET_RESPONSE;
    if !is_t0 && !is_chained && !is_get_response {
        let most = if may_repeat { 2 } else { 1 };
        let sent = card.headers.iter().filter(|sent| **sent == header.bytes()).count();
        assert!((1..=most).contains(&sent));
    }
    reach
}

fn transmit<T: CardTransport>(channel: &mut Channel<T>, command: &CommandApdu, is_chained: bool) -> Reach {
    let result = if is_chained { channel.transmit_chained(command) } else { channel.transmit(command) };
    let Ok(response) = result else { return Reach::Refused };
    assert!(response.data().len() <= ResponseApdu::MAX_DATA);
    assert!(!matches!(response.status().class(), StatusClass::MoreData { .. }), "data was left on the card");
    Reach::Held
}

/// A card, or the link to it, that answers what an input says, from the first answer again after the last.
struct FuzzedCard {
    answers: Vec<Answer>,
    exchanges: usize,
    is_t0: bool,
    /// Of all commands received.
    headers: Vec<[u8; Header::LEN]>,
}

enum Answer {
    Bytes(Vec<u8>),
    LinkFailure,
    /// More bytes reported than there was room for.
    Overrun,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the link failed")]
struct LinkFailed;

impl FuzzedCard {
    fn new(input: &mut Input<'_>, is_t0: bool) -> Self {
        let mut answers = Vec::new();
        while !input.is_empty() {
            answers.push(match input.byte() {
                0xFF => Answer::LinkFailure,
                0xFE => Answer::Overrun,
                len => Answer::Bytes(input.take(len.into()).to_vec()),
            });
        }
        Self { answers, exchanges: 0, is_t0, headers: Vec::new() }
    }
}

impl CardTransport for FuzzedCard {
    type Error = LinkFailed;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, LinkFailed> {
        // A T=0 card gets P3 and no more Le: the same bytes as a short command.
        let received = CommandApdu::decode(command).expect("nothing but commands is sent");
        assert!(!self.is_t0 || received.form() == LengthForm::Short && command.len() > Header::LEN);
        self.headers.push(received.header().bytes());
        let turn = self.exchanges.checked_rem(self.answers.len()).ok_or(LinkFailed)?;
        self.exchanges += 1;
        match &self.answers[turn] {
            Answer::Bytes(bytes) => {
                response[..bytes.len()].copy_from_slice(bytes);
                Ok(bytes.len())
            }
            Answer::LinkFailure => Err(LinkFailed),
            Answer::Overrun => Ok(response.len() + 1),
        }
    }
}
