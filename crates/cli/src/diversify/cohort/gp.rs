//! `cardroot diversify cohort gp`.

use cardroot::diversify::gp::KeyData;
use clap::Args;

use super::results::Lines;
use super::rows::{Columns, Fault, Row, RowFault};
use super::{Scheme, Table};
use crate::any_key::AnyKey;
use crate::diversify::gp::{Master, TemplateName};
use crate::diversify::unfit_key;
use crate::error::Failure;
use crate::output::{Form, Report};
use crate::secret::Source;

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot diversify cohort gp --template cps --key @kmc.hex cards.csv --out keys.csv
  cardroot diversify cohort gp --template kdf3 --key @kmc-aes.hex < cards.csv";

#[derive(Args)]
pub(crate) struct Gp {
    /// How the keys depend on the diversification data
    #[arg(long, value_enum)]
    template: TemplateName,
    /// The issuer's master key for personalisation (KMC): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    #[command(flatten)]
    table: Table,
}

struct Cards {
    columns: Columns,
    master: Master,
}

impl Gp {
    pub(super) fn run(self, form: Form) -> Result<Report, Failure> {
        let master = self.template.master(&mut self.table.secrets()?, &self.key)?;
        self.table.run(&Cards { columns: Columns::all(["kdd"]), master }, form)
    }
}

impl Scheme for Cards {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn keys(&self) -> &'static [&'static str] {
        &["kenc", "kmac", "kdek"]
    }

    fn derive(&self, rows: &[Row<'_>], lines: &mut Lines<'_>) -> Result<(), Failure> {
        let data = rows.iter().map(key_data);
        match &self.master {
            Master::Template(master, template) => {
                let cohort = master.cohort(*template, data).map_err(|error| unfit_key(&error))?;
                lines.take(rows, cohort, |lines, row, card| {
                    let keys = [card.enc.expose_key(), card.mac.expose_key(), card.dek.expose_key()];
                    lines.add(row, &[row.shown(0)], &[], &keys.map(AnyKey::Tdea))
                })
            }
            Master::Kdf3(master) => lines.take(rows, master.cohort_kdf3(data), |lines, row, card| {
                let keys = [card.enc.expose_key(), card.mac.expose_key(), card.dek.expose_key()];
                lines.add(row, &[row.shown(0)], &[], &keys.map(AnyKey::Aes))
            }),
        }
    }
}

fn key_data(row: &Row<'_>) -> Result<KeyData, RowFault> {
    row.bytes(0, |bytes| bytes.try_into().map_err(|_| Fault::KeyData { found: bytes.len() }))
}
