//! Key schedules: the one place that knows which crate does the DES rounds.

use cipher::{Array, KeyInit};
use des::{TdesEde2, TdesEde3};

use crate::key::{KeyLength, TdeaKey};

/// Expanded key; `des` wipes it on drop.
pub(crate) enum Schedule {
    Double(TdesEde2),
    Triple(TdesEde3),
}

/// Runs `$body` with `$cipher` bound to the schedule's block cipher.
macro_rules! with_cipher {
    ($schedule:expr, $cipher:ident => $body:expr) => {
        match $schedule {
            $crate::schedule::Schedule::Double($cipher) => $body,
            $crate::schedule::Schedule::Triple($cipher) => $body,
        }
    };
}
pub(crate) use with_cipher;

impl Schedule {
    pub(crate) fn new(key: &TdeaKey) -> Self {
        let bytes = key.expose_bytes();
        match key.length() {
            KeyLength::Double => Self::Double(TdesEde2::new(
                <&Array<_, _>>::try_from(bytes).expect("a double-length key is 16 bytes"),
            )),
            KeyLength::Triple => Self::Triple(TdesEde3::new(
                <&Array<_, _>>::try_from(bytes).expect("a triple-length key is 24 bytes"),
            )),
        }
    }
}
