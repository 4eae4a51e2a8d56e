//! Dialogues with a card as text: recorded once, played back in tests.

use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use zeroize::Zeroizing;

use crate::bytes::SecretBytes;
use crate::transport::{CardReset, CardTransport, Link};

/// A dialogue: `>` leads a command, `<` the answer to it. Hex digits, blanks between them as you like; `#` leads a
/// comment line.
///
/// ```text
/// # a card with one file
/// > 00A40000 02 0015
/// < 9000
/// ```
#[derive(Debug, Default)]
pub struct Script {
    exchanges: Vec<Exchange>,
}

#[derive(Debug)]
struct Exchange {
    /// Line of the command, from 1.
    line: usize,
    command: SecretBytes,
    response: SecretBytes,
}

/// A script that can't be read, or that the other side did not follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A line that starts with none of `>`, `<`, `#`, or whose rest is not hex.
    #[error("line {line} is neither a command, an answer nor a comment")]
    Syntax {
        /** Line, from 1. */
        line: usize,
    },
    /// Commands and answers do not take turns.
    #[error("line {line} is out of turn: each command has one answer")]
    Turn {
        /** Line, from 1. */
        line: usize,
    },
    /// Another command came than the script has.
    #[error("the command is not the one of line {line}: first difference at byte {position}")]
    Deviation {
        /** Line of the command expected, from 1. */
        line: usize,
        /** First byte that differs, from 0. */
        position: usize,
    },
    /// A command came after the end of the script.
    #[error("a command after the end of the script")]
    Ended,
    /// The dialogue ended before the script did.
    #[error("the command of line {line} never came")]
    Unplayed {
        /** Line, from 1. */
        line: usize,
    },
    /// The buffer is too small for the answer.
    #[error("an answer of {needed} bytes does not fit a buffer of {found}")]
    Buffer {
        /** Bytes needed. */
        needed: usize,
        /** Bytes supplied. */
        found: usize,
    },
}

impl FromStr for Script {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let mut exchanges = Vec::new();
        let mut open = None;
        for (line, content) in (1..).zip(text.lines()) {
            let mut rest = content.trim().chars();
            match (rest.next(), open.take()) {
                (None | Some('#'), command) => open = command,
                (Some('>'), None) => open = Some((line, hex(rest.as_str(), line)?)),
                (Some('<'), Some((line_of_command, command))) => {
                    let response = hex(rest.as_str(), line)?;
                    exchanges.push(Exchange { line: line_of_command, command, response });
                }
                (Some('>' | '<'), _) => return Err(ScriptError::Turn { line }),
                _ => return Err(ScriptError::Syntax { line }),
            }
        }
        match open {
            Some((line, _)) => Err(ScriptError::Turn { line }),
            None => Ok(Self { exchanges }),
        }
    }
}

impl Script {
    /// Shows the dialogue as text, every byte of it.
    #[must_use]
    pub fn expose_text(&self) -> String {
        let lines = || {
            self.exchanges.iter().flat_map(|exchange| [('>', &exchange.command), ('<', &exchange.response)])
        };
        // As long as it will be, so that it never moves and leaves a part of itself behind.
        let mut text = String::with_capacity(lines().map(|(_, bytes)| "> \n".len() + 2 * bytes.len()).sum());
        for (mark, bytes) in lines() {
            let digits = Zeroizing::new(base16ct::upper::encode_string(bytes.expose_bytes()));
            text.extend([mark, ' ']);
            text.push_str(&digits);
            text.push('\n');
        }
        text
    }
}

fn hex(digits: &str, line: usize) -> Result<SecretBytes, ScriptError> {
    let mut packed = Zeroizing::new(String::with_capacity(digits.len()));
    packed.extend(digits.chars().filter(|c| !c.is_whitespace()));
    let mut bytes = SecretBytes::zeroed(packed.len() / 2);
    base16ct::mixed::decode(packed.as_str(), bytes.as_mut_slice())
        .map_err(|_| ScriptError::Syntax { line })?;
    Ok(bytes)
}

/// A card that plays back a [`Script`]: it takes the commands of the script in their order and no others.
///
/// # Examples
/// ```
/// use cardroot_apdu::{CardTransport, Script, ScriptError, ScriptedTransport};
///
/// let script: Script = "> 0084000004\n< 5D72B3FD 9000".parse()?;
/// let mut card = ScriptedTransport::new(script);
/// let mut response = [0; 258];
/// assert_eq!(card.transmit(&[0x00, 0x84, 0x00, 0x00, 0x04], &mut response)?, 6);
/// card.finish()?;
/// # Ok::<(), ScriptError>(())
/// ```
#[derive(Debug)]
pub struct ScriptedTransport {
    script: Script,
    played: usize,
}

impl ScriptedTransport {
    /// Stands at the start of `script`.
    #[must_use]
    pub const fn new(script: Script) -> Self {
        Self { script, played: 0 }
    }

    /// Ends the dialogue.
    ///
    /// # Errors
    /// Returns [`ScriptError::Unplayed`] if commands of the script are left.
    pub fn finish(self) -> Result<(), ScriptError> {
        match self.script.exchanges.get(self.played) {
            Some(Exchange { line, .. }) => Err(ScriptError::Unplayed { line: *line }),
            None => Ok(()),
        }
    }
}

impl CardTransport for ScriptedTransport {
    type Error = ScriptError;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, ScriptError> {
        let next = self.script.exchanges.get(self.played).ok_or(ScriptError::Ended)?;
        let expected = next.command.expose_bytes();
        if command != expected {
            let same = command.iter().zip(expected).take_while(|(ours, theirs)| ours == theirs);
            return Err(ScriptError::Deviation { line: next.line, position: same.count() });
        }
        let answer = next.response.expose_bytes();
        let found = response.len();
        response
            .get_mut(..answer.len())
            .ok_or(ScriptError::Buffer { needed: answer.len(), found })?
            .copy_from_slice(answer);
        self.played += 1;
        Ok(answer.len())
    }
}

impl CardReset for ScriptedTransport {
    /// Goes on with the script, which has no line for a reset.
    fn reset(&mut self) -> Result<(), ScriptError> {
        Ok(())
    }
}

/// A transport that keeps what goes over the link as a [`Script`].
///
/// # Security
/// The script has every byte of both sides, PINs and keys too: record test cards only.
#[derive(Debug)]
pub struct RecordingTransport<T> {
    inner: T,
    script: Script,
}

impl<T: CardTransport> RecordingTransport<T> {
    /// Records what goes over `inner`.
    pub fn new(inner: T) -> Self {
        Self { inner, script: Script::default() }
    }

    /// The exchanges so far; those where the link failed are not among them.
    pub fn into_script(self) -> Script {
        self.script
    }
}

impl<T: CardTransport> CardTransport for RecordingTransport<T> {
    type Error = T::Error;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        let len = self.inner.transmit(command, response)?;
        self.script.exchanges.push(Exchange {
            line: 2 * self.script.exchanges.len() + 1,
            command: command.into(),
            response: response.get(..len).unwrap_or_default().into(),
        });
        Ok(len)
    }
    fn link(&self) -> Link<'_> {
        self.inner.link()
    }
}

impl<T: CardReset> CardReset for RecordingTransport<T> {
    /// A script has no line for it: what is played back is commands and answers.
    fn reset(&mut self) -> Result<(), Self::Error> {
        self.inner.reset()
    }
}
