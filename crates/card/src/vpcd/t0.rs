//! A card that speaks T=0.

use apdu::{CommandApdu, Header, Instruction, StatusWord};
use zeroize::{Zeroize, Zeroizing};

use crate::vpcd::serve::VirtualCard;

/// A card that keeps to the rules of T=0, over one that does not know them.
///
/// ```text
/// header                      case 1
/// header P3                   case 2, P3 = Le, and case 1 with P3 = 00
/// header P3 data              case 3 and 4, P3 = Lc; Le is not there
/// ```
///
/// - The answer to a command with data waits: `61XX`, then GET RESPONSE in class `00` or in that of the command. Any other
///   command drops it.
/// - A P3 that is not the length of the answer is `6CXX`. The command is not carried out again when it comes with the right one.
/// - ENVELOPE brings a long command in pieces; one of less than 255 bytes, or none, is the last.
/// - Anything else is `6700`, a command with both Lc and Le above all.
///
/// # Source
/// ISO/IEC 7816-3:2006 10.3 and 12.2; ISO/IEC 7816-4:2013 11.7.
pub struct T0Card<C> {
    card: C,
    waiting: Waiting,
    envelope: Zeroizing<Vec<u8>>,
}

/// An answer that was not fetched yet.
#[derive(Default)]
enum Waiting {
    #[default]
    Nothing,
    /// For GET RESPONSE.
    Fetch { class: u8, data: Zeroizing<Vec<u8>>, status: [u8; 2] },
    /// For the same header with the right P3.
    Repeat { header: [u8; Header::LEN], data: Zeroizing<Vec<u8>>, status: [u8; 2] },
}

impl<C> core::fmt::Debug for T0Card<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("T0Card").finish_non_exhaustive()
    }
}

impl<C: VirtualCard> T0Card<C> {
    /// Puts the rules over `card`.
    pub fn new(card: C) -> Self {
        Self { card, waiting: Waiting::Nothing, envelope: Zeroizing::new(Vec::new()) }
    }

    /// The card within.
    pub fn into_inner(self) -> C {
        self.card
    }

    fn respond(&mut self, tpdu: &[u8], out: &mut Vec<u8>) -> [u8; 2] {
        let Some((header, body)) = tpdu.split_first_chunk::<{ Header::LEN }>() else {
            return StatusWord::WRONG_LENGTH.bytes();
        };
        let waiting = core::mem::take(&mut self.waiting);
        if header[1] != ENVELOPE {
            self.envelope.zeroize();
        }
        match (body, header[1]) {
            ([p3], GET_RESPONSE) => self.fetch(*header, *p3, waiting, out),
            ([p3, data @ ..], ENVELOPE) if data.len() == usize::from(*p3) => self.take_piece(header[0], data),
            ([], _) => self.outgoing(*header, 0, waiting, out),
            ([p3], _) => self.outgoing(*header, *p3, waiting, out),
            ([p3, data @ ..], _) if data.len() == usize::from(*p3) => {
                let command = Zeroizing::new([tpdu, &[0]].concat());
                self.hold(header[0], &command)
            }
            _ => StatusWord::WRONG_LENGTH.bytes(),
        }
    }

    /// Carries out a command without data.
    fn outgoing(
        &mut self,
        header: [u8; Header::LEN],
        p3: u8,
        waiting: Waiting,
        out: &mut Vec<u8>,
    ) -> [u8; 2] {
        let (data, status) = match waiting {
            Waiting::Repeat { header: before, data, status } if before == header => (data, status),
            _ => {
                let [cla, ins, p1, p2] = header;
                self.carry_out(&[cla, ins, p1, p2, p3])
            }
        };
        if data.is_empty() || data.len() == expected(p3) {
            out.extend_from_slice(&data);
            return status;
        }
        match u8::try_from(data.len() % 256) {
            Ok(right) if data.len() <= 256 => {
                self.waiting = Waiting::Repeat { header, data, status };
                StatusWord::wrong_le(right).bytes()
            }
            // More than P3 can say: the rest is fetched.
            _ => self.deliver(header[0], expected(p3), data, status, out),
        }
    }

    /// Carries out a command with data and keeps the answer.
    fn hold(&mut self, class: u8, command: &[u8]) -> [u8; 2] {
        let (data, status) = self.carry_out(command);
        self.deliver(class, 0, data, status, &mut Vec::new())
    }

    fn fetch(&mut self, header: [u8; Header::LEN], p3: u8, waiting: Waiting, out: &mut Vec<u8>) -> [u8; 2] {
        let Waiting::Fetch { class, data, status } = waiting else {
            return StatusWord::CONDITIONS_OF_USE.bytes();
        };
        let [cla, _, 0, 0] = header else { return StatusWord::WRONG_P1_P2.bytes() };
        if cla != 0x00 && cla != class {
            return StatusWord::CLASS_NOT_SUPPORTED.bytes();
        }
        let len = expected(p3);
        if len <= data.len() {
            return self.deliver(class, len, data, status, out);
        }
        let right = u8::try_from(data.len()).expect("less than P3 asks for");
        self.waiting = Waiting::Fetch { class, data, status };
        StatusWord::wrong_le(right).bytes()
    }

    /// Gives out `len` bytes of `data` and keeps the others.
    fn deliver(
        &mut self,
        class: u8,
        len: usize,
        data: Zeroizing<Vec<u8>>,
        status: [u8; 2],
        out: &mut Vec<u8>,
    ) -> [u8; 2] {
        let (given, kept) = data.split_at(len.min(data.len()));
        out.extend_from_slice(given);
        if kept.is_empty() {
            return status;
        }
        let announced = u8::try_from(kept.len()).unwrap_or(0);
        self.waiting = Waiting::Fetch { class, data: Zeroizing::new(kept.to_vec()), status };
        StatusWord::more_data(announced).bytes()
    }

    /// Takes a piece of a long command and carries it out if it is the last.
    fn take_piece(&mut self, class: u8, piece: &[u8]) -> [u8; 2] {
        if self.envelope.len() + piece.len() > CommandApdu::MAX_LEN {
            self.envelope.zeroize();
            return StatusWord::WRONG_LENGTH.bytes();
        }
        self.envelope = Zeroizing::new([self.envelope.as_slice(), piece].concat());
        if piece.len() == CommandApdu::MAX_SHORT_DATA {
            return StatusWord::OK.bytes();
        }
        let command = core::mem::take(&mut self.envelope);
        if command.len() < Header::LEN {
            return StatusWord::WRONG_LENGTH.bytes();
        }
        self.hold(class, &command)
    }

    fn carry_out(&mut self, command: &[u8]) -> (Zeroizing<Vec<u8>>, [u8; 2]) {
        let mut response = Zeroizing::new(Vec::with_capacity(512));
        self.card.answer(command, &mut response);
        match response.split_last_chunk() {
            Some((data, status)) => {
                let (len, status) = (data.len(), *status);
                response.truncate(len);
                (response, status)
            }
            None => (Zeroizing::default(), StatusWord::NO_DIAGNOSIS.bytes()),
        }
    }
}

impl<C: VirtualCard> VirtualCard for T0Card<C> {
    fn answer(&mut self, command: &[u8], response: &mut Vec<u8>) {
        let status = self.respond(command, response);
        response.extend_from_slice(&status);
    }

    fn reset(&mut self) {
        self.waiting = Waiting::Nothing;
        self.envelope.zeroize();
        self.card.reset();
    }
}

const GET_RESPONSE: u8 = Instruction::GET_RESPONSE.byte();
const ENVELOPE: u8 = Instruction::ENVELOPE.byte();

/// The number of bytes that P3 asks for.
const fn expected(p3: u8) -> usize {
    if p3 == 0 { 256 } else { p3 as usize }
}
