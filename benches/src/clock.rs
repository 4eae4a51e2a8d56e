//! The clock of all benches: the time that the thread has run, where the system tells.

use criterion::measurement::{Measurement, ValueFormatter, WallTime};

/// Thread time as criterion's measure.
#[derive(Clone, Copy, Debug)]
pub struct ThreadTime;

impl Measurement for ThreadTime {
    type Intermediate = f64;
    type Value = f64;

    fn start(&self) -> f64 {
        nanoseconds()
    }

    fn end(&self, start: f64) -> f64 {
        nanoseconds() - start
    }

    fn add(&self, one: &f64, other: &f64) -> f64 {
        one + other
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// Nanoseconds that this thread has run: other programs on the core do not count.
///
/// # Panics
/// Panics if the system lacks the clock.
#[must_use]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[allow(unsafe_code, reason = "the C library's clock")]
pub fn nanoseconds() -> f64 {
    const THREAD_CPU_TIME: i32 = 3;
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
    }
    let mut time = [0; 2];
    // SAFETY: on 64-bit Linux the time is two 64-bit numbers, seconds and nanoseconds.
    let failed = unsafe { clock_gettime(THREAD_CPU_TIME, &raw mut time) };
    assert_eq!(failed, 0, "Linux has this clock");
    let [seconds, part] = time;
    #[allow(clippy::cast_precision_loss, reason = "a bench runs for minutes at most")]
    (seconds as f64).mul_add(1e9, part as f64)
}

/// Nanoseconds since the first call.
#[must_use]
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub fn nanoseconds() -> f64 {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed().as_secs_f64() * 1e9
}
