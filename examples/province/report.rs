//! What the run leaves behind: records in a folder and a summary for people. No record holds a key or a PIN.

use std::fmt::{Display, Write as _};
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::Failure;
use crate::plan::ExpectedRefusal;

/// Collects refusals, counts and timings, and writes the records.
#[derive(Debug)]
pub struct Report {
    folder: PathBuf,
    refusals: Vec<ExpectedRefusal>,
    timings: Vec<(&'static str, Duration, String)>,
    sections: Vec<(String, Vec<[String; 4]>)>,
}

impl Report {
    pub fn into_folder(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
        Ok(Self { folder: folder.to_path_buf(), refusals: vec![], timings: vec![], sections: vec![] })
    }

    /// Something was refused, and nothing else was lost by it.
    pub fn refuse(&mut self, stage: &str, subject: impl Display, reason: impl Display) {
        let (subject, reason) = (subject.to_string(), reason.to_string());
        self.refusals.push(ExpectedRefusal { stage: stage.to_owned(), subject, reason });
    }

    /// A table of the summary; rows are cut where they are empty.
    pub fn section(&mut self, title: impl Into<String>, rows: Vec<[String; 4]>) {
        self.sections.push((title.into(), rows));
    }

    /// How long a step took; `rate` says what came of it.
    pub fn timing(&mut self, step: &'static str, since: Instant, rate: impl FnOnce(f64) -> String) {
        let took = since.elapsed();
        self.timings.push((step, took, rate(took.as_secs_f64())));
    }

    /// A record of the run: a CSV file in the folder.
    pub fn record<R: IntoIterator<Item = String>>(
        &self,
        file: &str,
        columns: &[&str],
        rows: impl IntoIterator<Item = R>,
    ) -> Result<(), Failure> {
        let path = self.folder.join(file);
        let write = || -> Result<(), csv::Error> {
            let mut writer = csv::Writer::from_path(&path)?;
            writer.write_record(columns)?;
            for row in rows {
                writer.write_record(row)?;
            }
            Ok(writer.flush()?)
        };
        write().map_err(|error| Failure(format!("{}: {error}", path.display())))
    }

    /// A record for people: a text file in the folder.
    pub fn text(&self, file: &str, text: &impl Display) -> Result<(), Failure> {
        let path = self.folder.join(file);
        fs::write(&path, format!("{text}\n")).map_err(|error| Failure(format!("{}: {error}", path.display())))
    }

    /// Writes the last records and returns the summary, and whether everything went as the plan expects: what was
    /// refused is what had to be.
    pub fn finish(
        mut self,
        title: &str,
        mut expected: Vec<ExpectedRefusal>,
    ) -> Result<(String, bool), Failure> {
        self.record(
            "refused.csv",
            &["stage", "subject", "reason"],
            self.refusals.iter().map(|r| [r.stage.clone(), r.subject.clone(), r.reason.clone()]),
        )?;
        let rows = self
            .refusals
            .iter()
            .map(|r| [r.stage.clone(), r.subject.clone(), r.reason.clone(), String::new()]);
        self.sections.push((format!("Refused ({})", self.refusals.len()), rows.collect()));
        let timings = self.timings.iter().map(|(step, took, rate)| {
            [(*step).to_owned(), format!("{:.1} ms", took.as_secs_f64() * 1e3), rate.clone(), String::new()]
        });
        self.sections.push(("Timings".to_owned(), timings.collect()));

        let mut summary = format!("{title}\n");
        for (title, rows) in &self.sections {
            write_table(&mut summary, title, rows);
        }
        self.refusals.sort();
        expected.sort();
        let as_expected = self.refusals == expected;
        let _ = writeln!(summary, "\n{}", verdict(&self.refusals, &expected));
        let _ = writeln!(summary, "Records are in {}", self.folder.display());
        let path = self.folder.join("summary.txt");
        fs::write(&path, &summary).map_err(|error| Failure(format!("{}: {error}", path.display())))?;
        Ok((summary, as_expected))
    }
}

fn verdict(refused: &[ExpectedRefusal], expected: &[ExpectedRefusal]) -> String {
    let mut verdict = String::new();
    let show = |r: &ExpectedRefusal| format!("{} / {} / {}", r.stage, r.subject, r.reason);
    for missing in expected.iter().filter(|r| !refused.contains(r)) {
        let _ = writeln!(verdict, "NOT REFUSED, but had to be: {}", show(missing));
    }
    for surprise in refused.iter().filter(|r| !expected.contains(r)) {
        let _ = writeln!(verdict, "REFUSED, but not expected: {}", show(surprise));
    }
    if verdict.is_empty() {
        verdict = format!("Everything went as planned: {} bad inputs refused, nothing else.", refused.len());
    }
    verdict
}

fn write_table(out: &mut String, title: &str, rows: &[[String; 4]]) {
    let mut widths = [0; 4];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let _ = writeln!(out, "\n{title}");
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "  {cell:width$}");
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// A progress bar on a terminal, nothing in a pipe.
pub fn progress(what: &'static str, total: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total as u64).with_message(what);
    let style = ProgressStyle::with_template("{msg:>18} {bar:40} {pos}/{len} {per_sec}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
