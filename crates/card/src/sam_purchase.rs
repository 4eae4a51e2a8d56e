//! The SAM's part of a purchase: INIT_SAM_FOR_PURCHASE and CREDIT_SAM_FOR_PURCHASE.

use core::fmt;

use apdu::StatusWord;
use tdea::BLOCK_LEN;
use tdea::hazmat::DesKey;

use crate::command::Command;
use crate::counter::Refusal;
use crate::directory::{Directory, Lock, Path};
use crate::file::Body;
use crate::os::Os;
use crate::sam_key::{ALGORITHM, Usage};
use crate::secure_messaging::MAC_LEN;
use crate::session::Pending;
use crate::status::{APPLICATION_LOCKED, COUNTER_EXHAUSTED, NOT_INITIALISED, Outcome, WRONG_MAC, require};
use crate::wallet::des_mac;

/// File of the terminal number, 6 bytes, in the application or above it.
const TERMINAL_NUMBER: u16 = 0x0016;
/// File of the application's data: key index(1) issuer(8) receiver(8) valid from(4) until(4).
const APPLICATION_DATA: u16 = 0x0017;
/// File of the terminal's transaction number, 4 bytes, in the application.
pub(crate) const TERMINAL_SEQUENCE: u16 = 0x0019;
/// Transaction types in which a SAM stands for the terminal.
const TYPES: [u8; 4] = [0x04, 0x05, 0x06, 0x09];

/// A purchase that waits for the card's MAC2. Its process key is wiped on drop.
pub(crate) struct SamPurchase {
    key: DesKey,
    amount: [u8; 4],
    /// Usage and version of the parent key.
    parent: (u8, u8),
}

impl fmt::Debug for SamPurchase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SamPurchase").field("parent", &self.parent).finish_non_exhaustive()
    }
}

/// `random(4) sequence(2) amount(4) type date(4) time(3) version algorithm factors(8 each)`
struct Request<'a> {
    random: [u8; 4],
    sequence: [u8; 2],
    amount: [u8; 4],
    code: u8,
    moment: [u8; 7],
    version: u8,
    factors: &'a [[u8; BLOCK_LEN]],
}

impl<'a> Request<'a> {
    fn decode(data: &'a [u8]) -> Result<Self, StatusWord> {
        let (head, factors) = data.split_first_chunk::<20>().ok_or(StatusWord::WRONG_LENGTH)?;
        let [r0, r1, r2, r3, s0, s1, a0, a1, a2, a3, code, d0, d1, d2, d3, t0, t1, t2, version, algorithm] =
            *head;
        let (factors, rest) = factors.as_chunks();
        // A purchase key that is not dispersed would be the same in all cards.
        require(rest.is_empty() && (1..=7).contains(&factors.len()), StatusWord::WRONG_LENGTH)?;
        require(algorithm == ALGORITHM && TYPES.contains(&code), StatusWord::WRONG_DATA)?;
        Ok(Self {
            random: [r0, r1, r2, r3],
            sequence: [s0, s1],
            amount: [a0, a1, a2, a3],
            code,
            moment: [d0, d1, d2, d3, t0, t1, t2],
            version,
            factors,
        })
    }

    fn usage(&self) -> Usage {
        let levels = u8::try_from(self.factors.len()).expect("there are seven at most");
        Usage(levels << 5 | Usage::PURCHASE)
    }
}

impl Os {
    /// INIT_SAM_FOR_PURCHASE `80 70 00 00 Lc random(4) sequence(2) amount(4) type date(4) time(3) version algorithm
    /// factors`, Le 08: answers `terminal sequence(4) MAC1(4)`.
    ///
    /// Its terminal number comes from file 0016, its own transaction number from file 0019, which is counted up before
    /// MAC1 leaves and never comes back. A file 0017 limits the days on which it works.
    pub(crate) fn init_sam_for_purchase(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        command.expect_parameters(0x00, 0x00)?;
        let request = Request::decode(command.data)?;
        command.expect_room(8)?;
        let terminal: [u8; 6] = self.terminal_number()?;
        let here = self.directory();
        let sequence: [u8; 4] = content(here, TERMINAL_SEQUENCE).ok_or(StatusWord::FILE_NOT_FOUND)?;
        require(is_valid_on(here, request.moment), StatusWord::CONDITIONS_OF_USE)?;
        let next = u32::from_be_bytes(sequence).checked_add(1).ok_or(COUNTER_EXHAUSTED)?;
        let parent = (request.usage().0, request.version);
        let keys = here.keys.as_ref();
        let key = keys.and_then(|keys| keys.find_sam_key(parent.0, parent.1));
        let key = key.ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        require(key.counter.left() > 0, StatusWord::AUTHENTICATION_BLOCKED)?;
        let card_key = key.child(self.profile.system().factors().in_order(request.factors));
        let [.., q2, q3] = sequence;
        let ([r0, r1, r2, r3], [s0, s1]) = (request.random, request.sequence);
        let key = DesKey::from_fill(|block: &mut [u8; BLOCK_LEN]| {
            *block = [r0, r1, r2, r3, s0, s1, q2, q3];
            card_key.cipher().encrypt_block(block);
        });
        let mac = des_mac(&key, &[&request.amount, &[request.code], &terminal, &request.moment]);
        self.commit_here(|directory| set_sequence(directory, next));
        out.extend(sequence);
        out.extend(mac.truncated::<MAC_LEN>());
        let amount = request.amount;
        self.session.pending = Some(Pending::SamPurchase(SamPurchase { key, amount, parent }));
        Ok(StatusWord::OK)
    }

    /// CREDIT_SAM_FOR_PURCHASE `80 72 00 00 04 MAC2`: whether the card has paid. A wrong MAC2 costs the purchase key a try;
    /// without tries its application is locked for good: `9303`.
    pub(crate) fn credit_sam_for_purchase(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        let Some(Pending::SamPurchase(purchase)) = self.session.pending.take() else {
            return Err(NOT_INITIALISED);
        };
        command.expect_parameters(0x00, 0x00)?;
        require(command.data.len() == MAC_LEN, StatusWord::WRONG_LENGTH)?;
        let expected = des_mac(&purchase.key, &[&purchase.amount]);
        match self.attempt_sam_key(purchase.parent, || expected.verify(command.data).is_ok()) {
            Ok(()) => Ok(StatusWord::OK),
            Err(Refusal::Failed { left: 0 } | Refusal::Locked) => {
                self.commit_here(|directory| directory.lock = Lock::Permanent);
                Err(APPLICATION_LOCKED)
            }
            Err(Refusal::Failed { .. }) => Err(WRONG_MAC),
        }
    }

    /// Runs `check`, a try of the parent key of the current directory spent before it.
    pub(crate) fn attempt_sam_key(
        &mut self,
        (usage, version): (u8, u8),
        check: impl FnOnce() -> bool,
    ) -> Result<(), Refusal> {
        let left = self.commit_keys(|keys| {
            keys.find_sam_key_mut(usage, version).map_or(Err(Refusal::Locked), |key| key.counter.spend())
        })?;
        if !check() {
            return Err(Refusal::Failed { left });
        }
        self.commit_keys(|keys| {
            keys.find_sam_key_mut(usage, version).expect("it was there above").counter.restore();
        });
        Ok(())
    }

    /// The terminal number: from the current directory or the nearest one above that has it.
    fn terminal_number<const N: usize>(&self) -> Result<[u8; N], StatusWord> {
        let mut path = Some(self.session.path);
        while let Some(here) = path {
            if let Some(number) = content(self.memory().root.at(here), TERMINAL_NUMBER) {
                return Ok(number);
            }
            path = (here != Path::MASTER_FILE).then(|| here.parent()).flatten();
        }
        Err(StatusWord::FILE_NOT_FOUND)
    }
}

/// The first bytes of a file of bytes.
fn content<const N: usize>(directory: &Directory, fid: u16) -> Option<[u8; N]> {
    match &directory.files.get(directory.find_file(fid)?)?.body {
        Body::Transparent(bytes) => bytes.first_chunk().copied(),
        _ => None,
    }
}

/// Whether file 0017, if there is one, lets the SAM work on the day of `moment`. Dates are BCD, so they compare as bytes.
/// One that says no days lets it work on none.
fn is_valid_on(directory: &Directory, moment: [u8; 7]) -> bool {
    let [d0, d1, d2, d3, ..] = moment;
    match content::<25>(directory, APPLICATION_DATA) {
        Some([.., f0, f1, f2, f3, u0, u1, u2, u3]) => {
            let today = [d0, d1, d2, d3];
            [f0, f1, f2, f3] <= today && today <= [u0, u1, u2, u3]
        }
        None => directory.find_file(APPLICATION_DATA).is_none(),
    }
}

fn set_sequence(directory: &mut Directory, sequence: u32) {
    let file = directory.find_file(TERMINAL_SEQUENCE).and_then(|index| directory.files.get_mut(index));
    if let Some(Body::Transparent(bytes)) = file.map(|file| &mut file.body) {
        bytes.iter_mut().zip(sequence.to_be_bytes()).for_each(|(place, byte)| *place = byte);
    }
}
