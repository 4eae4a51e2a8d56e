//! What comes from the reader, cut into frames.

use std::io::{self, ErrorKind, Read};

use zeroize::{Zeroize, Zeroizing};

/// What the reader says.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Frame<'a> {
    /// `00`: takes the power away.
    PowerOff,
    /// `01`: gives it.
    PowerOn,
    /// `02`: resets the card.
    Reset,
    /// `04`: asks for the answer to reset.
    Atr,
    /// Sends bytes to be answered: a command, or what a program took for one.
    Command(&'a [u8]),
}

impl core::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::PowerOff => f.write_str("PowerOff"),
            Self::PowerOn => f.write_str("PowerOn"),
            Self::Reset => f.write_str("Reset"),
            Self::Atr => f.write_str("Atr"),
            Self::Command(bytes) => write!(f, "Command({} bytes)", bytes.len()),
        }
    }
}

/// Reads frames. The bytes of a frame are wiped before the next is read.
pub struct FrameReader<R> {
    from: R,
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes of the frame read last.
    filled: usize,
}

impl<R> core::fmt::Debug for FrameReader<R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FrameReader").finish_non_exhaustive()
    }
}

impl<R: Read> FrameReader<R> {
    /// Reads from `from`.
    pub fn new(from: R) -> Self {
        Self { from, buffer: Zeroizing::new(vec![0; usize::from(u16::MAX)]), filled: 0 }
    }

    /// The next frame, `None` at the end between two.
    ///
    /// # Errors
    /// Returns the error of the source; [`ErrorKind::UnexpectedEof`] for an end within a frame.
    pub fn next_frame(&mut self) -> io::Result<Option<Frame<'_>>> {
        self.buffer.get_mut(..self.filled).expect("no frame is longer than the buffer").zeroize();
        let mut len = [0; 2];
        match read_some(&mut self.from, &mut len)? {
            0 => return Ok(None),
            1 => self.from.read_exact(len.last_chunk_mut::<1>().expect("an array of two"))?,
            _ => {}
        }
        self.filled = usize::from(u16::from_be_bytes(len));
        let bytes = self.buffer.get_mut(..self.filled).expect("a buffer for every length of two bytes");
        self.from.read_exact(bytes)?;
        Ok(Some(match &*bytes {
            [0x00] => Frame::PowerOff,
            [0x01] => Frame::PowerOn,
            [0x02] => Frame::Reset,
            [0x04] => Frame::Atr,
            command => Frame::Command(command),
        }))
    }
}

/// Reads at least a byte, unless there is none any more.
fn read_some(from: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
