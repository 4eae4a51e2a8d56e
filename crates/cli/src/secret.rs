//! Where secrets come from: never from the argument list.

use core::fmt;
use core::str::FromStr;
use std::env;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use cardroot::aeskey::AesKey;
use cardroot::components::TdeaComponent;
use cardroot::pin::{Pan, Pin};
use cardroot::tdea::TdeaKey;
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::{file, hex};

/// Most characters of a secret: no key has a tenth of them.
const MAX_LEN: usize = 1024;

/// Where a secret is to be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    /// `@FILE`.
    File(PathBuf),
    /// `env:NAME`.
    Environment(String),
    /// `-`.
    Stdin,
    /// `ask`: a prompt on the terminal, without echo.
    Prompt,
}

/// An argument that is no [`Source`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum SourceError {
    #[error(
        "a secret is not taken from the command line, where other users and the shell's history see it; \
         give @FILE, env:NAME, - (standard input) or ask (a prompt)"
    )]
    Literal,
    #[error("a name is missing; give @FILE or env:NAME")]
    Name,
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match (text, text.strip_prefix('@'), text.strip_prefix("env:")) {
            ("-", ..) => Ok(Self::Stdin),
            ("ask", ..) => Ok(Self::Prompt),
            (_, Some(""), _) | (_, _, Some("")) => Err(SourceError::Name),
            (_, Some(path), _) => Ok(Self::File(path.into())),
            (_, _, Some(name)) => Ok(Self::Environment(name.into())),
            _ => Err(SourceError::Literal),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "@{}", path.display()),
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::Stdin => f.write_str("standard input"),
            Self::Prompt => f.write_str("what was typed"),
        }
    }
}

/// A PAN, which is no key but cardholder data: on the command line if the caller can answer for it, or a [`Source`].
#[derive(Clone)]
pub(crate) enum PanArgument {
    Digits(Zeroizing<String>),
    From(Source),
}

impl FromStr for PanArgument {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text.as_bytes() {
            [b'0'..=b'9', ..] => Ok(Self::Digits(Zeroizing::new(text.into()))),
            _ => text.parse().map(Self::From),
        }
    }
}

/// Reads the secrets of one command, each for the argument that names it. Standard input is good for one of them.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    stdin_used: bool,
}

impl Secrets {
    /// Reads a TDEA key.
    pub(crate) fn key(&mut self, argument: &str, source: &Source) -> Result<TdeaKey, Failure> {
        self.typed_key(argument, source)
    }

    /// Reads a key of a cipher that the caller's type names.
    pub(crate) fn typed_key<K, E>(&mut self, argument: &str, source: &Source) -> Result<K, Failure>
    where
        K: for<'a> TryFrom<&'a [u8], Error = E>,
        E: core::error::Error,
    {
        let bytes = self.bytes(argument, source)?;
        K::try_from(bytes.as_slice()).map_err(|error| unfit(argument, source, &error))
    }

    /// Reads an AES key.
    pub(crate) fn aes_key(&mut self, argument: &str, source: &Source) -> Result<AesKey, Failure> {
        self.typed_key(argument, source)
    }

    /// Reads a PIN.
    pub(crate) fn pin(&mut self, argument: &str, source: &Source) -> Result<Pin, Failure> {
        let text = self.text(argument, source)?;
        Pin::from_ascii_digits(text.trim_ascii()).map_err(|error| unfit(argument, source, &error))
    }

    /// Reads a component of a TDEA key.
    pub(crate) fn component(&mut self, argument: &str, source: &Source) -> Result<TdeaComponent, Failure> {
        self.typed_key(argument, source)
    }

    /// Reads a PAN.
    pub(crate) fn pan(&mut self, argument: &str, pan: &PanArgument) -> Result<Pan, Failure> {
        match pan {
            PanArgument::Digits(digits) => Pan::from_ascii_digits(digits.as_bytes())
                .map_err(|error| Failure::usage(format!("{argument}: {error}"))),
            PanArgument::From(source) => {
                let text = self.text(argument, source)?;
                Pan::from_ascii_digits(text.trim_ascii()).map_err(|error| unfit(argument, source, &error))
            }
        }
    }

    /// Reads what is no secret but may be sensitive, from a file or standard input.
    pub(crate) fn file(&mut self, path: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if path.is_none_or(file::is_stdin) {
            if self.stdin_used {
                return Err(Failure::usage(
                    "FILE: standard input is read for a secret already; give the message in a file",
                ));
            }
            self.stdin_used = true;
        }
        file::read_or_stdin(path)
    }

    /// Reads a message: hexadecimal text, or the bytes themselves if it is `raw`.
    pub(crate) fn message(&mut self, path: Option<&Path>, raw: bool) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let content = self.file(path)?;
        if raw {
            return Ok(content);
        }
        hex::decode(&content).map_err(|error| {
            let place = file::place(path);
            Failure::refused(format!("{place}: {error}; give --raw if it is the message itself"))
        })
    }

    /// Reads hexadecimal text.
    pub(crate) fn bytes(&mut self, argument: &str, source: &Source) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let text = self.text(argument, source)?;
        hex::decode(&text).map_err(|error| unfit(argument, source, &error))
    }

    /// Reads text as it is.
    pub(crate) fn text(&mut self, argument: &str, source: &Source) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let unreadable = |error| file::unreadable(format_args!("{argument}: {source}"), &error);
        match source {
            Source::File(path) => file::read(path, MAX_LEN).map_err(unreadable),
            Source::Environment(name) => match env::var_os(name) {
                Some(text) => Ok(Zeroizing::new(text.into_encoded_bytes())),
                None => {
                    Err(Failure::refused(format!("{argument}: the environment variable {name} is not set")))
                }
            },
            Source::Stdin => {
                self.use_stdin(argument)?;
                file::read_stdin(MAX_LEN).map_err(unreadable)
            }
            Source::Prompt => ask(argument),
        }
    }

    /// Takes standard input for what is no secret: `what` is read from it.
    pub(crate) fn leave_stdin_to(&mut self, what: &str) -> Result<(), Failure> {
        if self.stdin_used {
            return Err(Failure::usage(format!(
                "{what}: standard input is read for a secret already; name a file"
            )));
        }
        self.stdin_used = true;
        Ok(())
    }

    fn use_stdin(&mut self, argument: &str) -> Result<(), Failure> {
        if self.stdin_used {
            return Err(Failure::usage(format!(
                "{argument}: standard input is read for something else already; give @FILE, env:NAME or ask"
            )));
        }
        self.stdin_used = true;
        if io::stdin().is_terminal() {
            return Err(Failure::usage(format!(
                "{argument}: standard input is a terminal, which would show what you type; say ask instead of -"
            )));
        }
        Ok(())
    }
}

fn ask(argument: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match rpassword::prompt_password(format!("{argument} (not shown): ")) {
        Ok(typed) => Ok(Zeroizing::new(typed.into_bytes())),
        Err(error) => Err(Failure::refused(format!(
            "{argument}: there is no terminal to ask at ({error}); give @FILE, env:NAME or -"
        ))),
    }
}

/// The digits of a PIN, for the one line that shows them.
pub(crate) fn digits(pin: &Pin) -> Zeroizing<String> {
    Zeroizing::new(core::str::from_utf8(pin.expose_digits()).expect("a PIN is ASCII digits").to_owned())
}

/// Says that a secret was read and is not what it should be.
fn unfit(argument: &str, source: &Source, error: &dyn core::error::Error) -> Failure {
    Failure::refused(format!("{argument}: {source} is refused: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_forms_are_sources() {
        assert_eq!("@dir/k.hex".parse(), Ok(Source::File("dir/k.hex".into())));
        assert_eq!("env:KEY".parse(), Ok(Source::Environment("KEY".into())));
        assert_eq!("-".parse(), Ok(Source::Stdin));
        assert_eq!("ask".parse(), Ok(Source::Prompt));
    }

    #[test]
    fn anything_else_is_taken_for_a_secret() {
        for text in ["0123456789ABCDEFFEDCBA9876543210", "", "ask ", "--", "key.hex"] {
            assert_eq!(text.parse::<Source>(), Err(SourceError::Literal), "{text}");
        }
        assert_eq!("@".parse::<Source>(), Err(SourceError::Name));
        assert_eq!("env:".parse::<Source>(), Err(SourceError::Name));
    }
}
