//! How far a card has come.

/// How far a card has come, as seen from outside the wire: for tests and for inspection.
///
/// # Source
/// Provincial CPU-card system, sections 6.1 and 8.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LifeCycle {
    /// As the factory made it: the transport key is its master, and nothing but EXTERNAL AUTHENTICATE gets on.
    Blank,
    /// The transport key was proven since the last reset: it can be replaced, and nothing else can be done.
    TransportAuthenticated,
    /// The issuer's card master key has replaced the transport key: directories, keys and files can be made.
    Mastered,
    /// There is an application under a master of its own, and no directory is open to everybody.
    Personalised,
    /// CARD BLOCK has ended the card's life: every command is answered `6A81`.
    Blocked,
}
