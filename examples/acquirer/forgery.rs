//! What somebody on the line makes of a message that passed.

use cardroot::dukpt::{Counter, Ksn};
use cardroot::smid::iso8583::Message;

use crate::Failure;
use crate::ledger::Outcome;
use crate::wire::{DIALECT, name_key, named_key};

#[derive(Clone, Copy, Debug)]
pub enum Forgery {
    /// One cent.
    AlteredAmount,
    /// The last counter of all, to lock the terminal out.
    LastCounter,
    ForeignKeySet,
    CounterZero,
    /// All 21 bits of the counter set.
    TooManyOnes,
    CutShort,
    NoKeyName,
}

impl Forgery {
    /// What the host must make of it.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::AlteredAmount | Self::LastCounter => Outcome::WrongMac,
            Self::ForeignKeySet => Outcome::UnknownKeySet,
            Self::CounterZero | Self::TooManyOnes => Outcome::NoCounter,
            Self::CutShort => Outcome::Malformed,
            Self::NoKeyName => Outcome::RuleBroken,
        }
    }

    pub fn forge(self, passed: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut message = Message::decode(DIALECT, passed)?;
        let ksn = named_key(&message)?;
        match self {
            Self::AlteredAmount => message.set_text(DIALECT, 4, "000000000001")?,
            Self::LastCounter => name_key(&mut message, &ksn.with_counter(Counter::LAST))?,
            Self::ForeignKeySet => name_key(&mut message, &changed(&ksn, |[_, _, byte, ..]| *byte ^= 1))?,
            Self::CounterZero => name_key(&mut message, &ksn.initial())?,
            Self::TooManyOnes => name_key(
                &mut message,
                &changed(&ksn, |[.., a, b, c]| (*a, *b, *c) = (*a | 0x1F, 0xFF, 0xFF)),
            )?,
            Self::CutShort => {
                return Ok(passed.split_last_chunk::<3>().map_or_else(Vec::new, |(start, _)| start.to_vec()));
            }
            Self::NoKeyName => message.remove(53),
        }
        Ok(message.encode(DIALECT)?)
    }
}

fn changed(ksn: &Ksn, change: impl FnOnce(&mut [u8; Ksn::LEN])) -> Ksn {
    let mut bytes = *ksn.as_bytes();
    change(&mut bytes);
    Ksn::from(bytes)
}
