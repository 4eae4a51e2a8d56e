//! The control byte of a SMID.

/// Control byte of the DUKPT method: `A5` or `B5`, nothing else.
///
/// What tells the two apart is in no source we could read, so this type gives them no meaning.
///
/// # Source
/// ANS X9.24-1:2009 8.7.1 ("CONTROL, optional, value is hex A5 or B5").
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Control {
    /// `A5`.
    A5 = 0xA5,
    /// `B5`.
    B5 = 0xB5,
}

impl Control {
    /// Returns the control that `byte` encodes, if it is one.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0xA5 => Some(Self::A5),
            0xB5 => Some(Self::B5),
            _ => None,
        }
    }

    /// Returns the byte sent.
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_of_all_bytes_are_controls() {
        let accepted: alloc::vec::Vec<u8> =
            (0..=u8::MAX).filter(|&b| Control::from_byte(b).is_some_and(|c| c.byte() == b)).collect();
        assert_eq!(accepted, [0xA5, 0xB5]);
    }
}
