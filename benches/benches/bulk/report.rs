//! What was measured, as tables.

use core::fmt::Write;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use benches::peers;
use tdea::Backend;

use crate::harness::{Turns, Who, name};
use crate::linear::{self, Line};
use crate::uneven::Uneven;
use crate::works::Work;

/// Back ends in the order of the tables.
const COLUMNS: [Backend; 3] = [Backend::Avx512, Backend::Avx2, Backend::Portable];

pub(crate) struct Report {
    conditions: String,
    works: Vec<(&'static Work, Vec<(Who, f64)>)>,
    pub(crate) linear: Vec<Line>,
    pub(crate) uneven: Vec<Uneven>,
    pub(crate) break_even: Vec<(&'static str, Vec<(Backend, usize)>)>,
}

/// One back end on one work beside one peer.
pub(crate) struct Comparison {
    pub(crate) work: &'static Work,
    pub(crate) peer: &'static str,
    pub(crate) backend: Backend,
    pub(crate) ratio: f64,
    pub(crate) bar: Option<f64>,
}

impl Comparison {
    fn verdict(&self) -> &'static str {
        match self.bar {
            None => "",
            Some(bar) if self.ratio >= bar => "met",
            Some(_) => "missed",
        }
    }
}

impl Report {
    /// Notes what is measured where.
    pub(crate) fn start(turns: Turns) -> Self {
        Self {
            conditions: conditions(turns),
            works: Vec::new(),
            linear: Vec::new(),
            uneven: Vec::new(),
            break_even: Vec::new(),
        }
    }

    pub(crate) fn conditions(&self) -> &str {
        &self.conditions
    }

    /// Takes the times of a work; returns them as text.
    pub(crate) fn add(&mut self, work: &'static Work, times: Vec<(Who, f64)>) -> String {
        let mut text = format!("\n{}: per {}\n", work.title, work.item);
        let compared = compare(work, &times);
        for (who, time) in &times {
            write!(text, "  {who:<10} {time:10.2} ns").unwrap();
            for found in compared.iter().filter(|found| Who::Ours(found.backend) == *who) {
                write!(text, "   {:.1} x {}", found.ratio, found.peer).unwrap();
                if let Some(bar) = found.bar {
                    write!(text, " (bar {bar}, {})", found.verdict()).unwrap();
                }
            }
            text.push('\n');
        }
        self.works.push((work, times));
        text
    }

    /// Every back end beside every peer on every work.
    pub(crate) fn comparisons(&self) -> Vec<Comparison> {
        self.works.iter().flat_map(|(work, times)| compare(work, times)).collect()
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "# The bulk engine beside its peers\n\nWritten by `cargo bench -p benches --bench bulk`.\n\n{}\n\n\
             How many times faster than the peer, with the bar and whether it is met; no bar was set for peers without one.\n\n{}\n\
             ## Times\n\nNanoseconds for an item.\n\n{}",
            self.conditions,
            self.ratio_table(),
            self.time_table(),
        );
        for section in [self.linear_table(), self.uneven_table(), self.break_even_table()] {
            text += &section;
        }
        text
    }

    fn ratio_table(&self) -> String {
        let mut text = table_head(&["work", "peer"]);
        let comparisons = self.comparisons();
        for row in comparisons.chunk_by(|one, next| one.work.id == next.work.id && one.peer == next.peer) {
            write!(text, "| {} | {} |", row[0].work.title, row[0].peer).unwrap();
            for column in COLUMNS {
                match row.iter().find(|found| found.backend == column) {
                    Some(found @ Comparison { ratio, bar: Some(bar), .. }) => {
                        write!(text, " **{}**, bar {bar}: {} |", figure(*ratio), found.verdict()).unwrap();
                    }
                    Some(found) => write!(text, " {} |", figure(found.ratio)).unwrap(),
                    None => text += " – |",
                }
            }
            text.push('\n');
        }
        text
    }

    fn time_table(&self) -> String {
        let mut text = table_head(&["work", "item", "peers"]);
        for (work, times) in &self.works {
            let peers: Vec<String> = times
                .iter()
                .filter(|(who, _)| matches!(who, Who::Peer(_)))
                .map(|(who, time)| format!("{who} {}", figure(*time)))
                .collect();
            write!(text, "| {} | {} | {} |", work.title, work.item, peers.join(", ")).unwrap();
            for column in COLUMNS {
                let time = times.iter().find(|(who, _)| *who == Who::Ours(column));
                write!(text, " {} |", time.map_or("–".into(), |(_, time)| figure(*time))).unwrap();
            }
            text.push('\n');
        }
        text
    }

    pub(crate) fn linear_table(&self) -> String {
        let mut text = format!(
            "\n## Cost by number\n\nNanoseconds for an item in batches of that many; the largest may be {} times the smallest.\n\n\
             | work | back end |{} largest / smallest |\n|---|---|{}---|\n",
            linear::BAR,
            linear::SIZES.map(|size| format!(" {size} |")).concat(),
            "---|".repeat(linear::SIZES.len()),
        );
        for line in &self.linear {
            let times: String = line.nanoseconds.iter().map(|time| format!(" {} |", figure(*time))).collect();
            let verdict = if line.spread() <= linear::BAR { "met" } else { "missed" };
            writeln!(text, "| {} | {} |{times} {:.2}, {verdict} |", line.work, line.who, line.spread())
                .unwrap();
        }
        text
    }

    pub(crate) fn uneven_table(&self) -> String {
        let mut text = String::from(
            "\n## One long message among short ones\n\nRetail MACs, a key each, microseconds in all: 1,000 messages of 64 bytes; the same with one of \
             64 KiB among them; that one alone, block by block; and the mixture if every block of it took a pass of all lanes.\n\n\
             | back end | 1,000 short | with a long one | the long one alone | in passes |\n|---|---|---|---|---|\n",
        );
        for Uneven { who, short, mixed, long, passes } in &self.uneven {
            writeln!(text, "| {who} | {short:.0} | {mixed:.0} | {long:.0} | {passes:.0} |").unwrap();
        }
        text
    }

    pub(crate) fn break_even_table(&self) -> String {
        let mut text = String::from(
            "\n## Break-even\n\nThe least number of items that the sliced road takes less time for than single blocks do.\n\n",
        );
        text += &table_head(&["items"]);
        for (kind, found) in &self.break_even {
            write!(text, "| {kind} |").unwrap();
            for column in COLUMNS {
                let least = found.iter().find(|(backend, _)| *backend == column);
                write!(text, " {} |", least.map_or("–".into(), |(_, least)| least.to_string())).unwrap();
            }
            text.push('\n');
        }
        text
    }

    pub(crate) fn csv(&self) -> String {
        let mut text = String::from("work,item,implementation,nanoseconds,peer,ratio,bar,verdict\n");
        for (work, times) in &self.works {
            let compared = compare(work, times);
            for (who, time) in times {
                let start = format!("{},{},{who},{time:.3}", work.id, work.item);
                let mut found = compared.iter().filter(|found| Who::Ours(found.backend) == *who).peekable();
                if found.peek().is_none() {
                    writeln!(text, "{start},,,,").unwrap();
                }
                for found in found {
                    let bar = found.bar.map_or(String::new(), |bar| bar.to_string());
                    writeln!(text, "{start},{},{:.2},{bar},{}", found.peer, found.ratio, found.verdict())
                        .unwrap();
                }
            }
        }
        text
    }
}

fn compare(work: &'static Work, times: &[(Who, f64)]) -> Vec<Comparison> {
    let mut compared = Vec::new();
    for (who, theirs) in times {
        let Who::Peer(peer) = *who else { continue };
        for backend in COLUMNS {
            if let Some((_, ours)) = times.iter().find(|(who, _)| *who == Who::Ours(backend)) {
                compared.push(Comparison {
                    work,
                    peer,
                    backend,
                    ratio: theirs / ours,
                    bar: work.bar(peer, backend),
                });
            }
        }
    }
    compared
}

fn table_head(first: &[&str]) -> String {
    let columns = first.len() + COLUMNS.len();
    format!("| {} | {} |\n|{}\n", first.join(" | "), COLUMNS.map(name).join(" | "), "---|".repeat(columns))
}

/// Three significant digits.
pub(crate) fn figure(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn conditions(Turns(turns): Turns) -> String {
    let (here, missing): (Vec<_>, Vec<_>) =
        peers::found().into_iter().partition(|(_, version)| version.is_some());
    let here: Vec<String> =
        here.into_iter().map(|(name, version)| format!("{name} {}", version.unwrap_or_default())).collect();
    let missing: Vec<&str> = missing.into_iter().map(|(name, _)| name).collect();
    let mut text = format!("{}, one thread of {}", today(), processor());
    if let Ok(load) = fs::read_to_string("/proc/loadavg") {
        write!(text, ", load {} at the start", load.split(' ').next().unwrap_or_default()).unwrap();
    }
    write!(text, ". Thread time, medians of {turns} interleaved turns. Peers: crate `des` 0.9").unwrap();
    for name in here {
        write!(text, ", {name}").unwrap();
    }
    text.push('.');
    if !missing.is_empty() {
        write!(text, " Not here: {}.", missing.join(", ")).unwrap();
    }
    text
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = known.lines().find(|line| line.starts_with(name))?;
        Some(line.split(':').nth(1)?.trim().to_owned())
    };
    let model = field("model name").unwrap_or_else(|| std::env::consts::ARCH.into());
    match (field("cpu family"), field("model\t")) {
        (Some(family), Some(number)) => format!("{model} (family {family}, model {number})"),
        _ => model,
    }
}

/// The date by Universal Time.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (mut year, mut day) = (1970, seconds / 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while day >= lengths[month] {
        day -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, day + 1)
}
