//! Key cards: parent keys on their way from card to card. They leave as ciphertext for one card and are used for
//! nothing else.
//!
//! No public source has the bytes of these two commands: their form is the simulator's own. EXPORT KEY answers the data of
//! the IMPORT KEY that the receiving card takes:
//!
//! ```text
//! transport key  the exporting and the receiving card both have a key of usage 1E and the same version
//! wrapping key   transport key, dispersed by the receiver's serial number, then by its kind || 00*7
//! data           E(13 || usage || version || 00 || key(16) || 80 00…) || MAC4
//! MAC            over 84 C8 00 version 1C and the ciphertext, chained from the receiver's challenge of 8 bytes
//! ```

use apdu::StatusWord;
use subtle::ConstantTimeEq;
use tdea::{BLOCK_LEN, TdeaKey};
use zeroize::Zeroizing;

use crate::card_key::CardKey;
use crate::command::Command;
use crate::os::Os;
use crate::profile::{CardKind, KeyCard};
use crate::sam_key::{ALGORITHM, KEY_LEN, SamKey, Usage};
use crate::secure_messaging::{MAC_LEN, decipher, encipher};
use crate::status::{Outcome, require};

/// Length of the data of IMPORT KEY in bytes.
const IMPORT_LEN: u8 = 0x1C;

/// `transport key version, receiver's kind, its serial number(8), its challenge(8), factors(8 each)`
struct Request<'a> {
    transport: u8,
    receiver: CardKind,
    serial: &'a [u8; 8],
    challenge: [u8; BLOCK_LEN],
    factors: &'a [[u8; BLOCK_LEN]],
}

impl<'a> Request<'a> {
    fn decode(data: &'a [u8]) -> Result<Self, StatusWord> {
        let ([transport, receiver], rest) = data.split_first_chunk().ok_or(StatusWord::WRONG_LENGTH)?;
        let (serial, rest) = rest.split_first_chunk().ok_or(StatusWord::WRONG_LENGTH)?;
        let (challenge, rest) = rest.split_first_chunk().ok_or(StatusWord::WRONG_LENGTH)?;
        let (factors, rest) = rest.as_chunks();
        require(rest.is_empty(), StatusWord::WRONG_LENGTH)?;
        let receiver = CardKind::from_code(*receiver).ok_or(StatusWord::WRONG_DATA)?;
        Ok(Self { transport: *transport, receiver, serial, challenge: *challenge, factors })
    }
}

impl Os {
    /// EXPORT KEY `80 C6 usage version Lc request`, Le 1C: the key of that usage and version, for one card. Factors disperse
    /// it first; the usage that goes with it has as many levels fewer.
    ///
    /// Demands, in the current directory and this session, the PIN and the proof of an external authentication key other than
    /// the master; and that a card of this kind gives keys of this type to a card of that kind.
    pub(crate) fn export_key(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        let CardKind::KeyCard(role) = self.profile.kind() else {
            return Err(StatusWord::INSTRUCTION_NOT_SUPPORTED);
        };
        let rights = self.session.rights();
        require(rights.pin && rights.external, StatusWord::SECURITY_STATUS)?;
        let request = Request::decode(command.data)?;
        let (usage, version) = (Usage(command.header.p1), command.header.p2);
        require(role.may_export(usage, request.receiver), StatusWord::CONDITIONS_OF_USE)?;
        // A key does not travel under itself.
        let is_itself = usage.0 == Usage::EXPORT && version == request.transport;
        require(!is_itself, StatusWord::CONDITIONS_OF_USE)?;
        let exported = usage.below(request.factors.len()).ok_or(StatusWord::WRONG_LENGTH)?;
        command.expect_room(IMPORT_LEN.into())?;
        let key = self.parent_key(usage.0, version)?.child(request.factors);
        // What attacks have locked does not protect anything any more.
        let tries = self.parent_key(Usage::EXPORT, request.transport)?.counter.left();
        require(tries > 0, StatusWord::AUTHENTICATION_BLOCKED)?;
        let wrapping = self.wrapping_key(request.transport, request.receiver, request.serial)?;
        let record = Zeroizing::new([&[exported.0, version, ALGORITHM], key.expose_bytes()].concat());
        encipher(&wrapping, &record, out);
        let header = import_header(request.transport);
        let mac = wrapping.mac(request.challenge, &[&header, out]);
        out.extend(mac);
        Ok(StatusWord::OK)
    }

    /// IMPORT KEY `84 C8 00 version 1C data`, over a challenge of 8 bytes, into a directory with a master, where keys may be
    /// added. A wrong MAC costs the transport key a try; without tries it is locked for good.
    pub(crate) fn import_key(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_p1(0x00)?;
        require(command.data.len() == usize::from(IMPORT_LEN), StatusWord::WRONG_LENGTH)?;
        let challenge = command.iv().ok_or(StatusWord::CONDITIONS_OF_USE)?;
        require(self.key_file()?.has_master(), StatusWord::CONDITIONS_OF_USE)?;
        self.expect_access(self.key_file()?.add)?;
        let transport = command.header.p2;
        let (kind, serial) = (self.profile.kind(), *self.profile.serial());
        let wrapping = self.wrapping_key(transport, kind, &serial)?;
        let (body, mac) = command.data.split_last_chunk::<MAC_LEN>().ok_or(StatusWord::WRONG_LENGTH)?;
        let expected = wrapping.mac(challenge, &[&import_header(transport), body]);
        self.attempt_sam_key((Usage::EXPORT, transport), || expected.ct_eq(mac).into()).map_err(
            |refusal| match refusal {
                crate::counter::Refusal::Locked => StatusWord::AUTHENTICATION_BLOCKED,
                crate::counter::Refusal::Failed { .. } => StatusWord::SM_OBJECT_WRONG,
            },
        )?;
        let data = decipher(&wrapping, body)?;
        let [usage, version, ALGORITHM, key @ ..] = data.as_slice() else {
            return Err(StatusWord::WRONG_DATA);
        };
        let usage = Usage(*usage);
        let is_parent = !matches!(usage.key_type(), Usage::MASTER | Usage::MAINTENANCE);
        require(is_parent && key.len() == KEY_LEN, StatusWord::WRONG_DATA)?;
        let key = TdeaKey::try_from(key).expect("16 bytes are a double-length key");
        self.write_parent_key(SamKey::new(usage, *version, key))
    }

    fn parent_key(&self, usage: u8, version: u8) -> Result<&SamKey, StatusWord> {
        let keys = self.directory().keys.as_ref();
        keys.and_then(|keys| keys.find_sam_key(usage, version)).ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)
    }

    fn wrapping_key(&self, version: u8, receiver: CardKind, serial: &[u8; 8]) -> Result<CardKey, StatusWord> {
        let kind = [receiver.code(), 0, 0, 0, 0, 0, 0, 0];
        let key = self.parent_key(Usage::EXPORT, version)?.child([serial, &kind]);
        Ok(CardKey::Double(key))
    }
}

const fn import_header(transport: u8) -> [u8; 5] {
    [0x84, 0xC8, 0x00, transport, IMPORT_LEN]
}

impl KeyCard {
    /// Whether a card of this kind gives keys of `usage` to a card of the kind `receiver`. Transport keys come from the
    /// transport card and from no other; it gives nothing else.
    const fn may_export(self, usage: Usage, receiver: CardKind) -> bool {
        let is_transport_key = usage.0 == Usage::EXPORT;
        match (self, receiver) {
            (
                Self::Transport,
                CardKind::Sam | CardKind::KeyCard(Self::Mother | Self::Secondary | Self::City),
            ) => is_transport_key,
            (Self::Mother, CardKind::KeyCard(Self::Secondary))
            | (Self::Secondary, CardKind::KeyCard(Self::City))
            | (Self::City, CardKind::Sam) => usage.key_type() != Usage::EXPORT,
            _ => false,
        }
    }
}
