//! Data groupings as STORE DATA brings them.

/// What stands at the beginning of some bytes.
pub(super) enum Read<'d> {
    /// A grouping, and what follows it.
    Whole { id: u16, content: &'d [u8], rest: &'d [u8] },
    /// The beginning of a grouping.
    Part,
}

/// Reads `identifier (2) || length (1, or FF and 2) || content`.
pub(super) fn read(data: &[u8]) -> Read<'_> {
    let read = || {
        let (id, rest) = data.split_first_chunk()?;
        let (len, rest) = match rest {
            [0xFF, high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
            [0xFF, ..] | [] => return None,
            [len, rest @ ..] => (u16::from(*len), rest),
        };
        let (content, rest) = rest.split_at_checked(usize::from(len))?;
        Some(Read::Whole { id: u16::from_be_bytes(*id), content, rest })
    };
    read().unwrap_or(Read::Part)
}
