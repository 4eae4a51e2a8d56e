//! `dukpt next`.

use cardroot::dukpt::{Counter, CounterError, EndOfLife, aes};
use clap::Args;

use super::names::{Scheme, aes_ksn, bad_aes_ksn, bad_ksn, tdes_ksn};
use crate::error::Failure;
use crate::hex;
use crate::output::{Record, Report};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot dukpt next --ksn FFFF9876543210E007FE
  cardroot dukpt next --aes --ksn 12345678901234560001FFFE";

#[derive(Args)]
pub(crate) struct Next {
    /// The Key Serial Number (KSN): 5 to 10 bytes, what is missing on the left is FF; 12 bytes with --aes
    #[arg(long, value_name = "H")]
    ksn: hex::Bytes,
    #[command(flatten)]
    scheme: Scheme,
}

pub(super) fn run(arguments: &Next) -> Result<Report, Failure> {
    if arguments.scheme.aes {
        return next_aes(&aes_ksn(&arguments.ksn.0)?, arguments.scheme.ones_limit());
    }
    let ksn = tdes_ksn(&arguments.ksn.0)?;
    let next = match ksn.counter() {
        Ok(counter) => counter.next().map_err(|end| no_more(counter, end))?,
        // The initial key's own number: the terminal has not sent anything yet.
        Err(CounterError::Zero) => Counter::FIRST,
        Err(fault) => return Err(bad_ksn(&fault)),
    };
    Ok(record(ksn.with_counter(next), next, next.ordinal(), Counter::TRANSACTIONS))
}

fn next_aes(ksn: &aes::Ksn, limit: aes::OnesLimit) -> Result<Report, Failure> {
    let next = match ksn.counter_within(limit) {
        Ok(counter) => counter.next(limit).map_err(|end| no_more(counter, end))?,
        Err(aes::CounterError::Zero) => aes::Counter::FIRST,
        Err(fault) => return Err(bad_aes_ksn(ksn, fault)),
    };
    Ok(record(aes::Ksn::new(ksn.id(), next), next, next.ordinal(limit), limit.transactions()))
}

fn no_more(counter: impl core::fmt::Display, end: EndOfLife) -> Failure {
    Failure::refused(format!("--ksn: after counter {counter} {end}; load a new initial key"))
}

fn record(ksn: impl ToString, counter: impl ToString, ordinal: u32, transactions: u32) -> Report {
    Record::new()
        .with("ksn", ksn.to_string())
        .with("counter", counter.to_string())
        .with("transaction", ordinal)
        .with("left_after_it", transactions - ordinal)
        .into()
}
