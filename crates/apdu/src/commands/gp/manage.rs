//! Opening a session, keys, and what the card tells about itself.

use tdea::{Kcv, KcvMethod};

use crate::bytes::SecretBytes;
use crate::command::{CommandApdu, DataTooLong, Repetition};
use crate::commands::{DfName, select_name};
use crate::header::{Header, Instruction};
use crate::le::Le;
use crate::secure::gp::{HostChallenge, WrappedKey};

/// SELECT of the security domain, `00 A4 04 00 Lc AID 00`. Without a name, `00 A4 04 00 00`, the one that the card was issued
/// with.
#[must_use]
pub fn select_security_domain(name: Option<&DfName>) -> CommandApdu {
    match name {
        Some(name) => select_name(name),
        None => CommandApdu::new(Header::iso(Instruction::SELECT, 0x04, 0x00))
            .with_le(Le::MAX_SHORT)
            .with_repetition(Repetition::Allowed),
    }
}

/// INITIALIZE UPDATE: `80 50 version 00 08 challenge 00`; version `00` leaves the choice of keys to the card. It is not to be
/// repeated: it draws a challenge.
#[must_use]
pub fn initialize_update(key_version: u8, challenge: &HostChallenge) -> CommandApdu {
    CommandApdu::new(Header::proprietary(Instruction::INITIALIZE_UPDATE, key_version, 0x00))
        .with_data(challenge.as_bytes())
        .expect("8 bytes")
        .with_le(Le::MAX_SHORT)
}

/// Version number of a set of keys, `01` to `7F`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyVersion(u8);

impl KeyVersion {
    /// Version `number`, or `None` unless it is `01` to `7F`.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            0x01..=0x7F => Some(Self(number)),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Keys that do not fit one PUT KEY command.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PutKeyError {
    /// There is nothing to load.
    #[error("PUT KEY takes a key at least")]
    NoKey,
    /// The first identifier is `00` or over `7F`.
    #[error("{found:02X} is no key identifier")]
    KeyId {
        /** The identifier. */
        found: u8,
    },
    /// More than an extended command holds.
    #[error(transparent)]
    TooLong(#[from] DataTooLong),
}

/// PUT KEY: `80 D8 replaced id Lc version keys 00`. `replaced` is the version that goes, none where keys are added; several
/// keys take identifiers in a row from `first_id` on, and then bit 8 of P2 is set.
///
/// # Errors
/// Returns [`PutKeyError`] for no key, or too many.
pub fn put_key(
    replaced: Option<KeyVersion>,
    version: KeyVersion,
    first_id: u8,
    keys: &[WrappedKey],
) -> Result<CommandApdu, PutKeyError> {
    if !matches!(first_id, 0x01..=0x7F) {
        return Err(PutKeyError::KeyId { found: first_id });
    }
    let several = match keys {
        [] => return Err(PutKeyError::NoKey),
        [_] => 0x00,
        _ => 0x80,
    };
    let header = Header::proprietary(
        Instruction::PUT_KEY,
        replaced.map_or(0x00, KeyVersion::number),
        several | first_id,
    );
    let mut data = SecretBytes::default();
    data.extend(&[version.number()]);
    keys.iter().for_each(|key| data.extend(key.as_bytes()));
    Ok(CommandApdu::new(header).with_secret_data(data)?.with_le(Le::MAX_SHORT))
}

/// What a card answers to PUT KEY: the version and the check values it computed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyReceipt {
    version: u8,
    check_values: alloc::vec::Vec<u8>,
}

/// The card confirms other keys than those sent, or none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the card does not confirm the keys that were sent")]
pub struct KeyReceiptError;

impl KeyReceipt {
    /// Reads the answer.
    ///
    /// # Errors
    /// Returns [`KeyReceiptError`] unless there is a version followed by check values of 3 bytes.
    pub fn decode(data: &[u8]) -> Result<Self, KeyReceiptError> {
        match data {
            [version, check_values @ ..] if check_values.len().is_multiple_of(Kcv::USUAL_LEN) => {
                Ok(Self { version: *version, check_values: check_values.into() })
            }
            _ => Err(KeyReceiptError),
        }
    }

    /// Compares with the version and the keys that were sent.
    ///
    /// # Errors
    /// Returns [`KeyReceiptError`] if anything differs.
    pub fn verify(
        &self,
        version: KeyVersion,
        method: KcvMethod,
        sent: &[Kcv],
    ) -> Result<(), KeyReceiptError> {
        let confirmed = self.check_values.chunks(Kcv::USUAL_LEN);
        let is_complete = self.version == version.number() && confirmed.len() == sent.len();
        let is_same = |(confirmed, sent): (&[u8], &Kcv)| {
            Kcv::new(method, confirmed).is_ok_and(|confirmed| confirmed.verify(sent).is_ok())
        };
        if is_complete && confirmed.zip(sent).all(is_same) { Ok(()) } else { Err(KeyReceiptError) }
    }
}

/// What GET STATUS asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum StatusScope {
    /// The issuer's security domain.
    IssuerDomain,
    /// Applications and other security domains.
    Applications,
    /// Executable load files.
    LoadFiles,
    /// Executable load files and their modules.
    LoadFilesAndModules,
}

/// GET STATUS of everything in `scope`, first answer, by TLV: `80 F2 scope 02 02 4F00 00`.
#[must_use]
pub fn get_status(scope: StatusScope) -> CommandApdu {
    let p1 = match scope {
        StatusScope::IssuerDomain => 0x80,
        StatusScope::Applications => 0x40,
        StatusScope::LoadFiles => 0x20,
        StatusScope::LoadFilesAndModules => 0x10,
    };
    CommandApdu::new(Header::proprietary(Instruction::GET_STATUS, p1, 0x02))
        .with_data(&[0x4F, 0x00])
        .expect("2 bytes")
        .with_le(Le::MAX_SHORT)
        .with_repetition(Repetition::Allowed)
}

/// GET DATA: `80 CA tag 00`. Tags that matter: `0066` recognition data, `00E0` key information, `9F7F` life cycle (CPLC).
#[must_use]
pub fn get_data(tag: u16) -> CommandApdu {
    let [p1, p2] = tag.to_be_bytes();
    CommandApdu::new(Header::proprietary(Instruction::GET_DATA, p1, p2))
        .with_le(Le::MAX_SHORT)
        .with_repetition(Repetition::Allowed)
}
