//! What goes over the line: ISO 8583 messages in frames, `length 2 || 60 || destination 2 || source 2 || message`, the header of the
//! networks that terminals dial into. A frame without a message is a refusal: the sender learns no more.

use std::io::{self, ErrorKind, Read, Write};

use cardroot::dukpt::{Ksn, TransactionKey};
use cardroot::smid::iso8583::{Dialect, Message, VerifyError};
use cardroot::smid::{KeyName, Smid, SmidList, SmidProfile};
use cardroot::tdea::MacMismatch;

use crate::Failure;

/// What the parties agreed on.
pub const DIALECT: &Dialect = Dialect::ISO1993_BINARY;
pub const PROFILE: &SmidProfile = &SmidProfile::KEY_NAME_10_SENT_AS_8;

/// Action codes in bit 39.
pub const APPROVED: &str = "000";
pub const WRONG_PIN: &str = "117";
/// The counter of the request is used up, and nothing was booked under it.
pub const NOT_DONE: &str = "909";

/// The address of the host.
pub const HOST: u16 = 0;
const HEADER_ID: u8 = 0x60;
const HEADER_LEN: usize = 5;
/// Longer frames are no messages of ours.
const MAX_LEN: usize = 1024;

#[derive(Debug)]
pub struct Frame {
    pub destination: u16,
    /// Which line it came from: the network says so, not the sender.
    pub source: u16,
    pub message: Vec<u8>,
}

impl Frame {
    pub fn send(&self, stream: &mut impl Write) -> io::Result<()> {
        let len = HEADER_LEN + self.message.len();
        let len = u16::try_from(len).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
        let mut bytes = len.to_be_bytes().to_vec();
        bytes.push(HEADER_ID);
        bytes.extend(self.destination.to_be_bytes());
        bytes.extend(self.source.to_be_bytes());
        bytes.extend(&self.message);
        stream.write_all(&bytes)
    }

    pub fn receive(stream: &mut impl Read) -> io::Result<Self> {
        let mut start = [0; 2 + HEADER_LEN];
        stream.read_exact(&mut start)?;
        let [len_high, len_low, id, destination_high, destination_low, source_high, source_low] = start;
        let len = usize::from(u16::from_be_bytes([len_high, len_low])).checked_sub(HEADER_LEN);
        let len = len.filter(|len| *len <= MAX_LEN && id == HEADER_ID);
        let mut message = vec![0; len.ok_or_else(|| io::Error::from(ErrorKind::InvalidData))?];
        stream.read_exact(&mut message)?;
        Ok(Self {
            destination: u16::from_be_bytes([destination_high, destination_low]),
            source: u16::from_be_bytes([source_high, source_low]),
            message,
        })
    }
}

/// Names the key of a message in bit 53.
pub fn name_key(message: &mut Message, ksn: &Ksn) -> Result<(), Failure> {
    let smids = SmidList::from(Smid::new(KeyName::new(ksn.as_bytes())?));
    Ok(message.set_smids(DIALECT, PROFILE, &smids)?)
}

/// The key that bit 53 names.
pub fn named_key(message: &Message) -> Result<Ksn, Failure> {
    let smids = message.smids(PROFILE)?;
    let smid = smids.as_ref().and_then(|smids| smids.mac(PROFILE));
    let smid = smid.ok_or_else(|| Failure("bit 53 names no key".to_owned()))?;
    Ok(Ksn::from_wire(smid.key_name.as_bytes())?)
}

/// Opens a response: its MAC is right under the key for responses.
pub fn verify_response(key: &TransactionKey, response: &[u8]) -> Result<Message, VerifyError<MacMismatch>> {
    Message::verify_with(DIALECT, response, |covered, mac| key.mac_response_key().verify_mac(covered, mac))
}

/// The message authentication code of a sealed message: its last field.
pub fn mac_of(message: &[u8]) -> [u8; 8] {
    message.last_chunk().copied().unwrap_or_default()
}
