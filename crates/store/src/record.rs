//! How a memory is written down.

use dukpt::guard::{Memory, Policy, Window};
#[cfg(feature = "redb")]
use dukpt::guard::{OriginatorId, RequestId};

use crate::{Cause, Error};

/// The layout of the file that this program reads and writes.
#[cfg(feature = "redb")]
pub(crate) const VERSION: u64 = 2;

/// How many claims may wait for the threads that write.
pub(crate) const QUEUE_LIMIT: usize = 1 << 20;

/// Length of an originator's key.
#[cfg(feature = "redb")]
pub(crate) const KEY_LEN: usize = 9;

/// The key of an originator: the scheme's number, then its name.
#[cfg(feature = "redb")]
pub(crate) fn key(originator: &OriginatorId) -> [u8; KEY_LEN] {
    let mut key = [originator.scheme.code(); KEY_LEN];
    key[1..].copy_from_slice(&originator.id);
    key
}

/// Length of an encoded memory.
#[cfg(feature = "redb")]
pub(crate) const MEMORY_LEN: usize = 32;

/// `last (4) || accepted (8) || request (16) || counter of that request (4)`, big-endian.
#[cfg(feature = "redb")]
pub(crate) fn encode(memory: &Memory) -> [u8; MEMORY_LEN] {
    let (RequestId(request), counter) = memory.request;
    let mut bytes = [0; MEMORY_LEN];
    bytes[..4].copy_from_slice(&memory.last.to_be_bytes());
    bytes[4..12].copy_from_slice(&memory.accepted.to_be_bytes());
    bytes[12..28].copy_from_slice(&request);
    bytes[28..].copy_from_slice(&counter.to_be_bytes());
    bytes
}

/// The memory that `bytes` hold.
#[cfg(feature = "redb")]
pub(crate) fn decode(bytes: &[u8; MEMORY_LEN]) -> Result<Memory, Error> {
    let fields = || {
        let (last, rest) = bytes.split_first_chunk()?;
        let (accepted, rest) = rest.split_first_chunk()?;
        let (request, rest) = rest.split_first_chunk()?;
        let (counter, _) = rest.split_first_chunk()?;
        let [last, counter] = [last, counter].map(|bytes| u32::from_be_bytes(*bytes));
        Some(Memory {
            last,
            accepted: u64::from_be_bytes(*accepted),
            request: (RequestId(*request), counter),
        })
    };
    fields().ok_or_else(impossible).and_then(possible)
}

/// Refuses what no claims lead to: the highest counter and the last request were accepted.
pub(crate) fn possible(memory: Memory) -> Result<Memory, Error> {
    let Memory { last, accepted, request: (_, counter) } = memory;
    let bit = last.checked_sub(counter).and_then(|behind| 1_u64.checked_shl(behind));
    let possible = accepted & 1 == 1 && bit.is_some_and(|bit| accepted & bit != 0);
    if possible { Ok(memory) } else { Err(impossible()) }
}

pub(crate) fn impossible() -> Error {
    Error::Damaged(Cause::new(Impossible))
}

#[derive(Debug, thiserror::Error)]
#[error("a memory or a log that no claims lead to")]
struct Impossible;

/// A policy as a number: how far below the highest counter another may be.
pub(crate) const fn window(policy: Policy) -> u8 {
    match policy {
        Policy::Strict => 0,
        Policy::Window(window) => window.width(),
    }
}

/// The policy that a number stands for, if it does.
pub(crate) fn policy(window: u64) -> Option<Policy> {
    match u8::try_from(window).ok()? {
        0 => Some(Policy::Strict),
        width => Window::new(width).ok().map(Policy::Window),
    }
}

#[cfg(all(test, feature = "redb"))]
mod tests {
    use dukpt::guard::Scheme;

    use super::*;

    #[test]
    fn layout_is_the_documented_one() {
        let originator = OriginatorId { scheme: Scheme::Aes, id: [0x11, 2, 3, 4, 5, 6, 7, 8] };
        assert_eq!(key(&originator), [2, 0x11, 2, 3, 4, 5, 6, 7, 8]);
        let memory = Memory {
            last: 0x0102_0304,
            accepted: 0x8000_0000_0000_0005,
            request: (RequestId([0xAB; 16]), 0x0102_0302),
        };
        let bytes = encode(&memory);
        assert_eq!(bytes[..12], [1, 2, 3, 4, 0x80, 0, 0, 0, 0, 0, 0, 5]);
        assert_eq!((&bytes[12..28], &bytes[28..]), (&[0xAB; 16][..], &[1, 2, 3, 2][..]));
        assert_eq!(decode(&bytes).unwrap(), memory);
    }

    #[test]
    fn memories_that_no_claims_lead_to_are_refused() {
        let good = Memory { last: 9, accepted: 0b101, request: (RequestId([0; 16]), 7) };
        assert_eq!(decode(&encode(&good)).unwrap(), good);
        let at = |counter| (RequestId([0; 16]), counter);
        for bad in [
            Memory { accepted: 0b100, ..good },
            Memory { request: at(10), ..good },
            Memory { request: at(8), ..good },
            Memory { last: 100, request: at(9), ..good },
        ] {
            assert!(matches!(decode(&encode(&bad)), Err(Error::Damaged(_))), "{bad:?}");
        }
    }

    #[test]
    fn policies_are_numbers_from_0_to_63() {
        for code in 0..=63 {
            assert_eq!(policy(code).map(window).map(u64::from), Some(code));
        }
        assert_eq!((window(Policy::Strict), policy(0)), (0, Some(Policy::Strict)));
        for code in [64, 256, u64::MAX] {
            assert_eq!(policy(code), None);
        }
    }
}
