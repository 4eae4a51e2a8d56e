//! Why a terminal gives no key, and what to do about it.

use core::error::Error;
use std::io;
use std::path::PathBuf;

use cardroot::dukpt::aes::UpdateKeyError;
use cardroot::dukpt::durable::{FileError, OriginatorError, SlotsError, StateError};

use super::counter_file::CounterFileError;
use crate::error::Failure;

/// Words errors for one terminal, by the names of its files.
#[derive(Clone)]
pub(super) struct Sentences {
    pub(super) state: PathBuf,
    pub(super) counter: Option<PathBuf>,
}

/// What to do when the keys of a terminal are lost. Its old name is never loaded again.
const LOAD_ANEW: &str = "load a new initial key, with a new name, into another file";

impl Sentences {
    pub(super) fn no_file(&self) -> Failure {
        self.refused("does not exist: dukpt terminal load makes it")
    }

    /// The state file can't be opened.
    pub(super) fn file(&self, error: &FileError) -> Failure {
        match error {
            FileError::InUse => {
                self.refused("is in use by another process, and two on one state would use each key twice: wait for it to end")
            }
            FileError::NotAStateFile => {
                self.refused("is no terminal's state; it was left as it is: name another file")
            }
            FileError::OtherVersion => {
                self.refused("is the state of another version of this program; it was left as it is: use that version")
            }
            FileError::Length => self.refused(&format!(
                "was cut, or something was added to it; an old copy of it would use keys twice: {LOAD_ANEW}"
            )),
            FileError::Io(error) => self.io(error),
            error => self.refused(&error.to_string()),
        }
    }

    /// The originator does not give what it was asked for.
    pub(super) fn originator<R: Error + 'static>(
        &self,
        error: OriginatorError<SlotsError<io::Error>, R>,
    ) -> Failure {
        match error {
            OriginatorError::EndOfLife(end) => {
                self.refused(&format!("{end}: dukpt terminal renew loads a new initial key, with a new name"))
            }
            OriginatorError::Store(SlotsError::Medium(error)) => self.io(&error),
            OriginatorError::Store(error) => self.refused(&error.to_string()),
            OriginatorError::RollbackCounter(error) => self.counter(&error),
            OriginatorError::State(error) => self.state(error),
            error => self.refused(&error.to_string()),
        }
    }

    /// The state, or the key to load into it, is of the other scheme.
    pub(super) fn other_scheme(&self) -> Failure {
        self.refused("is of the other scheme, AES or TDES: name the right file, the right --ksn, or a key of its scheme")
    }

    pub(super) fn no_update_key(&self) -> Failure {
        self.refused(
            "is a terminal of TDES DUKPT, which has no update key: its new initial key comes by hand",
        )
    }

    pub(super) fn update_key(&self, error: UpdateKeyError) -> Failure {
        self.refused(&format!(
            "gives no update key: {error}; a new initial key comes by hand, by dukpt terminal renew"
        ))
    }

    /// The file that counts states does not serve.
    pub(super) fn counter(&self, error: &(dyn Error + 'static)) -> Failure {
        let path = self.counter.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let missing = match error.downcast_ref() {
            Some(CounterFileError::Io(error)) => error.kind() == io::ErrorKind::NotFound,
            _ => false,
        };
        if missing {
            return Failure::refused(format!(
                "--rollback-counter: {path} does not exist, so nobody can say whether the state is an old copy: find the file, or {LOAD_ANEW}"
            ));
        }
        Failure::refused(format!("--rollback-counter: {path}: {error}; no key was used"))
    }

    fn state(&self, error: StateError) -> Failure {
        match error {
            StateError::Nothing => self.refused(
                "holds no terminal: dukpt terminal load puts one in; if there was one, it was emptied and its keys are lost: its name is never loaded again, it needs a new initial key, with a new name",
            ),
            StateError::Damaged => self.refused(
                "is damaged, no whole state is left in it: dukpt terminal load puts a new initial key, with a new name, in its place",
            ),
            StateError::Occupied => self.refused(
                "holds a terminal already: name another file, or have dukpt terminal renew replace its key",
            ),
            StateError::NewerVersion { found, known } => self.refused(&format!(
                "was written by a newer version of this program (format {found}, this one knows {known}): use that version"
            )),
            StateError::OtherOriginator { found } => {
                self.refused(&format!("is the state of another terminal, {found}: name the right file or the right --ksn"))
            }
            StateError::Seal => self.refused(
                "does not open under --device-key: it was altered, or another device's key sealed it; give the key that it was loaded with",
            ),
            StateError::Rollback { generation, counter } => self.rollback(generation, counter),
            StateError::SameName => Failure::refused(
                "--new-ksn: the terminal has this name already, and each of its keys would come a second time: load a key with a new name",
            ),
            error => self.refused(&format!("can't be gone on from: {error}; {LOAD_ANEW}")),
        }
    }

    fn rollback(&self, generation: u64, counter: u64) -> Failure {
        if generation < counter {
            return self.refused(&format!(
                "is an old copy (state {generation}, and {counter} were counted): it would use keys twice; {LOAD_ANEW}"
            ));
        }
        self.refused(&format!(
            "is ahead of --rollback-counter (state {generation}, and only {counter} were counted): the state was used without it, or the counter is another's or an old copy; {LOAD_ANEW}"
        ))
    }

    fn io(&self, error: &io::Error) -> Failure {
        let what_to_do = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                "the disk is full; no key was used: make room and repeat the command"
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                "this user may not write it, and a key is not used before that is written down"
            }
            _ => "no key was used: repair that and repeat the command",
        };
        self.refused(&format!("can't be read or written ({error}): {what_to_do}"))
    }

    fn refused(&self, what: &str) -> Failure {
        Failure::refused(format!("{} {what}", self.state.display()))
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use cardroot::dukpt::durable::StoredName;

    use super::*;

    fn sentences() -> Sentences {
        Sentences { state: "pos1.state".into(), counter: Some("pos1.count".into()) }
    }

    fn of_store(kind: io::ErrorKind) -> String {
        let error: OriginatorError<_, Infallible> = OriginatorError::Store(SlotsError::Medium(kind.into()));
        sentences().originator(error).to_string()
    }

    #[test]
    fn full_disk_costs_no_key() {
        let sentence = of_store(io::ErrorKind::StorageFull);
        assert!(
            sentence.starts_with("pos1.state can't be read or written (no storage space): the disk is full"),
            "{sentence}"
        );
        assert!(sentence.ends_with("make room and repeat the command"));
        for kind in [io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge] {
            assert!(of_store(kind).contains("the disk is full"));
        }
        assert!(of_store(io::ErrorKind::PermissionDenied).contains("this user may not write it"));
        assert!(of_store(io::ErrorKind::Other).contains("repair that and repeat the command"));
    }

    #[test]
    fn states_of_other_places_and_times_say_what_to_do() {
        let of = |error: StateError| sentences().state(error).to_string();
        let newer = of(StateError::NewerVersion { found: 2, known: 1 });
        assert_eq!(
            newer,
            "pos1.state was written by a newer version of this program (format 2, this one knows 1): use that version"
        );
        let other = of(StateError::OtherOriginator { found: StoredName([0x11; 10]) });
        assert!(other.contains("another terminal, 11111111111111111111"));
        assert!(
            of(StateError::Rollback { generation: 3, counter: 5 })
                .contains("is an old copy (state 3, and 5 were counted)")
        );
        assert!(
            of(StateError::Rollback { generation: 9, counter: 5 }).contains("is ahead of --rollback-counter")
        );
        for error in [StateError::NotAState, StateError::OtherScheme { found: 9 }, StateError::Contradictory]
        {
            assert!(of(error).ends_with(LOAD_ANEW), "{error}");
        }
    }
}
