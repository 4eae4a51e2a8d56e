//! What a register machine must do so that its state can be made durable.

use zeroize::Zeroize;

use crate::counter::EndOfLife;

/// Bytes that every scheme has for its name in the clear part of a sealed state: shorter names end in zeros.
pub(crate) const NAME_LEN: usize = 10;

/// The register machine of one scheme, without storage: TDES or AES.
///
/// `pub` in a private module, so that nobody outside reaches raw registers by it. It must be deterministic: the same state
/// advances to the same state. A durable originator counts on that when it writes one state a second time.
pub trait Machine: Sized {
    /// Names the scheme in a stored state and never changes. The codes are those of `guard::Scheme`.
    const SCHEME: u8;
    /// Bytes that [`write_state`](Self::write_state) fills.
    const STATE_LEN: usize;
    /// A sealed state: `[u8; record_len(STATE_LEN)]`.
    type Record: AsRef<[u8]> + AsMut<[u8]> + Zeroize;
    /// A record of zeros.
    const BLANK: Self::Record;

    /// The key that is loaded.
    type InitialKey;
    /// The name under which it is loaded.
    type Name: Eq;
    /// What one transaction gets: its key and what goes with it. Wiped on drop.
    type Transaction;

    /// Loads an initial key; the next transaction is the first of its life.
    fn load(initial_key: Self::InitialKey) -> Self;

    /// The name under which the initial key was loaded.
    fn name(&self) -> &Self::Name;

    /// The name as it stands in the clear part of a stored state.
    fn encode_name(name: &Self::Name) -> [u8; NAME_LEN];

    /// How many transactions are left if no register fails; 0 exactly when the machine has ceased.
    fn remaining(&self) -> u32;

    /// Takes the next transaction key. The machine has then moved on: the key is in no register, nor is any key of the
    /// past, and the counter is the next one. On an error it has ceased, for good.
    fn advance(&mut self) -> Result<Self::Transaction, EndOfLife>;

    /// Ceases operation for good and erases all registers.
    fn cease(&mut self);

    /// Writes counter and registers, check bytes included, to exactly `STATE_LEN` bytes. The name is kept elsewhere.
    fn write_state(&self, state: &mut [u8]);

    /// Takes counter and registers from exactly `STATE_LEN` bytes; `None` if [`write_state`](Self::write_state) can't have
    /// written them. The bytes are authentic. Damaged registers are no error here: the machine skips and reports them.
    fn read_state(name: [u8; NAME_LEN], state: &[u8]) -> Option<Self>;
}
