//! The wire between a virtual reader and a card, and the rules of T=0 on the card's side.

use std::io::{self, ErrorKind, Read};

use ::apdu::Header;
use ::card::vpcd::{Atr, Frame, FrameReader, T0Card, VirtualCard, serve_over};

use crate::Reach;
use crate::input::Input;

/// Any bytes from a reader, in any pieces, are frames and an end; every question is answered with a frame of its own, power and
/// reset are not, the end resets the card, and the card sees nothing shorter than a header.
pub fn vpcd_frames_are_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let most = 1 + usize::from(input.byte());
    let wire = input.take_rest();
    let (mut questions, mut resets) = (0, 0);
    let mut reader = FrameReader::new(Pieces { rest: wire, most });
    let ended = loop {
        match reader.next_frame() {
            Ok(Some(Frame::Atr | Frame::Command(_))) => questions += 1,
            Ok(Some(_)) => resets += 1,
            Ok(None) => break Reach::Held,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                break Reach::Refused;
            }
        }
    };

    let mut card = Counting::default();
    let mut written = Vec::new();
    let atr = Atr::try_from(&[0x3B, 0x00][..]).unwrap();
    let result = serve_over(Pieces { rest: wire, most }, &mut written, &atr, &mut card);
    assert_eq!(result.is_ok(), ended == Reach::Held);
    // The end takes the card's power away too.
    assert_eq!(card.resets, resets + 1);
    let mut answers = FrameReader::new(written.as_slice());
    for _ in 0..questions {
        answers.next_frame().unwrap().expect("an answer to every question");
    }
    assert!(answers.next_frame().unwrap().is_none());
    ended
}

/// Under T=0, any bytes get a status word and at most as many bytes as P3 has asked for; nothing but commands reaches the
/// card, and none of them has an Le beside its data but `00`.
///
/// Input: commands, each after its length.
pub fn t0_card_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let mut card = T0Card::new(Counting::default());
    let mut reach = Reach::Refused;
    while !input.is_empty() {
        let command = input.counted();
        let mut answer = Vec::new();
        card.answer(command, &mut answer);
        let (given, status) = answer.split_last_chunk::<2>().unwrap();
        let asked = match command.get(Header::LEN..) {
            Some([] | [0]) => 256,
            Some([p3]) => usize::from(*p3),
            _ => 0,
        };
        assert!(given.len() <= asked);
        if status == &[0x90, 0x00] {
            reach = Reach::Held;
        }
    }
    reach
}

/// A source that gives a few bytes at a time, and now and then is interrupted.
struct Pieces<'a> {
    rest: &'a [u8],
    most: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(self.most).min(self.rest.len());
        let (taken, rest) = self.rest.split_at(len);
        into[..len].copy_from_slice(taken);
        self.rest = rest;
        Ok(len)
    }
}

/// Answers with as many bytes as P1-P2 say, up to 600.
#[derive(Default)]
struct Counting {
    resets: usize,
}

impl VirtualCard for Counting {
    fn answer(&mut self, command: &[u8], response: &mut Vec<u8>) {
        assert!(command.len() >= Header::LEN);
        response.resize(usize::from(u16::from_be_bytes([command[2], command[3]])).min(600), 0xAA);
        response.extend([0x90, 0x00]);
    }

    fn reset(&mut self) {
        self.resets += 1;
    }
}
