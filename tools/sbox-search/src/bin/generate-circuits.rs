//! Turns the circuits of `crates/tdea/data/sbox_circuits.txt` into `crates/tdea/src/bulk/circuits.rs`.

use core::error::Error;
use std::fs;
use std::path::Path;

use sbox_search::{circuit, emit};

fn main() -> Result<(), Box<dyn Error>> {
    let tdea = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/tdea");
    let circuits = circuit::read(&fs::read_to_string(tdea.join("data/sbox_circuits.txt"))?)?;
    fs::write(tdea.join("src/bulk/circuits.rs"), emit::code(&circuits)?)?;
    Ok(())
}
