//! What the host must make of a message, thought out a second time: from all that the fleet knows of a name, and by none of the
//! host's code.

use std::collections::{BTreeMap, BTreeSet};

use cardroot::dukpt::audit::Sign;

use crate::ledger::{Judged, Outcome};
use crate::wire::mac_of;

/// How far below the last counter the host can tell a replay from a counter that is merely old.
const REMEMBERED: u32 = 63;

/// A genuine message, or a copy of one.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it comes from.
    pub line: u16,
    pub counter: u32,
    pub bytes: Vec<u8>,
}

/// What has come of one name, whoever used it.
#[derive(Debug, Default)]
pub struct Expectation {
    accepted: BTreeSet<u32>,
    /// The last message accepted, and whether anything was booked under it.
    last: Option<(u32, [u8; 8])>,
    booked: bool,
    /// The first message seen under each counter.
    first: BTreeMap<u32, [u8; 8]>,
    place: Option<u16>,
    left: BTreeSet<u16>,
    signs: BTreeSet<Sign>,
    /// The host crashed with a message of this name in its hands, so its journal may have a hole here.
    uncertain: bool,
}

impl Expectation {
    /// What the host must make of `message`: `accepted_as` if it accepts it.
    pub fn judge(&self, message: &Message, accepted_as: Outcome) -> Judged {
        let highest = self.accepted.last().copied().unwrap_or(0);
        let outcome = if self.last == Some((message.counter, mac_of(&message.bytes))) {
            if self.booked { Outcome::Repeated } else { Outcome::NotDone }
        } else if message.counter > highest {
            let skipped = (highest + 1..message.counter).filter(|counter| counter.count_ones() <= 10);
            return Judged { outcome: accepted_as, skipped: skipped.count() as u32 };
        } else if self.accepted.contains(&message.counter) && highest - message.counter <= REMEMBERED {
            Outcome::Replay
        } else {
            Outcome::Below
        };
        Judged { outcome, skipped: 0 }
    }

    /// The host has judged a message so.
    pub fn follow(&mut self, message: &Message, judged: Judged, retried: bool) {
        self.uncertain |= retried;
        let mac = mac_of(&message.bytes);
        match judged.outcome {
            Outcome::Repeated | Outcome::NotDone => return,
            Outcome::Replay | Outcome::Below => match self.first.get(&message.counter) {
                Some(first) if *first == mac => {
                    self.signs.insert(Sign::Replayed);
                    return;
                }
                first => {
                    let sign = if first.is_some() { Sign::CounterReused } else { Sign::WentBack };
                    self.signs.insert(sign);
                }
            },
            _ => {
                self.accepted.insert(message.counter);
                (self.last, self.booked) = (Some((message.counter, mac)), true);
            }
        }
        self.first.entry(message.counter).or_insert(mac);
        self.come_from(message.line);
    }

    /// The message accepted last was claimed, and then the host crashed before it was booked.
    pub const fn was_not_booked(&mut self) {
        self.booked = false;
    }

    /// A forgery used this name.
    pub fn was_forged(&mut self) {
        self.signs.insert(Sign::NotAuthentic);
    }

    fn come_from(&mut self, line: u16) {
        if let Some(before) = self.place.replace(line).filter(|before| *before != line) {
            self.left.insert(before);
            if self.left.contains(&line) {
                self.signs.insert(Sign::Interleaved);
            }
        }
    }

    pub fn accepted(&self) -> u64 {
        self.accepted.len() as u64
    }

    /// The signs that an audit must show; `None` if it can't be said.
    pub fn signs(&self) -> Option<&BTreeSet<Sign>> {
        (!self.uncertain).then_some(&self.signs)
    }
}
