//! Builders for the commands a host needs: interindustry ones here, those of the PBOC family in [`pboc`], those of
//! GlobalPlatform in [`gp`].
//!
//! They give a [`CommandApdu`](crate::CommandApdu) without secure messaging; [`secure`](crate::secure) adds it.
//! Commands that only read, or select, may be repeated after `6CXX`; no other.

mod file;
pub mod gp;
mod identity;
mod logical_channel;
pub mod pboc;

pub use file::{
    BinaryAddress, DfName, DfNameError, FileId, Record, RecordAddress, Sfi, append_record, read_binary,
    read_record, select_file, select_name, update_binary, update_record,
};
pub use identity::{
    ChallengeLength, InternalOperation, PinLengthError, external_authenticate, get_challenge,
    internal_authenticate, verify,
};
pub use logical_channel::{close_channel, open_channel, open_channel_numbered};
