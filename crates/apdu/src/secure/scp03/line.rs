//! The cryptography of a session.

use core::fmt;

use aeskey::{BLOCK_LEN, Cmac, Mac};
use diversify::gp::scp03::{Senc, Smac, Srmac};

use super::SecurityLevel;
use crate::bytes::SecretBytes;
use crate::header::Header;
use crate::secure::Rejected;
use crate::secure::gp::sealed::{Line, Protections};
use crate::secure::gp::{MAC_LEN, Protocol};
use crate::status::StatusWord;

/// Keys and chaining values of a session of protocol 03. Wiped on drop.
pub struct Scp03 {
    enc: Senc,
    mac: Smac,
    rmac: Srmac,
    /// The previous C-MAC, all of it.
    chain: [u8; BLOCK_LEN],
    /// Commands since EXTERNAL AUTHENTICATE. Nobody sends 2^120 of them.
    counter: u128,
}

/// Whose data a vector of CBC is for.
#[derive(Clone, Copy)]
enum Direction {
    Command,
    Response,
}

impl Scp03 {
    pub(super) const fn new(enc: Senc, mac: Smac, rmac: Srmac) -> Self {
        Self { enc, mac, rmac, chain: [0; BLOCK_LEN], counter: 0 }
    }

    /// The MAC of a command. It becomes the chaining value.
    fn command_mac(&mut self, header: Header, data: &[u8]) -> Mac {
        let lc = (data.len() + MAC_LEN).to_le_bytes();
        let mac = Cmac::new(self.mac.expose_key())
            .chain(&self.chain)
            .chain(&header.bytes())
            // A command is at most 255 bytes long.
            .chain(lc.first_chunk::<1>().expect("a length has a lowest byte"))
            .chain(data)
            .finalize();
        self.chain = *mac.as_bytes();
        mac
    }

    fn reply_mac(&self, data: &[u8], status: StatusWord) -> Mac {
        let mac = Cmac::new(self.rmac.expose_key()).chain(&self.chain).chain(data);
        mac.chain(&status.bytes()).finalize()
    }

    /// The vector that CBC starts from.
    fn vector(&self, direction: Direction) -> [u8; BLOCK_LEN] {
        let mark = match direction {
            Direction::Command => 0,
            Direction::Response => 0x80 << 120,
        };
        let mut block = (self.counter | mark).to_be_bytes();
        self.enc.expose_key().encrypt_block(&mut block);
        block
    }

    /// No data stays no data.
    fn encipher(&self, data: &[u8], direction: Direction) -> SecretBytes {
        if data.is_empty() {
            return SecretBytes::default();
        }
        let mut out = SecretBytes::zeroed((data.len() + 1).next_multiple_of(BLOCK_LEN));
        let padded = data.iter().chain(&[PADDING_MARK]);
        out.as_mut_slice().iter_mut().zip(padded).for_each(|(out, byte)| *out = *byte);
        let key = self.enc.expose_key();
        key.encrypt_cbc(self.vector(direction), out.as_mut_slice()).expect("whole blocks");
        out
    }

    /// Called once the MAC was right, so that what is wrong with the padding is nobody's but the sender's doing.
    fn decipher(&self, data: &[u8], direction: Direction) -> Result<SecretBytes, Rejected> {
        if data.is_empty() {
            return Ok(SecretBytes::default());
        }
        let mut out = SecretBytes::from(data);
        let key = self.enc.expose_key();
        key.decrypt_cbc(self.vector(direction), out.as_mut_slice()).map_err(|_| Rejected)?;
        strip(out.expose_bytes()).map(SecretBytes::from).ok_or(Rejected)
    }
}

/// What padding starts with; zeros follow.
const PADDING_MARK: u8 = 0x80;

/// The data without its padding, which is less than a block of zeros behind the mark. Empty data is never enciphered.
fn strip(padded: &[u8]) -> Option<&[u8]> {
    let end = padded.iter().rposition(|byte| *byte != 0)?;
    let (data, padding) = padded.split_at_checked(end)?;
    let is_right = padding.first() == Some(&PADDING_MARK) && padding.len() <= BLOCK_LEN && !data.is_empty();
    is_right.then_some(data)
}

/// Whether a response with this status is protected.
const fn is_protected(status: StatusWord, with: Protections) -> bool {
    with.response_mac() && matches!(status.bytes(), [0x90, 0x00] | [0x62 | 0x63, _])
}

impl Protocol for Scp03 {
    type Level = SecurityLevel;
}

impl Line for Scp03 {
    fn protect(&mut self, header: Header, data: &[u8], with: Protections) -> SecretBytes {
        self.counter += 1;
        let mut out = match with.command_cipher() {
            true => self.encipher(data, Direction::Command),
            false => data.into(),
        };
        let mac = self.command_mac(header, out.expose_bytes());
        out.extend(&mac.truncated::<MAC_LEN>());
        out
    }

    fn unprotect(&mut self, header: Header, data: &[u8], with: Protections) -> Result<SecretBytes, Rejected> {
        self.counter += 1;
        let (data, received) = data.split_last_chunk::<MAC_LEN>().ok_or(Rejected)?;
        self.command_mac(header, data).verify(received).map_err(|_| Rejected)?;
        match with.command_cipher() {
            true => self.decipher(data, Direction::Command),
            false => Ok(data.into()),
        }
    }

    fn open(&mut self) {
        self.counter = 0;
    }

    fn seal(&mut self, data: SecretBytes, status: StatusWord, with: Protections) -> SecretBytes {
        if !is_protected(status, with) {
            // A refusal has no data where responses are protected.
            return if with.response_mac() { SecretBytes::default() } else { data };
        }
        let mut out = match with.response_cipher() {
            true => self.encipher(data.expose_bytes(), Direction::Response),
            false => data,
        };
        let mac = self.reply_mac(out.expose_bytes(), status);
        out.extend(&mac.truncated::<MAC_LEN>());
        out
    }

    fn unseal(
        &mut self,
        data: SecretBytes,
        status: StatusWord,
        with: Protections,
    ) -> Result<SecretBytes, Rejected> {
        if !is_protected(status, with) {
            return if with.response_mac() && !data.is_empty() { Err(Rejected) } else { Ok(data) };
        }
        let (data, received) = data.expose_bytes().split_last_chunk::<MAC_LEN>().ok_or(Rejected)?;
        self.reply_mac(data, status).verify(received).map_err(|_| Rejected)?;
        match with.response_cipher() {
            true => self.decipher(data, Direction::Response),
            false => Ok(data.into()),
        }
    }
}

impl fmt::Debug for Scp03 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scp03").finish_non_exhaustive()
    }
}
