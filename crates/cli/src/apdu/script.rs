//! Scripts of card commands: what is sent, and what the card should answer.

use alloc::collections::BTreeMap;
use core::fmt;

use zeroize::Zeroizing;

use crate::hex::{self, HexError};

/// One line that does something.
pub(crate) struct Step {
    /// Line, from 1.
    pub(crate) line: usize,
    pub(crate) action: Action,
}

pub(crate) enum Action {
    /// `$NAME = bytes`.
    Set { name: String, value: Template },
    /// `! reset`.
    Reset,
    /// `> bytes`, and the answer if one is expected.
    Send { command: Template, expected: Option<Pattern> },
}

/// Bytes, some of them by name.
pub(crate) struct Template(Vec<Piece>);

/// What an answer should be: `?` is any digit. Four digits mean the status word alone.
pub(crate) struct Pattern(Vec<Piece>);

/// Length of a status word in digits.
const STATUS_DIGITS: usize = 4;

enum Piece {
    /// Hexadecimal digits in upper case, `?` among them in a pattern.
    Digits(Zeroizing<String>),
    /// `$NAME`: the bytes of a variable.
    Variable(String),
    /// `$NAME:4`: so many bytes, to be kept under this name.
    Capture { name: String, len: usize },
}

/// Bytes by name.
#[derive(Default)]
pub(crate) struct Variables(BTreeMap<String, Zeroizing<Vec<u8>>>);

/// A script that can't be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ScriptError {
    #[error("the script is not text in UTF-8")]
    NotText,
    #[error(
        "line {line} starts with none of > (a command), < (its answer), $ (a variable), ! (a reset) and # (a comment)"
    )]
    Mark { line: usize },
    #[error("line {line}: {error}")]
    Command { line: usize, error: HexError },
    #[error("line {line}: an answer is hexadecimal digits, ? for any digit, four of them at least")]
    Answer { line: usize },
    #[error("line {line} is an answer, and no command precedes it")]
    Turn { line: usize },
    #[error(
        "line {line}: a variable is $NAME in capital letters, digits and _, in an answer $NAME:4 to keep 4 bytes"
    )]
    Name { line: usize },
    #[error(
        "line {line}: ${name} has no value before this line; give it one, by --set {name}=H or --secret {name}=K"
    )]
    Unknown { line: usize, name: String },
    #[error("line {line}: after ! comes nothing but reset")]
    Reset { line: usize },
}

/// Reads a script for a run that starts with these variables.
pub(crate) fn parse(text: &[u8], variables: &Variables) -> Result<Vec<Step>, ScriptError> {
    let text = core::str::from_utf8(text).map_err(|_| ScriptError::NotText)?;
    let mut known: Vec<String> = variables.0.keys().cloned().collect();
    let mut steps: Vec<Step> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        let mut characters = content.chars();
        let (mark, rest) = (characters.next(), characters.as_str());
        let action = match mark {
            None | Some('#') => continue,
            Some('>') => Action::Send { command: Template::parse(rest, line, &known)?, expected: None },
            Some('<') => {
                let last = steps.last_mut().map(|step| &mut step.action);
                let Some(Action::Send { expected: expected @ None, .. }) = last else {
                    return Err(ScriptError::Turn { line });
                };
                *expected = Some(Pattern::parse(rest, line, &mut known)?);
                continue;
            }
            Some('$') => {
                let (name, value) = rest.split_once('=').ok_or(ScriptError::Name { line })?;
                let name = name.trim();
                if !is_name(name) {
                    return Err(ScriptError::Name { line });
                }
                let value = Template::parse(value, line, &known)?;
                known.push(name.into());
                Action::Set { name: name.into(), value }
            }
            Some('!') if rest.trim() == "reset" => Action::Reset,
            Some('!') => return Err(ScriptError::Reset { line }),
            Some(_) => return Err(ScriptError::Mark { line }),
        };
        steps.push(Step { line, action });
    }
    Ok(steps)
}

/// Says whether a variable can be called so.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(is_name_character)
}

const fn is_name_character(c: char) -> bool {
    matches!(c, 'A'..='Z' | '0'..='9' | '_')
}

impl Template {
    fn parse(text: &str, line: usize, known: &[String]) -> Result<Self, ScriptError> {
        let command_error = |error| ScriptError::Command { line, error };
        let pieces = pieces(text, line)?;
        let mut template = Vec::new();
        for (offset, piece) in pieces {
            match piece {
                Piece::Variable(name) => template.push(Piece::Variable(expect_known(name, line, known)?)),
                Piece::Capture { .. } => return Err(ScriptError::Name { line }),
                Piece::Digits(digits) => match hex::decode(digits.as_bytes()) {
                    Ok(bytes) => template.push(Piece::Digits(hex::encode_secret(&bytes))),
                    Err(HexError::Empty) => {}
                    Err(HexError::Digit { offset: within }) => {
                        return Err(command_error(HexError::Digit { offset: offset + within }));
                    }
                    Err(error) => return Err(command_error(error)),
                },
            }
        }
        if template.is_empty() {
            return Err(command_error(HexError::Empty));
        }
        Ok(Self(template))
    }

    /// The bytes, with the variables as they are.
    pub(crate) fn bytes(&self, variables: &Variables) -> Zeroizing<Vec<u8>> {
        let digits = digits(&self.0, variables);
        hex::decode(digits.as_bytes()).expect("pieces of a command are whole bytes")
    }
}

impl Pattern {
    fn parse(text: &str, line: usize, known: &mut Vec<String>) -> Result<Self, ScriptError> {
        let mut pattern = Vec::new();
        let mut captured = Vec::new();
        for (_, piece) in pieces(text, line)? {
            pattern.push(match piece {
                Piece::Digits(text) if text.trim().is_empty() => continue,
                Piece::Digits(text) => {
                    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                    Piece::Digits(Zeroizing::new(digits.to_ascii_uppercase()))
                }
                Piece::Variable(name) => Piece::Variable(expect_known(name, line, known)?),
                Piece::Capture { name, len } => {
                    captured.push(name.clone());
                    Piece::Capture { name, len }
                }
            });
        }
        known.append(&mut captured);
        let pattern = Self(pattern);
        if pattern.is_whole() { Ok(pattern) } else { Err(ScriptError::Answer { line }) }
    }

    /// Whether every piece is whole bytes, and there is room for a status word where that can be known by now.
    fn is_whole(&self) -> bool {
        let mut bytes = 0;
        self.0.iter().all(|piece| match piece {
            Piece::Digits(digits) => {
                bytes += digits.len() / 2;
                digits.len().is_multiple_of(2) && digits.chars().all(|c| c == '?' || c.is_ascii_hexdigit())
            }
            Piece::Capture { len, .. } => {
                bytes += len;
                true
            }
            Piece::Variable(_) => {
                bytes += 2;
                true
            }
        }) && bytes >= 2
    }

    /// Says whether `answer`, SW1-SW2 included, is what was expected, and keeps what is to be kept of it.
    pub(crate) fn matches(&self, answer: &[u8], variables: &mut Variables) -> bool {
        let (expected, found) = (digits(&self.0, variables), hex::encode_secret(answer));
        let compared = match expected.len() {
            STATUS_DIGITS => found.get(found.len().saturating_sub(STATUS_DIGITS)..).unwrap_or_default(),
            _ => found.as_str(),
        };
        let is_met = compared.len() == expected.len()
            && expected
                .bytes()
                .zip(compared.bytes())
                .all(|(expected, found)| expected == b'?' || expected == found);
        if is_met {
            self.keep(compared, variables);
        }
        is_met
    }

    /// The same to look at, a dot for every digit but those of the status word: an answer that is met has the others.
    pub(crate) fn outline(&self) -> Self {
        let last = self.0.len().saturating_sub(1);
        let outlined = |(index, piece): (usize, &Piece)| match piece {
            Piece::Digits(digits) => {
                let status = if index == last { STATUS_DIGITS } else { 0 };
                let hidden = digits.len().saturating_sub(status);
                let dotted = |(offset, c)| if offset < hidden && c != '?' { '.' } else { c };
                Piece::Digits(Zeroizing::new(digits.chars().enumerate().map(dotted).collect()))
            }
            Piece::Variable(name) => Piece::Variable(name.clone()),
            Piece::Capture { name, len } => Piece::Capture { name: name.clone(), len: *len },
        };
        Self(self.0.iter().enumerate().map(outlined).collect())
    }

    fn keep(&self, found: &str, variables: &mut Variables) {
        let mut rest = found;
        // Set at the end: what is compared on the way is what names stood for before.
        let mut kept = Vec::new();
        for piece in &self.0 {
            let len = match piece {
                Piece::Digits(digits) => digits.len(),
                Piece::Variable(name) => 2 * variables.value(name).len(),
                Piece::Capture { len, .. } => 2 * len,
            };
            let (taken, after) = rest.split_at(len);
            rest = after;
            if let Piece::Capture { name, .. } = piece {
                kept.push((name, hex::decode(taken.as_bytes()).expect("an answer in hexadecimal digits")));
            }
        }
        kept.into_iter().for_each(|(name, bytes)| variables.set(name, bytes));
    }
}

impl fmt::Display for Pattern {
    /// Names stay names, for their values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for piece in &self.0 {
            f.write_str(before)?;
            match piece {
                Piece::Digits(digits) => f.write_str(digits)?,
                Piece::Variable(name) => write!(f, "${name}")?,
                Piece::Capture { name, len } => write!(f, "${name}:{len}")?,
            }
            before = " ";
        }
        Ok(())
    }
}

impl Variables {
    /// Gives a variable its value.
    pub(crate) fn set(&mut self, name: &str, bytes: Zeroizing<Vec<u8>>) {
        self.0.insert(name.into(), bytes);
    }

    fn value(&self, name: &str) -> &[u8] {
        self.0.get(name).map(|bytes| bytes.as_slice()).expect("every name is known when a script is read")
    }
}

fn expect_known(name: String, line: usize, known: &[String]) -> Result<String, ScriptError> {
    if known.contains(&name) { Ok(name) } else { Err(ScriptError::Unknown { line, name }) }
}

/// The digits of all pieces, `?` for those that are to be kept.
fn digits(pieces: &[Piece], variables: &Variables) -> Zeroizing<String> {
    let parts: Vec<Zeroizing<String>> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Digits(digits) => digits.clone(),
            Piece::Variable(name) => hex::encode_secret(variables.value(name)),
            Piece::Capture { len, .. } => Zeroizing::new("??".repeat(*len)),
        })
        .collect();
    // Of the length it needs, so that it never moves.
    let mut all = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| all.push_str(part));
    all
}

/// Cuts a line at its variables; each piece comes with its offset in characters.
fn pieces(text: &str, line: usize) -> Result<Vec<(usize, Piece)>, ScriptError> {
    const MOST: usize = 65536;
    let mut pieces = Vec::new();
    let mut offset = 0;
    for (index, part) in text.split('$').enumerate() {
        if index == 0 {
            pieces.push((0, Piece::Digits(Zeroizing::new(part.into()))));
            offset = part.len() + 1;
            continue;
        }
        let (name, mut after) = part.split_at(part.find(|c| !is_name_character(c)).unwrap_or(part.len()));
        if !is_name(name) {
            return Err(ScriptError::Name { line });
        }
        let name = name.to_owned();
        let piece = match after.strip_prefix(':') {
            None => Piece::Variable(name),
            Some(counted) => {
                let end = counted.find(|c: char| !c.is_ascii_digit()).unwrap_or(counted.len());
                let (count, rest) = counted.split_at(end);
                after = rest;
                let len = count.parse().ok().filter(|len| (1..=MOST).contains(len));
                Piece::Capture { name, len: len.ok_or(ScriptError::Name { line })? }
            }
        };
        if !(after.is_empty() || after.starts_with(char::is_whitespace)) {
            return Err(ScriptError::Name { line });
        }
        pieces.push((offset, piece));
        pieces.push((offset + part.len() - after.len(), Piece::Digits(Zeroizing::new(after.into()))));
        offset += part.len() + 1;
    }
    Ok(pieces)
}
