//! Secrets marked as undefined: Memcheck reports what branches on them or takes an address from them.

use tdea::Backend;

use crate::operations::{OPERATIONS, Secret, table_driven};
use crate::valgrind;

/// Runs everything on each back end that Valgrind lets the program see; prints a line each. Whether all is well.
pub fn run() -> bool {
    let mut passed = true;
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        backend.force().expect("it is available");
        for operation in OPERATIONS {
            let (reports, allowed) = (reports(operation.run), operation.verdicts);
            let verdict = if reports <= allowed { "ok" } else { "LEAK" };
            passed &= reports <= allowed;
            println!("{verdict:4} {backend:?}: {}: {reports} reports, {allowed} allowed", operation.name);
        }
    }
    let reports = reports(table_driven);
    passed &= reports > 0;
    println!(
        "{} control, one block of the crate des: {reports} reports",
        if reports > 0 { "ok  " } else { "BLIND" }
    );
    passed
}

/// What Memcheck has to say about one run.
fn reports(run: fn(&Secret)) -> usize {
    let mut secret = Secret::ZERO;
    secret.keys.iter_mut().for_each(|key| valgrind::mark_secret(key));
    valgrind::mark_secret(secret.data.as_flattened_mut());
    let before = valgrind::errors();
    run(&secret);
    valgrind::errors() - before
}
