//! The card's side of the connection.

use core::time::Duration;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::thread;
use std::time::Instant;

use apdu::{Header, StatusWord};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::card::Card;
use crate::gp::SecurityDomain;
use crate::vpcd::atr::Atr;
use crate::vpcd::frame::{Frame, FrameReader};

/// The port of the first virtual reader, unless `pcscd` was told another; the second has the next one.
pub const PORT: u16 = 35963;

/// A card that a reader powers, resets and sends commands.
///
/// A pair of closures is one: the first answers a command, the second is the reset.
///
/// # Examples
/// ```
/// use cardroot_card::vpcd::VirtualCard;
///
/// let mut card = (|command: &[u8]| vec![command[1], 0x90, 0x00], || println!("reset"));
/// let mut response = Vec::new();
/// card.answer(&[0x00, 0xA4, 0x00, 0x00], &mut response);
/// assert_eq!(response, [0xA4, 0x90, 0x00]);
/// ```
pub trait VirtualCard {
    /// Answers a command of at least four bytes: appends data and status word to `response`, which is empty.
    ///
    /// Le must not matter to a command that has nothing to answer with: under T=0 the card is not told whether the host
    /// sent one.
    fn answer(&mut self, command: &[u8], response: &mut Vec<u8>);

    /// The card is reset, or its power comes or goes: what it knew of the session is gone.
    fn reset(&mut self);
}

impl<R: CryptoRng> VirtualCard for Card<R> {
    fn answer(&mut self, command: &[u8], response: &mut Vec<u8>) {
        response.extend_from_slice(self.process(command));
    }

    fn reset(&mut self) {
        Self::reset(self);
    }
}

impl<R: CryptoRng> apdu::CardReset for Card<R> {
    fn reset(&mut self) -> Result<(), Self::Error> {
        Self::reset(self);
        Ok(())
    }
}

impl<R: CryptoRng> VirtualCard for SecurityDomain<R> {
    fn answer(&mut self, command: &[u8], response: &mut Vec<u8>) {
        response.extend_from_slice(self.process(command));
    }

    fn reset(&mut self) {
        Self::reset(self);
    }
}

impl<C: VirtualCard + ?Sized> VirtualCard for &mut C {
    fn answer(&mut self, command: &[u8], response: &mut Vec<u8>) {
        (**self).answer(command, response);
    }

    fn reset(&mut self) {
        (**self).reset();
    }
}

impl<A: FnMut(&[u8]) -> Vec<u8>, R: FnMut()> VirtualCard for (A, R) {
    fn answer(&mut self, command: &[u8], response: &mut Vec<u8>) {
        let answer = Zeroizing::new((self.0)(command));
        response.extend_from_slice(&answer);
    }

    fn reset(&mut self) {
        (self.1)();
    }
}

/// Connects to a virtual reader. As long as nobody listens it tries again, for `patience`: the card and `pcscd` may be
/// started in any order.
///
/// # Errors
/// Returns the error of the last try.
pub fn connect(reader: impl ToSocketAddrs, patience: Duration) -> io::Result<TcpStream> {
    const PAUSE: Duration = Duration::from_millis(20);
    let start = Instant::now();
    loop {
        match TcpStream::connect(&reader) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && start.elapsed() < patience => {
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(error),
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
        }
    }
}

/// Plugs `card` into the reader at the other end of `stream`, and answers until the reader closes the connection, which takes
/// the card's power away: it is reset. Closing the connection on this side is pulling the card out.
///
/// # Errors
/// Returns the error of the connection.
pub fn serve(stream: &TcpStream, atr: &Atr, card: &mut impl VirtualCard) -> io::Result<()> {
    serve_over(QuickAck(stream), stream, atr, card)
}

/// The same over any pair of byte streams.
///
/// # Errors
/// Returns the error of the streams.
pub fn serve_over(from: impl Read, to: impl Write, atr: &Atr, card: &mut impl VirtualCard) -> io::Result<()> {
    let ended = answer_frames(from, to, atr, card);
    card.reset();
    ended
}

fn answer_frames(
    from: impl Read,
    mut to: impl Write,
    atr: &Atr,
    card: &mut impl VirtualCard,
) -> io::Result<()> {
    let mut frames = FrameReader::new(from);
    let mut answer = Zeroizing::new(Vec::with_capacity(FIRST_CAPACITY));
    while let Some(frame) = frames.next_frame()? {
        answer.clear();
        answer.extend_from_slice(&[0; LEN]);
        match frame {
            Frame::PowerOff | Frame::PowerOn | Frame::Reset => {
                card.reset();
                continue;
            }
            Frame::Atr => answer.extend_from_slice(atr.bytes()),
            Frame::Command(command) => answer.extend_from_slice(&answered(card, command)),
        }
        let len = u16::try_from(answer.len() - LEN).expect("checked where a command was answered");
        *answer.first_chunk_mut().expect("room was left for the length") = len.to_be_bytes();
        // Length and answer in one piece: in two, the second would wait for the reader's acknowledgement of the first.
        to.write_all(&answer)?;
    }
    Ok(())
}

/// Length of the length of a frame in bytes.
const LEN: usize = 2;
/// Room for the longest answer of a card without extended lengths.
const FIRST_CAPACITY: usize = 512;

/// What `card` answers, or what is to be answered in its place: the driver waits for an answer to anything, for ever.
fn answered(card: &mut impl VirtualCard, command: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut response = Zeroizing::new(Vec::with_capacity(FIRST_CAPACITY));
    if command.len() < Header::LEN {
        response.extend(StatusWord::WRONG_LENGTH.bytes());
        return response;
    }
    card.answer(command, &mut response);
    // No response of a card, or none that fits a frame.
    if !(StatusWord::LEN..=usize::from(u16::MAX)).contains(&response.len()) {
        response = Zeroizing::new(StatusWord::NO_DIAGNOSIS.bytes().to_vec());
    }
    response
}

/// Acknowledges at once what it reads.
///
/// The driver writes length and bytes of a frame separately. The second write waits for the acknowledgement of the first,
/// which a system holds back for some 40 ms; the wish for quick ones does not last, so it comes before every read.
struct QuickAck<'a>(&'a TcpStream);

impl Read for QuickAck<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            #[cfg(target_os = "android")]
            use std::os::android::net::TcpStreamExt;
            #[cfg(target_os = "linux")]
            use std::os::linux::net::TcpStreamExt;
            self.0.set_quickack(true)?;
        }
        self.0.read(into)
    }
}
