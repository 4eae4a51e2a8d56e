//! The originating side: the register machine of ANS X9.24-1 Annex A.

use core::fmt;

use tdea::TdeaKey;

use crate::counter::{Counter, EndOfLife};
use crate::derive;
use crate::durable::machine::{Machine, NAME_LEN};
use crate::durable::record_len;
use crate::keys::{InitialKey, TransactionKey};
use crate::ksn::Ksn;
use crate::register::TdeaRegister;
use crate::transaction::Transaction;

/// The register machine of an originator, in memory only. A terminal wants [`Originator`](crate::Originator), which is this
/// machine with a store under it: what is gone when the power goes can't be loaded again, since the same initial key would
/// start from counter 1 and use every key a second time. This one serves simulations, tests, and devices whose every start
/// loads a new key with a new name.
///
/// It holds 21 future key registers, one for each bit of the counter, and keeps neither the initial key nor the key of
/// any transaction that is over: from what it holds, keys of the past can't be found.
///
/// There is no copy of it and no way to turn it back, since both would use a counter twice. Nor is there a way from here
/// into a store or out of it: a machine is used in one of the two ways, for life.
///
/// # Source
/// ANS X9.24-1:2009 8.7 and A.2; the private functions carry the names of its routines.
///
/// # Examples
/// ```
/// use cardroot_dukpt::{InitialKey, Ksn, VolatileOriginator, tdea::TdeaKey};
///
/// let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
/// let key = TdeaKey::from(0x6AC292FAA1315B4D_858AB3A3D7D5933A_u128.to_be_bytes());
/// let mut terminal = VolatileOriginator::load(InitialKey::from_key(key, &ksn)?);
///
/// let transaction = terminal.next_transaction()?;
/// assert_eq!(transaction.ksn().to_string(), "FFFF9876543210E00001");
/// let mac: [u8; 4] = transaction.key().mac_request_key().mac(b"4012345678909D987").truncated();
/// assert_eq!(mac, [0x9C, 0xCC, 0x78, 0x17]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
/// A copy would send the same counter again:
/// ```compile_fail,E0599
/// # use cardroot_dukpt::{InitialKey, VolatileOriginator};
/// # fn load(initial_key: InitialKey) {
/// let terminal = VolatileOriginator::load(initial_key);
/// let copy = terminal.clone();
/// # }
/// ```
pub struct VolatileOriginator {
    /// Indexed by the counter bit: the standard's register #1 is bit 20, its #21 is bit 0.
    registers: [TdeaRegister; Counter::BITS as usize],
    /// The initial key's name: the counter is kept by itself.
    ksn: Ksn,
    /// Counter of the next transaction; `None` once operation has ceased. Zero, which the standard has there, can't be.
    counter: Option<Counter>,
}

impl VolatileOriginator {
    /// Bytes of the record that a store keeps of an [`Originator`](crate::Originator): 401.
    pub const RECORD_LEN: usize = record_len(<Self as Machine>::STATE_LEN);

    /// Loads an initial key: "Load Initial Key". The counter starts from zero and steps to 1 at once.
    ///
    /// Whatever was loaded before is another value of this type; drop it, and its keys are gone.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.7.2.1 and A.2.
    #[must_use]
    pub fn load(initial_key: InitialKey) -> Self {
        let mut machine = Self {
            registers: [TdeaRegister::ERASED; Counter::BITS as usize],
            ksn: *initial_key.ksn(),
            counter: Some(Counter::FIRST),
        };
        // The standard puts the initial key into register #21, where the key of counter 1 overwrites it last. It goes
        // on to "New Key-4" there, which taken literally would erase that key; published sequences begin with counter 1.
        machine.new_key_3(initial_key.expose_key(), 0, 1 << Counter::BITS);
        machine
    }

    /// Takes the next transaction key: "Request PIN Entry 1", then "New Key".
    ///
    /// The machine has moved on before the key leaves: the register is erased, the registers below it hold their new
    /// keys and the counter has stepped. A key given out and not used is lost; none is used twice. So call this once the
    /// PIN is there or the message is: a customer who enters no PIN shall cost no key ("Request PIN Entry").
    ///
    /// A register whose check byte is wrong is skipped, with all counters whose keys come from it, as the standard has
    /// it; [`Transaction::skipped_counters`] tells how many.
    ///
    /// # Errors
    /// Returns [`EndOfLife`] for good after the last counter, when all registers are erased.
    pub fn next_transaction(&mut self) -> Result<Transaction, EndOfLife> {
        let expected = self.counter.ok_or(EndOfLife)?;
        let (counter, key) = self.request_pin_entry_1()?;
        self.new_key(counter, &key);
        let skipped_counters = counter.ordinal() - expected.ordinal();
        Ok(Transaction::new(TransactionKey::new(key, self.ksn.with_counter(counter)), skipped_counters))
    }

    /// The name under which the initial key was loaded.
    #[must_use]
    pub const fn initial_ksn(&self) -> &Ksn {
        &self.ksn
    }

    /// How many transactions are left, if no register fails.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.counter.map_or(0, |next| Counter::TRANSACTIONS + 1 - next.ordinal())
    }

    /// Finds the register of the counter ("Set Bit"), passing over registers that fail their check.
    fn request_pin_entry_1(&mut self) -> Result<(Counter, TdeaKey), EndOfLife> {
        loop {
            let counter = self.counter.ok_or(EndOfLife)?;
            let register = self.register_mut(counter.lowest_bit());
            if let Some(key) = register.read() {
                return Ok((counter, key));
            }
            // What is left of a damaged key is of no use to anybody honest.
            register.erase();
            self.counter = counter.beyond_register().ok();
        }
    }

    /// Stores the children of `key`, puts `key` itself out of the machine's reach and steps the counter: "New Key", with
    /// "New Key-4" and "New Key-2".
    fn new_key(&mut self, counter: Counter, key: &TdeaKey) {
        let pointer = counter.lowest_bit();
        if counter.ones() < Counter::MAX_ONES {
            self.new_key_3(key, counter.value(), pointer);
        }
        self.register_mut(pointer).erase();
        self.counter = counter.next().ok();
    }

    /// Fills all registers below `pointer` from `key`, the highest first: "New Key-1" and "New Key-3".
    fn new_key_3(&mut self, key: &TdeaKey, counter: u32, pointer: u32) {
        for shift_register in (0..pointer.trailing_zeros()).rev().map(|bit| 1 << bit) {
            let child = derive::step(key, &self.ksn.with_counter_bits(counter | shift_register));
            self.register_mut(shift_register).store(&child);
        }
    }

    /// Ceases operation for good; no register keeps its key.
    fn erase(&mut self) {
        self.registers.iter_mut().for_each(TdeaRegister::erase);
        self.counter = None;
    }

    /// The register that the one bit of `shift_register` selects.
    fn register_mut(&mut self, shift_register: u32) -> &mut TdeaRegister {
        self.registers.get_mut(shift_register.trailing_zeros() as usize).expect("a counter bit is below 21")
    }
}

/// The counter as the standard has it, zero once operation has ceased.
const COUNTER_LEN: usize = size_of::<u32>();

/// `counter 4 || 21 registers of 17`, the register of bit 0 first.
impl Machine for VolatileOriginator {
    const SCHEME: u8 = 1;
    const STATE_LEN: usize = COUNTER_LEN + Counter::BITS as usize * TdeaRegister::LEN;
    type Record = [u8; Self::RECORD_LEN];
    const BLANK: Self::Record = [0; Self::RECORD_LEN];

    type InitialKey = InitialKey;
    type Name = Ksn;
    type Transaction = Transaction;

    fn load(initial_key: InitialKey) -> Self {
        Self::load(initial_key)
    }

    fn name(&self) -> &Ksn {
        &self.ksn
    }

    fn encode_name(name: &Ksn) -> [u8; NAME_LEN] {
        *name.initial().as_bytes()
    }

    fn remaining(&self) -> u32 {
        self.remaining()
    }

    fn advance(&mut self) -> Result<Transaction, EndOfLife> {
        self.next_transaction()
    }

    fn cease(&mut self) {
        self.erase();
    }

    fn write_state(&self, state: &mut [u8]) {
        let (counter, registers) = state.split_first_chunk_mut().expect("the state begins with the counter");
        *counter = self.counter.map_or(0, Counter::value).to_be_bytes();
        let (registers, _) = registers.as_chunks_mut();
        for (bytes, register) in registers.iter_mut().zip(&self.registers) {
            register.write(bytes);
        }
    }

    fn read_state(name: [u8; NAME_LEN], state: &[u8]) -> Option<Self> {
        let (counter, registers) = state.split_first_chunk()?;
        let counter = match u32::from_be_bytes(*counter) {
            0 => None,
            counter => Some(Counter::try_from(counter).ok()?),
        };
        let ksn = Ksn::from(name);
        if ksn != ksn.initial() {
            return None;
        }
        let mut machine = Self { registers: [TdeaRegister::ERASED; Counter::BITS as usize], ksn, counter };
        let (registers, []) = registers.as_chunks() else { return None };
        if registers.len() != machine.registers.len() {
            return None;
        }
        for (register, bytes) in machine.registers.iter_mut().zip(registers) {
            register.fill(bytes);
        }
        Some(machine)
    }
}

impl fmt::Debug for VolatileOriginator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolatileOriginator")
            .field("ksn", &self.ksn)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use serde::Deserialize;

    use super::*;
    use crate::Bdk;

    #[derive(Deserialize)]
    struct Trace {
        #[serde(rename = "future_key_registers_after_load_by_bit")]
        after_load: alloc::collections::BTreeMap<String, String>,
        trace: Vec<Step>,
    }

    #[derive(Deserialize)]
    struct Step {
        ksn: String,
        key: String,
        next_counter: String,
        /// By the standard's numbers: #1 is bit 20.
        valid_registers_after: Vec<usize>,
    }

    fn bdk() -> Bdk {
        Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()))
    }

    fn initial_key() -> InitialKey {
        let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
        bdk().derive_initial_key(&ksn).unwrap()
    }

    fn hex(key: &TdeaKey) -> String {
        base16ct::upper::encode_string(key.expose_bytes())
    }

    fn trace() -> Trace {
        serde_json::from_str(include_str!("../tests/data/dukpt_tdes_originator_trace.json")).unwrap()
    }

    fn counter(transaction: &Transaction) -> u32 {
        transaction.ksn().counter().unwrap().value()
    }

    /// A machine that used `counter`, ones from the top down, and skipped what lies before it: every register below the
    /// next one of `counter` is spoiled before each step.
    fn skipped_to(counter: u32) -> VolatileOriginator {
        let mut machine = VolatileOriginator::load(initial_key());
        for bit in (0..Counter::BITS as usize).rev().filter(|bit| counter & 1 << bit != 0) {
            machine.registers[..bit].iter_mut().for_each(TdeaRegister::spoil);
            machine.next_transaction().unwrap();
        }
        machine
    }

    #[test]
    fn registers_after_load_are_those_of_the_trace_and_none_holds_the_initial_key() {
        let machine = VolatileOriginator::load(initial_key());
        let expected = trace().after_load;
        assert_eq!(expected.len(), 21);
        for (bit, expected) in expected {
            let key = machine.registers[bit.parse::<usize>().unwrap()].read().unwrap();
            assert_eq!(hex(&key), expected, "bit {bit}");
            assert!(!key.ct_eq(initial_key().expose_key()));
        }
    }

    #[test]
    fn transactions_leave_the_registers_of_the_trace() {
        let mut machine = VolatileOriginator::load(initial_key());
        let steps = trace().trace;
        std::println!("dukpt_tdes_originator_trace.json: {} steps", steps.len());
        assert_eq!(steps.len(), 40);
        for step in steps {
            let transaction = machine.next_transaction().unwrap();
            assert_eq!(format!("{}", transaction.ksn()), step.ksn);
            assert_eq!(hex(transaction.key().expose_key()), step.key);
            assert_eq!(format!("{}", machine.counter.unwrap()), step.next_counter);
            let valid: Vec<usize> =
                (1..=21).filter(|number| machine.registers[21 - number].read().is_some()).collect();
            assert_eq!(valid, step.valid_registers_after, "{}", step.ksn);
        }
    }

    #[test]
    fn the_key_given_out_is_in_no_register() {
        let mut machine = VolatileOriginator::load(initial_key());
        for _ in 0..300 {
            let transaction = machine.next_transaction().unwrap();
            let mut kept = machine.registers.iter().filter_map(TdeaRegister::read);
            assert!(kept.all(|key| !key.ct_eq(transaction.key().expose_key())));
        }
    }

    #[test]
    fn a_spoiled_register_is_skipped_with_all_counters_under_it() {
        let mut machine = VolatileOriginator::load(initial_key());
        let receiver = bdk();
        machine.registers[3].spoil();
        for expected in (1..=7).chain(0x10..=0x30) {
            let transaction = machine.next_transaction().unwrap();
            assert_eq!(counter(&transaction), expected);
            let lost = if expected == 0x10 { 8 } else { 0 };
            assert_eq!(transaction.skipped_counters(), lost, "8 to F are lost");
            let theirs = receiver.derive_transaction_key(transaction.ksn()).unwrap();
            assert!(theirs.ct_eq(transaction.key()));
        }
    }

    #[test]
    fn with_every_register_spoiled_the_machine_ceases() {
        let mut machine = VolatileOriginator::load(initial_key());
        machine.registers.iter_mut().for_each(TdeaRegister::spoil);
        assert_eq!(machine.next_transaction().unwrap_err(), EndOfLife);
        assert_has_ceased(&mut machine);
    }

    #[test]
    fn last_transactions_agree_with_the_receiver_and_the_end_is_final() {
        let receiver = bdk();
        let mut machine = skipped_to(0x1F_C000);
        let mut counters = Vec::new();
        while let Ok(transaction) = machine.next_transaction() {
            let theirs = receiver.derive_transaction_key(transaction.ksn()).unwrap();
            assert!(theirs.ct_eq(transaction.key()));
            counters.push(counter(&transaction));
        }
        // At most three more ones in the 14 bits below: C(14,1) + C(14,2) + C(14,3).
        assert_eq!(counters.len(), 14 + 91 + 364);
        assert!(counters.ends_with(&[0x1F_F080, 0x1F_F100, 0x1F_F200, 0x1F_F400, 0x1F_F800]));
        assert_has_ceased(&mut machine);
    }

    fn assert_has_ceased(machine: &mut VolatileOriginator) {
        for _ in 0..3 {
            assert_eq!(machine.next_transaction().unwrap_err(), EndOfLife);
        }
        assert_eq!(machine.remaining(), 0);
        assert!(machine.registers.iter().all(|register| register.read().is_none()));
    }

    fn written(machine: &VolatileOriginator) -> Vec<u8> {
        let mut state = alloc::vec![0xEE; VolatileOriginator::STATE_LEN];
        machine.write_state(&mut state);
        state
    }

    fn reread(machine: &VolatileOriginator) -> VolatileOriginator {
        VolatileOriginator::read_state(*machine.ksn.as_bytes(), &written(machine)).unwrap()
    }

    #[test]
    fn a_machine_written_and_read_goes_on_as_if_nothing_had_happened() {
        let (mut machine, receiver) = (VolatileOriginator::load(initial_key()), bdk());
        machine.registers[5].spoil();
        for _ in 0..100 {
            machine = reread(&machine);
            let transaction = machine.next_transaction().unwrap();
            let lost = if counter(&transaction) == 0x40 { 32 } else { 0 };
            assert_eq!(transaction.skipped_counters(), lost, "damage is written as it is, and reported once");
            assert!(receiver.derive_transaction_key(transaction.ksn()).unwrap().ct_eq(transaction.key()));
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn one_code_names_the_scheme_everywhere() {
        assert_eq!(VolatileOriginator::SCHEME, crate::guard::Scheme::Tdes.code());
    }

    #[test]
    fn the_end_survives_writing() {
        let mut machine = VolatileOriginator::load(initial_key());
        machine.cease();
        assert_has_ceased(&mut machine);
        assert_has_ceased(&mut reread(&machine));
        assert_eq!(written(&machine), [0; VolatileOriginator::STATE_LEN]);
    }

    #[test]
    fn states_that_no_machine_wrote_are_refused() {
        let machine = VolatileOriginator::load(initial_key());
        let (name, state) = (*machine.ksn.as_bytes(), written(&machine));
        let read = VolatileOriginator::read_state;
        assert!(read(name, &state).is_some());
        assert!(read(name, &[]).is_none());
        assert!(read(name, &state[..state.len() - 1]).is_none());
        assert!(read(name, &state[..state.len() - TdeaRegister::LEN]).is_none());
        let mut named = name;
        named[9] = 1;
        assert!(read(named, &state).is_none(), "a name with a counter");
        for counter in [0x7FF_u32, 0x20_0000, u32::MAX] {
            let state = [&counter.to_be_bytes(), &state[4..]].concat();
            assert!(read(name, &state).is_none(), "{counter:X}");
        }
    }

    #[test]
    fn debug_shows_no_register() {
        let mut machine = VolatileOriginator::load(initial_key());
        machine.registers.iter_mut().for_each(|register| register.store(&TdeaKey::from([0xA5; 16])));
        for shown in [format!("{machine:?}"), format!("{machine:#?}"), format!("{machine:#x?}")] {
            assert!(shown.contains("FFFF9876543210E00000"), "{shown}");
            assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
        }
    }
}
