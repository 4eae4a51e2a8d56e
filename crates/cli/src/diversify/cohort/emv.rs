//! `cardroot diversify cohort emv`.

use alloc::borrow::Cow;

use cardroot::diversify::emv::PanPsn;
use cardroot::pin::{DigitsError, Pan};
use clap::Args;

use super::results::Lines;
use super::rows::{Columns, Row, RowFault};
use super::{Scheme, Table};
use crate::any_key::AnyKey;
use crate::diversify::emv::{Master, Rule};
use crate::diversify::unfit_key;
use crate::error::Failure;
use crate::output::{Form, Report};
use crate::secret::Source;

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot diversify cohort emv --option a --key @mdk-ac.hex cards.csv --out keys.csv --rejects refused.csv
  cardroot diversify cohort emv --option b --key ask --psn 01 --mask-pan < cards.csv";

/// The sequence number of cards that have none.
const NO_PSN: &str = "00";

#[derive(Args)]
pub(crate) struct Emv {
    #[command(flatten)]
    rule: Rule,
    /// The issuer's Master Derivation Key (MDK, IMK): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// The PAN Sequence Number (PSN) of all cards, if the table has no column psn; 00 if not given
    #[arg(long, value_name = "D")]
    psn: Option<String>,
    /// Shows at most the first 6 and the last 4 digits of each PAN; the row number tells cards apart
    #[arg(long)]
    mask_pan: bool,
    #[command(flatten)]
    table: Table,
}

struct Cards {
    columns: Columns,
    master: Master,
    psn: String,
    mask_pan: bool,
}

impl Emv {
    pub(super) fn run(self, form: Form) -> Result<Report, Failure> {
        let master = self.rule.master(&mut self.table.secrets()?, &self.key)?;
        let columns = Columns::all(["pan", "psn"]);
        // One number for all leaves no place for a column of them.
        let columns = if self.psn.is_some() { columns.first_alone() } else { columns.first_required() };
        let psn = self.psn.unwrap_or_else(|| NO_PSN.into());
        PanPsn::new("0", Some(&psn)).map_err(|error| Failure::usage(format!("--psn: {error}")))?;
        self.table.run(&Cards { columns, master, psn, mask_pan: self.mask_pan }, form)
    }
}

impl Cards {
    fn card<'a>(&'a self, row: &Row<'a>) -> Result<PanPsn<'a>, RowFault> {
        let pan = row.text(0)?;
        let (min, max, found) = (Pan::MIN_DIGITS, Pan::MAX_DIGITS, pan.len());
        // The derivation takes fewer digits; here they are a PAN, as for one card alone.
        if !(min..=max).contains(&found) {
            return Err(RowFault::at(0, DigitsError::Length { min, max, found }));
        }
        Ok(PanPsn::new(pan, Some(self.psn(row)?))?)
    }

    fn psn<'a>(&'a self, row: &Row<'a>) -> Result<&'a str, RowFault> {
        Ok(row.optional_text(1)?.unwrap_or(&self.psn))
    }

    fn add(&self, lines: &mut Lines<'_>, row: &Row<'_>, key: AnyKey<'_>) -> Result<(), Failure> {
        let (pan, psn) = (row.shown(0), self.psn(row).unwrap_or_default());
        let pan = if self.mask_pan { masked(pan).into() } else { Cow::Borrowed(pan) };
        lines.add(row, &[&pan, psn], &[], &[key])
    }
}

impl Scheme for Cards {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn derive(&self, rows: &[Row<'_>], lines: &mut Lines<'_>) -> Result<(), Failure> {
        let cards = rows.iter().map(|row| self.card(row));
        match &self.master {
            Master::A(master) => {
                let cohort = master.cohort_a(cards).map_err(|error| unfit_key(&error))?;
                lines.take(rows, cohort, |lines, row, key| self.add(lines, row, key.expose_key().into()))
            }
            Master::B(master) => {
                let cohort = master.cohort_b(cards).map_err(|error| unfit_key(&error))?;
                lines.take(rows, cohort, |lines, row, key| self.add(lines, row, key.expose_key().into()))
            }
            Master::C(master, length) => {
                let cohort = master.cohort_c(cards, *length);
                lines.take(rows, cohort, |lines, row, key| self.add(lines, row, key.expose_key().into()))
            }
        }
    }
}

fn masked(pan: &str) -> String {
    Pan::from_ascii_digits(pan.as_bytes()).expect("a card with a key has a PAN").to_string()
}
