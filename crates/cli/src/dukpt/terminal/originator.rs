//! Originators of all kinds behind one face.

use core::error::Error;
use std::fs;
use std::io;

use cardroot::dukpt::aes::Originator as AesOriginator;
use cardroot::dukpt::durable::{
    Device, DeviceKey, FileStore, NoRollbackProtection, OriginatorError, RollbackProtection, SlotsError,
    StateError,
};
use cardroot::dukpt::{InitialKey, Ksn, Originator, aes};

use super::counter_file::CounterFile;
use super::sentence::Sentences;
use crate::dukpt::names::{TransactionRef, tdes_ksn};
use crate::dukpt::working_key::Parent;
use crate::error::Failure;
use crate::output::Record;

/// What a terminal consists of, on disk and in the hand of its owner.
pub(super) struct Files {
    /// They name the files.
    pub(super) sentences: Sentences,
    pub(super) device_key: DeviceKey,
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
    fn parent(&self) -> Parent;

    /// Takes the next transaction, durably, and then uses it.
    fn with_next(&mut self, use_it: Use<'_>) -> Result<Record, Failure>;

    fn renew(&mut self, initial_key: AnyInitialKey) -> Result<(), Failure>;

    /// The key under which a new initial key comes. Nothing is used up.
    fn update_key(&self) -> Result<aes::UpdateKey, Failure>;

    fn cease(&mut self) -> Result<(), Failure>;
}

/// An initial key of either scheme, with its name.
pub(super) enum AnyInitialKey {
    Tdes(InitialKey),
    Aes(aes::InitialKey),
}

/// The name that a state should have, by what it would be in each scheme.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    tdes: Option<Ksn>,
    aes: Option<aes::InitialKeyId>,
}

impl Expected {
    /// Takes a key serial number: 12 bytes are of AES, 8 may be of either, other lengths are of TDES.
    pub(super) fn name(bytes: &[u8]) -> Result<Self, Failure> {
        if let Ok(ksn) = aes::Ksn::try_from(bytes) {
            return Ok(Self { tdes: None, aes: Some(ksn.id()) });
        }
        let aes = <[u8; aes::InitialKeyId::LEN]>::try_from(bytes).ok().map(aes::InitialKeyId::from);
        Ok(Self { tdes: Some(tdes_ksn(bytes)?.initial()), aes })
    }
}

/// An originator and how its errors are worded.
struct At<O> {
    originator: O,
    sentences: Sentences,
}

/// Originators of the library have no trait in common that others could name.
macro_rules! terminal {
    ($scheme:ident $name:literal $originator:ident $rollback:ty: $parent:expr, $update_key:expr) => {
        impl Terminal for At<$originator<FileStore, $rollback>> {
            fn scheme(&self) -> &'static str {
                $name
            }

            fn name(&self) -> String {
                self.originator.name().to_string()
            }

            fn remaining(&self) -> u32 {
                self.originator.remaining()
            }

            fn parent(&self) -> Parent {
                $parent(&self.originator)
            }

            fn with_next(&mut self, use_it: Use<'_>) -> Result<Record, Failure> {
                let transaction = self.originator.next_transaction();
                let transaction = transaction.map_err(|error| self.sentences.originator(error))?;
                let skipped = transaction.skipped_counters();
                let record = use_it(TransactionRef::$scheme(transaction.key()))?;
                let record = record.with_some("skipped_counters", (skipped > 0).then_some(skipped));
                drop(transaction);
                Ok(record.with("left", self.originator.remaining()))
            }

            fn renew(&mut self, initial_key: AnyInitialKey) -> Result<(), Failure> {
                match initial_key {
                    AnyInitialKey::$scheme(initial_key) => self.originator.renew(initial_key),
                    _ => return Err(self.sentences.other_scheme()),
                }
                .map_err(|error| self.sentences.originator(error))
            }

            fn update_key(&self) -> Result<aes::UpdateKey, Failure> {
                $update_key(&self.originator, &self.sentences)
            }

            fn cease(&mut self) -> Result<(), Failure> {
                self.originator.cease().map_err(|error| self.sentences.originator(error))
            }
        }

        impl Opened for $originator<FileStore, $rollback> {
            fn at(self, sentences: Sentences) -> Box<dyn Terminal> {
                Box::new(At { originator: self, sentences })
            }
        }
    };
    (tdes $rollback:ty) => {
        terminal!(Tdes "TDES" Originator $rollback: |_| Parent::Tdes, |_, sentences: &Sentences| Err(sentences.no_update_key()));
    };
    (aes $rollback:ty) => {
        terminal!(
            Aes "AES" AesOriginator $rollback:
            |originator: &AesOriginator<_, _>| Parent::Aes(originator.key_length()),
            |originator: &AesOriginator<_, _>, sentences: &Sentences| {
                originator.update_key().map_err(|error| sentences.update_key(error))
            }
        );
    };
}

/// An originator that was loaded or opened.
trait Opened {
    fn at(self, sentences: Sentences) -> Box<dyn Terminal>;
}

terminal!(tdes NoRollbackProtection);
terminal!(tdes RollbackProtection<CounterFile>);
terminal!(aes NoRollbackProtection);
terminal!(aes RollbackProtection<CounterFile>);

/// Why a state is not opened.
enum Refusal {
    /// It may be one of the other scheme.
    OtherScheme,
    For(Failure),
}

/// Loads, or opens by name if there is one, with or without a counter against rollback: the types of all four differ.
macro_rules! with_device {
    ($files:expr, $counter:expr, |$device:ident| $originator:expr) => {
        match &$files.sentences.counter {
            None => {
                let $device = Device::without_rollback_protection($files.device_key.duplicate());
                $files.sentences.opened($originator)
            }
            Some(path) => {
                let counter =
                    $counter(path).map_err(|error| Refusal::For($files.sentences.counter(&error)))?;
                let $device = Device::new($files.device_key.duplicate(), counter);
                $files.sentences.opened($originator)
            }
        }
    };
}

impl Files {
    /// Loads an initial key into a file that holds no terminal.
    pub(super) fn load(&self, initial_key: AnyInitialKey) -> Result<Box<dyn Terminal>, Failure> {
        self.load_key(initial_key).map_err(|refusal| self.sentences.refusal(refusal))
    }

    fn load_key(&self, initial_key: AnyInitialKey) -> Result<Box<dyn Terminal>, Refusal> {
        let store = self.store()?;
        match initial_key {
            AnyInitialKey::Tdes(key) => {
                with_device!(self, CounterFile::make, |device| Originator::load(store, device, key))
            }
            AnyInitialKey::Aes(key) => {
                with_device!(self, CounterFile::make, |device| AesOriginator::load(store, device, key))
            }
        }
    }

    /// Opens the terminal in the file, of either scheme, if it has the name that was expected.
    pub(super) fn open(&self, expected: Option<Expected>) -> Result<Box<dyn Terminal>, Failure> {
        // The library would make a store where there is none.
        if let Err(error) = fs::metadata(&self.sentences.state)
            && error.kind() == io::ErrorKind::NotFound
        {
            return Err(self.sentences.no_file());
        }
        self.open_expected(expected).map_err(|refusal| self.sentences.refusal(refusal))
    }

    fn open_expected(&self, expected: Option<Expected>) -> Result<Box<dyn Terminal>, Refusal> {
        let Some(Expected { tdes, aes }) = expected else {
            return match self.open_tdes(None) {
                Err(Refusal::OtherScheme) => self.open_aes(None),
                opened => opened,
            };
        };
        match (tdes.map(|name| self.open_tdes(Some(&name))), aes) {
            (Some(Err(Refusal::OtherScheme)) | None, Some(name)) => self.open_aes(Some(&name)),
            (opened, _) => opened.unwrap_or(Err(Refusal::OtherScheme)),
        }
    }

    fn open_tdes(&self, name: Option<&Ksn>) -> Result<Box<dyn Terminal>, Refusal> {
        let store = self.store()?;
        with_device!(self, CounterFile::open, |device| match name {
            Some(name) => Originator::open_named(store, device, name),
            None => Originator::open(store, device),
        })
    }

    fn open_aes(&self, name: Option<&aes::InitialKeyId>) -> Result<Box<dyn Terminal>, Refusal> {
        let store = self.store()?;
        with_device!(self, CounterFile::open, |device| match name {
            Some(name) => AesOriginator::open_named(store, device, name),
            None => AesOriginator::open(store, device),
        })
    }

    fn store(&self) -> Result<FileStore, Refusal> {
        FileStore::open(&self.sentences.state).map_err(|error| Refusal::For(self.sentences.file(&error)))
    }
}

impl Sentences {
    fn opened<O: Opened, R: Error + 'static>(
        &self,
        opened: Result<O, OriginatorError<SlotsError<io::Error>, R>>,
    ) -> Result<Box<dyn Terminal>, Refusal> {
        match opened {
            Ok(originator) => Ok(originator.at(self.clone())),
            Err(OriginatorError::State(StateError::OtherScheme { .. })) => Err(Refusal::OtherScheme),
            Err(error) => Err(Refusal::For(self.originator(error))),
        }
    }

    fn refusal(&self, refusal: Refusal) -> Failure {
        match refusal {
            Refusal::OtherScheme => self.other_scheme(),
            Refusal::For(failure) => failure,
        }
    }
}
