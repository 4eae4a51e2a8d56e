//! Line protection: MAC, or cipher and MAC, on commands and replies. Host and card.

use tdea::BLOCK_LEN;

use super::challenge::Challenge;
use super::cipher;
use super::keys::ProtectionKey;
use super::line_cipher::{LineCipher, LineMac, MAC_LEN};
use crate::bytes::SecretBytes;
use crate::command::{CommandApdu, LengthForm};
use crate::header::Header;
use crate::response::ResponseApdu;
use crate::secure::Rejected;
use crate::status::StatusWord;

/// Degree of protection. A file or key has one, and both sides must know which.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Protection {
    /// The data is readable and has a MAC.
    Mac,
    /// The data is enciphered and has a MAC. Where there is no data, as in a read command, the MAC alone.
    CipherAndMac,
}

/// A command or reply that can't be protected.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtectError {
    /// The class has no place for the secure messaging bit, or has it set already.
    #[error("class {byte:02X} takes no line protection")]
    Class {
        /** Class. */
        byte: u8,
    },
    /// With its protection the data would not fit a short command or response.
    #[error("{found} bytes of data are too long to protect")]
    TooLong {
        /** Bytes of data before protection. */
        found: usize,
    },
    /// The command is extended; these systems know short ones.
    #[error("an extended command takes no line protection")]
    Extended,
}

/// A protected command on its way to the card.
#[derive(Debug)]
pub struct Protected<'k> {
    /// The command to send. It is not to be repeated: its MAC is good once.
    pub command: CommandApdu,
    /// Opens the reply, if the command reads a protected file. Replies to other commands have no protection.
    pub reply: ReplyOpener<'k>,
}

/// A protected command that the card received and verified.
#[derive(Debug)]
pub struct Unprotected<'k> {
    /// The command without protection: class, Lc and data as the host had them.
    pub command: CommandApdu,
    /// Seals the reply, if the command reads a protected file.
    pub reply: ReplySealer<'k>,
}

/// What protects one command and the reply to it.
#[derive(Debug)]
struct Line<'k> {
    key: LineCipher<'k>,
    protection: Protection,
    iv: [u8; BLOCK_LEN],
}

impl<'k> Line<'k> {
    fn new(protection: Protection, key: &'k impl ProtectionKey, challenge: Challenge) -> Self {
        Self { key: key.line_cipher(), protection, iv: challenge.into_block() }
    }

    /// The data as it goes over the line, its MAC not among it.
    fn encipher(&self, data: &[u8]) -> Result<SecretBytes, ProtectError> {
        match self.protection {
            Protection::Mac => Ok(data.into()),
            Protection::CipherAndMac => {
                cipher::encipher(self.key, data).ok_or(ProtectError::TooLong { found: data.len() })
            }
        }
    }

    fn decipher(&self, data: &[u8]) -> Result<SecretBytes, Rejected> {
        match self.protection {
            Protection::Mac => Ok(data.into()),
            Protection::CipherAndMac => cipher::decipher(self.key, data),
        }
    }

    /// MAC of a command: `lc` counts the MAC too.
    fn command_mac(&self, header: Header, lc: u8, data: &[u8]) -> LineMac {
        self.key.mac(self.iv, &[&header.bytes(), &[lc], data])
    }

    /// MAC of a reply: its data alone.
    fn reply_mac(&self, data: &[u8]) -> LineMac {
        self.key.mac(self.iv, &[data])
    }
}

/// The host's end of a protected reply.
#[derive(Debug)]
pub struct ReplyOpener<'k>(Line<'k>);

/// The card's end of a protected reply.
#[derive(Debug)]
pub struct ReplySealer<'k>(Line<'k>);

/// Protects `command` for the card that drew `challenge`.
///
/// `CLA|04 INS P1 P2 Lc' data' MAC [Le]`, with `data'` the data or `ECB(key, LD || data || 80 00..)`.
///
/// # Security
/// Le is not under the MAC.
///
/// # Errors
/// Returns [`ProtectError`] for a class without place for the secure messaging bit, an extended command, or data too
/// long once protected.
///
/// # Examples
/// ```
/// use cardroot_apdu::commands::{BinaryAddress, Sfi, update_binary};
/// use cardroot_apdu::secure::pboc::{CardKey, Challenge, LineKey, Protection, protect};
/// use tdea::TdeaKey;
///
/// let key = LineKey::from_key(CardKey::try_from(TdeaKey::from([0x36; 16]))?);
/// let command = update_binary(BinaryAddress::in_file(Sfi::new(0x15).ok_or("an SFI")?, 0), &[0x01, 0x02])?;
/// let challenge = Challenge::try_from(&[0xA3, 0xBB, 0xCF, 0xC8][..])?;
/// let protected = protect(&command, Protection::Mac, &key, challenge)?;
/// assert_eq!(protected.command.encode().expose_bytes()[..5], [0x04, 0xD6, 0x95, 0x00, 0x06]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn protect<'k>(
    command: &CommandApdu,
    protection: Protection,
    key: &'k impl ProtectionKey,
    challenge: Challenge,
) -> Result<Protected<'k>, ProtectError> {
    protect_under(command.header(), command, protection, key, challenge)
}

/// The same for a command that goes out under another header.
pub(super) fn protect_under<'k>(
    header: Header,
    command: &CommandApdu,
    protection: Protection,
    key: &'k impl ProtectionKey,
    challenge: Challenge,
) -> Result<Protected<'k>, ProtectError> {
    let class =
        header.class.with_proprietary_sm().ok_or(ProtectError::Class { byte: header.class.byte() })?;
    if command.form() == LengthForm::Extended {
        return Err(ProtectError::Extended);
    }
    let header = Header { class, ..header };
    let line = Line::new(protection, key, challenge);
    let found = command.expose_data().len();
    let mut data = line.encipher(command.expose_data())?;
    let lc = u8::try_from(data.len() + MAC_LEN).map_err(|_| ProtectError::TooLong { found })?;
    let mac = line.command_mac(header, lc, data.expose_bytes());
    data.extend(&mac.0);
    let command =
        CommandApdu::new(header).with_secret_data(data).expect("Lc is one byte").with_le_field(command.le());
    Ok(Protected { command, reply: ReplyOpener(line) })
}

/// Verifies and opens a protected command, in the card that drew `challenge`.
///
/// # Errors
/// Returns [`Rejected`], and nothing about why.
pub fn unprotect<'k>(
    command: &CommandApdu,
    protection: Protection,
    key: &'k impl ProtectionKey,
    challenge: Challenge,
) -> Result<Unprotected<'k>, Rejected> {
    let header = command.header();
    let class = header.class.without_proprietary_sm().ok_or(Rejected)?;
    let (data, mac) = command.expose_data().split_last_chunk::<MAC_LEN>().ok_or(Rejected)?;
    // An extended command has another Lc than the one the MAC is made over.
    let lc = match command.form() {
        LengthForm::Short => u8::try_from(command.expose_data().len()).expect("a short command"),
        LengthForm::Extended => return Err(Rejected),
    };
    let line = Line::new(protection, key, challenge);
    line.command_mac(header, lc, data).verify(mac)?;
    let command = CommandApdu::new(Header { class, ..header })
        .with_secret_data(line.decipher(data)?)
        .expect("shorter than the data received")
        .with_le_field(command.le());
    Ok(Unprotected { command, reply: ReplySealer(line) })
}

impl ReplyOpener<'_> {
    /// Verifies and opens the reply to a protected read.
    ///
    /// A reply without data whose status is not `9000` is returned as it is: a refusal has no MAC.
    ///
    /// # Errors
    /// Returns [`Rejected`], and nothing about why.
    ///
    /// # Security
    /// The MAC is over the data alone. Nothing protects the status word, nor the refusal.
    pub fn open(self, response: ResponseApdu) -> Result<ResponseApdu, Rejected> {
        if response.data().is_empty() && response.status() != StatusWord::OK {
            return Ok(response);
        }
        let (data, mac) = response.data().split_last_chunk::<MAC_LEN>().ok_or(Rejected)?;
        self.0.reply_mac(data).verify(mac)?;
        let plain = self.0.decipher(data)?;
        Ok(ResponseApdu::from_secret(plain, response.status()).expect("shorter than the data received"))
    }
}

impl ReplySealer<'_> {
    /// Protects the reply to a protected read.
    ///
    /// # Errors
    /// Returns [`ProtectError::TooLong`] if it does not fit a short response then.
    pub fn seal(self, data: &[u8], status: StatusWord) -> Result<ResponseApdu, ProtectError> {
        let mut sealed = self.0.encipher(data)?;
        let mac = self.0.reply_mac(sealed.expose_bytes());
        sealed.extend(&mac.0);
        match sealed.len() {
            ..=256 => Ok(ResponseApdu::from_secret(sealed, status).expect("at most 256 bytes")),
            _ => Err(ProtectError::TooLong { found: data.len() }),
        }
    }
}
