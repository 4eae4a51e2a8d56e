//! Originators of all kinds behind one face.

use std::fs;
use std::io;
use std::path::PathBuf;

use cardroot::dukpt::durable::{Device, DeviceKey, FileStore, NoRollbackProtection, RollbackProtection};
use cardroot::dukpt::{InitialKey, Ksn, Originator};

use super::counter_file::CounterFile;
use super::sentence::Sentences;
use crate::dukpt::names::TransactionRef;
use crate::dukpt::working_key::Parent;
use crate::error::Failure;
use crate::output::Record;

/// What a terminal consists of, on disk and in the hand of its owner.
pub(super) struct Files {
    pub(super) state: PathBuf,
    pub(super) device_key: DeviceKey,
    pub(super) rollback_counter: Option<PathBuf>,
}

/// What is done with a transaction while it lasts.
pub(super) type Use<'a> = &'a mut dyn FnMut(TransactionRef<'_>) -> Result<Record, Failure>;

/// An originator over a state file.
pub(super) trait Terminal {
    fn scheme(&self) -> &'static str;

    /// The name under which its initial key was loaded.
    fn name(&self) -> String;

    /// How many transactions are left.
    fn remaining(&self) -> u32;

    /// What its transaction keys are to the keys under them.
    fn parent(&self) -> Result<Parent, Failure>;

    /// Takes the next transaction, durably, and then uses it.
    fn with_next(&mut self, use_it: Use<'_>) -> Result<Record, Failure>;

    fn renew(&mut self, initial_key: InitialKey) -> Result<(), Failure>;

    fn cease(&mut self) -> Result<(), Failure>;
}

/// An originator and how its errors are worded.
struct At<O> {
    originator: O,
    sentences: Sentences,
}

/// The library's originators have no trait in common that others could name.
macro_rules! terminal {
    ($($rollback:ty),*) => {$(
        impl Terminal for At<Originator<FileStore, $rollback>> {
            fn scheme(&self) -> &'static str {
                "TDES"
            }

            fn name(&self) -> String {
                self.originator.name().to_string()
            }

            fn remaining(&self) -> u32 {
                self.originator.remaining()
            }

            fn parent(&self) -> Result<Parent, Failure> {
                Ok(Parent::Tdes)
            }

            fn with_next(&mut self, use_it: Use<'_>) -> Result<Record, Failure> {
                let transaction = self.originator.next_transaction();
                let transaction = transaction.map_err(|error| self.sentences.originator(error))?;
                let skipped = transaction.skipped_counters();
                let record = use_it(TransactionRef::Tdes(transaction.key()))?;
                let record = record.with_some("skipped_counters", (skipped > 0).then_some(skipped));
                drop(transaction);
                Ok(record.with("left", self.originator.remaining()))
            }

            fn renew(&mut self, initial_key: InitialKey) -> Result<(), Failure> {
                self.originator.renew(initial_key).map_err(|error| self.sentences.originator(error))
            }

            fn cease(&mut self) -> Result<(), Failure> {
                self.originator.cease().map_err(|error| self.sentences.originator(error))
            }
        }
    )*};
}

terminal!(NoRollbackProtection, RollbackProtection<CounterFile>);

impl Files {
    /// Loads an initial key into a file that holds no terminal.
    pub(super) fn load(self, initial_key: InitialKey) -> Result<Box<dyn Terminal>, Failure> {
        let sentences = self.sentences();
        let store = self.store(&sentences)?;
        Ok(match &self.rollback_counter {
            None => {
                let device = Device::without_rollback_protection(self.device_key);
                let originator = Originator::load(store, device, initial_key);
                let originator = originator.map_err(|error| sentences.originator(error))?;
                Box::new(At { originator, sentences })
            }
            Some(path) => {
                let counter = CounterFile::make(path).map_err(|error| sentences.counter(&error))?;
                let originator = Originator::load(store, Device::new(self.device_key, counter), initial_key);
                let originator = originator.map_err(|error| sentences.originator(error))?;
                Box::new(At { originator, sentences })
            }
        })
    }

    /// Opens the terminal in the file, if it has the name that was expected.
    pub(super) fn open(self, name: Option<&Ksn>) -> Result<Box<dyn Terminal>, Failure> {
        let sentences = self.sentences();
        // The library would make a store where there is none.
        if let Err(error) = fs::metadata(&self.state)
            && error.kind() == io::ErrorKind::NotFound
        {
            return Err(sentences.no_file());
        }
        let (store, name) = (self.store(&sentences)?, name.map(Ksn::initial));
        Ok(match &self.rollback_counter {
            None => {
                let device = Device::without_rollback_protection(self.device_key);
                let originator = match &name {
                    Some(name) => Originator::open_named(store, device, name),
                    None => Originator::open(store, device),
                };
                let originator = originator.map_err(|error| sentences.originator(error))?;
                Box::new(At { originator, sentences })
            }
            Some(path) => {
                let device = Device::new(self.device_key, CounterFile::open(path));
                let originator = match &name {
                    Some(name) => Originator::open_named(store, device, name),
                    None => Originator::open(store, device),
                };
                let originator = originator.map_err(|error| sentences.originator(error))?;
                Box::new(At { originator, sentences })
            }
        })
    }

    fn store(&self, sentences: &Sentences) -> Result<FileStore, Failure> {
        FileStore::open(&self.state).map_err(|error| sentences.file(&error))
    }

    fn sentences(&self) -> Sentences {
        Sentences { state: self.state.clone(), counter: self.rollback_counter.clone() }
    }
}
