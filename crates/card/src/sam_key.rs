//! Parent keys: what SAMs and key cards keep for the keys of other cards.

use core::fmt;

use diversify::{Factor, pboc};
use tdea::{BLOCK_LEN, TdeaKey};

use crate::counter::ErrorCounter;
use crate::state::codec::{Reader, Stored, Writer};

/// Length of a parent key in bytes.
pub(crate) const KEY_LEN: usize = 16;
/// The only algorithm: TDEA.
pub(crate) const ALGORITHM: u8 = 0x00;

/// Usage byte of a SAM key: number of dispersion levels in the upper three bits, type in the lower five.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Usage(pub(crate) u8);

impl Usage {
    /// Type of a key that becomes the master of its directory.
    pub(crate) const MASTER: u8 = 0x00;
    /// Type of a key that becomes the line protection key of its directory.
    pub(crate) const MAINTENANCE: u8 = 0x01;
    /// Type of a purchase key.
    pub(crate) const PURCHASE: u8 = 0x02;
    /// Type of a transport key, under which key cards export other keys.
    pub(crate) const EXPORT: u8 = 0x1E;

    pub(crate) const fn levels(self) -> u8 {
        self.0 >> 5
    }

    pub(crate) const fn key_type(self) -> u8 {
        self.0 & 0x1F
    }

    /// The usage of a key that is `levels` dispersions further down; `None` if there are not so many.
    pub(crate) fn below(self, levels: usize) -> Option<Self> {
        let left = self.levels().checked_sub(u8::try_from(levels).ok()?)?;
        Some(Self(left << 5 | self.key_type()))
    }
}

/// A parent key for the keys of other cards, named by usage and version.
pub(crate) struct SamKey {
    pub(crate) usage: Usage,
    pub(crate) version: u8,
    pub(crate) key: TdeaKey,
    /// Wrong MACs that were brought for it, counted until the next right one.
    pub(crate) counter: ErrorCounter,
}

impl SamKey {
    /// Room it takes in its key file, in bytes.
    pub(crate) const COST: usize = KEY_LEN + 8;

    /// A key that has fifteen tries.
    pub(crate) const fn new(usage: Usage, version: u8, key: TdeaKey) -> Self {
        Self { usage, version, key, counter: ErrorCounter::from_byte(0xFF) }
    }

    /// Usage byte and version.
    pub(crate) const fn name(&self) -> (u8, u8) {
        (self.usage.0, self.version)
    }

    /// The key at the end of the way that `factors` show.
    pub(crate) fn child<'f>(&self, factors: impl IntoIterator<Item = &'f [u8; BLOCK_LEN]>) -> TdeaKey {
        factors.into_iter().fold(self.key.duplicate(), |parent, factor| {
            pboc::derive(&parent, Factor::from(*factor)).expect("SAM keys are of double length")
        })
    }
}

impl Stored for SamKey {
    fn write(&self, out: &mut Writer) {
        out.put(&[self.usage.0, self.version, self.counter.byte()]);
        out.put(self.key.expose_bytes());
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let [usage, version, counter] = input.array()?;
        let key = TdeaKey::try_from(input.take(KEY_LEN)?).ok()?;
        Some(Self { usage: Usage(usage), version, key, counter: ErrorCounter::from_byte(counter) })
    }
}

impl fmt::Debug for SamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SamKey")
            .field("usage", &self.usage)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
