//! Evidence for constant time: `ct-check memcheck` (under Valgrind) and `ct-check timing`. See `README.md`.

mod memcheck;
mod operations;
mod timing;
mod valgrind;

use std::process::ExitCode;

fn main() -> ExitCode {
    let passed = match std::env::args().nth(1).as_deref() {
        Some("memcheck") if valgrind::is_running() => memcheck::run(),
        Some("memcheck") => {
            eprintln!("memcheck only works under Valgrind: valgrind ct-check memcheck");
            return ExitCode::from(2);
        }
        Some("timing") => timing::run(),
        _ => {
            eprintln!("usage: ct-check memcheck|timing");
            return ExitCode::from(2);
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
