//! The cryptography of a session.

use core::fmt;

use diversify::gp::scp02::{Senc, Smac, Srmac};
use tdea::hazmat::DesKey;
use tdea::{BLOCK_LEN, Mac, MacPadding, Mode, Padding, RetailMac, TdeaKey};

use super::SecurityLevel;
use crate::bytes::SecretBytes;
use crate::header::Header;
use crate::secure::Rejected;
use crate::secure::gp::sealed::{Line, Protections};
use crate::secure::gp::{MAC_LEN, Protocol};
use crate::status::StatusWord;

/// Keys and chaining values of a session of protocol 02. Wiped on drop.
pub struct Scp02 {
    enc: Senc,
    mac: Smac,
    rmac: Srmac,
    /// The previous C-MAC.
    command_chain: Option<[u8; BLOCK_LEN]>,
    /// The previous R-MAC; the C-MAC of EXTERNAL AUTHENTICATE at first.
    response_chain: [u8; BLOCK_LEN],
    /// The R-MAC under way: the command is in it already.
    reply: Option<RetailMac>,
}

impl Scp02 {
    pub(super) const fn new(enc: Senc, mac: Smac, rmac: Srmac) -> Self {
        Self { enc, mac, rmac, command_chain: None, response_chain: [0; BLOCK_LEN], reply: None }
    }

    /// The MAC of a command. It becomes the chaining value.
    fn command_mac(&mut self, header: Header, data: &[u8]) -> Mac {
        let key = self.mac.expose_key();
        let iv = self.command_chain.map_or([0; BLOCK_LEN], |mut previous| {
            DesKey::left_half(key).encrypt_block(&mut previous);
            previous
        });
        let lc = (data.len() + MAC_LEN).to_le_bytes();
        let mut mac = retail(key, iv);
        mac.update(&header.bytes());
        // The last byte of a length up to 255, also where a host sent more than fits and is about to be refused.
        mac.update(lc.first_chunk::<1>().expect("a length has a lowest byte"));
        mac.update(data);
        let mac = finish(mac);
        self.command_chain = Some(*mac.as_bytes());
        mac
    }

    /// Begins the MAC of the reply, which is over the command too: plain, and its class without secure messaging.
    fn begin_reply(&mut self, header: Header, data: &[u8], with: Protections) {
        self.reply = with.response_mac().then(|| {
            let [cla, ins, p1, p2] = header.bytes();
            let lc = u8::try_from(data.len()).expect("a short command");
            let mut mac = retail(self.rmac.expose_key(), self.response_chain);
            mac.update(&[cla & !0x07, ins, p1, p2, lc]);
            mac.update(data);
            mac
        });
    }

    /// The MAC of the reply. It becomes the chaining value. `None` if there is none to be made.
    fn reply_mac(&mut self, data: &[u8], status: StatusWord) -> Option<Mac> {
        let mut mac = self.reply.take()?;
        // A reply that is too long was refused by the sealer, and is by the opener: its MAC is not the one computed here.
        mac.update(&[u8::try_from(data.len()).unwrap_or(u8::MAX)]);
        mac.update(data);
        mac.update(&status.bytes());
        let mac = finish(mac);
        self.response_chain = *mac.as_bytes();
        Some(mac)
    }

    fn encipher(&self, data: &[u8]) -> SecretBytes {
        let padding = Padding::OneAndZeros;
        let mut out =
            SecretBytes::zeroed(padding.padded_len(data.len()).expect("a command is at most 255 bytes"));
        padding.pad_into(data, out.as_mut_slice()).expect("room for the padding");
        let cipher = self.enc.expose_key().cipher();
        cipher.encrypt(Mode::CBC_ZERO_IV, out.as_mut_slice()).expect("whole blocks");
        out
    }

    fn decipher(&self, data: &[u8]) -> Result<SecretBytes, Rejected> {
        let mut out = SecretBytes::from(data);
        let cipher = self.enc.expose_key().cipher();
        cipher.decrypt(Mode::CBC_ZERO_IV, out.as_mut_slice()).map_err(|_| Rejected)?;
        Ok(out)
    }
}

impl Protocol for Scp02 {
    type Level = SecurityLevel;
}

impl Line for Scp02 {
    fn protect(&mut self, header: Header, data: &[u8], with: Protections) -> SecretBytes {
        self.begin_reply(header, data, with);
        let mac = self.command_mac(header, data);
        let mut out = match with.command_cipher() && !data.is_empty() {
            true => self.encipher(data),
            false => data.into(),
        };
        out.extend(mac.as_bytes());
        out
    }

    fn unprotect(&mut self, header: Header, data: &[u8], with: Protections) -> Result<SecretBytes, Rejected> {
        let (data, received) = data.split_last_chunk::<MAC_LEN>().ok_or(Rejected)?;
        let is_enciphered = with.command_cipher() && !data.is_empty();
        let opened = if is_enciphered { self.decipher(data)? } else { data.into() };
        // Wrong padding must look like a wrong MAC: one is computed all the same, over what would be too much data.
        let (plain, is_padded) = match Padding::OneAndZeros.strip(opened.expose_bytes()) {
            _ if !is_enciphered => (opened.expose_bytes(), true),
            Ok(plain) => (plain, !plain.is_empty()),
            Err(_) => (opened.expose_bytes(), false),
        };
        let is_right = self.command_mac(header, plain).verify(received).is_ok();
        if !(is_right & is_padded) {
            return Err(Rejected);
        }
        let plain = SecretBytes::from(plain);
        self.begin_reply(header, plain.expose_bytes(), with);
        Ok(plain)
    }

    fn open(&mut self) {
        self.response_chain = self.command_chain.unwrap_or_default();
    }

    fn seal(&mut self, data: SecretBytes, status: StatusWord, _: Protections) -> SecretBytes {
        let mac = self.reply_mac(data.expose_bytes(), status);
        let mut out = data;
        out.extend(mac.as_ref().map_or(&[], |mac| mac.as_bytes().as_slice()));
        out
    }

    fn unseal(
        &mut self,
        data: SecretBytes,
        status: StatusWord,
        with: Protections,
    ) -> Result<SecretBytes, Rejected> {
        if !with.response_mac() {
            return Ok(data);
        }
        let (data, received) = data.expose_bytes().split_last_chunk::<MAC_LEN>().ok_or(Rejected)?;
        if data.len() > usize::from(u8::MAX) {
            return Err(Rejected);
        }
        let mac = self.reply_mac(data, status).ok_or(Rejected)?;
        mac.verify(received).map_err(|_| Rejected)?;
        Ok(data.into())
    }
}

fn retail(key: &TdeaKey, iv: [u8; BLOCK_LEN]) -> RetailMac {
    RetailMac::with_iv(key, MacPadding::OneAndZeros, iv).expect("session keys are of double length")
}

fn finish(mac: RetailMac) -> Mac {
    mac.finalize().expect("no length was announced")
}

impl fmt::Debug for Scp02 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scp02").finish_non_exhaustive()
    }
}
