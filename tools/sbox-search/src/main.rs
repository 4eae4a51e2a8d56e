//! Looks for smaller S-box circuits and prints each one found in the form of the data file.
//!
//! `sbox-search --sbox 1 --gates plain|lut3|lut3-pair [--seconds 60] [--method grow|walk] [--seed N]`
//!
//! `grow` builds circuits from nothing, `walk` starts from the one in the data file. A circuit that is printed takes the place of the old one
//! there by hand; then run `generate-circuits`.

use core::time::Duration;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sbox_search::circuit::{self, Family};
use sbox_search::refine::Walk;
use sbox_search::search::Search;

/// What is known already; the search starts below it.
const KNOWN: &str = include_str!("../../../crates/tdea/data/sbox_circuits.txt");
const USAGE: &str = "usage: sbox-search --sbox 1..8 --gates plain|lut3|lut3-pair [--seconds 60] [--seed N] [--method grow|walk] [--from GATES]";

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let (mut number, mut family, mut seconds, mut seed, mut from, mut refine) =
        (None, None, 60, clock(), None, false);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        let parsed = || value.parse::<u64>().map_err(|_| USAGE);
        match name.as_str() {
            "--sbox" => number = value.parse().ok().filter(|number| (1..=8).contains(number)),
            "--method" if ["grow", "walk"].contains(&value.as_str()) => refine = value == "walk",
            "--gates" => family = Family::named(&value),
            "--seconds" => seconds = parsed()?,
            "--seed" => seed = parsed()?,
            "--from" => from = Some(value.parse::<usize>().map_err(|_| USAGE)?),
            _ => return Err(USAGE.into()),
        }
    }
    let (number, family) = (number.ok_or(USAGE)?, family.ok_or(USAGE)?);
    let known = circuit::read(KNOWN)?.into_iter().find(|c| c.family == family && c.number == number);
    let mut best = from.or_else(|| known.as_ref().map(|known| known.gates.len())).unwrap_or(74);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut steps = 0_u64;
    match known.filter(|_| refine) {
        Some(known) => {
            let mut walk = Walk::new(known, seed);
            while !steps.is_multiple_of(1024) || Instant::now() < end {
                steps += 1;
                if let Some(circuit) = walk.step() {
                    best = circuit.gates.len();
                    eprintln!("S{number}: {best} gates, depth {} in step {steps}", circuit.depth());
                    print!("{}", circuit.text());
                }
            }
        }
        None => {
            let mut search = Search::new(family, number, seed);
            while Instant::now() < end && best > 0 {
                steps += 1;
                if let Some(circuit) = search.run(best - 1) {
                    best = circuit.gates.len();
                    eprintln!("S{number}: {best} gates in run {steps}");
                    print!("{}", circuit.text());
                }
            }
        }
    }
    eprintln!("S{number}: {best} gates after {steps} tries");
    Ok(())
}

/// A seed that differs between runs.
fn clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ (now.as_secs() << 20)
}
