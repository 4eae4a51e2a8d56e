//! The bulk engine on every back end of this machine beside its peers: one process, one thread, turns of each interleaved, medians.
//!
//! `cargo bench -p benches --bench bulk`, best pinned to one core: `taskset -c 1 cargo bench …`. A whole run writes `results/bulk.md`,
//! `bulk.csv` and `bulk.svg`; names of works or sections (`ecb`, `break-even`) run those alone and write nothing, nor does `--test`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::precedence,
    reason = "a program that makes its own inputs"
)]

mod break_even;
mod dukpt;
mod harness;
mod linear;
mod plot;
mod report;
mod uneven;
mod works;

use std::path::Path;
use std::{env, fs, io};

use harness::Turns;
use report::Report;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let turns = Turns(if arguments.iter().any(|argument| argument == "--test") { 1 } else { 61 });
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| *wanted == name);

    let mut report = Report::start(turns);
    println!("{}", report.conditions());
    for work in works::WORKS.iter().filter(|work| wanted(work.id)) {
        println!("{}", report.add(work, work.measure(turns)));
    }
    if wanted("linear") {
        report.linear = linear::run(turns);
        println!("{}", report.linear_table());
    }
    if wanted("uneven") {
        report.uneven = uneven::run(turns);
        println!("{}", report.uneven_table());
    }
    if wanted("break-even") {
        report.break_even = break_even::run(turns);
        println!("{}", report.break_even_table());
    }
    if names.is_empty() && turns.0 > 1 {
        write(&report)?;
    }
    Ok(())
}

fn write(report: &Report) -> io::Result<()> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    fs::create_dir_all(&results)?;
    for (name, text) in [
        ("bulk.md", report.markdown()),
        ("bulk.csv", report.csv()),
        ("bulk.svg", plot::svg(&report.comparisons())),
    ] {
        fs::write(results.join(name), text)?;
        println!("wrote {}", results.join(name).display());
    }
    Ok(())
}
