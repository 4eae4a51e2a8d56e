//! One sale by each method of key management that ANS X9.24-1 approves.
//!
//! ```sh
//! cargo run --release --example three_methods
//! ```

#![allow(unreachable_pub, reason = "a program has no API")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program has std")]

mod dukpt;
mod fixed;
mod master;
mod room;
mod sale;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt::Display;

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

type Failure = Box<dyn Error>;
type Sell = fn(&mut Story) -> Result<(), Failure>;

/// Keys and fill come from the system.
fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// Who does what, line by line.
#[derive(Debug)]
pub struct Story(pub Vec<String>);

impl Story {
    /// Adds a line.
    pub fn tell(&mut self, who: &str, what: impl Display) {
        self.0.push(format!("{who:>10}  {what}"));
    }
}

fn main() -> Result<(), Failure> {
    let methods: [(&str, Sell); 3] = [
        ("Fixed transaction key (8.5)", fixed::sell),
        ("Master key/transaction key (8.6)", master::sell),
        ("Derived unique key per transaction (8.7)", dukpt::sell),
    ];
    for (title, sell) in methods {
        let mut story = Story(Vec::new());
        sell(&mut story)?;
        println!("{title}\n{}\n", story.0.join("\n"));
    }
    Ok(())
}
