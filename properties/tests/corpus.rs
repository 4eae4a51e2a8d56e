//! Replays the kept inputs of the fuzz targets.
#![allow(
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    reason = "a panic is the report, and `std` is at hand"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use properties::{ALL, Reach};

fn fuzz(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder)
}

/// The entries of a folder, in order of their names.
fn entries(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn stems(folder: &Path) -> BTreeSet<String> {
    entries(folder).iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn kept_inputs_hold_every_property_and_reach_every_claim() {
    for (name, property) in ALL {
        let files = entries(&fuzz("corpus").join(name));
        let mut held = 0;
        for file in &files {
            let input = fs::read(file).unwrap();
            // Shown only if the property panics, so that the report names the input.
            println!("{}", file.display());
            held += usize::from(property(&input) == Reach::Held);
        }
        eprintln!("{name}: {} inputs, {held} beyond the refusals", files.len());
        assert!(held > 0, "{name}: no kept input gets to the claim");
    }
}

#[test]
fn nothing_at_all_is_an_input_too() {
    for (_, property) in ALL {
        property(&[]);
    }
}

#[test]
fn every_property_has_its_target_and_its_inputs_and_there_are_no_others() {
    let properties: BTreeSet<String> = ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(properties.len(), ALL.len());
    assert_eq!(stems(&fuzz("fuzz_targets")), properties);
    assert_eq!(stems(&fuzz("corpus")), properties);
    for name in &properties {
        let target = fs::read_to_string(fuzz("fuzz_targets").join(format!("{name}.rs"))).unwrap();
        assert!(target.contains(&format!("::{name}(data)")), "{name} calls another property");
    }
}
