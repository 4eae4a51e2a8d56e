//! From the components of custodians to an answered sale: the main job of cardroot, on the input files of this folder.
//!
//! ```sh
//! cargo run --release --example province -- --out province-records
//! ```
//! The program founds a province by ceremony, gives its cities their keys, issues SAM and user cards over APDUs, lets
//! terminals make sales and the acquirer answer them. Bad input lies among the good on purpose; the run succeeds if exactly
//! that was refused (`expected-refusals.csv`).

#![allow(unreachable_pub, reason = "a program has no API")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program has std")]

mod acquirer;
mod ceremony;
mod family;
mod issue;
mod key_card;
mod keys;
mod perso;
mod plan;
mod purse;
mod report;
mod sales;
mod sam;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::plan::Inputs;
use crate::report::Report;

/// What ends the run: a sentence for the one who started it.
#[derive(Debug)]
pub struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn main() -> ExitCode {
    let (input, output) = match folders() {
        Ok(folders) => folders,
        Err(failure) => {
            eprintln!("{failure}\nusage: province [--in FOLDER] [--out FOLDER]");
            return ExitCode::from(2);
        }
    };
    match run(&input, &output) {
        Ok((summary, as_expected)) => {
            print!("{summary}");
            if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(failure) => {
            eprintln!("province: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn folders() -> Result<(PathBuf, PathBuf), Failure> {
    let mut input = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/province"));
    let mut output = PathBuf::from("province-records");
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let folder = match arg.as_str() {
            "--in" => &mut input,
            "--out" => &mut output,
            _ => return Err(Failure(format!("{arg} is not an option"))),
        };
        *folder = args.next().ok_or_else(|| Failure(format!("{arg} needs a folder")))?.into();
    }
    Ok((input, output))
}

fn run(input: &std::path::Path, output: &std::path::Path) -> Result<(String, bool), Failure> {
    let inputs = Inputs::read(input)?;
    let mut report = Report::into_folder(output)?;
    let roots = ceremony::hold(&inputs, &mut report)?;
    let (parent, centres) = keys::distribute(&inputs, roots.parent, &roots.city_transport, &mut report)?;
    let mut cards = issue::issue(&inputs, (&parent, &centres), &roots.card_transport, &mut report)?;
    purse::try_out(&mut cards, &centres, &mut report)?;
    sales::trade(&inputs, roots.bdk, cards, &mut report)?;
    let title = format!("{}: from components to an answered sale", inputs.plan.province.name);
    report.finish(&title, inputs.expected)
}
