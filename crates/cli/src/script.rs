//! Scripts of card commands: what is sent, and what the card should answer.

use core::fmt;

use zeroize::Zeroizing;

use crate::hex::{self, HexError};

/// A command and the answer that it should get.
pub(crate) struct Step {
    /// Line of the command, from 1.
    pub(crate) line: usize,
    pub(crate) command: Zeroizing<Vec<u8>>,
    /// Nothing if any answer will do.
    pub(crate) expected: Option<Pattern>,
}

/// What an answer should be: hexadecimal digits, `?` for any digit. Four digits mean the status word alone.
pub(crate) struct Pattern(String);

/// A script that can't be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ScriptError {
    #[error("the script is not text in UTF-8")]
    NotText,
    #[error("line {line} starts with none of > (a command), < (its answer) and # (a comment)")]
    Mark { line: usize },
    #[error("line {line}: {error}")]
    Command { line: usize, error: HexError },
    #[error("line {line}: an answer is hexadecimal digits, ? for any digit, four of them at least")]
    Answer { line: usize },
    #[error("line {line} is an answer, and no command precedes it")]
    Turn { line: usize },
}

/// Reads a script.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<Step>, ScriptError> {
    let text = core::str::from_utf8(text).map_err(|_| ScriptError::NotText)?;
    let mut steps: Vec<Step> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        match (content.strip_prefix('>'), content.strip_prefix('<')) {
            (Some(command), _) => {
                let command =
                    hex::decode(command.as_bytes()).map_err(|error| ScriptError::Command { line, error })?;
                steps.push(Step { line, command, expected: None });
            }
            (_, Some(answer)) => {
                let step = steps.last_mut().filter(|step| step.expected.is_none());
                step.ok_or(ScriptError::Turn { line })?.expected =
                    Some(Pattern::parse(answer).ok_or(ScriptError::Answer { line })?);
            }
            _ if content.is_empty() || content.starts_with('#') => {}
            _ => return Err(ScriptError::Mark { line }),
        }
    }
    Ok(steps)
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let digits: String =
            text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        let whole = digits.len() >= 4 && digits.len().is_multiple_of(2);
        (whole && digits.chars().all(|c| c == '?' || c.is_ascii_hexdigit())).then_some(Self(digits))
    }

    /// Says whether `answer`, SW1-SW2 included, is what was expected.
    pub(crate) fn matches(&self, answer: &[u8]) -> bool {
        const STATUS_DIGITS: usize = 4;
        let found = hex::encode_secret(answer);
        let compared = match self.0.len() {
            STATUS_DIGITS => found.get(found.len().saturating_sub(STATUS_DIGITS)..).unwrap_or_default(),
            _ => found.as_str(),
        };
        compared.len() == self.0.len()
            && self
                .0
                .bytes()
                .zip(compared.bytes())
                .all(|(expected, found)| expected == b'?' || expected == found)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
