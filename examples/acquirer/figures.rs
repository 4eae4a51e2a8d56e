//! How far the run is, for those who watch it.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::ledger::Outcome;

/// How long the fleet trades.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// So many times a terminal is set to work.
    Transactions(u64),
    Time(Duration),
}

impl Goal {
    pub const fn transactions(self) -> Option<u64> {
        match self {
            Self::Transactions(count) => Some(count),
            Self::Time(_) => None,
        }
    }
}

#[derive(Debug)]
pub struct Figures {
    goal: Goal,
    started: Instant,
    steps: AtomicU64,
    accepted: AtomicU64,
    repeated: AtomicU64,
    refused: AtomicU64,
}

impl Figures {
    pub fn start(goal: Goal) -> Self {
        let zero = AtomicU64::default;
        Self {
            goal,
            started: Instant::now(),
            steps: zero(),
            accepted: zero(),
            repeated: zero(),
            refused: zero(),
        }
    }

    pub fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    pub fn judged(&self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Approved | Outcome::WrongPin => &self.accepted,
            Outcome::Repeated | Outcome::NotDone => &self.repeated,
            _ => &self.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How much of the goal is reached, from 0 to 1.
    pub fn share(&self) -> f64 {
        match self.goal {
            Goal::Transactions(all) => self.steps.load(Ordering::Relaxed) as f64 / all.max(1) as f64,
            Goal::Time(all) => self.elapsed().as_secs_f64() / all.as_secs_f64(),
        }
    }

    fn line(&self) -> String {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (accepted, repeated, refused) =
            (count(&self.accepted), count(&self.repeated), count(&self.refused));
        let a_second = (accepted + repeated + refused) as f64 / self.elapsed().as_secs_f64();
        format!("{accepted} accepted, {repeated} repeats, {refused} refused; {a_second:.0} messages a second")
    }
}

/// A line that moves on a terminal, and one now and then where it can't. No line where nobody asked for any.
#[derive(Debug)]
pub struct Live {
    bar: ProgressBar,
    every: Duration,
    last: Instant,
}

const SCALE: u64 = 1000;

impl Live {
    pub fn new(quiet: bool) -> Self {
        let moves = std::io::stderr().is_terminal() && !quiet;
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}");
        let bar = if moves { ProgressBar::new(SCALE) } else { ProgressBar::hidden() };
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let every = if quiet { Duration::MAX } else { Duration::from_millis(if moves { 100 } else { 3000 }) };
        Self { bar, every, last: Instant::now() }
    }

    pub fn show(&mut self, figures: &Figures) {
        if self.last.elapsed() < self.every {
            return;
        }
        self.last = Instant::now();
        if self.bar.is_hidden() {
            eprintln!("{:3.0} %  {}", 100.0 * figures.share().min(1.0), figures.line());
        } else {
            self.bar.set_position((figures.share() * SCALE as f64) as u64);
            self.bar.set_message(figures.line());
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
