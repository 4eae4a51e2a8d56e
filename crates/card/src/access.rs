//! Access conditions.

use crate::state::codec::{Reader, Stored, Writer};

/// What the session has proven: one level for the master file, one for the current directory, 0 to 15 each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Levels {
    pub(crate) master_file: u8,
    pub(crate) directory: u8,
}

/// The byte that says at which level something may be done.
///
/// ```text
/// 0Y  level of the master file >= Y
/// XY  Y <= level of the current directory <= X; never, if X < Y
/// ```
///
/// # Source
/// FMCOS 2.0 user manual, chapter 5.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Access(u8);

impl Access {
    /// At any level.
    pub(crate) const ALWAYS: Self = Self(0xF0);
    /// At none.
    pub(crate) const NEVER: Self = Self(0xEF);
    /// At level `A` of the directory: what its master gives by custom.
    pub(crate) const MASTER: Self = Self(0xAA);

    pub(crate) const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    pub(crate) const fn permits(self, levels: Levels) -> bool {
        match (self.0 >> 4, self.0 & 0x0F) {
            (0, least) => least <= levels.master_file,
            (most, least) => least <= levels.directory && levels.directory <= most,
        }
    }
}

impl Stored for Access {
    fn write(&self, out: &mut Writer) {
        out.byte(self.0);
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        input.byte().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All pairs of levels at which `byte` permits.
    fn permitted(byte: u8) -> Vec<(u8, u8)> {
        let all = (0..16).flat_map(|master_file| (0..16).map(move |directory| (master_file, directory)));
        all.filter(|&(master_file, directory)| {
            Access::from_byte(byte).permits(Levels { master_file, directory })
        })
        .collect()
    }

    #[test]
    fn a_zero_upper_nibble_looks_at_the_master_file() {
        assert_eq!(permitted(0x00).len(), 256);
        assert!(permitted(0x0A).iter().all(|(master_file, _)| *master_file >= 10));
        assert_eq!(permitted(0x0A).len(), 6 * 16);
    }

    #[test]
    fn two_nibbles_are_a_range_of_the_directory() {
        assert_eq!(permitted(0xF0).len(), 256);
        assert_eq!(permitted(0xF1).len(), 15 * 16);
        assert!(permitted(0x53).iter().all(|(_, directory)| (3..=5).contains(directory)));
        assert_eq!(permitted(0x53).len(), 3 * 16);
        assert!(permitted(0xAA).iter().all(|(_, directory)| *directory == 10));
    }

    #[test]
    fn an_empty_range_is_never() {
        for byte in [0xEF, 0x12, 0x9A] {
            assert!(permitted(byte).is_empty(), "{byte:02X}");
        }
    }
}
