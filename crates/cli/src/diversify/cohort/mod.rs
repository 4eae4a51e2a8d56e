//! `cardroot diversify cohort`: keys of many cards from a table of them.

mod emv;
mod gp;
mod pboc;
mod progress;
mod results;
mod rows;
mod wrap;

use core::num::NonZero;
use std::path::PathBuf;
use std::thread;

use clap::{Args, Subcommand};

use crate::diversify::cohort::progress::Progress;
use crate::diversify::cohort::results::{Lines, Output, Rejects, Shape};
use crate::diversify::cohort::rows::{Columns, Row, Rows};
use crate::error::Failure;
use crate::file::{self, NewFiles};
use crate::key_options::KcvOptions;
use crate::output::{Form, Record, Report};
use crate::secret::Secrets;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Derives keys by PBOC dispersion
    ///
    /// The columns are the fields of a profile (see: cardroot diversify profiles). Without a profile it is factor, for one
    /// level, or factor1, factor2 and so on, the highest level first.
    #[command(after_help = pboc::EXAMPLES)]
    Pboc(pboc::Pboc),
    /// Derives EMV master keys of cards from the issuer's
    ///
    /// The columns are pan and, if the cards have sequence numbers, psn.
    #[command(after_help = emv::EXAMPLES)]
    Emv(emv::Emv),
    /// Derives the three personalisation keys of cards: KENC, KMAC and KDEK
    ///
    /// The column is kdd: key diversification data.
    #[command(after_help = gp::EXAMPLES)]
    Gp(gp::Gp),
}

impl Command {
    pub(super) fn run(self, form: Form) -> Result<Report, Failure> {
        match self {
            Self::Pboc(arguments) => arguments.run(form),
            Self::Emv(arguments) => arguments.run(form),
            Self::Gp(arguments) => arguments.run(form),
        }
    }
}

/// Where cards come from and where their keys go.
#[derive(Args)]
pub(super) struct Table {
    /// The table of cards; standard input if not given, or for -
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Takes a table with more columns than are used
    #[arg(long)]
    ignore_other_columns: bool,
    /// Shows the keys, in upper-case hexadecimal
    #[arg(long)]
    show_key: bool,
    /// Writes the result to FILE, which must not exist; only its owner can read it (mode 0600)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Writes row, line and reason of refused rows to FILE, which must not exist, instead of standard error
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    #[command(flatten)]
    kcv: KcvOptions,
}

/// What makes keys of rows.
trait Scheme: Sync {
    /// The columns that tell cards apart.
    fn columns(&self) -> &Columns;

    /// Names of what the result says of a card beside its columns, check values and keys.
    fn extras(&self) -> &[&'static str] {
        &[]
    }

    /// Names of the keys of a card.
    fn keys(&self) -> &'static [&'static str] {
        &["key"]
    }

    /// Adds a line for each row, or says what is wrong with it.
    fn derive(&self, rows: &[Row<'_>], lines: &mut Lines<'_>) -> Result<(), Failure>;
}

impl Table {
    /// The secrets of a command that reads its table from standard input, if it does.
    fn secrets(&self) -> Result<Secrets, Failure> {
        let mut secrets = Secrets::default();
        if self.file.as_deref().is_none_or(file::is_stdin) {
            secrets.leave_stdin_to("FILE")?;
        }
        Ok(secrets)
    }

    /// Reads the rows, a chunk at a time, and writes what the scheme makes of them.
    fn run(&self, scheme: &impl Scheme, form: Form) -> Result<Report, Failure> {
        // A file is a table whatever the form of the report.
        let form = if self.out.is_some() { Form::Text } else { form };
        let cards = scheme.columns().names();
        let shape = Shape::new(form, &self.kcv, self.show_key, cards, scheme.extras(), scheme.keys());
        let mut rows = Rows::open(self.file.as_deref(), scheme.columns(), self.ignore_other_columns)?;
        let mut files = NewFiles::default();
        let mut output = Output::open(&mut files, self.out.as_deref(), &shape)?;
        let mut rejects = Rejects::open(&mut files, self.rejects.as_deref())?;
        let progress = Progress::new(rows.size(), self.out.is_some());
        let mut derived = 0;
        while rows.read_chunk()? {
            for part in parts(scheme, &rows, &shape) {
                let lines = part?;
                derived += lines.derived();
                progress.suspend(|| rejects.write(&lines))?;
                if !output.write(&lines)? {
                    return Ok(Report::printed());
                }
            }
            progress.show(rows.bytes_read(), rows.count());
        }
        progress.finish();
        if rows.count() == 0 {
            return Err(Failure::refused(format!("{}: the table has no rows", rows.place())));
        }
        output.finish()?;
        let refused = rejects.finish()?;
        files.keep();
        Ok(self.report(derived, refused))
    }

    fn report(&self, derived: u64, refused: u64) -> Report {
        let report = match &self.out {
            None => Report::printed(),
            Some(out) => Record::new()
                .with("derived", derived)
                .with("refused", refused)
                .with("file", out.display().to_string())
                .with_some("rejects", self.rejects.as_ref().map(|path| path.display().to_string()))
                .into(),
        };
        let place = self.rejects.as_ref().map_or("above".into(), |path| format!("in {}", path.display()));
        let sentence =
            format!("{refused} of {} rows have no key, for the reasons named {place}", derived + refused);
        report.unless((refused > 0).then_some(sentence))
    }
}

/// Shares the rows of a chunk out to all processors, in their order.
fn parts<'a>(scheme: &impl Scheme, rows: &Rows, shape: &'a Shape<'a>) -> Vec<Result<Lines<'a>, Failure>> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let rows: Vec<Row<'_>> = rows.chunk().collect();
    let derive = |rows: &[Row<'_>]| {
        let mut lines = Lines::new(shape);
        scheme.derive(rows, &mut lines).map(|()| lines)
    };
    thread::scope(|scope| {
        let parts = rows.chunks(rows.len().div_ceil(workers).max(1));
        let workers: Vec<_> = parts.map(|rows| scope.spawn(|| derive(rows))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker does not panic")).collect()
    })
}
