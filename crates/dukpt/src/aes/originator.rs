//! The originating side of AES DUKPT: the register machine of ANS X9.24-3:2017 B.6.3.

use core::fmt;

use aeskey::{AesKey, AesKeyLength};

use crate::aes::counter::{Counter, OnesLimit};
use crate::aes::keys::{InitialKey, TransactionKey, UpdateKey};
use crate::aes::ksn::{InitialKeyId, Ksn};
use crate::aes::register::AesRegister;
use crate::aes::{Transaction, derive};
use crate::counter::EndOfLife;
use crate::durable::machine::{Machine, NAME_LEN};
use crate::durable::record_len;

const REGISTERS: usize = Counter::BITS as usize;
/// Counter, zero once operation has ceased, and key length.
const STATE_HEAD_LEN: usize = size_of::<u32>() + 1;

/// The register machine of an originator, in memory only. A terminal wants [`Originator`](crate::aes::Originator), which is
/// this machine with a store under it: what is gone when the power goes can't be loaded again, since the same initial key
/// would start from counter 1 and use every key a second time. This one serves simulations, tests, and devices whose every
/// start loads a new key with a new name.
///
/// It holds 32 intermediate derivation key registers, one for each bit of the counter, and keeps neither the initial key
/// nor the key of any transaction that is over: from what it holds, keys of the past can't be found.
///
/// There is no copy of it and no way to turn it back, since both would use a counter twice. Nor is there a way from here
/// into a store or out of it: a machine is used in one of the two ways, for life.
///
/// # Source
/// ANS X9.24-3:2017 B.6.3; the private functions carry the names of its routines.
///
/// # Examples
/// ```
/// use cardroot_dukpt::aes::{InitialKey, InitialKeyId, VolatileOriginator};
/// use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
///
/// let id = InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56]);
/// let key = AesKey::from_fill(AesKeyLength::Aes128, |key| {
///     key.copy_from_slice(&0x1273671EA26AC29A_FA4D1084127652A1_u128.to_be_bytes());
/// });
/// let mut terminal = VolatileOriginator::load(InitialKey::from_key(key, id));
///
/// assert_eq!(terminal.next_transaction()?.ksn().to_string(), "123456789012345600000001");
/// let transaction = terminal.next_transaction()?;
/// let mac = transaction.key().mac_request_key(AesKeyLength::Aes128)?.mac(b"4012345678909D987");
/// assert_eq!(mac.truncated(), [0x4D, 0x10, 0x47, 0x04, 0xC5, 0x34, 0x91, 0xA6]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
/// A copy would send the same counter again:
/// ```compile_fail,E0599
/// # use cardroot_dukpt::aes::{InitialKey, VolatileOriginator};
/// # fn load(initial_key: InitialKey) {
/// let terminal = VolatileOriginator::load(initial_key);
/// let copy = terminal.clone();
/// # }
/// ```
pub struct VolatileOriginator {
    /// Indexed by the counter bit.
    registers: [AesRegister; REGISTERS],
    id: InitialKeyId,
    /// Length of every key in the registers.
    length: AesKeyLength,
    /// Counter of the next transaction; `None` once operation has ceased.
    counter: Option<Counter>,
}

/// An update key that an originator can't derive.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateKeyError {
    /// The originator has ceased and holds no key.
    #[error(transparent)]
    EndOfLife(#[from] EndOfLife),
    /// The register that leads to the update key fails its check.
    #[error("the register that leads to the update key is damaged")]
    RegisterDamaged,
}

impl VolatileOriginator {
    /// Bytes of the record that a store keeps of an [`Originator`](crate::aes::Originator): 1101.
    pub const RECORD_LEN: usize = record_len(<Self as Machine>::STATE_LEN);

    /// Loads an initial key: "Load Initial Key". The counter starts from zero and steps to 1 at once.
    ///
    /// Whatever was loaded before is another value of this type; drop it, and its keys are gone. So an update of the
    /// initial key is: unwrap the new one under [`update_key`](Self::update_key), load it here, drop the old machine.
    /// The new one must have a new name.
    ///
    /// # Source
    /// ANS X9.24-3:2017 B.6.3.
    #[must_use]
    pub fn load(initial_key: InitialKey) -> Self {
        let mut machine = Self {
            registers: [AesRegister::ERASED; REGISTERS],
            id: *initial_key.id(),
            length: initial_key.length(),
            counter: Some(Counter::FIRST),
        };
        machine.update_derivation_keys(initial_key.expose_key(), 0, REGISTERS);
        machine
    }

    /// Takes the next transaction key: "Generate Working Keys", then "Update State for next Transaction".
    ///
    /// The machine has moved on before the key leaves: the register is erased, the registers below it hold their new
    /// keys and the counter has stepped. A key given out and not used is lost; none is used twice.
    ///
    /// A register whose check byte is wrong is skipped, with all counters whose keys come from it, as the standard has it
    /// for registers that are not in use; [`Transaction::skipped_counters`] tells how many.
    ///
    /// # Errors
    /// Returns [`EndOfLife`] for good after the last counter, when all registers are erased.
    pub fn next_transaction(&mut self) -> Result<Transaction, EndOfLife> {
        let expected = self.counter.ok_or(EndOfLife)?;
        let (counter, key) = self.current_key()?;
        self.update_state(counter, &key);
        let ordinal = |counter: Counter| counter.ordinal(OnesLimit::Sixteen);
        let skipped_counters = ordinal(counter) - ordinal(expected);
        Ok(Transaction::new(TransactionKey::new(key, Ksn::new(self.id, counter)), skipped_counters))
    }

    /// Derives the key under which a new initial key comes from the receiver. The state stays as it is: no counter is
    /// used up.
    ///
    /// # Source
    /// ANS X9.24-3:2017 B.6.3, "Update Initial Key". The pseudo code, as public code carries it, derives the bit of the
    /// register that it starts from a second time, which does not lead to the key that the receiver has. These steps do.
    ///
    /// # Errors
    /// Returns [`UpdateKeyError::EndOfLife`] if the originator has ceased, [`UpdateKeyError::RegisterDamaged`] if the
    /// register that leads there fails its check.
    pub fn update_key(&self) -> Result<UpdateKey, UpdateKeyError> {
        let counter = self.counter.ok_or(EndOfLife)?;
        // The road to FFFFFFFF has the ones gathered from the top. The register of the highest clear bit holds the key of
        // all ones down to that bit. If the counter itself is such a run of ones, its own register is on the road, and
        // those below it belong to the past.
        let run = counter.value().leading_ones();
        let bits_below = match Counter::BITS - run {
            below if below == counter.value().trailing_zeros() => below,
            below => below - 1,
        };
        let key = self.register(bits_below).read(self.length).ok_or(UpdateKeyError::RegisterDamaged)?;
        let below = (1 << bits_below) - 1;
        Ok(UpdateKey::new(derive::steps(key, self.id, !below, below), self.id))
    }

    /// Length of the initial key: no working key is longer.
    #[must_use]
    pub const fn key_length(&self) -> AesKeyLength {
        self.length
    }

    /// The name under which the initial key was loaded.
    #[must_use]
    pub const fn id(&self) -> &InitialKeyId {
        &self.id
    }

    /// How many transactions are left, if no register fails.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.counter.map_or(0, |next| Counter::TRANSACTIONS + 1 - next.ordinal(OnesLimit::Sixteen))
    }

    /// Finds the register of the counter ("Set Shift Register"), passing over registers that fail their check.
    fn current_key(&mut self) -> Result<(Counter, AesKey), EndOfLife> {
        loop {
            let counter = self.counter.ok_or(EndOfLife)?;
            let length = self.length;
            let register = self.register_mut(counter.value().trailing_zeros());
            if let Some(key) = register.read(length) {
                return Ok((counter, key));
            }
            // What is left of a damaged key is of no use to anybody honest.
            register.erase();
            self.counter = counter.beyond_register().ok();
        }
    }

    /// "Update State for next Transaction": stores the children of `key`, puts `key` itself out of the machine's reach and
    /// steps the counter.
    ///
    /// The pseudo code stores children of a counter with 16 ones too, and so comes to counters of 17. The text does not
    /// allow them.
    fn update_state(&mut self, counter: Counter, key: &AesKey) {
        let current = counter.value().trailing_zeros();
        if counter.ones() < OnesLimit::Sixteen.max_ones() {
            self.update_derivation_keys(key, counter.value(), current as usize);
        }
        self.register_mut(current).erase();
        self.counter = counter.next(OnesLimit::Sixteen).ok();
    }

    /// "Update Derivation Keys": fills the registers below bit `end` from `key`.
    fn update_derivation_keys(&mut self, key: &AesKey, counter: u32, end: usize) {
        for (bit, register) in self.registers.iter_mut().take(end).enumerate() {
            register.store(&derive::step(key, &Ksn::with_counter_bits(self.id, counter | 1 << bit)));
        }
    }

    fn register(&self, bit: u32) -> &AesRegister {
        self.registers.get(bit as usize).expect("a counter bit is below 32")
    }

    fn register_mut(&mut self, bit: u32) -> &mut AesRegister {
        self.registers.get_mut(bit as usize).expect("a counter bit is below 32")
    }
}

/// `counter 4 || key length in bytes 1 || 32 registers of 33`, the register of bit 0 first. The counter is zero once
/// operation has ceased.
impl Machine for VolatileOriginator {
    const SCHEME: u8 = 2;
    const STATE_LEN: usize = STATE_HEAD_LEN + REGISTERS * AesRegister::LEN;
    type Record = [u8; Self::RECORD_LEN];
    const BLANK: Self::Record = [0; Self::RECORD_LEN];

    type InitialKey = InitialKey;
    type Name = InitialKeyId;
    type Transaction = Transaction;

    fn load(initial_key: InitialKey) -> Self {
        Self::load(initial_key)
    }

    fn name(&self) -> &InitialKeyId {
        &self.id
    }

    fn encode_name(name: &InitialKeyId) -> [u8; NAME_LEN] {
        let [a, b, c, d, e, f, g, h] = *name.as_bytes();
        [a, b, c, d, e, f, g, h, 0, 0]
    }

    fn remaining(&self) -> u32 {
        self.remaining()
    }

    fn advance(&mut self) -> Result<Transaction, EndOfLife> {
        self.next_transaction()
    }

    fn cease(&mut self) {
        self.registers.iter_mut().for_each(AesRegister::erase);
        self.counter = None;
    }

    fn write_state(&self, state: &mut [u8]) {
        let ([counter @ .., length], registers) =
            state.split_first_chunk_mut::<STATE_HEAD_LEN>().expect("the state begins with its head");
        counter.copy_from_slice(&self.counter.map_or(0, Counter::value).to_be_bytes());
        *length = self.length.bytes().to_le_bytes()[0];
        let (registers, _) = registers.as_chunks_mut();
        for (bytes, register) in registers.iter_mut().zip(&self.registers) {
            register.write(bytes);
        }
    }

    fn read_state(name: [u8; NAME_LEN], state: &[u8]) -> Option<Self> {
        let [id @ .., 0, 0] = name else { return None };
        let ([counter @ .., length], registers) = state.split_first_chunk::<STATE_HEAD_LEN>()?;
        let counter = match u32::from_be_bytes(*counter.first_chunk()?) {
            0 => None,
            counter => Some(Counter::try_from(counter).ok()?),
        };
        let length = AesKeyLength::try_from(usize::from(*length)).ok()?;
        let (registers, []) = registers.as_chunks() else { return None };
        if registers.len() != REGISTERS {
            return None;
        }
        let id = InitialKeyId::from(id);
        let mut machine = Self { registers: [AesRegister::ERASED; REGISTERS], id, length, counter };
        for (register, bytes) in machine.registers.iter_mut().zip(registers) {
            register.fill(bytes);
        }
        Some(machine)
    }
}

impl fmt::Debug for VolatileOriginator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolatileOriginator")
            .field("id", &self.id)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
