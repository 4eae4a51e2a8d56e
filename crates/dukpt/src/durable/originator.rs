//! The originator whose state is durable before its keys are used.

use core::convert::Infallible;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ops::Deref;

use pin::{ClearPinBlock, EncryptPinBlock, EncryptedPinBlock};
use zeroize::Zeroizing;

use super::DeviceKey;
use super::error::{OriginatorError, StateError};
use super::machine::Machine;
use super::rollback::{MonotonicCounter, NoRollbackProtection, Rollback, RollbackProtection, confirm};
use super::seal::{seal, unseal};
use super::store::{StateStore, Stored};
use crate::counter::EndOfLife;
use crate::originator::VolatileOriginator;
use crate::transaction::Transaction;

/// What the hardware of a device gives to an originator: a key to seal its state under, and a counter against rollback.
#[derive(Debug)]
pub struct Device<R> {
    key: DeviceKey,
    rollback: R,
}

impl<C: MonotonicCounter> Device<RollbackProtection<C>> {
    /// A device whose `counter` belongs to one originator alone.
    #[must_use]
    pub const fn new(key: DeviceKey, counter: C) -> Self {
        Self { key, rollback: RollbackProtection(counter) }
    }
}

impl Device<NoRollbackProtection> {
    /// A device without such a counter. Whoever can put back an old copy of the store makes its originator use counters,
    /// and so keys, a second time: see [`NoRollbackProtection`].
    #[must_use]
    pub const fn without_rollback_protection(key: DeviceKey) -> Self {
        Self { key, rollback: NoRollbackProtection }
    }
}

/// An originator over a store: its state is durable before a key, a PIN block or a MAC leaves.
///
/// `M` is the register machine of the scheme, which the names [`Originator`](crate::Originator) for TDES and
/// [`aes::Originator`](crate::aes::Originator) choose. `S` is the store, `R` says whether the device protects it against rollback.
///
/// # Source
/// ANS X9.24-1:2009 7.2 and 8.7: a used key is erased at once, a counter is never used again. The order of writing is ours:
/// the standard is silent on loss of power. It is stated in the [module](super).
pub struct DurableOriginator<M: Machine, S, R> {
    store: S,
    device: Device<R>,
    machine: M,
    /// Generation of the state that is durable and confirmed.
    generation: u64,
    /// What the machine has advanced to, while that could not be made durable. Nobody has seen the key.
    pending: Option<Result<M::Transaction, EndOfLife>>,
}

type Failure<S, R> = OriginatorError<<S as StateStore>::Error, <R as Rollback>::Error>;

impl<M: Machine, S: StateStore, R: Rollback> DurableOriginator<M, S, R> {
    /// Loads an initial key into a store that holds no state. What is damaged beyond opening is no state.
    ///
    /// An initial key is loaded once and then destroyed wherever else it was: loaded into another store it would give the same
    /// keys again, and no originator could know.
    ///
    /// After a failure, of the power too, the store decides: [`open`](Self::open) it, and load again only if that says
    /// [`StateError::Nothing`] or [`StateError::Damaged`].
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.7.2.1.
    ///
    /// # Errors
    /// Returns [`StateError::Occupied`] if the store holds a state of any originator, else what store and counter say.
    ///
    /// # Examples
    /// One initial key makes one originator:
    /// ```
    /// # use cardroot_dukpt::durable::{Device, MemoryStore, NoRollbackProtection};
    /// # use cardroot_dukpt::{InitialKey, Originator};
    /// # fn load(first: Device<NoRollbackProtection>, second: Device<NoRollbackProtection>, initial_key: InitialKey, other: InitialKey) {
    /// let one = Originator::load(MemoryStore::<401>::new(), first, initial_key);
    /// let two = Originator::load(MemoryStore::<401>::new(), second, other);
    /// # }
    /// ```
    /// and not two:
    /// ```compile_fail,E0382
    /// # use cardroot_dukpt::durable::{Device, MemoryStore, NoRollbackProtection};
    /// # use cardroot_dukpt::{InitialKey, Originator};
    /// # fn load(first: Device<NoRollbackProtection>, second: Device<NoRollbackProtection>, initial_key: InitialKey, other: InitialKey) {
    /// let one = Originator::load(MemoryStore::<401>::new(), first, initial_key);
    /// let two = Originator::load(MemoryStore::<401>::new(), second, initial_key);
    /// # }
    /// ```
    pub fn load(
        mut store: S,
        mut device: Device<R>,
        initial_key: M::InitialKey,
    ) -> Result<Self, Failure<S, R>> {
        if matches!(store.read(&mut []).map_err(OriginatorError::Store)?, Stored::Record { .. }) {
            return Err(StateError::Occupied.into());
        }
        // The device's counter may have served another originator before.
        let generation = device.rollback.generation().map_err(OriginatorError::RollbackCounter)?.unwrap_or(0);
        let machine = M::load(initial_key);
        let mut originator = Self { store, device, machine, generation, pending: None };
        originator.commit()?;
        Ok(originator)
    }

    /// Opens the originator in the store, whichever it is: [`name`](Self::name) tells.
    ///
    /// An originator that has ceased opens too: it can be renewed, and says [`EndOfLife`] to all else.
    ///
    /// # Errors
    /// Returns [`StateError`] if the store holds no state that this device may go on from, else what store and counter say.
    pub fn open(store: S, device: Device<R>) -> Result<Self, Failure<S, R>> {
        Self::open_stored(store, device, None)
    }

    /// Opens the originator of this name.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`StateError::OtherOriginator`] if it is another one, whether or not its state would open.
    pub fn open_named(store: S, device: Device<R>, name: &M::Name) -> Result<Self, Failure<S, R>> {
        Self::open_stored(store, device, Some(name))
    }

    fn open_stored(
        mut store: S,
        mut device: Device<R>,
        expected: Option<&M::Name>,
    ) -> Result<Self, Failure<S, R>> {
        let mut record = Zeroizing::new(M::BLANK);
        let len = match store.read(record.as_mut()).map_err(OriginatorError::Store)? {
            Stored::Nothing => return Err(StateError::Nothing.into()),
            Stored::Damaged => return Err(StateError::Damaged.into()),
            Stored::Record { len } => len,
        };
        let (machine, generation) = unseal(&mut *record, len, &device.key, expected)?;
        confirm(&mut device.rollback, generation)?;
        Ok(Self { store, device, machine, generation, pending: None })
    }

    /// Takes the next transaction key. The state after it is durable and the one before it destroyed when this returns.
    ///
    /// Call it once the message is there to be sent: a key taken and not used is lost. Where a PIN may not be entered after
    /// all, see [`request_pin_entry`](Self::request_pin_entry).
    ///
    /// The transaction borrows the originator, so there is one at a time; it ends, and its key is wiped, when it is dropped.
    /// Until then its key may be used again for the same message, as both sides may have agreed on for repeats. For another
    /// message take another transaction.
    ///
    /// # Errors
    /// Returns [`OriginatorError::EndOfLife`] for good after the last counter, else what store and counter say. No counter
    /// is lost if the call is repeated and succeeds then.
    pub fn next_transaction(&mut self) -> Result<CurrentTransaction<'_, M::Transaction>, Failure<S, R>> {
        let advanced = match self.pending.take() {
            Some(Err(EndOfLife)) => {
                self.cease()?;
                return Err(EndOfLife.into());
            }
            Some(advanced) => advanced,
            None if self.machine.remaining() == 0 => return Err(EndOfLife.into()),
            None => self.machine.advance(),
        };
        if let Err(failure) = self.commit() {
            self.pending = Some(advanced);
            return Err(failure);
        }
        Ok(CurrentTransaction { transaction: advanced?, originator: PhantomData })
    }

    /// Puts a new initial key in the place of everything that is there, at the end of life or before. A transaction whose
    /// state could not be made durable is lost by it.
    ///
    /// The name must be one that this terminal never had: of those before the old one nothing is kept to tell.
    ///
    /// # Errors
    /// Returns [`StateError::SameName`] if the new key has the name of the old one, else what store and counter say. The
    /// originator then goes on with the old key, unless the power fails before it has written anything more: then it opens
    /// with either.
    pub fn renew(&mut self, initial_key: M::InitialKey) -> Result<(), Failure<S, R>> {
        let new = M::load(initial_key);
        if new.name() == self.machine.name() {
            return Err(StateError::SameName.into());
        }
        if self.pending.is_some() {
            // A call that failed before may have left a state of the next generation, and somebody a copy of it. The new
            // key comes one later.
            self.commit()?;
        }
        let old = mem::replace(&mut self.machine, new);
        if let Err(failure) = self.commit() {
            self.machine = old;
            return Err(failure);
        }
        self.pending = None;
        Ok(())
    }

    /// Ceases operation for good and destroys all keys, here and in the store: when the device retires or finds itself
    /// tampered with.
    ///
    /// # Errors
    /// Returns what store and counter say. The keys in memory are gone even then, and every later call tries again to
    /// destroy those in the store.
    pub fn cease(&mut self) -> Result<(), Failure<S, R>> {
        self.machine.cease();
        self.pending = Some(Err(EndOfLife));
        // Twice: a call that failed before may have left a state of the first generation, and somebody a copy of it.
        self.commit()?;
        self.commit()?;
        self.pending = None;
        Ok(())
    }

    /// The name under which the initial key was loaded.
    pub fn name(&self) -> &M::Name {
        self.machine().name()
    }

    /// How many transactions are left, if no register fails.
    pub fn remaining(&self) -> u32 {
        self.machine().remaining()
    }

    /// The machine, to look at: what it is asked for must not advance it.
    pub(crate) const fn machine(&self) -> &M {
        &self.machine
    }

    /// Makes the machine's state durable, as the generation after the last confirmed one.
    fn commit(&mut self) -> Result<(), Failure<S, R>> {
        let generation = self.generation.wrapping_add(1);
        let mut record = Zeroizing::new(M::BLANK);
        seal(&self.machine, generation, &self.device.key, &mut record);
        self.store.replace((*record).as_ref()).map_err(OriginatorError::Store)?;
        confirm(&mut self.device.rollback, generation)?;
        self.generation = generation;
        Ok(())
    }
}

impl<S: StateStore, R: Rollback> DurableOriginator<VolatileOriginator, S, R> {
    /// Encrypts the PIN block of a customer, if a PIN was entered: "Request PIN Entry". If none was, no key is taken and
    /// nothing is written.
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.2.
    ///
    /// # Errors
    /// As [`next_transaction`](Self::next_transaction).
    ///
    /// # Examples
    /// ```
    /// # use cardroot_dukpt::durable::{Device, DeviceKey, MemoryStore};
    /// # use cardroot_dukpt::{Bdk, Ksn, Originator, VolatileOriginator, tdea::TdeaKey};
    /// use cardroot_dukpt::durable::PinEntry;
    /// use cardroot_dukpt::pin::{ClearPinBlock, Pan, Pin};
    ///
    /// # let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
    /// # let name = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
    /// # let initial_key = bdk.derive_initial_key(&name)?;
    /// # let device = Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(0x3C)));
    /// # let store = MemoryStore::<{ VolatileOriginator::RECORD_LEN }>::new();
    /// let mut terminal = Originator::load(store, device, initial_key)?;
    /// assert!(matches!(terminal.request_pin_entry(None)?, PinEntry::NotEntered));
    ///
    /// let (pin, pan) = (Pin::from_ascii_digits(b"1234")?, Pan::from_ascii_digits(b"4012345678909")?);
    /// let entered = ClearPinBlock::encode_iso0(&pin, &pan);
    /// let PinEntry::Entered { block, transaction } = terminal.request_pin_entry(Some(&entered))? else { panic!() };
    /// assert_eq!(format!("{block:?}"), "EncryptedPinBlock(1B9C1845EB993A7A)");
    /// assert_eq!(transaction.ksn().to_string(), "FFFF9876543210E00001");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn request_pin_entry(
        &mut self,
        entered: Option<&ClearPinBlock>,
    ) -> Result<PinEntry<'_>, Failure<S, R>> {
        let Some(clear) = entered else { return Ok(PinEntry::NotEntered) };
        let transaction = self.next_transaction()?;
        let block: Result<_, Infallible> = transaction.key().pin_key().encrypt_pin_block(clear);
        let Ok(block) = block;
        Ok(PinEntry::Entered { block, transaction })
    }
}

/// What came of asking a customer for the PIN: a PIN block `B` of a transaction `T`, which are those of TDES DUKPT unless
/// said otherwise.
#[derive(Debug)]
pub enum PinEntry<'a, B = EncryptedPinBlock, T = Transaction> {
    /// No PIN was entered. No key was used.
    NotEntered,
    /// The PIN is encrypted.
    Entered {
        /// The block to send.
        block: B,
        /// The transaction, whose key serial number goes with it.
        transaction: CurrentTransaction<'a, T>,
    },
}

/// The transaction that an originator is at, with all that the transaction offers. Its key is wiped when it is dropped.
///
/// There is one at a time:
/// ```
/// # use cardroot_dukpt::Originator;
/// # use cardroot_dukpt::durable::{MemoryStore, NoRollbackProtection};
/// # fn sell(mut terminal: Originator<MemoryStore<401>, NoRollbackProtection>) -> Option<()> {
/// let first = terminal.next_transaction().ok()?;
/// drop(first);
/// let second = terminal.next_transaction().ok()?;
/// # Some(())
/// # }
/// ```
/// and not two:
/// ```compile_fail,E0499
/// # use cardroot_dukpt::Originator;
/// # use cardroot_dukpt::durable::{MemoryStore, NoRollbackProtection};
/// # fn sell(mut terminal: Originator<MemoryStore<401>, NoRollbackProtection>) -> Option<()> {
/// let first = terminal.next_transaction().ok()?;
/// let second = terminal.next_transaction().ok()?;
/// drop(first);
/// # Some(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping a transaction unused loses its counter"]
pub struct CurrentTransaction<'a, T> {
    transaction: T,
    originator: PhantomData<&'a mut ()>,
}

impl<T> Deref for CurrentTransaction<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.transaction
    }
}

impl<M: Machine<Name: fmt::Debug>, S, R> fmt::Debug for DurableOriginator<M, S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableOriginator")
            .field("name", self.machine.name())
            .field("generation", &self.generation)
            .field("remaining", &self.machine.remaining())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::super::error::StateError;
    use super::super::store::MemoryStore;
    use super::*;
    use crate::{Bdk, InitialKey, Ksn, Originator};

    type Store = MemoryStore<{ VolatileOriginator::RECORD_LEN }>;

    fn name(number: u8) -> Ksn {
        Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, number, 0xE0, 0x00, 0x00])
    }

    fn initial_key(number: u8) -> InitialKey {
        let bdk = Bdk::from_key(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes().into());
        bdk.derive_initial_key(&name(number)).unwrap()
    }

    fn device() -> Device<NoRollbackProtection> {
        Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(0xA5)))
    }

    fn loaded_state() -> [u8; VolatileOriginator::STATE_LEN] {
        let mut state = [0; VolatileOriginator::STATE_LEN];
        VolatileOriginator::load(initial_key(0)).write_state(&mut state);
        state
    }

    fn store_with(state: &[u8]) -> Store {
        let machine = VolatileOriginator::read_state(*name(0).as_bytes(), state).unwrap();
        let mut record = VolatileOriginator::BLANK;
        seal(&machine, 1, &device().key, &mut record);
        let mut store = Store::new();
        store.replace(&record).unwrap();
        store
    }

    fn assert_stays_ceased(store: &mut Store) {
        for _ in 0..2 {
            let mut originator = Originator::open(&mut *store, device()).unwrap();
            assert_eq!(originator.remaining(), 0);
            for _ in 0..2 {
                assert_eq!(originator.next_transaction().unwrap_err(), OriginatorError::EndOfLife(EndOfLife));
            }
        }
        let mut record = VolatileOriginator::BLANK;
        record.copy_from_slice(store.record().unwrap());
        let (machine, _) = unseal::<VolatileOriginator>(&mut record, 401, &device().key, None).unwrap();
        assert_eq!(machine.remaining(), 0);
        assert_eq!(record[40..], [0; VolatileOriginator::STATE_LEN], "no register is left in the store");
    }

    #[test]
    fn the_last_counter_ends_the_stored_life_for_good() {
        // All that is left at the end: the register of bit 11.
        let mut state = [0; VolatileOriginator::STATE_LEN];
        state[..4].copy_from_slice(&0x1F_F800_u32.to_be_bytes());
        let register = 4 + 11 * 17..4 + 12 * 17;
        state[register.clone()].copy_from_slice(&loaded_state()[register]);
        let mut store = store_with(&state);
        let mut originator = Originator::open(&mut store, device()).unwrap();
        assert_eq!(originator.remaining(), 1);
        assert_eq!(originator.next_transaction().unwrap().ksn().counter().unwrap().value(), 0x1F_F800);
        assert_eq!(originator.next_transaction().unwrap_err(), OriginatorError::EndOfLife(EndOfLife));
        assert_stays_ceased(&mut store);
    }

    #[test]
    fn registers_all_damaged_end_the_stored_life_for_good() {
        let mut state = loaded_state();
        state[4..].iter_mut().for_each(|byte| *byte ^= 1);
        let mut store = store_with(&state);
        let mut originator = Originator::open(&mut store, device()).unwrap();
        assert_eq!(originator.remaining(), 1_048_575, "nobody has looked yet");
        assert_eq!(originator.next_transaction().unwrap_err(), OriginatorError::EndOfLife(EndOfLife));
        assert_stays_ceased(&mut store);
    }

    #[test]
    fn ceasing_is_final_until_another_key_is_loaded() {
        let mut store = store_with(&loaded_state());
        Originator::open(&mut store, device()).unwrap().cease().unwrap();
        assert_stays_ceased(&mut store);
        let mut originator = Originator::open(&mut store, device()).unwrap();
        let same_name = OriginatorError::State(StateError::SameName);
        assert_eq!(originator.renew(initial_key(0)).unwrap_err(), same_name);
        originator.renew(initial_key(1)).unwrap();
        assert_eq!(originator.next_transaction().unwrap().ksn().initial(), name(1));
    }

    #[test]
    fn what_shows_an_originator_shows_no_key() {
        let mut originator = Originator::load(Store::new(), device(), initial_key(0x10)).unwrap();
        let device = format!("{:?} {0:#?} {0:#x?}", device());
        let terminal = format!("{originator:?} {originator:#?} {originator:#x?}");
        assert!(terminal.contains("FFFF9876543210E00000"), "{terminal}");
        for shown in [device, terminal] {
            assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
        }
        let transaction = originator.next_transaction().unwrap();
        let key = base16ct::lower::encode_string(transaction.key().expose_key().expose_bytes());
        assert!(!format!("{transaction:x?}").to_lowercase().contains(&key[..4]));
    }
}
