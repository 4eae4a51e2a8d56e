//! A progress bar on a terminal, nothing in a pipe.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far a cohort is.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar for a table of `size` bytes, if that is known. There is none where lines of keys would run through it.
    pub(super) fn new(size: Option<u64>, stdout_is_free: bool) -> Self {
        let visible = io::stderr().is_terminal() && (stdout_is_free || !io::stdout().is_terminal());
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let template = match size {
            Some(_) => "{wide_bar} {percent}% {msg}, {eta} left",
            None => "{spinner} {msg}",
        };
        let style = ProgressStyle::with_template(template).expect("the template is well-formed");
        Self(ProgressBar::with_draw_target(size, target).with_style(style))
    }

    pub(super) fn show(&self, bytes: u64, rows: u64) {
        self.0.set_position(bytes);
        self.0.set_message(format!("{rows} rows"));
    }

    /// Lets something else write to the terminal.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
