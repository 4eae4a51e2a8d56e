//! How commands fail: one sentence on standard error, and the exit status.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Why a command ends without success. The sentence says what was wrong, where, and what to do; it never quotes what a
/// secret holds.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments make no command.
    #[error("{0}")]
    Usage(String),
    /// The command was refused or failed.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage(sentence.into())
    }

    pub(crate) fn refused(sentence: impl Into<String>) -> Self {
        Self::Refused(sentence.into())
    }

    /// A key that is refused for what it is.
    pub(crate) fn bad_key(argument: &str, fault: &dyn core::error::Error) -> Self {
        Self::Refused(format!("{argument} must not be used: {}", with_cause(fault)))
    }

    /// Prints the sentence and gives the exit status.
    pub(crate) fn print(&self) -> ExitCode {
        print(&format!("error: {self}\n"));
        match self {
            Self::Refused(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
        }
    }
}

/// An error and the one below it, in one sentence.
pub(crate) fn with_cause(error: &dyn core::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Prints what the argument parser has to say, help among it, and gives the exit status.
pub(crate) fn print_clap(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Help and version. A reader that has gone away has seen enough.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let sentence = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        // The parser would quote the value, and values may be secrets that came the wrong way.
        (ErrorKind::ValueValidation, Some(ContextValue::String(argument))) => {
            let reason = core::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("error: {argument}: {reason}\n")
        }
        (ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, _) => error.render().to_string(),
        _ => first_sentence(&error.render().to_string()),
    };
    print(&without_digit_runs(&sentence));
    ExitCode::from(2)
}

/// What the parser says before its usage text, in one line.
fn first_sentence(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    format!("{}; try --help\n", lines.join(" "))
}

/// Standard error may be closed; there is nobody left to tell then.
fn print(sentence: &str) {
    let _ = io::stderr().write_all(sentence.as_bytes());
}

/// Replaces what may be a key or a PAN in a wrong place: runs of 8 or more hexadecimal digits.
fn without_digit_runs(text: &str) -> String {
    const SHORTEST: usize = 8;
    let mut shown = String::with_capacity(text.len());
    for run in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let digits = run.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        if digits.len() < SHORTEST {
            shown.push_str(run);
        } else {
            shown.push('…');
            shown.push_str(run.get(digits.len()..).unwrap_or_default());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_of_digits_are_not_shown() {
        assert_eq!(without_digit_runs("unexpected '0123456789abcdef' found"), "unexpected '…' found");
        assert_eq!(without_digit_runs("4111111111111111"), "…");
        assert_eq!(
            without_digit_runs("unrecognized subcommand 'decade'"),
            "unrecognized subcommand 'decade'"
        );
        assert_eq!(without_digit_runs("1234567 12345678\n"), "1234567 …\n");
    }
}
