//! One long message among many short ones: its blocks must not cost a pass of all lanes each.

use core::hint::black_box;

use tdea::bulk::{Engine, MacKeys};
use tdea::{Padding, RetailMac};

use crate::harness::{Job, Turns, Who, measure};
use crate::works::keys;

static SHORT: [u8; 64] = [0x5A; 64];
static LONG: [u8; 65_536] = [0x5A; 65_536];

/// What a back end takes, in microseconds.
pub(crate) struct Uneven {
    pub(crate) who: Who,
    /// 1,000 messages of 64 bytes.
    pub(crate) short: f64,
    /// The same with one of 64 KiB among them.
    pub(crate) mixed: f64,
    /// The long message by itself, on the one-block road.
    pub(crate) long: f64,
    /// The same as `mixed` if a pass went over all lanes for every block.
    pub(crate) passes: f64,
}

pub(crate) fn run(turns: Turns) -> Vec<Uneven> {
    Engine::available().map(|engine| measure_on(engine, turns.part(4))).collect()
}

fn measure_on(engine: Engine, turns: Turns) -> Uneven {
    let mixed = |index: usize| if index == 500 { LONG.as_slice() } else { &SHORT };
    let jobs = vec![
        macs(engine, |_| &SHORT),
        macs(engine, mixed),
        long(engine),
        macs(engine.always_sliced(), mixed),
    ];
    let times: Vec<f64> = measure(turns, jobs).into_iter().map(|(_, time)| time / 1000.0).collect();
    Uneven {
        who: Who::Ours(engine.backend()),
        short: times[0],
        mixed: times[1],
        long: times[2],
        passes: times[3],
    }
}

fn macs(engine: Engine, message: impl Fn(usize) -> &'static [u8]) -> Job<'static> {
    let (keys, messages): (_, Vec<&[u8]>) = (keys(1000), (0..1000).map(message).collect());
    Job::ours(engine.backend(), 1, move || {
        // What is left of a long message runs on the one-block tier, which takes the back end of the process.
        engine.backend().force().unwrap();
        let take = |_, mac| {
            black_box(mac);
        };
        engine.retail_macs(MacKeys::Each(&keys), Padding::Zeros, black_box(&messages), take).unwrap();
    })
}

fn long(engine: Engine) -> Job<'static> {
    let keys = keys(1);
    Job::ours(engine.backend(), 1, move || {
        engine.backend().force().unwrap();
        black_box(RetailMac::compute(&keys[0], Padding::Zeros, black_box(&LONG)).unwrap());
    })
}
