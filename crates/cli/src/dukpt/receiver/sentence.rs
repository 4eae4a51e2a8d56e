//! Why a store gives no verdict, and what to do about it.

use std::path::Path;

use cardroot::dukpt::guard::{Policy, Refusal};
use cardroot::store::Error;

use crate::error::{Failure, with_cause};
use crate::file;

/// Words errors of the store at a path.
pub(super) struct Sentences<'a>(&'a Path);

impl<'a> Sentences<'a> {
    pub(super) const fn of(path: &'a Path) -> Self {
        Self(path)
    }

    /// No store is made.
    pub(super) fn not_made(&self, error: &Error) -> Failure {
        match error {
            Error::Exists => file::not_overwritten(self.0),
            Error::Missing => self.refused("can't be made: its folder does not exist; make that first"),
            error => self.store(error),
        }
    }

    /// The store is not opened, or gives no verdict.
    pub(super) fn store(&self, error: &Error) -> Failure {
        match error {
            Error::Missing => self.refused(
                "does not exist: dukpt receiver create makes it, once; if there was one, find it, since an empty one accepts every old message once more",
            ),
            Error::InUse => {
                self.refused("is in use by another process: wait for it to end and repeat the command")
            }
            Error::Foreign => {
                self.refused("is no store of counters; it was left as it is: name another file")
            }
            Error::Version { found, known } if found < known => self.refused(&format!(
                "has the layout of an older program (version {found}, this one has {known}): dukpt receiver migrate brings it to that of this one"
            )),
            Error::Version { found, known } => self.refused(&format!(
                "has the layout of a newer program (version {found}, this one has {known}): use that"
            )),
            Error::Policy { stored, asked } => self.refused(&format!(
                "keeps the policy {}, not {}: {}, or change it by dukpt receiver policy",
                policy(*stored),
                policy(*asked),
                option(*stored)
            )),
            Error::Damaged(cause) => self.refused(&format!(
                "is damaged ({cause}): accept nothing by it, nor by an older copy, which accepts once more what came after it; give the terminals new keys"
            )),
            Error::Full => self.refused(
                "has no space left on the disk; nothing was accepted: make room and repeat the command",
            ),
            Error::OutcomeUnknown(cause) => self.refused(&format!(
                "could not be written ({cause}), and it is unknown whether the message was accepted: repeat the command as it was; if it was, the verdict is repeated"
            )),
            error => self.refused(&format!("can't be used: {}", with_cause(error))),
        }
    }

    fn refused(&self, what: &str) -> Failure {
        Failure::refused(format!("{} {what}", self.0.display()))
    }
}

/// A policy in words.
pub(super) fn policy(policy: Policy) -> String {
    match policy {
        Policy::Strict => "strict".into(),
        Policy::Window(window) => format!("window {}", window.width()),
    }
}

/// What has a command ask for the policy.
fn option(policy: Policy) -> String {
    match policy {
        Policy::Strict => "leave out --window".into(),
        Policy::Window(window) => format!("give --window {}", window.width()),
    }
}

/// The counter of a genuine message is not accepted.
pub(super) fn refusal(refusal: Refusal) -> String {
    match refusal {
        Refusal::Replay { .. } => {
            format!("{refusal}; do nothing for it, and have dukpt audit look for a clone of the terminal")
        }
        Refusal::Below { .. } => format!(
            "{refusal}; do nothing for it: it is old, or its terminal was put back or cloned; if the network changes the order of messages, dukpt receiver policy gives a window"
        ),
    }
}
