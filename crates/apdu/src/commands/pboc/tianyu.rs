//! WRITE KEY of the Tianyu family.

use diversify::block::Sm4Key;

use super::Tries;
use crate::bytes::SecretBytes;
use crate::command::CommandApdu;
use crate::header::{Header, Instruction};
use crate::secure::pboc::{Challenge, Protection, Sm4MasterKey, protect};

/// An SM4 key to be loaded into a card of the Tianyu family.
///
/// ```text
/// id || version || 04 || type || use || follow || change || tries || key (16)
/// ```
///
/// # Source
/// Tianyu's loading program. Types: 00 purchase, 01 load, 02 TAC, 05 maintenance, 06 PIN unblock, 07
/// PIN reload, 08 external authentication, 09 internal authentication.
#[derive(Debug)]
pub struct TianyuSm4Key<'k> {
    /// Number; SM4 keys have numbers from 40 on.
    pub id: u8,
    /// Version.
    pub version: u8,
    /// Type.
    pub kind: u8,
    /// Access condition of its use.
    pub usage: u8,
    /// Security state after a success.
    pub follow_state: u8,
    /// Access condition of its change.
    pub change: u8,
    /// Wrong tries allowed.
    pub tries: Tries,
    /// The key.
    pub key: &'k Sm4Key,
}

/// Algorithm identifier of SM4.
const ALGORITHM_SM4: u8 = 0x04;

impl TianyuSm4Key<'_> {
    /// WRITE KEY `84 D4 00 00 24 E(18 || header || key || 80 00..) || MAC4` under the master key of the directory.
    #[must_use]
    pub fn protected(&self, master: &Sm4MasterKey, challenge: Challenge) -> CommandApdu {
        let Self { id, version, kind, usage, follow_state, change, tries, key } = self;
        let mut data = SecretBytes::with_capacity(24);
        data.extend(&[*id, *version, ALGORITHM_SM4, *kind, *usage, *follow_state, *change, tries.byte()]);
        data.extend(key.expose_bytes());
        let header = Header::proprietary(Instruction::WRITE_KEY, 0x00, 0x00);
        let command = CommandApdu::new(header).with_secret_data(data).expect("24 bytes");
        let protected = protect(&command, Protection::CipherAndMac, master, challenge);
        protected.expect("class 80, and 24 bytes fit").command
    }
}
